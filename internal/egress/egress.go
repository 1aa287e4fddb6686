// Package egress is the one way out: every HTTP request that the gateway makes
// of its own accord goes through a [Client].
//
// What it promises to those who call it:
//
//   - A request reaches an address only if the address is public, or the
//     operator allowed its range in [Options], or the call carries a [Permit]
//     for exactly that address. Every address of a name must be one of these.
//     The address is judged after the name was looked up, again when it is
//     dialled, and again when the connection stands, so a name that changes its
//     mind gains nothing. At a public address only usual ports are reached.
//   - Without TLS a request reaches only an allowed or permitted address.
//   - Redirects come back as answers and are never followed. Proxies named in
//     the environment are not used; one that [Options] name gets addresses that
//     were judged, and no names. TLS is 1.2 or newer and always verified.
//   - An answer is not decompressed, its head is at most 64 KiB, and its body is
//     read only as far as the caller reads. Close it without reading on: that
//     ends the connection, and whatever the other side still had to say.
//   - A 2xx that came before the request was sent in full is an error.
//   - Connections are bounded in all and for each host, and hosts that hang
//     always leave some for others.
//
// Connections are kept and used again, but never across permits: a connection
// that one destination may have must not serve another that may not.
package egress

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
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
	// Allow lists what may be reached although it is not public, and without TLS.
	Allow []Rule
	// Ports may be reached at public addresses, besides 443 and 8443.
	Ports []uint16
	// Proxy is the HTTP proxy that requests go through, http or https; nil means
	// none. The address that a request is for is looked up and judged here, and
	// the proxy is asked for that address. It is not asked for a loopback address,
	// which is this machine's.
	Proxy *url.URL
	// ProxyAuthorization is what the proxy gets as Proxy-Authorization.
	ProxyAuthorization string
	// DNSTimeout bounds looking up a name; 0 means 2 s.
	DNSTimeout time.Duration
	// DialTimeout bounds connecting, and waiting for a connection that may be
	// made; 0 means 5 s.
	DialTimeout time.Duration
	// TLSTimeout bounds a TLS handshake; 0 means 5 s.
	TLSTimeout time.Duration
	// MaxConns is how many connections there are in all, at the most; 0 means
	// 16384. A host gets at most an eighth of what is free.
	MaxConns int
	// MaxPerHost is how many connections one host gets, at the most; 0 means 1024.
	MaxPerHost int
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
	o.DNSTimeout = cmp.Or(o.DNSTimeout, 2*time.Second)
	o.DialTimeout = cmp.Or(o.DialTimeout, 5*time.Second)
	o.TLSTimeout = cmp.Or(o.TLSTimeout, 5*time.Second)
	o.MaxConns = cmp.Or(o.MaxConns, 16<<10)
	o.MaxPerHost = cmp.Or(o.MaxPerHost, 1<<10)
	o.MaxIdlePerHost = cmp.Or(o.MaxIdlePerHost, 256)
	o.Resolver = cmp.Or(o.Resolver, net.DefaultResolver)
	return o
}

// TLS is what one destination wants of TLS. What it does not say is as for all
// others; that certificates are verified cannot be changed.
type TLS struct {
	// RootCAs are trusted instead of [Options].RootCAs, if there are any.
	RootCAs *x509.CertPool
	// Certificates are what the client shows to a server that asks who it is.
	Certificates []tls.Certificate
}

// A Client makes requests. It may be used by several goroutines.
type Client struct {
	*core

	tls *TLS // nil for what all have
}

// A core is what clients share that were made of one another.
type core struct {
	options Options
	policy  *policy
	slots   *slots

	mu    sync.RWMutex
	pools map[pool]*http.Transport
}

// A pool names a set of connections that may stand in for one another.
type pool struct {
	plain  bool // without TLS
	permit Permit
	tls    *TLS
}

// New returns a client. It starts nothing; [Client.CloseIdle] ends what its
// requests leave open.
func New(o Options) *Client {
	o = o.WithDefaults()
	return &Client{core: &core{
		options: o, policy: newPolicy(o.Allow, o.Ports), slots: newSlots(o.MaxConns, o.MaxPerHost),
		pools: make(map[pool]*http.Transport),
	}}
}

// With returns a client that does TLS as t says. It shares bounds and policy
// with c, and [Client.CloseIdle] of either is for both, but not connections: a
// server that one trusts, or is known to by its certificate, may be another's
// stranger.
func (c *Client) With(t TLS) *Client { return &Client{core: c.core, tls: &t} }

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
	t := c.transport(pool{plain: scheme == "http", permit: p, tls: c.tls})
	if leavesAtOnce(req) {
		return t.RoundTrip(req.WithContext(ctx)) //nolint:wrapcheck // Do wraps it
	}
	return sendInFull(ctx, t, req)
}

// transport returns the connections of p, a new set if there is none.
func (c *core) transport(p pool) *http.Transport {
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

func (c *core) newTransport(p pool) *http.Transport {
	d := &dialer{core: c, guard: &guard{policy: c.policy, pool: p}, proxy: newProxy(c)}
	t := &http.Transport{
		Proxy:                  nil, // the environment must not choose where requests go
		DialContext:            d.dial,
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
	if p.tls != nil {
		t.TLSClientConfig.RootCAs = cmp.Or(p.tls.RootCAs, c.options.RootCAs)
		t.TLSClientConfig.Certificates = p.tls.Certificates
	}
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
func (c *Client) CloseIdle() { c.closeIdle() }

func (c *core) closeIdle() {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, t := range c.pools {
		t.CloseIdleConnections()
	}
}
