package signature

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // HMAC-SHA1 is what some providers sign with, and is not broken as a MAC
	"crypto/sha256"
	"crypto/sha512"
	"errors"
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

// newHash returns the hash function of an algorithm, and the length of its sums.
func (a Algorithm) newHash() (hash func() hash.Hash, size int, err error) {
	switch a {
	case SHA1:
		return sha1.New, sha1.Size, nil
	case SHA256:
		return sha256.New, sha256.Size, nil
	case SHA512:
		return sha512.New, sha512.Size, nil
	}
	return nil, 0, fmt.Errorf("algorithm %q is none of sha1, sha256, sha512", clip(string(a)))
}

func newHMAC(algorithm Algorithm, encoding Encoding) (*hmacMAC, error) {
	hash, size, err := algorithm.newHash()
	if err != nil {
		return nil, err
	}
	return &hmacMAC{new: hash, size: size, encoding: encoding}, nil
}

func (h *hmacMAC) decode(text string) ([]byte, bool) { return h.encoding.decode(text, h.size) }

func (h *hmacMAC) encode(sig []byte) string { return h.encoding.encode(sig) }

func (h *hmacMAC) prepare(secret string, decode keyDecoder) (authenticator, *KeyError) {
	key, err := decodeKey(secret, decode)
	if err != nil {
		return nil, err
	}
	return newHMACKey(h.new, key), nil
}

// decodeKey is decode, and refuses a key without bytes: everyone has it.
func decodeKey(secret string, decode keyDecoder) ([]byte, *KeyError) {
	key, err := decode(secret)
	if err == nil && len(key) == 0 {
		err = &KeyError{Problem: "it is empty", Hint: "set it to the secret that the sender signs with"}
	}
	return key, err
}

func newHMACKey(hash func() hash.Hash, key []byte) *hmacKey {
	k := &hmacKey{}
	k.states.New = func() any { return &hmacState{mac: hmac.New(hash, key)} }
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

func (k *hmacKey) sign(m message) ([]byte, error) {
	state := k.state()
	defer k.states.Put(state)
	return append([]byte(nil), state.compute(m)...), nil
}

// withHash returns m with another hash function.
func withHash(m mac, hash func() hash.Hash) (mac, error) {
	switch m := m.(type) {
	case *hmacMAC:
		return &hmacMAC{new: hash, size: hash().Size(), encoding: m.encoding}, nil
	case *digestMAC:
		return &digestMAC{new: hash, size: hash().Size(), encoding: m.encoding}, nil
	}
	return nil, errors.New("a hash function of its own goes with an HMAC or a hash")
}
