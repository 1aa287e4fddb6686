package egress

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newClient(t *testing.T, o Options) *Client {
	t.Helper()
	c := New(o)
	t.Cleanup(c.CloseIdle)
	return c
}

// post sends a small request to rawURL and returns the status.
func post(t *testing.T, c *Client, rawURL string, p Permit) (int, error) {
	t.Helper()
	return postBody(t, c, rawURL, "{}", p)
}

func postBody(t *testing.T, c *Client, rawURL, body string, p Permit) (int, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, rawURL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(ctx, req, p)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

func rules(t *testing.T, texts ...string) []Rule {
	t.Helper()
	var all []Rule
	for _, text := range texts {
		rule, err := ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		if rule.String() != text {
			t.Errorf("%s reads as %v", text, rule)
		}
		all = append(all, rule)
	}
	return all
}

func literal(t *testing.T, rawURL string) Permit {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	return PermitLiteral(u)
}

// counter is a server on loopback that counts the connections it gets.
func counter(t *testing.T, start func(*httptest.Server)) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var conns atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Proto", r.Proto)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	start(s)
	t.Cleanup(s.Close)
	return s, &conns
}

func TestOnlyWhatIsPermitted(t *testing.T) {
	t.Parallel()
	s, conns := counter(t, (*httptest.Server).Start)
	other, otherConns := counter(t, (*httptest.Server).Start)
	c := newClient(t, Options{})

	if _, err := post(t, c, s.URL, Permit{}); !errors.Is(err, ErrBlocked) || conns.Load() != 0 {
		t.Errorf("without permit: %v, %d connections", err, conns.Load())
	}
	if status, err := post(t, c, s.URL, literal(t, s.URL)); status != 200 || err != nil {
		t.Errorf("with permit: %d, %v", status, err)
	}
	// The connection that is kept now is not for others.
	if _, err := post(t, c, s.URL, Permit{}); !errors.Is(err, ErrBlocked) {
		t.Errorf("on a kept connection: %v", err)
	}
	if _, err := post(t, c, other.URL, literal(t, s.URL)); !errors.Is(err, ErrBlocked) || otherConns.Load() != 0 {
		t.Errorf("with the permit for another port: %v, %d connections", err, otherConns.Load())
	}
	allowed := newClient(t, Options{Allow: rules(t, "127.0.0.0/8")})
	if status, err := post(t, allowed, other.URL, Permit{}); status != 200 || err != nil {
		t.Errorf("in an allowed range: %d, %v", status, err)
	}
	var blocked *BlockedError
	_, err := post(t, c, s.URL+"/path?token=s3cret", Permit{})
	if !errors.As(err, &blocked) || blocked.Addr.String() != s.Listener.Addr().String() || blocked.Plain ||
		!strings.Contains(blocked.Hint(), "egress.allow") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("error: %#v, %v", blocked, err)
	}
}

func TestLocalhostIsALiteral(t *testing.T) {
	t.Parallel()
	s, _ := counter(t, (*httptest.Server).Start)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	rawURL := "http://localhost:" + port
	c := newClient(t, Options{})
	if status, err := post(t, c, rawURL, literal(t, rawURL)); status != 200 || err != nil {
		t.Errorf("with permit: %d, %v", status, err)
	}
	if _, err := post(t, c, rawURL, Permit{}); !errors.Is(err, ErrBlocked) {
		t.Errorf("without permit: %v", err)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	roots := func(s *httptest.Server) *x509.CertPool {
		pool := x509.NewCertPool()
		pool.AddCert(s.Certificate())
		return pool
	}
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		s, _ := counter(t, func(s *httptest.Server) {
			s.EnableHTTP2 = http2
			s.StartTLS()
		})
		c := newClient(t, Options{RootCAs: roots(s)})
		for _, size := range []int{2, 1 << 20} {
			body := strings.NewReader(strings.Repeat("x", size))
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, body)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := c.Do(t.Context(), req, literal(t, s.URL))
			if err != nil {
				t.Fatalf("%s, %d bytes: %v", name, size, err)
			}
			resp.Body.Close()
			if proto := resp.Header.Get("X-Proto"); proto != name || resp.StatusCode != http.StatusOK {
				t.Errorf("%s: %s, %d", name, proto, resp.StatusCode)
			}
		}
		c.CloseIdle()
	}
}

func TestSchemes(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	for _, scheme := range []string{"file", "ftp", "gopher", "unix", "ws", "HTTP", ""} {
		req := &http.Request{Method: http.MethodPost, URL: &url.URL{Scheme: scheme, Host: "127.0.0.1"}, Header: http.Header{}}
		if resp, err := c.Do(t.Context(), req, Permit{}); !errors.Is(err, ErrScheme) {
			if err == nil {
				resp.Body.Close()
			}
			t.Errorf("%q: %v", scheme, err)
		}
	}
}

// Proxies named in the environment get no request: they would see everything,
// and reach what we may not.
func TestProxyEnvironmentIsIgnored(t *testing.T) {
	proxy, conns := counter(t, (*httptest.Server).Start)
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"} {
		t.Setenv(name, proxy.URL)
	}
	t.Setenv("NO_PROXY", "")
	// The proxy may be reached, and where the name points to may not.
	d := newDNS(t, []string{"10.255.255.1"})
	c := newClient(t, Options{Resolver: d.resolver(), Allow: rules(t, "127.0.0.1/32")})
	for _, rawURL := range []string{"http://receiver.example", "https://receiver.example"} {
		if _, err := post(t, c, rawURL, Permit{}); !errors.Is(err, ErrBlocked) {
			t.Errorf("%s: %v", rawURL, err)
		}
	}
	if conns.Load() != 0 {
		t.Errorf("%d connections to the proxy", conns.Load())
	}
}

// A name is judged by the address that it has when it is dialled.
func TestRebinding(t *testing.T) {
	t.Parallel()
	s, conns := counter(t, (*httptest.Server).Start)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for name, answers := range map[string][][]string{
		"private":            {{"127.0.0.1"}},
		"mixed":              {{"127.0.0.1", "127.0.0.2", "169.254.169.254"}},
		"allowed, then not":  {{"127.0.0.3"}, {"127.0.0.1"}},
		"metadata by name":   {{"169.254.169.254"}},
		"Azure's wire":       {{"168.63.129.16"}},
		"nothing but a zero": {{"0.0.0.0"}},
	} {
		d := newDNS(t, answers...)
		c := newClient(t, Options{Resolver: d.resolver(), Allow: rules(t, "127.0.0.3/32")})
		for i := range answers {
			_, err := post(t, c, "http://receiver.example:"+port, Permit{})
			if name == "allowed, then not" && i == 0 {
				if err == nil || errors.Is(err, ErrBlocked) {
					t.Errorf("%s: allowed address: %v", name, err)
				}
				continue
			}
			if !errors.Is(err, ErrBlocked) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if conns.Load() != 0 {
		t.Errorf("%d connections", conns.Load())
	}
}

// Without TLS even a public address is out of bounds.
func TestPublicAddressNeedsTLS(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	var blocked *BlockedError
	_, err := post(t, c, "http://93.184.216.34/", Permit{})
	if !errors.As(err, &blocked) || !blocked.Plain || !strings.Contains(blocked.Hint(), "https") ||
		!strings.HasSuffix(err.Error(), "address is not allowed: 93.184.216.34:80 without TLS") {
		t.Errorf("error: %v", err)
	}
}

func TestRedirectsComeBack(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		http.Redirect(w, r, "http://169.254.169.254/", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(s.Close)
	status, err := post(t, newClient(t, Options{}), s.URL, literal(t, s.URL))
	if status != http.StatusTemporaryRedirect || err != nil || requests.Load() != 1 {
		t.Errorf("%d, %v, %d requests", status, err, requests.Load())
	}
}
