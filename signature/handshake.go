package signature

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A handshake is a request by which a provider makes sure that a receiver wants
// its events, and its answer, as data.
type handshake struct {
	name     string
	methods  []string
	when     []Check   // how it is told from an event; "*" is any value
	signed   bool      // it is signed as events are
	harmless bool      // a receiver without keys answers all the same: nothing follows from it
	check    []Check   // what must hold besides, or it is refused
	optional bool      // check only what the receiver has set
	settings []Setting // that check and the answer need
	refused  int       // the status of a refusal; 0 is 401

	challenge string    // where the text is that the answer depends on
	allowed   challenge // which texts are answered
	sum       sum       // what is computed from it
	over      string    // the template that sum is over; the challenge by default

	status int               // of the answer; 0 is 200
	kind   string            // its Content-Type; plain text by default
	body   string            // template, with {challenge} and {sum}
	header map[string]string // templates; one that cannot be rendered is left out
	secret bool              // the challenge is the secret of what follows
	// confirm is where the URL is that must be fetched.
	confirm string
}

// A sum is what an answer proves that the receiver has.
type sum int

const (
	sumNothing sum = iota
	sumMAC         // the MAC of the scheme, with its first key
	sumHash        // SHA-256, in hexadecimal; what it is over holds the secret
)

// A challenge says which texts a handshake takes. Where the answer is a MAC with
// the key of the events, they must not be able to be an event.
type challenge int

const (
	anyText  challenge = iota // without control characters; it is only sent back
	anyToken                  // up to 256 of the characters of a token
	anyUUID                   // up to 64 hexadecimal digits, letters and hyphens
	anyHex                    // 20 to 32 lower-case hexadecimal digits
)

// takes reports whether text is a challenge of this kind.
func (c challenge) takes(text string) bool {
	const longestText, longestToken, longestUUID, shortestHex, longestHex = 2048, 256, 64, 20, 32
	every := func(longest int, characters string) bool {
		return len(text) <= longest && strings.IndexFunc(text, func(r rune) bool {
			return r > '~' || !isAlphanumeric(byte(r)) && !strings.ContainsRune(characters, r)
		}) < 0
	}
	switch c {
	case anyToken:
		return every(longestToken, "._~+/=-")
	case anyUUID:
		return every(longestUUID, "-")
	case anyHex:
		return len(text) >= shortestHex && len(text) <= longestHex && strings.Trim(text, "0123456789abcdef") == ""
	case anyText:
	}
	return len(text) <= longestText && utf8.ValidString(text) && strings.IndexFunc(text, unicode.IsControl) < 0
}

// couldHaveSigned reports whether m is a message that the handshake has receivers
// sign for anyone who asks.
func (h *handshake) couldHaveSigned(m message) bool {
	if h.sum != sumMAC || h.signed || len(m.head)+len(m.body)+len(m.tail) > maxID {
		return false
	}
	text := string(m.bytes())
	return text != "" && h.allowed.takes(text)
}

// Handshakes returns the names that [Spec.Handshake] may have.
func Handshakes() []string {
	var names []string
	for _, h := range handshakes() {
		if !slices.Contains(names, h.name) {
			names = append(names, h.name)
		}
	}
	return names
}

// A shake is a handshake that is ready for one scheme.
type shake struct {
	handshake

	conditions, checks []rule
	from, confirmURL   source
	sumOver, answer    *template
	headers            map[string]*template
}

// The variables of a handshake's templates.
const (
	slotChallenge = iota
	slotSum
	handshakeSlots
)

// compileHandshake compiles the handshakes of a name. Settings that they name
// become settings of s.
func (s *Scheme) compileHandshake(name string) error {
	in := s.scope()
	in.slot = func(variable string) (int, bool) {
		i := slices.Index([]string{"challenge", "sum"}, variable)
		return i, i >= 0
	}
	for _, h := range handshakes() {
		if h.name != name {
			continue
		}
		s.settings = append(s.settings, h.settings...)
		compiled, err := h.compile(in)
		if err != nil {
			return fmt.Errorf("handshake %q: %w", name, err)
		}
		s.handshakes = append(s.handshakes, compiled)
	}
	if s.handshakes == nil {
		return fmt.Errorf("there is no handshake %q", clip(name))
	}
	return nil
}

func (h *handshake) compile(in scope) (shake, error) {
	c := shake{handshake: *h, headers: make(map[string]*template)}
	var problems []error
	text := func(text string) *template {
		if text == "" {
			return &template{}
		}
		t, err := compileTemplate(text, in)
		problems = append(problems, err)
		return t
	}
	rules := func(checks []Check) []rule {
		all := make([]rule, len(checks))
		for i, check := range checks {
			at, err := parseSource(check.At)
			problems = append(problems, err)
			all[i] = rule{at: at, is: text(check.Is)}
		}
		return all
	}
	place := func(text string) source {
		s, err := parseSelector(text)
		problems = append(problems, err)
		return s
	}
	c.conditions, c.checks = rules(h.when), rules(h.check)
	c.from, c.confirmURL = place(h.challenge), place(h.confirm)
	c.sumOver, c.answer = text(cmp.Or(h.over, "{challenge}")), text(h.body)
	for name, value := range h.header {
		c.headers[http.CanonicalHeaderKey(name)] = text(value)
	}
	return c, errors.Join(problems...)
}

// Handshake answers r if it is one of the requests by which the provider makes
// sure that the receiver wants its events. If ok, r must be answered with reply,
// also with an error, which is an [*Error] and says why the handshake is
// refused. If not ok, r is an event to be verified.
func (s *Scheme) Handshake(r *Request, keys Keys, now time.Time) (reply Reply, ok bool, err error) {
	if s == nil || s.mac == nil {
		return Reply{Status: http.StatusUnauthorized}, true, refuse(ReasonNoScheme, "the scheme was not made by this package")
	}
	for i := range s.handshakes {
		h := &s.handshakes[i]
		in := reading{
			view: view{Request: r, jsonFrom: s.jsonFrom}, scheme: s, variables: make([]string, handshakeSlots),
		}
		if !in.isHandshake(h) {
			continue
		}
		reply, refusal := in.shake(h, keys, now)
		switch {
		case refusal == nil:
			return reply, true, nil
		case refusal.Reason == ReasonNoKey:
			reply = Reply{Status: http.StatusUnauthorized}
		case refusal == errNoChallenge:
			reply = Reply{Status: http.StatusBadRequest}
		default:
			reply = Reply{Status: cmp.Or(h.refused, http.StatusUnauthorized)}
		}
		return reply, true, refusal
	}
	return Reply{}, false, nil
}

// HasHandshake reports whether the provider sends requests that are not events,
// which [Scheme.Handshake] answers.
func (s *Scheme) HasHandshake() bool { return s != nil && len(s.handshakes) > 0 }

// HandshakeMethods returns the methods, besides POST, of the requests that
// [Scheme.Handshake] answers.
func (s *Scheme) HandshakeMethods() []string {
	var methods []string
	for i := range s.handshakes {
		for _, method := range s.handshakes[i].methods {
			if method != http.MethodPost && !slices.Contains(methods, method) {
				methods = append(methods, method)
			}
		}
	}
	return methods
}

// isHandshake reports whether the request is the handshake h.
func (in *reading) isHandshake(h *shake) bool {
	if !slices.Contains(h.methods, in.Method) {
		return false
	}
	for i := range h.conditions {
		value, err := in.value(&h.conditions[i].at)
		if err != nil {
			return false
		}
		want, refusal := h.conditions[i].is.render(in)
		if refusal != nil || want != anything && value != want || want == anything && !in.present(&h.conditions[i].at, value) {
			return false
		}
	}
	return true
}

// present reports whether a value is there. A query parameter is there also
// without a value.
func (in *reading) present(at *source, value string) bool {
	return value != "" || at.kind == fromQuery && in.parameters().Has(at.name)
}

// What a condition can be besides a value.
const (
	anything = "*"
	nothing  = ""
)

var errNoChallenge = refuse(ReasonHandshake, "the challenge is empty, too long, or has characters that no challenge of this provider has")

// shake makes the answer to the handshake h.
func (in *reading) shake(h *shake, keys Keys, now time.Time) (Reply, *Error) {
	var reply Reply
	verify := h.signed && !(h.harmless && keys.Len() == 0 && in.scheme.fetcher == nil)
	if verify {
		if _, err := in.scheme.Verify(in.Request, keys, now); err != nil {
			return reply, asError(err)
		}
	}
	if err := in.checkHandshake(h); err != nil {
		return reply, err
	}
	challenge, err := in.value(&h.from)
	if err != nil || h.from.kind != fromNowhere && challenge == "" || !h.allowed.takes(challenge) {
		return reply, errNoChallenge
	}
	in.variables[slotChallenge] = challenge
	if err := in.computeSum(h, keys); err != nil {
		return reply, err
	}
	reply, refusal := in.answer(h)
	if h.secret {
		reply.Secret = challenge
	}
	if refusal == nil && verify && h.confirm != "" {
		reply.Confirm, refusal = in.confirmURL(h)
	}
	return reply, refusal
}

// answer renders the answer to h.
func (in *reading) answer(h *shake) (Reply, *Error) {
	body, refusal := h.answer.render(in)
	if refusal != nil {
		return Reply{}, refusal
	}
	reply := typedReply(cmp.Or(h.status, http.StatusOK), cmp.Or(h.kind, "text/plain; charset=utf-8"), body)
	if reply.Status == http.StatusNoContent {
		reply.Header, reply.Body = http.Header{}, nil
	}
	for name, value := range h.headers {
		text, err := value.render(in)
		if err == nil && anyText.takes(text) {
			reply.Header.Set(name, text)
		}
	}
	return reply, nil
}

// checkHandshake checks what must hold besides the signature, in constant time,
// as it is often a secret.
func (in *reading) checkHandshake(h *shake) *Error {
	for i := range h.checks {
		r := &h.checks[i]
		value, err := in.value(&r.at)
		want, refusal := r.is.render(in)
		if refusal != nil && refusal.Reason == ReasonNoSetting && h.optional {
			continue
		}
		if refusal != nil {
			return refusal
		}
		if err != nil || subtle.ConstantTimeCompare([]byte(value), []byte(want)) != 1 {
			return refuse(ReasonHandshake, "%s is not what this receiver is set to", &r.at)
		}
	}
	return nil
}

func (in *reading) computeSum(h *shake, keys Keys) *Error {
	if h.sum == sumNothing {
		return nil
	}
	m, err := h.sumOver.message(in, nil)
	if err != nil {
		return err
	}
	if h.sum == sumHash {
		digest := sha256.Sum256(m.bytes())
		in.variables[slotSum] = hex.EncodeToString(digest[:])
		return nil
	}
	prepared := keys.prepare(in.scheme)
	if prepared.usable == 0 || prepared.keys[0] == nil {
		return refuse(ReasonNoKey, "no key can be used: %v", prepared.err)
	}
	sig, signErr := prepared.keys[0].sign(m)
	if signErr != nil {
		return refuse(ReasonNoKey, "%v", signErr)
	}
	in.variables[slotSum] = in.scheme.mac.encode(sig)
	return nil
}

// confirmURL returns the URL that confirms the handshake, if it is on a host
// that the scheme allows.
func (in *reading) confirmURL(h *shake) (string, *Error) {
	rawURL, err := in.value(&h.confirmURL)
	if err != nil || !in.scheme.allowsURL(rawURL) {
		return "", refuse(ReasonHandshake, "the subscription is to be confirmed at %q, which is not the provider's", clip(rawURL))
	}
	return rawURL, nil
}

func asError(err error) *Error {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal
	}
	return refuse(ReasonNoScheme, "%v", err) // Verify returns nothing else
}
