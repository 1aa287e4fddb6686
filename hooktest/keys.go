package hooktest

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// Keys returns a secret that was made up, of the form that scheme wants. Where
// the provider signs with a private key it is one, with which can be verified as
// well. If there is no such form the test fails.
func Keys(t TB, scheme *signature.Scheme) signature.Keys {
	t.Helper()
	probe := &signature.Request{Method: "POST", URL: "http://example.com/webhook", Body: []byte("{}")}
	opts := signature.SignOptions{ID: newID(), Time: time.Now()}
	var other signature.Keys // can verify, and may be able to sign other bodies
	for _, form := range secretForms() {
		keys, err := signature.NewKeys(form())
		if err != nil || scheme.CheckKeys(keys) != nil {
			continue
		}
		if scheme.Sign(clone(probe), keys, opts) == nil {
			return keys
		}
		if other.Len() == 0 {
			other = keys
		}
	}
	if other.Len() == 0 {
		t.Fatalf("hooktest: no form of secret that is known suits the scheme %q", scheme.Name())
	}
	return other
}

// secretForms are the forms of secrets, each as a function that makes one up.
// The cheap ones are first.
func secretForms() []func() string {
	return []func() string{
		func() string { return hex.EncodeToString(randomBytes()) },
		func() string { return "whsec_" + base64.StdEncoding.EncodeToString(randomBytes()) },
		func() string { return base64.StdEncoding.EncodeToString(randomBytes()) },
		func() string { return "user:" + hex.EncodeToString(randomBytes()) },
		func() string { return privatePEM(ed25519.NewKeyFromSeed(randomBytes()), nil) },
		func() string { return privatePEM(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) },
		func() string { return privatePEM(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) },
		func() string { return privatePEM(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)) },
		func() string { return privatePEM(rsa.GenerateKey(rand.Reader, 2048)) },
		func() string { return "arn:aws:sns:us-east-1:123456789012:" + hex.EncodeToString(randomBytes()) }, // which only verifies
	}
}

// randomBytes are as many as all of these forms have: 32.
func randomBytes() []byte {
	b := make([]byte, ed25519.SeedSize)
	_, _ = rand.Read(b) // never fails: crypto/rand aborts the program instead
	return b
}

// privatePEM is a private key in PKCS #8, or "" if there is none.
func privatePEM[K any](key K, err error) string {
	if err != nil {
		return ""
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
