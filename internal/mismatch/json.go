package mismatch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// maxDepth bounds how deep JSON may be nested.
const maxDepth = 500

// A value is a JSON value whose order of keys and spelling of numbers are kept.
type value struct {
	text   string   // of what is neither: a number, true, false, null
	str    *string  // of a string
	keys   []string // of an object
	values []value  // of an object or an array
	open   byte     // '{', '[' or 0
}

// parseJSON reads a body that is an object or an array.
func parseJSON(body []byte) (value, bool) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' && trimmed[0] != '[' {
		return value{}, false
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	v, err := parseValue(decoder, 0)
	if err != nil {
		return value{}, false
	}
	_, err = decoder.Token()
	return v, err == io.EOF //nolint:errorlint // Token returns io.EOF itself
}

func parseValue(decoder *json.Decoder, depth int) (value, error) {
	token, err := decoder.Token()
	if err != nil || depth > maxDepth {
		return value{}, fmt.Errorf("depth %d: %w", depth, err)
	}
	switch token := token.(type) {
	case json.Delim:
		return parseNested(decoder, byte(token), depth)
	case string:
		return value{str: &token}, nil
	case json.Number:
		return value{text: token.String()}, nil
	case bool:
		return value{text: strconv.FormatBool(token)}, nil
	}
	return value{text: "null"}, nil
}

func parseNested(decoder *json.Decoder, open byte, depth int) (value, error) {
	v := value{open: open}
	for decoder.More() {
		if open == '{' {
			key, err := decoder.Token()
			if err != nil {
				return v, err
			}
			name, _ := key.(string) // the decoder sees to it
			v.keys = append(v.keys, name)
		}
		inner, err := parseValue(decoder, depth+1)
		if err != nil {
			return v, err
		}
		v.values = append(v.values, inner)
	}
	_, err := decoder.Token()
	return v, err
}

// A style is how a program writes JSON.
type style struct {
	layout  layout
	sorted  bool
	escapes escapes
	numbers bool // as JavaScript writes them
}

// A layout is the white space between the tokens of JSON.
type layout struct{ name, indent, comma, colon string }

func layouts() []layout {
	return []layout{
		{"without white space", "", ",", ":"},
		{`with a space after "," and ":", as Python writes it`, "", ", ", ": "},
		{"indented by 2 spaces", "  ", ",", ": "},
		{"indented by 4 spaces", "    ", ",", ": "},
		{"indented by tabs", "\t", ",", ": "},
	}
}

// escapes are what is written as \u or with a backslash though it need not be.
type escapes struct {
	name  string
	ascii bool   // what is not ASCII
	upper bool   // with the digits A to F
	slash bool   // "/" as "\/"
	more  string // other characters
}

func escapings() []escapes {
	return []escapes{
		{name: ""},
		{name: `non-ASCII characters as \u escapes`, ascii: true},
		{name: `<, > and & as \u escapes, as Go writes them`, more: "<>&\u2028\u2029"},
		{name: `/ as \/ and non-ASCII characters as \u escapes, as PHP writes them`, ascii: true, slash: true},
		{name: `/ as \/`, slash: true},
		{name: `non-ASCII characters and <, >, &, ' and + as \u escapes, as .NET writes them`, ascii: true, upper: true, more: "<>&'+`\""},
		{name: `non-ASCII characters as \u escapes in capitals`, ascii: true, upper: true},
	}
}

func (s style) String() string {
	parts := []string{s.layout.name}
	if s.sorted {
		parts = append(parts, "with its keys sorted")
	}
	if s.escapes.name != "" {
		parts = append(parts, "with "+s.escapes.name)
	}
	if s.numbers {
		parts = append(parts, "with numbers as JavaScript writes them")
	}
	return strings.Join(parts, ", ")
}

// styles are the ways to write v that are worth trying.
func styles(v value) iter.Seq[style] {
	return func(yield func(style) bool) {
		numbers := []bool{false}
		if v.hasOtherNumbers() {
			numbers = append(numbers, true)
		}
		for _, sorted := range []bool{false, true} {
			for _, number := range numbers {
				for _, escapes := range escapings() {
					for _, layout := range layouts() {
						if !yield(style{layout, sorted, escapes, number}) {
							return
						}
					}
				}
			}
		}
	}
}

func (v value) hasOtherNumbers() bool {
	return v.open == 0 && v.str == nil && scriptNumber(v.text) != v.text ||
		slices.ContainsFunc(v.values, value.hasOtherNumbers)
}

// write returns v in a style.
func (v value) write(s style) []byte {
	w := &jsonWriter{style: s}
	w.value(v, "\n")
	return w.out
}

type jsonWriter struct {
	style

	out []byte
}

// value writes v; newline is a line end and the indentation of the line.
func (w *jsonWriter) value(v value, newline string) {
	switch {
	case v.str != nil:
		w.text(*v.str)
	case v.open == 0 && w.numbers:
		w.out = append(w.out, scriptNumber(v.text)...)
	case v.open == 0:
		w.out = append(w.out, v.text...)
	default:
		w.nested(v, newline)
	}
}

func (w *jsonWriter) nested(v value, newline string) {
	w.out = append(w.out, v.open)
	inner := newline + w.layout.indent
	for n, i := range w.order(v) {
		if n > 0 {
			w.out = append(w.out, w.layout.comma...)
		}
		if w.layout.indent != "" {
			w.out = append(w.out, inner...)
		}
		if v.open == '{' {
			w.text(v.keys[i])
			w.out = append(w.out, w.layout.colon...)
		}
		w.value(v.values[i], inner)
	}
	if w.layout.indent != "" && len(v.values) > 0 {
		w.out = append(w.out, newline...)
	}
	w.out = append(w.out, v.open+2) // '}' is two after '{', and so are the brackets
}

// order returns the places of v's values in the order they are written in.
func (w *jsonWriter) order(v value) []int {
	order := make([]int, len(v.values))
	for i := range order {
		order[i] = i
	}
	if w.sorted && v.open == '{' {
		slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(v.keys[a], v.keys[b]) })
	}
	return order
}

func (w *jsonWriter) text(s string) {
	const short, letters = "\"\\\b\f\n\r\t", `"\bfnrt`
	w.out = append(w.out, '"')
	for _, r := range s {
		i := strings.IndexRune(short, r)
		switch {
		case strings.ContainsRune(w.escapes.more, r), r > '~' && w.escapes.ascii, r < ' ' && i < 0:
			w.unicode(r)
		case i >= 0:
			w.out = append(w.out, '\\', letters[i])
		case r == '/' && w.escapes.slash:
			w.out = append(w.out, '\\', '/')
		default:
			w.out = append(w.out, string(r)...)
		}
	}
	w.out = append(w.out, '"')
}

func (w *jsonWriter) unicode(r rune) {
	format := `\u%04x`
	if w.escapes.upper {
		format = `\u%04X`
	}
	if high, low := utf16.EncodeRune(r); r > 0xffff {
		w.out = fmt.Appendf(w.out, format+format, high, low)
		return
	}
	w.out = fmt.Appendf(w.out, format, r)
}

// scriptNumber writes a number as JavaScript does, and leaves other words alone.
func scriptNumber(text string) string {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	const most, least = 1e21, 1e-6
	abs := max(f, -f)
	if abs != 0 && (abs >= most || abs < least) {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
		return mantissa + "e" + exponent[:1] + strings.TrimLeft(exponent[1:], "0")
	}
	return strconv.FormatFloat(f+0, 'f', -1, 64)
}
