package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
)

// minShared is from how many bytes on a schema that stands in several places is
// written once.
const minShared = 80

// share writes every object that is described in several places once, under a
// name made of its digest. The description repeats what a user or a repository is
// in nearly each of its schemas; what is compiled once for all of them costs less
// time and memory than what is compiled for each.
func share(schemas map[string]schema) map[string]schema {
	s := sharer{seen: make(map[string]int), out: make(map[string]schema)}
	for _, of := range schemas {
		s.count(of)
	}
	for name, of := range schemas {
		s.out[name] = s.inside(of)
	}
	return s.out
}

type sharer struct {
	seen map[string]int // by the text of a schema
	out  map[string]schema
}

func (s *sharer) count(of schema) {
	children(of, func(child schema) schema {
		text := canonical(child)
		s.seen[text]++
		if s.seen[text] == 1 || !isObject(child) {
			s.count(child)
		}
		return child
	})
}

// inside returns of with what it contains shared.
func (s *sharer) inside(of schema) schema {
	return children(of, func(child schema) schema {
		text := canonical(child)
		if s.seen[text] < 2 || len(text) < minShared || !isObject(child) {
			return s.inside(child)
		}
		digest := sha256.Sum256([]byte(text))
		name := "object-" + hex.EncodeToString(digest[:6])
		if _, done := s.out[name]; !done {
			s.out[name] = s.inside(child)
		}
		return schema{"$ref": name}
	})
}

// children returns a copy of a schema with every schema in it replaced.
func children(of schema, replace func(schema) schema) schema {
	out := maps.Clone(of)
	for keyword, value := range of {
		switch value := value.(type) {
		case schema:
			if keyword != "properties" {
				out[keyword] = replace(value)
				continue
			}
			properties := make(map[string]any, len(value))
			for name, property := range value {
				properties[name] = property
				if inner, ok := property.(schema); ok {
					properties[name] = replace(inner)
				}
			}
			out[keyword] = properties
		case []schema:
			list := make([]schema, len(value))
			for i, inner := range value {
				list[i] = replace(inner)
			}
			out[keyword] = list
		}
	}
	return out
}

func isObject(of schema) bool { return of["properties"] != nil }

// canonical returns the text of a schema, the same for equal ones.
func canonical(of schema) string {
	text, err := json.Marshal(of)
	if err != nil {
		panic("reduce-schemas: a schema that cannot be written: " + err.Error()) // it was read from JSON
	}
	return string(text)
}
