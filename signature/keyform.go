package signature

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// A KeyForm says how a secret, which is text, becomes the bytes of a key.
type KeyForm string

// The key forms.
const (
	KeyUTF8   KeyForm = "utf8"   // the text itself; the default
	KeyHex    KeyForm = "hex"    // hexadecimal digits
	KeyBase64 KeyForm = "base64" // standard base64, padded
	KeyWhsec  KeyForm = "whsec"  // "whsec_" and the padded base64 of 24 to 64 bytes, as Standard Webhooks writes it
)

// The bounds and the prefix come from Standard Webhooks 1.0.0.
const (
	whsecPrefix = "whsec_"
	whsecMin    = 24
	whsecMax    = 64
)

const whsecHint = `use the secret as the sender shows it, or make one: echo "whsec_$(openssl rand -base64 32)"`

func (f KeyForm) valid() bool {
	switch f {
	case KeyUTF8, KeyHex, KeyBase64, KeyWhsec:
		return true
	}
	return false
}

// decode returns the bytes of a key. Its errors tell lengths and positions, but
// nothing that the secret is made of: not even the one character that is wrong.
func (f KeyForm) decode(secret string) ([]byte, *KeyError) {
	var key []byte
	var err error
	switch f {
	case KeyUTF8:
		key = []byte(secret)
	case KeyHex:
		if key, err = hex.DecodeString(secret); err != nil {
			return nil, &KeyError{Problem: "it is not hexadecimal", Hint: "copy it as the provider shows it: digits and a to f"}
		}
	case KeyBase64:
		if key, err = base64.StdEncoding.DecodeString(secret); err != nil {
			return nil, &KeyError{Problem: "it is not base64", Hint: "copy it as the provider shows it, with the = at its end"}
		}
	case KeyWhsec:
		return decodeWhsec(secret)
	}
	if len(key) == 0 {
		return nil, &KeyError{Problem: "it is empty", Hint: "set it to the secret that the sender signs with"}
	}
	return key, nil
}

func decodeWhsec(secret string) ([]byte, *KeyError) {
	text, ok := strings.CutPrefix(secret, whsecPrefix)
	if !ok {
		return nil, &KeyError{Problem: `it does not begin with "whsec_"`, Hint: whsecHint}
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, &KeyError{Problem: `what follows "whsec_" is not base64`, Hint: whsecHint}
	}
	if len(key) < whsecMin || len(key) > whsecMax {
		return nil, &KeyError{
			Problem: fmt.Sprintf("it holds %d bytes, and must hold %d to %d", len(key), whsecMin, whsecMax),
			Hint:    whsecHint,
		}
	}
	return key, nil
}
