package config

import (
	"fmt"
	"os"

	"github.com/tenterhook/tenterhook/internal/route"
	bodyschema "github.com/tenterhook/tenterhook/internal/schema" // schema is that of the file itself
	"github.com/tenterhook/tenterhook/signature"
)

// bodySchema finds out what the bodies of a source must look like.
func (b *builder) bodySchema(source *Source, raw named[rawSource]) {
	s := raw.v.schema
	source.FlagMismatch = raw.v.onMismatch.v == mismatchFlag
	switch {
	case s.at == nil:
		b.onlyFor(present(raw.v.onMismatch.at), "schema")
	case !s.ok: // reported
	case s.v.builtin && (source.Scheme == nil || source.Scheme.Name() != signature.GitHub.Name()):
		b.reject(s.at, fmt.Sprintf("there is no schema built in for %s, but for github only", source.Provider),
			"write schema: and the name of a file, or {TYPE: FILE}")
	case s.v.builtin:
		source.Schema, source.SchemaFrom = bodyschema.GitHub(), []string{schemaBuiltin}
	case s.v.file != "":
		source.Schema, source.SchemaFrom = b.schemaFile(s.at, s.v.file), []string{s.v.file}
	default:
		b.schemasByType(source, s.v)
	}
}

// schemasByType puts together the schemas of patterns of types.
func (b *builder) schemasByType(source *Source, s rawSchema) {
	sets := make(map[string]*bodyschema.Set, len(s.types))
	for _, one := range s.types {
		set := b.schemaFile(one.at, one.file)
		if set == nil {
			return // reported
		}
		sets[one.pattern] = set
		source.SchemaFrom = append(source.SchemaFrom, one.pattern+": "+one.file)
	}
	set, err := bodyschema.ByType(sets, route.MatchType)
	if err != nil {
		b.reject(s.at, err.Error(), "correct what it names")
		return
	}
	source.Schema = set
}

// schemaFile compiles the schema in a file, or returns nil after it reported why
// it cannot.
func (b *builder) schemaFile(n *node, file string) *bodyschema.Set {
	text, err := b.env.readSchema(b.path(file))
	if err != nil {
		b.reject(n, fmt.Sprintf("the schema %q cannot be read: %v", clip(file), cause(err)),
			"a relative path starts at the directory of this file")
		return nil
	}
	set, err := bodyschema.Compile(file, text)
	if err != nil {
		b.reject(n, err.Error(), "a schema is a JSON Schema, in one file; draft 2020-12 unless its $schema says otherwise")
		return nil
	}
	return set
}

// readSchema reads a file that is no secret, and no more of it than may be there.
func (e Env) readSchema(path string) ([]byte, error) {
	if e.ReadFile != nil && !e.WithoutSecrets {
		return e.ReadFile(path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the file: %w", err)
	}
	return readBounded(f, bodyschema.MaxFile+1)
}
