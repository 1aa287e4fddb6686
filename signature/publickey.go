package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

const (
	minRSA      = 2048 // bits
	maxExponent = 4    // bytes, of an RSA key in a JWK
)

// A keyPair is a public key, and the private key if it is known.
type keyPair struct {
	id      string // of a JWK; may be empty
	public  crypto.PublicKey
	private crypto.Signer // nil if only the public key is known
}

var (
	errNoPublicKey = errors.New("it is neither PEM, nor a JWK, nor the base64 or hexadecimal digits of a public key")
	errSmallRSA    = fmt.Errorf("an RSA key of fewer than %d bits is too weak", minRSA)
)

// parsePublicKeys reads a key, or a set of keys, in any of the forms of
// [KeyPublic]. Its errors tell nothing of the text.
func parsePublicKeys(text string) ([]keyPair, error) {
	text = strings.TrimSpace(text)
	var pairs []keyPair
	var err error
	switch {
	case strings.Contains(text, "-----BEGIN "):
		pairs, err = parsePEM([]byte(text))
	case strings.HasPrefix(text, "["):
		pairs, err = parseJWKS([]byte(`{"keys":` + text + "}"))
	case strings.HasPrefix(text, "{"):
		pairs, err = parseJWKS([]byte(text))
	default:
		pairs, err = parseRawKey(text)
	}
	if err != nil {
		return nil, err
	}
	for _, pair := range pairs {
		if key, ok := pair.public.(*rsa.PublicKey); ok && key.N.BitLen() < minRSA {
			return nil, errSmallRSA
		}
	}
	return pairs, nil
}

func pairOf(private crypto.Signer) keyPair {
	return keyPair{public: private.Public(), private: private}
}

func parsePEM(text []byte) ([]keyPair, error) {
	var pairs []keyPair
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		pair, err := parseBlock(block)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair)
		if block.Type == "CERTIFICATE" {
			break // what follows is its chain
		}
	}
	if len(pairs) == 0 {
		return nil, errors.New("it is not whole PEM: lines may be missing")
	}
	return pairs, nil
}

func parseBlock(block *pem.Block) (keyPair, error) {
	var key any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
			key = certificate.PublicKey
		}
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		err = fmt.Errorf("PEM of the type %q holds no key", clip(block.Type))
	}
	if err != nil {
		return keyPair{}, err
	}
	if signer, ok := key.(crypto.Signer); ok {
		return pairOf(signer), nil
	}
	return keyPair{public: key}, nil
}

// parseRawKey reads base64 of a SubjectPublicKeyInfo, or an Ed25519 key.
func parseRawKey(text string) ([]keyPair, error) {
	body, secret := strings.CutPrefix(text, "whsk_")
	body = strings.TrimPrefix(body, "whpk_")
	der, err := hex.DecodeString(body)
	if err != nil {
		if der, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(body), "")); err != nil {
			return nil, errNoPublicKey
		}
	}
	switch {
	case secret && len(der) == ed25519.SeedSize:
		return []keyPair{pairOf(ed25519.NewKeyFromSeed(der))}, nil
	case len(der) == ed25519.PrivateKeySize:
		return []keyPair{pairOf(ed25519.NewKeyFromSeed(der[:ed25519.SeedSize]))}, nil
	case len(der) == ed25519.PublicKeySize && !secret:
		return []keyPair{{public: ed25519.PublicKey(der)}}, nil
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, errNoPublicKey
	}
	return []keyPair{{public: key}}, nil
}

// A jwk is a JSON Web Key, RFC 7517 and RFC 8037.
type jwk struct {
	Kty string `json:"kty"`
	Kid string `json:"kid"`
	Crv string `json:"crv"`
	Use string `json:"use"`
	X   string `json:"x"`
	Y   string `json:"y"`
	D   string `json:"d"`
	N   string `json:"n"`
	E   string `json:"e"`
}

// parseJWKS reads a JWK, a set of JWKs, or GitHub's list of public keys in PEM.
func parseJWKS(text []byte) ([]keyPair, error) {
	var set struct {
		jwk

		Keys       []jwk `json:"keys"`
		PublicKeys []struct {
			ID  string `json:"key_identifier"`
			Key string `json:"key"`
		} `json:"public_keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, errors.New("it is not the JSON of a JWK")
	}
	if set.Kty != "" {
		set.Keys = append(set.Keys, set.jwk)
	}
	var pairs []keyPair
	for i := range set.Keys {
		key := &set.Keys[i]
		if key.Use == "enc" {
			continue
		}
		pair, err := key.pair()
		if err != nil && len(set.Keys) == 1 {
			return nil, err
		}
		if err == nil { // others of the set may be of kinds unknown here
			pair.id = key.Kid
			pairs = append(pairs, pair)
		}
	}
	for _, key := range set.PublicKeys {
		parsed, err := parsePEM([]byte(key.Key))
		if err != nil {
			return nil, err
		}
		parsed[0].id = key.ID
		pairs = append(pairs, parsed[0])
	}
	if len(pairs) == 0 {
		return nil, errors.New("it holds no key that can be used")
	}
	return pairs, nil
}

func (k *jwk) pair() (keyPair, error) {
	bad := fmt.Errorf("the JWK of kind %q cannot be read", clip(k.Kty))
	x, errX := jwkBytes(k.X)
	y, errY := jwkBytes(k.Y)
	d, errD := jwkBytes(k.D)
	n, errN := jwkBytes(k.N)
	e, errE := jwkBytes(k.E)
	if errors.Join(errX, errY, errD, errN, errE) != nil {
		return keyPair{}, bad
	}
	switch {
	case k.Kty == "OKP" && k.Crv == "Ed25519" && len(d) == ed25519.SeedSize:
		return pairOf(ed25519.NewKeyFromSeed(d)), nil
	case k.Kty == "OKP" && k.Crv == "Ed25519" && len(x) == ed25519.PublicKeySize:
		return keyPair{public: ed25519.PublicKey(x)}, nil
	case k.Kty == "RSA" && len(n) > 0 && len(e) > 0 && len(e) <= maxExponent:
		return keyPair{public: &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}}, nil
	case k.Kty == "EC" && len(d) > 0:
		return ecPrivate(k.Crv, d, bad)
	case k.Kty == "EC":
		return ecPublic(k.Crv, x, y, bad)
	}
	return keyPair{}, bad
}

func jwkBytes(text string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
}

func curve(name string) elliptic.Curve {
	switch name {
	case "P-256":
		return elliptic.P256()
	case "P-384":
		return elliptic.P384()
	case "P-521":
		return elliptic.P521()
	}
	return nil
}

// fixed returns b with zeros before it, so that it has the bytes of a coordinate.
func fixed(b []byte, c elliptic.Curve) []byte {
	size := (c.Params().BitSize + 7) / 8 //nolint:mnd // bits of a byte
	if len(b) >= size {
		return b
	}
	return append(make([]byte, size-len(b)), b...)
}

func ecPublic(name string, x, y []byte, bad error) (keyPair, error) {
	c := curve(name)
	if c == nil || len(x) == 0 || len(y) == 0 {
		return keyPair{}, bad
	}
	const uncompressed = 4
	point := append(append([]byte{uncompressed}, fixed(x, c)...), fixed(y, c)...)
	key, err := ecdsa.ParseUncompressedPublicKey(c, point)
	if err != nil {
		return keyPair{}, bad
	}
	return keyPair{public: key}, nil
}

func ecPrivate(name string, d []byte, bad error) (keyPair, error) {
	c := curve(name)
	if c == nil {
		return keyPair{}, bad
	}
	key, err := ecdsa.ParseRawPrivateKey(c, fixed(d, c))
	if err != nil {
		return keyPair{}, bad
	}
	return pairOf(key), nil
}
