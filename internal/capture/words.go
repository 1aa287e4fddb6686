package capture

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// words splits a command line as a POSIX shell does, and bash's $'...'. Nothing
// is expanded: what a shell would replace is refused, because its value is not
// known here.
func words(text string) ([]string, *Error) {
	s := &shell{text: text}
	for s.skipBlank(); s.pos < len(s.text); s.skipBlank() {
		word, err := s.word()
		if err != nil {
			return nil, err
		}
		s.words = append(s.words, word)
		if s.ended {
			break
		}
	}
	return s.words, nil
}

type shell struct {
	text  string
	pos   int
	words []string
	ended bool // a line end or an operator ended the command
}

// skipBlank goes to the next word. A line end ends the command, unless it is
// escaped.
func (s *shell) skipBlank() {
	for s.pos < len(s.text) {
		rest := s.text[s.pos:]
		switch {
		case rest[0] == ' ' || rest[0] == '\t':
			s.pos++
		case strings.HasPrefix(rest, "\\\n"):
			s.pos += 2
		case strings.HasPrefix(rest, "\\\r\n"):
			s.pos += 3
		case rest[0] == '\n' || rest[0] == '\r' || strings.IndexByte("|&;<>#", rest[0]) >= 0:
			s.pos = len(s.text)
		default:
			return
		}
	}
}

func (s *shell) word() (string, *Error) {
	var b strings.Builder
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		var err *Error
		switch {
		case strings.IndexByte(" \t\r\n|&;<>", c) >= 0:
			s.ended = strings.IndexByte(" \t", c) < 0
			return b.String(), nil
		case c == '\'':
			err = s.single(&b)
		case c == '"':
			err = s.double(&b)
		case c == '\\':
			s.escaped(&b)
		case strings.HasPrefix(s.text[s.pos:], "$'"):
			err = s.ansi(&b)
		case c == '`', c == '$' && s.expands():
			err = s.expansion()
		default:
			b.WriteByte(c)
			s.pos++
		}
		if err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

// escaped takes a backslash and what follows it.
func (s *shell) escaped(b *strings.Builder) {
	s.pos++
	rest := s.text[s.pos:]
	switch {
	case rest == "":
	case rest[0] == '\n':
		s.pos++
	case strings.HasPrefix(rest, "\r\n"):
		s.pos += 2
	default:
		b.WriteByte(rest[0])
		s.pos++
	}
}

func unclosed(quote string) *Error {
	return unreadable("copy the whole command", "the curl command has a %s that is not closed", quote)
}

func (s *shell) single(b *strings.Builder) *Error {
	end := strings.IndexByte(s.text[s.pos+1:], '\'')
	if end < 0 {
		return unclosed("'")
	}
	b.WriteString(s.text[s.pos+1 : s.pos+1+end])
	s.pos += end + 2
	return nil
}

func (s *shell) double(b *strings.Builder) *Error {
	for s.pos++; s.pos < len(s.text); {
		c := s.text[s.pos]
		switch {
		case c == '"':
			s.pos++
			return nil
		case c == '`', c == '$' && s.expands():
			return s.expansion()
		case c == '\\' && s.pos+1 < len(s.text) && strings.IndexByte("$`\"\\\n", s.text[s.pos+1]) >= 0:
			if next := s.text[s.pos+1]; next != '\n' {
				b.WriteByte(next)
			}
			s.pos += 2
		default:
			b.WriteByte(c)
			s.pos++
		}
	}
	return unclosed(`"`)
}

// expands reports whether the shell replaces what is at a dollar sign.
func (s *shell) expands() bool {
	if s.pos+1 >= len(s.text) {
		return false
	}
	c := s.text[s.pos+1]
	return c == '{' || c == '(' || c == '_' || isLetter(c) || isDigit(c) || strings.IndexByte("?!$#@*-", c) >= 0
}

func (s *shell) expansion() *Error {
	return unreadable("put the value itself in its place, in single quotes",
		"the curl command has %q, which a shell replaces by what is not known here", clip(s.text[s.pos:]))
}

// ansi takes $'...', in which backslashes mean what they do in C.
func (s *shell) ansi(b *strings.Builder) *Error {
	for s.pos += 2; s.pos < len(s.text); {
		c := s.text[s.pos]
		s.pos++
		switch {
		case c == '\'':
			return nil
		case c == '\\' && s.pos < len(s.text):
			s.ansiEscape(b)
		default:
			b.WriteByte(c)
		}
	}
	return unclosed("$'")
}

func (s *shell) ansiEscape(b *strings.Builder) {
	const from, to = `abeEfnrtv\'"?`, "\a\b\x1b\x1b\f\n\r\t\v\\'\"?"
	c := s.text[s.pos]
	s.pos++
	if i := strings.IndexByte(from, c); i >= 0 {
		b.WriteByte(to[i])
		return
	}
	switch {
	case c == 'x':
		s.number(b, 16, 2, false)
	case c == 'u':
		s.number(b, 16, 4, true)
	case c == 'U':
		s.number(b, 16, 8, true)
	case '0' <= c && c <= '7':
		s.pos--
		s.number(b, 8, 3, false)
	default:
		b.WriteString(`\` + string(c))
	}
}

// number takes up to most digits: of a byte, or of a character.
func (s *shell) number(b *strings.Builder, base, most int, character bool) {
	end := s.pos
	for end < len(s.text) && end-s.pos < most {
		if _, err := strconv.ParseUint(s.text[end:end+1], base, 8); err != nil {
			break
		}
		end++
	}
	n, err := strconv.ParseUint(s.text[s.pos:end], base, 32)
	s.pos = end
	switch {
	case err != nil: // no digits
	case !character:
		b.WriteByte(byte(n))
	case n > utf8.MaxRune:
		b.WriteRune(utf8.RuneError)
	default:
		b.WriteRune(rune(n))
	}
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
