package signature

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// SignOptions are the values that are signed with a request.
type SignOptions struct {
	// ID is the id of the message. It is needed by schemes that sign one, and
	// must be at most 256 printable ASCII characters without the one that
	// separates it from what follows, such as "." in Standard Webhooks. Other
	// schemes put it where they have the delivery id, if that is a header.
	ID string
	// Time is when the request is signed. It is needed by schemes that sign it.
	Time time.Time
}

// Sign signs r as the provider would: it sets the headers of the scheme on
// r.Header, which it makes if it is nil. The first of keys signs; where the
// scheme has room for many signatures, every key does.
//
// It is an error if a key does not have the scheme's form, if a value is missing
// from opts, and if the scheme has its signature elsewhere than in a header.
func (s *Scheme) Sign(r *Request, keys Keys, opts SignOptions) error {
	if s == nil || s.mac == nil {
		return errors.New("sign request: the scheme was not made by this package")
	}
	if err := s.CheckKeys(keys); err != nil {
		return fmt.Errorf("sign request: %w", err)
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	in := reading{view: view{Request: r}, scheme: s, variables: make([]string, len(s.variables))}
	if err := in.fill(opts); err != nil {
		return fmt.Errorf("sign request: %w", err)
	}
	m, refusal := s.template.message(&in.view, in.variables)
	if refusal != nil {
		return fmt.Errorf("sign request: %s", refusal.Detail)
	}
	var sigs []string
	for _, key := range keys.prepare(s).keys {
		sigs = append(sigs, s.mac.encode(key.sign(m)))
	}
	in.write(sigs)
	if opts.ID != "" && s.id.kind == fromHeader {
		r.Header.Set(s.id.name, opts.ID)
	}
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

// fill sets the variables: from opts, or from what the request has already.
func (in *reading) fill(opts SignOptions) error {
	for i := range in.scheme.reads {
		r := &in.scheme.reads[i]
		inHeader := r.from.kind == fromHeader || r.from.kind == fromNumbered
		if r.has(slotSig) && !inHeader {
			return fmt.Errorf("scheme %s has its signature in a %s, which cannot be set", in.scheme.name, &r.from)
		}
		for j := range r.items {
			if err := in.fillItem(r, &r.items[j], inHeader, opts); err != nil {
				return err
			}
		}
	}
	return nil
}

func (in *reading) fillItem(r *reader, p *pattern, inHeader bool, opts SignOptions) error {
	for k, part := range p.parts {
		if part.slot == slotSig {
			continue
		}
		name, value := in.scheme.variables[part.slot], ""
		switch {
		case inHeader && name == "time" && !opts.Time.IsZero():
			value = in.scheme.unit.format(opts.Time)
		case inHeader && name == "id" && opts.ID != "":
			value = opts.ID
		case r.sep == "":
			present, err := in.value(&r.from)
			if err != nil {
				return fmt.Errorf("%s %w", &r.from, err)
			}
			values, _ := p.match(present)
			value = values[k]
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

// write sets the headers. A list or a numbered header takes all signatures;
// other headers take one each, in order.
func (in *reading) write(sigs []string) {
	next := 0
	for i := range in.scheme.reads {
		r := &in.scheme.reads[i]
		switch {
		case r.from.kind == fromNumbered:
			for n, sig := range sigs {
				in.Header.Set(r.from.names[n], in.render(&r.items[0], sig))
			}
		case r.from.kind != fromHeader:
		case r.sep != "":
			in.Header.Set(r.from.name, in.renderList(r, sigs))
		case !r.has(slotSig):
			if in.knows(&r.items[0]) {
				in.Header.Set(r.from.name, in.render(&r.items[0], ""))
			}
		case next < len(sigs):
			in.Header.Set(r.from.name, in.render(&r.items[0], sigs[next]))
			next++
		}
	}
}

// knows reports whether every variable of p has a value. Those of an optional
// header may have none.
func (in *reading) knows(p *pattern) bool {
	return !slices.ContainsFunc(p.parts, func(c capture) bool { return in.variables[c.slot] == "" })
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
