package tenterhook

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tenterhook/tenterhook/internal/outbound"
	"github.com/tenterhook/tenterhook/signature"
)

const (
	maxKeptAnswer = 4 << 10 // bytes of an answer's body that are kept
	maxMessageID  = 256     // bytes, as Standard Webhooks' receivers take them

	headerWebhookID   = "Webhook-Id"
	headerWebhookTime = "Webhook-Timestamp"
)

// A message is an event on its way to one receiver.
type message struct {
	target *url.URL
	id     string
	event  ID // numbers the attempts
	typ    string
	header http.Header
	body   []byte
	result SendResult
}

// compose returns what does not change between attempts. It returns a message
// also with an error.
func (s *Sender) compose(address string, e *Event) (*message, error) {
	m := &message{result: SendResult{Outcome: OutcomeRefused}}
	u, err := parseTarget(address)
	if err != nil {
		return m, err
	}
	m.target = u
	if e == nil {
		return m, errors.New("there is no event")
	}
	if m.event = e.ID; m.event.IsZero() {
		m.event = s.ids.New()
	}
	m.id = cmp.Or(e.ID.String(), e.DeliveryID, m.event.String())
	if !printableASCII(m.id) || len(m.id) > maxMessageID {
		return m, fmt.Errorf("the id of the event is not 1 to %d printable ASCII characters", maxMessageID)
	}
	m.typ, m.body = e.Type, e.Body
	m.result.ID = m.id
	m.header, err = s.baseHeader(e)
	m.header.Set(headerWebhookID, m.id)
	return m, err
}

// baseHeader is the header of a request before it is signed.
func (s *Sender) baseHeader(e *Event) (http.Header, error) {
	header := s.header.Clone()
	for _, name := range [...]string{"Content-Type", "Content-Encoding"} { // what the bytes mean
		value := e.Header.Get(name)
		if value == "" || header.Get(name) != "" {
			continue
		}
		if !outbound.ValidValue(value) {
			return header, fmt.Errorf("the event's %s cannot be sent", name)
		}
		header.Set(name, value)
	}
	if header.Get("Content-Type") == "" && len(e.Body) > 0 {
		header.Set("Content-Type", contentType(e.Body))
	}
	if header.Get("User-Agent") == "" {
		header.Set("User-Agent", "tenterhook")
	}
	return header, nil
}

func contentType(body []byte) string {
	if json.Valid(body) {
		return "application/json"
	}
	return "application/octet-stream"
}

func printableASCII(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' })
}

// failed is the error for a message that is not known to have arrived.
func (m *message) failed(err error) error {
	failure := &SendError{Result: m.result, Err: err}
	if m.target != nil {
		failure.Host = m.target.Host
	}
	return failure
}

// attempt sends m once. The error is nil if it arrived.
func (s *Sender) attempt(ctx context.Context, m *message) (Attempt, error) {
	a := Attempt{StartedAt: s.now().UTC().Truncate(time.Microsecond)}
	begun := time.Now()
	limited, cancel := context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("no answer within %v", s.timeout))
	defer cancel()
	err := s.exchange(limited, m, &a)
	a.Duration = time.Since(begun)
	if err != nil {
		a.Error = err.Error()
	}
	return a, err
}

// exchange makes one request, and writes into a what came of it.
func (s *Sender) exchange(ctx context.Context, m *message, a *Attempt) error {
	a.Outcome = OutcomeRefused
	signed, err := s.sign(m, a.StartedAt)
	if err != nil {
		return err
	}
	trip := newTrip()
	req, err := http.NewRequestWithContext(trip.watch(ctx), http.MethodPost, signed.URL, bytes.NewReader(signed.Body))
	if err != nil {
		return errors.New("the signed URL cannot be read") // and is not shown, as it may hold secrets
	}
	req.Header = signed.Header
	transport := s.plain
	if req.URL.Scheme == "https" {
		transport = s.tls
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return unanswered(ctx, trip, err, a)
	}
	defer func() { _ = resp.Body.Close() }() // the answer counts, not how the connection ends
	a.Status = resp.StatusCode
	if resp.StatusCode/100 == 2 && !trip.sentInFull(ctx) {
		a.Outcome = OutcomeRetry
		return fmt.Errorf("answered %d before the request was sent in full", resp.StatusCode)
	}
	a.Response = answerHead(resp)
	return s.judge(resp, a)
}

// sign returns the request of m as it goes out now.
func (s *Sender) sign(m *message, now time.Time) (*signature.Request, error) {
	r := &signature.Request{Method: http.MethodPost, URL: m.target.String(), Header: m.header.Clone(), Body: m.body}
	if s.scheme == nil {
		r.Header.Set(headerWebhookTime, strconv.FormatInt(now.Unix(), 10))
		return r, nil
	}
	opts := signature.SignOptions{ID: m.id, Time: now, Type: m.typ}
	if _, subtype, _ := s.scheme.Identify(r); subtype != "" { // which the body says, and not the header
		opts.Type = strings.TrimSuffix(m.typ, "."+subtype)
	}
	if err := s.scheme.Sign(r, s.keys, opts); err != nil {
		return nil, err
	}
	if _, _, id := s.scheme.Identify(r); id != "" {
		m.result.ID = id
	}
	return r, nil
}

// unanswered says what is known of an attempt without an answer.
func unanswered(ctx context.Context, trip *trip, err error, a *Attempt) error {
	switch {
	case errors.Is(err, outbound.ErrBlocked):
		return err
	case trip.mayHaveArrived():
		a.Outcome = OutcomeUnknown
	default:
		a.Outcome = OutcomeRetry
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// judge says what an answer means.
func (s *Sender) judge(resp *http.Response, a *Attempt) error {
	status := resp.StatusCode
	answered := "answered " + strings.TrimSpace(strconv.Itoa(status)+" "+http.StatusText(status))
	switch status / 100 {
	case 2:
		a.Outcome = OutcomeSuccess
		return nil
	case 3:
		answered += ", and redirects are not followed"
	}
	if passing(status) || s.retryAll && status != http.StatusGone {
		a.Outcome = OutcomeRetry
		a.RetryAfter = outbound.RetryAfter(resp.Header.Get("Retry-After"), s.now(), MaxRetryAfter)
	}
	return errors.New(answered)
}

// passing reports whether an answer says that the same request may be taken
// later.
func passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500 && status <= 599
}

// answerHead returns the first bytes of an answer's body, as they are on the
// wire. One that fits is read to its end, so that the connection can be used
// again.
func answerHead(resp *http.Response) []byte {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return nil // the body is the connection, and may never end
	}
	head, _ := io.ReadAll(io.LimitReader(resp.Body, maxKeptAnswer)) // the status decides; this is for people
	return head
}

// newTransport returns what makes requests to addresses that guard lets through.
func newTransport(guard *outbound.Guard, roots *x509.CertPool) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, ControlContext: guard.Control}
	t := &http.Transport{
		Proxy:                  nil, // the environment must not choose where requests go
		DialContext:            dialer.DialContext,
		DisableCompression:     true, // a few bytes must not unfold into gigabytes
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    10,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		TLSHandshakeTimeout:    5 * time.Second,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		Protocols:              new(http.Protocols),
		HTTP2:                  &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10, SendPingTimeout: 30 * time.Second},
	}
	t.Protocols.SetHTTP1(true)
	t.Protocols.SetHTTP2(true)
	return t
}
