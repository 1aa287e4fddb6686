package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"   //nolint:gosec // registers the hash: SNS and eBay still sign with it
	_ "crypto/sha256" // registers the hash
	_ "crypto/sha512" // registers the hash
	"errors"
	"fmt"
	"math/big"
)

// A publicAlgorithm is a signature algorithm with a public and a private key.
type publicAlgorithm struct {
	kind publicKind
	hash crypto.Hash // 0 for Ed25519, which hashes by itself
	bits int         // of the curve; 0 takes any
}

type publicKind int

const (
	kindEd25519  publicKind = iota
	kindRSA                 // PKCS #1 v1.5, RFC 8017
	kindECDSA               // signatures in ASN.1 DER
	kindRawECDSA            // signatures as two numbers of the curve's size, as JWS writes them, RFC 7518 section 3.4
)

var (
	errNoPrivateKey = errors.New("a private key is needed for signing, and only the public one is given")
	errKeyKind      = errors.New("it is a key for another algorithm")
)

// fits reports whether key is one for this algorithm.
func (a publicAlgorithm) fits(key crypto.PublicKey) bool {
	switch key := key.(type) {
	case ed25519.PublicKey:
		return a.kind == kindEd25519
	case *rsa.PublicKey:
		return a.kind == kindRSA
	case *ecdsa.PublicKey:
		return (a.kind == kindECDSA || a.kind == kindRawECDSA) && (a.bits == 0 || key.Curve.Params().BitSize == a.bits)
	}
	return false
}

// digest returns what is signed of a message: its hash, or all of it.
func (a publicAlgorithm) digest(m message) []byte {
	if a.kind == kindEd25519 {
		return m.bytes()
	}
	h := a.hash.New()
	m.writeTo(h)
	return h.Sum(nil)
}

// verify reports whether sig is of the message with this digest.
func (a publicAlgorithm) verify(key crypto.PublicKey, digest, sig []byte) bool {
	if !a.fits(key) {
		return false
	}
	switch key := key.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(key, digest, sig)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, a.hash, digest, sig) == nil
	case *ecdsa.PublicKey:
		if a.kind == kindECDSA {
			return ecdsa.VerifyASN1(key, digest, sig)
		}
		size := coordinateSize(key)
		return len(sig) == 2*size && //nolint:mnd // the two numbers
			ecdsa.Verify(key, digest, new(big.Int).SetBytes(sig[:size]), new(big.Int).SetBytes(sig[size:]))
	}
	return false
}

func (a publicAlgorithm) sign(key crypto.Signer, digest []byte) ([]byte, error) {
	switch {
	case key == nil:
		return nil, errNoPrivateKey
	case !a.fits(key.Public()):
		return nil, errKeyKind
	}
	if key, ok := key.(*ecdsa.PrivateKey); ok && a.kind == kindRawECDSA {
		r, s, err := ecdsa.Sign(rand.Reader, key, digest)
		if err != nil {
			return nil, err
		}
		size := coordinateSize(&key.PublicKey)
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...), nil
	}
	return key.Sign(rand.Reader, digest, a.hash)
}

func coordinateSize(key *ecdsa.PublicKey) int { return (key.Curve.Params().BitSize + 7) / 8 } //nolint:mnd // bits of a byte

// publicMAC is the family of algorithms with a public key.
type publicMAC struct {
	publicAlgorithm

	encoding Encoding
}

func newPublic(name string, encoding Encoding) (*publicMAC, error) {
	var a publicAlgorithm
	switch name {
	case "ed25519":
		a = publicAlgorithm{kind: kindEd25519}
	case "ecdsa-sha1": // eBay's
		a = publicAlgorithm{kind: kindECDSA, hash: crypto.SHA1}
	case "ecdsa-sha256":
		a = publicAlgorithm{kind: kindECDSA, hash: crypto.SHA256}
	case "rsa-sha1":
		a = publicAlgorithm{kind: kindRSA, hash: crypto.SHA1}
	case "rsa-sha256":
		a = publicAlgorithm{kind: kindRSA, hash: crypto.SHA256}
	case "rsa-sha512":
		a = publicAlgorithm{kind: kindRSA, hash: crypto.SHA512}
	default:
		return nil, fmt.Errorf("algorithm %q is none of ed25519, ecdsa-sha1, ecdsa-sha256, rsa-sha1, rsa-sha256, rsa-sha512", clip(name))
	}
	return &publicMAC{publicAlgorithm: a, encoding: encoding}, nil
}

func (p *publicMAC) decode(text string) ([]byte, bool) {
	if p.kind == kindEd25519 {
		return p.encoding.decode(text, ed25519.SignatureSize)
	}
	return p.encoding.decodeAny(text)
}

func (p *publicMAC) encode(sig []byte) string { return p.encoding.encode(sig) }

func (p *publicMAC) prepare(secret string, _ keyDecoder) (authenticator, *KeyError) {
	pairs, err := parsePublicKeys(secret)
	if err != nil {
		return nil, publicKeyError(err)
	}
	for _, pair := range pairs {
		if !p.fits(pair.public) {
			return nil, publicKeyError(errKeyKind)
		}
	}
	return &publicKey{algorithm: p.publicAlgorithm, pairs: pairs}, nil
}

func publicKeyError(err error) *KeyError {
	return &KeyError{Problem: err.Error(), Hint: "copy the public key whole, as the provider shows it: PEM, JWK or base64"}
}

// publicKey is one key, or a set of keys any of which may have signed.
type publicKey struct {
	algorithm publicAlgorithm
	pairs     []keyPair
}

func (k *publicKey) verify(m message, sigs [][]byte) bool {
	digest := k.algorithm.digest(m)
	for _, pair := range k.pairs {
		for _, sig := range sigs {
			if k.algorithm.verify(pair.public, digest, sig) {
				return true
			}
		}
	}
	return false
}

func (k *publicKey) sign(m message) ([]byte, error) {
	return k.algorithm.sign(k.pairs[0].private, k.algorithm.digest(m))
}
