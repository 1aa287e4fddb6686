package ingest

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestOrigin(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for name, c := range map[string]struct {
		peer   string
		header http.Header
		want   origin
	}{
		"nothing said": {peer: "10.0.0.1:5", want: origin{"10.0.0.1", "http", "own:8000"}},
		"not trusted": {
			peer:   "192.0.2.9:5",
			header: http.Header{"X-Forwarded-For": {"1.2.3.4"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"hooks.example"}},
			want:   origin{"192.0.2.9", "http", "own:8000"},
		},
		"one proxy": {
			peer:   "10.0.0.1:5",
			header: http.Header{"X-Forwarded-For": {"203.0.113.7"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"hooks.example"}},
			want:   origin{"203.0.113.7", "https", "hooks.example"},
		},
		"what the sender wrote is not the peer": {
			peer:   "10.0.0.1:5",
			header: http.Header{"X-Forwarded-For": {"127.0.0.1, 10.9.9.9, 203.0.113.7"}},
			want:   origin{"203.0.113.7", "http", "own:8000"},
		},
		"two proxies that add": {
			peer: "[::1]:5",
			header: http.Header{"X-Forwarded-For": {"6.6.6.6, 203.0.113.7", "10.0.0.2"}, "X-Forwarded-Proto": {"ftp, https, http"},
				"X-Forwarded-Host": {"evil.example, hooks.example, inner"}},
			want: origin{"203.0.113.7", "https", "hooks.example"},
		},
		"a peer that is not an address": {
			peer: "10.0.0.1:5", header: http.Header{"X-Forwarded-For": {"unknown, 10.0.0.2"}}, want: origin{"10.0.0.2", "http", "own:8000"},
		},
		"not a host, not a scheme": {
			peer:   "10.0.0.1:5",
			header: http.Header{"X-Forwarded-Host": {"evil.example/path?"}, "X-Forwarded-Proto": {"javascript"}},
			want:   origin{"10.0.0.1", "http", "own:8000"},
		},
		"Forwarded": {
			peer:   "10.0.0.1:5",
			header: http.Header{"Forwarded": {`for=1.1.1.1;host=evil.example, For="[2001:db8::7]:4711";proto=HTTPS;host="hooks.example:8443"`}},
			want:   origin{"2001:db8::7", "https", "hooks.example:8443"},
		},
		"Forwarded is not mixed with the others": {
			peer:   "10.0.0.1:5",
			header: http.Header{"Forwarded": {"for=1.1.1.1;host=evil.example"}, "X-Forwarded-For": {"203.0.113.7"}},
			want:   origin{"203.0.113.7", "http", "own:8000"},
		},
		"mapped": {peer: "10.0.0.1:5", header: http.Header{"X-Forwarded-For": {"[::ffff:203.0.113.7]:99"}}, want: origin{"203.0.113.7", "http", "own:8000"}},
	} {
		r := httptest.NewRequest(http.MethodPost, "/webhook/s", nil)
		r.RemoteAddr, r.Host = c.peer, "own:8000"
		if c.header != nil {
			r.Header = c.header
		}
		if got := originOf(r, trusted); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.TLS = &tls.ConnectionState{}
	if got := originOf(r, nil); got.scheme != "https" {
		t.Errorf("over TLS: %+v", got)
	}
}

func TestURLOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ public, uri, want string }{
		{"", "/webhook/s?a=%2f&b", "https://seen.example/webhook/s?a=%2f&b"},
		{"https://hooks.example", "/webhook/s?a=%2f", "https://hooks.example/webhook/s?a=%2f"},
		{"https://hooks.example/in/square", "/webhook/s", "https://hooks.example/in/square"},
		{"https://hooks.example/in/square", "/webhook/s?a=b", "https://hooks.example/in/square?a=b"},
	} {
		r := httptest.NewRequest(http.MethodPost, c.uri, nil)
		if got := urlOf(r, &origin{scheme: "https", host: "seen.example"}, &Source{PublicURL: c.public}); got != c.want {
			t.Errorf("%q and %s: %s, want %s", c.public, c.uri, got, c.want)
		}
	}
}

func FuzzOrigin(f *testing.F) {
	f.Add("1.2.3.4, 10.0.0.1", "https", "a.example", `for="[::1]:2";proto=https`)
	f.Add(",,,", ",", "", ";=;")
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, peers, proto, host, forwarded string) {
		for _, header := range []http.Header{
			{"X-Forwarded-For": {peers}, "X-Forwarded-Proto": {proto}, "X-Forwarded-Host": {host}},
			{"Forwarded": {forwarded}},
		} {
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.RemoteAddr, r.Header = "10.0.0.1:1", header
			o := originOf(r, trusted)
			if _, err := netip.ParseAddr(o.peer); err != nil || !validHost(o.host) || o.scheme != "http" && o.scheme != "https" {
				t.Errorf("%+v", o)
			}
		}
	})
}
