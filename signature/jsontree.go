package signature

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// A jsonValue is a JSON value whose members are in the order of the document, to
// be written again as JavaScript writes it. It is for providers that sign a
// document after they sorted it.
type jsonValue struct {
	token   json.Token // string, json.Number, bool, nil, or the delimiter of an object or an array
	members []jsonMember
	items   []jsonValue
}

// A jsonMember is one name and value of an object.
type jsonMember struct {
	name  string
	value jsonValue
}

// parseJSON reads a document that is known to be valid and not too deep.
func parseJSON(doc []byte) (jsonValue, error) {
	in := json.NewDecoder(bytes.NewReader(doc))
	in.UseNumber()
	value, err := readJSON(in)
	if err != nil {
		return value, err
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return value, errNotJSON
	}
	return value, nil
}

func readJSON(in *json.Decoder) (jsonValue, error) {
	token, err := in.Token()
	v := jsonValue{token: token}
	delimiter, ok := token.(json.Delim)
	if err != nil || !ok {
		return v, err
	}
	for in.More() {
		name := ""
		if delimiter == '{' {
			token, err := in.Token()
			if err != nil {
				return v, err
			}
			name, _ = token.(string) // the decoder gives nothing else here
		}
		item, err := readJSON(in)
		if err != nil {
			return v, err
		}
		if delimiter == '{' {
			v.members = append(v.members, jsonMember{name, item})
		} else {
			v.items = append(v.items, item)
		}
	}
	_, err = in.Token() // the closing one
	return v, err
}

// member returns the value of a name, or null if there is none.
func (v *jsonValue) member(name string) jsonValue {
	for i := range v.members {
		if v.members[i].name == name {
			return v.members[i].value
		}
	}
	return jsonValue{}
}

// text returns the text of a member: of a string what is in it, of a number or
// boolean what is written, and else nothing.
func (v *jsonValue) text(name string) string {
	switch token := v.member(name).token.(type) {
	case string:
		return token
	case json.Number:
		return token.String()
	case bool:
		return strconv.FormatBool(token)
	}
	return ""
}

// sort sorts the members of v, as far down as depth says: by UTF-16 units, as
// JavaScript does.
func (v *jsonValue) sort(depth int) {
	if depth == 0 {
		return
	}
	slices.SortStableFunc(v.members, func(a, b jsonMember) int {
		return slices.Compare(utf16.Encode([]rune(a.name)), utf16.Encode([]rune(b.name)))
	})
	for i := range v.members {
		v.members[i].value.sort(depth - 1)
	}
	for i := range v.items {
		v.items[i].sort(depth - 1)
	}
}

// append writes v as JSON.stringify does.
func (v *jsonValue) append(out []byte) []byte {
	switch token := v.token.(type) {
	case json.Delim:
		if token == '{' {
			out = append(out, '{')
			for i := range v.members {
				if i > 0 {
					out = append(out, ',')
				}
				out = append(appendQuoted(out, v.members[i].name), ':')
				out = v.members[i].value.append(out)
			}
			return append(out, '}')
		}
		out = append(out, '[')
		for i := range v.items {
			if i > 0 {
				out = append(out, ',')
			}
			out = v.items[i].append(out)
		}
		return append(out, ']')
	case string:
		return appendQuoted(out, token)
	}
	return append(out, v.scalar()...)
}

// scalar returns a value that is neither text, object nor array as JavaScript
// writes it.
func (v *jsonValue) scalar() string {
	switch token := v.token.(type) {
	case bool:
		return strconv.FormatBool(token)
	case json.Number:
		return formatNumber(token)
	}
	return "null"
}

// formatNumber writes a number as ECMAScript's Number::toString does.
func formatNumber(n json.Number) string {
	f, err := n.Float64()
	if err != nil {
		return n.String()
	}
	if f == 0 {
		return "0"
	}
	const smallest, largest = 1e-6, 1e21
	if abs := math.Abs(f); abs >= smallest && abs < largest {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	text := strconv.FormatFloat(f, 'e', -1, 64)
	return strings.NewReplacer("e-0", "e-", "e+0", "e+").Replace(text)
}

// appendQuoted writes a string as JSON.stringify does: with no escapes but those
// that JSON demands.
func appendQuoted(out []byte, text string) []byte {
	out = append(out, '"')
	for _, r := range text {
		switch r {
		case '"', '\\':
			out = append(out, '\\', byte(r))
		case '\b':
			out = append(out, `\b`...)
		case '\f':
			out = append(out, `\f`...)
		case '\n':
			out = append(out, `\n`...)
		case '\r':
			out = append(out, `\r`...)
		case '\t':
			out = append(out, `\t`...)
		default:
			if r < ' ' {
				const digits = "0123456789abcdef"
				out = append(out, `\u00`...)
				out = append(out, digits[r>>4], digits[r&15])
				continue
			}
			out = append(out, string(r)...)
		}
	}
	return append(out, '"')
}
