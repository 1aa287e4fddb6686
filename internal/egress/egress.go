// Package egress is the one way out: every HTTP request that the gateway makes
// of its own accord goes through a [Client].
//
// What it promises to those who call it:
//
//   - A request reaches an address only if the address is public, or the
//     operator allowed its range in [Options], or the call carries a [Permit]
//     for exactly that address. The address is judged when it is dialled, after
//     the name was looked up, so a name that changes its mind gains nothing.
//   - Without TLS a request reaches only an allowed or permitted address.
//   - Redirects come back as answers and are never followed. Proxies named in
//     the environment are not used. TLS is 1.2 or newer and always verified.
//   - An answer is not decompressed, its head is at most 64 KiB, and its body is
//     read only as far as the caller reads. Close it without reading on: that
//     ends the connection, and whatever the other side still had to say.
//   - A 2xx that came before the request was sent in full is an error.
//
// Connections are kept and used again, but never across permits: a connection
// that one destination may have must not serve another that may not.
package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

const (
	maxHeader    = 64 << 10 // bytes of an answer's head, 1xx answers included
	writeBuffer  = 16 << 10 // a request up to this size, head included, leaves in one system call
	idleTimeout  = 90 * time.Second
	maxIdle      = 2048 // connections kept in one pool, for all hosts
	pingInterval = 30 * time.Second
)

// ErrScheme is returned, wrapped, for a URL that is neither http nor https.
var ErrScheme = errors.New("scheme is neither http nor https")

// Options adjust a [Client]. The zero value reaches public addresses only.
type Options struct {
	// Allow lists ranges that may be reached although they are not public, and
	// without TLS. An IPv4 range covers the IPv4-mapped form as well.
	Allow []netip.Prefix
	// DialTimeout bounds looking up a name and connecting; 0 means 10 s.
	DialTimeout time.Duration
	// TLSTimeout bounds a TLS handshake; 0 means 5 s.
	TLSTimeout time.Duration
	// MaxIdlePerHost is how many unused connections are kept for one host;
	// 0 means 256.
	MaxIdlePerHost int
	// RootCAs are trusted to sign a server's certificate; nil means the
	// system's.
	RootCAs *x509.CertPool
	// Resolver looks up names; nil means [net.DefaultResolver].
	Resolver *net.Resolver
}

// WithDefaults returns o with its empty fields filled in.
func (o Options) WithDefaults() Options {
	if o.DialTimeout == 0 {
		o.DialTimeout = 10 * time.Second
	}
	if o.TLSTimeout == 0 {
		o.TLSTimeout = 5 * time.Second
	}
	if o.MaxIdlePerHost == 0 {
		o.MaxIdlePerHost = 256
	}
	return o
}

// A Client makes requests. It may be used by several goroutines.
type Client struct {
	options Options
	policy  *policy

	mu    sync.RWMutex
	pools map[pool]*http.Transport
}

// A pool names a set of connections that may stand in for one another.
type pool struct {
	plain  bool // without TLS
	permit Permit
}

// New returns a client. It starts nothing; [Client.CloseIdle] ends what its
// requests leave open.
func New(o Options) *Client {
	o = o.WithDefaults()
	return &Client{options: o, policy: newPolicy(o.Allow), pools: make(map[pool]*http.Transport)}
}

// Do sends req with the context ctx, and returns the answer, whatever its
// status. The caller closes its body. Permit p is for this request alone.
//
// The error wraps [ErrBlocked], [ErrScheme], an [EarlyAnswerError], the cause of
// ctx, or what the network or the other side did. It names the host and no other
// part of the URL, for the rest may hold secrets.
func (c *Client) Do(ctx context.Context, req *http.Request, p Permit) (*http.Response, error) {
	resp, err := c.do(ctx, req, p)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", req.Method, req.URL.Host, err)
	}
	return resp, nil
}

func (c *Client) do(ctx context.Context, req *http.Request, p Permit) (*http.Response, error) {
	scheme := req.URL.Scheme
	if scheme != "http" && scheme != "https" {
		if req.Body != nil {
			_ = req.Body.Close() // nothing of it was read; what went wrong is the scheme
		}
		return nil, ErrScheme
	}
	t := c.transport(pool{plain: scheme == "http", permit: p})
	if leavesAtOnce(req) {
		return t.RoundTrip(req.WithContext(ctx)) //nolint:wrapcheck // Do wraps it
	}
	return sendInFull(ctx, t, req)
}

// transport returns the connections of p, a new set if there is none.
func (c *Client) transport(p pool) *http.Transport {
	c.mu.RLock()
	t := c.pools[p]
	c.mu.RUnlock()
	if t != nil {
		return t
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if t = c.pools[p]; t == nil {
		t = c.newTransport(p)
		c.pools[p] = t
	}
	return t
}

func (c *Client) newTransport(p pool) *http.Transport {
	dialer := &net.Dialer{
		Timeout:        c.options.DialTimeout,
		Resolver:       c.options.Resolver,
		ControlContext: (&guard{policy: c.policy, pool: p}).control,
	}
	t := &http.Transport{
		Proxy:                  nil, // the environment must not choose where requests go
		DialContext:            dialer.DialContext,
		DisableCompression:     true, // a few bytes must not unfold into gigabytes
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    c.options.MaxIdlePerHost,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		WriteBufferSize:        writeBuffer,
		Protocols:              new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	if p.plain {
		return t
	}
	t.Protocols.SetHTTP2(true)
	t.TLSHandshakeTimeout = c.options.TLSTimeout
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.options.RootCAs}
	t.HTTP2 = &http.HTTP2Config{
		// As little as the protocol lets us promise to buffer for an endless answer.
		MaxReceiveBufferPerStream:     64 << 10,
		MaxReceiveBufferPerConnection: 1 << 20,
		SendPingTimeout:               pingInterval, // a connection may have died unnoticed
	}
	return t
}

// CloseIdle closes the connections that are not in use. Requests that are under
// way go on, and the client stays usable.
func (c *Client) CloseIdle() {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, t := range c.pools {
		t.CloseIdleConnections()
	}
}
