package schema

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// A Mismatch is what is most telling of a payload that does not match its schema.
// It holds nothing of the payload but names of properties, and a short text where
// the schema lists those that may stand there. No field is longer than 200 bytes.
type Mismatch struct { //nolint:errname // because it is a finding first, and an error as well
	Pointer  string // the place, as a JSON pointer (RFC 6901); empty for the payload as a whole
	Expected string // what should be there, such as "integer", or "a value" for what is missing
	Got      string // what is there: a type, a number of things, or "nothing"
}

// Error returns the place, what was expected there and what was found, in one line.
func (m *Mismatch) Error() string {
	place := "the payload"
	if m.Pointer != "" {
		place = m.Pointer
	}
	return place + ": expected " + m.Expected + ", got " + m.Got
}

const (
	maxText   = 200 // bytes of a field of a Mismatch
	maxQuoted = 40  // bytes of text from the payload
)

// A finding is one thing that is wrong. It is put into words when it is the one to
// tell: a payload may have a million.
type finding struct {
	*jsonschema.ValidationError

	depth int // of the place
	rank  int // among those of a place; less is more telling
}

// Ranks.
const (
	rankItself  = iota // is of another type, or another value
	rankMissing        // lacks something
	rankOther
)

// telling picks what to tell of a payload: what is nearest to its root. There a
// payload of another event differs, and what is wrong further down follows from it.
func telling(e *jsonschema.ValidationError) *Mismatch {
	f := first(e)
	at, expected, got := f.words()
	return &Mismatch{Pointer: clip(pointer(at)), Expected: clip(expected), Got: clip(got)}
}

// first returns the most telling finding under e.
func first(e *jsonschema.ValidationError) finding {
	if len(e.Causes) == 0 {
		return find(e)
	}
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		return nearest(e)
	}
	best := first(e.Causes[0])
	for _, cause := range e.Causes[1:] {
		if f := first(cause); compare(f, best) < 0 {
			best = f
		}
	}
	return best
}

// nearest tells of the alternative that the value came closest to: that whose
// finding is furthest from the root. If the value itself fits none, the finding is
// that it should have fitted any.
func nearest(e *jsonschema.ValidationError) finding {
	itself := finding{ValidationError: e, depth: len(e.InstanceLocation), rank: rankItself}
	best := itself
	for _, cause := range e.Causes {
		f := first(cause)
		if f.depth == itself.depth && f.rank == rankItself {
			continue
		}
		if best.ValidationError == e || f.depth > best.depth {
			best = f
		}
	}
	return best
}

// compare orders findings, the most telling first; those that are equal by it read
// the same. Maps are validated in any order, and the same payload gives the same
// text.
func compare(a, b finding) int {
	if c := cmp.Or(a.depth-b.depth, a.rank-b.rank, slices.Compare(a.InstanceLocation, b.InstanceLocation)); c != 0 {
		return c
	}
	return strings.Compare(a.SchemaURL, b.SchemaURL)
}

// find weighs an error that has no causes.
func find(e *jsonschema.ValidationError) finding {
	f := finding{ValidationError: e, depth: len(e.InstanceLocation), rank: rankOther}
	switch e.ErrorKind.(type) {
	case *kind.Type, *kind.Const, *kind.Enum:
		f.rank = rankItself
	case *kind.Required, *kind.DependentRequired:
		f.depth, f.rank = f.depth+1, rankMissing
	case *kind.AdditionalProperties:
		f.depth++
	}
	return f
}

// words says where a finding is, what was expected there, and what is there.
func (f finding) words() (at []string, expected, got string) {
	at = f.InstanceLocation
	switch k := f.ErrorKind.(type) {
	case *kind.Type:
		return at, strings.Join(k.Want, " or "), k.Got
	case *kind.Const:
		return at, oneOf([]any{k.Want}), brief(k.Got)
	case *kind.Enum:
		return at, oneOf(k.Want), brief(k.Got)
	case *kind.Required:
		return child(at, k.Missing[0]), "a value", "nothing"
	case *kind.DependentRequired:
		return child(at, k.Missing[0]), "a value beside " + strconv.Quote(k.Prop), "nothing"
	case *kind.AdditionalProperties:
		return child(at, slices.Min(k.Properties)), "no property of this name", "one"
	case *kind.PropertyNames:
		return at, "names of properties of another form", quote(k.Property)
	case *kind.FalseSchema:
		return at, "nothing", "a value"
	case *kind.RefCycle:
		return at, "a schema", "one that refers to itself without end"
	case *kind.AnyOf, *kind.OneOf:
		if len(f.Causes) > 0 {
			return f.any()
		}
	}
	expected, got = bound(f.ErrorKind)
	return at, expected, got
}

// any says what each alternative expected of a value that fits none.
func (f finding) any() (at []string, expected, got string) {
	all := make([]string, 0, len(f.Causes))
	for _, cause := range f.Causes {
		_, expected, got = first(cause).words()
		all = append(all, expected)
	}
	slices.Sort(all)
	return f.InstanceLocation, strings.Join(slices.Compact(all), " or "), got
}

// bound says what a keyword asks for that bounds or shapes a value.
func bound(k jsonschema.ErrorKind) (expected, got string) {
	switch k := k.(type) {
	case *kind.MinLength:
		return fmt.Sprintf("text of at least %d characters", k.Want), strconv.Itoa(k.Got)
	case *kind.MaxLength:
		return fmt.Sprintf("text of at most %d characters", k.Want), strconv.Itoa(k.Got)
	case *kind.MinItems:
		return fmt.Sprintf("at least %d items", k.Want), strconv.Itoa(k.Got)
	case *kind.MaxItems:
		return fmt.Sprintf("at most %d items", k.Want), strconv.Itoa(k.Got)
	case *kind.MinProperties:
		return fmt.Sprintf("at least %d properties", k.Want), strconv.Itoa(k.Got)
	case *kind.MaxProperties:
		return fmt.Sprintf("at most %d properties", k.Want), strconv.Itoa(k.Got)
	case *kind.Minimum:
		return "at least " + k.Want.RatString(), "less"
	case *kind.Maximum:
		return "at most " + k.Want.RatString(), "more"
	case *kind.ExclusiveMinimum:
		return "more than " + k.Want.RatString(), "less or as much"
	case *kind.ExclusiveMaximum:
		return "less than " + k.Want.RatString(), "more or as much"
	case *kind.MultipleOf:
		return "a multiple of " + k.Want.RatString(), "another number"
	case *kind.Pattern:
		return "text that matches " + strconv.Quote(k.Want), "another"
	case *kind.Format:
		if k.Want == "regex" {
			return "a regular expression of RE2, as Go reads it", "another"
		}
		return "the format " + k.Want, "another"
	case *kind.UniqueItems:
		return "items that differ", fmt.Sprintf("%d and %d, which are equal", k.Duplicates[0], k.Duplicates[1])
	case *kind.OneOf:
		return "one of several forms", "two at once"
	}
	if keywords := k.KeywordPath(); len(keywords) > 0 {
		return "what " + keywords[0] + " asks for", "something else"
	}
	return "something else", "what the schema excludes"
}

// oneOf lists the values that are allowed.
func oneOf(values []any) string {
	const most = 8
	listed := make([]string, 0, min(len(values), most))
	for _, v := range values[:min(len(values), most)] {
		listed = append(listed, literal(v))
	}
	if len(values) == 1 {
		return listed[0]
	}
	text := "one of " + strings.Join(listed, ", ")
	if len(values) > most {
		text += fmt.Sprintf(" and %d more", len(values)-most)
	}
	return text
}

// literal writes a value of a schema.
func literal(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "a value"
	}
	return string(text)
}

// brief says what a value of a payload is, and quotes it if it is short.
func brief(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		if len(v) <= maxQuoted {
			return v.String()
		}
		return "another number"
	case string:
		return quote(v)
	case []any:
		return "array"
	}
	return "object"
}

// quote quotes text of a payload if it is short.
func quote(text string) string {
	if len(text) <= maxQuoted {
		return strconv.Quote(text)
	}
	return "a text of " + strconv.Itoa(len(text)) + " bytes"
}

// child returns the place of a property.
func child(at []string, name string) []string { return append(slices.Clone(at), name) }

// pointer writes a place as a JSON pointer. Line breaks and the like, which names
// may hold, are escaped as Go does.
func pointer(tokens []string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	var b strings.Builder
	for _, token := range tokens {
		b.WriteByte('/')
		quoted := strconv.Quote(clip(token))
		b.WriteString(escape.Replace(strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)))
		if b.Len() > maxText {
			break
		}
	}
	return b.String()
}

// clip shortens text to maxText bytes, at the end of a character.
func clip(text string) string {
	if len(text) <= maxText {
		return text
	}
	const mark = "..."
	end := maxText - len(mark)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + mark
}
