package signature

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A mac is a way to authenticate a message: an algorithm, and how its
// signatures are written. A family of algorithms is one file with one type that
// implements mac, and one case in parseMAC.
type mac interface {
	// decode returns the signature that text stands for. It is false if text
	// cannot be one, by its characters or its length.
	decode(text string) (sig []byte, ok bool)
	// encode is the reverse of decode.
	encode(sig []byte) string
	// prepare returns what verifies and signs with one secret. The error says
	// that it does not have the form of a key.
	prepare(secret string, decode keyDecoder) (authenticator, *KeyError)
}

// An authenticator is a mac with one key. It is safe for concurrent use.
type authenticator interface {
	// verify reports whether one of the signatures is right for m. All of them
	// came from decode. It takes the same time whichever bytes differ.
	verify(m message, sigs [][]byte) bool
	// sign returns the signature for m. The error says why the key cannot sign.
	sign(m message) ([]byte, error)
}

// A message is what is signed. The body is by far its longest part, so it is
// kept apart and never copied.
type message struct {
	head, body, tail []byte

	jose []byte // members of a detached token's header, each after a comma
}

func (m message) writeTo(w io.Writer) {
	for _, part := range [...][]byte{m.head, m.body, m.tail} {
		if len(part) > 0 {
			_, _ = w.Write(part) // a hash takes every write
		}
	}
}

// bytes returns the message in one piece.
func (m message) bytes() []byte {
	if len(m.head)+len(m.tail) == 0 {
		return m.body
	}
	return slices.Concat(m.head, m.body, m.tail)
}

// defaultMAC is what most providers use.
const defaultMAC = "hmac-sha256 hex"

var errOption = errors.New("the only option is unencoded")

// parseMAC reads the text of [Spec.MAC], such as "hmac-sha256 hex".
func parseMAC(text string, form KeyForm) (mac, error) {
	if text == "" {
		text = defaultMAC
	}
	name, enc, encoded := strings.Cut(text, " ")
	family, algorithm, _ := strings.Cut(name, "-")
	switch family {
	case "none":
		return noneMAC{}, nil
	case "token":
		return tokenMAC{basic: form == KeyBasic}, nil
	case "jwt", "jws":
		m, err := newJWS(strings.Split(algorithm, ","), family == "jws")
		if err != nil || encoded && enc != "unencoded" {
			return nil, fmt.Errorf("mac %q: %w", clip(text), cmp.Or(err, errOption))
		}
		m.unencoded = encoded
		return m, nil
	}
	encoding := Encoding(enc)
	if !encoded || !encoding.valid() {
		return nil, fmt.Errorf("mac %q: encoding %q is none of hex, base64, base64url", clip(text), clip(enc))
	}
	var m mac
	var err error
	switch family {
	case "hmac":
		m, err = newHMAC(Algorithm(algorithm), encoding)
	case "hash":
		m, err = newDigest(Algorithm(algorithm), encoding)
	case "ed25519", "ecdsa", "rsa":
		m, err = newPublic(name, encoding)
	default:
		err = fmt.Errorf("algorithm %q is none of hmac-, hash-, ecdsa-, rsa- with sha1, sha256 or sha512, ed25519, "+
			"jwt-, jws-, token, none", clip(name))
	}
	if err != nil {
		return nil, fmt.Errorf("mac %q: %w", clip(text), err)
	}
	return m, nil
}

// An Encoding is how the bytes of a signature are written as text.
type Encoding string

// The encodings.
const (
	Hex       Encoding = "hex"       // upper and lower case are accepted, lower case is written
	Base64    Encoding = "base64"    // standard alphabet, padded
	Base64URL Encoding = "base64url" // URL alphabet; padded or not is accepted, not padded is written
)

// maxSignature bounds the characters of a signature whose length is not known
// beforehand. RSA of 8,192 bits has 2,048 in hexadecimal.
const maxSignature = 4096

func (e Encoding) valid() bool { return e == Hex || e == Base64 || e == Base64URL }

func (e Encoding) encode(b []byte) string {
	switch e {
	case Base64:
		return base64.StdEncoding.EncodeToString(b)
	case Base64URL:
		return base64.RawURLEncoding.EncodeToString(b)
	case Hex:
	}
	return hex.EncodeToString(b)
}

// decode returns the size bytes that text stands for. The length is checked
// first, so that no work is done for text of any other, and so that the line
// breaks which base64 decoders skip cannot be in it.
func (e Encoding) decode(text string, size int) ([]byte, bool) {
	var b []byte
	var err error
	switch {
	case e == Hex && len(text) == hex.EncodedLen(size):
		b, err = hex.DecodeString(text)
	case e == Base64 && len(text) == base64.StdEncoding.EncodedLen(size):
		b, err = base64.StdEncoding.Strict().DecodeString(text)
	case e == Base64URL && len(text) == base64.URLEncoding.EncodedLen(size):
		b, err = base64.URLEncoding.Strict().DecodeString(text)
	case e == Base64URL && len(text) == base64.RawURLEncoding.EncodedLen(size):
		b, err = base64.RawURLEncoding.Strict().DecodeString(text)
	}
	return b, err == nil && len(b) == size
}

// decodeAny is decode for signatures of any length.
func (e Encoding) decodeAny(text string) ([]byte, bool) {
	size := len(text) / 2 //nolint:mnd // hexadecimal digits of a byte
	if e != Hex {
		padding := len(text) - len(strings.TrimRight(text, "="))
		size = base64.RawStdEncoding.DecodedLen(len(text) - padding)
	}
	if len(text) > maxSignature || size == 0 {
		return nil, false
	}
	return e.decode(text, size)
}
