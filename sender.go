package tenterhook

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/tenterhook/tenterhook/internal/outbound"
	"github.com/tenterhook/tenterhook/signature"
)

// Defaults of [SenderOptions].
const (
	DefaultMaxTime        = 2 * time.Minute  // for all attempts and the waits between them
	DefaultAttemptTimeout = 20 * time.Second // for one attempt, answer included
)

// ErrBlocked is wrapped by the error of a [Sender] that was asked to send to an
// address that is not public, or to a public one without TLS, and not told that
// it may.
var ErrBlocked = outbound.ErrBlocked

// A Sender sends events: signed, again when an attempt fails, and only where it
// may. It may be used by several goroutines, and should be: it keeps connections.
// See [NewSender].
type Sender struct {
	scheme    *signature.Scheme // nil sends without a signature
	keys      signature.Keys
	header    http.Header
	backoff   Backoff
	maxTime   time.Duration
	timeout   time.Duration
	retryAll  bool
	attempted func(a Attempt, wait time.Duration, again bool)
	now       func() time.Time
	ids       *IDs
	tls       http.RoundTripper
	plain     http.RoundTripper
}

// SenderOptions are what a [Sender] is told. Zero values are the defaults; only
// Keys, or Unsigned, is always needed.
type SenderOptions struct {
	// Scheme is how requests are signed. The default is
	// [signature.StandardWebhooks]; any scheme will do that can sign with what
	// is in Keys.
	Scheme *signature.Scheme
	// Keys sign. Where the scheme has room for many signatures every key signs, so
	// that a receiver can change its secret without a gap; elsewhere the first does.
	Keys signature.Keys
	// Unsigned sends without a signature, for receivers that want none. It excludes
	// Scheme and Keys.
	Unsigned bool
	// Header is sent with every request, such as an Authorization. What says how a
	// request is sent, or for whom, is refused, and so is Webhook-...
	Header http.Header

	// MaxTime bounds one Send: all attempts and the waits between them. The default
	// is [DefaultMaxTime]. The deadline of the context holds as well.
	MaxTime time.Duration
	// AttemptTimeout bounds one attempt, from looking up the name to the end of the
	// answer. The default is [DefaultAttemptTimeout].
	AttemptTimeout time.Duration
	// Backoff spaces the attempts. The default waits 1 s after the first, and twice
	// as long after each that follows, up to 30 s, with jitter, until MaxTime ends.
	Backoff Backoff
	// RetryAll has answers retried that say that the request is wrong, as the
	// gateway does, which has days to wait for a receiver to be repaired. See
	// [Sender.Send] for what is retried without it.
	RetryAll bool
	// Attempted is called after each attempt, with how long Send waits before it
	// tries again, if it does. It must be quick, and safe for concurrent use.
	Attempted func(a Attempt, wait time.Duration, again bool)

	// Allow lists ranges that may be reached although they are not public, and
	// without TLS: what a Sender needs to reach receivers in a private network.
	// Never take it from whoever chooses the URL.
	Allow []netip.Prefix
	// RootCAs are trusted to sign a receiver's certificate. The default is the
	// system's.
	RootCAs *x509.CertPool
	// Transport makes the requests instead of a Sender's own, such as one with a
	// client certificate. It then answers for which addresses are reached, and Allow
	// and RootCAs are not used. Redirects are not followed all the same.
	Transport http.RoundTripper
	// Now is the clock that signatures are made by. The default is [time.Now].
	Now func() time.Time
}

// NewSender returns a Sender that does as opts says.
//
// It is an error if there is no key, or one that does not have the form that the
// scheme wants: nothing goes out unsigned unless Unsigned says so.
func NewSender(opts SenderOptions) (*Sender, error) {
	s := &Sender{
		scheme: opts.Scheme, keys: opts.Keys, header: make(http.Header), backoff: opts.Backoff, maxTime: opts.MaxTime,
		timeout: opts.AttemptTimeout, retryAll: opts.RetryAll, attempted: opts.Attempted, now: opts.Now,
	}
	if err := s.checkSigning(opts.Unsigned); err != nil {
		return nil, fmt.Errorf("make sender: %w", err)
	}
	if opts.MaxTime < 0 || opts.AttemptTimeout < 0 {
		return nil, errors.New("make sender: MaxTime and AttemptTimeout must not be negative")
	}
	for _, name := range slices.Sorted(maps.Keys(opts.Header)) {
		for _, value := range opts.Header[name] {
			if err := outbound.CheckHeader(name, value); err != nil {
				return nil, fmt.Errorf("make sender: header: %w", err)
			}
			s.header.Add(name, value)
		}
	}
	s.withDefaults()
	s.plain, s.tls = opts.Transport, opts.Transport
	if opts.Transport == nil {
		s.plain = newTransport(outbound.NewGuard(opts.Allow, true), nil)
		s.tls = newTransport(outbound.NewGuard(opts.Allow, false), opts.RootCAs)
	}
	return s, nil
}

// checkSigning makes sure that it is clear how to sign, or that nothing is.
func (s *Sender) checkSigning(unsigned bool) error {
	if unsigned {
		if s.scheme != nil || s.keys.Len() > 0 {
			return errors.New("it is told both to sign and to send unsigned")
		}
		return nil
	}
	if s.scheme == nil {
		s.scheme = signature.StandardWebhooks
	}
	return s.scheme.CheckKeys(s.keys)
}

func (s *Sender) withDefaults() {
	s.maxTime = cmp.Or(s.maxTime, DefaultMaxTime)
	s.timeout = cmp.Or(s.timeout, DefaultAttemptTimeout)
	if len(s.backoff.Schedule) == 0 {
		s.backoff.Schedule = doubling(s.maxTime)
	}
	s.backoff = s.backoff.WithDefaults()
	if s.now == nil {
		s.now = time.Now
	}
	s.ids = NewIDs(s.now)
}

// doubling is a schedule of waits that double from 1 s to 30 s. Jitter makes them
// half as long on average, so it is made to last for four times as long.
func doubling(within time.Duration) []time.Duration {
	const first, longest = time.Second, 30 * time.Second
	const room = 4
	schedule := []time.Duration{0}
	var planned time.Duration
	for wait := first; planned/room < within && len(schedule) < MaxAttempts; wait = min(2*wait, longest) {
		schedule = append(schedule, wait)
		planned += wait
	}
	return schedule
}

// A SendResult is what became of an event that was sent.
type SendResult struct {
	ID       string    // of the message, by which a receiver knows it again; the same for every attempt
	Outcome  Outcome   // what became of it in the end: success, or what the last attempt came to
	Attempts []Attempt // every attempt, in order
}

// Last returns the last attempt, or the zero Attempt if there was none.
func (r SendResult) Last() Attempt {
	if len(r.Attempts) == 0 {
		return Attempt{}
	}
	return r.Attempts[len(r.Attempts)-1]
}

// A SendError says why an event was not delivered, or is not known to be. It
// names the host of the receiver and no other part of the URL, for the rest may
// hold secrets.
type SendError struct {
	Host   string // of the receiver
	Result SendResult
	Err    error // why the last attempt did not succeed, and why there is no other
}

// Error says what became of the event, and why.
func (e *SendError) Error() string {
	text := "send"
	if e.Host != "" {
		text += " to " + e.Host
	}
	if n := len(e.Result.Attempts); n == 1 {
		text += ", 1 attempt"
	} else if n > 1 {
		text += fmt.Sprintf(", %d attempts", n)
	}
	if e.Result.Outcome == OutcomeUnknown {
		text += ": it may have arrived"
	}
	return text + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }

// Send posts e to the URL address, and again until the receiver took it or there
// is no sense in going on. The error is a [*SendError], and is nil if and only if
// the outcome is [OutcomeSuccess]. The result has every attempt in either case.
//
// Only a 2xx is success, to a request that was sent in full. Tried again, until
// [SenderOptions.MaxTime] ends, is what may be over soon: 408, 425, 429 and 5xx,
// and a receiver that cannot be reached or does not answer. Other answers say
// that the same request will be refused again, redirects among them, which are
// not followed: they are [OutcomeRefused], and the end, as is an address that may
// not be reached. A Retry-After, in seconds or as a date, lengthens a wait, up to
// [MaxRetryAfter]. When the next attempt would be after the end, Send returns at
// once.
//
// Every attempt carries the same message id and the same bytes, and a new time
// and signature. So a receiver that took the event, and whose answer was lost, can
// know it again. After an attempt that was not answered once it had been sent, the
// outcome is [OutcomeUnknown], and it is tried again all the same.
//
// Of e these are sent: Body, which may be anything; of Header, what says what the
// body is, Content-Type and Content-Encoding; Type, if the scheme has it in a
// header; and as the id of the message ID, or else DeliveryID, or else a new one.
// To send an event again later, send it with the same one. e is not changed.
func (s *Sender) Send(ctx context.Context, address string, e *Event) (SendResult, error) {
	m, err := s.compose(address, e)
	if err != nil {
		return m.result, m.failed(err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.maxTime, errMaxTime)
	defer cancel()
	for {
		tried := len(m.result.Attempts) + 1
		a, err := s.attempt(ctx, m)
		a.ID = m.event.Delivery(1).Attempt(tried)
		m.result.Attempts, m.result.Outcome = append(m.result.Attempts, a), a.Outcome
		wait, again := s.next(ctx, a, tried)
		if again && late(ctx, wait) {
			again, err = false, tooLate(ctx, err, a, wait)
		}
		if s.attempted != nil {
			s.attempted(a, wait, again)
		}
		switch {
		case a.Outcome == OutcomeSuccess:
			return m.result, nil
		case !again:
			return m.result, m.failed(err)
		}
		if stopped := pause(ctx, wait); stopped != nil {
			return m.result, m.failed(fmt.Errorf("%w; then %w", err, stopped))
		}
	}
}

// errMaxTime is the cause of a context that ended because one Send may take no
// longer.
var errMaxTime = errors.New("the time for all attempts is over")

// next says whether there is to be an attempt after a, and when.
func (s *Sender) next(ctx context.Context, a Attempt, tried int) (wait time.Duration, again bool) {
	if ctx.Err() != nil || a.Outcome == OutcomeSuccess || a.Outcome == OutcomeRefused || tried >= MaxAttempts {
		return 0, false
	}
	return s.backoff.Next(tried, a.RetryAfter, nil)
}

// late reports whether ctx will have ended after a wait.
func late(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) <= wait
}

// tooLate adds to err that there is no time for another attempt.
func tooLate(ctx context.Context, err error, a Attempt, wait time.Duration) error {
	deadline, _ := ctx.Deadline()
	left := max(time.Until(deadline), 0).Round(time.Second)
	if a.RetryAfter > 0 && wait == a.RetryAfter {
		return fmt.Errorf("%w; it asks to wait %v, and %v are left", err, wait, left)
	}
	return fmt.Errorf("%w; the time for all attempts is over", err)
}

// pause waits, or returns why it did not.
func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// CloseIdleConnections closes the connections that are kept for later. A Sender
// can be used after it.
func (s *Sender) CloseIdleConnections() {
	for _, t := range []http.RoundTripper{s.plain, s.tls} {
		if closer, ok := t.(interface{ CloseIdleConnections() }); ok {
			closer.CloseIdleConnections()
		}
	}
}

// parseTarget reads the URL of a receiver. No error holds it.
func parseTarget(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, errors.New("the URL is not a whole one, such as https://hooks.example.com/deploy")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("the scheme of the URL is %q, and neither http nor https", u.Scheme)
	case u.User != nil:
		return nil, errors.New("the URL holds a user or a password; set the header Authorization instead")
	case u.Fragment != "":
		return nil, errors.New("the URL holds a fragment (#...), which is never sent")
	}
	return u, nil
}
