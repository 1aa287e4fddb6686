package egress

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A proxy is an HTTP proxy that the operator named. It is asked for a tunnel to
// an address, never to a name, for the address is what was judged. With http the
// tunnel carries the request all the same: a proxy does not see it.
type proxy struct {
	core *core
	url  *url.URL
}

// newProxy returns nil for no URL.
func newProxy(c *core) *proxy {
	if c.options.Proxy == nil {
		return nil
	}
	return &proxy{core: c, url: c.options.Proxy}
}

// tunnel returns a connection to target by way of the proxy.
func (p *proxy) tunnel(ctx context.Context, target netip.AddrPort) (net.Conn, error) {
	conn, err := p.connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("egress proxy: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // ends what is under way
	err = p.ask(conn, target)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = conn.Close() // the error before it counts
		return nil, fmt.Errorf("egress proxy: %w", err)
	}
	return conn, nil
}

// connect returns a connection to the proxy. Whatever address it has is fine:
// only the operator's file can name one.
func (p *proxy) connect(ctx context.Context) (net.Conn, error) {
	text := p.url.Port()
	if text == "" {
		text = defaultPort(p.url.Scheme)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("%q is not a port", text)
	}
	addrs, err := lookUp(ctx, p.core.options, p.url.Hostname(), uint16(port))
	if err != nil {
		return nil, err
	}
	conn, err := connectTo(ctx, addrs[0], nil, nil)
	if err != nil || p.url.Scheme != "https" {
		return conn, err
	}
	secured := tls.Client(conn, &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: p.url.Hostname(), RootCAs: p.core.options.RootCAs,
	})
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // the error before it counts
		return nil, err  //nolint:wrapcheck // tunnel wraps it
	}
	return secured, nil
}

// ask asks for the tunnel.
func (p *proxy) ask(conn net.Conn, target netip.AddrPort) error {
	var b strings.Builder
	fmt.Fprintf(&b, "CONNECT %[1]v HTTP/1.1\r\nHost: %[1]v\r\n", target)
	if auth := p.core.options.ProxyAuthorization; auth != "" {
		fmt.Fprintf(&b, "Proxy-Authorization: %s\r\n", auth)
	}
	b.WriteString("\r\n")
	if _, err := io.WriteString(conn, b.String()); err != nil {
		return err //nolint:wrapcheck // tunnel wraps it
	}
	br := bufio.NewReader(io.LimitReader(conn, maxHeader))
	resp, err := http.ReadResponse(br, &http.Request{Method: http.MethodConnect})
	if err != nil {
		return err //nolint:wrapcheck // tunnel wraps it
	}
	_ = resp.Body.Close() // after CONNECT it is the tunnel, of which nothing was read
	switch {
	case resp.StatusCode/100 != 2:
		return fmt.Errorf("answered %d", resp.StatusCode)
	case br.Buffered() > 0:
		return errors.New("speaks before it is asked")
	}
	return nil
}

// connectTo connects to one address. control sees it when the socket is made,
// and check the address that the connection has in the end.
func connectTo(
	ctx context.Context, addr netip.AddrPort,
	control func(context.Context, string, string, syscall.RawConn) error, check func(netip.AddrPort) error,
) (net.Conn, error) {
	dialer := net.Dialer{ControlContext: control}
	conn, err := dialer.DialContext(ctx, "tcp", addr.String())
	if err != nil || check == nil {
		return conn, err //nolint:wrapcheck // Do wraps it
	}
	remote, ok := conn.RemoteAddr().(*net.TCPAddr)
	if ok {
		err = check(remote.AddrPort())
	} else {
		err = ErrBlocked
	}
	if err != nil {
		_ = conn.Close() // nothing was sent on it
		return nil, err
	}
	return conn, nil
}
