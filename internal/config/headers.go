package config

import (
	"fmt"
	"strings"

	"github.com/tenterhook/tenterhook/internal/destination"
	"github.com/tenterhook/tenterhook/internal/secret"
)

// A rawHeader is a header of a destination, with a literal value or a reference
// to a secret one.
type rawHeader struct {
	name  string
	at    *node // the value
	value string
	ref   secret.Ref // not zero if the value is a secret
}

// credentialHeader reports whether the value of a header lets its bearer in, so
// that it has to be a secret.
func credentialHeader(name string) bool {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "apikey", "x-auth-token":
		return true
	}
	return false
}

// headersKind is a mapping of headers to values. A value that reads like a
// reference to a secret is one.
func headersKind() kind[[]rawHeader] {
	read := func(d *decoder, n *node) ([]rawHeader, bool) {
		if !d.expect(n, mapping, "write one header, a colon and its value per line") {
			return nil, false
		}
		var all []rawHeader
		before := len(d.problems)
		seen := make(map[string]bool)
		for _, e := range d.unique(n) {
			if lower := strings.ToLower(e.key.text); seen[lower] {
				d.reject(e.key, fmt.Sprintf("the header %q is there twice", clip(e.key.text)),
					"keep one of them; case does not count")
			} else if h, ok := d.header(e); ok {
				seen[lower] = true
				all = append(all, h)
			}
		}
		return all, len(d.problems) == before
	}
	return kind[[]rawHeader]{read: read, schema: schema{
		"type": "object", "additionalProperties": schema{"type": []string{"string", "number", "boolean"}},
	}}
}

func (d *decoder) header(e entry) (rawHeader, bool) {
	h := rawHeader{name: e.key.text, at: e.value, value: e.value.text}
	if !d.expect(e.value, scalar, "write the value of the header on one line") {
		return h, false
	}
	if ref, err := secret.Parse(h.value); err == nil {
		h.ref = ref
		if ref.Insecure() {
			d.warnInsecure(e.value)
		}
	} else if holdsSecrets(h.name) {
		d.reject(e.value, fmt.Sprintf("the header %q holds a secret, and that is in this file", h.name), secret.Bare)
		return h, false
	}
	value := h.value
	if !h.ref.IsZero() {
		value = "" // checked once it is known
	}
	if err := checkHeader(h.name, value); err != nil {
		d.reject(e.key, strings.TrimPrefix(err.Error(), "headers: "), "remove it, or correct it")
		return h, false
	}
	return h, true
}

// checkHeader asks the package that sends the header whether it would.
func checkHeader(name, value string) error {
	return destination.HTTPConfig{
		URL: "https://header.invalid/", Sign: destination.SignNone, Headers: map[string]string{name: value},
	}.Validate()
}
