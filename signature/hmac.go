package signature

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // HMAC-SHA1 is what some providers sign with, and is not broken as a MAC
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"sync"
)

// An Algorithm is the hash function of an HMAC.
type Algorithm string

// The algorithms.
const (
	SHA1   Algorithm = "sha1" // for old providers; not for anything new
	SHA256 Algorithm = "sha256"
	SHA512 Algorithm = "sha512"
)

// hmacMAC is the HMAC family, RFC 2104.
type hmacMAC struct {
	new      func() hash.Hash
	size     int
	encoding Encoding
}

func newHMAC(algorithm Algorithm, encoding Encoding) (*hmacMAC, error) {
	switch algorithm {
	case SHA1:
		return &hmacMAC{new: sha1.New, size: sha1.Size, encoding: encoding}, nil
	case SHA256:
		return &hmacMAC{new: sha256.New, size: sha256.Size, encoding: encoding}, nil
	case SHA512:
		return &hmacMAC{new: sha512.New, size: sha512.Size, encoding: encoding}, nil
	}
	return nil, fmt.Errorf("algorithm %q is none of sha1, sha256, sha512", clip(string(algorithm)))
}

func (h *hmacMAC) decode(text string) ([]byte, bool) { return h.encoding.decode(text, h.size) }

func (h *hmacMAC) encode(sig []byte) string { return h.encoding.encode(sig) }

func (h *hmacMAC) prepare(key []byte) authenticator {
	k := &hmacKey{}
	k.states.New = func() any { return &hmacState{mac: hmac.New(h.new, key)} }
	return k
}

// hmacKey keeps HMACs that have absorbed the key already, which saves two of
// the about twenty blocks that 1 KiB costs, and all allocations.
type hmacKey struct {
	states sync.Pool // of *hmacState
}

type hmacState struct {
	mac hash.Hash
	sum [sha512.Size]byte
}

// compute returns the HMAC of m, in state.sum.
func (s *hmacState) compute(m message) []byte {
	s.mac.Reset()
	m.writeTo(s.mac)
	return s.mac.Sum(s.sum[:0])
}

func (k *hmacKey) state() *hmacState {
	state, _ := k.states.Get().(*hmacState) // the pool holds nothing else
	return state
}

func (k *hmacKey) verify(m message, sigs [][]byte) bool {
	state := k.state()
	defer k.states.Put(state)
	sum, match := state.compute(m), false
	for _, sig := range sigs {
		match = hmac.Equal(sum, sig) || match
	}
	return match
}

func (k *hmacKey) sign(m message) []byte {
	state := k.state()
	defer k.states.Put(state)
	return append([]byte(nil), state.compute(m)...)
}
