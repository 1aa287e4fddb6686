package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A policy says how much of the description is kept. The zero value is what the
// gateway checks; the fields add what it leaves out, to measure what that is worth.
//
// What is kept: the types of all values; the action; and, as required, what the
// description requires at the top of a payload or that names a thing (identity).
// Null and absent are the same: what is not required may be null, and what may be
// null is not required. A time may be text or a number. An object may have more
// properties, and one of several forms is matched by any.
type policy struct {
	closed         bool // also enums, limits, closed objects and exactly one of oneOf
	everyRequired  bool // also what is required deep in a payload
	describedNulls bool // null only where the description has it, and required though it may be null
	textTimes      bool // times only as the description writes them
}

// identity are the properties that are required at any depth: by these a payload
// says what it is about, and GitHub has sent them from the beginning. Others came
// over the years, and payloads from before, or of an Enterprise Server from
// before, lack them.
func identity() []string {
	return []string{"base", "full_name", "head", "id", "login", "name", "ref", "sha"}
}

// manyForms is from how many alternatives on only their types are kept: the list
// of forms is what GitHub adds to.
const manyForms = 8

// An archive is what the program writes.
type archive struct {
	Source  string            `json:"source"`
	Types   map[string]string `json:"types"` // EVENT, EVENT.ACTION, or EVENT.* for any action: the name of a schema
	Schemas map[string]schema `json:"schemas"`
}

// anAction is the schema of a payload whose event has actions, and which has none
// that could be read.
const anAction = "an-action"

func reduce(d *description, p policy) (*archive, error) {
	hooks, err := d.webhooks()
	if err != nil {
		return nil, err
	}
	r := reducer{policy: p, from: d.Components.Schemas, to: make(map[string]schema)}
	types := make(map[string]string)
	events := make(map[string]bool)
	for _, hook := range hooks {
		name := strings.TrimSuffix(hook.event+"."+hook.action, ".")
		if _, twice := types[name]; twice {
			return nil, fmt.Errorf("two schemas for %q", name)
		}
		types[name] = hook.root
		r.to[hook.root] = r.schema(r.from[hook.root], true)
		events[hook.event] = true
	}
	for event := range events {
		if _, ok := types[event]; !ok {
			types[event] = anAction
		}
	}
	r.to[anAction] = schema{
		"type":       "object",
		"required":   []string{"action"},
		"properties": map[string]any{"action": schema{"type": "string"}},
	}
	if r.err != nil {
		return nil, r.err
	}
	return &archive{Source: source().String(), Types: types, Schemas: share(r.to)}, nil
}

// A reducer makes schemas of a description small.
type reducer struct {
	policy

	from map[string]schema
	to   map[string]schema // by name; what was reduced so far
	err  error
}

// schema returns what is kept of s. A top schema is that of a whole payload.
func (r *reducer) schema(s schema, top bool) schema {
	if name, ok := refName(s); ok {
		if _, done := r.to[name]; !done {
			r.to[name] = nil // it may refer to itself
			r.to[name] = r.schema(r.from[name], false)
		}
		return schema{"$ref": name}
	}
	out := make(schema)
	for keyword, value := range s {
		switch keyword {
		case "type":
			out["type"] = value
		case "properties":
			r.properties(s, out, top)
		case "items", "additionalProperties":
			if of, ok := value.(schema); ok {
				out[keyword] = r.optional(r.schema(of, false))
			} else if r.closed {
				out[keyword] = value
			}
		case "allOf":
			out["allOf"] = r.each(s, keyword, top)
		case "anyOf", "oneOf":
			r.forms(s, keyword, out, top)
		case "enum", "minimum", "maximum", "maxLength", "minItems", "maxItems":
			if r.closed {
				out[keyword] = value
			}
		case "required", // with the properties
			"title", "description", "default", "example", "examples", "readOnly", "deprecated", "format":
		default:
			r.err = fmt.Errorf("keyword %q, which nobody has thought about", keyword)
		}
	}
	return out
}

// each reduces the schemas under a keyword.
func (r *reducer) each(s schema, keyword string, top bool) []schema {
	all := list(s, keyword)
	for i, of := range all {
		all[i] = r.schema(of, top)
	}
	return all
}

// forms keeps the alternatives of s.
func (r *reducer) forms(s schema, keyword string, out schema, top bool) {
	all := r.each(s, keyword, top)
	switch {
	case r.closed:
		out[keyword] = all
	case len(all) >= manyForms:
		if s["type"] != nil {
			return
		}
		var types []string
		for _, of := range list(s, keyword) {
			types = append(types, r.types(of)...)
		}
		slices.Sort(types)
		out["type"] = slices.Compact(types)
	default:
		out["anyOf"] = all
	}
}

// properties keeps what s says of properties, and which of them are required.
func (r *reducer) properties(s, out schema, top bool) {
	required := texts(s, "required")
	kept := make(map[string]any)
	var must []string
	for name, of := range properties(s) {
		reduced := r.schema(of, false)
		if action, ok := of["enum"].([]any); ok && top && name == "action" {
			reduced = schema{"const": action[0]}
		}
		if strings.HasSuffix(name, "_at") && !r.textTimes {
			reduced = aTime(reduced)
		}
		if slices.Contains(required, name) && r.mustHave(name, of, top) {
			must = append(must, name)
		} else {
			reduced = r.optional(reduced)
		}
		if len(reduced) > 0 {
			kept[name] = reduced
		}
	}
	if len(kept) > 0 {
		out["properties"] = kept
	}
	if len(must) > 0 {
		slices.Sort(must)
		out["required"] = must
	}
}

// mustHave reports whether a required property stays so.
func (r *reducer) mustHave(name string, of schema, top bool) bool {
	if r.everyRequired {
		return r.describedNulls || !r.nullable(of)
	}
	if !top && !slices.Contains(identity(), name) {
		return false
	}
	return r.describedNulls || !r.nullable(of)
}

// nullable reports whether the description of a value allows null.
func (r *reducer) nullable(s schema) bool {
	types := r.types(s)
	return len(types) == 0 || slices.Contains(types, "null")
}

// types returns the types that a value may have; none if any.
func (r *reducer) types(s schema) []string {
	if name, ok := refName(s); ok {
		return r.types(r.from[name])
	}
	if types := texts(s, "type"); len(types) > 0 {
		return types
	}
	var types []string
	for _, keyword := range []string{"anyOf", "oneOf", "allOf"} {
		for _, of := range list(s, keyword) {
			types = append(types, r.types(of)...)
		}
	}
	return types
}

// optional has a reduced schema take null as well.
func (r *reducer) optional(s schema) schema {
	if r.describedNulls || len(s) == 0 {
		return s
	}
	null := schema{"type": "null"}
	types := texts(s, "type")
	forms, isForms := s["anyOf"].([]schema)
	name, _ := s["$ref"].(string)
	switch {
	case slices.Contains(types, "null"), name != "" && r.nullable(r.from[name]):
		return s
	case len(types) > 0 && !isForms:
		out := maps.Clone(s)
		out["type"] = append(slices.Clone(types), "null")
		return out
	case len(s) == 1 && isForms:
		if slices.ContainsFunc(forms, func(f schema) bool { return slices.Contains(texts(f, "type"), "null") }) {
			return s
		}
		return schema{"anyOf": append([]schema{null}, forms...)}
	}
	return schema{"anyOf": []schema{null, s}}
}

// aTime has the reduced schema of a time take both forms that GitHub writes.
func aTime(s schema) schema {
	types := texts(s, "type")
	if !slices.Contains(types, "string") && !slices.Contains(types, "integer") {
		return s
	}
	either := []string{"integer", "string"}
	if slices.Contains(types, "null") {
		either = append(either, "null")
	}
	return schema{"type": either}
}
