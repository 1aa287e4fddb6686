package destination

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/egress"
	"github.com/tenterhook/tenterhook/internal/outbound"
	"github.com/tenterhook/tenterhook/signature"
)

// How an HTTP destination's requests are signed: the values of
// [HTTPConfig].Sign.
const (
	// SignStandardWebhooks signs with the destination's own keys, as Standard
	// Webhooks 1.0.0 says. It is the default.
	SignStandardWebhooks = "standard-webhooks"
	// SignPassthrough sends the headers that came with the event, the provider's
	// signature among them, so that the receiver can verify what the provider
	// signed.
	SignPassthrough = "passthrough"
	// SignNone sends webhook-id and webhook-timestamp, but no signature.
	SignNone = "none"
	// SignScheme signs with the destination's own keys as [HTTPConfig].Scheme
	// says, and sends webhook-id.
	SignScheme = "scheme"
)

const (
	defaultHTTPTimeout = 20 * time.Second
	maxResponse        = 4 << 10 // bytes of an answer's body that are kept
	userAgent          = "tenterhook"
)

// HTTPConfig describes an HTTP endpoint.
type HTTPConfig struct {
	// URL is where events are posted to: http or https, without user, password
	// and fragment.
	URL string
	// Literal says that the operator wrote URL in the configuration file or on
	// the command line. It lets a literal IP address or localhost in it be
	// reached even if it is not public. It must be false for a URL that came
	// through the API.
	Literal bool
	// Sign is [SignStandardWebhooks], [SignPassthrough], [SignNone] or
	// [SignScheme]; empty means [SignStandardWebhooks].
	Sign string
	// Scheme signs, if Sign is [SignScheme].
	Scheme *signature.Scheme
	// Keys sign, if Sign is [SignStandardWebhooks] or [SignScheme]; each makes a
	// signature, where the scheme has room for many.
	Keys signature.Keys
	// Method is POST, PUT or PATCH; empty means POST.
	Method string
	// ContentType takes the place of the event's own; empty keeps that.
	ContentType string
	// Success are the statuses that mean that the event was taken; none means
	// 200 to 299.
	Success []StatusRange
	// PassHeaders are sent as they came with the event, the signature's own
	// headers apart. A name that ends in * stands for all that begin so. It has
	// no use with [SignPassthrough], which sends all.
	PassHeaders []string
	// Auth says who sends a request.
	Auth Auth
	// TLS is this endpoint's own; nil means that of all.
	TLS *egress.TLS
	// CloudEvents is [CloudEventsBinary] or [CloudEventsStructured]; empty means
	// neither.
	CloudEvents string
	// Handshake is the origin, a DNS name, that the receiver is asked to consent
	// to before it gets anything, by the CloudEvents webhook handshake; empty does
	// not ask.
	Handshake string
	// Timeout bounds an attempt, from looking up the name to the end of the
	// answer; 0 means 20 s.
	Timeout time.Duration
	// Headers are sent with every request, and win over those of the event. Those
	// that say how a request is sent, or for whom, are refused, and so are
	// webhook-...
	Headers map[string]string
}

// A StatusRange is all statuses from First to Last.
type StatusRange struct{ First, Last int }

// WithDefaults returns c with its empty fields filled in.
func (c HTTPConfig) WithDefaults() HTTPConfig {
	if c.Sign == "" {
		c.Sign = SignStandardWebhooks
	}
	if c.Timeout == 0 {
		c.Timeout = defaultHTTPTimeout
	}
	if c.Method == "" {
		c.Method = http.MethodPost
	}
	if len(c.Success) == 0 {
		c.Success = []StatusRange{{http.StatusOK, 299}}
	}
	return c
}

// Validate reports everything that is wrong with c, joined, after its defaults
// are filled in. No error holds a secret.
func (c HTTPConfig) Validate() error {
	c = c.WithDefaults()
	_, urlErr := parseURL(c.URL)
	errs := []error{urlErr, c.validateSign(), c.Auth.validate(c.Headers)}
	if c.Timeout < 0 {
		errs = append(errs, fmt.Errorf("timeout: %v is negative", c.Timeout))
	}
	switch c.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
	default:
		errs = append(errs, fmt.Errorf("method: %q is none of POST, PUT, PATCH", clip(c.Method)))
	}
	for _, r := range c.Success {
		if r.First < http.StatusOK || r.Last < r.First || r.Last > 599 {
			errs = append(errs, fmt.Errorf("success: %d to %d is not a range of statuses from 200 to 599", r.First, r.Last))
		}
	}
	for _, name := range c.PassHeaders {
		bare := http.CanonicalHeaderKey(strings.TrimSuffix(name, "*"))
		if !outbound.ValidName(bare) || connectionHeader(bare) || credential(bare) {
			errs = append(errs, fmt.Errorf("pass_headers: %q cannot be passed on", clip(name)))
		}
	}
	if !outbound.ValidValue(c.ContentType) || !outbound.ValidValue(c.Handshake) {
		errs = append(errs, errors.New("content_type or handshake holds a control character"))
	}
	return errors.Join(append(errs, c.validateCloudEvents(), validateHeaders(c.Headers))...)
}

func (c HTTPConfig) validateSign() error {
	scheme := c.Scheme
	switch c.Sign {
	case SignStandardWebhooks:
		scheme = signature.StandardWebhooks
	case SignScheme:
		if scheme == nil {
			return errors.New("sign: there is no scheme")
		}
	case SignPassthrough, SignNone:
		if c.Keys.Len() != 0 {
			return fmt.Errorf("keys: not used with sign %q", c.Sign)
		}
		return nil
	default:
		return fmt.Errorf("sign: %q is none of %s, %s, %s, %s",
			c.Sign, SignStandardWebhooks, SignPassthrough, SignNone, SignScheme)
	}
	if err := scheme.CheckKeys(c.Keys); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	return nil
}

func (c HTTPConfig) validateCloudEvents() error {
	switch c.CloudEvents {
	case "":
		return nil
	case CloudEventsBinary, CloudEventsStructured:
	default:
		return fmt.Errorf("cloudevents: %q is neither %s nor %s",
			clip(c.CloudEvents), CloudEventsBinary, CloudEventsStructured)
	}
	if c.Sign == SignPassthrough {
		return errors.New("cloudevents: a provider's signature is not for what a CloudEvent is made of it; sign it, or none")
	}
	return nil
}

// HTTP is an HTTP endpoint.
type HTTP struct {
	name    string
	config  HTTPConfig // whole, with its defaults
	client  *egress.Client
	url     *url.URL
	permit  egress.Permit
	headers http.Header // the same for every event; the operator's among them
	tokens  *tokens     // nil unless there is OAuth2
	consent *consent    // nil unless it has to be asked for
	now     func() time.Time
}

// NewHTTP returns the endpoint that c describes, which is called name and
// reached through client. The error is that of [HTTPConfig.Validate].
func NewHTTP(name string, c HTTPConfig, client *egress.Client) (*HTTP, error) {
	c = c.WithDefaults()
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("destination %q: %w", name, err)
	}
	u, err := parseURL(c.URL)
	if err != nil {
		return nil, fmt.Errorf("destination %q: %w", name, err)
	}
	h := &HTTP{
		name: name, config: c, client: client, url: u, headers: make(http.Header, len(c.Headers)), now: time.Now,
	}
	if h.tokens, err = newTokens(c.Auth.OAuth2, c.Literal, client); err != nil {
		return nil, fmt.Errorf("destination %q: %w", name, err)
	}
	if c.TLS != nil {
		h.client = client.With(*c.TLS)
	}
	if c.Literal {
		h.permit = egress.PermitLiteral(u)
	}
	if c.Handshake != "" {
		h.consent = &consent{origin: c.Handshake}
		h.headers[requestOrigin] = []string{c.Handshake}
	}
	if c.Sign != SignPassthrough {
		h.headers.Set("User-Agent", userAgent)
	}
	if fixed := c.Auth.fixed(); fixed != "" {
		h.headers.Set("Authorization", fixed)
	}
	for header, value := range c.Headers {
		h.headers.Set(header, value)
	}
	return h, nil
}

// Name returns the destination's name.
func (h *HTTP) Name() string { return h.name }

// Deliver sends e to the endpoint. A 2xx, or what the configuration says
// instead, is success, once the request was sent in full. All other answers,
// redirects too, and all failures on the way are to be retried; only an address
// that is not allowed and a request that cannot be made are refused.
//
// The status decides: a 2xx whose body is cut off or too slow is still success,
// with as much of the body as came.
func (h *HTTP) Deliver(ctx context.Context, e *tenterhook.Event, _ *tenterhook.Delivery) tenterhook.Attempt {
	limited, cancel := context.WithTimeoutCause(ctx, h.config.Timeout, errTimeout)
	defer cancel()
	a := h.attempt(limited, e)
	if a.Status != 0 || a.Outcome != tenterhook.OutcomeRetry {
		return a
	}
	switch { // nothing was answered
	case ctx.Err() != nil:
		return retry(interrupted)
	case limited.Err() != nil:
		return retry(fmt.Sprintf("no answer within %v", h.config.Timeout))
	}
	return a
}

// errTimeout is the cause of a context that ended because an attempt may take no
// longer.
var errTimeout = errors.New("attempt timed out")

// attempt sends e, and a second time if a token turns out to have been revoked.
func (h *HTTP) attempt(ctx context.Context, e *tenterhook.Event) tenterhook.Attempt {
	resp, authorization, a := h.send(ctx, e, "")
	if resp != nil && resp.StatusCode == http.StatusUnauthorized && h.tokens != nil {
		_ = resp.Body.Close() // another answer counts
		resp, _, a = h.send(ctx, e, authorization)
	}
	if resp == nil {
		return a
	}
	defer func() {
		_ = resp.Body.Close() // the answer counts, not how the connection ends
	}()
	return h.answered(ctx, resp)
}

// send returns the answer to e and the Authorization that it was sent with, or,
// with a nil answer, what became of the attempt. A token that is stale is not
// used.
func (h *HTTP) send(ctx context.Context, e *tenterhook.Event, stale string) (*http.Response, string, tenterhook.Attempt) {
	req, err := h.request(e)
	if err != nil {
		return nil, "", refused(err.Error())
	}
	if h.tokens != nil {
		authorization, err := h.tokens.get(ctx, stale)
		if err != nil {
			return nil, "", unauthorized(err)
		}
		req.Header["Authorization"] = []string{authorization}
	}
	authorization := req.Header.Get("Authorization")
	if h.consent != nil {
		if err := h.consent.ask(ctx, h, authorization); err != nil {
			return nil, "", failed(err)
		}
	}
	resp, err := h.client.Do(ctx, req, h.permit)
	if err != nil {
		return nil, "", failed(err)
	}
	return resp, authorization, tenterhook.Attempt{}
}

// request returns the request that carries e.
func (h *HTTP) request(e *tenterhook.Event) (*http.Request, error) {
	signed, err := h.message(e)
	if err != nil {
		return nil, err
	}
	target, body := h.url, signed.Body
	if signed.URL != "" && signed.URL != h.config.URL { // a scheme that signs in the query
		if target, err = parseURL(signed.URL); err != nil || target.Host != h.url.Host {
			return nil, errors.New("sign: the URL is another one")
		}
	}
	maps.Copy(signed.Header, h.headers)
	req := &http.Request{
		Method: h.config.Method,
		URL:    target,
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: signed.Header,
		Body:   http.NoBody,
	}
	if len(body) > 0 {
		req.ContentLength = int64(len(body))
		// net/http knows this type of body, and then sends it along with the head.
		// It asks again when a kept connection turns out to be closed and nothing
		// was sent on it.
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	return req, nil
}

// message returns what is sent of e, signed, without the headers that are the
// same for every event.
func (h *HTTP) message(e *tenterhook.Event) (signature.Request, error) {
	const usual = 8 // what fits in a map's first group
	r := signature.Request{Method: h.config.Method, Header: make(http.Header, usual), Body: e.Body}
	if h.config.Sign == SignPassthrough {
		if err := passThrough(r.Header, e.Header, nil); err != nil {
			return r, err
		}
		setDefault(r.Header, headerID, e.ID.String())
		setDefault(r.Header, "User-Agent", userAgent)
		h.setContentType(r.Header)
		return r, nil
	}
	if len(h.config.PassHeaders) > 0 {
		if err := passThrough(r.Header, e.Header, listed(h.config.PassHeaders)); err != nil {
			return r, err
		}
	}
	for _, name := range [...]string{"Content-Type", "Content-Encoding"} { // what the bytes mean
		if values := e.Header[name]; len(values) > 0 {
			if !allValid(values) {
				return r, fmt.Errorf("the event's %s cannot be sent", name)
			}
			r.Header[name] = values
		}
	}
	h.setContentType(r.Header)
	switch h.config.CloudEvents {
	case CloudEventsBinary:
		binaryMode(r.Header, e)
	case CloudEventsStructured:
		r.Body = structuredMode(r.Header, e)
	}
	return r, h.sign(&r, e.ID.String())
}

func (h *HTTP) setContentType(header http.Header) {
	if h.config.ContentType != "" {
		header["Content-Type"] = []string{h.config.ContentType}
	}
}

// sign sets the headers of a request that is ours and not a provider's.
func (h *HTTP) sign(r *signature.Request, id string) error {
	now, scheme := h.now(), signature.StandardWebhooks
	switch h.config.Sign {
	case SignNone:
		r.Header[headerID] = []string{id}
		r.Header[headerTimestamp] = []string{strconv.FormatInt(now.Unix(), 10)}
		return nil
	case SignScheme:
		scheme, r.URL = h.config.Scheme, h.config.URL
		r.Header[headerID] = []string{id}
	}
	if err := scheme.Sign(r, h.config.Keys, signature.SignOptions{ID: id, Time: now}); err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	return nil
}

// answered returns what became of an attempt that resp answered.
func (h *HTTP) answered(ctx context.Context, resp *http.Response) tenterhook.Attempt {
	a := tenterhook.Attempt{
		Outcome:  tenterhook.OutcomeSuccess,
		Status:   resp.StatusCode,
		Response: responseHead(resp),
	}
	if h.taken(resp.StatusCode) {
		if !egress.SentInFull(ctx, resp) {
			a.Outcome = tenterhook.OutcomeRetry
			a.Error = (&egress.EarlyAnswerError{Status: resp.StatusCode}).Error()
		}
		return a
	}
	a.Outcome = tenterhook.OutcomeRetry
	a.Error = "answered " + statusLine(resp.StatusCode)
	switch resp.StatusCode / 100 {
	case 2:
		a.Error += ", which is not success here"
	case 3:
		a.Error += ", redirect not followed"
	}
	a.RetryAfter = outbound.RetryAfter(resp.Header.Get("Retry-After"), h.now(), tenterhook.MaxRetryAfter)
	return a
}

func (h *HTTP) taken(status int) bool {
	return slices.ContainsFunc(h.config.Success, func(r StatusRange) bool { return r.First <= status && status <= r.Last })
}

func statusLine(code int) string {
	if text := http.StatusText(code); text != "" {
		return strconv.Itoa(code) + " " + text
	}
	return strconv.Itoa(code)
}

// responseHead returns the first bytes of resp's body, as they are on the wire.
// A body that fits is read to its end, so that the connection can be used again.
func responseHead(resp *http.Response) []byte {
	switch {
	case resp.ContentLength == 0, resp.StatusCode == http.StatusSwitchingProtocols:
		return nil // after a switch the body is the connection, and may never end
	case resp.ContentLength > 0:
		head := make([]byte, min(resp.ContentLength, maxResponse))
		n, _ := io.ReadFull(resp.Body, head) // the status decides; what came of the body is for people
		return head[:n]
	}
	head, _ := io.ReadAll(io.LimitReader(resp.Body, maxResponse)) // as above
	return head
}
