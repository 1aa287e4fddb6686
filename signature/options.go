package signature

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// A Fetcher gets the certificates and key sets that some providers sign with,
// from URLs that a scheme allows: https, and a host that its row pins. It must
// bound its time and the size of what it returns, and should keep what it got.
// It is called by many goroutines.
type Fetcher interface {
	// Fetch returns the body of a GET of url. An error means that it cannot be
	// had now.
	Fetch(url string) ([]byte, error)
}

// A Setting is a value that belongs to the receiver's account with a provider,
// and that its scheme needs besides secrets, such as the id of the webhook.
type Setting struct {
	Name     string // as in {cfg:NAME}
	About    string // what it is, for people
	Secret   bool   // must not be shown
	Optional bool
}

// Options adapt a scheme to one receiver.
type Options struct {
	// Settings are values for what [Scheme.Settings] lists.
	Settings map[string]string
	// Tolerance replaces that of the scheme. Zero keeps it, and less than zero
	// does not look at the time.
	Tolerance time.Duration
	// Fetcher gets keys by URL. Without it, only keys that the receiver has are
	// used.
	Fetcher Fetcher
}

// Settings returns what a receiver must or may set with [Scheme.With].
func (s *Scheme) Settings() []Setting {
	if s == nil {
		return nil
	}
	return slices.Clone(s.settings)
}

// With returns the scheme with opts. Settings that the scheme does not know are an
// error, and so is a tolerance for a scheme that signs no time. What it needs and
// does not get, it refuses requests for: [ReasonNoSetting].
func (s *Scheme) With(opts Options) (*Scheme, error) {
	if s == nil || s.mac == nil {
		return nil, errors.New("adapt scheme: it was not made by this package")
	}
	adapted := *s
	adapted.values = maps.Clone(s.values)
	for _, name := range slices.Sorted(maps.Keys(opts.Settings)) {
		if !slices.ContainsFunc(s.settings, func(known Setting) bool { return known.Name == name }) {
			return nil, fmt.Errorf("adapt scheme %s: it has no setting %q", s.name, clip(name))
		}
		if adapted.values == nil {
			adapted.values = make(map[string]string)
		}
		adapted.values[name] = opts.Settings[name]
	}
	if opts.Tolerance != 0 && !s.timed() {
		return nil, fmt.Errorf("adapt scheme %s: it signs no time, so there can be no tolerance", s.name)
	}
	if opts.Tolerance != 0 {
		adapted.tolerance = max(opts.Tolerance, 0)
	}
	adapted.fetcher = cmp.Or(opts.Fetcher, s.fetcher)
	adapted.accepted = s.accepted.withSettings(adapted.values)
	return &adapted, nil
}

// timed reports whether requests say when they were signed.
func (s *Scheme) timed() bool {
	_, timed := s.slot("time")
	return timed || s.jws != nil && !s.jws.detached || s.code != nil && s.code.timed
}

// Tolerance returns how far the time of a request may be from now, in both
// directions. Zero does not look at it.
func (s *Scheme) Tolerance() time.Duration { return s.tolerance }

// SignsURL reports whether the URL of a request is signed. A receiver behind a
// proxy must then know the URL that the sender used.
func (s *Scheme) SignsURL() bool {
	return s.template.url || s.code != nil && s.code.url ||
		slices.ContainsFunc(s.claims, func(r rule) bool { return r.is.url })
}

// BodyBound reports whether signatures cover the body, as [Result.BodyBound] says
// of a request.
func (s *Scheme) BodyBound() bool { return s.bound }

// Algorithm returns how requests are signed, as [Spec.MAC] writes it.
func (s *Scheme) Algorithm() string { return s.algorithm }

// Keyless reports whether the receiver needs no secret: because the provider says
// where its public key is, or because there is nothing to check but settings.
// With keys, only these are taken.
func (s *Scheme) Keyless() bool { return s.fetchesKeys() || s.isNone() }

// Public reports whether the keys of a receiver are public keys, so that requests
// can only be signed with the private key that belongs to one.
func (s *Scheme) Public() bool {
	if s.jws != nil {
		return !slices.ContainsFunc(s.jws.algorithms, func(a jwsAlgorithm) bool { return a.hmac != nil })
	}
	_, public := s.mac.(*publicMAC)
	return public || s.code != nil && s.code.public
}

// Bearer reports whether a request shows the secret itself instead of a
// signature, so that it must not be kept with the request.
func (s *Scheme) Bearer() bool {
	_, token := s.mac.(tokenMAC)
	return token
}

// A Reply is how a provider wants to be answered.
type Reply struct {
	Status int         // 0 leaves it to the caller
	Header http.Header // such as Content-Type
	Body   []byte
	// Confirm is a URL to GET once the reply is sent. The scheme has checked its
	// host.
	Confirm string
	// Secret is a secret that came with the request, which the receiver must keep
	// as the key of what follows. It must not be logged.
	Secret string
}

// Accepted returns how the provider wants an accepted event to be answered. With
// a Status of 0, any 2xx and any body will do.
func (s *Scheme) Accepted() Reply { return s.accepted.clone() }

// Refused returns how the provider wants a request to be answered that does not
// verify. A Status of 0 is 401.
func (s *Scheme) Refused() Reply { return s.refused.clone() }

func (r Reply) clone() Reply {
	r.Header, r.Body = r.Header.Clone(), slices.Clone(r.Body)
	return r
}

// withSettings fills in the headers that are {cfg:NAME}.
func (r Reply) withSettings(values map[string]string) Reply {
	r = r.clone()
	for name, value := range values {
		for _, header := range r.Header {
			for i := range header {
				if header[i] == "{cfg:"+name+"}" {
					header[i] = value
				}
			}
		}
	}
	return r
}

// text returns a reply of plain text.
func textReply(status int, body string) Reply {
	return typedReply(status, "text/plain; charset=utf-8", body)
}

// typedReply returns a reply that no browser takes for anything else.
func typedReply(status int, contentType, body string) Reply {
	return Reply{
		Status: status, Body: []byte(body),
		Header: http.Header{"Content-Type": {contentType}, "X-Content-Type-Options": {"nosniff"}},
	}
}

// empty is an answer without a body, for providers that show what they get.
func empty() Reply { return Reply{Status: http.StatusOK, Header: http.Header{}} }

// twiML is an answer that has Twilio do nothing.
func twiML() Reply { return typedReply(http.StatusOK, "text/xml", "<Response></Response>") }
