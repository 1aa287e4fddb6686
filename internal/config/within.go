package config

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"
)

// within returns where the byte at offset of a scalar's text is in the file.
//
// YAML unquotes, unescapes, folds lines and removes indentation, and keeps no
// record of it. But the visible characters stay the same and in order, so the
// text and the file are walked side by side, and white space is skipped. The
// beginning of the value is the answer if they do not fit together after all.
func (s *source) within(n *node, offset int) place {
	walk := walker{source: s, style: n.style, at: n.place}
	text := strings.TrimRightFunc(n.text, unicode.IsSpace)
	offset = min(max(offset, 0), len(text))
	switch n.style {
	case token.LiteralType, token.FoldedType:
		walk.at = place{n.line + 1, 1} // below the | or >
		walk.skipSpace()
	case token.SingleQuoteType, token.DoubleQuoteType:
		if offset == 0 {
			return n.place
		}
		walk.at.col++ // the quote
	default:
	}
	for _, r := range text[:offset] {
		if !walk.past(r) {
			return n.place
		}
	}
	if next, _ := utf8.DecodeRuneInString(text[offset:]); offset < len(text) && !unicode.IsSpace(next) {
		walk.skipSpace()
	}
	return walk.at
}

// A walker moves through the file along the text of a scalar.
type walker struct {
	source *source
	style  token.Type
	at     place
}

// peek returns the character at the walker, which is a line break at the end of
// a line, or 0 at the end of the file.
func (w *walker) peek() rune {
	line := w.source.line(w.at.line)
	switch {
	case w.at.col <= len(line):
		return line[w.at.col-1]
	case w.at.line < len(w.source.lines):
		return '\n'
	}
	return 0
}

func (w *walker) step() {
	if w.peek() == '\n' {
		w.at = place{w.at.line + 1, 1}
		return
	}
	w.at.col++
}

// skipSpace moves to what is visible. A line that ends with a backslash in
// double quotes goes on in the next one.
func (w *walker) skipSpace() {
	for {
		switch r := w.peek(); {
		case r == 0:
			return
		case unicode.IsSpace(r):
			w.step()
		case w.continues():
			w.step()
		default:
			return
		}
	}
}

// continues reports whether the walker is at a backslash that ends a line.
func (w *walker) continues() bool {
	return w.style == token.DoubleQuoteType && w.peek() == '\\' && w.at.col == len(w.source.line(w.at.line))
}

// past moves past what stands for r in the file. It returns false if something
// else is there.
func (w *walker) past(r rune) bool {
	if !unicode.IsSpace(r) || w.continues() {
		w.skipSpace()
	}
	found := w.peek()
	switch {
	case found == '\\' && w.style == token.DoubleQuoteType:
		w.at.col++
		length, ok := map[rune]int{'x': 3, 'u': 5, 'U': 9}[w.peek()]
		if !ok {
			length = 1
		}
		w.at.col += length
		return true
	case unicode.IsSpace(r):
		if unicode.IsSpace(found) {
			w.step()
		}
		return true
	case found == '\'' && w.style == token.SingleQuoteType:
		w.at.col++ // the first of two
	}
	w.step()
	return found == r
}
