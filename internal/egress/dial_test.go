package egress

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A name with one address that is out of bounds is not reached at all, also if
// the others are allowed and come first.
func TestEveryAddressOfANameMustBeAllowed(t *testing.T) {
	t.Parallel()
	s, conns := counter(t, (*httptest.Server).Start)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		answers []string
		blocked bool
	}{
		{[]string{"127.0.0.1"}, false},
		{[]string{"127.0.0.9", "127.0.0.1"}, false}, // nobody listens at the first
		{[]string{"127.0.0.1", "10.0.0.1"}, true},
		{[]string{"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "169.254.169.254"}, true},
		{[]string{"127.0.0.1", "8.8.8.8"}, true}, // public, but without TLS
	} {
		c := newClient(t, Options{Resolver: newDNS(t, test.answers).resolver(), Allow: rules(t, "127.0.0.0/8")})
		before := conns.Load()
		_, err := post(t, c, "http://receiver.example:"+port, Permit{})
		if errors.Is(err, ErrBlocked) != test.blocked || !test.blocked && err != nil {
			t.Errorf("%v: %v", test.answers, err)
		}
		if made := conns.Load() - before; test.blocked && made != 0 {
			t.Errorf("%v: %d connections", test.answers, made)
		}
	}
}

func TestRuleWithPort(t *testing.T) {
	t.Parallel()
	s, _ := counter(t, (*httptest.Server).Start)
	other, conns := counter(t, (*httptest.Server).Start)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, Options{Allow: rules(t, "127.0.0.0/8:"+port)})
	if status, err := post(t, c, s.URL, Permit{}); status != 200 || err != nil {
		t.Errorf("the port of the rule: %d, %v", status, err)
	}
	if _, err := post(t, c, other.URL, Permit{}); !errors.Is(err, ErrBlocked) || conns.Load() != 0 {
		t.Errorf("another port: %v, %d connections", err, conns.Load())
	}
	for _, text := range []string{"", "10.0.0.0", "10.0.0.0/8:", "10.0.0.0/8:0", "10.0.0.0/8:65536", "10.0.0.1/8", "10.0.0.0:443", "x/8:1"} {
		if rule, err := ParseRule(text); err == nil {
			t.Errorf("%q reads as %v", text, rule)
		}
	}
}

// At public addresses only usual ports are reached, and those that the operator
// named.
func TestPortsOfPublicAddresses(t *testing.T) {
	t.Parallel()
	p := newPolicy(rules(t, "10.0.0.0/8"), []uint16{9443})
	for address, want := range map[string]bool{
		"8.8.8.8:443": true, "8.8.8.8:8443": true, "8.8.8.8:9443": true, "8.8.8.8:22": false, "8.8.8.8:25": false,
		"[2a00:1450:4001::1]:6379": false, "10.0.0.1:22": true, "169.254.169.254:443": false,
	} {
		g := guard{policy: p}
		err := g.control(t.Context(), "tcp4", address, nil)
		if (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
		if blocked, ok := errors.AsType[*BlockedError](err); ok && blocked.Port && !strings.Contains(blocked.Hint(), "egress.ports") {
			t.Errorf("%s: %s", address, blocked.Hint())
		}
	}
	g := guard{policy: p, pool: pool{permit: literal(t, "https://receiver.example:2222")}}
	for address, want := range map[string]bool{"8.8.8.8:2222": true, "8.8.8.8:2223": false, "10.0.0.1:2222": true, "192.168.0.1:2222": false} {
		if err := g.control(t.Context(), "tcp4", address, nil); (err == nil) != want {
			t.Errorf("named by the operator, %s: %v", address, err)
		}
	}
}

// A tunneller is a proxy that notes what it was asked for, and connects to
// itself's neighbour whatever that was.
func tunneller(t *testing.T, to string) (*url.URL, func() []string) {
	t.Helper()
	var mu sync.Mutex
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Method+" "+r.RequestURI+" "+r.Host+" "+r.Header.Get("Proxy-Authorization"))
		mu.Unlock()
		if r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		out, err := net.Dial("tcp", to)
		if err != nil {
			t.Error(err)
			return
		}
		defer out.Close()
		in, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer in.Close()
		_, _ = io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n")
		go func() {
			_, _ = io.Copy(out, rw)
			_ = out.(*net.TCPConn).CloseWrite()
		}()
		_, _ = io.Copy(in, out)
	}))
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), asked...)
	}
}

// A proxy is asked for addresses that were judged here, never for names.
func TestProxyGetsJudgedAddresses(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	proxy, asked := tunneller(t, s.Listener.Addr().String())
	d := newDNS(t, []string{"93.184.216.34"}, []string{"93.184.216.34", "10.0.0.1"})
	c := newClient(t, Options{Resolver: d.resolver(), Proxy: proxy, ProxyAuthorization: "Basic bWU6cHc=", RootCAs: roots})

	if status, err := post(t, c, "https://example.com/", Permit{}); status != 200 || err != nil {
		t.Errorf("%d, %v", status, err)
	}
	const want = "CONNECT 93.184.216.34:443 93.184.216.34:443 Basic bWU6cHc="
	if got := asked(); len(got) != 1 || got[0] != want {
		t.Errorf("asked for %q", got)
	}
	c.CloseIdle()
	for _, target := range []string{"https://example.com/", "https://169.254.169.254/", "http://127.0.0.1/", "http://93.184.216.34/"} {
		if _, err := post(t, c, target, Permit{}); !errors.Is(err, ErrBlocked) {
			t.Errorf("%s: %v", target, err)
		}
	}
	here, conns := counter(t, (*httptest.Server).Start)
	if status, err := post(t, c, here.URL, literal(t, here.URL)); status != 200 || err != nil || conns.Load() != 1 {
		t.Errorf("this machine: %d, %v", status, err)
	}
	if got := asked(); len(got) != 1 {
		t.Errorf("asked for %q", got)
	}
}

func TestProxyThatRefuses(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"HTTP/1.1 403 Forbidden\r\n\r\n":                             "egress proxy: answered 403",
		"HTTP/1.1 200 OK\r\n\r\nboo":                                 "egress proxy: speaks before it is asked",
		"HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 1<<20):        "egress proxy: ",
		"nonsense\r\n\r\n":                                           "egress proxy: ",
		"HTTP/1.1 407 Proxy Authentication Required\r\nA: b\r\n\r\n": "egress proxy: answered 407",
	} {
		addr := serveRaw(t, func(conn net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.WriteString(conn, raw)
			}
		})
		c := newClient(t, Options{Proxy: &url.URL{Scheme: "http", Host: addr}})
		if _, err := post(t, c, "https://93.184.216.34/", Permit{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v", raw, err)
		}
	}
}

// serveRaw has handle speak on each connection until the test ends.
func serveRaw(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var conns sync.Map
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conns.Store(conn, nil)
			wg.Go(func() {
				defer conn.Close()
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		conns.Range(func(conn, _ any) bool { return conn.(net.Conn).Close() == nil || true })
		wg.Wait()
	})
	return listener.Addr().String()
}

// Whatever does not answer costs no more than its own bound, far below what the
// whole request may take.
func TestStallsAreBounded(t *testing.T) {
	t.Parallel()
	const bound = 100 * time.Millisecond
	silent := serveRaw(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	ended := make(chan struct{})
	t.Cleanup(func() { close(ended) }) // the resolver itself is patient
	deaf := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		<-ended
		return nil, net.ErrClosed
	}}
	tests := map[string]struct {
		options Options
		url     string
	}{
		"DNS":     {Options{Resolver: deaf, DNSTimeout: bound}, "https://receiver.example"},
		"connect": {Options{DialTimeout: bound}, "https://" + fullBacklog(t)},
		"TLS":     {Options{TLSTimeout: bound}, "https://" + silent},
		"proxy":   {Options{DialTimeout: bound, Proxy: &url.URL{Scheme: "http", Host: silent}}, "https://93.184.216.34"},
		"proxy's TLS": {
			Options{DialTimeout: bound, Proxy: &url.URL{Scheme: "https", Host: silent}}, "https://93.184.216.34",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			_, err := post(t, newClient(t, test.options), test.url, literal(t, test.url))
			timeout, ok := errors.AsType[net.Error](err)
			if took := time.Since(start); err == nil || took > 50*bound || !ok || !timeout.Timeout() {
				t.Errorf("%v after %v", err, took)
			}
		})
	}
}

// A destination's own authority is the only one that it is trusted by, its
// certificate is shown, and no connection is shared with those who have neither.
func TestTLSOfADestination(t *testing.T) {
	t.Parallel()
	var shown atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		shown.Store(int32(len(r.TLS.PeerCertificates)))
	}))
	s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	c := newClient(t, Options{})
	own := c.With(TLS{RootCAs: roots, Certificates: s.TLS.Certificates})
	if status, err := post(t, own, s.URL, literal(t, s.URL)); status != 200 || err != nil || shown.Load() != 1 {
		t.Errorf("%d, %v, %d certificates shown", status, err, shown.Load())
	}
	if _, err := post(t, c, s.URL, literal(t, s.URL)); err == nil {
		t.Error("a stranger's authority is trusted by all")
	}
	if status, err := post(t, c.With(TLS{RootCAs: roots}), s.URL, literal(t, s.URL)); status != 200 || err != nil || shown.Load() != 0 {
		t.Errorf("without certificate: %d, %v, %d shown", status, err, shown.Load())
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	if status, err := post(t, newClient(t, Options{RootCAs: roots}), s.URL, literal(t, s.URL)); err == nil {
		t.Errorf("answered %d", status)
	}
	wrong := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	if status, err := post(t, newClient(t, Options{RootCAs: roots}), wrong, literal(t, wrong)); err == nil {
		t.Errorf("another name: answered %d", status)
	}
}
