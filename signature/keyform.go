package signature

import (
	"crypto/sha1" //nolint:gosec // Braintree's key is a SHA-1; nothing rests on collisions
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// A KeyForm says how a secret, which is text, becomes a key.
type KeyForm string

// The key forms. There is one more: "strip:" and a regular expression, for the
// text without the beginning that matches it.
const (
	KeyUTF8   KeyForm = "utf8"   // the text itself; the default
	KeyHex    KeyForm = "hex"    // hexadecimal digits
	KeyBase64 KeyForm = "base64" // standard base64, padded
	KeyWhsec  KeyForm = "whsec"  // padded base64 of 24 to 64 bytes, as Standard Webhooks writes it: after "whsec_"
	KeySHA1   KeyForm = "sha1"   // the SHA-1 of the text
	KeyBasic  KeyForm = "basic"  // USER:PASSWORD of HTTP's basic authentication
	// KeyEither is the text itself or, if that does not match and it is
	// hexadecimal digits, the bytes they stand for. It is for providers whose
	// documents and customers disagree.
	KeyEither KeyForm = "utf8|hex"
	// KeyPublic is a public key, or the private key that belongs to it, which
	// signs as well: PEM, a certificate in PEM, a JWK or a set of them, the base64
	// of a SubjectPublicKeyInfo, or of an Ed25519 key the hexadecimal digits or
	// base64 of its bytes, with or without "whpk_" or "whsk_".
	KeyPublic KeyForm = "public"
)

// keyStrip begins a key form with a regular expression.
const keyStrip = "strip:"

// The bounds and the prefix come from Standard Webhooks 1.0.0. Supabase writes
// "v1," before it.
const (
	whsecPrefix = "whsec_"
	whsecMin    = 24
	whsecMax    = 64
)

const whsecHint = `use the secret as the sender shows it, or make one: echo "whsec_$(openssl rand -base64 32)"`

// A keyDecoder is a compiled KeyForm for secrets, not for public keys.
type keyDecoder func(secret string) ([]byte, *KeyError)

func (f KeyForm) compile() (keyDecoder, error) {
	switch f {
	case "", KeyUTF8, KeyPublic, KeyEither:
		return func(secret string) ([]byte, *KeyError) { return []byte(secret), nil }, nil
	case KeyHex:
		return decodeHexKey, nil
	case KeyBase64:
		return decodeBase64Key, nil
	case KeyWhsec:
		return decodeWhsec, nil
	case KeySHA1:
		return func(secret string) ([]byte, *KeyError) {
			sum := sha1.Sum([]byte(secret)) //nolint:gosec // see the import
			return sum[:], nil
		}, nil
	case KeyBasic:
		return decodeBasic, nil
	}
	expression, ok := strings.CutPrefix(string(f), keyStrip)
	if !ok {
		return nil, fmt.Errorf("key form %q is none of utf8, hex, base64, whsec, sha1, basic, public, utf8|hex, strip:REGEXP",
			clip(string(f)))
	}
	beginning, err := regexp.Compile("^(?:" + expression + ")")
	if err != nil {
		return nil, fmt.Errorf("key form %q: %w", clip(string(f)), err)
	}
	return func(secret string) ([]byte, *KeyError) {
		return []byte(secret[len(beginning.FindString(secret)):]), nil
	}, nil
}

// Decoders tell lengths and positions in their errors, but nothing that the
// secret is made of: not even the one character that is wrong.

func decodeHexKey(secret string) ([]byte, *KeyError) {
	key, err := hex.DecodeString(secret)
	if err != nil {
		return nil, &KeyError{Problem: "it is not hexadecimal", Hint: "copy it as the provider shows it: digits and a to f"}
	}
	return key, nil
}

func decodeBase64Key(secret string) ([]byte, *KeyError) {
	key, err := base64.StdEncoding.DecodeString(secret)
	if err != nil {
		return nil, &KeyError{Problem: "it is not base64", Hint: "copy it as the provider shows it, with the = at its end"}
	}
	return key, nil
}

func decodeWhsec(secret string) ([]byte, *KeyError) {
	text := strings.TrimPrefix(strings.TrimPrefix(secret, "v1,"), whsecPrefix)
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, &KeyError{Problem: `it is not base64 after "whsec_"`, Hint: whsecHint}
	}
	if len(key) < whsecMin || len(key) > whsecMax {
		return nil, &KeyError{
			Problem: fmt.Sprintf("it holds %d bytes, and must hold %d to %d", len(key), whsecMin, whsecMax),
			Hint:    whsecHint,
		}
	}
	return key, nil
}

func decodeBasic(secret string) ([]byte, *KeyError) {
	if user, password, ok := strings.Cut(secret, ":"); !ok || user == "" && password == "" {
		return nil, &KeyError{Problem: "it is not USER:PASSWORD", Hint: "write both, with a colon between them"}
	}
	return []byte(secret), nil
}

// eitherKey is a secret that may be a key in two ways. It signs in the first.
type eitherKey [2]authenticator

func (k eitherKey) verify(m message, sigs [][]byte) bool {
	first, second := k[0].verify(m, sigs), k[1].verify(m, sigs)
	return first || second
}

func (k eitherKey) sign(m message) ([]byte, error) { return k[0].sign(m) }
