package signature

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// lookupJSON returns the scalar at path in a JSON document: the text of a
// string, or a number or boolean as written. Steps are keys of objects and
// indexes of arrays. It reads the document from its start only as far as it
// must, copies nothing but the answer, and does not check what it passes over.
// Of two equal keys it takes the first.
func lookupJSON(doc []byte, path []string) (string, bool) {
	c := cursor{doc: doc}
	for _, step := range path {
		if !c.descend(step) {
			return "", false
		}
	}
	switch c.peek() {
	case '"':
		raw, ok := c.rawString()
		if !ok {
			return "", false
		}
		return unquote(raw)
	case '{', '[', 'n', 0:
		return "", false
	}
	start := c.at
	if !c.skip() {
		return "", false
	}
	return string(doc[start:c.at]), true
}

// unquote returns the text of a JSON string without its quotes.
func unquote(raw []byte) (string, bool) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw), true
	}
	quoted := make([]byte, 0, len(raw)+2)
	quoted = append(append(append(quoted, '"'), raw...), '"')
	var text string
	err := json.Unmarshal(quoted, &text)
	return text, err == nil
}

// A cursor walks over a JSON document.
type cursor struct {
	doc []byte
	at  int
}

// peek passes white space, and returns the byte after it, or 0 at the end.
func (c *cursor) peek() byte {
	for ; c.at < len(c.doc); c.at++ {
		switch b := c.doc[c.at]; b {
		case ' ', '\t', '\r', '\n':
		default:
			return b
		}
	}
	return 0
}

// take passes b, if it comes next after white space.
func (c *cursor) take(b byte) bool {
	if c.peek() != b {
		return false
	}
	c.at++
	return true
}

// descend moves from the start of a value to the start of the one at step.
func (c *cursor) descend(step string) bool {
	switch c.peek() {
	case '{':
		c.at++
		return c.toKey(step)
	case '[':
		c.at++
		index, err := strconv.Atoi(step)
		return err == nil && c.toIndex(index)
	}
	return false
}

func (c *cursor) toKey(step string) bool {
	for c.peek() == '"' {
		raw, ok := c.rawString()
		if !ok || !c.take(':') {
			return false
		}
		if string(raw) == step {
			return true
		}
		if bytes.IndexByte(raw, '\\') >= 0 {
			if key, ok := unquote(raw); ok && key == step {
				return true
			}
		}
		if !c.skip() || !c.take(',') {
			return false
		}
	}
	return false
}

func (c *cursor) toIndex(index int) bool {
	for ; index > 0; index-- {
		if !c.skip() || !c.take(',') {
			return false
		}
	}
	return index == 0 && c.peek() != ']'
}

// rawString passes a string, and returns what is between its quotes.
func (c *cursor) rawString() ([]byte, bool) {
	start := c.at + 1
	for i := start; i < len(c.doc); {
		n := bytes.IndexByte(c.doc[i:], '"')
		if n < 0 {
			break
		}
		i += n
		escapes := 0
		for i-escapes > start && c.doc[i-escapes-1] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			c.at = i + 1
			return c.doc[start:i], true
		}
		i++
	}
	c.at = len(c.doc)
	return nil, false
}

// skip passes one value, however deep it is.
func (c *cursor) skip() bool {
	depth := 0
	for {
		switch c.peek() {
		case 0:
			return false
		case '"':
			if _, ok := c.rawString(); !ok {
				return false
			}
		case '{', '[':
			depth++
			c.at++
		case '}', ']':
			if depth--; depth < 0 {
				return false
			}
			c.at++
		case ',', ':':
			if depth == 0 {
				return false
			}
			c.at++
		default:
			c.skipScalar()
		}
		if depth == 0 {
			return true
		}
	}
}

// skipScalar passes a number, true, false or null.
func (c *cursor) skipScalar() {
	for ; c.at < len(c.doc); c.at++ {
		switch c.doc[c.at] {
		case ',', ':', '}', ']', '{', '[', '"', ' ', '\t', '\r', '\n', 0:
			return
		}
	}
}

// everyItem is the step of a path that stands for every item of an array.
const everyItem = "*"

// everyJSON returns the scalar that is at path in every item of the array at
// list. There is none if an item has none. Items that differ are an error.
func everyJSON(doc []byte, list, path []string) (string, error) {
	c := cursor{doc: doc}
	for _, step := range list {
		if !c.descend(step) {
			return "", nil
		}
	}
	if !c.take('[') || c.peek() == ']' {
		return "", nil
	}
	first := ""
	for n := 0; ; n++ {
		value, ok := lookupJSON(doc[c.at:], path)
		switch {
		case !ok || value == "":
			return "", nil
		case n == 0:
			first = value
		case value != first:
			return "", errDiffers
		}
		if !c.skip() {
			return "", nil
		}
		if !c.take(',') {
			return first, nil
		}
	}
}

// A jsonProblem says why a document cannot be read in one way only.
type jsonProblem string

// Error returns it.
func (p jsonProblem) Error() string { return string(p) }

const (
	errNotJSON   jsonProblem = "is not JSON"
	errRepeated  jsonProblem = "has a key twice, which programs read differently"
	errDeep      jsonProblem = "is nested too deep"
	maxJSONDepth             = 100
)

// unambiguous returns an error unless doc is a JSON document that every program
// reads alike. It is for signatures over fields: those over the bytes need it not.
func unambiguous(doc []byte) error {
	if !json.Valid(doc) {
		return errNotJSON
	}
	c := cursor{doc: doc}
	return c.unambiguous(0)
}

// unambiguous passes one value of a valid document.
func (c *cursor) unambiguous(depth int) error {
	if depth > maxJSONDepth {
		return errDeep
	}
	switch c.peek() {
	case '{':
		c.at++
		keys := map[string]bool{}
		for c.peek() == '"' {
			raw, _ := c.rawString()
			key, _ := unquote(raw)
			if keys[key] {
				return errRepeated
			}
			keys[key] = true
			c.take(':')
			if err := c.unambiguous(depth + 1); err != nil {
				return err
			}
			c.take(',')
		}
		c.take('}')
		return nil
	case '[':
		c.at++
		for c.peek() != ']' {
			if err := c.unambiguous(depth + 1); err != nil {
				return err
			}
			c.take(',')
		}
		c.at++
		return nil
	}
	c.skip()
	return nil
}
