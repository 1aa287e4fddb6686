package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// describe returns a description of one webhook, whose payload has this schema.
func describe(t *testing.T, root string) *description {
	t.Helper()
	text := `{"webhooks": {"issue-opened": {"post": {"x-github": {"subcategory": "sub-issues"}, "requestBody": {"content":
		{"application/json": {"schema": {"$ref": "#/components/schemas/root"}}}}}}},
		"components": {"schemas": {"root": ` + root + `, "user": {"type": ["object", "null"]}, "org": {"type": "object"}}}}`
	var d description
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// The rules of the policy, each on the property that it is about.
func TestReduce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ described, required, kept string }{
		"required at the top":  {`{"type": "string", "title": "Ref"}`, `"p"`, `{"properties": {"p": {"type": "string"}}, "required": ["p"]}`},
		"optional may be null": {`{"type": "string", "maxLength": 3}`, ``, `{"properties": {"p": {"type": ["string", "null"]}}}`},
		"null is absent":       {`{"$ref": "#/components/schemas/user"}`, `"p"`, `{"properties": {"p": {"$ref": "user"}}}`},
		"a name is required":   {`{"$ref": "#/components/schemas/org"}`, `"p"`, `{"properties": {"p": {"$ref": "org"}}, "required": ["p"]}`},
		"an optional one":      {`{"$ref": "#/components/schemas/org"}`, ``, `{"properties": {"p": {"anyOf": [{"type": "null"}, {"$ref": "org"}]}}}`},
		"enums go":             {`{"type": "string", "enum": ["a", "b"]}`, `"p"`, `{"properties": {"p": {"type": "string"}}, "required": ["p"]}`},
		"one form is any form": {`{"oneOf": [{"type": "null"}, {"type": "integer"}]}`, `"p"`, `{"properties": {"p": {"anyOf": [{"type": "null"}, {"type": "integer"}]}}}`},
		"what is deep": {
			`{"type": "object", "additionalProperties": false, "required": ["id", "zen"], "properties": {"id": {"type": "integer"}, "zen": {"type": "string"}}}`,
			`"p"`,
			`{"properties": {"p": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "zen": {"type": ["string", "null"]}}}}, "required": ["p"]}`,
		},
		"times": {
			`{"type": "object", "properties": {"made_at": {"type": "string", "format": "date-time"}}}`, `"p"`,
			`{"properties": {"p": {"type": "object", "properties": {"made_at": {"type": ["integer", "string", "null"]}}}}, "required": ["p"]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := reduce(describe(t, `{"properties": {"p": `+test.described+`}, "required": [`+test.required+`]}`), policy{})
			if err != nil {
				t.Fatal(err)
			}
			if a.Types["sub_issues"] != "root" {
				t.Errorf("the types are %v, want sub_issues among them", a.Types)
			}
			if diff := cmp.Diff(decoded(t, test.kept), decoded(t, canonical(a.Schemas["root"]))); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		})
	}
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestReduceActions(t *testing.T) {
	t.Parallel()
	const action = `{"type": "object", "required": ["action"], "properties": {"action": {"type": "string", "enum": ["opened"]}}}`
	a, err := reduce(describe(t, action), policy{})
	if err != nil {
		t.Fatal(err)
	}
	if a.Types["sub_issues.opened"] != "root" || a.Types["sub_issues"] != anAction {
		t.Errorf("the types are %v", a.Types)
	}
	if text := canonical(a.Schemas["root"]); !strings.Contains(text, `{"action":{"const":"opened"}}`) {
		t.Errorf("the action is not kept: %s", text)
	}
}

// A newer description may use what the rules do not cover.
func TestReduceRefusesWhatIsNew(t *testing.T) {
	t.Parallel()
	for _, root := range []string{`{"type": "object", "nullable": true}`, `{"properties": {"a": {"discriminator": {}}}}`, `{"properties": {"action": {"enum": ["a", "b"]}}}`} {
		if _, err := reduce(describe(t, root), policy{}); err == nil {
			t.Errorf("%s is taken", root)
		}
	}
}

// What stands in two places is written once.
func TestShare(t *testing.T) {
	t.Parallel()
	long := schema{"type": "object", "properties": map[string]any{strings.Repeat("p", minShared): schema{"type": "string"}}}
	out := share(map[string]schema{"a": {"items": long}, "b": {"anyOf": []schema{long, {"type": "null"}}}})
	ref, _ := out["a"]["items"].(schema)["$ref"].(string)
	if len(out) != 3 || out[ref] == nil || !strings.Contains(canonical(out["b"]), ref) {
		t.Errorf("shared as %v", out)
	}
}
