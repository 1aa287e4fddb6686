package tenterhook_test

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// The budgets. Medians do not tell good code from bad; the tail does.
const (
	maxFileLines        = 700
	maxFunctionLines    = 100 // tables of data apart
	maxInterfaceMethods = 5
)

func TestFilesAreShort(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if n := s.fset.File(s.file.Pos()).LineCount(); n > maxFileLines && !ast.IsGenerated(s.file) {
			t.Errorf("%s has %d lines, at most %d may be: split it by what its parts are for", s.path, n, maxFileLines)
		}
	}
}

func TestFunctionsAreShort(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		for _, decl := range s.file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			if n := s.lines(f) - s.dataLines(f.Body); n > maxFunctionLines {
				t.Errorf("%s: function %s has %d lines without its tables of data, at most %d may be: "+
					"give its steps names", s.at(f), f.Name.Name, n, maxFunctionLines)
			}
		}
	}
}

// dataLines is how many lines under n are inside of list and map literals; the
// functions in these are code, and do not count as data.
func (s source) dataLines(n ast.Node) int {
	lines := 0
	ast.Inspect(n, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok || !isTable(literal.Type) {
			return true
		}
		lines += s.lines(literal) - 1
		ast.Inspect(literal, func(n ast.Node) bool {
			f, isFunc := n.(*ast.FuncLit)
			if isFunc {
				lines -= s.lines(f) - 1
			}
			return !isFunc
		})
		return false
	})
	return lines
}

func isTable(literalType ast.Expr) bool {
	switch literalType.(type) {
	case *ast.ArrayType, *ast.MapType:
		return true
	}
	return false
}

func TestInterfacesAreSmall(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if i, ok := spec.Type.(*ast.InterfaceType); ok && i.Methods.NumFields() > maxInterfaceMethods {
				t.Errorf("%s: interface %s has %d methods, at most %d may be: ask for what this one consumer needs",
					s.at(spec), spec.Name.Name, i.Methods.NumFields(), maxInterfaceMethods)
			}
			return true
		})
	}
}

func TestEveryPackageHasAComment(t *testing.T) {
	t.Parallel()
	documented := make(map[string]bool)
	for _, s := range sources(t) {
		if !s.isTest() {
			documented[s.pkg()] = documented[s.pkg()] || s.file.Doc != nil
		}
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("package %s has no package comment: say what it is for, its rules and what it promises", pkg)
		}
	}
}

func TestEveryExportedNameIsDocumented(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		for _, decl := range s.file.Decls {
			for _, name := range undocumented(decl) {
				t.Errorf("%s: %s has no comment: say what goes in and out, units, ranges, and which errors come back",
					s.at(name), name.Name)
			}
		}
	}
}

// undocumented returns the exported names that decl declares without a comment.
// The comment of a group stands for the constants and variables in it.
func undocumented(decl ast.Decl) []*ast.Ident {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Doc == nil && decl.Name.IsExported() && receiverIsExported(decl.Recv) {
			return []*ast.Ident{decl.Name}
		}
	case *ast.GenDecl:
		var names []*ast.Ident
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Doc == nil && spec.Comment == nil && (decl.Doc == nil || decl.Lparen.IsValid()) {
					names = append(names, spec.Name)
				}
			case *ast.ValueSpec:
				if spec.Doc == nil && spec.Comment == nil && decl.Doc == nil {
					names = append(names, spec.Names...)
				}
			}
		}
		return slices.DeleteFunc(names, func(name *ast.Ident) bool { return !name.IsExported() })
	}
	return nil
}

// receiverIsExported reports whether a function with this receiver can be called
// from another package: it has none, or its type is exported.
func receiverIsExported(receiver *ast.FieldList) bool {
	if receiver == nil {
		return true
	}
	receiverType := receiver.List[0].Type
	for {
		switch x := receiverType.(type) {
		case *ast.StarExpr:
			receiverType = x.X
		case *ast.IndexExpr: // a type parameter
			receiverType = x.X
		case *ast.IndexListExpr:
			receiverType = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

func TestNoInit(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		for _, decl := range s.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: func init: what happens because a package is imported cannot be seen, ordered or tested; "+
					"list it explicitly and call it", s.at(f))
			}
		}
	}
}

func TestTestsDoNotSleep(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		timeName, ok := s.importName("time")
		if !ok || !s.isTest() {
			continue
		}
		bubbles := s.bubbles()
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if ok && isSelector(call.Fun, timeName, "Sleep") && !covers(bubbles, call.Pos()) {
				t.Errorf("%s: time.Sleep in a test is slow on every machine and too short on some: wait on a channel, "+
					"or sleep inside of synctest.Test, where time is not real (a helper that runs in there says "+
					"\"synctest\" in its comment)", s.at(call))
			}
			return true
		})
	}
}

// bubbles returns where in s time is not real: the calls of synctest.Test, and
// the functions whose comment says that they run inside of one. A sleep there
// costs nothing and cannot be too short.
func (s source) bubbles() []ast.Node {
	var bubbles []ast.Node
	for _, decl := range s.file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && strings.Contains(f.Doc.Text(), "synctest") {
			bubbles = append(bubbles, f)
		}
	}
	name, ok := s.importName("testing/synctest")
	if !ok {
		return bubbles
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && isSelector(call.Fun, name, "Test") {
			bubbles = append(bubbles, call)
		}
		return true
	})
	return bubbles
}

func isSelector(e ast.Expr, pkg, name string) bool {
	selector, ok := e.(*ast.SelectorExpr)
	if !ok || selector.Sel.Name != name {
		return false
	}
	x, ok := selector.X.(*ast.Ident)
	return ok && x.Name == pkg
}

func covers(nodes []ast.Node, pos token.Pos) bool {
	return slices.ContainsFunc(nodes, func(n ast.Node) bool { return n.Pos() <= pos && pos < n.End() })
}
