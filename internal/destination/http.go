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
	"strconv"
	"time"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/egress"
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
	// Sign is [SignStandardWebhooks], [SignPassthrough] or [SignNone]; empty
	// means [SignStandardWebhooks].
	Sign string
	// Keys sign, if Sign is [SignStandardWebhooks]; each makes a signature.
	Keys signature.Keys
	// Timeout bounds an attempt, from looking up the name to the end of the
	// answer; 0 means 20 s.
	Timeout time.Duration
	// Headers are sent with every request, and win over those of the event. Those
	// that say how a request is sent, or for whom, are refused, and so are
	// webhook-...
	Headers map[string]string
}

// WithDefaults returns c with its empty fields filled in.
func (c HTTPConfig) WithDefaults() HTTPConfig {
	if c.Sign == "" {
		c.Sign = SignStandardWebhooks
	}
	if c.Timeout == 0 {
		c.Timeout = defaultHTTPTimeout
	}
	return c
}

// Validate reports everything that is wrong with c, joined, after its defaults
// are filled in. No error holds a secret.
func (c HTTPConfig) Validate() error {
	c = c.WithDefaults()
	_, urlErr := parseURL(c.URL)
	errs := []error{urlErr}
	switch c.Sign {
	case SignStandardWebhooks:
		if err := signature.StandardWebhooks.CheckKeys(c.Keys); err != nil {
			errs = append(errs, fmt.Errorf("keys: %w", err))
		}
	case SignPassthrough, SignNone:
		if c.Keys.Len() != 0 {
			errs = append(errs, fmt.Errorf("keys: not used with sign %q", c.Sign))
		}
	default:
		errs = append(errs, fmt.Errorf("sign: %q is none of %s, %s, %s",
			c.Sign, SignStandardWebhooks, SignPassthrough, SignNone))
	}
	if c.Timeout < 0 {
		errs = append(errs, fmt.Errorf("timeout: %v is negative", c.Timeout))
	}
	return errors.Join(append(errs, validateHeaders(c.Headers))...)
}

// HTTP is an HTTP endpoint.
type HTTP struct {
	name    string
	client  *egress.Client
	url     *url.URL
	permit  egress.Permit
	sign    string
	keys    signature.Keys
	timeout time.Duration
	headers http.Header // the same for every event; the operator's among them
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
		name: name, client: client, url: u, sign: c.Sign, keys: c.Keys, timeout: c.Timeout,
		headers: make(http.Header, len(c.Headers)), now: time.Now,
	}
	if c.Literal {
		h.permit = egress.PermitLiteral(u)
	}
	if c.Sign != SignPassthrough {
		h.headers.Set("User-Agent", userAgent)
	}
	for header, value := range c.Headers {
		h.headers.Set(header, value)
	}
	return h, nil
}

// Name returns the destination's name.
func (h *HTTP) Name() string { return h.name }

// Deliver posts e to the endpoint. A 2xx is success, once the request was sent
// in full. All other answers, redirects too, and all failures on the way are to
// be retried; only an address that is not allowed and a request that cannot be
// made are refused.
//
// The status decides: a 2xx whose body is cut off or too slow is still success,
// with as much of the body as came.
func (h *HTTP) Deliver(ctx context.Context, e *tenterhook.Event, _ *tenterhook.Delivery) tenterhook.Attempt {
	req, err := h.request(e)
	if err != nil {
		return refused(err.Error())
	}
	limited, cancel := context.WithTimeoutCause(ctx, h.timeout, errTimeout)
	defer cancel()
	resp, err := h.client.Do(limited, req, h.permit)
	if err != nil {
		switch {
		case ctx.Err() != nil:
			return retry(interrupted)
		case limited.Err() != nil:
			return retry(fmt.Sprintf("no answer within %v", h.timeout))
		}
		return failed(err)
	}
	defer func() {
		_ = resp.Body.Close() // the answer counts, not how the connection ends
	}()
	return h.answered(resp)
}

// errTimeout is the cause of a context that ended because an attempt may take no
// longer.
var errTimeout = errors.New("attempt timed out")

// request returns the request that carries e.
func (h *HTTP) request(e *tenterhook.Event) (*http.Request, error) {
	header, err := h.header(e)
	if err != nil {
		return nil, err
	}
	req := &http.Request{
		Method: http.MethodPost,
		URL:    h.url,
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header,
		Body:   http.NoBody,
	}
	if len(e.Body) > 0 {
		req.ContentLength = int64(len(e.Body))
		// net/http knows this type of body, and then sends it along with the head.
		// It asks again when a kept connection turns out to be closed and nothing
		// was sent on it.
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(e.Body)), nil }
		req.Body = io.NopCloser(bytes.NewReader(e.Body))
	}
	return req, nil
}

// header returns the headers of the request that carries e.
func (h *HTTP) header(e *tenterhook.Event) (http.Header, error) {
	const usual = 8 // what fits in a map's first group
	header := make(http.Header, usual)
	if h.sign == SignPassthrough {
		if err := passThrough(header, e.Header); err != nil {
			return nil, err
		}
		setDefault(header, headerID, e.ID.String())
		setDefault(header, "User-Agent", userAgent)
	} else if err := h.ownHeaders(header, e); err != nil {
		return nil, err
	}
	maps.Copy(header, h.headers)
	return header, nil
}

// ownHeaders sets the headers of a request that is ours and not a provider's.
func (h *HTTP) ownHeaders(header http.Header, e *tenterhook.Event) error {
	for _, name := range [...]string{"Content-Type", "Content-Encoding"} { // what the bytes mean
		if values := e.Header[name]; len(values) > 0 {
			if !allValid(values) {
				return fmt.Errorf("the event's %s cannot be sent", name)
			}
			header[name] = values
		}
	}
	id, now := e.ID.String(), h.now()
	if h.sign == SignNone {
		header[headerID] = []string{id}
		header[headerTimestamp] = []string{strconv.FormatInt(now.Unix(), 10)}
		return nil
	}
	r := signature.Request{Method: http.MethodPost, Header: header, Body: e.Body}
	if err := signature.StandardWebhooks.Sign(&r, h.keys, signature.SignOptions{ID: id, Time: now}); err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	return nil
}

// answered returns what became of an attempt that resp answered.
func (h *HTTP) answered(resp *http.Response) tenterhook.Attempt {
	a := tenterhook.Attempt{
		Outcome:  tenterhook.OutcomeSuccess,
		Status:   resp.StatusCode,
		Response: responseHead(resp),
	}
	if resp.StatusCode/100 == 2 {
		return a
	}
	a.Outcome = tenterhook.OutcomeRetry
	a.Error = "answered " + statusLine(resp.StatusCode)
	if resp.StatusCode/100 == 3 {
		a.Error += ", redirect not followed"
	}
	a.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), h.now())
	return a
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
