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

// topic is what stands in for a secret with Amazon SNS; it is in the sample.
const topic = "arn:aws:sns:eu-central-1:123456789012:orders"

// TestSamplesCanBeSigned signs every sample as its provider would, and lets the
// scheme verify it: what is signed besides the body, such as an id in a header or
// a field of the form, must be in the sample or be added by signing.
func TestSamplesCanBeSigned(t *testing.T) {
	t.Parallel()
	amazons, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	candidates := secrets(t)
	each(t, func(t *testing.T, p *provider.Provider) {
		options, values := signature.Options{Settings: make(map[string]string)}, map[string]string(nil)
		if p.Name == "aws_sns" { // which signs with Amazon's key, that the receiver fetches
			options.Fetcher = fetched(publicPEM(t, amazons))
			values = map[string]string{"private_key": privatePEM(t, amazons)}
		}
		scheme := schemeOf(t, p)
		for _, setting := range scheme.Settings() {
			options.Settings[setting.Name] = "setting-of-a-test"
		}
		scheme, err := scheme.With(options)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range p.Events {
			if err := signAndVerify(scheme, e, candidates, values); err != nil {
				t.Errorf("sample %s: %v", e.Type, err)
			}
		}
	})
}

// fetched is what is found at every URL.
type fetched string

func (f fetched) Fetch(string) ([]byte, error) { return []byte(f), nil }

func privatePEM(t *testing.T, key crypto.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func publicPEM(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// signAndVerify signs e with the first of the candidates that has the form of the
// scheme's keys.
func signAndVerify(scheme *signature.Scheme, e provider.Event, candidates []signature.Keys, values map[string]string) error {
	var problems []error
	for _, keys := range candidates {
		if scheme.CheckKeys(keys) != nil {
			continue
		}
		e, _ := (&provider.Provider{Events: []provider.Event{e}}).Event("") // signing changes it
		r, now := request(e), time.Now()
		opts := signature.SignOptions{ID: "msg_01JNAM4Q7W2X9K5V8C3R6T0YBZ", Time: now, Values: values}
		if err := scheme.Sign(r, keys, opts); err != nil {
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
		topic,
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
		texts = append(texts, privatePEM(t, key))
	}
	all := make([]signature.Keys, len(texts))
	for i, text := range texts {
		if all[i], err = signature.NewKeys(text); err != nil {
			t.Fatal(err)
		}
	}
	return all
}
