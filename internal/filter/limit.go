package filter

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/itchyny/gojq"
)

// A limiter prepares a parsed program before it is compiled. It refuses what a
// program may not do, and puts a guard (see guard.go) before each step whose
// work the deadline could not bound, because the interpreter looks at the clock
// only between steps. It changes the query in place.
//
// Names that begin with an underscore are the interpreter's and ours; programs
// cannot use them, so they cannot go around the guards.
type limiter struct {
	source    string
	usesEvent bool
	regexps   []expression // in the order in which the guards refer to them
	err       error        // the first refusal, a *SyntaxError
}

// A scope lists the functions that a program has defined, innermost first. They
// hide builtins of the same name and arity.
type scope struct {
	name  string
	arity int
	outer *scope
}

func (s *scope) defines(name string, arity int) bool {
	for ; s != nil; s = s.outer {
		if s.name == name && s.arity == arity {
			return true
		}
	}
	return false
}

// refused returns why a program may not use the builtin, or "".
func refused(name string) string {
	switch name {
	case "now", "localtime", "strflocaltime":
		return "its answer would differ between attempts or machines; $event.received_at is when the event came"
	case "env":
		return "programs have no access to the environment"
	case "input", "inputs", "input_filename", "input_line_number":
		return "the payload is the only input; it is `.`"
	case "debug", "stderr":
		return "programs cannot print; try them with `tenterhook route test`"
	case "halt", "halt_error":
		return "programs cannot stop the process; use `empty` or `error`"
	case "modulemeta", "get_search_list":
		return "programs cannot read files"
	case "jn", "yn":
		return "how long it takes depends on its argument"
	case "builtins":
		return "its order is random"
	}
	if strings.HasPrefix(name, "_") {
		return "names that begin with _ are reserved"
	}
	return ""
}

func (l *limiter) refuse(token, format string, args ...any) {
	if l.err == nil {
		l.err = &SyntaxError{locate(l.source, token), fmt.Sprintf(format, args...)}
	}
}

func (l *limiter) program(q *gojq.Query) {
	if q.Meta != nil {
		l.refuse("module", "`module` is not available: a program is not a module")
	}
	for _, i := range q.Imports {
		token := "import"
		if i.IncludePath != "" {
			token = "include"
		}
		l.refuse(token, "`%s` is not available: programs cannot read files", token)
	}
	l.query(q, nil)
}

func (l *limiter) query(q *gojq.Query, sc *scope) {
	if q == nil || l.err != nil {
		return
	}
	for _, def := range q.FuncDefs {
		sc = l.define(def, sc)
	}
	l.term(q.Term, sc)
	l.query(q.Left, sc)
	l.patterns(q.Patterns, sc)
	l.query(q.Right, sc)
	guardOperator(q)
}

// define prepares a definition and returns the scope of what follows it.
func (l *limiter) define(def *gojq.FuncDef, sc *scope) *scope {
	l.name(def.Name)
	sc = &scope{def.Name, len(def.Args), sc}
	body := sc
	for _, arg := range def.Args {
		l.name(strings.TrimPrefix(arg, "$"))
		body = &scope{strings.TrimPrefix(arg, "$"), 0, body}
	}
	l.query(def.Body, body)
	return sc
}

func (l *limiter) name(name string) {
	if strings.HasPrefix(name, "_") {
		l.refuse(name, "`%s` cannot be defined: names that begin with _ are reserved", name)
	}
}

func (l *limiter) term(t *gojq.Term, sc *scope) {
	if t == nil || l.err != nil {
		return
	}
	l.index(t.Index, sc)
	l.text(t.Str, sc)
	l.query(t.Query, sc)
	if t.Object != nil {
		for _, kv := range t.Object.KeyVals {
			l.variable(kv.Key)
			l.text(kv.KeyString, sc)
			l.query(kv.KeyQuery, sc)
			l.query(kv.Val, sc)
		}
	}
	if t.Array != nil {
		l.query(t.Array.Query, sc)
	}
	if t.Unary != nil {
		l.term(t.Unary.Term, sc)
	}
	l.control(t, sc)
	for _, suffix := range t.SuffixList {
		l.index(suffix.Index, sc)
	}
	switch {
	case t.Func != nil:
		l.call(t, sc)
	case t.Type == gojq.TermTypeFormat && t.Str == nil:
		guardInput(t, guardSome)
	}
}

func (l *limiter) control(t *gojq.Term, sc *scope) {
	switch {
	case t.If != nil:
		l.query(t.If.Cond, sc)
		l.query(t.If.Then, sc)
		for _, elif := range t.If.Elif {
			l.query(elif.Cond, sc)
			l.query(elif.Then, sc)
		}
		l.query(t.If.Else, sc)
	case t.Try != nil:
		l.query(t.Try.Body, sc)
		l.query(t.Try.Catch, sc)
	case t.Reduce != nil:
		l.query(t.Reduce.Query, sc)
		l.patterns(t.Reduce.Patterns, sc)
		l.query(t.Reduce.Start, sc)
		l.query(t.Reduce.Update, sc)
	case t.Foreach != nil:
		l.query(t.Foreach.Query, sc)
		l.patterns(t.Foreach.Patterns, sc)
		l.query(t.Foreach.Start, sc)
		l.query(t.Foreach.Update, sc)
		l.query(t.Foreach.Extract, sc)
	case t.Label != nil:
		l.query(t.Label.Body, sc)
	}
}

func (l *limiter) index(i *gojq.Index, sc *scope) {
	if i == nil || l.err != nil {
		return
	}
	l.text(i.Str, sc)
	l.query(i.Start, sc)
	l.query(i.End, sc)
	switch {
	case i.Start == nil || i.IsSlice || isString(i.Start):
	case !isNumber(i.Start):
		i.Start = call(guardAt, i.Start)
	default:
		if err := checkIndex(json.Number(i.Start.Term.Number)); err != nil {
			l.refuse(i.Start.Term.Number, "%v", err)
		}
	}
}

func (l *limiter) text(s *gojq.String, sc *scope) {
	if s == nil {
		return
	}
	for i, q := range s.Queries {
		l.query(q, sc)
		if !isString(q) { // the plain parts of the text are queries as well
			s.Queries[i] = pipe(q, guardSome)
		}
	}
}

func (l *limiter) patterns(patterns []*gojq.Pattern, sc *scope) {
	for _, p := range patterns {
		l.variable(p.Name)
		l.patterns(p.Array, sc)
		for _, o := range p.Object {
			l.variable(o.Key)
			l.text(o.KeyString, sc)
			l.query(o.KeyQuery, sc)
			if o.Val != nil {
				l.patterns([]*gojq.Pattern{o.Val}, sc)
			}
		}
	}
}

// variable looks at a name that may be a variable's.
func (l *limiter) variable(name string) {
	switch {
	case name == "$event":
		l.usesEvent = true
	case name == "$ENV":
		l.refuse(name, "`$ENV` is not available: %s", refused("env"))
	case strings.HasPrefix(name, "$_"):
		l.refuse(name, "`%s` is not available: %s", name, refused("_"))
	}
}

func (l *limiter) call(t *gojq.Term, sc *scope) {
	f := t.Func
	for _, arg := range f.Args {
		l.query(arg, sc)
	}
	l.variable(f.Name)
	if strings.HasPrefix(f.Name, "$") || sc.defines(f.Name, len(f.Args)) || l.err != nil {
		return
	}
	if why := refused(f.Name); why != "" {
		l.refuse(f.Name, "`%s` is not available: %s", f.Name, why)
		return
	}
	switch f.Name {
	case "test", "match", "capture", "scan", "splits", "sub", "gsub":
		l.regexp(t)
	case "split":
		if len(f.Args) == 2 {
			l.regexp(t)
			return
		}
		guardCall(t)
	case "strptime", "strftime":
		l.timeFormat(f)
	default:
		guardCall(t)
	}
}

// regexp checks a call whose first argument is a regular expression. It must be
// a literal: so a mistake shows when the configuration is read, its size is
// known, and the interpreter, which keeps every expression that it ever saw,
// keeps only these.
func (l *limiter) regexp(t *gojq.Term) {
	const most = 1 << 10 // bytes of an expression
	f := t.Func
	if len(f.Args) == 0 || len(f.Args) > 3 {
		return // not a builtin; the compiler says so
	}
	pattern, ok := stringOf(f.Args[0])
	if !ok {
		l.refuse(f.Name, "`%s` needs a literal regular expression, such as %s(\"^v[0-9]+\")", f.Name, f.Name)
		return
	}
	flags, ok := l.flags(f)
	if !ok {
		l.refuse(f.Name, "the flags of `%s` must be literal: g, i, m", f.Name)
		return
	}
	if len(pattern) > most {
		l.refuse(f.Name, "the regular expression has %d bytes, more than %d", len(pattern), most)
		return
	}
	if strings.Contains(flags, "i") {
		pattern = "(?i)" + pattern
	}
	if strings.Contains(flags, "m") {
		pattern = "(?s)" + pattern
	}
	re, err := newExpression(pattern)
	if err != nil {
		l.refuse(f.Name, "%v", err)
		return
	}
	all := strings.Contains(flags, "g")
	switch f.Name {
	case "scan", "splits", "split", "gsub":
		all = true
	}
	guardInput(t, guardSubject, number(len(l.regexps)), boolean(all))
	l.regexps = append(l.regexps, re)
}

// flags returns the literal flags of a call to a regular expression's builtin.
func (l *limiter) flags(f *gojq.Func) (flags string, ok bool) {
	at := 1
	if f.Name == "sub" || f.Name == "gsub" {
		at = 2
	}
	if len(f.Args) <= at {
		return "", true
	}
	if term := f.Args[at].Term; term != nil && term.Type == gojq.TermTypeNull {
		return "", true
	}
	flags, ok = stringOf(f.Args[at])
	return flags, ok && strings.Trim(flags, "gim") == ""
}

// timeFormat checks the format of strptime and strftime.
func (l *limiter) timeFormat(f *gojq.Func) {
	if len(f.Args) != 1 {
		return // not a builtin; the compiler says so
	}
	format, ok := stringOf(f.Args[0])
	switch {
	case !ok:
		l.refuse(f.Name, "`%s` needs a literal format, such as %s(\"%%Y-%%m-%%d\")", f.Name, f.Name)
	case strings.Contains(format, "%Z"):
		l.refuse(f.Name, "%%Z in `%s` is not available: names of time zones differ between machines; use %%z", f.Name)
	}
}
