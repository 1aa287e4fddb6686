package filter

import (
	"errors"
	"strings"

	"github.com/itchyny/gojq"
)

// parseError words the interpreter's error about source.
func parseError(source string, err error) error {
	var parse *gojq.ParseError
	if !errors.As(err, &parse) {
		return &SyntaxError{0, err.Error()}
	}
	if parse.Token == "" {
		return &SyntaxError{len(source), "unexpected end of the program"}
	}
	offset := min(max(parse.Offset-len(parse.Token), 0), len(source))
	return &SyntaxError{offset, err.Error()}
}

// compileError words the interpreter's error about source. Its errors have
// neither a type nor a place, so the name that the text ends with is looked up;
// if the text were another one, only the place would be lost.
func compileError(source string, err error) error {
	name := err.Error()
	name = name[strings.LastIndex(name, " ")+1:]
	name, _, _ = strings.Cut(name, "/") // foo/1: the number of arguments
	return &SyntaxError{locate(source, name), err.Error()}
}

// locate returns the offset in source of the first use of token, which is a
// name or a number, or 0 if there is none. It looks neither into comments nor
// into strings, apart from what is interpolated there, nor at .fields. A key of
// the same name can mislead it, which costs only the precision of an error.
func locate(source, token string) int { //nolint:cyclop // one state machine, read top to bottom
	var interpolations []int // the open parentheses of each that surrounds i
	quoted := false
	for i := 0; i < len(source); i++ {
		inner := len(interpolations) - 1
		switch c := source[i]; {
		case quoted && c == '\\':
			if i++; i < len(source) && source[i] == '(' {
				interpolations, quoted = append(interpolations, 0), false
			}
		case quoted:
			quoted = c != '"'
		case c == '"':
			quoted = true
		case c == '#':
			i += max(strings.IndexByte(source[i:], '\n'), 0)
		case c == '(' && inner >= 0:
			interpolations[inner]++
		case c == ')' && inner >= 0:
			if interpolations[inner]--; interpolations[inner] < 0 {
				interpolations, quoted = interpolations[:inner], true
			}
		case isWord(c):
			end := i + 1
			for end < len(source) && isWord(source[end]) && source[end] != '$' {
				end++
			}
			if source[i:end] == token && (i == 0 || source[i-1] != '.' || c == '.') {
				return i
			}
			i = end - 1
		}
	}
	return 0
}

// isWord reports whether c can begin a name or a number, or be within one.
func isWord(c byte) bool {
	return c == '_' || c == '$' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// clip bounds a text that may hold a part of the payload.
func clip(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	end := most
	for end > most-4 && s[end]&0xC0 == 0x80 { // not within a rune
		end--
	}
	return s[:end] + "..."
}
