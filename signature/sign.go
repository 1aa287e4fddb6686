package signature

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// SignOptions are the values that are signed with a request.
type SignOptions struct {
	// ID is the id of the message. It is needed by schemes that sign one, and
	// must be at most 256 printable ASCII characters without the one that
	// separates it from what follows, such as "." in Standard Webhooks. Other
	// schemes put it where they have the delivery id, if that is a header.
	ID string
	// Type is put where the scheme has the type of the event, if that is a header.
	// Otherwise it is nowhere but in the body, which the caller writes.
	Type string
	// Time is when the request is signed. It is needed by schemes that sign it.
	Time time.Time
	// Values are for the other variables that a scheme signs, such as a nonce.
	// Those that are not given are what the request has, or else the ID.
	Values map[string]string
}

// Sign signs r as the provider would. It sets the headers of the scheme on
// r.Header, which it makes if it is nil; where a scheme has its values in the
// body or the URL, it replaces r.Body or r.URL by one with them. The first of
// keys signs; where the scheme has room for many signatures, every key does.
//
// It is an error if a key does not have the scheme's form, or is a public key
// where the private one is needed, if a value is missing from opts, and if the
// body has no place for the signature.
func (s *Scheme) Sign(r *Request, keys Keys, opts SignOptions) error {
	if err := s.CheckKeys(keys); err != nil && !(s != nil && s.isNone() && keys.Len() == 0) {
		return fmt.Errorf("sign request: %w", err)
	}
	signed := *r
	if signed.Header = r.Header.Clone(); signed.Header == nil {
		signed.Header = http.Header{}
	}
	if opts.ID != "" && s.id.kind == fromHeader {
		signed.Header.Set(s.id.name, opts.ID)
	}
	if opts.Type != "" && s.typ.kind == fromHeader {
		if !printable(opts.Type) {
			return fmt.Errorf("sign request: the type %q is not of printable ASCII characters only", clip(opts.Type))
		}
		signed.Header.Set(s.typ.name, opts.Type)
	}
	in := reading{view: view{Request: &signed, jsonFrom: s.jsonFrom}, scheme: s, variables: make([]string, len(s.variables))}
	if err := in.sign(keys.prepare(s), opts); err != nil {
		return fmt.Errorf("sign request: %w", err)
	}
	if r.Header != nil {
		maps.Copy(r.Header, signed.Header) // into the caller's own, which is often that of an http.Request
		signed.Header = r.Header
	}
	*r = signed
	return nil
}

// CheckKeys reports whether every key has the form that the scheme wants. The
// errors are [*KeyError], joined, and hold nothing of the secrets.
func (s *Scheme) CheckKeys(keys Keys) error {
	if s == nil || s.mac == nil {
		return errors.New("the scheme was not made by this package")
	}
	return keys.prepare(s).err
}

func (in *reading) sign(keys *preparedKeys, opts SignOptions) error {
	if err := in.fill(opts); err != nil {
		return err
	}
	if in.scheme.code != nil {
		return in.scheme.code.sign(in, keys, opts)
	}
	for i := range in.scheme.require {
		r := &in.scheme.require[i]
		value, refusal := r.is.render(in)
		if refusal != nil {
			return errors.New(refusal.Detail)
		}
		if err := in.put(&r.at, value); err != nil {
			return err
		}
	}
	var sigs []string
	for _, key := range keys.keys {
		m, err := in.messageFor(key, opts)
		if err != nil {
			return err
		}
		sig, err := key.sign(m)
		if err != nil {
			return err
		}
		sigs = append(sigs, in.scheme.mac.encode(sig))
	}
	return in.write(sigs)
}

// messageFor returns what one key signs.
func (in *reading) messageFor(key authenticator, opts SignOptions) (message, error) {
	s := in.scheme
	if s.jws != nil && !s.jws.detached {
		claims, err := in.makeClaims(opts)
		return message{body: claims}, err
	}
	var secret []byte
	if digest, ok := key.(*digestKey); ok {
		secret = digest.secret
	}
	m, refusal := s.template.message(in, secret)
	if refusal != nil {
		return m, errors.New(refusal.Detail)
	}
	return m, nil
}

// makeClaims returns the claims of a JWT for the request.
func (in *reading) makeClaims(opts SignOptions) ([]byte, error) {
	if opts.Time.IsZero() {
		return nil, errors.New("the time is needed")
	}
	claims := map[string]any{"iat": opts.Time.Unix()}
	if lifetime := in.scheme.lifetime; lifetime > 0 {
		claims["exp"] = opts.Time.Add(lifetime).Unix()
	}
	if opts.ID != "" {
		claims["jti"] = opts.ID
	}
	for i := range in.scheme.claims {
		r := &in.scheme.claims[i]
		value, refusal := r.is.render(in)
		if refusal != nil {
			return nil, errors.New(refusal.Detail)
		}
		claims[r.claim] = value
		if value == "true" {
			claims[r.claim] = true
		}
	}
	if in.scheme.reads[0].from.kind == fromBody {
		return in.mergeClaims(claims)
	}
	return json.Marshal(claims)
}

// mergeClaims returns the claims of a JWT that is to replace the body: the body's
// own fields with them.
func (in *reading) mergeClaims(claims map[string]any) ([]byte, error) {
	all, body := make(map[string]any), in.Body
	if token, ok := parseToken(body); ok {
		body, _ = token.claims()
	}
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, errors.New("the body must be a JSON object, which becomes the claims of the token")
	}
	maps.Copy(all, claims)
	return json.Marshal(all)
}

// fill sets the variables: from opts, or from what the request has already. Those
// that are beside the signature are put where they belong, because that may be
// signed as well.
func (in *reading) fill(opts SignOptions) error {
	for i := range in.scheme.reads {
		r := &in.scheme.reads[i]
		for j := range r.items {
			if err := in.fillItem(r, &r.items[j], opts); err != nil {
				return err
			}
		}
		if !r.has(slotSig) && in.knows(&r.items[0]) {
			if err := in.put(&r.from, in.render(&r.items[0], "")); err != nil {
				return err
			}
		}
	}
	return nil
}

func (in *reading) fillItem(r *reader, p *pattern, opts SignOptions) error {
	for k, part := range p.parts {
		if part.slot == slotSig {
			continue
		}
		name, value := in.scheme.variables[part.slot], ""
		switch {
		case name == "time" && !opts.Time.IsZero():
			value = in.scheme.unit.format(opts.Time)
		case name == "id" && opts.ID != "":
			value = opts.ID
		case opts.Values[name] != "":
			value = opts.Values[name]
		default:
			present, err := in.presentValue(r, p, k)
			if err != nil {
				return err
			}
			value = present
			if value == "" && name != "time" && !r.from.optional {
				value = cmp.Or(in.scheme.listedByDefault(name), opts.ID)
			}
		}
		if value == "" && in.scheme.unused[part.slot] {
			value = "key" // names one, for people
		}
		if value == "" && !r.from.optional {
			return fmt.Errorf("{%s} is needed for %s", name, &r.from)
		}
		if err := in.scheme.checkSigned(part.slot, value); err != nil {
			return err
		}
		in.variables[part.slot] = value
	}
	return nil
}

// presentValue returns what a request has already for the part k of p.
func (in *reading) presentValue(r *reader, p *pattern, k int) (string, error) {
	text, err := in.value(&r.from)
	if err != nil {
		return "", fmt.Errorf("%s %w", &r.from, err)
	}
	items := []string{text}
	if r.sep != "" {
		items = strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(r.sep, c) })
	}
	for _, item := range items {
		if values, ok := p.match(strings.TrimSpace(item)); ok {
			return values[k], nil
		}
	}
	return "", nil
}

// listedByDefault returns which headers are signed if the variable of this name
// lists them, and nothing for other variables.
func (s *Scheme) listedByDefault(name string) string {
	for _, op := range slices.Concat(s.template.head, s.template.tail) {
		if op.kind == operandForm && op.form.reads == name {
			return op.form.lists
		}
	}
	return ""
}

// checkSigned refuses what a receiver would refuse.
func (s *Scheme) checkSigned(slot int, value string) error {
	name := s.variables[slot]
	if name == "time" {
		if _, ok := s.unit.parse(value); !ok && value != "" {
			return fmt.Errorf("time %q cannot be written in the unit %s", clip(value), s.unit)
		}
		return nil
	}
	if problem := s.variableProblem(slot, value); problem != nil {
		return fmt.Errorf("{%s} is %q, and %w", name, clip(value), problem)
	}
	return nil
}

// write puts the signatures into the request. A list or a numbered header takes all signatures; other places take
// one each, in order.
func (in *reading) write(sigs []string) error {
	next := 0
	for i := range in.scheme.reads {
		r := &in.scheme.reads[i]
		switch {
		case r.from.kind == fromNumbered:
			for n, sig := range sigs {
				in.Header.Set(r.from.names[n], in.render(&r.items[0], sig))
			}
		case !r.has(slotSig):
		case r.sep != "" && next < len(sigs):
			if err := in.put(&r.from, in.renderList(r, sigs)); err != nil {
				return err
			}
			next = len(sigs)
		case next < len(sigs):
			if err := in.put(&r.from, in.render(&r.items[0], sigs[next])); err != nil {
				return err
			}
			next++
		}
	}
	return nil
}

// knows reports whether every variable of p has a value. Those of an optional
// header may have none.
func (in *reading) knows(p *pattern) bool {
	return !slices.ContainsFunc(p.parts, func(c capture) bool { return c.slot != slotSig && in.variables[c.slot] == "" })
}

func (in *reading) render(p *pattern, sig string) string {
	return p.render(func(slot int) string {
		if slot == slotSig {
			return sig
		}
		return in.variables[slot]
	})
}

func (in *reading) renderList(r *reader, sigs []string) string {
	var text string
	add := func(item string) {
		if text != "" {
			text += r.join
		}
		text += item
	}
	for i := range r.items {
		p := &r.items[i]
		if !p.has(slotSig) {
			add(in.render(p, ""))
			continue
		}
		for _, sig := range sigs {
			add(in.render(p, sig))
		}
	}
	return text
}
