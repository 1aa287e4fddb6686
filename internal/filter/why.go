package filter

import (
	"context"
	"fmt"
	"strings"

	"github.com/itchyny/gojq"
)

// Why says, for people, why [Program.Test] is not true of this payload: which
// of the conditions that are joined by `and` is not, and what its left side is.
//
//	.ref == "refs/heads/main" is false: .ref is "refs/heads/topic"
//
// If the program is true it says so. It is slower than a test.
func (p *Program) Why(ctx context.Context, payload any, ev Event) string {
	for _, condition := range p.conditions() {
		v, ok, err := condition.first(ctx, payload, ev)
		switch {
		case err != nil:
			return fmt.Sprintf("%s failed: %v", condition.text(), err)
		case !ok:
			return fmt.Sprintf("%s has no output%s", condition.text(), condition.subject(ctx, payload, ev))
		case v == nil || v == false:
			return fmt.Sprintf("%s is %s%s", condition.text(), quote(v), condition.subject(ctx, payload, ev))
		}
	}
	return fmt.Sprintf("%s is true", p.text())
}

// conditions returns the operands of the `and`s at the top of p, or p itself.
func (p *Program) conditions() []*Program {
	query, err := gojq.Parse(p.source)
	if err != nil {
		return []*Program{p} // not reached: p was compiled
	}
	query = unwrap(query)
	if query.Op != gojq.OpAnd || len(query.FuncDefs) > 0 {
		return []*Program{p}
	}
	var all []*Program
	for _, operand := range []*gojq.Query{query.Left, query.Right} {
		part, err := Compile(unwrap(operand).String())
		if err != nil {
			return []*Program{p} // a part that does not stand alone
		}
		all = append(all, part.conditions()...)
	}
	return all
}

// subject returns ": X is V" for the X that the condition p is about: the left
// side of a comparison, or what comes before the first pipe.
func (p *Program) subject(ctx context.Context, payload any, ev Event) string {
	query, err := gojq.Parse(p.source)
	if err != nil {
		return "" // not reached: p was compiled
	}
	query = unwrap(query)
	if len(query.FuncDefs) > 0 || len(query.Patterns) > 0 {
		return ""
	}
	switch query.Op {
	case gojq.OpEq, gojq.OpNe, gojq.OpLt, gojq.OpLe, gojq.OpGt, gojq.OpGe, gojq.OpPipe:
	default:
		return ""
	}
	left := unwrap(query.Left)
	if isScalar(left) {
		left = unwrap(query.Right)
	}
	about, err := Compile(left.String())
	if err != nil {
		return "" // a part that does not stand alone
	}
	v, ok, err := about.first(ctx, payload, ev)
	switch {
	case err != nil:
		return ""
	case !ok:
		return fmt.Sprintf(": %s has no output", about.text())
	}
	return fmt.Sprintf(": %s is %s", about.text(), quote(v))
}

// text is the source of p as it stands in a sentence.
func (p *Program) text() string { return clip(strings.TrimSpace(p.source)) }

// unwrap removes parentheses around all of q.
func unwrap(q *gojq.Query) *gojq.Query {
	for len(q.FuncDefs) == 0 && q.Term != nil && q.Term.Type == gojq.TermTypeQuery && len(q.Term.SuffixList) == 0 {
		q = q.Term.Query
	}
	return q
}

// quote writes v as JSON, or how it begins if that is long.
func quote(v any) string {
	const most = 80 // bytes
	if within(v, valueWeight*most) == nil {
		if text, err := gojq.Marshal(v); err == nil && len(text) <= most {
			return string(text)
		}
	}
	return gojq.Preview(v)
}
