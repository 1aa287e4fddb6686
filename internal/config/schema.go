package config

import (
	"encoding/json"
	"maps"
)

// A schema is a JSON Schema, 2020-12.
type schema map[string]any

// with returns s with one more keyword.
func (s schema) with(keyword string, value any) schema {
	s = maps.Clone(s)
	s[keyword] = value
	return s
}

func objectSchema[T any](fields []field[T]) schema {
	properties := make(schema, len(fields))
	var required []string
	for _, f := range fields {
		properties[f.name] = f.schema
		if f.required {
			required = append(required, f.name)
		}
	}
	s := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

func namesSchema(value schema) schema {
	return schema{
		"type":                 "object",
		"propertyNames":        schema{"pattern": namePattern},
		"additionalProperties": value,
	}
}

func listSchema(item schema) schema {
	return schema{"type": "array", "items": item, "minItems": 1}
}

// Schema returns the JSON Schema (2020-12) of the configuration file, for
// editors. It is made of the same table that reads the file. The file may break
// rules that a schema cannot say, such as that a name exists: see [Load].
func Schema() []byte {
	s := fileKind().schema.
		with("$schema", "https://json-schema.org/draft/2020-12/schema").
		with("title", "tenterhook.yaml")
	text, _ := json.MarshalIndent(s, "", "  ") //nolint:errchkjson // texts, numbers and booleans only: never fails
	return append(text, '\n')
}
