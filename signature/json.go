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
