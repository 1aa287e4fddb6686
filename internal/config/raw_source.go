package config

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/tenterhook/tenterhook/internal/secret"
)

// A rawSetting is a setting of a provider, with a value or a reference to one.
type rawSetting struct {
	name  string
	key   *node
	at    *node // the value
	value string
	ref   secret.Ref // not zero if the value is elsewhere
}

// settingsKind is a mapping of settings to values. Which there are depends on
// the provider, so that is checked later.
func settingsKind() kind[[]rawSetting] {
	read := func(d *decoder, n *node) ([]rawSetting, bool) {
		if !d.expect(n, mapping, "write one setting, a colon and its value per line") {
			return nil, false
		}
		var all []rawSetting
		before := len(d.problems)
		for _, e := range d.unique(n) {
			s := rawSetting{name: e.key.text, key: e.key, at: e.value, value: e.value.text}
			if !d.expect(e.value, scalar, "write the value of the setting on one line") {
				continue
			}
			if ref, err := secret.Parse(s.value); err == nil {
				s.ref = ref
			}
			all = append(all, s)
		}
		return all, len(d.problems) == before
	}
	return kind[[]rawSetting]{read: read, schema: schema{
		"type": "object", "additionalProperties": schema{"type": []string{"string", "number", "boolean"}},
	}}
}

const (
	toleranceOff = "off"
	maxTolerance = 7 * day
)

// toleranceKind is a length of time, or off, which is less than zero.
func toleranceKind() kind[time.Duration] {
	lengths := duration(time.Second, maxTolerance)
	s := schema{"oneOf": []schema{lengths.schema, {"enum": []string{toleranceOff}}}}
	return scalarKind(s, anyScalar, func(text string) (time.Duration, *complaint) {
		if text == toleranceOff {
			return -1, nil
		}
		length, c := parseDuration(text, time.Second, maxTolerance)
		if c != nil && !strings.Contains(c.hint, toleranceOff) {
			c.hint += "; off does not look at the time"
		}
		return length, c
	})
}

// publicURL is where providers find the listener: a URL without a query.
func publicURL() kind[string] {
	return textKind(schema{"format": "uri", "pattern": "^https?://"}, func(text string) (string, *complaint) {
		if _, c := parseTarget(text); c != nil {
			c.hint = publicURLHint
			return "", c
		}
		u, err := url.Parse(text)
		if err != nil || u.RawQuery != "" || u.ForceQuery {
			return "", &complaint{message: "the URL has a query (what follows ?), which the sender's own takes the place of",
				hint: publicURLHint, offset: max(strings.IndexByte(text, '?'), 0)}
		}
		return strings.TrimSuffix(text, "/"), nil
	})
}

const publicURLHint = "write what providers post to, such as https://hooks.example.com"

// A rawSchema says which JSON Schema the bodies of a source must match.
type rawSchema struct {
	at      *node
	builtin bool
	file    string // for all types
	types   []rawTypeSchema
}

// A rawTypeSchema is the schema of the types that match a pattern.
type rawTypeSchema struct {
	pattern string
	file    string
	at      *node // the file
}

const schemaBuiltin = "builtin"

const schemaHint = "write builtin, a FILE, or {TYPE: FILE}"

// bodySchemaKind is builtin, the name of a file, or files by type.
func bodySchemaKind() kind[rawSchema] {
	one, pattern := line(), typePattern()
	read := func(d *decoder, n *node) (s rawSchema, ok bool) {
		s.at = n
		if n.shape != mapping {
			text, ok := one.read(d, n)
			s.builtin = text == schemaBuiltin
			if !s.builtin {
				s.file = text
			}
			return s, ok
		}
		before := len(d.problems)
		for _, e := range d.unique(n) {
			_, _ = pattern.read(d, e.key) // false only with a problem, which is counted
			file, _ := one.read(d, e.value)
			s.types = append(s.types, rawTypeSchema{pattern: e.key.text, file: file, at: e.value})
		}
		if len(s.types) == 0 {
			d.reject(n, "no type has a schema", schemaHint)
		}
		return s, len(d.problems) == before
	}
	byType := schema{"type": "object", "additionalProperties": one.schema.with("type", "string")}
	return kind[rawSchema]{read: read, schema: schema{"oneOf": []schema{one.schema, byType}}}
}

// settingsHint says how to write a setting.
func settingsHint(name string, isSecret bool) string {
	if isSecret {
		return fmt.Sprintf("write settings: {%s: env:NAME}, or file:PATH", name)
	}
	return fmt.Sprintf("write settings: {%s: ...}", name)
}
