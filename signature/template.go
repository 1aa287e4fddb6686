package signature

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// defaultTemplate signs the body and nothing else.
const defaultTemplate = "{body}"

type operandKind int

const (
	operandLiteral operandKind = iota
	operandVariable
	operandSource
	operandSetting
	operandMethod
	operandURL
	operandPath
	operandURI // path and query
	operandBody
	operandSecret
	operandForm  // a canonical form of the request
	operandGroup // left out if something in it is absent
)

// An operand is one piece of a template, other than the body as it is.
type operand struct {
	kind    operandKind
	literal string
	slot    int           // operandVariable, and what an operandForm reads
	source  source        // operandSource
	setting string        // operandSetting
	form    canonicalForm // operandForm
	group   []operand     // operandGroup
	filters []valueFilter
	text    string // as in the template, for messages
}

// A template makes the message that is signed. The body, unchanged, is in it once
// or not at all, so a message is what is before the body, the body, and what is
// after.
type template struct {
	head, tail []operand
	body       bool
	binds      bool // a change of the body is a change of the message
	secret     bool // the message differs from key to key
	url        bool // the URL, or a part of it, is in it
	json       bool // it has fields of the JSON document
}

// A scope is what a template can name.
type scope struct {
	slot    func(variable string) (int, bool)
	setting func(name string)
}

// compileTemplate compiles text, "" to the body alone.
func compileTemplate(text string, in scope) (*template, error) {
	if text == "" {
		text = defaultTemplate
	}
	t := &template{}
	ops, err := t.compile(text, in)
	if err != nil {
		return nil, err
	}
	for i := range ops {
		op := &ops[i]
		switch {
		case op.kind == operandBody && len(op.filters) == 0 && t.body:
			return nil, errors.New("{body} is there twice")
		case op.kind == operandBody && len(op.filters) == 0:
			t.body, t.binds = true, t.binds || borders(ops, i)
		case t.body:
			t.tail = append(t.tail, *op)
		default:
			t.head = append(t.head, *op)
		}
	}
	return t, nil
}

// borders reports whether nobody can move the border between the body, which is
// ops[i], and what is beside it: what is there has a form of its own, or is
// separated from the body.
func borders(ops []operand, i int) bool {
	movable := func(j int) bool {
		return j >= 0 && j < len(ops) && (ops[j].kind == operandVariable && ops[j].text != "time" || ops[j].kind == operandSource)
	}
	return !movable(i-1) && !movable(i+1)
}

// compile compiles text and its groups, [[like this]].
func (t *template) compile(text string, in scope) ([]operand, error) {
	var ops []operand
	for text != "" {
		plain, rest, grouped := strings.Cut(text, "[[")
		compiled, err := t.compileRun(plain, in)
		if err != nil {
			return nil, err
		}
		ops = append(ops, compiled...)
		if !grouped {
			break
		}
		inner, after, closed := strings.Cut(rest, "]]")
		if !closed || inner == "" {
			return nil, errors.New("a [[ has no ]] or nothing in it")
		}
		group, err := t.compileRun(inner, in)
		if err != nil {
			return nil, err
		}
		ops, text = append(ops, operand{kind: operandGroup, group: group}), after
		for i := range group {
			if group[i].kind == operandBody {
				return nil, errors.New("{body} cannot be left out")
			}
		}
	}
	return ops, nil
}

func (t *template) compileRun(text string, in scope) ([]operand, error) {
	tokens, err := tokenize(text)
	if err != nil {
		return nil, err
	}
	ops := make([]operand, 0, len(tokens))
	for _, tok := range tokens {
		op := operand{kind: operandLiteral, literal: tok.literal}
		if tok.name != "" {
			if op, err = compileOperand(tok.name, in); err != nil {
				return nil, err
			}
		}
		t.note(&op)
		ops = append(ops, op)
	}
	return ops, nil
}

// note remembers what a template with op in it is like.
func (t *template) note(op *operand) {
	switch op.kind {
	case operandSecret:
		t.secret = true
	case operandURL, operandPath, operandURI:
		t.url = true
	case operandForm:
		t.binds = t.binds || op.form.binds
		t.url = t.url || op.form.url
		t.json = t.json || op.form.json
	case operandBody:
		t.binds = t.binds || len(op.filters) > 0 && op.filters[0].collisionFree
	case operandSource:
		t.json = t.json || op.source.kind == fromJSON
	case operandLiteral, operandVariable, operandSetting, operandMethod, operandGroup:
	}
}

// compileOperand compiles what is between braces: a name, and filters after "|".
func compileOperand(text string, in scope) (operand, error) {
	names := strings.Split(text, "|")
	op := operand{text: names[0]}
	for _, name := range names[1:] {
		filter, ok := findFilter(name)
		if !ok {
			return op, fmt.Errorf("{%s}: there is no filter %q", clip(text), clip(name))
		}
		op.filters = append(op.filters, filter)
	}
	if setting, ok := strings.CutPrefix(names[0], "cfg:"); ok {
		if !validName(setting) {
			return op, fmt.Errorf("{%s} names no setting", clip(text))
		}
		op.kind, op.setting = operandSetting, setting
		in.setting(setting)
		return op, nil
	}
	if strings.Contains(names[0], ":") {
		s, err := parseSource(names[0])
		if err == nil && (s.optional || s.kind == fromNumbered) {
			err = fmt.Errorf("{%s} must be one value", clip(text))
		}
		op.kind, op.source = operandSource, s
		return op, err
	}
	if n, ok := in.slot(names[0]); ok {
		op.kind, op.slot = operandVariable, n
		return op, nil
	}
	kinds := map[string]operandKind{
		"method": operandMethod, "url": operandURL, "path": operandPath, "uri": operandURI, "body": operandBody,
		"secret": operandSecret,
	}
	var ok bool
	if op.kind, ok = kinds[names[0]]; ok {
		return op, nil
	}
	if op.form, ok = findForm(names[0]); ok {
		op.kind = operandForm
		if op.slot, ok = in.slot(op.form.reads); !ok && op.form.reads != "" {
			return op, fmt.Errorf("{%s} needs {%s}, which is not read anywhere", clip(text), op.form.reads)
		}
		return op, nil
	}
	return op, fmt.Errorf("{%s} is not read anywhere", clip(text))
}

// separators returns for each of n variables the byte that ends it in the
// message, or 0 if none does. A value that holds it could be read as a shorter
// value and more of what follows.
func (t *template) separators(n int) []byte {
	ends := make([]byte, n)
	var walk func(ops []operand)
	walk = func(ops []operand) {
		for i := range ops {
			if ops[i].kind == operandGroup {
				walk(ops[i].group)
				continue
			}
			if i+1 < len(ops) && ops[i].kind == operandVariable && ops[i+1].kind == operandLiteral {
				ends[ops[i].slot] = ops[i+1].literal[0]
			}
		}
	}
	walk(t.head)
	walk(t.tail)
	return ends
}

// dynamic reports whether anything of the request is in the message.
func (t *template) dynamic() bool {
	return t.body || slices.ContainsFunc(slices.Concat(t.head, t.tail), func(op operand) bool {
		return op.kind != operandLiteral && op.kind != operandSecret && op.kind != operandSetting
	})
}

// uses reports whether the variable is part of the message.
func (t *template) uses(slot int) bool {
	var in func(ops []operand) bool
	in = func(ops []operand) bool {
		for i := range ops {
			depends := ops[i].kind == operandVariable || ops[i].kind == operandForm && ops[i].form.reads != ""
			if depends && ops[i].slot == slot || in(ops[i].group) {
				return true
			}
		}
		return false
	}
	return in(t.head) || in(t.tail)
}

// message renders t, for the key with the given secret if it matters. The body is
// not copied.
func (t *template) message(in *reading, secret []byte) (message, *Error) {
	var m message
	if len(t.head)+len(t.tail) > 0 {
		buf, err := in.append(make([]byte, 0, 96), t.head, secret) //nolint:mnd // holds most heads
		if err != nil {
			return m, err
		}
		n := len(buf)
		if buf, err = in.append(buf, t.tail, secret); err != nil {
			return m, err
		}
		m.head, m.tail = buf[:n:n], buf[n:]
	}
	if t.body {
		m.body = in.Body
	}
	return m, nil
}

// render renders a template that is short and has no key in it.
func (t *template) render(in *reading) (string, *Error) {
	m, err := t.message(in, nil)
	return string(m.bytes()), err
}

func (in *reading) append(buf []byte, ops []operand, secret []byte) ([]byte, *Error) {
	for i := range ops {
		op := &ops[i]
		switch op.kind { //nolint:exhaustive // the others have a value that is only filtered
		case operandLiteral:
			buf = append(buf, op.literal...)
			continue
		case operandVariable:
			if len(op.filters) == 0 && in.variables[op.slot] != "" {
				buf = append(buf, in.variables[op.slot]...)
				continue
			}
		case operandGroup:
			if in.lacks(op.group) {
				continue
			}
			with, err := in.append(buf, op.group, secret)
			if err != nil && err.Reason != ReasonMissingValue {
				return nil, err
			}
			if err == nil {
				buf = with
			}
			continue
		}
		value, err := in.operand(op, secret)
		if err != nil {
			return nil, err
		}
		for _, f := range op.filters {
			value = f.apply(value)
		}
		buf = append(buf, value...)
	}
	return buf, nil
}

// lacks reports whether a variable of a group has no value.
func (in *reading) lacks(group []operand) bool {
	return slices.ContainsFunc(group, func(op operand) bool {
		return op.kind == operandVariable && in.variables[op.slot] == ""
	})
}

// operand returns the value of an operand before its filters.
func (in *reading) operand(op *operand, secret []byte) ([]byte, *Error) {
	switch op.kind {
	case operandSource:
		value, err := in.value(&op.source)
		if err != nil {
			return nil, refuse(ReasonDuplicateHeader, "%s %v", &op.source, err)
		}
		if value == "" {
			return nil, refuse(ReasonMissingValue, "%s is absent, and is signed", &op.source)
		}
		return []byte(value), nil
	case operandVariable:
		return []byte(in.variables[op.slot]), nil // what must be there is
	case operandSetting:
		return in.settingValue(op.setting)
	case operandMethod:
		if in.Method == "" {
			return nil, refuse(ReasonMissingValue, "the method is not known, and is signed")
		}
		return []byte(in.Method), nil
	case operandURL, operandPath, operandURI:
		return urlOperand(op.kind, in.URL)
	case operandBody:
		return in.Body, nil
	case operandSecret:
		return secret, nil
	case operandForm:
		return op.form.render(in)
	case operandLiteral, operandGroup:
	}
	return nil, nil
}

func (in *reading) settingValue(name string) ([]byte, *Error) {
	value := in.scheme.values[name]
	if value == "" {
		return nil, refuse(ReasonNoSetting, "the setting %s is needed, and is not set", name)
	}
	return []byte(value), nil
}

func urlOperand(kind operandKind, rawURL string) ([]byte, *Error) {
	if rawURL == "" {
		return nil, refuse(ReasonMissingValue, "the URL is not known, and is signed")
	}
	if kind == operandURL {
		return []byte(rawURL), nil
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, refuse(ReasonMalformedValue, "the URL %q cannot be read", clip(rawURL))
	}
	if kind == operandURI {
		return []byte(u.RequestURI()), nil
	}
	return []byte(u.EscapedPath()), nil
}
