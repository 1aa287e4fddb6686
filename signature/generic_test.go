package signature_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// Every algorithm, encoding and prefix verifies what the standard library makes,
// and makes what it verifies.
func TestHMAC(t *testing.T) {
	t.Parallel()
	body, secret := payload(100), "a secret"
	hashes := map[signature.Algorithm]func() hash.Hash{
		"": sha256.New, signature.SHA1: sha1.New, signature.SHA256: sha256.New, signature.SHA512: sha512.New,
	}
	encodings := map[signature.Encoding][]func([]byte) string{
		"":                  {hex.EncodeToString},
		signature.Hex:       {hex.EncodeToString, func(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }},
		signature.Base64:    {base64.StdEncoding.EncodeToString},
		signature.Base64URL: {base64.RawURLEncoding.EncodeToString, base64.URLEncoding.EncodeToString},
	}
	for algorithm, newHash := range hashes {
		mac := hmac.New(newHash, []byte(secret))
		mac.Write(body)
		sum := mac.Sum(nil)
		for encoding, encoders := range encodings {
			for _, prefix := range []string{"", "sha=", "HMAC ", "{x}="} {
				t.Run(string(algorithm)+" "+string(encoding)+" "+prefix, func(t *testing.T) {
					t.Parallel()
					s, err := signature.HMAC(signature.HMACOptions{
						Header: "x-sig", Algorithm: algorithm, Encoding: encoding, Prefix: prefix, TypeHeader: "X-Type", IDHeader: "x-id",
					})
					if err != nil {
						t.Fatal(err)
					}
					keys := newKeys(t, secret)
					header := http.Header{"X-Type": {"order.paid"}, "X-Id": {"42"}}
					for _, encode := range encoders {
						header.Set("X-Sig", prefix+encode(sum))
						r := &signature.Request{Header: header, Body: body}
						result, err := s.Verify(r, keys, time.Now())
						want := signature.Result{Type: "order.paid", DeliveryID: "42", BodyBound: true}
						if err != nil || result != want {
							t.Errorf("got %+v, %v", result, err)
						}
						r.Body = body[1:]
						_, err = s.Verify(r, keys, time.Now())
						if reasonOf(t, err) != signature.ReasonSignatureMismatch {
							t.Errorf("another body: %v", err)
						}
					}
					r := &signature.Request{Body: body}
					if err := s.Sign(r, keys, signature.SignOptions{ID: "42"}); err != nil {
						t.Fatal(err)
					}
					if got, want := r.Header.Get("X-Sig"), prefix+encoders[0](sum); got != want {
						t.Errorf("signature is %q, want %q", got, want)
					}
					if got := r.Header.Get("X-Id"); got != "42" {
						t.Errorf("id is %q", got)
					}
				})
			}
		}
	}
}

func TestHMACRefuses(t *testing.T) {
	t.Parallel()
	for want, opts := range map[string]signature.HMACOptions{
		`header ""`:            {},
		`header "x sig"`:       {Header: "x sig"},
		`header "json:sig"`:    {Header: "json:sig"},
		`header "x-sig?\r"`:    {Header: "x-sig?\r"},
		`algorithm "md5"`:      {Header: "x", Algorithm: "md5"},
		`algorithm "SHA256"`:   {Header: "x", Algorithm: "SHA256"},
		`encoding "base32"`:    {Header: "x", Encoding: "base32"},
		`prefix "a\nb"`:        {Header: "x", Prefix: "a\nb"},
		`type header "a:b"`:    {Header: "x", TypeHeader: "a:b"},
		`id header "x\ty"`:     {Header: "x", IDHeader: "x\ty"},
		`prefix "aaaaaaaaaaaa`: {Header: "x", Prefix: strings.Repeat("a", 65)},
	} {
		if _, err := signature.HMAC(opts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to name %s", err, want)
		}
	}
}

// GitHub's old header can be declared, too.
func TestHMACForGitHubSHA1(t *testing.T) {
	t.Parallel()
	s, err := signature.HMAC(signature.HMACOptions{Header: "X-Hub-Signature", Algorithm: signature.SHA1, Prefix: "sha1="})
	if err != nil {
		t.Fatal(err)
	}
	r := &signature.Request{
		Header: http.Header{"X-Hub-Signature": {"sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59"}},
		Body:   []byte("Hello, World!"),
	}
	if _, err := s.Verify(r, newKeys(t, githubSecret), time.Now()); err != nil {
		t.Error(err)
	}
}
