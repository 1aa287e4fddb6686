package signature

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// ebay is how eBay signs notifications: a header with base64 of JSON that holds
// the signature of the body.
// https://developer.ebay.com/api-docs/commerce/notification/overview.html
func ebay() *code { return &code{verify: verifyEBay, sign: signEBay, bound: true, public: true} }

const ebayHeader = "X-Ebay-Signature"

// ebaySignature is what the header holds.
type ebaySignature struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
	Signature string `json:"signature"`
	Digest    string `json:"digest"`
}

func verifyEBay(in *reading, keys *preparedKeys) (int, time.Time, *Error) {
	var none time.Time
	text, err := single(in.Header[ebayHeader])
	switch {
	case err != nil:
		return 0, none, refuse(ReasonDuplicateHeader, "%s %v", headerName(ebayHeader), err)
	case text == "":
		return 0, none, refuse(ReasonMissingSignature, "%s is absent", headerName(ebayHeader))
	}
	var header ebaySignature
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || json.Unmarshal(raw, &header) != nil {
		return 0, none, refuse(ReasonMalformedSignature, "%s has %d characters that are not base64 of JSON",
			headerName(ebayHeader), len(text))
	}
	if !strings.EqualFold(header.Algorithm, "ecdsa") || !strings.EqualFold(header.Digest, "sha1") {
		return 0, none, refuse(ReasonAlgorithm, "it is signed with %q and %q, and must be with ECDSA and SHA1",
			clip(header.Algorithm), clip(header.Digest))
	}
	sig, ok := in.scheme.mac.decode(header.Signature)
	if !ok {
		return 0, none, refuse(ReasonMalformedSignature, "the signature has %d characters that cannot be decoded", len(header.Signature))
	}
	in.sigs = append(in.sigs, sig)
	key, refusal := in.match(keys, message{body: in.Body})
	return key, none, refusal
}

func signEBay(in *reading, keys *preparedKeys, opts SignOptions) error {
	sig, err := keys.keys[0].sign(message{body: in.Body})
	if err != nil {
		return err
	}
	header, err := json.Marshal(ebaySignature{
		Algorithm: "ECDSA", KeyID: opts.Values["kid"], Signature: in.scheme.mac.encode(sig), Digest: "SHA1",
	})
	in.Header.Set(ebayHeader, base64.StdEncoding.EncodeToString(header))
	return err
}
