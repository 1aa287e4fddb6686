package signature

import (
	"strconv"
	"strings"
	"time"
)

// truelayer is how TrueLayer signs webhooks: a detached JWS over method, path, the
// headers that its own header lists, and the body. The key is at a URL that is
// in its header as well.
// https://github.com/TrueLayer/truelayer-signing
func truelayer() *code {
	return &code{verify: verifyTrueLayer, sign: signTrueLayer, url: true, bound: true, public: true}
}

// trueLayerMessage returns what is signed, with the headers of these names.
func (in *reading) trueLayerMessage(path string, names []string) (message, *Error) {
	head := []byte(in.Method + " " + path + "\n")
	for _, name := range names {
		value, err := in.signedHeader(name)
		if err != nil {
			return message{}, err
		}
		head = append(head, name+": "+value+"\n"...)
	}
	return message{head: head, body: in.Body}, nil
}

func verifyTrueLayer(in *reading, keys *preparedKeys) (int, time.Time, *Error) {
	var none time.Time
	s, jose := in.scheme, func(name string) string {
		value, _ := lookupJSON(in.token.header, []string{name})
		return value
	}
	if err := s.jws.problem(in.token); err != nil {
		return 0, none, err
	}
	if version := jose("tl_version"); version != "2" {
		return 0, none, refuse(ReasonUnsupportedVersion, "tl_version is %q, and must be 2", clip(version))
	}
	path, err := urlOperand(operandPath, in.URL)
	if err != nil {
		return 0, none, err
	}
	var names []string
	if list := jose("tl_headers"); list != "" {
		names = strings.Split(list, ",")
	}
	candidates, first := keys.keys, 0
	if len(candidates) == 0 {
		key, err := in.trueLayerKey(jose("jku"))
		if err != nil {
			return 0, none, err
		}
		candidates, first = []authenticator{key}, noKey
	}
	// The sender may have the path with a slash at its end, or without.
	bare := strings.TrimSuffix(string(path), "/")
	for _, path := range []string{bare, bare + "/"} {
		m, err := in.trueLayerMessage(path, names)
		if err != nil {
			return 0, none, err
		}
		for i, key := range candidates {
			if key != nil && key.verify(m, in.sigs) {
				return first + i, none, nil
			}
		}
	}
	return 0, none, mismatch(keys)
}

// trueLayerKey fetches the set of keys that a token names.
func (in *reading) trueLayerKey(rawURL string) (authenticator, *Error) {
	set, err := in.scheme.fetch(rawURL)
	if err != nil {
		return nil, err
	}
	key, problem := in.scheme.mac.prepare(set, in.scheme.key)
	if problem != nil {
		return nil, refuse(ReasonKeyUnavailable, "the fetched key cannot be used: %s", problem.Problem)
	}
	return key, nil
}

func signTrueLayer(in *reading, keys *preparedKeys, opts SignOptions) error {
	const header = "X-Tl-Webhook-Timestamp"
	in.Header.Set(header, opts.Time.UTC().Format(time.RFC3339))
	path, refusal := urlOperand(operandPath, in.URL)
	if refusal != nil {
		return refusal
	}
	m, refusal := in.trueLayerMessage(string(path), []string{header})
	if refusal != nil {
		return refusal
	}
	m.jose = []byte(`,"tl_version":"2","tl_headers":"` + header + `"`)
	token, err := keys.keys[0].sign(m)
	if err != nil {
		return err
	}
	return in.write([]string{string(token)})
}

// constantContact is how Constant Contact signs: a detached JWS over the body as
// it is, with the time in its header.
// https://v3.developer.constantcontact.com/api_guide/webhook_authenticity.html
func constantContact() *code {
	return &code{
		timed: true, bound: true, public: true,
		verify: func(in *reading, keys *preparedKeys) (int, time.Time, *Error) {
			if err := in.scheme.jws.problem(in.token); err != nil {
				return 0, time.Time{}, err
			}
			key, err := in.match(keys, message{body: in.Body})
			if err != nil {
				return 0, time.Time{}, err
			}
			text, _ := lookupJSON(in.token.header, []string{"ts"})
			sent, ok := Seconds.parse(text)
			if !ok {
				return 0, time.Time{}, refuse(ReasonTimestampMissing, "the token has no time in its header")
			}
			return key, sent, nil
		},
		sign: func(in *reading, keys *preparedKeys, opts SignOptions) error {
			token, err := keys.keys[0].sign(message{body: in.Body, jose: strconv.AppendInt([]byte(`,"ts":`), opts.Time.Unix(), decimal)})
			if err != nil {
				return err
			}
			return in.write([]string{string(token)})
		},
	}
}
