package filter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits of a payload that [Decode] reads. They bound the memory of the result:
// a value costs up to about a hundred bytes, whatever its text was.
const (
	MaxInput  = 25 << 20 // bytes
	MaxValues = 1 << 19  // values, counting each element and each member
	MaxDepth  = 64       // arrays and objects within one another
	MaxNumber = 1000     // bytes of one number
)

// Why [Decode] does not read a payload. A payload that is JSON gives
// [ErrAmbiguous], [ErrTooDeep] or [ErrTooLarge], which are about what a filter
// may be given, not about what may be received.
var (
	// ErrNotJSON: it is not one JSON value.
	ErrNotJSON = errors.New("not JSON")
	// ErrAmbiguous: programs that read it disagree on what it says, because of a
	// duplicate key or of text that is not Unicode. Who decides on one reading
	// and passes the bytes on to another can be deceived.
	ErrAmbiguous = errors.New("ambiguous JSON")
	// ErrTooDeep: it is nested more than MaxDepth deep.
	ErrTooDeep = errors.New("JSON nested too deep")
	// ErrTooLarge: it is beyond MaxInput, MaxValues or MaxNumber.
	ErrTooLarge = errors.New("JSON too large for a filter")
)

// Decode reads one strict JSON value (RFC 8259, and no duplicate keys, no
// invalid UTF-8 and no lone surrogates) as a program's input. Integers of up to
// 18 digits are an int; every other number is a [json.Number] and keeps its text,
// so that nothing is rounded unless the program computes with it. The error
// wraps one of [ErrNotJSON], [ErrAmbiguous], [ErrTooDeep] and [ErrTooLarge].
func Decode(body []byte) (any, error) {
	if len(body) > MaxInput {
		return nil, fmt.Errorf("%w: %d bytes, more than %d", ErrTooLarge, len(body), MaxInput)
	}
	// Duplicate keys show when an object is built, at no cost.
	if !jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true)) {
		return nil, invalid(body)
	}
	b := builder{text: string(body), pending: make([]member, 0, 16)}
	v := b.value()
	switch {
	case b.err != nil:
		return nil, b.err
	case b.duplicate:
		return nil, invalid(body)
	}
	return v, nil
}

// invalid says why body, which is not strict JSON, is not.
func invalid(body []byte) error {
	lax := []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
	if !jsontext.Value(body).IsValid(lax...) {
		const deepest = 10_000 // that jsontext follows
		if depth := nesting(body); depth > deepest {
			return fmt.Errorf("%w: %d levels, more than %d", ErrTooDeep, depth, MaxDepth)
		}
		return fmt.Errorf("%w: %w", ErrNotJSON, firstError(body, lax...))
	}
	return fmt.Errorf("%w: %w", ErrAmbiguous, firstError(body))
}

// firstError returns what is first wrong in body.
func firstError(body []byte, options ...jsontext.Options) error {
	d := jsontext.NewDecoder(bytes.NewReader(body), options...)
	if err := d.SkipValue(); err != nil {
		return brief(err)
	}
	return fmt.Errorf("more text after the value at byte %d", d.InputOffset())
}

// brief rewords a jsontext error, without the name of that package.
func brief(err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("empty")
	case !errors.As(err, &syntax):
		return err
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return fmt.Errorf("duplicate key %q", clip(string(syntax.JSONPointer)))
	}
	return fmt.Errorf("%w at byte %d", syntax.Err, syntax.ByteOffset)
}

// nesting returns how deep the brackets of body are nested.
func nesting(body []byte) int {
	depth, deepest, quoted := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
			deepest = max(deepest, depth)
		case c == ']' || c == '}':
			depth--
		}
	}
	return deepest
}

// A builder makes values of a text that is known to be valid JSON, so it looks
// only at what tells values apart.
type builder struct {
	text      string // strings of the result are parts of it
	pos       int
	pending   []member // of the arrays and objects that are being read
	values    int
	depth     int
	duplicate bool  // a key came twice in an object
	err       error // the first limit that was exceeded; then the result is void
}

type member struct {
	key   string
	value any
}

func (b *builder) value() any {
	b.space()
	if b.values++; b.values > MaxValues {
		b.fail(ErrTooLarge, "more than %d values", MaxValues)
	}
	switch b.text[b.pos] {
	case '{':
		return b.object()
	case '[':
		return b.array()
	case '"':
		return b.string()
	case 't':
		b.pos += len("true")
		return true
	case 'f':
		b.pos += len("false")
		return false
	case 'n':
		b.pos += len("null")
		return nil
	}
	return b.number()
}

func (b *builder) object() any {
	first := b.enter()
	for b.more() {
		key := b.string()
		b.space()
		b.pos++ // the colon
		b.pending = append(b.pending, member{key, b.value()})
	}
	members := b.pending[first:]
	object := make(map[string]any, len(members))
	for _, m := range members {
		object[m.key] = m.value
	}
	if len(object) != len(members) {
		b.duplicate = true
	}
	b.leave(first)
	return object
}

func (b *builder) array() any {
	first := b.enter()
	for b.more() {
		b.pending = append(b.pending, member{value: b.value()})
	}
	elements := make([]any, len(b.pending)-first)
	for i, m := range b.pending[first:] {
		elements[i] = m.value
	}
	b.leave(first)
	return elements
}

// more skips a bracket or comma and reports whether an element or a member
// follows. If not, it skips the closing bracket as well.
func (b *builder) more() bool {
	if b.err != nil {
		return false
	}
	b.space()
	opening := b.text[b.pos] == '[' || b.text[b.pos] == '{'
	if c := b.text[b.pos]; c == ']' || c == '}' {
		b.pos++
		return false
	}
	b.pos++
	b.space()
	if c := b.text[b.pos]; opening && (c == ']' || c == '}') {
		b.pos++
		return false
	}
	return true
}

func (b *builder) space() {
	for b.text[b.pos] <= ' ' {
		b.pos++
	}
}

func (b *builder) string() string {
	rest := b.text[b.pos+1:]
	end := strings.IndexByte(rest, '"')
	if strings.IndexByte(rest[:end], '\\') < 0 {
		b.pos += end + 2
		return rest[:end]
	}
	for end = 0; rest[end] != '"'; end++ {
		if rest[end] == '\\' {
			end++
		}
	}
	quoted := b.text[b.pos : b.pos+end+2]
	b.pos += len(quoted)
	plain, err := jsontext.AppendUnquote(make([]byte, 0, end), quoted)
	if err != nil {
		b.fail(ErrNotJSON, "string that cannot be read: %v", err) // not for valid JSON
	}
	return string(plain)
}

func (b *builder) number() any {
	const intDigits = 9 << (^uint(0) >> 63) // as many always fit: 9 of an int32, 18 of an int64
	start, integer, n := b.pos, true, 0
scan:
	for ; b.pos < len(b.text); b.pos++ {
		switch c := b.text[b.pos]; c {
		case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			n = n*10 + int(c-'0') // may overflow; then it is not used
		case '-':
		case '.', 'e', 'E', '+':
			integer = false
		default:
			break scan
		}
	}
	text := b.text[start:b.pos]
	if len(text) > MaxNumber {
		b.fail(ErrTooLarge, "number of %d bytes, more than %d", len(text), MaxNumber)
	}
	switch {
	case !integer || len(text) > intDigits || text == "-0":
		return json.Number(text)
	case text[0] == '-':
		return -n
	}
	return n
}

// enter begins an array or object and returns where its members begin.
func (b *builder) enter() (first int) {
	if b.depth++; b.depth > MaxDepth {
		b.fail(ErrTooDeep, "more than %d levels", MaxDepth)
	}
	return len(b.pending)
}

func (b *builder) leave(first int) {
	clear(b.pending[first:])
	b.pending = b.pending[:first]
	b.depth--
}

// fail records the first limit that was exceeded. From then on arrays and
// objects end where they are, so that the rest is not read.
func (b *builder) fail(kind error, format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf("%w: %s", kind, fmt.Sprintf(format, args...))
	}
}
