package signature_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// privateKey returns a new private key in PEM, and its public key.
func privateKey(tb testing.TB, key any, err error) (private, public string) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	var pub any
	switch key := key.(type) {
	case *rsa.PrivateKey:
		pub = &key.PublicKey
	case *ecdsa.PrivateKey:
		pub = &key.PublicKey
	case ed25519.PrivateKey:
		pub = key.Public()
	}
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		tb.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
}

// pairs are keys of every form: what signs, and what verifies.
var pairs = sync.OnceValue(func() [][2]string {
	tb := new(testing.B)
	var all [][2]string
	add := func(key any, err error) {
		private, public := privateKey(tb, key, err)
		all = append(all, [2]string{private, public})
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	add(rsaKey, err)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	add(p256, err)
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	add(p521, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	add(ed, err)
	for _, secret := range []string{
		whsecA, strings.Repeat("00ff", 16), "AAECAwQFBgcICQoLDA0ODw==", "user:password", "arn:aws:sns:us-east-1:123456789012:MyTopic",
	} {
		all = append(all, [2]string{secret, secret})
	}
	return all
})

// keysFor returns keys that fit a scheme: what signs, and what verifies.
func keysFor(tb testing.TB, s *signature.Scheme) (private, public signature.Keys) {
	tb.Helper()
	order := slices.Clone(pairs())
	if !s.Public() {
		slices.Reverse(order)
	}
	for _, pair := range order {
		private, public = newKeys(tb, pair[0]), newKeys(tb, pair[1])
		if s.CheckKeys(private) == nil && s.CheckKeys(public) == nil {
			return private, public
		}
	}
	tb.Fatalf("%s: no key fits", s.Name())
	return private, public
}

// firstValid returns the first request of each file that verifies.
func firstValid(tb testing.TB) map[string]*vector {
	tb.Helper()
	first := make(map[string]*vector)
	for _, v := range readVectors(tb) {
		if _, known := signature.Lookup(v.Provider); v.Kind == "request" && v.Valid && first[v.Provider] == nil && known {
			first[v.Provider] = v
		}
	}
	return first
}

// What is signed here is what the provider signs: a request that verifies, signed
// again with the same key, time and id, is the same request.
func TestSignMakesTheVectors(t *testing.T) {
	t.Parallel()
	for name, v := range firstValid(t) {
		s := v.scheme(t)
		if s.Public() || s.Name() == "adyen" || s.Name() == "coinbase_cdp" || strings.Contains(strings.Join(headerValues(v), " "), "eyJ") {
			continue // such signatures differ each time, or are more than is read
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given, again := v.request(), v.request()
			if err := s.Sign(again, newKeys(t, v.Secrets...), signature.SignOptions{}); err != nil {
				t.Fatal(err)
			}
			for header, values := range again.Header {
				if got, want := strings.ToLower(values[0]), strings.ToLower(given.Header.Get(header)); got != want {
					t.Errorf("%s is %q, want %q", header, got, want)
				}
			}
			if _, err := s.Verify(again, newKeys(t, v.Secrets...), time.Unix(v.Now, 0)); err != nil {
				t.Error(err)
			}
		})
	}
}

func headerValues(v *vector) []string {
	var all []string
	for _, h := range v.Headers {
		all = append(all, h[1])
	}
	return all
}

// Every scheme signs requests that it verifies, and that nothing else does.
func TestSignAndVerify(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for name, v := range firstValid(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := v.scheme(t)
			private, public := keysFor(t, s)
			r := v.request()
			opts := signature.SignOptions{ID: "msg-1", Time: now}
			if name == "aws_sns" { // Amazon's key is fetched, and a receiver has the names of its topics
				opts.Values = map[string]string{"private_key": pairs()[0][0]}
				fetch := fetched{}
				for url := range fetchable(t, v) {
					fetch[url], _ = json.Marshal(pairs()[0][1])
				}
				adapted, err := s.With(signature.Options{Fetcher: fetch})
				if err != nil {
					t.Fatal(err)
				}
				s = adapted
			}
			if err := s.Sign(r, private, opts); err != nil {
				t.Fatal(err)
			}
			result, err := s.Verify(r, public, now)
			if err != nil {
				t.Fatal(err)
			}
			if !s.Keyless() || s.Public() {
				if _, err := s.Verify(r, signature.Keys{}, now); reasonOf(t, err) == "" {
					t.Error("it verifies without a key")
				}
			}
			if result.Time.After(now) || now.Sub(result.Time) > time.Second && !result.Time.IsZero() {
				t.Errorf("it was signed at %v, want %v", result.Time, now)
			}
			changeBody(t, s, public, r, result, now)
		})
	}
}

func fetchable(t *testing.T, v *vector) map[string]json.RawMessage {
	t.Helper()
	all := make(map[string]json.RawMessage)
	if err := json.Unmarshal(v.Config["certs"], &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// changeBody changes bytes all over a body that is said to be bound.
func changeBody(t *testing.T, s *signature.Scheme, keys signature.Keys, r *signature.Request, signed signature.Result, now time.Time) {
	t.Helper()
	if !signed.BodyBound {
		return
	}
	for i := 0; i < len(r.Body); i += 1 + len(r.Body)/100 { //nolint:mnd // a hundred places will do
		changed := &signature.Request{Method: r.Method, URL: r.URL, Header: r.Header.Clone(), Body: bytes.Clone(r.Body)}
		changed.Body[i] ^= 1
		if _, err := s.Verify(changed, keys, now); err == nil && !sameFields(r.Body, changed.Body) {
			t.Fatalf("byte %d of the body can be changed: %q", i, changed.Body)
		}
	}
}

// sameFields reports whether two bodies are different ways to write the same
// fields, which is all that some schemes sign.
func sameFields(a, b []byte) bool {
	var va, vb any
	if json.Unmarshal(a, &va) != nil || json.Unmarshal(b, &vb) != nil {
		return false
	}
	ja, _ := json.Marshal(va)
	jb, _ := json.Marshal(vb)
	return bytes.Equal(ja, jb)
}
