package main

import (
	"fmt"
	"slices"
	"strings"
)

// A description is what is read of the OpenAPI document: version 3.1, whose
// schemas are JSON Schema 2020-12 already. Nullable and discriminator, which are
// of version 3.0, are refused rather than read wrongly.
type description struct {
	Webhooks map[string]struct {
		Post struct {
			RequestBody struct {
				Content map[string]struct {
					Schema schema `json:"schema"`
				} `json:"content"`
			} `json:"requestBody"` //nolint:tagliatelle // because OpenAPI writes it so
			GitHub struct {
				Subcategory string `json:"subcategory"`
			} `json:"x-github"` //nolint:tagliatelle // because GitHub writes it so
		} `json:"post"`
	} `json:"webhooks"`
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

// A schema is a JSON Schema as encoding/json reads it.
type schema = map[string]any

// A webhook is one kind of delivery.
type webhook struct {
	event  string
	action string // empty if it has none, "*" if it may be any text
	root   string // the name of its schema
}

// webhooks returns what there is, in the order of the names of the description.
func (d *description) webhooks() ([]webhook, error) {
	var all []webhook
	for name, hook := range d.Webhooks {
		content, ok := hook.Post.RequestBody.Content["application/json"]
		if !ok {
			return nil, fmt.Errorf("webhook %q has no JSON body", name)
		}
		root, ok := refName(content.Schema)
		if !ok {
			return nil, fmt.Errorf("webhook %q has no schema with a name", name)
		}
		action, err := actionOf(d.Components.Schemas[root])
		if err != nil {
			return nil, fmt.Errorf("webhook %q: %w", name, err)
		}
		// The description writes some events with hyphens, X-GitHub-Event none.
		event := strings.ReplaceAll(hook.Post.GitHub.Subcategory, "-", "_")
		all = append(all, webhook{event: event, action: action, root: root})
	}
	slices.SortFunc(all, func(a, b webhook) int { return strings.Compare(a.root, b.root) })
	return all, nil
}

// actionOf returns the action that the payloads of a schema have.
func actionOf(root schema) (string, error) {
	if branches := list(root, "oneOf"); len(branches) > 0 {
		first, err := actionOf(branches[0])
		for _, branch := range branches[1:] {
			if other, _ := actionOf(branch); other != first {
				return "", fmt.Errorf("is of two actions, %q and %q", first, other)
			}
		}
		return first, err
	}
	action, ok := properties(root)["action"]
	if !ok {
		return "", nil
	}
	values, _ := action["enum"].([]any)
	switch len(values) {
	case 0:
		return "*", nil
	case 1:
		text, _ := values[0].(string)
		return text, nil
	}
	return "", fmt.Errorf("is of %d actions", len(values))
}

// refName returns the name of the schema that s refers to.
func refName(s schema) (string, bool) {
	ref, _ := s["$ref"].(string)
	return strings.CutPrefix(ref, "#/components/schemas/")
}

// properties returns the properties that s describes.
func properties(s schema) map[string]schema {
	all := make(map[string]schema)
	described, _ := s["properties"].(map[string]any)
	for name, of := range described {
		all[name], _ = of.(schema)
	}
	return all
}

// list returns the schemas under a keyword such as anyOf.
func list(s schema, keyword string) []schema {
	items, _ := s[keyword].([]any)
	var all []schema
	for _, item := range items {
		if of, ok := item.(schema); ok {
			all = append(all, of)
		}
	}
	return all
}

// texts returns the strings under a keyword that holds one or a list of them.
func texts(s schema, keyword string) []string {
	if text, ok := s[keyword].(string); ok {
		return []string{text}
	}
	if all, ok := s[keyword].([]string); ok { // of a schema that was reduced
		return all
	}
	items, _ := s[keyword].([]any)
	var all []string
	for _, item := range items {
		if text, ok := item.(string); ok {
			all = append(all, text)
		}
	}
	return all
}
