package schema

//go:generate go run ../../scripts/reduce-schemas -o github.json.gz -measure testdata/description.txt

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed github.json.gz
var archive []byte

// maxArchive is how many bytes the archive may unpack to. It has 0.4 MB; more
// means that it is not ours.
const maxArchive = 4 << 20

// GitHub returns the schemas of GitHub's webhooks, by event and action. It is
// unpacked at the first look-up, and a schema is compiled when its type is first
// looked up, once for all that refer to it: keep the set, and share it.
//
// An event that has actions and none in its payload is known by its bare name, and
// does not match. An action that GitHub added since is not known.
func GitHub() *Set {
	g := new(github)
	return newSet(g.find)
}

type github struct {
	unpack   sync.Once
	types    map[string]string          // type, or EVENT.* for any action: name of a schema
	schemas  map[string]json.RawMessage // by name
	compiled sync.Map                   // by name: *compiled

	compiling sync.Mutex // guards the compiler
	compiler  *jsonschema.Compiler
}

// find implements finder. It panics if the archive in the binary is damaged.
func (g *github) find(typ string) *compiled {
	g.unpack.Do(g.read)
	name, ok := g.types[typ]
	if !ok {
		event, _, _ := strings.Cut(typ, ".")
		if name, ok = g.types[event+".*"]; !ok {
			return nil
		}
	}
	if found, ok := g.compiled.Load(name); ok {
		done, _ := found.(*compiled)
		return done
	}
	g.compiling.Lock()
	defer g.compiling.Unlock()
	ready, err := g.compiler.Compile(githubURL + name)
	if err != nil {
		panic("schema: compile the embedded schema of " + typ + ": " + err.Error())
	}
	done := &compiled{Schema: ready, values: MaxValues}
	g.compiled.Store(name, done)
	return done
}

// githubURL is what names of schemas in the archive are relative to. Nothing is
// fetched from it.
const githubURL = "builtin:///github/"

// Load implements [jsonschema.URLLoader]: each schema is a document of its own, so
// that only those are read that a type needs.
func (g *github) Load(url string) (any, error) {
	text, ok := g.schemas[strings.TrimPrefix(url, githubURL)]
	if !ok {
		return nil, fmt.Errorf("the archive has no schema %q", url)
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(text))
}

func (g *github) read() {
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		panic("schema: open the embedded archive: " + err.Error())
	}
	var content struct {
		Types   map[string]string          `json:"types"`
		Schemas map[string]json.RawMessage `json:"schemas"`
	}
	if err := json.NewDecoder(io.LimitReader(unzipped, maxArchive)).Decode(&content); err != nil {
		panic("schema: read the embedded archive: " + err.Error())
	}
	g.types, g.schemas = content.Types, content.Schemas
	g.compiler = newCompiler(g)
}

// newCompiler returns a compiler that gets its schemas from nowhere else.
func newCompiler(from jsonschema.URLLoader) *jsonschema.Compiler {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(from)
	return c
}
