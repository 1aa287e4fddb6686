package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenterhook/tenterhook/signature"
	"github.com/tenterhook/tenterhook/signature/extra"
)

// A rawScheme is a way to sign that the file describes, with the keys of
// [signature.Spec].
type rawScheme struct {
	read                            given[[]rawRead]
	mac, key, keyURL, keyHosts      given[string]
	sign, time, jsonFrom, handshake given[string]
	typ, subtype, id                given[string]
	tolerance                       given[time.Duration]
	claims, require                 given[[]rawPair]
}

// A rawRead is one place in a request and what is read there.
type rawRead struct {
	signature.Read

	at *node // the place
}

// A rawPair is a key and a text.
type rawPair struct {
	name, value string
	at          *node
}

func schemeKind() kind[rawScheme] {
	return object(nil,
		must(key("read", "Where values are, such as {x-signature: 'sha256={sig}', x-time: '{time}'}. "+
			"A place is a header, or json:a.b, form:a or query:a.",
			readKind(), func(s *rawScheme) *given[[]rawRead] { return &s.read })),
		key("mac", "How it is signed and written, such as hmac-sha256 hex (default) or ed25519 base64.",
			line(), func(s *rawScheme) *given[string] { return &s.mac }),
		key("key", "What the secret is to the algorithm, such as utf8 (default), hex, base64 or whsec.",
			line(), func(s *rawScheme) *given[string] { return &s.key }),
		key("key_url", "Where the public key is fetched if the source has no secret, such as header:x-cert-url.",
			line(), func(s *rawScheme) *given[string] { return &s.keyURL }),
		key("key_hosts", "With key_url: a regular expression for the whole host, such as keys[.]example[.]com.",
			line(), func(s *rawScheme) *given[string] { return &s.keyHosts }),
		key("sign", "What is signed, such as '{time}.{body}'. Default '{body}'.",
			textLines(), func(s *rawScheme) *given[string] { return &s.sign }),
		key("time", "The unit of {time}: s (default), ms, rfc3339 or httpdate.",
			line(), func(s *rawScheme) *given[string] { return &s.time }),
		key("tolerance", "How far {time} may be from now, such as 5m. Default: it is not looked at.",
			duration(time.Second, maxTolerance), func(s *rawScheme) *given[time.Duration] { return &s.tolerance }),
		key("require", "Values that must be right besides, by place, such as {'query:sha': '{body|sha256|hex}'}.",
			pairsKind(), func(s *rawScheme) *given[[]rawPair] { return &s.require }),
		key("claims", "What a {jwt} must say, by claim, such as {iss: shop, sha256: '{body|sha256|hex}'}.",
			pairsKind(), func(s *rawScheme) *given[[]rawPair] { return &s.claims }),
		key("json_from", "Where the JSON document is, if it is not the body, such as form:payload.",
			line(), func(s *rawScheme) *given[string] { return &s.jsonFrom }),
		key("handshake", "The handshake of another provider that this one does as well, such as slack or hub.",
			line(), func(s *rawScheme) *given[string] { return &s.handshake }),
		key("type", "Where the type of the event is, such as json:type or header:x-event.",
			line(), func(s *rawScheme) *given[string] { return &s.typ }),
		key("subtype", "Where it says what the type does, such as json:action.",
			line(), func(s *rawScheme) *given[string] { return &s.subtype }),
		key("id", "Where the delivery's id is. Default nowhere: no redelivery is recognised.",
			line(), func(s *rawScheme) *given[string] { return &s.id }),
	)
}

// textLines is a text that may have more than one line: signed messages do.
func textLines() kind[string] {
	return textKind(schema{"minLength": 1}, func(text string) (string, *complaint) {
		if text == "" {
			return "", &complaint{message: "the text is empty", hint: "write a value, or remove the key"}
		}
		return text, nil
	})
}

// readKind is a mapping of places to patterns, or to lists of them.
func readKind() kind[[]rawRead] {
	one := line()
	many := object(nil,
		must(key("sep", "The characters that separate items.",
			textLines(), func(r *rawItems) *given[string] { return &r.sep })),
		must(key("items", "Patterns of items, such as [t={time}, v1={sig}].",
			listOf(one), func(r *rawItems) *given[[]given[string]] { return &r.items })),
		key("positional", "The first item is taken apart by the first pattern, and so on. Default false.",
			boolean(), func(r *rawItems) *given[bool] { return &r.positional }),
		key("join", "What is between items when signing. Default the first of sep.",
			textLines(), func(r *rawItems) *given[string] { return &r.join }),
	)
	read := func(d *decoder, n *node) ([]rawRead, bool) {
		if !d.expect(n, mapping, "write one place, a colon and its pattern per line, such as x-signature: '{sig}'") {
			return nil, false
		}
		before := len(d.problems)
		var all []rawRead
		for _, e := range d.unique(n) {
			r := rawRead{at: e.key, Read: signature.Read{From: e.key.text}}
			if e.value.shape == mapping {
				items, _ := many.read(d, e.value) // false only with a problem, which is counted
				r.Sep, r.Items, r.Positional, r.Join = items.sep.v, words(items.items), items.positional.v, items.join.v
			} else {
				r.Pattern, _ = one.read(d, e.value) // as above
			}
			all = append(all, r)
		}
		return all, len(d.problems) == before
	}
	return kind[[]rawRead]{read: read, schema: schema{
		"type": "object", "additionalProperties": schema{"oneOf": []schema{one.schema, many.schema}},
	}}
}

type rawItems struct {
	sep, join  given[string]
	items      given[[]given[string]]
	positional given[bool]
}

// boolean is true or false.
func boolean() kind[bool] {
	return scalarKind(schema{"type": "boolean"}, isPlain, func(text string) (bool, *complaint) {
		if text != "true" && text != "false" {
			return false, &complaint{message: fmt.Sprintf("%q is neither true nor false", clip(text)), hint: "write true or false"}
		}
		return text == "true", nil
	})
}

// pairsKind is a mapping of texts to texts.
func pairsKind() kind[[]rawPair] {
	one := argument()
	read := func(d *decoder, n *node) ([]rawPair, bool) {
		if !d.expect(n, mapping, "write one name, a colon and its value per line") {
			return nil, false
		}
		before := len(d.problems)
		var all []rawPair
		for _, e := range d.unique(n) {
			value, _ := one.read(d, e.value) // false only with a problem, which is counted
			all = append(all, rawPair{name: e.key.text, value: value, at: e.key})
		}
		return all, len(d.problems) == before
	}
	return kind[[]rawPair]{read: read, schema: schema{"type": "object", "additionalProperties": one.schema}}
}

// defineScheme makes a scheme that sources can name.
func (b *builder) defineScheme(raw named[rawScheme]) {
	b.schemes[raw.name] = nil
	if _, taken := extra.Lookup(raw.name); taken || raw.name == providerHMAC || raw.name == providerNone {
		b.reject(raw.at, fmt.Sprintf("there is a provider %q already", raw.name), "give this one another name")
		return
	}
	s := raw.v
	if raw.ok && s.read.at == nil {
		b.reject(raw.at, fmt.Sprintf("the scheme %q reads nothing", raw.name),
			"write read: {x-signature: '{sig}'} with the header that holds the signature")
	}
	if !raw.ok || !s.read.ok {
		return
	}
	scheme, err := signature.New(s.spec(raw.name))
	if err != nil {
		b.rejectScheme(raw, err)
		return
	}
	b.schemes[raw.name] = scheme
	b.config.Schemes = append(b.config.Schemes, scheme)
}

// rejectScheme reports a problem at the key that it begins with.
func (b *builder) rejectScheme(raw named[rawScheme], err error) {
	if inner := errors.Unwrap(err); inner != nil {
		err = inner
	}
	message := err.Error()
	at := raw.at
	for _, part := range raw.v.parts() {
		if at == raw.at && part.at != nil && strings.HasPrefix(message, part.name) {
			at = part.at
		}
	}
	b.reject(at, fmt.Sprintf("the scheme %q cannot be used: %s", raw.name, message),
		"docs/signatures.md has the language, and what each provider's scheme is in it")
}

// parts returns what a problem may be about, by how its message begins.
func (s rawScheme) parts() []rawPair {
	parts := []rawPair{
		{name: "read", at: s.read.at}, {name: "mac", at: s.mac.at}, {name: "key hosts", at: s.keyHosts.at},
		{name: "key url", at: s.keyURL.at}, {name: "key", at: s.key.at}, {name: "sign", at: s.sign.at},
		{name: "time", at: s.time.at}, {name: "tolerance", at: s.tolerance.at}, {name: "it has a tolerance", at: s.tolerance.at},
		{name: "claim", at: s.claims.at}, {name: "require", at: s.require.at}, {name: "json", at: s.jsonFrom.at},
		{name: "type", at: s.typ.at}, {name: "subtype", at: s.subtype.at}, {name: "id:", at: s.id.at},
		{name: "handshake", at: s.handshake.at}, {name: "there is no handshake", at: s.handshake.at},
	}
	for _, r := range s.read.v { // before read itself: they say more
		parts = append([]rawPair{{name: fmt.Sprintf("read %q", r.From), at: r.at}}, parts...)
	}
	return slices.DeleteFunc(parts, func(p rawPair) bool { return p.at == nil })
}

func (s rawScheme) spec(name string) signature.Spec {
	spec := signature.Spec{
		Name: name, MAC: s.mac.v, Key: signature.KeyForm(s.key.v), Sign: s.sign.v, Time: signature.TimeUnit(s.time.v),
		Tolerance: s.tolerance.v, Type: s.typ.v, Subtype: s.subtype.v, ID: s.id.v,
		KeyURL: s.keyURL.v, KeyHosts: s.keyHosts.v, JSONFrom: s.jsonFrom.v, Handshake: s.handshake.v,
		Require: checks(s.require.v), Claims: checks(s.claims.v),
	}
	for _, r := range s.read.v {
		spec.Read = append(spec.Read, r.Read)
	}
	return spec
}

func checks(pairs []rawPair) []signature.Check {
	all := make([]signature.Check, len(pairs))
	for i, p := range pairs {
		all[i] = signature.Check{At: p.name, Is: p.value}
	}
	return all
}
