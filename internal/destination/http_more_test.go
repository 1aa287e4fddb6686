package destination

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/egress"
	"github.com/tenterhook/tenterhook/signature"
	"github.com/tenterhook/tenterhook/signature/extra"
)

// What is signed for a provider's receivers is verified by them.
func TestHTTPSignsAsProvidersDo(t *testing.T) {
	t.Parallel()
	url, got := receiver(t)
	custom, err := signature.HMAC(signature.HMACOptions{Header: "X-Acme-Signature", Prefix: "v1="})
	if err != nil {
		t.Fatal(err)
	}
	schemes := []*signature.Scheme{custom}
	for _, name := range []string{"github", "stripe", "shopify", "slack", "hubspot_v3", "moralis"} {
		scheme, ok := extra.Lookup(name)
		if !ok {
			t.Fatalf("there is no %s", name)
		}
		schemes = append(schemes, scheme)
	}
	for _, scheme := range schemes {
		keys := testKeys(t, "a-secret-that-is-long-enough")
		h := newHTTP(t, url, func(c *HTTPConfig) { c.Sign, c.Scheme, c.Keys = SignScheme, scheme, keys })
		e := testEvent(`{"a":1}`)
		if a := deliver(t, h, e); a.Outcome != tenterhook.OutcomeSuccess {
			t.Errorf("%s: %+v", scheme.Name(), a)
			continue
		}
		r := <-got
		_, err := scheme.Verify(&signature.Request{
			Method: r.method, URL: url + r.uri, Header: r.header, Body: r.body,
		}, keys, time.Now())
		if err != nil || r.header.Get("Webhook-Id") != e.ID.String() || !bytes.Equal(r.body, e.Body) {
			t.Errorf("%s: %v, %v", scheme.Name(), err, r.header)
		}
	}
}

// While a secret is replaced, receivers that know either accept.
func TestHTTPRotation(t *testing.T) {
	t.Parallel()
	url, got := receiver(t)
	stripe, _ := extra.Lookup("stripe")
	h := newHTTP(t, url, func(c *HTTPConfig) {
		c.Sign, c.Scheme, c.Keys = SignScheme, stripe, testKeys(t, "the-new-and-long-secret", "the-old-and-long-secret")
	})
	deliver(t, h, testEvent("{}"))
	r := <-got
	for _, secret := range []string{"the-new-and-long-secret", "the-old-and-long-secret"} {
		if _, err := stripe.Verify(&signature.Request{Header: r.header, Body: r.body}, testKeys(t, secret), time.Now()); err != nil {
			t.Errorf("%s: %v", secret, err)
		}
	}
}

func TestHTTPShapeOfRequests(t *testing.T) {
	t.Parallel()
	url, got := receiver(t)
	h := newHTTP(t, url, func(c *HTTPConfig) {
		c.Method, c.ContentType = http.MethodPut, "application/vnd.app+json"
		c.PassHeaders = []string{"x-github-*", "X-Request-Id", "Webhook-Id"}
		c.Auth.Basic = &Basic{User: "me", Password: "pässword:1"}
	})
	e := testEvent("{}")
	for name, value := range map[string]string{
		"X-Github-Event": "push", "X-Github-Delivery": "1", "X-Request-Id": "2", "X-Other": "3", "Webhook-Id": "theirs",
	} {
		e.Header.Set(name, value)
	}
	deliver(t, h, e)
	r := <-got
	for name, want := range map[string]string{
		"X-Github-Event": "push", "X-Github-Delivery": "1", "X-Request-Id": "2", "X-Other": "",
		"Webhook-Id": e.ID.String(), "Content-Type": "application/vnd.app+json",
		"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("me:pässword:1")),
	} {
		if v := r.header.Get(name); v != want {
			t.Errorf("%s: %q, want %q", name, v, want)
		}
	}
	if r.method != http.MethodPut {
		t.Errorf("method %s", r.method)
	}
}

func TestHTTPSuccessCodes(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]tenterhook.Outcome{
		200: tenterhook.OutcomeSuccess, 201: tenterhook.OutcomeRetry, 409: tenterhook.OutcomeSuccess, 410: tenterhook.OutcomeRetry,
	} {
		url := serve(t, answer(fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n", status)))
		h := newHTTP(t, url, func(c *HTTPConfig) { c.Success = []StatusRange{{200, 200}, {409, 409}} })
		if a := deliver(t, h, testEvent("{}")); a.Outcome != want || a.Status != status {
			t.Errorf("%d: %+v", status, a)
		}
	}
	// One that comes before the request was sent in full has not taken it either.
	url := serve(t, func(c net.Conn) {
		if _, err := io.ReadFull(c, make([]byte, 1)); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 409 X\r\nContent-Length: 0\r\n\r\n")
			<-t.Context().Done()
		}
	})
	h := newHTTP(t, url, func(c *HTTPConfig) { c.Success, c.Timeout = []StatusRange{{409, 409}}, time.Second })
	a := deliver(t, h, testEvent(strings.Repeat("x", 16<<20)))
	if a.Outcome != tenterhook.OutcomeRetry || a.Status != 409 || !strings.Contains(a.Error, "before the request was sent in full") {
		t.Errorf("early: %+v", a)
	}
}

// A tokenServer gives out tokens and takes the last one only.
type tokenServer struct {
	*httptest.Server

	mu             sync.Mutex
	given, refused int
	revoked        bool
	form           string
}

func newTokenServer(t *testing.T) *tokenServer {
	t.Helper()
	s := &tokenServer{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if user, password, ok := r.BasicAuth(); !ok || user != "me" || password != "s3cret" {
			http.Error(w, `{"error":"invalid_client","error_description":"s3cret"}`, http.StatusUnauthorized)
			return
		}
		_ = r.ParseForm()
		s.form = r.Form.Encode()
		s.given++
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":3600}`, s.given)
	})
	mux.HandleFunc("/hooks", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.revoked || r.Header.Get("Authorization") != fmt.Sprintf("Bearer token-%d", s.given) {
			s.refused++
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *tokenServer) destination(t *testing.T, change func(*HTTPConfig)) *HTTP {
	t.Helper()
	return newHTTP(t, s.URL, func(c *HTTPConfig) {
		c.Auth.OAuth2 = &OAuth2{
			TokenURL: s.URL + "/token", ClientID: "me", ClientSecret: "s3cret", Scopes: []string{"a", "b"}, Audience: "hooks",
		}
		if change != nil {
			change(c)
		}
	})
}

func TestHTTPOAuth2(t *testing.T) {
	t.Parallel()
	s := newTokenServer(t)
	h := s.destination(t, nil)
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if a := h.Deliver(t.Context(), testEvent("{}"), nil); a.Outcome != tenterhook.OutcomeSuccess {
				t.Errorf("attempt: %+v", a)
			}
		})
	}
	wg.Wait()
	if s.given != 1 || s.form != "audience=hooks&grant_type=client_credentials&scope=a+b" {
		t.Errorf("%d tokens for five requests, asked for with %s", s.given, s.form)
	}
	s.given++ // the token is of no use any more
	if a := deliver(t, h, testEvent("{}")); a.Outcome != tenterhook.OutcomeSuccess || s.given != 3 || s.refused != 1 {
		t.Errorf("revoked: %+v, %d tokens, %d refused", a, s.given, s.refused)
	}
	s.revoked = true
	if a := deliver(t, h, testEvent("{}")); a.Status != 401 || s.given != 4 || s.refused != 3 {
		t.Errorf("refused for good: %+v, %d tokens, %d refused", a, s.given, s.refused)
	}
}

func TestHTTPOAuth2Failures(t *testing.T) {
	t.Parallel()
	s := newTokenServer(t)
	wrong := s.destination(t, func(c *HTTPConfig) { c.Auth.OAuth2.ClientSecret = "wr0ng" })
	a := deliver(t, wrong, testEvent("{}"))
	if a.Outcome != tenterhook.OutcomeRetry || !strings.HasPrefix(a.Error, "oauth2: the token was refused: answered 401") ||
		strings.Contains(a.Error, "s3cret") || strings.Contains(a.Error, "wr0ng") {
		t.Errorf("wrong secret: %+v", a)
	}
	elsewhere := s.destination(t, func(c *HTTPConfig) { c.Auth.OAuth2.TokenURL = "https://169.254.169.254.nip.invalid/token" })
	elsewhere.tokens.config.TokenURL = "http://169.254.169.254/token"
	if a := deliver(t, elsewhere, testEvent("{}")); a.Outcome != tenterhook.OutcomeRefused {
		t.Errorf("metadata: %+v", a)
	}
	silent := s.destination(t, func(c *HTTPConfig) {
		c.Auth.OAuth2.TokenURL, c.Timeout = serve(t, untilClosed)+"/token", 150*time.Millisecond
	})
	if a := deliver(t, silent, testEvent("{}")); a.Outcome != tenterhook.OutcomeRetry || a.Error != "no answer within 150ms" {
		t.Errorf("silent: %+v", a)
	}
	if s.refused != 0 {
		t.Errorf("%d events were sent without a token", s.refused)
	}
}

func TestHTTPCloudEvents(t *testing.T) {
	t.Parallel()
	url, got := receiver(t)
	binary := newHTTP(t, url, func(c *HTTPConfig) { c.CloudEvents = CloudEventsBinary })
	structured := newHTTP(t, url, func(c *HTTPConfig) {
		c.CloudEvents, c.Sign, c.Keys = CloudEventsStructured, SignStandardWebhooks, testKeys(t, testSecret)
	})
	e := testEvent(`{"n": 12345678901234567890.0, "é":"\u0041"}`)
	e.Type = "push café"
	deliver(t, binary, e)
	r := <-got
	for name, want := range map[string]string{
		"Ce-Specversion": "1.0", "Ce-Id": e.ID.String(), "Ce-Source": "/webhook/github", "Ce-Type": "push%20caf%C3%A9",
		"Ce-Time": "2026-11-23T15:04:05.678901Z", "Content-Type": "application/json; charset=utf-8",
	} {
		if v := r.header.Get(name); v != want {
			t.Errorf("%s: %q, want %q", name, v, want)
		}
	}
	if !bytes.Equal(r.body, e.Body) {
		t.Errorf("binary mode changed the body: %s", r.body)
	}

	deliver(t, structured, e)
	r = <-got
	var object struct {
		SpecVersion, ID, Source, Type, Time, DataContentType string

		Data json.RawMessage
	}
	if err := json.Unmarshal(r.body, &object); err != nil || object.SpecVersion != "1.0" || object.ID != e.ID.String() ||
		object.Source != "/webhook/github" || object.Type != e.Type || object.DataContentType != e.Header.Get("Content-Type") ||
		!bytes.Equal(object.Data, e.Body) || r.header.Get("Content-Type") != "application/cloudevents+json; charset=utf-8" {
		t.Errorf("structured: %v, %s, %v", err, r.body, r.header)
	}
	if _, err := signature.StandardWebhooks.Verify(
		&signature.Request{Header: r.header, Body: r.body}, testKeys(t, testSecret), time.Now()); err != nil {
		t.Errorf("what is signed is not what is sent: %v", err)
	}
	for _, body := range []string{"not JSON", "\xff\x00", ""} {
		deliver(t, structured, testEvent(body))
		r = <-got
		var object struct {
			Data *json.RawMessage
			B64  *string `json:"data_base64"`
		}
		if err := json.Unmarshal(r.body, &object); err != nil || object.Data != nil || object.B64 == nil ||
			*object.B64 != base64.StdEncoding.EncodeToString([]byte(body)) {
			t.Errorf("%q: %v, %s", body, err, r.body)
		}
	}
}

// A receiver that was to be asked gets nothing before it consented, and is asked
// no more afterwards. Status codes are no consent.
func TestHTTPHandshake(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var log []string
	allowed := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		log = append(log, r.Method+" "+r.Header.Get("WebHook-Request-Origin"))
		if allowed != "" {
			w.Header().Set("WebHook-Allowed-Origin", allowed)
		}
	}))
	t.Cleanup(s.Close)
	h := newHTTP(t, s.URL, func(c *HTTPConfig) { c.Handshake = "hooks.example.com" })
	for _, allow := range []string{"", "other.example.com"} {
		allowed = allow
		if a := deliver(t, h, testEvent("{}")); a.Outcome != tenterhook.OutcomeRetry || !strings.Contains(a.Error, "did not consent") {
			t.Errorf("%q: %+v", allow, a)
		}
	}
	allowed = "hooks.example.com"
	for range 2 {
		if a := deliver(t, h, testEvent("{}")); a.Outcome != tenterhook.OutcomeSuccess {
			t.Errorf("consented: %+v", a)
		}
	}
	const o, p = "OPTIONS hooks.example.com", "POST hooks.example.com"
	if got, want := fmt.Sprint(log), fmt.Sprint([]string{o, o, o, p, p}); got != want {
		t.Errorf("requests: %s, want %s", got, want)
	}
}

func TestHTTPMutualTLS(t *testing.T) {
	t.Parallel()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	template := x509.Certificate{SerialNumber: big.NewInt(7), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(nil, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if !bytes.Equal(r.TLS.PeerCertificates[0].Raw, der) {
			t.Error("another certificate was shown")
		}
	}))
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	own := &egress.TLS{RootCAs: roots}
	if a := deliver(t, newHTTP(t, s.URL, func(c *HTTPConfig) { c.TLS = own }), testEvent("{}")); a.Outcome != tenterhook.OutcomeRetry {
		t.Errorf("without a certificate: %+v", a)
	}
	own = &egress.TLS{RootCAs: roots, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	if a := deliver(t, newHTTP(t, s.URL, func(c *HTTPConfig) { c.TLS = own }), testEvent("{}")); a.Outcome != tenterhook.OutcomeSuccess {
		t.Errorf("with a certificate: %+v", a)
	}
}
