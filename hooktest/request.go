package hooktest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// TB is what this package uses of a [testing.T], a [testing.B] or a
// [testing.F].
type TB interface {
	// Helper marks the caller as a helper.
	Helper()
	// Fatalf says why the test cannot go on, and ends it.
	Fatalf(format string, args ...any)
	// Cleanup has f called when the test is over.
	Cleanup(f func())
	// Context is cancelled when the test is over.
	Context() context.Context
}

// An Option changes what [Request] makes.
type Option func(*draft)

// A draft is a request before it is signed.
type draft struct {
	signature.Request

	opts      signature.SignOptions
	tampering Tampering
}

// WithURL has the request sent to, and signed for, address. The default is
// http://example.com/webhook.
func WithURL(address string) Option { return func(d *draft) { d.URL = address } }

// WithMethod sets the method. The default is POST.
func WithMethod(method string) Option { return func(d *draft) { d.Method = method } }

// WithHeader sets a header before the request is signed, such as the one that
// holds the type of the event. The default is a Content-Type that suits the
// body: JSON, a form, or bytes.
func WithHeader(name, value string) Option { return func(d *draft) { d.Header.Set(name, value) } }

// WithTime has the request signed at that time. The default is now.
func WithTime(at time.Time) Option { return func(d *draft) { d.opts.Time = at } }

// WithID sets the id of the delivery, where the scheme has one that is not a
// part of the body. The default is a new UUID each time.
func WithID(id string) Option { return func(d *draft) { d.opts.ID = id } }

// WithTampering spoils the request in that way, so that a receiver must refuse
// it. See [Tampering.Sign].
func WithTampering(how Tampering) Option { return func(d *draft) { d.tampering = how } }

// Request returns a request with that body, signed according to scheme with
// keys; see [NewRequest]. If it cannot be signed the test fails.
func Request(t TB, scheme *signature.Scheme, keys signature.Keys, body []byte, opts ...Option) *http.Request {
	t.Helper()
	req, err := NewRequest(t.Context(), scheme, keys, body, opts...)
	if err != nil {
		t.Fatalf("hooktest: %v", err)
		return nil
	}
	return req
}

// NewRequest is [Request] outside of tests. The request can be given to the
// ServeHTTP of a handler, and can be sent by an [http.Client]. Schemes that
// have the signature in the body or in the query put it there.
//
// The error says what is missing to sign it. It is [ErrUntamperable] if the
// scheme has nothing that can be spoiled in the way that was asked for.
func NewRequest(
	ctx context.Context, scheme *signature.Scheme, keys signature.Keys, body []byte, opts ...Option,
) (*http.Request, error) {
	d := draft{
		Request: signature.Request{
			Method: http.MethodPost, URL: "http://example.com/webhook", Body: bytes.Clone(body),
			Header: http.Header{"Content-Type": {contentType(body)}},
		},
		opts: signature.SignOptions{ID: newID(), Time: time.Now()},
	}
	for _, opt := range opts {
		opt(&d)
	}
	if err := d.sign(scheme, keys); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, d.Method, d.URL, bytes.NewReader(d.Body))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header = d.Header
	req.RemoteAddr = "192.0.2.1:1234" // of the block for documentation: handlers expect one
	return req, nil
}

func (d *draft) sign(scheme *signature.Scheme, keys signature.Keys) error {
	if d.tampering != "" {
		return d.tampering.Sign(&d.Request, scheme, keys, d.opts)
	}
	return scheme.Sign(&d.Request, keys, d.opts)
}

// contentType is what a body looks like.
func contentType(body []byte) string {
	if json.Valid(body) {
		return "application/json"
	}
	if text := string(body); strings.Contains(text, "=") && !strings.ContainsAny(text, " \t\r\n<>\"") {
		if _, err := url.ParseQuery(text); err == nil {
			return "application/x-www-form-urlencoded"
		}
	}
	return "application/octet-stream"
}

// newID returns a random UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
