package signature

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
)

// sns is how Amazon SNS signs: some fields of the message, in alphabetical order,
// with a key whose certificate is at a URL in the message.
// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
//
// Every customer of Amazon's can have a message signed by Amazon. So the secrets
// of a receiver are the ARNs of the topics that it takes messages of.
func sns() *code {
	return &code{
		verify: verifySNS, sign: signSNS, fields: true, public: true,
		prepare: func(secret string) (authenticator, *KeyError) {
			if !strings.HasPrefix(secret, "arn:") {
				return nil, &KeyError{
					Problem: "it is not the ARN of a topic", Hint: "write the topic's ARN, such as arn:aws:sns:us-east-1:123456789012:NAME",
				}
			}
			return &tokenKey{secret: []byte(secret)}, nil
		},
	}
}

// snsFields returns the names of the fields that are signed in a message of this
// type.
func snsFields(typ string) []string {
	switch typ {
	case "Notification":
		return []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	case "SubscriptionConfirmation", "UnsubscribeConfirmation":
		return []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	}
	return nil
}

// snsMAC returns the algorithm of a SignatureVersion.
func snsMAC(version string) (*publicMAC, bool) {
	name := map[string]string{"1": "rsa-sha1", "2": "rsa-sha256"}[version]
	mac, err := newPublic(name, Base64)
	return mac, err == nil
}

// snsMessage returns what is signed, and false for a type that is never signed.
func snsMessage(doc []byte) (message, bool) {
	field := func(name string) (string, bool) { return lookupJSON(doc, []string{name}) }
	typ, _ := field("Type")
	names := snsFields(typ)
	var text []byte
	for _, name := range names {
		if value, ok := field(name); ok {
			text = append(append(append(append(text, name...), '\n'), value...), '\n')
		}
	}
	return message{body: text}, names != nil
}

func verifySNS(in *reading, keys *preparedKeys) (int, time.Time, *Error) {
	var none time.Time
	field := func(name string) string {
		value, _ := lookupJSON(in.Body, []string{name})
		return value
	}
	m, ok := snsMessage(in.Body)
	if !ok {
		return 0, none, refuse(ReasonMissingSignature, "the body is no message of SNS")
	}
	topic := slices.IndexFunc(keys.keys, func(key authenticator) bool {
		k, ok := key.(*tokenKey)
		return ok && string(k.secret) == field("TopicArn")
	})
	if topic < 0 {
		return 0, none, refuse(ReasonSignatureMismatch,
			"the topic %q is none of those that this receiver takes messages of", clip(field("TopicArn")))
	}
	mac, ok := snsMAC(field("SignatureVersion"))
	if !ok {
		return 0, none, refuse(ReasonUnsupportedVersion,
			"SignatureVersion is %q, and must be 1 or 2", clip(field("SignatureVersion")))
	}
	if field("Signature") == "" {
		return 0, none, refuse(ReasonMissingSignature, "json field Signature is absent")
	}
	sig, ok := mac.decode(field("Signature"))
	if !ok {
		return 0, none, refuse(ReasonMalformedSignature,
			"json field Signature has %d characters that cannot be decoded", len(field("Signature")))
	}
	sent, ok := RFC3339.parse(field("Timestamp"))
	if !ok {
		return 0, none, refuse(ReasonTimestampMalformed,
			"the timestamp %q is not exactly of the unit %s", clip(field("Timestamp")), RFC3339)
	}
	certificate, err := in.snsCertificate(field("SigningCertURL"))
	if err != nil {
		return 0, none, err
	}
	key, problem := mac.prepare(certificate, nil)
	if problem != nil {
		return 0, none, refuse(ReasonKeyUnavailable, "the fetched certificate cannot be used: %s", problem.Problem)
	}
	if !key.verify(m, [][]byte{sig}) {
		return 0, none, refuse(ReasonSignatureMismatch,
			"the signature was not made with Amazon's key, or the message was changed on its way")
	}
	return topic, sent, nil
}

// snsCertificate gets the certificate of a message from a host of Amazon's.
func (in *reading) snsCertificate(rawURL string) (string, *Error) {
	u, err := url.Parse(rawURL)
	if err != nil || !strings.HasSuffix(u.Path, ".pem") || u.RawQuery != "" {
		return "", refuse(ReasonKeyURL, "the certificate is said to be at %q, and its path must end in .pem", clip(rawURL))
	}
	return in.scheme.fetch(rawURL)
}

// signSNS signs with the private key of a certificate that the receiver's Fetcher
// must know; the ARN of the topic is in the body.
func signSNS(in *reading, _ *preparedKeys, opts SignOptions) error {
	pairs, err := parsePublicKeys(opts.Values["private_key"])
	if err != nil {
		return errors.New("the value private_key is needed: the PEM of the key that belongs to SigningCertURL")
	}
	version, _ := lookupJSON(in.Body, []string{"SignatureVersion"})
	mac, ok := snsMAC(version)
	if !ok {
		return errors.New("the body must have a SignatureVersion of 1 or 2")
	}
	var doc map[string]any
	if err := json.Unmarshal(in.Body, &doc); err != nil {
		return errors.New("the body must be a JSON object")
	}
	if !opts.Time.IsZero() {
		doc["Timestamp"] = RFC3339.format(opts.Time)
	}
	if opts.ID != "" {
		doc["MessageId"] = opts.ID
	}
	body, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	m, _ := snsMessage(body)
	sig, err := mac.publicAlgorithm.sign(pairs[0].private, mac.digest(m))
	if err != nil {
		return err
	}
	doc["Signature"] = mac.encode(sig)
	in.Body, err = json.Marshal(doc)
	return err
}
