package config

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"

	"github.com/tenterhook/tenterhook/internal/secret"
)

// A source is the text of a file, for the places and excerpts of problems.
type source struct {
	lines  [][]rune
	hidden map[int][]span // by line, from 1
}

// A span is a part of a line that is shown as something else.
type span struct {
	from, to int // columns from 1; to is exclusive
	instead  string
}

// A place is a line and a column in characters, both from 1.
type place struct{ line, col int }

func newSource(text string) *source {
	s := &source{hidden: make(map[int][]span)}
	for line := range strings.SplitSeq(text, "\n") {
		s.lines = append(s.lines, []rune(line))
	}
	return s
}

// line returns a line, or nothing if there is no such line.
func (s *source) line(n int) []rune {
	if n < 1 || n > len(s.lines) {
		return nil
	}
	return s.lines[n-1]
}

// hide replaces what is between two places, white space at its ends apart.
func (s *source) hide(from, to place, instead string) {
	for n := from.line; n <= min(to.line, len(s.lines)); n++ {
		line := s.line(n)
		start, end := 1, len(line)+1
		if n == from.line {
			start = min(max(from.col, 1), end)
		}
		if n == to.line {
			end = max(min(to.col, end), start)
		}
		for start < end && unicode.IsSpace(line[start-1]) {
			start++
		}
		for start < end && unicode.IsSpace(line[end-2]) {
			end--
		}
		if start < end {
			s.hidden[n] = append(s.hidden[n], span{start, end, instead})
		}
	}
}

// shown returns the text of a line without what is hidden, and where the column
// col is in it.
func (s *source) shown(n, col int) (text string, shownCol int) {
	line := s.line(n)
	var out []rune
	shownCol = 0
	next := 1     // the first column that is not yet in out
	hiddenTo := 0 // where the last hidden part ends
	copyTo := func(to int) {
		to = min(max(to, next), len(line)+1)
		if shownCol == 0 && col < to {
			shownCol = len(out) + max(col-next, 0) + 1
		}
		out = append(out, line[next-1:to-1]...)
		next = to
	}
	for _, h := range s.hidden[n] { // in order: they come from the tokens in order
		if h.from < next {
			continue
		}
		copyTo(h.from)
		if shownCol == 0 && col < h.to {
			shownCol = len(out) + 1
		}
		if adjoins := h.from == hiddenTo; !adjoins { // two tokens of one value
			out = append(out, []rune(h.instead)...)
		}
		next, hiddenTo = h.to, h.to
	}
	copyTo(len(line) + 1)
	if shownCol == 0 {
		shownCol = len(out) + 1
	}
	return string(out), shownCol
}

// excerpt shows a line with a caret below col.
func (s *source) excerpt(n, col int) string {
	const widest, before = 100, 60
	if n < 1 || n > len(s.lines) || col < 1 {
		return ""
	}
	shown, col := s.shown(n, col)
	line := []rune(shown)
	col = min(col, len(line)+1)
	lead := ""
	if cut := col - 1 - before; cut > 0 && len(line) > widest {
		lead, line, col = "...", line[cut:], col-cut
	}
	tail := ""
	if len(line) > widest {
		tail, line = "...", line[:widest]
	}
	var under strings.Builder
	for _, r := range lead + string(line[:col-1]) {
		if r != '\t' {
			r = ' ' // a tab stays one, so that the caret is below its character
		}
		under.WriteRune(r)
	}
	const margin = "    "
	return margin + lead + printable(line) + tail + "\n" + margin + under.String() + "^"
}

// printable replaces what would move the cursor of a terminal.
func printable(line []rune) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, string(line))
}

// holdsSecrets reports whether the values below a key are secrets: shown only
// if they are references.
func holdsSecrets(key string) bool {
	key = strings.ToLower(key)
	for _, word := range []string{"secret", "token", "password", "credential", "authorization", "bearer"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return credentialHeader(key)
}

// hideSecrets hides every value in the tokens of a file that is below a key for
// secrets and is not a reference. It works on tokens, not on the tree, because
// it must hold for files that are not YAML as well.
func (s *source) hideSecrets(tokens token.Tokens) {
	var below *place // the key for secrets that the token is below
	flow, belowFlow := 0, 0
	for i, t := range tokens {
		at := placeOf(t)
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
			continue
		case token.MappingEndType, token.SequenceEndType:
			flow = max(flow-1, 0)
			if flow < belowFlow {
				below = nil
			}
			continue
		case token.MappingValueType, token.SequenceEntryType, token.CollectEntryType, token.MappingKeyType,
			token.CommentType, token.LiteralType, token.FoldedType:
			continue
		default: // a scalar, or what is in the place of one
		}
		ended := flow < belowFlow || flow == belowFlow && (flow > 0 || below != nil && at.col <= below.col)
		if isKey(tokens, i) && (below == nil || ended) {
			below, belowFlow = nil, flow
			if holdsSecrets(t.Value) {
				below = &at
			}
			continue
		}
		instead := userInfo.ReplaceAllString(t.Value, "://"+redacted+"@")
		if below != nil || gluedSecret(t.Value) {
			instead = safeReference(t.Value)
		}
		if instead != t.Value {
			s.hide(valueStart(tokens, i), nextPlace(tokens, i), instead)
		}
	}
}

const redacted = "[redacted]"

// userInfo is the name and password of a URL.
var userInfo = regexp.MustCompile(`://.*@`)

// gluedSecret reports whether a text is a key for secrets and a value that were
// meant to be two, such as secret:TEXT without a space.
func gluedSecret(text string) bool {
	end := strings.IndexAny(text, ":= \t\n")
	return end > 0 && end < len(text)-1 && holdsSecrets(text[:end])
}

// isKey reports whether tokens[i] is followed by a colon.
func isKey(tokens token.Tokens, i int) bool {
	return i+1 < len(tokens) && tokens[i+1].Type == token.MappingValueType
}

// safeReference returns value if it is a reference that holds no secret.
func safeReference(value string) string {
	ref, err := secret.Parse(value)
	if err != nil {
		return redacted
	}
	return ref.String()
}

func placeOf(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{1, 1}
	}
	return place{max(t.Position.Line, 1), max(t.Position.Column, 1)}
}

// valueStart returns where the text of tokens[i] begins. The scanner says where a
// block scalar ends, so that is taken from its header, the | or >.
func valueStart(tokens token.Tokens, i int) place {
	if i > 0 && (tokens[i-1].Type == token.LiteralType || tokens[i-1].Type == token.FoldedType) {
		return place{placeOf(tokens[i-1]).line + 1, 1}
	}
	return placeOf(tokens[i])
}

// nextPlace returns where the token after tokens[i] begins, or a place after the
// end of the file.
func nextPlace(tokens token.Tokens, i int) place {
	if i+1 < len(tokens) {
		return placeOf(tokens[i+1])
	}
	return place{1 << 30, 1}
}
