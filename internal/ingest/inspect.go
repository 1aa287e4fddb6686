package ingest

import (
	"net/http"
	"slices"

	"github.com/tenterhook/tenterhook"
)

// A Schema says whether a body has the form that its source promises.
type Schema interface {
	// Check returns nil, or an error that names the place in the body and what was
	// expected there.
	Check(typ string, header http.Header, body []byte) error
}

// A Redactor finds the secrets of a source in what was sent.
type Redactor interface {
	// Redact returns text without them, and whether there was one.
	Redact(text []byte) (clean []byte, found bool)
	// RedactString does the same.
	RedactString(text string) (clean string, found bool)
}

// maxMismatch bounds what is kept of why a body does not match its schema.
const maxMismatch = 500

// mismatch returns how e differs from the schema of its source, or nothing.
func mismatch(source *Source, e *tenterhook.Event, header http.Header) string {
	if source.Schema == nil {
		return ""
	}
	err := source.Schema.Check(e.Type, header, e.Body)
	if err == nil {
		return ""
	}
	detail := clip(err.Error(), maxMismatch)
	if detail == "" {
		detail = "it does not match"
	}
	return source.clean(detail)
}

// redact takes the secret of the source out of what is to be kept, and marks
// where it was. Where the provider's scheme has it, as in a header with a token,
// it is no leak.
func redact(source *Source, e *tenterhook.Event) {
	if source.Redact == nil {
		return
	}
	for name, values := range e.Header {
		for i, value := range values {
			clean, found := source.Redact.RedactString(value)
			if !found {
				continue
			}
			values[i] = clean
			if where := "header " + name; name != source.TokenHeader && !slices.Contains(e.Marks.Redacted, where) {
				e.Marks.Redacted, e.Marks.Leaked = append(e.Marks.Redacted, where), true
			}
		}
	}
	slices.Sort(e.Marks.Redacted) // a map has no order
	if body, found := source.Redact.Redact(e.Body); found {
		e.Body = body
		e.Marks.Redacted = append(e.Marks.Redacted, "body")
		e.Marks.Leaked = e.Marks.Leaked || !source.TokenInBody
	}
}

// clean returns text without the source's secrets.
func (s *Source) clean(text string) string {
	if s == nil || s.Redact == nil {
		return text
	}
	text, _ = s.Redact.RedactString(text)
	return text
}
