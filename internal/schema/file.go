package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// MaxFile is how many bytes a schema may have.
const MaxFile = 4 << 20

// Load reads the schema of a file, as [Compile] does.
func Load(path string) (*Set, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(file, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	return Compile(filepath.Base(path), text)
}

// Compile makes a set that checks events of every type by one JSON Schema. Its
// draft is 2020-12, unless $schema names an earlier one, from 4 on. What it refers
// to must be in the text itself, by $defs, $anchor or $id. Formats are checked as
// the draft says: 2020-12 takes them as remarks. The error says what is wrong with
// the text, where, and what the name of the schema is.
func Compile(name string, text []byte) (*Set, error) {
	if len(text) > MaxFile {
		return nil, fmt.Errorf("schema %s: has more than %d bytes", name, MaxFile)
	}
	if _, err := decodeJSON(text, MaxValues); err != nil {
		return nil, fmt.Errorf("schema %s: %w", name, err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("schema %s: %w", name, err)
	}
	compiler := newCompiler(nowhere{})
	if err := compiler.AddResource(fileURL, doc); err != nil {
		return nil, fmt.Errorf("schema %s: %w", name, err)
	}
	ready, err := compiler.Compile(fileURL)
	if err != nil {
		return nil, fmt.Errorf("schema %s: %w", name, reword(err, doc))
	}
	done := &compiled{Schema: ready, values: min(MaxValues, maxWork/max(1, alternatives(doc)))}
	return newSet(func(string) *compiled { return done }), nil
}

// maxWork is how often the values of a payload may be compared with alternatives.
const maxWork = 1 << 20

// alternatives returns how many the longest anyOf or oneOf of a schema has.
func alternatives(v any) int {
	most := 0
	switch v := v.(type) {
	case map[string]any:
		for keyword, of := range v {
			if list, ok := of.([]any); ok && (keyword == "anyOf" || keyword == "oneOf") {
				most = max(most, len(list))
			}
			most = max(most, alternatives(of))
		}
	case []any:
		for _, element := range v {
			most = max(most, alternatives(element))
		}
	}
	return most
}

// fileURL stands for the file of a user in what the compiler says.
const fileURL = "file:///schema"

// nowhere loads nothing.
type nowhere struct{}

// Load implements [jsonschema.URLLoader].
func (nowhere) Load(string) (any, error) { return nil, errors.New("nothing is fetched") }

// reword says what is wrong with a schema in the words of this package.
func reword(err error, doc any) error {
	var invalid *jsonschema.ValidationError
	var refused *jsonschema.SchemaValidationError
	var outside *jsonschema.LoadURLError
	switch {
	case errors.As(err, &outside):
		place, ref := reference(doc, outside.URL)
		return fmt.Errorf("%s refers to %q, which is not in this file: nothing is fetched, so put it under $defs", place, ref)
	case errors.As(err, &refused) && errors.As(refused.Err, &invalid):
		return telling(invalid)
	}
	return errors.New(clip(strings.ReplaceAll(err.Error(), fileURL, "")))
}

// reference returns where doc refers to a URL, as a JSON pointer, and in which
// words. A place that is not found is told as the schema as a whole.
func reference(doc any, target string) (place, ref string) {
	base, err := url.Parse(fileURL)
	if err != nil {
		return "it", target
	}
	s := search{target: target, place: "it", ref: target}
	s.look(doc, base, nil)
	return s.place, s.ref
}

type search struct {
	target     string
	place, ref string
	done       bool
}

func (s *search) look(v any, base *url.URL, at []string) {
	switch v := v.(type) {
	case map[string]any:
		if id, ok := v["$id"].(string); ok {
			if next, err := base.Parse(id); err == nil {
				base = next
			}
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			s.compare(name, v[name], base, at)
			s.look(v[name], base, child(at, name))
		}
	case []any:
		for i, element := range v {
			s.look(element, base, child(at, strconv.Itoa(i)))
		}
	}
}

// compare notes the place of a keyword if it refers to the target.
func (s *search) compare(keyword string, value any, base *url.URL, at []string) {
	ref, ok := value.(string)
	if s.done || !ok || keyword != "$ref" && keyword != "$dynamicRef" && keyword != "$schema" {
		return
	}
	whole, err := base.Parse(ref)
	if err != nil {
		return
	}
	whole.Fragment = ""
	if whole.String() == s.target {
		s.place, s.ref, s.done = pointer(child(at, keyword)), clip(ref), true
	}
}
