package signature

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
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
	// prepare returns what verifies and signs with one key, which is not empty.
	prepare(key []byte) authenticator
}

// An authenticator is a mac with one key. It is safe for concurrent use.
type authenticator interface {
	// verify reports whether one of the signatures is right for m. All of them
	// came from decode. It takes the same time whichever bytes differ.
	verify(m message, sigs [][]byte) bool
	// sign returns the signature for m.
	sign(m message) []byte
}

// A message is what is signed. The body is by far its longest part, so it is
// kept apart and never copied.
type message struct {
	head, body, tail []byte
}

func (m message) writeTo(w io.Writer) {
	for _, part := range [...][]byte{m.head, m.body, m.tail} {
		if len(part) > 0 {
			_, _ = w.Write(part) // a hash takes every write
		}
	}
}

// defaultMAC is what most providers use.
const defaultMAC = "hmac-sha256 hex"

// parseMAC reads the text of [Spec.MAC], such as "hmac-sha256 hex".
func parseMAC(text string) (mac, error) {
	if text == "" {
		text = defaultMAC
	}
	name, enc, _ := strings.Cut(text, " ")
	encoding := Encoding(enc)
	if !encoding.valid() {
		return nil, fmt.Errorf("mac %q: encoding %q is none of hex, base64, base64url", clip(text), clip(enc))
	}
	if algorithm, ok := strings.CutPrefix(name, "hmac-"); ok {
		m, err := newHMAC(Algorithm(algorithm), encoding)
		if err != nil {
			return nil, fmt.Errorf("mac %q: %w", clip(text), err)
		}
		return m, nil
	}
	return nil, fmt.Errorf("mac %q: algorithm %q is none of hmac-sha1, hmac-sha256, hmac-sha512", clip(text), clip(name))
}

// An Encoding is how the bytes of a signature are written as text.
type Encoding string

// The encodings.
const (
	Hex       Encoding = "hex"       // upper and lower case are accepted, lower case is written
	Base64    Encoding = "base64"    // standard alphabet, padded
	Base64URL Encoding = "base64url" // URL alphabet; padded or not is accepted, not padded is written
)

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
