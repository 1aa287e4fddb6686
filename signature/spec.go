package signature

import (
	"cmp"
	"errors"
	"fmt"
	"hash"
	"regexp"
	"slices"
	"strings"
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
	// Read says where values are found in a request. One of them is {sig}, or in
	// its place {token}, {jwt} or {jws}.
	Read []Read
	// MAC is the algorithm, and the [Encoding] of the signature:
	//
	//	hmac-ALG ENC      an HMAC; ALG is sha1, sha256 or sha512; the default is "hmac-sha256 hex"
	//	hash-ALG ENC      a hash of a message that holds {secret}
	//	ed25519 ENC       and ecdsa-sha256, rsa-sha1, rsa-sha256, rsa-sha512: signatures with a public key
	//	jwt-ALG[,ALG]     a JWT that is signed with one of hs256, rs256, es256, ..., and says [Spec.Claims]
	//	jws-ALG[,ALG]     a detached JWS over the message
	//	token             no signature: the secret itself
	//	none              nothing of the kind, which needs [Spec.Require]
	MAC string
	// Key is how a secret becomes a key. The default is [KeyUTF8], and [KeyPublic]
	// for algorithms with a public key.
	Key KeyForm
	// KeyURL is where the key is fetched if the receiver has none: a template, of
	// which KeyHosts, a regular expression, must match the whole host. The scheme
	// of the URL must be https.
	KeyURL, KeyHosts string
	// Sign is the signed message: text with {body}, {method}, {url}, {path}, {uri},
	// {secret}, any variable that is read, places such as {header:x-a}, {query:a},
	// {form:a} or {json:a.b}, and settings, {cfg:a}. Filters change a value:
	// {body|sha256|hex}. What is between [[ and ]] is left out if a value in it is
	// absent. A brace that means itself is doubled. The default is "{body}".
	Sign string
	// Time is the unit of {time}. The default is [Seconds].
	Time TimeUnit
	// Tolerance is how far {time} may be from now, in both directions; of a JWT,
	// how old it may be. Zero does not look at it.
	Tolerance time.Duration
	// Require are values that must be right besides the signature: "header:a" or
	// "query:a" and a template of what is there.
	Require []Check
	// Claims are what a JWT must say: names of claims, and templates of their
	// values. A "?" at the end of a name says that the claim may be absent if
	// there is no body.
	Claims []Check
	// Lifetime is how long a JWT is good for that Sign makes. With it, a JWT must
	// say when it expires.
	Lifetime time.Duration
	// JSONFrom is where the JSON document is, if not the body: "form:payload". A
	// "?" at its end says that this is so only if the body is a form.
	JSONFrom string

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

	// Accepted and Refused are how the provider wants its requests answered, if
	// it minds.
	Accepted, Refused Reply
	// Handshake names one of the handshakes that this package knows, see
	// [Handshakes]. Empty is none.
	Handshake string

	// DeriveKey replaces Key with code.
	DeriveKey func(secret string) ([]byte, error)
	// Hash replaces the algorithm of an HMAC or a hash with another of the same
	// kind.
	Hash func() hash.Hash

	code     *code     // verifies and signs instead of the row
	settings []Setting // besides those that templates name
}

// A Check is a value that must be right.
type Check struct {
	At string // where the value is, or the name of a claim
	Is string // a template of what it must be
}

// A Read is one place in a request, and what is read there.
type Read struct {
	// From is the name of a header, or "json:a.b", "form:a", "query:a" or "body". A
	// "?" at its end says that it may be absent. A header that ends in "-#" is
	// numbered, from 1. A "*" in the path of a json field is every item of an
	// array, all of which must then have the same value.
	From string
	// Pattern takes the value apart: "sha256={sig}". Variables are {sig}, of
	// which there may be many, {time}, and any other name, such as {id}. The word
	// before a space in the Authorization header may be in any case.
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
	unused    []bool   // by slot: nothing depends on the value
	ends      []byte   // by slot, the byte a value must not hold; 0 if any may be in it
	algorithm string
	mac       mac
	jws       *jwsMAC // mac, if it is one
	key       keyDecoder
	either    bool // the hexadecimal digits of a key are tried as well
	template  *template
	unit      TimeUnit
	tolerance time.Duration
	require   []rule
	claims    []rule
	lifetime  time.Duration
	jsonFrom  *source
	bound     bool // the signature covers the body
	strict    bool // the JSON document must be unambiguous: fields of it are signed, and not its bytes

	keyURL   *template
	keyHosts *regexp.Regexp
	fetcher  Fetcher

	typ, subtype, id source
	noSubtype        []string
	superseded       string

	settings          []Setting
	values            map[string]string // of the settings
	accepted, refused Reply
	handshakes        []shake
	code              *code
}

// A rule is a compiled [Check].
type rule struct {
	at       source // of Require
	claim    string // of Claims
	optional bool
	is       *template
	unpadded bool // base64 is compared without its padding
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
	none := spec.MAC == "none"
	if !slices.ContainsFunc(s.reads, func(r reader) bool { return r.has(slotSig) }) && spec.code == nil && !none {
		return errors.New("it reads no {sig}")
	}
	if none && len(spec.Require) == 0 {
		return errors.New("with the mac none, it must require something")
	}
	s.settings, s.code = slices.Clone(spec.settings), spec.code
	for _, step := range []func(Spec) error{
		s.compileMAC, s.compileMessage, s.compileRules, s.compileTime, s.compileKeyURL, s.compileSelectors, s.compileReplies,
	} {
		if err := step(spec); err != nil {
			return err
		}
	}
	s.strict = s.signsJSON()
	return nil
}

// signsJSON reports whether fields of the JSON document are signed, or are the
// signature, and its bytes are not signed.
func (s *Scheme) signsJSON() bool {
	if s.code != nil {
		return s.code.fields
	}
	reads := slices.ContainsFunc(s.reads, func(r reader) bool { return r.from.kind == fromJSON })
	return !s.template.body && (s.template.json || reads)
}

func (s *Scheme) compileRead(read Read) error {
	from, err := parseSource(read.From)
	if err != nil {
		return err
	}
	r := reader{from: from, sep: read.Sep, join: read.Join, positional: read.Positional}
	texts, err := read.patterns()
	if err != nil {
		return err
	}
	if r.sep != "" && r.join == "" {
		r.join = read.Sep[:1]
	}
	for _, text := range texts {
		p, err := compilePattern(text, s.newSlot)
		if err != nil {
			return err
		}
		p.fold = from.kind == fromHeader && from.name == "Authorization"
		r.items = append(r.items, p)
	}
	if from.kind == fromNumbered && (r.sep != "" || len(r.items[0].parts) != 1 || !r.has(slotSig)) {
		return errors.New("a numbered header holds one {sig} and nothing else")
	}
	s.reads = append(s.reads, r)
	return nil
}

// patterns returns the patterns of a Read: one, or those of a list.
func (r *Read) patterns() ([]string, error) {
	switch {
	case r.Pattern != "" && (r.Sep != "" || len(r.Items) > 0 || r.Join != "" || r.Positional):
		return nil, errors.New("it has both a pattern and a list")
	case r.Pattern != "":
		return []string{r.Pattern}, nil
	case r.Sep == "" || len(r.Items) == 0:
		return nil, errors.New("it has neither a pattern nor a list with Sep and Items")
	}
	return r.Items, nil
}

// newSlot gives a variable its place. Only {sig} may be read twice.
func (s *Scheme) newSlot(name string) (int, error) {
	const most = 16 // variables
	switch {
	case slices.Contains([]string{"sig", "token", "jwt", "jws"}, name):
		return slotSig, nil
	case !validName(name) || slices.Contains([]string{"body", "url", "method", "path", "uri", "secret"}, name):
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

// scope is what the templates of s can name. Settings that they name are settings
// of s.
func (s *Scheme) scope() scope {
	return scope{slot: s.slot, setting: func(name string) {
		if !slices.ContainsFunc(s.settings, func(known Setting) bool { return known.Name == name }) {
			s.settings = append(s.settings, Setting{Name: name, About: aboutSetting(name)})
		}
	}}
}

// aboutSetting says what a setting is that a row names.
func aboutSetting(name string) string {
	for _, about := range [][2]string{
		{"api_key", "the API key, not its secret: it says who the token is from"},
		{"audience", "the audience that the subscription puts into its tokens"},
		{"client_id", "the client id of the application that made the webhook"},
		{"issuer", "the URL of your domain with the provider, whose keys sign"},
		{"service_account", "the e-mail address of the service account that the subscription uses"},
		{"subscription_id", "the number of the subscription"},
		{"webhook_id", "the id that the provider gave the webhook"},
	} {
		if about[0] == name {
			return about[1]
		}
	}
	return "a value of your account with the provider"
}

func (s *Scheme) compileMAC(spec Spec) error {
	var err error
	s.algorithm = cmp.Or(spec.MAC, defaultMAC)
	if s.mac, err = parseMAC(spec.MAC, spec.Key); err != nil {
		return err
	}
	s.jws, _ = s.mac.(*jwsMAC)
	if spec.Hash != nil {
		if s.mac, err = withHash(s.mac, spec.Hash); err != nil {
			return err
		}
	}
	if spec.DeriveKey != nil {
		s.key = func(secret string) ([]byte, *KeyError) {
			key, err := spec.DeriveKey(secret)
			if err != nil {
				return nil, &KeyError{Problem: err.Error(), Hint: "copy it as the provider shows it"}
			}
			return key, nil
		}
		return nil
	}
	s.either = spec.Key == KeyEither
	s.key, err = spec.Key.compile()
	return err
}

// compileMessage compiles what is signed: a message, or the claims of a JWT.
func (s *Scheme) compileMessage(spec Spec) error {
	_, isToken := s.mac.(tokenMAC)
	own := isToken || s.isNone() || s.jws != nil && !s.jws.detached // the signature signs itself, or nothing
	if own && spec.Sign != "" {
		return fmt.Errorf("sign %q: with the mac %q there is no message to sign", clip(spec.Sign), clip(spec.MAC))
	}
	text := spec.Sign
	if own {
		s.template = &template{}
	} else {
		var err error
		if s.template, err = compileTemplate(text, s.scope()); err != nil {
			return fmt.Errorf("sign %q: %w", clip(spec.Sign), err)
		}
		if !s.template.dynamic() {
			return fmt.Errorf("sign %q: it signs nothing of the request", clip(spec.Sign))
		}
	}
	_, isDigest := s.mac.(*digestMAC)
	if isDigest != s.template.secret {
		return fmt.Errorf("sign %q: {secret} belongs into the message of a hash, and only there", clip(spec.Sign))
	}
	s.ends = s.template.separators(len(s.variables))
	s.bound = s.template.binds
	if s.code != nil {
		s.bound = s.code.bound
	}
	return nil
}

func (s *Scheme) compileRules(spec Spec) error {
	if err := s.compileRequire(spec); err != nil {
		return err
	}
	if err := s.compileClaims(spec); err != nil {
		return err
	}
	for i := range s.reads { // a JWT that is the whole body
		s.bound = s.bound || s.reads[i].from.kind == fromBody && s.jws != nil && !s.jws.detached
	}
	s.unused = make([]bool, len(s.variables))
	for slot, name := range s.variables {
		s.unused[slot] = name != "time" && !s.usedBy(slot)
	}
	return nil
}

func (s *Scheme) compileRequire(spec Spec) error {
	for _, check := range spec.Require {
		at, err := parseSource(check.At)
		if err == nil && (at.kind == fromNumbered || at.kind == fromBody) {
			err = errors.New("it must be one value")
		}
		if err != nil {
			return fmt.Errorf("require %q: %w", clip(check.At), err)
		}
		is, err := compileTemplate(check.Is, s.scope())
		if err != nil {
			return fmt.Errorf("require %q: %w", clip(check.At), err)
		}
		s.require = append(s.require, rule{at: at, is: is})
		s.bound = s.bound || is.binds && at.kind == fromQuery && s.template.url
	}
	return nil
}

func (s *Scheme) compileClaims(spec Spec) error {
	if len(spec.Claims) > 0 && (s.jws == nil || s.jws.detached) {
		return fmt.Errorf("claims: the mac %q has none", clip(spec.MAC))
	}
	for _, check := range spec.Claims {
		is, err := compileTemplate(check.Is, s.scope())
		if err != nil || check.At == "" {
			return fmt.Errorf("claim %q: %w", clip(check.At), cmp.Or(err, errors.New("it has no name")))
		}
		name, optional := strings.CutSuffix(check.At, "?")
		s.claims = append(s.claims, rule{
			claim: name, optional: optional, is: is, unpadded: strings.HasSuffix(check.Is, "|base64url}"),
		})
		s.bound = s.bound || is.binds
	}
	return nil
}

// isNone reports whether requests are neither signed nor show a secret.
func (s *Scheme) isNone() bool {
	_, none := s.mac.(noneMAC)
	return none
}

// usedBy reports whether anything depends on a variable.
func (s *Scheme) usedBy(slot int) bool {
	uses := func(r rule) bool { return r.is.uses(slot) }
	return s.code != nil || s.template.uses(slot) || slices.ContainsFunc(s.require, uses) || slices.ContainsFunc(s.claims, uses)
}

func (s *Scheme) compileTime(spec Spec) error {
	s.unit, s.tolerance, s.lifetime = spec.Time, spec.Tolerance, spec.Lifetime
	if s.unit == "" {
		s.unit = Seconds
	}
	_, timed := s.slot("time")
	timed = timed || s.jws != nil && !s.jws.detached || s.code != nil
	switch {
	case !s.unit.valid():
		return fmt.Errorf("time unit %q is none of s, ms, rfc3339, httpdate", clip(string(spec.Time)))
	case s.tolerance < 0:
		return fmt.Errorf("tolerance %v is negative", s.tolerance)
	case s.tolerance > 0 && !timed:
		return errors.New("it has a tolerance, and reads no {time}")
	}
	return nil
}

func (s *Scheme) compileKeyURL(spec Spec) error {
	if spec.KeyURL == "" && spec.KeyHosts == "" {
		return nil
	}
	var err error
	if spec.KeyURL != "" {
		if s.keyURL, err = compileTemplate(spec.KeyURL, s.scope()); err != nil {
			return fmt.Errorf("key url %q: %w", clip(spec.KeyURL), err)
		}
	}
	if spec.KeyHosts == "" {
		return errors.New("key hosts: the hosts of a key url must be pinned")
	}
	if s.keyHosts, err = regexp.Compile("^(?:" + spec.KeyHosts + ")$"); err != nil {
		return fmt.Errorf("key hosts %q: %w", clip(spec.KeyHosts), err)
	}
	return nil
}

func (s *Scheme) compileReplies(spec Spec) error {
	s.accepted, s.refused = spec.Accepted, spec.Refused
	if spec.Handshake == "" {
		return nil
	}
	return s.compileHandshake(spec.Handshake)
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
	if spec.JSONFrom != "" {
		from, err := parseSource(spec.JSONFrom)
		if err != nil || from.kind != fromForm {
			return fmt.Errorf("json from: %q does not name a field of a form", clip(spec.JSONFrom))
		}
		s.jsonFrom = &from
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
