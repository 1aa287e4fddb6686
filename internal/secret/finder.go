package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"
)

// shortest is how long a secret is that is searched for: shorter ones are found
// where they are not meant.
const shortest = 8

// A Finder finds secrets in what others wrote. The zero Finder finds nothing. It
// may be used by several goroutines, and shows nothing however it is printed.
type Finder struct {
	// needles is behind a function, so that package fmt cannot follow it.
	needles func() []string
}

// NewFinder returns a Finder of the given secrets, as they are and as JSON and
// forms write them. Those of less than 8 characters are not searched for.
func NewFinder(secrets ...string) Finder {
	var needles []string
	for _, s := range secrets {
		s = strings.TrimSpace(s)
		for _, form := range []string{s, strings.TrimPrefix(s, "whsec_")} {
			inJSON, _ := json.Marshal(form) //nolint:errchkjson // a text: never fails
			quoted := strings.Trim(string(inJSON), `"`)
			needles = append(needles, form, quoted, strings.ReplaceAll(quoted, "/", `\/`), url.QueryEscape(form))
		}
	}
	needles = slices.DeleteFunc(needles, func(n string) bool { return len(n) < shortest })
	// The longest first: what it holds is then gone with it.
	slices.SortFunc(needles, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	needles = slices.Compact(needles)
	if len(needles) == 0 {
		return Finder{}
	}
	return Finder{needles: func() []string { return needles }}
}

// Redact returns text with each secret in it replaced by as many asterisks, and
// whether there was one. Text itself is not changed.
func (f Finder) Redact(text []byte) (clean []byte, found bool) {
	clean = text
	if f.needles == nil {
		return clean, false
	}
	for _, needle := range f.needles() {
		n := []byte(needle)
		at := bytes.Index(clean, n)
		if at < 0 {
			continue
		}
		if !found {
			clean, found = bytes.Clone(text), true
		}
		for rest := clean; at >= 0; at = bytes.Index(rest, n) {
			for i := at; i < at+len(n); i++ {
				rest[i] = '*'
			}
			rest = rest[at+len(n):]
		}
	}
	return clean, found
}

// RedactString is Redact for a string.
func (f Finder) RedactString(text string) (clean string, found bool) {
	if f.needles == nil {
		return text, false
	}
	for _, needle := range f.needles() {
		if strings.Contains(text, needle) {
			text, found = strings.ReplaceAll(text, needle, strings.Repeat("*", len(needle))), true
		}
	}
	return text, found
}

const redactedText = "[redacted]"

// String returns "[redacted]".
func (Finder) String() string { return redactedText }

// GoString returns "[redacted]".
func (Finder) GoString() string { return redactedText }

// Format writes "[redacted]", whatever the verb.
func (Finder) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, redactedText) // fmt takes every write
}

// MarshalText returns "[redacted]".
func (Finder) MarshalText() ([]byte, error) { return []byte(redactedText), nil }

// LogValue returns "[redacted]".
func (Finder) LogValue() slog.Value { return slog.StringValue(redactedText) }
