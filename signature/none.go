package signature

// noneMAC is for providers that sign nothing and show no secret. All there is to
// go by is [Spec.Require], which a scheme of this kind must have.
type noneMAC struct{}

func (noneMAC) decode(string) ([]byte, bool) { return nil, false }

func (noneMAC) encode([]byte) string { return "" }

func (noneMAC) prepare(secret string, decode keyDecoder) (authenticator, *KeyError) {
	_, err := decodeKey(secret, decode)
	return noneKey{}, err
}

type noneKey struct{}

func (noneKey) verify(message, [][]byte) bool { return true }

func (noneKey) sign(message) ([]byte, error) { return nil, nil }
