package signature

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
)

// alipay is how Alipay signs notifications: the fields of the form, sorted, with
// RSA and the hash that sign_type names.
// https://opendocs.alipay.com/common/02mse7
func alipay() *code {
	return &code{verify: verifyAlipay, sign: signAlipay, bound: true, public: true}
}

// alipayMessage returns the fields, sorted, as name=value with "&" between them,
// without those in but.
func alipayMessage(fields url.Values, empty bool, but ...string) message {
	var pairs []string
	for _, name := range sortedKeys(fields) {
		if value := fields.Get(name); (value != "" || empty) && !slices.Contains(but, name) {
			pairs = append(pairs, name+"="+value)
		}
	}
	return message{body: []byte(strings.Join(pairs, "&"))}
}

// alipayMessages returns what may be signed: documents and SDKs differ in whether
// fields without a value are, and in some notifications sign_type is.
func alipayMessages(fields url.Values) []message {
	return []message{
		alipayMessage(fields, true, "sign", "sign_type"), alipayMessage(fields, true, "sign"),
		alipayMessage(fields, false, "sign", "sign_type"), alipayMessage(fields, false, "sign"),
	}
}

// alipayHash returns the name of the algorithm that a sign_type stands for.
func alipayHash(signType string) string {
	return map[string]string{"RSA2": "rsa-sha256", "RSA": "rsa-sha1"}[signType]
}

func verifyAlipay(in *reading, keys *preparedKeys) (int, time.Time, *Error) {
	var none time.Time
	fields, err := in.signedFields()
	if err != nil {
		return 0, none, err
	}
	for name, values := range fields {
		if len(values) > 1 {
			return 0, none, refuse(ReasonDuplicateHeader, "form field %s is there more than once", clip(name))
		}
	}
	mac, macErr := newPublic(alipayHash(fields.Get("sign_type")), Base64)
	if macErr != nil {
		return 0, none, refuse(ReasonAlgorithm, "sign_type is %q, and must be RSA2 or RSA", clip(fields.Get("sign_type")))
	}
	if fields.Get("sign") == "" {
		return 0, none, refuse(ReasonMissingSignature, "form field sign is absent")
	}
	sig, ok := mac.decode(fields.Get("sign"))
	if !ok {
		return 0, none, refuse(ReasonMalformedSignature,
			"form field sign has %d characters that cannot be decoded", len(fields.Get("sign")))
	}
	for i, key := range keys.keys {
		public, ok := key.(*publicKey)
		if !ok {
			continue
		}
		hashed := &publicKey{algorithm: mac.publicAlgorithm, pairs: public.pairs}
		for _, m := range alipayMessages(fields) {
			if hashed.verify(m, [][]byte{sig}) {
				return i, none, nil
			}
		}
	}
	return 0, none, mismatch(keys)
}

func signAlipay(in *reading, keys *preparedKeys, _ SignOptions) error {
	if err := in.putField("sign_type", "RSA2"); err != nil {
		return err
	}
	key, ok := keys.keys[0].(*publicKey)
	if !ok {
		return errors.New("the key is no RSA key")
	}
	sig, err := key.sign(alipayMessage(in.fields(), true, "sign", "sign_type"))
	if err != nil {
		return err
	}
	return in.putField("sign", in.scheme.mac.encode(sig))
}
