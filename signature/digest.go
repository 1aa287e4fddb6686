package signature

import (
	"crypto/subtle"
	"hash"
)

// digestMAC is a plain hash over a message that holds the secret itself, which
// {secret} in [Spec.Sign] puts there. It is what some providers have; an HMAC
// would be better.
type digestMAC struct {
	new      func() hash.Hash
	size     int
	encoding Encoding
}

func newDigest(algorithm Algorithm, encoding Encoding) (*digestMAC, error) {
	hash, size, err := algorithm.newHash()
	if err != nil {
		return nil, err
	}
	return &digestMAC{new: hash, size: size, encoding: encoding}, nil
}

func (d *digestMAC) decode(text string) ([]byte, bool) { return d.encoding.decode(text, d.size) }

func (d *digestMAC) encode(sig []byte) string { return d.encoding.encode(sig) }

func (d *digestMAC) prepare(secret string, decode keyDecoder) (authenticator, *KeyError) {
	key, err := decodeKey(secret, decode)
	if err != nil {
		return nil, err
	}
	return &digestKey{new: d.new, secret: key}, nil
}

// digestKey is a secret that is part of each message. The template puts it
// there, because only it knows where.
type digestKey struct {
	new    func() hash.Hash
	secret []byte
}

func (k *digestKey) verify(m message, sigs [][]byte) bool {
	sum, _ := k.sign(m)
	match := 0
	for _, sig := range sigs {
		match |= subtle.ConstantTimeCompare(sum, sig)
	}
	return match == 1
}

func (k *digestKey) sign(m message) ([]byte, error) {
	h := k.new()
	m.writeTo(h)
	return h.Sum(nil), nil
}
