package destination

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
)

// The headers by which a receiver of CloudEvents is asked for its consent.
const (
	requestOrigin = "Webhook-Request-Origin"
	allowedOrigin = "Webhook-Allowed-Origin"
)

// consent asks a receiver once whether it wants requests, by the handshake of
// the CloudEvents webhook specification, and remembers that it does.
type consent struct {
	origin string
	given  atomic.Bool
}

// ask returns nil once the receiver consented. Only the header counts: the
// specification says that status codes cannot be relied on.
func (c *consent) ask(ctx context.Context, h *HTTP, authorization string) error {
	if c.given.Load() {
		return nil
	}
	req := &http.Request{
		Method: http.MethodOptions, URL: h.url, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{requestOrigin: {c.origin}, "User-Agent": {userAgent}},
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	resp, err := h.client.Do(ctx, req, h.permit)
	if err != nil {
		return err //nolint:wrapcheck // Deliver tells what it is
	}
	_ = resp.Body.Close() // only the header counts
	if allowed := resp.Header.Get(allowedOrigin); allowed != "*" && allowed != c.origin {
		return &noConsentError{origin: c.origin, status: resp.StatusCode}
	}
	c.given.Store(true)
	return nil
}

type noConsentError struct {
	origin string
	status int
}

// Error says what the receiver did not say.
func (e *noConsentError) Error() string {
	return fmt.Sprintf("the receiver did not consent to requests of %q: answered OPTIONS with %s and without %s",
		e.origin, statusLine(e.status), allowedOrigin)
}
