package schema

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A Set holds schemas by the type of the event. It may be used by several
// goroutines.
type Set struct {
	find finder
	room chan struct{} // holds one token for the large body that may be checked
}

// A finder returns the schema of a type; nil if there is none.
type finder func(typ string) *compiled

// A compiled schema is ready to be checked against.
type compiled struct {
	*jsonschema.Schema

	values int // how many values a payload may have
}

// large is from how many bytes on bodies are checked one at a time: all that is
// wrong with a body is gathered before the most telling is told, and that may take
// some hundred bytes for every value and every alternative.
const large = 64 << 10

func newSet(find finder) *Set { return &Set{find: find, room: make(chan struct{}, 1)} }

// Knows reports whether there is a schema for a type of event, such as "push" or
// "pull_request.opened". What is not known passes every check.
func (s *Set) Knows(typ string) bool { return s.find(typ) != nil }

// Check returns nil if the body of an event matches the schema of its type, or if
// there is none. Otherwise the error is a *[Mismatch]. The header is read for the
// content type and may be nil: a body is JSON, unless that says that it is a form.
// Of a form with the field payload, that field is the JSON, as GitHub sends it; any
// other form is an object of its fields, whose values are text, or a list of texts
// for a field that comes several times.
func (s *Set) Check(typ string, header http.Header, body []byte) error {
	found := s.find(typ)
	if found == nil {
		return nil
	}
	if len(body) >= large {
		s.room <- struct{}{}
		defer func() { <-s.room }()
	}
	payload, err := decode(header, body, found.values)
	if err != nil {
		return err
	}
	err = found.Validate(payload)
	if err == nil {
		return nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return &Mismatch{Expected: "a payload that can be checked", Got: clip(err.Error())}
	}
	return telling(invalid)
}

// ByType puts sets together: an event is checked by the set under the pattern that
// matches its type; of several, by that with the most letters. Types that no
// pattern matches are not known. Match says what a pattern means. The error is
// that a pattern is empty or a set is nil.
func ByType(sets map[string]*Set, match func(pattern, typ string) bool) (*Set, error) {
	patterns := make([]string, 0, len(sets))
	for pattern, set := range sets {
		if pattern == "" || set == nil {
			return nil, fmt.Errorf("schemas by type: pattern %q has no types or no schema", pattern)
		}
		patterns = append(patterns, pattern)
	}
	letters := func(pattern string) int { return len(pattern) - strings.Count(pattern, "*") }
	slices.SortFunc(patterns, func(a, b string) int {
		return cmp.Or(letters(b)-letters(a), len(a)-len(b), strings.Compare(a, b))
	})
	finders := make([]finder, len(patterns))
	for i, pattern := range patterns {
		finders[i] = sets[pattern].find
	}
	return newSet(func(typ string) *compiled {
		for i, pattern := range patterns {
			if match(pattern, typ) {
				return finders[i](typ)
			}
		}
		return nil
	}), nil
}
