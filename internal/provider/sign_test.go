package provider_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/internal/provider"
	"github.com/tenterhook/tenterhook/signature"
)

// TestSamplesCanBeSigned signs every sample as its provider would, and lets the
// scheme verify it: what is signed besides the body, such as an id in a header or
// a field of the form, must be in the sample or be added by signing.
func TestSamplesCanBeSigned(t *testing.T) {
	t.Parallel()
	candidates := secrets(t)
	each(t, func(t *testing.T, p *provider.Provider) {
		scheme, err := configured(schemeOf(t, p))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range p.Events {
			if err := signAndVerify(scheme, e, candidates); err != nil {
				t.Errorf("sample %s: %v", e.Type, err)
			}
		}
	})
}

// configured returns the scheme with some value for each of its settings.
func configured(scheme *signature.Scheme) (*signature.Scheme, error) {
	settings := make(map[string]string)
	for _, setting := range scheme.Settings() {
		settings[setting.Name] = "setting-of-a-test"
	}
	return scheme.With(signature.Options{Settings: settings})
}

// signAndVerify signs e with the first of the candidates that has the form of the
// scheme's keys.
func signAndVerify(scheme *signature.Scheme, e provider.Event, candidates []signature.Keys) error {
	var problems []error
	for _, keys := range candidates {
		if scheme.CheckKeys(keys) != nil {
			continue
		}
		e, _ := (&provider.Provider{Events: []provider.Event{e}}).Event("") // signing changes it
		r, now := request(e), time.Now()
		if err := scheme.Sign(r, keys, signature.SignOptions{ID: "msg_01JNAM4Q7W2X9K5V8C3R6T0YBZ", Time: now}); err != nil {
			problems = append(problems, err) // the wrong half of a key pair, or the wrong curve
			continue
		}
		if _, err := scheme.Verify(r, keys, now); err != nil {
			return fmt.Errorf("verify what was signed: %w", err)
		}
		return nil
	}
	return errors.Join(append(problems, errors.New("no key of the test signs it"))...)
}

// secrets returns one secret of each form that schemes want, the most usual first.
func secrets(t *testing.T) []signature.Keys {
	t.Helper()
	// As hex, as base64 and as it stands, this is a long enough key.
	texts := []string{
		"6c6f6f6d2d776172702d776566742d736875747468652d7265656432303236aa",
		"whsec_bG9vbS13YXJwLXdlZnQtc2h1dHRsZS1yZWVk",
		"loom:6c6f6f6d2d77617270",
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private := []crypto.PrivateKey{rsaKey, edKey}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		private = append(private, key)
	}
	for _, key := range private {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	}
	all := make([]signature.Keys, len(texts))
	for i, text := range texts {
		if all[i], err = signature.NewKeys(text); err != nil {
			t.Fatal(err)
		}
	}
	return all
}
