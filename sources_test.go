package tenterhook_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/tenterhook/tenterhook"

// A source is one Go file of the repository.
type source struct {
	path string // from the root, with slashes
	file *ast.File
	fset *token.FileSet
}

// pkg is the directory of the source's package, from the root; "." is the root.
func (s source) pkg() string { return path.Dir(s.path) }

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// imports returns the import paths of s.
func (s source) imports(t *testing.T) []string {
	t.Helper()
	paths := make([]string, 0, len(s.file.Imports))
	for _, spec := range s.file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatalf("%s: read import: %v", s.at(spec), err)
		}
		paths = append(paths, p)
	}
	return paths
}

// at is where n begins, as file:line.
func (s source) at(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.line(n.Pos()))
}

func (s source) line(pos token.Pos) int { return s.fset.Position(pos).Line }

// lines is how many lines n spans.
func (s source) lines(n ast.Node) int { return s.line(n.End()) - s.line(n.Pos()) + 1 }

// importName reports whether s imports the package and, if so, under which name.
func (s source) importName(pkg string) (string, bool) {
	for _, spec := range s.file.Imports {
		if spec.Path.Value != strconv.Quote(pkg) {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name, true
		}
		return path.Base(pkg), true
	}
	return "", false
}

// sources parses every Go file of the repository. The files are read here, not
// by a tool that is started, so that the test cache sees when one changes.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		if entry.IsDir() {
			if name != "." && (strings.HasPrefix(base, ".") || slices.Contains([]string{"bin", "node_modules", "testdata"}, base)) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") {
			return nil
		}
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		all = append(all, source{path: filepath.ToSlash(name), file: file, fset: fset})
		return nil
	})
	if err != nil {
		t.Fatalf("read sources: %v", err)
	}
	return all
}
