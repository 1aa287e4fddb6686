package signature

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// A Spec is how a provider signs, as data. Only Name and Read are always needed.
// Stripe's, for instance, is
//
//	signature.Spec{
//		Name:      "stripe",
//		Read:      []signature.Read{{From: "stripe-signature", Sep: ",", Items: []string{"t={time}", "v1={sig}"}}},
//		Sign:      "{time}.{body}",
//		Tolerance: 300 * time.Second,
//		Type:      "json:type",
//		ID:        "json:id",
//	}
type Spec struct {
	// Name is 1 to 64 lower-case letters, digits, "-" and "_".
	Name string
	// Read says where values are found in a request. One of them is {sig}.
	Read []Read
	// MAC is the algorithm and the encoding of the signature: "hmac-sha1",
	// "hmac-sha256" or "hmac-sha512", and an [Encoding]. The default is
	// "hmac-sha256 hex".
	MAC string
	// Key is how a secret becomes a key. The default is [KeyUTF8].
	Key KeyForm
	// Sign is the signed message: text with {body}, {method}, {url}, {path}, any
	// variable that is read, and places such as {header:x-a}, {query:a}, {form:a}
	// or {json:a.b}. A brace that means itself is doubled. The default is "{body}".
	Sign string
	// Time is the unit of {time}. The default is [Seconds].
	Time TimeUnit
	// Tolerance is how far {time} may be from now, in both directions. Zero does
	// not look at it.
	Tolerance time.Duration

	// Type, Subtype and ID say where the type of the event, what it does, and the
	// provider's id of the delivery are found: "header:x-github-event",
	// "json:data.id", "form:a", "query:a". Empty means nowhere.
	Type, Subtype, ID string
	// NoSubtype are types that have none, so that it is not looked for.
	NoSubtype []string
	// Superseded is a header with an older, weaker signature. It is never
	// verified; a request that has only this one is told apart by the detail of
	// its refusal.
	Superseded string
}

// A Read is one place in a request, and what is read there.
type Read struct {
	// From is the name of a header, or "json:a.b", "form:a" or "query:a". A "?"
	// at its end says that it may be absent. A header that ends in "-#" is
	// numbered, from 1.
	From string
	// Pattern takes the value apart: "sha256={sig}". Variables are {sig}, of
	// which there may be many, {time}, and any other name, such as {id}.
	Pattern string

	// Sep is set instead of Pattern when the value is a list. Any of its
	// characters separates items, and each item is taken apart by the first of
	// Items that matches it. Items that match none, such as signatures of other
	// versions, are passed over.
	Sep   string
	Items []string
	// Positional matches the first item with the first of Items, and so on; the
	// last of Items is for all that follow.
	Positional bool
	// Join separates the items when signing. The default is the first character
	// of Sep.
	Join string
}

// A Scheme is a compiled [Spec]. It does not change, and is safe for concurrent
// use.
type Scheme struct {
	name      string
	reads     []reader
	variables []string // their names; a slot is an index into it
	ends      []byte   // by slot, the byte a value must not hold; 0 if any may be in it
	mac       mac
	keyForm   KeyForm
	template  *template
	unit      TimeUnit
	tolerance time.Duration

	typ, subtype, id source
	noSubtype        []string
	superseded       string
	settings         []Setting
}

// A reader is a compiled [Read].
type reader struct {
	from       source
	items      []pattern // exactly one if it is no list
	sep, join  string    // empty if it is no list
	positional bool
}

// has reports whether the reader reads what belongs in slot.
func (r *reader) has(slot int) bool {
	return slices.ContainsFunc(r.items, func(p pattern) bool { return p.has(slot) })
}

// New compiles spec. The error names the scheme and what is wrong with it.
func New(spec Spec) (*Scheme, error) {
	s := &Scheme{name: spec.Name, noSubtype: slices.Clone(spec.NoSubtype)}
	if err := s.compile(spec); err != nil {
		return nil, fmt.Errorf("signature scheme %q: %w", clip(spec.Name), err)
	}
	return s, nil
}

// Name returns the name of the scheme, such as "github".
func (s *Scheme) Name() string {
	if s == nil {
		return ""
	}
	return s.name
}

func (s *Scheme) compile(spec Spec) error {
	if !validName(spec.Name) {
		return errors.New("its name must be 1 to 64 lower-case letters, digits, - and _")
	}
	for _, read := range spec.Read {
		if err := s.compileRead(read); err != nil {
			return fmt.Errorf("read %q: %w", clip(read.From), err)
		}
	}
	if !slices.ContainsFunc(s.reads, func(r reader) bool { return r.has(slotSig) }) {
		return errors.New("it reads no {sig}")
	}
	var err error
	if s.mac, err = parseMAC(spec.MAC); err != nil {
		return err
	}
	if s.template, err = compileTemplate(spec.Sign, s.slot); err != nil {
		return fmt.Errorf("sign %q: %w", clip(spec.Sign), err)
	}
	s.ends = s.template.separators(len(s.variables))
	if err := s.compileKeyAndTime(spec); err != nil {
		return err
	}
	return s.compileSelectors(spec)
}

func (s *Scheme) compileRead(read Read) error {
	from, err := parseSource(read.From)
	if err != nil {
		return err
	}
	r := reader{from: from, sep: read.Sep, join: read.Join, positional: read.Positional}
	texts := read.Items
	switch {
	case read.Pattern != "" && (read.Sep != "" || len(read.Items) > 0 || read.Join != "" || read.Positional):
		return errors.New("it has both a pattern and a list")
	case read.Pattern != "":
		texts = []string{read.Pattern}
	case read.Sep == "" || len(read.Items) == 0:
		return errors.New("it has neither a pattern nor a list with Sep and Items")
	case r.join == "":
		r.join = read.Sep[:1]
	}
	for _, text := range texts {
		p, err := compilePattern(text, s.newSlot)
		if err != nil {
			return err
		}
		r.items = append(r.items, p)
	}
	if from.kind == fromNumbered && (r.sep != "" || len(r.items[0].parts) != 1 || !r.has(slotSig)) {
		return errors.New("a numbered header holds one {sig} and nothing else")
	}
	s.reads = append(s.reads, r)
	return nil
}

// newSlot gives a variable its place. Only {sig} may be read twice.
func (s *Scheme) newSlot(name string) (int, error) {
	const most = 16 // variables
	switch {
	case name == "sig":
		return slotSig, nil
	case !validName(name) || name == "body" || name == "url" || name == "method" || name == "path":
		return 0, fmt.Errorf("{%s} cannot name a variable", clip(name))
	case slices.Contains(s.variables, name):
		return 0, fmt.Errorf("{%s} is read twice", name)
	case len(s.variables) == most:
		return 0, fmt.Errorf("more than %d variables are read", most)
	}
	s.variables = append(s.variables, name)
	return len(s.variables) - 1, nil
}

// slot returns the place of a variable.
func (s *Scheme) slot(name string) (int, bool) {
	i := slices.Index(s.variables, name)
	return i, i >= 0
}

func (s *Scheme) compileKeyAndTime(spec Spec) error {
	s.keyForm, s.unit, s.tolerance = spec.Key, spec.Time, spec.Tolerance
	if s.keyForm == "" {
		s.keyForm = KeyUTF8
	}
	if s.unit == "" {
		s.unit = Seconds
	}
	_, timed := s.slot("time")
	switch {
	case !s.keyForm.valid():
		return fmt.Errorf("key form %q is none of utf8, hex, base64, whsec", clip(string(spec.Key)))
	case !s.unit.valid():
		return fmt.Errorf("time unit %q is none of s, ms, rfc3339, httpdate", clip(string(spec.Time)))
	case s.tolerance < 0:
		return fmt.Errorf("tolerance %v is negative", s.tolerance)
	case s.tolerance > 0 && !timed:
		return errors.New("it has a tolerance, and reads no {time}")
	}
	return nil
}

func (s *Scheme) compileSelectors(spec Spec) error {
	var err error
	if s.typ, err = parseSelector(spec.Type); err != nil {
		return fmt.Errorf("type: %w", err)
	}
	if s.subtype, err = parseSelector(spec.Subtype); err != nil {
		return fmt.Errorf("subtype: %w", err)
	}
	if s.id, err = parseSelector(spec.ID); err != nil {
		return fmt.Errorf("id: %w", err)
	}
	if spec.Superseded != "" {
		from, err := parseSource(spec.Superseded)
		if err != nil || from.kind != fromHeader {
			return fmt.Errorf("superseded: %q does not name a header", clip(spec.Superseded))
		}
		s.superseded = from.name
	}
	return nil
}

func validName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !isAlphanumeric(c) && c != '-' && c != '_' || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return name != "" && len(name) <= 64
}
