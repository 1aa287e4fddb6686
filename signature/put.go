package signature

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// put sets a value of the request: the reverse of value. In a JSON document it
// replaces what is there, which keeps its kind, string or number.
func (in *reading) put(at *source, value string) error {
	switch at.kind {
	case fromHeader:
		in.Header.Set(at.name, value)
	case fromQuery:
		return in.putQuery(at.name, value)
	case fromForm:
		return in.putField(at.name, value)
	case fromBody:
		in.Body = []byte(value)
	case fromJSON:
		doc, err := putJSON(in.document(), at.path, value)
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		if in.jsonFrom != nil && (!in.jsonFrom.optional || isForm(in.Header)) {
			in.docFound = false
			return in.putField(in.jsonFrom.name, string(doc))
		}
		in.Body = doc
	case fromNowhere, fromNumbered: // those are written one by one
	}
	return nil
}

func (in *reading) putQuery(name, value string) error {
	u, err := url.Parse(in.URL)
	if err != nil {
		return fmt.Errorf("the URL cannot be read: %w", err)
	}
	query := u.Query()
	if query.Get(name) == value {
		return nil
	}
	query.Set(name, value)
	u.RawQuery = query.Encode()
	in.URL, in.query = u.String(), nil
	return nil
}

// putField sets a field of a form, and leaves the others as they are.
func (in *reading) putField(name, value string) error {
	if in.fields(); in.formErr != nil || len(in.Body) > 0 && strings.HasPrefix(in.Header.Get("Content-Type"), mediaMultipart) {
		return errors.New("the body must be a form of the type " + mediaForm)
	}
	in.Header.Set("Content-Type", mediaForm)
	pairs := strings.Split(string(in.Body), "&")
	pairs = slices.DeleteFunc(pairs, func(pair string) bool {
		key, _, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(key)
		return pair == "" || err == nil && key == name
	})
	pairs = append(pairs, url.QueryEscape(name)+"="+url.QueryEscape(value))
	in.Body, in.form = []byte(strings.Join(pairs, "&")), nil
	return nil
}

var errNoPlace = errors.New("the body has no such field to put it in")

// putJSON returns doc with value at path instead of the scalar that is there. A
// "*" in path does so in every item of an array.
func putJSON(doc []byte, path []string, value string) ([]byte, error) {
	if i := slices.Index(path, everyItem); i >= 0 {
		for n := 0; ; n++ {
			step := slices.Clone(path)
			step[i] = strconv.Itoa(n)
			c := cursor{doc: doc}
			if !c.walk(step[:i+1]) {
				if n == 0 {
					return nil, errNoPlace
				}
				return doc, nil
			}
			var err error
			if doc, err = putJSON(doc, step, value); err != nil {
				return nil, err
			}
		}
	}
	c := cursor{doc: doc}
	if !c.walk(path) {
		return nil, errNoPlace
	}
	kind, start := c.peek(), c.at
	if !c.skip() || kind == '{' || kind == '[' {
		return nil, errNoPlace
	}
	text := []byte(value)
	if kind == '"' || !json.Valid(text) {
		text = appendQuoted(nil, value)
	}
	return slices.Concat(doc[:start], text, doc[c.at:]), nil
}

// walk moves to the value at path.
func (c *cursor) walk(path []string) bool {
	for _, step := range path {
		if !c.descend(step) {
			return false
		}
	}
	return c.peek() != 0
}
