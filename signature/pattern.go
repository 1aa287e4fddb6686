package signature

import (
	"errors"
	"fmt"
	"strings"
)

// A token is a piece of a pattern or a template: literal text, or a {name}.
type token struct {
	literal string
	name    string // empty if literal
}

// tokenize splits text such as "v1={sig}" into tokens. A brace that means
// itself is doubled.
func tokenize(text string) ([]token, error) {
	var tokens []token
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			tokens = append(tokens, token{literal: literal.String()})
			literal.Reset()
		}
	}
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case (c == '{' || c == '}') && i+1 < len(text) && text[i+1] == c:
			literal.WriteByte(c)
			i += 2
		case c == '}':
			return nil, errors.New("a } has no {")
		case c == '{':
			end := strings.IndexAny(text[i+1:], "{}")
			if end < 0 || text[i+1+end] != '}' {
				return nil, errors.New("a { has no }")
			}
			if end == 0 {
				return nil, errors.New("{} names nothing")
			}
			flush()
			tokens = append(tokens, token{name: text[i+1 : i+1+end]})
			i += end + 2
		default:
			literal.WriteByte(c)
			i++
		}
	}
	flush()
	return tokens, nil
}

// escape returns the pattern that matches text itself.
func escape(text string) string {
	return strings.NewReplacer("{", "{{", "}", "}}").Replace(text)
}

// slotSig is the place of a signature. Other places are indexes of variables.
const slotSig = -1

// maxCaptures is how many variables one pattern may hold.
const maxCaptures = 4

// A pattern takes text apart into variables, and puts it together again:
// "v1={sig}".
type pattern struct {
	text  string
	lead  string // before the first variable
	fold  bool   // the case of lead does not matter
	parts []capture
}

// A capture is one variable of a pattern, and the literal text that follows it.
type capture struct {
	slot  int
	until string
}

// compilePattern compiles text. The place of a variable is what slot says.
func compilePattern(text string, slot func(name string) (int, error)) (pattern, error) {
	p := pattern{text: text}
	tokens, err := tokenize(text)
	if err != nil {
		return p, fmt.Errorf("pattern %q: %w", clip(text), err)
	}
	afterVariable := false
	for _, t := range tokens {
		switch {
		case t.name == "" && len(p.parts) == 0:
			p.lead = t.literal
		case t.name == "":
			p.parts[len(p.parts)-1].until = t.literal
		case afterVariable:
			return p, fmt.Errorf("pattern %q: nothing separates {%s} from what is before it", clip(text), clip(t.name))
		default:
			n, err := slot(t.name)
			if err != nil {
				return p, fmt.Errorf("pattern %q: %w", clip(text), err)
			}
			p.parts = append(p.parts, capture{slot: n})
		}
		afterVariable = t.name != ""
	}
	if len(p.parts) == 0 || len(p.parts) > maxCaptures {
		return p, fmt.Errorf("pattern %q: it has %d variables, want 1 to %d", clip(text), len(p.parts), maxCaptures)
	}
	return p, nil
}

// match takes text apart. The values are in the order of p.parts, and none is
// empty.
func (p *pattern) match(text string) (values [maxCaptures]string, ok bool) {
	rest, ok := strings.CutPrefix(text, p.lead)
	if !ok {
		if !p.fold || len(text) < len(p.lead) || !strings.EqualFold(text[:len(p.lead)], p.lead) {
			return values, false
		}
		rest = text[len(p.lead):]
	}
	last := len(p.parts) - 1
	for i, part := range p.parts {
		var value string
		if i == last {
			value, ok = strings.CutSuffix(rest, part.until)
		} else {
			value, rest, ok = strings.Cut(rest, part.until)
		}
		if !ok || value == "" {
			return values, false
		}
		values[i] = value
	}
	return values, true
}

// has reports whether p holds the given slot.
func (p *pattern) has(slot int) bool {
	for _, part := range p.parts {
		if part.slot == slot {
			return true
		}
	}
	return false
}

// render is the reverse of match.
func (p *pattern) render(value func(slot int) string) string {
	var b strings.Builder
	b.WriteString(p.lead)
	for _, part := range p.parts {
		b.WriteString(value(part.slot))
		b.WriteString(part.until)
	}
	return b.String()
}

// otherVersion returns the version of a text that looks like what p matches but
// for its version: "v2" of "v2,..." where p is "v1,{sig}". It is only used to say
// why there is no match.
func (p *pattern) otherVersion(text string) (string, bool) {
	const most = 8 // characters of a version
	if p.lead == "" || strings.HasPrefix(text, p.lead) {
		return "", false
	}
	version, _, ok := strings.Cut(text, p.lead[len(p.lead)-1:])
	return version, ok && version != "" && len(version) <= most
}
