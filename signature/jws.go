package signature

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// jwsMAC is the family of JSON Web Signatures, RFC 7515, in compact form. A
// token carries its own payload: that is a JWT. A detached one signs the message
// and leaves its payload out, and may sign it as it is, RFC 7797.
type jwsMAC struct {
	algorithms []jwsAlgorithm // the only ones taken, whatever a token says
	detached   bool
	unencoded  bool
}

// A jwsAlgorithm is one of RFC 7518 or RFC 8037.
type jwsAlgorithm struct {
	name   string           // as in a token's header
	hmac   func() hash.Hash // nil for the others
	public publicAlgorithm
}

func newJWS(names []string, detached bool) (*jwsMAC, error) {
	m := &jwsMAC{detached: detached}
	for _, name := range names {
		algorithm, err := findJWSAlgorithm(strings.ToUpper(name))
		if err != nil {
			return nil, err
		}
		m.algorithms = append(m.algorithms, algorithm)
	}
	return m, nil
}

func findJWSAlgorithm(name string) (jwsAlgorithm, error) {
	for _, algorithm := range []jwsAlgorithm{
		{name: "HS256", hmac: sha256.New},
		{name: "HS384", hmac: sha512.New384},
		{name: "HS512", hmac: sha512.New},
		{name: "RS256", public: publicAlgorithm{kind: kindRSA, hash: crypto.SHA256}},
		{name: "RS384", public: publicAlgorithm{kind: kindRSA, hash: crypto.SHA384}},
		{name: "RS512", public: publicAlgorithm{kind: kindRSA, hash: crypto.SHA512}},
		{name: "ES256", public: publicAlgorithm{kind: kindRawECDSA, hash: crypto.SHA256, bits: 256}},
		{name: "ES384", public: publicAlgorithm{kind: kindRawECDSA, hash: crypto.SHA384, bits: 384}},
		{name: "ES512", public: publicAlgorithm{kind: kindRawECDSA, hash: crypto.SHA512, bits: 521}},
		{name: "EDDSA", public: publicAlgorithm{kind: kindEd25519}},
	} {
		if algorithm.name == name {
			if name == "EDDSA" {
				algorithm.name = "EdDSA"
			}
			return algorithm, nil
		}
	}
	return jwsAlgorithm{}, fmt.Errorf("algorithm %q is none of hs256, hs384, hs512, rs256, ..., es512, eddsa", clip(name))
}

// A jwsToken is a JWS taken apart.
type jwsToken struct {
	header  []byte // JSON
	payload []byte // as it is in the token, base64url; empty if detached
	input   []byte // what is signed, if not detached
	sig     []byte
}

// maxToken bounds the characters of a token.
const maxToken = 16 << 10

// parseToken takes a token apart. It does not check what its header says.
func parseToken(text []byte) (t jwsToken, ok bool) {
	if len(text) > maxToken {
		return t, false
	}
	parts := bytes.Split(text, []byte("."))
	if len(parts) != 3 { //nolint:mnd // header, payload, signature
		return t, false
	}
	encoding := base64.RawURLEncoding.Strict()
	var err error
	if t.header, err = encoding.AppendDecode(nil, parts[0]); err != nil || !json.Valid(t.header) {
		return t, false
	}
	if t.sig, err = encoding.AppendDecode(nil, parts[2]); err != nil || len(t.sig) == 0 {
		return t, false
	}
	t.payload = parts[1]
	t.input = text[:len(parts[0])+1+len(parts[1])]
	return t, true
}

// claims returns the payload of a token that carries one.
func (t *jwsToken) claims() ([]byte, bool) {
	payload, err := base64.RawURLEncoding.Strict().AppendDecode(nil, t.payload)
	return payload, err == nil && json.Valid(payload)
}

// problem says why a token is not one that this scheme takes, or returns nil.
func (j *jwsMAC) problem(t *jwsToken) *Error {
	name, _ := lookupJSON(t.header, []string{"alg"})
	if !slices.ContainsFunc(j.algorithms, func(a jwsAlgorithm) bool { return a.name == name }) {
		return refuse(ReasonAlgorithm, "the token is signed with %q, which this scheme does not use", clip(name))
	}
	var header struct {
		Crit []string `json:"crit"`
		B64  *bool    `json:"b64"`
	}
	if err := json.Unmarshal(t.header, &header); err != nil {
		return refuse(ReasonMalformedSignature, "the header of the token cannot be read")
	}
	unencoded := len(header.Crit) == 1 && header.Crit[0] == "b64" && header.B64 != nil && !*header.B64
	if (len(header.Crit) > 0 || header.B64 != nil) && !unencoded || unencoded != j.unencoded {
		return refuse(ReasonMalformedSignature, "the header of the token asks for what this scheme does not use")
	}
	if j.detached != (len(t.payload) == 0) {
		return refuse(ReasonMalformedSignature, "the token has its payload where this scheme does not have it")
	}
	return nil
}

func (j *jwsMAC) decode(text string) ([]byte, bool) {
	_, ok := parseToken([]byte(text))
	return []byte(text), ok
}

func (j *jwsMAC) encode(sig []byte) string { return string(sig) }

// prepare takes a secret for a public key if it can be one, and the scheme has an
// algorithm with public keys; then it is never the key of an HMAC, which anyone
// could compute.
func (j *jwsMAC) prepare(secret string, decode keyDecoder) (authenticator, *KeyError) {
	isPublic := func(a jwsAlgorithm) bool { return a.hmac == nil }
	if slices.ContainsFunc(j.algorithms, isPublic) {
		pairs, err := parsePublicKeys(secret)
		if err == nil {
			return j.preparePublic(pairs)
		}
		if !slices.ContainsFunc(j.algorithms, func(a jwsAlgorithm) bool { return !isPublic(a) }) {
			return nil, publicKeyError(err)
		}
	}
	key, err := decodeKey(secret, decode)
	if err != nil {
		return nil, err
	}
	k := &jwsKey{mac: j, hmacs: make(map[string]*hmacKey)}
	for _, a := range j.algorithms {
		if a.hmac != nil {
			k.hmacs[a.name] = newHMACKey(a.hmac, key)
		}
	}
	return k, nil
}

func (j *jwsMAC) preparePublic(pairs []keyPair) (authenticator, *KeyError) {
	for _, pair := range pairs {
		if slices.ContainsFunc(j.algorithms, func(a jwsAlgorithm) bool { return a.hmac == nil && a.public.fits(pair.public) }) {
			return &jwsKey{mac: j, pairs: pairs}, nil
		}
	}
	return nil, publicKeyError(errKeyKind)
}

// jwsKey is the key of an HMAC, or one or more public keys.
type jwsKey struct {
	mac   *jwsMAC
	hmacs map[string]*hmacKey // by the name of the algorithm
	pairs []keyPair
}

func (k *jwsKey) verify(m message, sigs [][]byte) bool {
	for _, sig := range sigs {
		t, ok := parseToken(sig)
		if ok && k.mac.problem(&t) == nil && k.verifyToken(m, &t) {
			return true
		}
	}
	return false
}

func (k *jwsKey) verifyToken(m message, t *jwsToken) bool {
	name, _ := lookupJSON(t.header, []string{"alg"})
	input := message{body: t.input}
	if k.mac.detached {
		input = k.mac.input(t.input, m)
	}
	for _, a := range k.mac.algorithms {
		if a.name != name {
			continue
		}
		if key := k.hmacs[name]; key != nil {
			return key.verify(input, [][]byte{t.sig})
		}
		if a.hmac != nil {
			return false
		}
		digest := a.public.digest(input)
		kid, _ := lookupJSON(t.header, []string{"kid"})
		return slices.ContainsFunc(k.pairs, func(p keyPair) bool {
			return (kid == "" || p.id == "" || kid == p.id) && a.public.verify(p.public, digest, t.sig)
		})
	}
	return false
}

// input returns what a detached token signs. Header is its own, and a dot.
func (j *jwsMAC) input(header []byte, m message) message {
	if j.unencoded {
		return message{head: slices.Concat(header, m.head), body: m.body, tail: m.tail}
	}
	return message{head: header, body: base64.RawURLEncoding.AppendEncode(nil, m.bytes())}
}

// sign returns a token whose payload is m, with the first algorithm that the key
// fits.
func (k *jwsKey) sign(m message) ([]byte, error) {
	for _, a := range k.mac.algorithms {
		if hmac := k.hmacs[a.name]; hmac != nil {
			return k.token(a.name, "", m, hmac.sign)
		}
		for _, pair := range k.pairs {
			if a.hmac == nil && a.public.fits(pair.public) {
				return k.token(a.name, pair.id, m, func(input message) ([]byte, error) {
					return a.public.sign(pair.private, a.public.digest(input))
				})
			}
		}
	}
	return nil, errKeyKind
}

func (k *jwsKey) token(algorithm, kid string, m message, sign func(message) ([]byte, error)) ([]byte, error) {
	header := []byte(`{"alg":"` + algorithm + `"`)
	if !k.mac.detached {
		header = append(header, `,"typ":"JWT"`...)
	}
	if kid != "" {
		header = appendQuoted(append(header, `,"kid":`...), kid)
	}
	if k.mac.unencoded {
		header = append(header, `,"b64":false,"crit":["b64"]`...)
	}
	header = append(append(header, m.jose...), '}')
	token := append(base64.RawURLEncoding.AppendEncode(nil, header), '.')
	input := k.mac.input(token, m)
	sig, err := sign(input)
	if err != nil {
		return nil, err
	}
	if !k.mac.detached {
		token = input.bytes()
	}
	return base64.RawURLEncoding.AppendEncode(append(token, '.'), sig), nil
}
