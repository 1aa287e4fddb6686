package signature

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxSignatures bounds how many signatures one request may have, numbered
// headers apart.
const maxSignatures = MaxKeys

// A Request is what of an HTTP request can be signed.
type Request struct {
	Method string      // for schemes that sign it
	URL    string      // as the sender wrote it, scheme and host included; for schemes that sign it
	Header http.Header // with canonical names, as net/http makes them
	Body   []byte      // as received; never changed, and not kept
}

// A Result is what a verified request says about itself.
type Result struct {
	Key        int       // which of the keys had signed, from 0; -1 if it was fetched or not needed
	Type       string    // of the event, such as "pull_request"; empty if there is none
	Subtype    string    // such as "opened"; empty if there is none
	DeliveryID string    // the provider's id of the delivery; empty if there is none
	Time       time.Time // when it was signed, UTC; zero if the scheme has no time
	// BodyBound says that the signature covers the body: its bytes or, with
	// schemes that sign forms or JSON by their fields, all of its fields. If it
	// does not, whoever saw one request can send another body with it: fetch from
	// the provider what matters.
	BodyBound bool
}

// Verify reports whether one of keys signed r, and what r is. Now is the
// receiver's time. The error is an [*Error].
//
// [Result.Type], Subtype and DeliveryID are cleaned as [Scheme.Identify] says.
// They are only as trustworthy as the place they come from: headers are seldom
// signed.
//
// With an [Options.Fetcher] and without keys, a scheme that says where its keys
// are fetches them.
func (s *Scheme) Verify(r *Request, keys Keys, now time.Time) (Result, error) {
	if s == nil || s.mac == nil {
		return Result{}, refuse(ReasonNoScheme, "the scheme was not made by this package")
	}
	prepared := keys.prepare(s)
	if prepared.usable == 0 && !s.fetches(keys) && !s.isNone() {
		return Result{}, refuse(ReasonNoKey, "no key can be used: %v", prepared.err)
	}
	in := reading{view: view{Request: r, jsonFrom: s.jsonFrom}, scheme: s}
	result, err := in.verify(prepared, now)
	if err != nil {
		return Result{}, err
	}
	return result, nil
}

// fetches reports whether the keys are to be fetched.
func (s *Scheme) fetches(keys Keys) bool {
	return s.fetchesKeys() && s.fetcher != nil && keys.Len() == 0
}

// fetchesKeys reports whether the scheme, or a request, says where the key is.
// SNS needs to know its topics all the same.
func (s *Scheme) fetchesKeys() bool {
	return s.keyURL != nil || s.code != nil && s.keyHosts != nil && s.code.prepare == nil
}

// noKey is the index of a key that was fetched, or that was not needed.
const noKey = -1

// A reading is one request as one scheme reads it.
type reading struct {
	view

	scheme    *Scheme
	variables []string // by slot; "" is absent
	sigs      [][]byte
	few       [4][]byte // where sigs begin
	seen      int       // signatures of any kind, to bound them
	problem   *Error    // why a signature that is there was not taken
	token     *jwsToken // the last JWS that was read
}

func (in *reading) verify(prepared *preparedKeys, now time.Time) (Result, *Error) {
	s := in.scheme
	in.sigs = in.few[:0]
	if s.strict {
		if err := unambiguous(in.document()); err != nil && len(in.document()) > 0 {
			return Result{}, refuse(ReasonAmbiguous, "the JSON document, fields of which are signed, %v", err)
		}
	}
	if err := in.read(); err != nil {
		return Result{}, err
	}
	if err := in.checkRequired(); err != nil {
		return Result{}, err
	}
	sent, err := in.time()
	if err != nil {
		return Result{}, err
	}
	result := Result{Time: sent, BodyBound: s.bound}
	if s.code != nil {
		if result.Key, result.Time, err = s.code.verify(in, prepared); err != nil {
			return Result{}, err
		}
	} else if result.Key, err = in.authenticate(prepared); err != nil {
		return Result{}, err
	}
	if s.jws != nil && !s.jws.detached {
		if result.Time, err = in.checkClaims(now); err != nil {
			return Result{}, err
		}
		if s.reads[0].from.kind == fromBody { // the event is what the token says
			in.jsonFrom, in.docFound = &s.reads[0].from, true
			in.doc, _ = in.token.claims()
		}
	}
	// Only now, so that "stale" is said of requests that are the provider's: many
	// of them mean that a clock is wrong.
	if err := s.checkTolerance(result.Time, now); err != nil {
		return Result{}, err
	}
	result.Type, result.Subtype, result.DeliveryID, err = in.identify()
	return result, err
}

// authenticate returns which key made one of the signatures.
func (in *reading) authenticate(prepared *preparedKeys) (int, *Error) {
	s := in.scheme
	if s.jws != nil {
		if err := s.jws.problem(in.token); err != nil {
			return 0, err
		}
	}
	m, err := s.template.message(in, nil)
	if err != nil {
		return 0, err
	}
	if slices.ContainsFunc(s.handshakes, func(h shake) bool { return h.couldHaveSigned(m) }) {
		return 0, refuse(ReasonMalformedValue, "the body is what the provider's handshake has this receiver sign for anyone")
	}
	if s.isNone() {
		return noKey, nil
	}
	for i, key := range prepared.keys {
		digest, ok := key.(*digestKey)
		if !ok {
			continue
		}
		if m, err = s.template.message(in, digest.secret); err != nil {
			return 0, err
		}
		if key.verify(m, in.sigs) {
			return i, nil
		}
	}
	return in.match(prepared, m)
}

// match returns which key made one of the signatures of m.
func (in *reading) match(prepared *preparedKeys, m message) (int, *Error) {
	if len(prepared.keys) == 0 {
		return in.matchFetched(m)
	}
	for i, key := range prepared.keys {
		if key != nil && key.verify(m, in.sigs) {
			return i, nil
		}
	}
	return 0, mismatch(prepared)
}

// mismatch is the refusal of a signature that none of the keys made.
func mismatch(prepared *preparedKeys) *Error {
	const detail = "the signature was made with another secret, or the request was changed on its way"
	if prepared.err != nil {
		return refuse(ReasonSignatureMismatch, "%s; not all keys can be used: %v", detail, prepared.err)
	}
	return refuse(ReasonSignatureMismatch, "%s (%d of %d keys tried)", detail, prepared.usable, len(prepared.keys))
}

// checkRequired checks what the scheme requires besides the signature.
func (in *reading) checkRequired() *Error {
	for i := range in.scheme.require {
		r := &in.scheme.require[i]
		value, err := in.value(&r.at)
		if err != nil {
			return refuse(ReasonDuplicateHeader, "%s %v", &r.at, err)
		}
		want, refusal := r.is.render(in)
		if refusal != nil {
			return refusal
		}
		if subtle.ConstantTimeCompare([]byte(value), []byte(want)) != 1 {
			return refuse(ReasonRequirement, "%s is %q, which is not what it must be", &r.at, clip(value)) // what must be may be secret
		}
	}
	return nil
}

// read takes the values out of the request: it fills variables and sigs.
func (in *reading) read() *Error {
	s := in.scheme
	if len(s.variables) > 0 {
		in.variables = make([]string, len(s.variables))
	}
	for i := range s.reads {
		r := &s.reads[i]
		if r.from.kind == fromNumbered {
			if err := in.readNumbered(r); err != nil {
				return err
			}
			continue
		}
		value, err := in.value(&r.from)
		switch {
		case errors.Is(err, errDiffers):
			return refuse(ReasonSignatureMismatch, "%s %v", &r.from, err)
		case err != nil:
			return refuse(ReasonDuplicateHeader, "%s %v", &r.from, err)
		case value == "" && r.has(slotSig):
			in.missing(r)
		case value == "" && !r.from.optional:
			return in.absent(r)
		case value == "":
		case r.sep == "":
			if err := in.readItem(r, r.items, value); err != nil {
				return err
			}
		default:
			if err := in.readList(r, value); err != nil {
				return err
			}
		}
	}
	return in.complete()
}

// readNumbered reads header-1, header-2, ... until one is absent.
func (in *reading) readNumbered(r *reader) *Error {
	for _, name := range r.from.names {
		value, err := single(in.Header[name])
		if err != nil {
			return refuse(ReasonDuplicateHeader, "%s %v", headerName(name), err)
		}
		if value == "" {
			break
		}
		if err := in.readItem(r, r.items, value); err != nil {
			return err
		}
	}
	if in.seen == 0 {
		in.missing(r)
	}
	return nil
}

// readList reads the items of a list.
func (in *reading) readList(r *reader, value string) *Error {
	for n := 0; value != ""; {
		item := value
		if i := strings.IndexAny(value, r.sep); i >= 0 {
			item, value = value[:i], value[i+1:]
		} else {
			value = ""
		}
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		items := r.items
		if r.positional {
			i := min(n, len(items)-1)
			items = items[i : i+1]
		}
		n++
		if err := in.readItem(r, items, item); err != nil {
			return err
		}
	}
	return nil
}

// readItem reads a value with the first of the patterns that matches it. If none
// does, it counts as a signature of some other version.
func (in *reading) readItem(r *reader, patterns []pattern, text string) *Error {
	for i := range patterns {
		p := &patterns[i]
		values, ok := p.match(text)
		if !ok {
			continue
		}
		for j, part := range p.parts {
			if err := in.bind(r, part.slot, values[j]); err != nil {
				return err
			}
		}
		return nil
	}
	if !r.has(slotSig) {
		slot := r.items[0].parts[0].slot
		reason := in.scheme.malformedReason(slot)
		return refuse(reason, "%s is %q, and does not match %s", &r.from, clip(text), r.items[0].text)
	}
	if err := in.countSignature(&r.from); err != nil {
		return err
	}
	p := &r.items[len(r.items)-1]
	if in.problem == nil || in.problem.Reason == ReasonMissingSignature {
		in.problem = unmatched(r, p, text)
	}
	return nil
}

// unmatched says why text, which is where a signature should be, is none. It
// quotes no more than a version, as the text may be a credential.
func unmatched(r *reader, p *pattern, text string) *Error {
	if version, ok := p.otherVersion(text); ok {
		return refuse(ReasonUnsupportedVersion, "%s has a signature of version %q, and must be %s", &r.from, version, p.text)
	}
	return refuse(ReasonMalformedSignature, "%s has %d characters that are not %s", &r.from, len(text), p.text)
}

// bind takes one value of a variable, or one signature.
func (in *reading) bind(r *reader, slot int, value string) *Error {
	if slot != slotSig {
		if in.scheme.unused[slot] {
			return nil
		}
		if known := in.variables[slot]; known != "" && known != value {
			return refuse(ReasonDuplicateHeader, "%s has {%s} twice", &r.from, in.scheme.variables[slot])
		}
		in.variables[slot] = value
		return in.scheme.checkVariable(slot, value)
	}
	if err := in.countSignature(&r.from); err != nil {
		return err
	}
	sig, ok := in.scheme.mac.decode(value)
	if !ok {
		in.problem = refuse(ReasonMalformedSignature,
			"%s has a signature of %d characters that cannot be decoded", &r.from, len(value))
		return nil
	}
	in.sigs = append(in.sigs, sig)
	if in.scheme.jws != nil {
		token, _ := parseToken(sig) // decode has seen that it is one
		in.token = &token
	}
	return nil
}

func (in *reading) countSignature(from *source) *Error {
	most := maxSignatures
	switch {
	case from.kind == fromNumbered:
		most = maxNumbered
	case in.scheme.jws != nil:
		most = 1 // of two tokens, the claims of only one could be looked at
	}
	if in.seen++; in.seen > most {
		return refuse(ReasonTooManySignatures, "%s has more than %d signatures", from, most)
	}
	return nil
}

// missing notes that r, which is where a signature should be, has nothing.
func (in *reading) missing(r *reader) {
	if in.problem != nil {
		return
	}
	old := in.scheme.superseded
	if old != "" && len(in.Header[old]) > 0 {
		in.problem = refuse(ReasonMissingSignature,
			"%s is absent; %s is there, but its algorithm is too old to be accepted", &r.from, headerName(old))
		return
	}
	in.problem = refuse(ReasonMissingSignature, "%s is absent", &r.from)
}

// absent is the refusal for a value other than a signature that is not there.
func (in *reading) absent(r *reader) *Error {
	if slot, ok := in.scheme.slot("time"); ok && r.has(slot) {
		return refuse(ReasonTimestampMissing, "%s is absent", &r.from)
	}
	return refuse(ReasonMissingValue, "%s is absent", &r.from)
}

// complete says what is missing after all was read.
func (in *reading) complete() *Error {
	if len(in.sigs) == 0 && in.problem == nil && in.scheme.code == nil && !in.scheme.isNone() {
		return refuse(ReasonMissingSignature, "there is no signature beside what was read")
	}
	if len(in.sigs) == 0 && in.problem != nil {
		return in.problem
	}
	for slot, value := range in.variables {
		switch name := in.scheme.variables[slot]; {
		case value != "" || in.scheme.optional(slot) || in.scheme.unused[slot]:
		case name == "time":
			return refuse(ReasonTimestampMissing, "there is no timestamp beside the signature")
		default:
			return refuse(ReasonMissingValue, "there is no {%s} beside the signature", name)
		}
	}
	return nil
}

// optional reports whether what belongs in slot may be absent.
func (s *Scheme) optional(slot int) bool {
	for i := range s.reads {
		if s.reads[i].has(slot) {
			return s.reads[i].from.optional
		}
	}
	return false
}

func (s *Scheme) malformedReason(slot int) Reason {
	if slot != slotSig && s.variables[slot] == "time" {
		return ReasonTimestampMalformed
	}
	return ReasonMalformedValue
}

// checkVariable refuses a value that would make what is signed ambiguous. Times
// are checked by their own rules.
func (s *Scheme) checkVariable(slot int, value string) *Error {
	if s.variables[slot] == "time" {
		return nil
	}
	if problem := s.variableProblem(slot, value); problem != nil {
		return refuse(ReasonMalformedValue, "{%s} is %q, and %v", s.variables[slot], clip(value), problem)
	}
	return nil
}

var (
	errUnprintable = errors.New("must be at most 256 printable ASCII characters")
	errSeparator   = errors.New("must not hold what separates it from the rest of what is signed")
)

func (s *Scheme) variableProblem(slot int, value string) error {
	if len(value) > maxID || !printable(value) {
		return errUnprintable
	}
	if end := s.ends[slot]; end != 0 && strings.IndexByte(value, end) >= 0 {
		return errSeparator
	}
	return nil
}

// time returns when the request says it was signed.
func (in *reading) time() (time.Time, *Error) {
	slot, ok := in.scheme.slot("time")
	if !ok || in.variables[slot] == "" {
		return time.Time{}, nil
	}
	text := in.variables[slot]
	sent, ok := in.scheme.unit.parse(text)
	if !ok {
		return time.Time{}, refuse(ReasonTimestampMalformed,
			"the timestamp %q is not exactly of the unit %s", clip(text), in.scheme.unit)
	}
	return sent, nil
}

func (s *Scheme) checkTolerance(sent, now time.Time) *Error {
	if s.tolerance == 0 {
		return nil
	}
	if sent.IsZero() {
		return refuse(ReasonTimestampMissing, "there is no timestamp")
	}
	switch age := now.Sub(sent); {
	case age > s.tolerance:
		return refuse(ReasonTimestampStale, "it was signed at %s, more than %v ago",
			sent.Format(time.RFC3339), s.tolerance)
	case age < -s.tolerance:
		return refuse(ReasonTimestampFuture, "it was signed for %s, more than %v ahead",
			sent.Format(time.RFC3339), s.tolerance)
	}
	return nil
}
