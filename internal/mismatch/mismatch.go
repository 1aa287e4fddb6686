package mismatch

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// A Case is a request that does not verify, and all that is known of how it was
// to be verified.
type Case struct {
	Scheme   *signature.Scheme // with its settings
	Settings map[string]string // for other schemes that need them
	Request  *signature.Request
	Secrets  []string
	Now      time.Time
	Rest     []byte     // what followed the body, if its length was not that which was announced
	Others   []Receiver // whose secret may have been meant
}

// A Receiver is another place that the request may have been for.
type Receiver struct {
	Name    string
	Scheme  *signature.Scheme
	Secrets []string
}

// A Cause is a change that makes the request verify.
type Cause struct {
	Name string // of a closed list, such as "body_newline"
	With string // what was changed, to follow "it verifies"
	Do   string // what to do about it, as a sentence

	Result signature.Result
	Scheme string           // the scheme it verifies with
	Time   *signature.Error // what is wrong with its time besides, or nil
}

// A Report is what came of trying.
type Report struct {
	Causes []Cause // the likeliest first; none if nothing helps
	Doubts []string
	Tried  int
	Cut    bool // the context ended before all was tried
}

// maxCauses bounds the causes of a report. More than a few say the same in other
// words. Of a large body, whose tries take long, one is enough.
const (
	maxCauses = 4
	largeBody = 1 << 20
)

// A change is a case in which one thing is otherwise. What is nil is as it was.
type change struct {
	with, do string

	scheme  *signature.Scheme
	request *signature.Request
	secrets []string
}

// A hypothesis is something that may have gone wrong, and the changes that undo
// it.
type hypothesis struct {
	name    string
	changes func(*Case) iter.Seq[change]
}

// hypotheses lists them, in the order in which they are tried: what is frequent
// and cheap comes first.
func hypotheses() []hypothesis {
	return []hypothesis{
		{"body_newline", bodyNewlines},
		{"secret", secretChanges},
		{"other_source", otherSources},
		{"header_sha1", oldGitHubHeader},
		{"header_repeated", repeatedHeaders},
		{"header_renamed", renamedHeaders},
		{"header_value", headerValues},
		{"timestamp_unit", timestampUnits},
		{"method", methodChanges},
		{"other_provider", otherProviders},
		{"url", urlChanges},
		{"body_cut", cutBodies},
		{"body_encoding", encodedBodies},
		{"body_form", formBodies},
		{"body_rewritten", rewrittenBodies},
	}
}

// Explain tries what may have happened to the request of c until ctx ends.
func Explain(ctx context.Context, c Case) Report {
	t := newTrial(ctx, &c)
	if result, ok := t.passes(&c, change{}); ok {
		t.report.Causes = append(t.report.Causes, timeCause(&c, result))
		return t.report
	}
	if cause, ok := tokenTime(&c); ok {
		t.report.Causes = append(t.report.Causes, cause)
		return t.report
	}
	t.try(hypotheses(), &c, nil)
	if len(t.report.Causes) == 0 {
		t.tryAfter(&c)
	}
	t.report.Cut = ctx.Err() != nil
	if len(t.report.Causes) == 0 {
		t.report.Doubts = doubts(&c)
	}
	return t.report
}

// A trial is the trying of one case.
type trial struct {
	ctx     context.Context //nolint:containedctx // a trial lives no longer than the call it belongs to
	report  Report
	control signature.Keys // the secret of nobody
	lenient map[*signature.Scheme]*signature.Scheme
	seed    maphash.Seed
	seen    map[uint64]bool // requests that were tried with the secrets as they are
}

func newTrial(ctx context.Context, c *Case) *trial {
	t := &trial{
		ctx: ctx, lenient: map[*signature.Scheme]*signature.Scheme{}, seed: maphash.MakeSeed(), seen: map[uint64]bool{},
	}
	t.control = nobodys()
	t.seen[t.fingerprint(c.Request)] = true
	return t
}

// nobodys returns secrets that nobody signs with, in the forms that schemes want:
// text, hex and base64 of 32 bytes, Standard Webhooks' own.
func nobodys() signature.Keys {
	return keysOf(
		"the secret of nobody", "746865207365637265742074686174206e6f626f6479206973207369676e2121",
		"dGhlIHNlY3JldCB0aGF0IG5vYm9keSBpcyBzaWduISE=", "whsec_dGhlIHNlY3JldCB0aGF0IG5vYm9keSBpcyBzaWduISE=",
	)
}

func keysOf(secrets ...string) signature.Keys {
	keys, err := signature.NewKeys(secrets...)
	if err != nil {
		return signature.Keys{} // what is no secret verifies nothing
	}
	return keys
}

// try tries the changes of each hypothesis. If after is given, they come on top
// of it.
func (t *trial) try(list []hypothesis, c *Case, after *Cause) {
	for _, h := range list {
		for ch := range h.changes(c) {
			found := len(t.report.Causes)
			if t.ctx.Err() != nil || found >= maxCauses || found > 0 && len(c.Request.Body) > largeBody {
				return
			}
			if ch.scheme == nil && ch.secrets == nil && !t.isNew(ch.request) {
				continue
			}
			t.report.Tried++
			result, ok := t.passes(c, ch)
			if !ok {
				continue
			}
			t.report.Causes = append(t.report.Causes, t.cause(c, h.name, ch, result, after))
			break // other changes of the kind say the same in other words
		}
	}
}

// tryAfter tries everything but the body again, after what keeping a request in
// a file may have done to its body.
func (t *trial) tryAfter(c *Case) {
	others := slices.DeleteFunc(hypotheses(), func(h hypothesis) bool { return strings.HasPrefix(h.name, "body_") })
	for ch := range bodyNewlines(c) {
		changed := *c
		changed.Request = ch.request
		t.try(others, &changed, &Cause{Name: "body_newline", With: ch.with, Do: ch.do})
		if len(t.report.Causes) > 0 {
			return
		}
	}
}

// passes reports whether a change makes the request verify, at whatever time it
// was signed.
func (t *trial) passes(c *Case, ch change) (signature.Result, bool) {
	scheme, r, secrets := ch.of(c)
	scheme = t.withoutTolerance(scheme)
	result, err := scheme.Verify(r, keysOf(secrets...), c.Now)
	if err != nil {
		return result, false
	}
	_, err = scheme.Verify(r, t.control, c.Now)
	return result, err != nil
}

// of returns what is verified.
func (ch change) of(c *Case) (scheme *signature.Scheme, r *signature.Request, secrets []string) {
	scheme, r, secrets = c.Scheme, c.Request, c.Secrets
	if ch.scheme != nil {
		scheme = ch.scheme
	}
	if ch.request != nil {
		r = ch.request
	}
	if ch.secrets != nil {
		secrets = ch.secrets
	}
	return scheme, r, secrets
}

// withoutTolerance returns the scheme that does not look at the time.
func (t *trial) withoutTolerance(s *signature.Scheme) *signature.Scheme {
	lenient, ok := t.lenient[s]
	if !ok {
		lenient = timeless(s)
		t.lenient[s] = lenient
	}
	return lenient
}

// timeless returns s without its tolerance. A scheme that signs no time has none.
func timeless(s *signature.Scheme) *signature.Scheme {
	lenient, err := s.With(signature.Options{Tolerance: -1})
	if err != nil {
		return s
	}
	return lenient
}

// cause describes a change that made the request verify.
func (t *trial) cause(c *Case, name string, ch change, result signature.Result, after *Cause) Cause {
	scheme, r, secrets := ch.of(c)
	cause := Cause{Name: name, With: ch.with, Do: ch.do, Result: result, Scheme: scheme.Name()}
	if after != nil {
		cause.Name = after.Name + "+" + name
		cause.With = after.With + ", and " + ch.with
		cause.Do = after.Do + " " + ch.do
	}
	if _, err := scheme.Verify(r, keysOf(secrets...), c.Now); err != nil {
		errors.As(err, &cause.Time)
	}
	return cause
}

// isNew reports whether a request has not been tried.
func (t *trial) isNew(r *signature.Request) bool {
	if r == nil {
		return false
	}
	sum := t.fingerprint(r)
	if t.seen[sum] {
		return false
	}
	t.seen[sum] = true
	return true
}

func (t *trial) fingerprint(r *signature.Request) uint64 {
	sum := maphash.Bytes(t.seed, r.Body) ^ maphash.String(t.seed, r.Method+" "+r.URL)
	for name, values := range r.Header {
		for i, value := range values {
			sum ^= maphash.String(t.seed, name+":"+string(rune(i))+value)
		}
	}
	return sum
}

// withBody returns r with another body.
func withBody(r *signature.Request, body []byte) *signature.Request {
	changed := *r
	changed.Body = body
	return &changed
}

// withHeader returns r with another header, which may be changed.
func withHeader(r *signature.Request, edit func(http.Header)) *signature.Request {
	changed := *r
	if changed.Header = maps.Clone(r.Header); changed.Header == nil {
		changed.Header = http.Header{}
	}
	edit(changed.Header)
	return &changed
}

// withURL returns r with another URL.
func withURL(r *signature.Request, url string) *signature.Request {
	changed := *r
	changed.URL = url
	return &changed
}

// suffixed returns body with more at its end, in memory of its own.
func suffixed(body []byte, more string) []byte {
	return append(bytes.Clone(body), more...)
}
