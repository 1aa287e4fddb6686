package tenterhook_test

import (
	"bytes"
	"flag"
	"go/ast"
	"go/printer"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the tests compare with anew: the golden files of the public API, and the list of providers")

// What other programs can use is written down in testdata/api, one line for each
// name, field, method and constant. So a change of it is seen, and meant.
func TestPublicAPI(t *testing.T) {
	t.Parallel()
	for _, pkg := range standardLibraryOnly() {
		name := pkg
		if pkg == "." {
			name = path.Base(module)
		}
		file := filepath.Join("testdata", "api", name+".txt")
		got := publicAPI(t, pkg)
		if *update {
			if err := os.WriteFile(file, []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		golden, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("%v: write it with go test -run TestPublicAPI -update .", err)
		}
		want := strings.Split(strings.TrimSuffix(string(golden), "\n"), "\n")
		removed, added := notIn(want, got), notIn(got, want)
		if len(removed)+len(added) == 0 {
			continue
		}
		t.Errorf("the public API of package %s is not what %s says:\n%s%s"+
			"It is under semantic versioning. A line that is gone or changed breaks programs that use it (but for the name of a "+
			"parameter): that needs a new major version, so keep the old beside the new, and deprecate it. A line that is "+
			"only new is a new minor version. If it is meant, run\n\tgo test -run TestPublicAPI -update .\n"+
			"and write it into CHANGELOG.md", name, file, marked("- ", removed), marked("+ ", added))
	}
}

func notIn(lines, others []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return slices.Contains(others, line) })
}

func marked(mark string, lines []string) string {
	var text strings.Builder
	for _, line := range lines {
		text.WriteString(mark + line + "\n")
	}
	return text.String()
}

// publicAPI is what a package exports, sorted, each line complete in itself.
func publicAPI(t *testing.T, pkg string) []string {
	t.Helper()
	api := apiLines{results: make(map[string]string)}
	var files []source
	for _, s := range sources(t) {
		if s.pkg() == pkg && !s.isTest() {
			files = append(files, s)
		}
	}
	for _, s := range files {
		for _, decl := range s.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Type.Results.NumFields() > 0 {
				api.results[f.Name.Name] = code(f.Type.Results.List[0].Type)
			}
		}
	}
	for _, s := range files {
		for _, decl := range s.file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				api.function(decl)
			case *ast.GenDecl:
				api.general(decl)
			}
		}
	}
	slices.Sort(api.lines)
	return slices.Compact(api.lines)
}

type apiLines struct {
	lines   []string
	results map[string]string // of functions, by name: the types of variables that they make
}

func (a *apiLines) add(parts ...string) {
	a.lines = append(a.lines, strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " "))
}

func (a *apiLines) function(f *ast.FuncDecl) {
	if !f.Name.IsExported() || !receiverIsExported(f.Recv) {
		return
	}
	signature := f.Name.Name + strings.TrimPrefix(code(f.Type), "func")
	if f.Recv == nil {
		a.add("func", signature)
		return
	}
	a.add("method", "("+code(f.Recv.List[0].Type)+")", signature)
}

func (a *apiLines) general(decl *ast.GenDecl) {
	constType := ""
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			a.typeSpec(spec)
		case *ast.ValueSpec:
			typ := code(spec.Type)
			if decl.Tok == token.CONST && typ == "" && len(spec.Values) == 0 {
				typ = constType // as in the line above, which has iota
			}
			constType = typ
			for i, name := range spec.Names {
				if name.IsExported() {
					a.value(decl.Tok, name.Name, typ, slices.Concat(spec.Values, make([]ast.Expr, len(spec.Names)))[i])
				}
			}
		}
	}
}

// value is a constant with its value, or a variable with its type.
func (a *apiLines) value(tok token.Token, name, typ string, value ast.Expr) {
	if tok == token.CONST {
		text := code(value)
		if text != "" {
			text = "= " + text
		}
		a.add("const", name, typ, text)
		return
	}
	if call, ok := value.(*ast.CallExpr); ok && typ == "" {
		if typ = a.results[code(call.Fun)]; typ == "" {
			typ = map[string]string{"errors.New": "error"}[code(call.Fun)]
		}
	}
	a.add("var", name, typ)
}

func (a *apiLines) typeSpec(spec *ast.TypeSpec) {
	if !spec.Name.IsExported() {
		return
	}
	head := "type " + spec.Name.Name
	if spec.TypeParams != nil {
		head += "[" + fieldList(spec.TypeParams) + "]"
	}
	switch typ := spec.Type.(type) {
	case *ast.StructType:
		a.add(head, "struct")
		a.fields(head+" struct,", typ.Fields)
	case *ast.InterfaceType:
		a.add(head, "interface")
		a.fields(head+" interface,", typ.Methods)
	default:
		if spec.Assign.IsValid() {
			head += " ="
		}
		a.add(head, code(spec.Type))
	}
}

func (a *apiLines) fields(head string, list *ast.FieldList) {
	for _, field := range list.List {
		text := code(field.Type)
		if _, isMethod := field.Type.(*ast.FuncType); isMethod && strings.HasSuffix(head, "interface,") {
			a.add(head, field.Names[0].Name+strings.TrimPrefix(text, "func"))
			continue
		}
		if field.Tag != nil {
			text += " " + field.Tag.Value
		}
		if len(field.Names) == 0 && ast.IsExported(strings.TrimLeft(text[strings.LastIndex(text, ".")+1:], "*")) {
			a.add(head, "embedded", text)
		}
		for _, name := range field.Names {
			if name.IsExported() {
				a.add(head, name.Name, text)
			}
		}
	}
}

func fieldList(list *ast.FieldList) string {
	var all []string
	for _, field := range list.List {
		for _, name := range field.Names {
			all = append(all, name.Name+" "+code(field.Type))
		}
	}
	return strings.Join(all, ", ")
}

// code is n as it is written, on one line.
func code(n ast.Node) string {
	var text bytes.Buffer
	if expr, ok := n.(ast.Expr); !ok || expr == nil {
		return ""
	}
	if err := printer.Fprint(&text, token.NewFileSet(), n); err != nil {
		panic(err)
	}
	return strings.ReplaceAll(strings.Join(strings.Fields(text.String()), " "), ", )", ")")
}
