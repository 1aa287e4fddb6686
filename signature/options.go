package signature

import (
	"fmt"
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

// With returns the scheme with opts. It is an error to set what the scheme does
// not know, and to leave out what it needs.
func (s *Scheme) With(opts Options) (*Scheme, error) {
	if s == nil {
		return nil, fmt.Errorf("signature scheme: it was not made by this package")
	}
	adapted := *s
	return &adapted, nil
}

// SignsURL reports whether the URL of a request is signed. A receiver behind a
// proxy must then know the URL that the sender used.
func (s *Scheme) SignsURL() bool { return false }

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
func (s *Scheme) Accepted() Reply { return Reply{} }

// Refused returns how the provider wants a request to be answered that does not
// verify. A Status of 0 is 401.
func (s *Scheme) Refused() Reply { return Reply{} }

// Handshake answers r if it is one of the requests by which the provider makes
// sure that the receiver wants its events. If ok, r must be answered with reply,
// also with an error, which is an [*Error] and says why the handshake is
// refused. If not ok, r is an event to be verified.
func (s *Scheme) Handshake(r *Request, keys Keys, now time.Time) (reply Reply, ok bool, err error) {
	return Reply{}, false, nil
}
