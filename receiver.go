package tenterhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// Defaults of [ReceiverOptions].
const (
	DefaultMaxBody  = 25 << 20  // bytes of one body: what GitHub may send
	DefaultInFlight = 256 << 20 // bytes of bodies in memory at one time
)

// What [Rejection.Reason] is for a request that a [Receiver] refuses for another
// reason than its signature. The others are those of [signature.Reasons].
const (
	ReasonMethod   = "method_not_allowed"       // 405: it is no POST
	ReasonTooLarge = "body_too_large"           // 413: the body has more bytes than MaxBody
	ReasonCutOff   = "body_truncated"           // 400: the body ended before its end
	ReasonConsumed = "body_consumed"            // 500: a handler before the Receiver has read the body
	ReasonBusy     = "too_many_bytes_in_flight" // 503: there is no room for the body in memory
	ReasonFailed   = "function_failed"          // 503: the function returned an error
	ReasonConfirm  = "confirmation_failed"      // 503: KeepSecret or Confirm returned an error
	ReasonSecret   = "secret_refused"           // 401: a secret came in a handshake, and none is wanted
)

// retryAfter is what senders are asked to wait, in seconds, when it is us who
// could not take a request. Few obey it; those that do should not wait long.
const retryAfter = "5"

// A Receiver is an [http.Handler] that takes the webhooks of one provider. See
// [NewReceiver].
type Receiver struct {
	scheme   *signature.Scheme
	keys     atomic.Pointer[signature.Keys]
	take     func(context.Context, *Event) error
	source   string
	address  *url.URL // as the sender knows us; nil takes what the request says
	maxBody  int64
	inFlight budget
	rejected func(context.Context, Rejection)
	keep     func(context.Context, string) error // nil refuses secrets that come in handshakes
	keeping  sync.Mutex                          // held from before a secret is kept until it is used
	confirm  func(context.Context, string) error
	now      func() time.Time
	ids      *IDs
}

// ReceiverOptions are what a [Receiver] can be told besides what it must be
// told. Zero values are the defaults.
type ReceiverOptions struct {
	// Source is the [Event.Source] of every event. The default is the name of the
	// scheme.
	Source string
	// URL is the address that the provider posts to, as the provider knows it:
	// https://hooks.example.com/twilio. It is needed for schemes that sign the
	// URL, if what is in front of the program changes it, as proxies do. Scheme,
	// host and path are taken from here, the query from the request. Without it
	// all are taken from the request; X-Forwarded headers are not looked at.
	URL string
	// MaxBody bounds the bytes of a body; a larger one is answered with 413. The
	// default is [DefaultMaxBody].
	MaxBody int64
	// InFlight bounds the bytes of all bodies that are in memory at one time, for
	// they are read before anybody knows who sent them. Beyond it requests are
	// answered with 503. The default is [DefaultInFlight].
	InFlight int64
	// Rejected is called for each request that is refused, before it is answered,
	// with the reason, which the sender is not told. It must be quick, and safe
	// for concurrent use. The default writes up to ten lines a second to
	// [slog.Default].
	Rejected func(context.Context, Rejection)
	// KeepSecret is for the providers that choose the secret themselves and send it
	// in a handshake, such as Asana and Notion. It is called with that secret, has
	// to put it where NewReceiver finds it at the next start, and must not log it.
	// Once it returned nil, requests are verified with the secret. It is called
	// only while there are no keys, so that nobody can replace one; a Receiver that
	// has this may be made without keys. Without it such handshakes are refused.
	KeepSecret func(ctx context.Context, secret string) error
	// Confirm has to GET a URL that a provider sent in a handshake, as Amazon SNS
	// does; the scheme has verified the request and checked the host. On an error
	// the provider is told 503, and to try again. The default does it with a
	// time-out of ten seconds and without following redirects.
	Confirm func(ctx context.Context, url string) error
	// Now is the clock. The default is [time.Now].
	Now func() time.Time
}

// NewReceiver returns an [http.Handler] that verifies that requests were signed
// according to scheme with one of keys, and calls take with each that was.
//
// When take returns nil, the sender is told 200 and will not send the event
// again. So return nil once what matters is on stable storage, and not before:
// an event that waits in a channel or in a goroutine is lost with the process.
// When take returns an error, the sender is told 503 and, if it is one that
// does so, sends the event again later; the error goes to
// [ReceiverOptions.Rejected]. When take panics, nothing is answered: the panic
// goes on to package net/http, which logs it and cuts the connection. For an
// event that can never be handled return nil, as it would come back for days.
//
// The context is the request's. It is cancelled when the sender hangs up, which
// many do after 3 to 10 seconds.
//
// Senders send events again, by design and when an answer was lost, and some
// providers' requests can be sent again by whoever saw them. A Receiver keeps
// nothing and cannot tell. Do what take does once per [Event.DeliveryID]: keep
// the ids, with a unique index, in the transaction that keeps what came of them.
//
// take gets what was verified, byte for byte; do not take the body from
// elsewhere. It may keep the event. It is called by many goroutines. Receivers
// start none: when ServeHTTP returns, all is done.
//
// The handshakes by which some providers make sure that somebody wants their
// events are answered without take. Some of them are GET, HEAD or OPTIONS
// requests, so mount a Receiver for all methods: it answers 405 to those that it
// does not want.
//
// It is an error if scheme or take is nil, if there is no key, and if a key does
// not have the form that the scheme wants: a Receiver never accepts what is not
// signed. Only schemes that are [signature.Scheme.Keyless] need no key. Schemes
// that have [signature.Scheme.Settings] are to be given them, by
// [signature.Scheme.With], before.
func NewReceiver(
	scheme *signature.Scheme, keys signature.Keys, take func(context.Context, *Event) error, opts *ReceiverOptions,
) (*Receiver, error) {
	if opts == nil {
		opts = &ReceiverOptions{}
	}
	switch {
	case scheme == nil:
		return nil, errors.New("make receiver: there is no scheme; signature.Lookup finds one by name")
	case take == nil:
		return nil, errors.New("make receiver: there is no function to call with events")
	case opts.MaxBody < 0 || opts.InFlight < 0:
		return nil, errors.New("make receiver: MaxBody and InFlight must not be negative")
	}
	address, err := parseAddress(opts.URL)
	if err != nil {
		return nil, fmt.Errorf("make receiver: %w", err)
	}
	r := &Receiver{
		scheme: scheme, take: take, address: address, source: opts.Source,
		maxBody: opts.MaxBody, inFlight: budget{limit: opts.InFlight}, rejected: opts.Rejected,
		keep: opts.KeepSecret, confirm: opts.Confirm, now: opts.Now,
	}
	r.keys.Store(&keys)
	if keys.Len() > 0 || r.keep == nil && !scheme.Keyless() {
		if err := r.SetKeys(keys); err != nil {
			return nil, fmt.Errorf("make receiver: %w", err)
		}
	}
	r.withDefaults()
	return r, nil
}

func (r *Receiver) withDefaults() {
	if r.source == "" {
		r.source = r.scheme.Name()
	}
	if r.maxBody == 0 {
		r.maxBody = DefaultMaxBody
	}
	if r.inFlight.limit == 0 {
		r.inFlight.limit = DefaultInFlight
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.rejected == nil {
		r.rejected = (&rejectionLog{now: r.now}).write
	}
	if r.confirm == nil {
		r.confirm = get
	}
	r.ids = NewIDs(r.now)
}

func parseAddress(text string) (*url.URL, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // there is none, which is no error
	}
	address, err := url.Parse(text)
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		return nil, errors.New("URL is not a whole one, such as https://hooks.example.com/twilio")
	}
	return address, nil
}

// SetKeys has the requests that come from now on verified with keys: a secret
// can be changed while the Receiver runs. Keys that do not suit the scheme are
// refused, and the ones before stay.
func (r *Receiver) SetKeys(keys signature.Keys) error {
	if err := r.scheme.CheckKeys(keys); err != nil {
		return err
	}
	r.keys.Store(&keys)
	return nil
}

// ServeHTTP implements [http.Handler].
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	at := r.now()
	held := r.inFlight.hold()
	defer held.release() // also when take panics
	body, err := readBody(w, req, r.maxBody, held)
	if err != nil {
		r.refuse(w, req, body, unreadable(err))
		return
	}
	keys, signed := *r.keys.Load(), &signature.Request{Method: req.Method, URL: r.url(req), Header: req.Header, Body: body}
	if reply, ok, err := r.scheme.Handshake(signed, keys, at); ok {
		r.shake(w, req, body, reply, err)
		return
	}
	if req.Method != http.MethodPost {
		allowed := append([]string{http.MethodPost}, r.scheme.HandshakeMethods()...)
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		detail := "it is " + strconv.Quote(req.Method)
		r.refuse(w, req, body, refusal{status: http.StatusMethodNotAllowed, reason: ReasonMethod, detail: detail})
		return
	}
	result, err := r.scheme.Verify(signed, keys, at)
	if err != nil {
		r.refuse(w, req, body, unverified(err, r.scheme.Refused()))
		return
	}
	e := r.event(signed, result, at)
	if err := r.take(req.Context(), e); err != nil {
		r.refuse(w, req, body, unable(ReasonFailed, err))
		return
	}
	answer(w, http.StatusOK, r.scheme.Accepted(), `{"status":"ok","id":"`+e.ID.String()+"\"}\n")
}

// url is the URL of req as its sender wrote it.
func (r *Receiver) url(req *http.Request) string {
	if r.address != nil {
		address := *r.address
		address.RawQuery = req.URL.RawQuery
		return address.String()
	}
	if req.URL.IsAbs() { // in a test without a server
		return req.URL.String()
	}
	target := req.RequestURI // as it came; a handler before may have changed req.URL
	if !strings.HasPrefix(target, "/") {
		target = req.URL.RequestURI()
	}
	if req.TLS != nil {
		return "https://" + req.Host + target
	}
	return "http://" + req.Host + target
}

func (r *Receiver) event(signed *signature.Request, result signature.Result, at time.Time) *Event {
	e := &Event{
		ID: r.ids.New(), Source: r.source, Type: result.Type, DeliveryID: result.DeliveryID,
		ReceivedAt: at.UTC().Truncate(time.Microsecond), Header: keptHeader(signed.Header), Body: signed.Body,
		Marks: Marks{Unbound: !result.BodyBound},
	}
	delete(e.Header, r.scheme.TokenHeader()) // a secret, and no signature
	if result.Type != "" && result.Subtype != "" {
		e.Type += "." + result.Subtype
	}
	return e
}

// keptHeader is a copy of h without what carries somebody's credentials, or
// speaks of the connection and not of the event.
func keptHeader(h http.Header) http.Header {
	kept := h.Clone()
	for _, name := range []string{
		"Authorization", "Proxy-Authorization", "Cookie",
		"Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Accept-Encoding", "Content-Length",
	} {
		delete(kept, name)
	}
	return kept
}
