package filter

import (
	"strconv"

	"github.com/itchyny/gojq"
)

// guardCall puts guards on a call to a builtin, if it needs them.
func guardCall(t *gojq.Term) {
	f := t.Func
	on := func(i int, guard string) {
		f.Args[i] = pipe(f.Args[i], guard)
	}
	switch f.Name + "/" + strconv.Itoa(len(f.Args)) {
	case "fromjson/0":
		f.Name = fromJSON
	case "tojson/0", "tostring/0", "format/1", "min/0", "max/0", "flatten/0", "flatten/1", "add/0",
		"implode/0", "error/0":
		guardInput(t, guardSome)
	case "join/1":
		f.Args[0] = call(guardAgainst, f.Args[0])
		guardInput(t, guardSome)
	case "sort/0", "unique/0", "explode/0", "split/1":
		guardInput(t, guardFew)
	case "transpose/0":
		guardInput(t, guardGrid)
	case "tonumber/0":
		guardInput(t, guardNumeral)
	case "add/1":
		collect := &gojq.Term{Type: gojq.TermTypeArray, Array: &gojq.Array{Query: f.Args[0]}}
		f.Args = nil
		guardAfter(t, &gojq.Query{Term: collect}, guardSome)
	case "sort_by/1", "group_by/1", "unique_by/1", "min_by/1", "max_by/1":
		on(0, guardFew)
		guardInput(t, guardFew)
	case "contains/1", "inside/1", "index/1", "rindex/1", "indices/1":
		f.Args[0] = call(guardAgainst, f.Args[0])
	case "error/1", "delpaths/1", "bsearch/1", "IN/1":
		on(0, guardSome)
	case "IN/2":
		on(0, guardSome)
		on(1, guardSome)
	case "setpath/2", "getpath/1":
		on(0, guardPath)
	case "fromstream/1":
		on(0, guardStream)
	}
}

// guardOperator puts guards on an operator, if it needs them.
func guardOperator(q *gojq.Query) {
	switch q.Op {
	case gojq.OpAdd:
		bindOperands(q, guardAdd)
	case gojq.OpSub:
		bindOperands(q, guardSubtract)
	case gojq.OpMul:
		bindOperands(q, guardMultiply)
	case gojq.OpDiv:
		bindOperands(q, guardDivide)
	case gojq.OpEq, gojq.OpNe, gojq.OpLt, gojq.OpLe, gojq.OpGt, gojq.OpGe:
		bindOperands(q, guardCompare)
	case gojq.OpUpdateAdd:
		unfoldUpdate(q, gojq.OpAdd)
	case gojq.OpUpdateSub:
		unfoldUpdate(q, gojq.OpSub)
	case gojq.OpUpdateMul:
		unfoldUpdate(q, gojq.OpMul)
	case gojq.OpUpdateDiv:
		unfoldUpdate(q, gojq.OpDiv)
	default: // the others cannot grow beyond their operands
	}
}

const (
	leftVariable  = "$_l"
	rightVariable = "$_r"
)

// bindOperands makes l op r into guard(l; r) as [$l, $r] | $l op $r, unless one
// side is a scalar that is written in the program, which makes it cheap. (But a
// string can be repeated by a large number, and split at a short string.)
func bindOperands(q *gojq.Query, guard string) {
	switch {
	case q.Op == gojq.OpMul && !(isNumber(q.Left) && isNumber(q.Right)):
	case q.Op == gojq.OpDiv && !isNumber(q.Right):
	case isScalar(q.Left) || isScalar(q.Right):
		return
	}
	*q = gojq.Query{
		FuncDefs: q.FuncDefs,
		Term: &gojq.Term{Type: gojq.TermTypeQuery, Query: &gojq.Query{
			Op:       gojq.OpPipe,
			Left:     call(guard, q.Left, q.Right),
			Patterns: []*gojq.Pattern{{Array: []*gojq.Pattern{{Name: leftVariable}, {Name: rightVariable}}}},
			Right:    &gojq.Query{Op: q.Op, Left: call(leftVariable), Right: call(rightVariable)},
		}},
	}
}

// unfoldUpdate makes l op= r into r as $r | l |= . op $r, with the guard of op.
func unfoldUpdate(q *gojq.Query, op gojq.Operator) {
	operation := &gojq.Query{Op: op, Left: identity(), Right: call(rightVariable)}
	guardOperator(operation)
	*q = gojq.Query{
		FuncDefs: q.FuncDefs,
		Term: &gojq.Term{Type: gojq.TermTypeQuery, Query: &gojq.Query{
			Op:       gojq.OpPipe,
			Left:     q.Right,
			Patterns: []*gojq.Pattern{{Name: rightVariable}},
			Right:    &gojq.Query{Op: gojq.OpModify, Left: q.Left, Right: operation},
		}},
	}
}

// guardInput makes a term t into guard(args) | t, keeping its suffixes last.
func guardInput(t *gojq.Term, guard string, args ...*gojq.Query) {
	guardAfter(t, nil, guard, args...)
}

// guardAfter makes a term t into first | guard(args) | t.
func guardAfter(t *gojq.Term, first *gojq.Query, guard string, args ...*gojq.Query) {
	inner := *t
	inner.SuffixList = nil
	checked := call(guard, args...)
	if first != nil {
		checked = &gojq.Query{Op: gojq.OpPipe, Left: first, Right: checked}
	}
	*t = gojq.Term{
		Type:       gojq.TermTypeQuery,
		Query:      &gojq.Query{Op: gojq.OpPipe, Left: checked, Right: &gojq.Query{Term: &inner}},
		SuffixList: t.SuffixList,
	}
}

// pipe makes q into (q | guard).
func pipe(q *gojq.Query, guard string) *gojq.Query {
	return &gojq.Query{Term: &gojq.Term{
		Type:  gojq.TermTypeQuery,
		Query: &gojq.Query{Op: gojq.OpPipe, Left: q, Right: call(guard)},
	}}
}

func call(name string, args ...*gojq.Query) *gojq.Query {
	return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: name, Args: args}}}
}

func identity() *gojq.Query {
	return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeIdentity}}
}

func number(n int) *gojq.Query {
	return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeNumber, Number: strconv.Itoa(n)}}
}

func boolean(b bool) *gojq.Query {
	if b {
		return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeTrue}}
	}
	return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFalse}}
}

// stringOf returns the text of a query that is a literal string.
func stringOf(q *gojq.Query) (string, bool) {
	if !isString(q) {
		return "", false
	}
	return q.Term.Str.Str, true
}

func isString(q *gojq.Query) bool {
	return q != nil && q.Term != nil && q.Term.Type == gojq.TermTypeString && q.Term.Str != nil &&
		q.Term.Str.Queries == nil && len(q.Term.SuffixList) == 0 && len(q.FuncDefs) == 0
}

// isScalar reports whether q is a scalar that is written in the program.
func isScalar(q *gojq.Query) bool {
	if q == nil || q.Term == nil || len(q.Term.SuffixList) > 0 || len(q.FuncDefs) > 0 {
		return false
	}
	switch q.Term.Type {
	case gojq.TermTypeNull, gojq.TermTypeTrue, gojq.TermTypeFalse, gojq.TermTypeNumber:
		return true
	default:
		return isString(q)
	}
}

func isNumber(q *gojq.Query) bool {
	return isScalar(q) && q.Term.Type == gojq.TermTypeNumber
}
