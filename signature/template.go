package signature

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// defaultTemplate signs the body and nothing else.
const defaultTemplate = "{body}"

type operandKind int

const (
	operandLiteral operandKind = iota
	operandVariable
	operandSource
	operandMethod
	operandURL
	operandPath
)

// An operand is one piece of a template, other than the body.
type operand struct {
	kind    operandKind
	literal string
	slot    int    // operandVariable
	source  source // operandSource
}

// A template makes the message that is signed. The body is in it once or not at
// all, so a message is what is before the body, the body, and what is after.
type template struct {
	head, tail []operand
	body       bool
}

// compileTemplate compiles text. Variables are those that were read; slot says
// where they are.
func compileTemplate(text string, slot func(name string) (int, bool)) (*template, error) {
	if text == "" {
		text = defaultTemplate
	}
	if strings.Contains(text, "[[") || strings.Contains(text, "]]") {
		return nil, errors.New("[[ and ]] are reserved")
	}
	tokens, err := tokenize(text)
	if err != nil {
		return nil, err
	}
	t, dynamic := &template{}, false
	for _, tok := range tokens {
		dynamic = dynamic || tok.name != ""
		if tok.name == "body" {
			if t.body {
				return nil, errors.New("{body} is there twice")
			}
			t.body = true
			continue
		}
		op, err := compileOperand(tok, slot)
		if err != nil {
			return nil, err
		}
		if t.body {
			t.tail = append(t.tail, op)
		} else {
			t.head = append(t.head, op)
		}
	}
	if !dynamic {
		return nil, errors.New("it signs nothing of the request")
	}
	return t, nil
}

func compileOperand(tok token, slot func(name string) (int, bool)) (operand, error) {
	switch {
	case tok.name == "":
		return operand{kind: operandLiteral, literal: tok.literal}, nil
	case tok.name == "method":
		return operand{kind: operandMethod}, nil
	case tok.name == "url":
		return operand{kind: operandURL}, nil
	case tok.name == "path":
		return operand{kind: operandPath}, nil
	case strings.Contains(tok.name, ":"):
		s, err := parseSource(tok.name)
		if err == nil && (s.optional || s.kind == fromNumbered) {
			err = fmt.Errorf("{%s} must be one value that is always there", clip(tok.name))
		}
		return operand{kind: operandSource, source: s}, err
	}
	n, ok := slot(tok.name)
	if !ok {
		return operand{}, fmt.Errorf("{%s} is not read anywhere", clip(tok.name))
	}
	return operand{kind: operandVariable, slot: n}, nil
}

// separators returns for each of n variables the byte that ends it in the
// message, or 0 if none does. A value that holds it could be read as a shorter
// value and more of what follows.
func (t *template) separators(n int) []byte {
	ends := make([]byte, n)
	for _, ops := range [...][]operand{t.head, t.tail} {
		for i := range len(ops) - 1 {
			if ops[i].kind == operandVariable && ops[i+1].kind == operandLiteral {
				ends[ops[i].slot] = ops[i+1].literal[0]
			}
		}
	}
	return ends
}

// message renders t. The body is not copied.
func (t *template) message(v *view, variables []string) (message, *Error) {
	var m message
	if len(t.head)+len(t.tail) > 0 {
		buf, err := appendOperands(make([]byte, 0, 96), t.head, v, variables)
		if err != nil {
			return m, err
		}
		n := len(buf)
		if buf, err = appendOperands(buf, t.tail, v, variables); err != nil {
			return m, err
		}
		m.head, m.tail = buf[:n:n], buf[n:]
	}
	if t.body {
		m.body = v.Body
	}
	return m, nil
}

func appendOperands(buf []byte, ops []operand, v *view, variables []string) ([]byte, *Error) {
	for i := range ops {
		switch op := &ops[i]; op.kind {
		case operandLiteral:
			buf = append(buf, op.literal...)
		case operandVariable:
			buf = append(buf, variables[op.slot]...)
		case operandMethod:
			if v.Method == "" {
				return nil, refuse(ReasonMissingValue, "the method is not known, and is signed")
			}
			buf = append(buf, v.Method...)
		case operandURL, operandPath:
			text, err := urlOperand(op.kind, v.URL)
			if err != nil {
				return nil, err
			}
			buf = append(buf, text...)
		case operandSource:
			value, err := v.value(&op.source)
			if err != nil {
				return nil, refuse(ReasonDuplicateHeader, "%s %v", &op.source, err)
			}
			if value == "" {
				return nil, refuse(ReasonMissingValue, "%s is absent, and is signed", &op.source)
			}
			buf = append(buf, value...)
		}
	}
	return buf, nil
}

func urlOperand(kind operandKind, rawURL string) (string, *Error) {
	if rawURL == "" {
		return "", refuse(ReasonMissingValue, "the URL is not known, and is signed")
	}
	if kind == operandURL {
		return rawURL, nil
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return "", refuse(ReasonMalformedValue, "the URL %q cannot be read", clip(rawURL))
	}
	return u.EscapedPath(), nil
}
