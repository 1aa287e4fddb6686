package hooktest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// A Tampering is a way to spoil a signed request. What comes of it, a receiver
// must refuse.
type Tampering string

// The ways to spoil a request.
const (
	TamperBody      Tampering = "body"      // a byte of the body is another than the one that was signed
	TamperSecret    Tampering = "secret"    // it is signed with another secret
	TamperTimestamp Tampering = "timestamp" // it was signed a month ago, and says now
	TamperHeader    Tampering = "header"    // the header with the signature is left out
	TamperReplay    Tampering = "replay"    // it was rightly signed a month ago
)

// ErrUntamperable is returned, wrapped, when a scheme has nothing that could be
// spoiled in the way that was asked for: no time that is signed, a signature
// that does not cover the body, or one that is not in a header.
var ErrUntamperable = errors.New("there is nothing to tamper with")

// Tamperings returns all ways to spoil a request.
func Tamperings() []Tampering {
	return []Tampering{TamperBody, TamperSecret, TamperTimestamp, TamperHeader, TamperReplay}
}

// old is how long ago requests were signed that say otherwise, or that are sent
// again: longer than any scheme tolerates.
const old = 30 * 24 * time.Hour

// Sign signs r as [signature.Scheme.Sign] does, but spoils it in the way that how
// says. It never returns a request that the scheme itself would accept at the
// time of opts: if there is none it is [ErrUntamperable], and r is as before.
//
// It knows nothing of single schemes: it tries out what the scheme refuses.
//
// [TamperReplay] needs a scheme that signs the time. Others leave replays to
// the receiver: send it the same request twice, and see that it acts once.
func (how Tampering) Sign(r *signature.Request, scheme *signature.Scheme, keys signature.Keys, opts signature.SignOptions) error {
	if opts.Time.IsZero() {
		opts.Time = time.Now()
	}
	x := tampering{unsigned: r, scheme: scheme, keys: keys, opts: opts}
	good, err := x.sign(keys, opts.Time)
	if err != nil {
		return err
	}
	var bad *signature.Request
	switch how {
	case TamperBody:
		bad = x.body(good)
	case TamperSecret:
		bad = x.secret()
	case TamperTimestamp:
		bad, err = x.timestamp(good)
	case TamperHeader:
		bad = x.header(good)
	case TamperReplay:
		bad, err = x.replay()
	default:
		return fmt.Errorf("tamper with request: %q is none of %q", string(how), Tamperings())
	}
	if err != nil {
		return err
	}
	if bad == nil {
		return fmt.Errorf("tamper with %s of request: scheme %s: %w", how, scheme.Name(), ErrUntamperable)
	}
	*r = *bad
	return nil
}

// tampering is one request that is being spoiled.
type tampering struct {
	unsigned *signature.Request
	scheme   *signature.Scheme
	keys     signature.Keys
	opts     signature.SignOptions
}

func clone(r *signature.Request) *signature.Request {
	return &signature.Request{Method: r.Method, URL: r.URL, Header: r.Header.Clone(), Body: bytes.Clone(r.Body)}
}

func (x *tampering) sign(keys signature.Keys, at time.Time) (*signature.Request, error) {
	r := clone(x.unsigned)
	opts := x.opts
	opts.Time = at
	return r, x.scheme.Sign(r, keys, opts)
}

// reason is why r would be refused, or "" if it would not.
func (x *tampering) reason(r *signature.Request) signature.Reason {
	_, err := x.scheme.Verify(r, x.keys, x.opts.Time)
	if refused, ok := errors.AsType[*signature.Error](err); ok {
		return refused.Reason
	}
	return ""
}

// refused returns the first of candidates that would be refused, and for the
// reason that is wanted if there is one; nil if none would be.
func (x *tampering) refused(want signature.Reason, candidates func(yield func(*signature.Request) bool)) *signature.Request {
	var first *signature.Request
	for r := range candidates {
		switch reason := x.reason(r); {
		case reason == want:
			return r
		case reason != "" && first == nil:
			first = r
		}
	}
	return first
}

// body changes one letter or digit, so that what is JSON still is.
func (x *tampering) body(good *signature.Request) *signature.Request {
	const tries = 2000
	isJSON := json.Valid(good.Body)
	return x.refused(signature.ReasonSignatureMismatch, func(yield func(*signature.Request) bool) {
		tried := 0
		for i, c := range slices.Backward(good.Body) {
			other := neighbour(c)
			if other == c {
				continue
			}
			bad := clone(good)
			bad.Body[i] = other
			if isJSON && !json.Valid(bad.Body) {
				continue
			}
			if tried++; tried > tries || !yield(bad) {
				return
			}
		}
		bad := clone(good)
		bad.Body = append(bad.Body, ' ')
		yield(bad)
	})
}

// neighbour is another letter or digit for one, and c itself for all else.
func neighbour(c byte) byte {
	switch {
	case '1' <= c && c <= '9': // 0 is left alone, for a number must not begin with one
		return '1' + (c-'1'+1)%9
	case 'a' <= c && c <= 'z':
		return 'a' + (c-'a'+1)%26
	case 'A' <= c && c <= 'Z':
		return 'A' + (c-'A'+1)%26
	}
	return c
}

func (x *tampering) secret() *signature.Request {
	return x.refused(signature.ReasonSignatureMismatch, func(yield func(*signature.Request) bool) {
		for _, form := range secretForms() {
			keys, err := signature.NewKeys(form())
			if err != nil || x.scheme.CheckKeys(keys) != nil {
				continue
			}
			if bad, err := x.sign(keys, x.opts.Time); err == nil && !yield(bad) {
				return
			}
		}
	})
}

// header leaves out the header with the signature, which is one of those that
// signing has set.
func (x *tampering) header(good *signature.Request) *signature.Request {
	bad := x.refused(signature.ReasonMissingSignature, func(yield func(*signature.Request) bool) {
		for _, name := range slices.Sorted(maps.Keys(good.Header)) {
			if slices.Equal(good.Header[name], x.unsigned.Header[name]) {
				continue
			}
			bad := clone(good)
			delete(bad.Header, name)
			if !yield(bad) {
				return
			}
		}
	})
	return bad
}

func (x *tampering) replay() (*signature.Request, error) {
	stale, err := x.sign(x.keys, x.opts.Time.Add(-old))
	if err != nil {
		return nil, err
	}
	if x.reason(stale) == "" {
		return nil, nil //nolint:nilnil // there is none, which the caller words
	}
	return stale, nil
}

// timestamp signs a request a month ago, and puts into it the time that a fresh
// one has. What of a request the time is shows in comparing the two.
func (x *tampering) timestamp(fresh *signature.Request) (*signature.Request, error) {
	stale, err := x.replay()
	if stale == nil || err != nil {
		return nil, err
	}
	return x.refused(signature.ReasonSignatureMismatch, func(yield func(*signature.Request) bool) {
		for _, p := range places(stale, fresh) {
			for _, text := range mixed(p.get(stale), p.get(fresh)) {
				bad := clone(stale)
				p.set(bad, text)
				if !yield(bad) {
					return
				}
			}
		}
	}), nil
}

// A place is where in a request a time can be.
type place struct {
	get func(*signature.Request) string
	set func(*signature.Request, string)
}

// places are where a and b differ, the shortest first: that is the time, and not
// the signature.
func places(a, b *signature.Request) []place {
	all := []place{
		{func(r *signature.Request) string { return r.URL }, func(r *signature.Request, s string) { r.URL = s }},
		{
			func(r *signature.Request) string { return string(r.Body) },
			func(r *signature.Request, s string) { r.Body = []byte(s) },
		},
	}
	for name := range a.Header {
		all = append(all, place{
			func(r *signature.Request) string { return http.Header.Get(r.Header, name) },
			func(r *signature.Request, s string) { r.Header.Set(name, s) },
		})
	}
	all = slices.DeleteFunc(all, func(p place) bool { return p.get(a) == p.get(b) })
	slices.SortFunc(all, func(p, q place) int {
		if n := len(p.get(a)) - len(q.get(a)); n != 0 {
			return n
		}
		return strings.Compare(p.get(a), q.get(a))
	})
	return all
}

// mixed are the texts that are a, but for one word that is b's, the shortest word
// first. What a word is depends on what separates words: first little, then
// more.
func mixed(a, b string) []string {
	var all []string
	for _, separators := range []string{",;= \"{}&?", ",;= \"{}&?:.-|"} {
		as, bs := words(a, separators), words(b, separators)
		if len(as) != len(bs) {
			continue
		}
		var differ []int
		for i := range as {
			if as[i] != bs[i] {
				differ = append(differ, i)
			}
		}
		slices.SortStableFunc(differ, func(i, j int) int { return len(bs[i]) - len(bs[j]) })
		for _, i := range differ {
			all = append(all, strings.Join(slices.Concat(as[:i], bs[i:i+1], as[i+1:]), ""))
		}
	}
	return all
}

// words takes text apart behind each of the separators.
func words(text, separators string) []string {
	var all []string
	for text != "" {
		end := strings.IndexAny(text, separators) + 1
		if end == 0 {
			end = len(text)
		}
		all = append(all, text[:end])
		text = text[end:]
	}
	return all
}
