package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a file. They keep what the parser costs to about a second: some of
// its steps grow with the square of what they are given. Two thousand routes fit.
const (
	maxFile   = 1 << 20 // bytes
	maxTokens = 60_000  // words and punctuation
	maxDepth  = 24      // lists and mappings within one another; the file needs 6
)

const tooDeep = "lists and mappings are nested too deeply"

// A shape is what a node is.
type shape int

const (
	null    shape = iota // nothing was written
	scalar               // a text, number or boolean
	list                 // a sequence
	mapping              // keys and values
)

// String returns what people call the shape.
func (s shape) String() string {
	return [...]string{"nothing", "a single value", "a list", "a mapping of keys to values"}[s]
}

// A node is a value in the file, with its place. It is what is left of YAML:
// no anchors, no tags, no types that depend on the reader.
type node struct {
	place

	path    string
	shape   shape
	text    string     // of a scalar, unquoted and unfolded
	style   token.Type // of a scalar: how it is written; also tells a number from a text
	items   []*node    // of a list
	entries []entry    // of a mapping, as written: keys may repeat
}

// An entry is a key of a mapping and its value.
type entry struct{ key, value *node }

// parse reads a file as YAML. It returns nil if it reported a problem that
// leaves nothing to read.
func (d *decoder) parse(data []byte) *node {
	text, ok := d.text(data)
	if !ok {
		return nil
	}
	d.source = newSource(text)
	tokens := joinColons(lexer.Tokenize(text))
	d.source.hideSecrets(tokens)
	if !d.admit(tokens) {
		return nil
	}
	file := d.parseTokens(tokens)
	if file == nil {
		return nil
	}
	return d.document(file)
}

// text returns the file as valid UTF-8 with plain line breaks.
func (d *decoder) text(data []byte) (string, bool) {
	if len(data) > maxFile {
		d.report(place{}, "", fmt.Sprintf("the file is larger than %d bytes", maxFile), "make it smaller")
		return "", false
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	at := place{1, 1}
	for rest := data; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			d.report(at, "", fmt.Sprintf("byte 0x%02x is not UTF-8", rest[0]), "save the file as UTF-8")
			return "", false
		case r == '\n':
			at = place{at.line + 1, 0}
		case r < ' ' && r != '\t', r == 0x7f, r == 0x85, r == 0x2028, r == 0x2029, r == 0xFEFF:
			d.report(at, "", fmt.Sprintf("the character %U has no place in this file", r), "remove it")
			return "", false
		}
		at.col++
		rest = rest[size:]
	}
	return string(data), true
}

// joinColons puts texts such as env:NAME together again. In YAML a colon ends a
// key only before white space, but the scanner takes any colon for one in a list
// in brackets that is within braces.
func joinColons(tokens token.Tokens) token.Tokens {
	var (
		joined token.Tokens
		inside []token.Type // the brackets and braces that are open
	)
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			inside = append(inside, t.Type)
		case token.MappingEndType, token.SequenceEndType:
			inside = inside[:max(len(inside)-1, 0)]
		case token.MappingValueType:
			inList := len(inside) > 0 && inside[len(inside)-1] == token.SequenceStartType
			if !inList || i+1 == len(tokens) || !isPlainText(tokens[i+1]) || !adjoin(t, tokens[i+1]) {
				break
			}
			i++
			if last := len(joined) - 1; last >= 0 && isPlainText(joined[last]) && adjoin(joined[last], t) {
				t, joined = joinTokens(joined[last], t), joined[:last]
			}
			t = joinTokens(t, tokens[i])
		default:
		}
		joined.Add(t)
	}
	return joined
}

// isPlainText reports whether t is a scalar without quotes.
func isPlainText(t *token.Token) bool {
	switch t.Type {
	case token.StringType, token.IntegerType, token.FloatType, token.BoolType, token.NullType,
		token.BinaryIntegerType, token.OctetIntegerType, token.HexIntegerType:
		return true
	default:
		return false
	}
}

// adjoin reports whether nothing is between two tokens.
func adjoin(a, b *token.Token) bool {
	to, from := placeOf(a), placeOf(b)
	return to.line == from.line && to.col+utf8.RuneCountInString(a.Value) == from.col
}

func joinTokens(a, b *token.Token) *token.Token {
	both := *a
	both.Type, both.Value, both.Origin = token.StringType, a.Value+b.Value, a.Origin+b.Origin
	return &both
}

// admit refuses what the parser or a reader would trip over.
func (d *decoder) admit(tokens token.Tokens) bool {
	if len(tokens) > maxTokens {
		d.report(placeOf(tokens[maxTokens]), "", fmt.Sprintf("the file has more than %d words", maxTokens),
			"make it smaller")
		return false
	}
	ok := true
	refuse := func(t *token.Token, what string) {
		d.report(placeOf(t), "", what+" are not read in this file",
			"if text is meant, put it in quotes; otherwise write the value out where it is used")
		ok = false
	}
	flow, dashes, line := 0, 0, 0
	for _, t := range tokens {
		if at := placeOf(t); at.line != line {
			line, dashes = at.line, 0
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow--
		case token.SequenceEntryType:
			dashes++
		case token.AliasType:
			refuse(t, "aliases (a value that begins with *)")
		case token.AnchorType:
			refuse(t, "anchors (a value that begins with &)")
		case token.MergeKeyType:
			refuse(t, "merge keys (<<)")
		case token.TagType:
			refuse(t, "tags (a value that begins with !)")
		case token.MappingKeyType:
			refuse(t, "keys that begin with ?")
		case token.DirectiveType:
			refuse(t, "directives (a line that begins with %)")
		default:
		}
		if flow > maxDepth || dashes > maxDepth {
			d.report(placeOf(t), "", tooDeep, "close the brackets; no value here has more than four levels")
			return false
		}
	}
	return ok
}

// parseTokens calls the parser, and reports what it does not understand. It must
// not ask the parser's error for its text: that quotes the file, secrets included,
// at great length. A panic in the parser is reported as well: the file is foreign
// to it, and a bad one must not take the process down.
func (d *decoder) parseTokens(tokens token.Tokens) (file *ast.File) {
	const complicated, simpler = "this is not YAML, or too complicated to read", "write it in a simpler way"
	defer func() {
		if r := recover(); r != nil {
			file = nil
			d.report(place{}, "", complicated, simpler)
		}
	}()
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	var syntax interface {
		GetToken() *token.Token
		GetMessage() string
	}
	switch {
	case err == nil:
		return file
	case errors.As(err, &syntax):
		message := syntax.GetMessage()
		d.report(placeOf(syntax.GetToken()), "", "this is not YAML: "+message, syntaxHint(message))
	default:
		d.report(place{}, "", complicated, simpler)
	}
	return nil
}

// syntaxHint guesses what to do from the parser's message. The hint is for
// people, and the last one is always true.
func syntaxHint(message string) string {
	for _, h := range []struct{ part, hint string }{
		{"tab", "indent with spaces"},
		{"\t", "indent with spaces"},
		{"end character of", "close the quote"},
		{"must be specified", "put a comma between two entries, and close the bracket"},
		{"end token", "close the bracket"},
		{"mapping value is not allowed", `put a value that holds ": " in single quotes, or on its own lines below |`},
	} {
		if strings.Contains(message, h.part) {
			return h.hint
		}
	}
	return `compare the indentation of this line with that of its neighbours; put a value that holds ": " or " #", ` +
		"or that begins with punctuation, in single quotes"
}

// document returns the one document of a file.
func (d *decoder) document(file *ast.File) *node {
	var root *node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		n := d.convert(doc.Body, "", 0)
		switch {
		case n == nil:
			return nil
		case n.shape == null:
		case root != nil:
			d.report(n.place, "", "a second document begins here", "keep one configuration per file, without ---")
			return nil
		default:
			root = n
		}
	}
	if root == nil {
		d.report(place{}, "", "the file is empty", "write a first one with: tenterhook init github")
	}
	return root
}

// convert makes a node of a value. It returns nil if it reported a problem.
func (d *decoder) convert(value ast.Node, path string, depth int) *node {
	if depth > maxDepth {
		d.report(placeOf(value.GetToken()), path, tooDeep,
			"close the brackets; no value here has more than four levels")
		return nil
	}
	n := &node{path: path, place: placeOf(value.GetToken())}
	switch v := value.(type) {
	case *ast.NullNode:
		if v.Token.Type != token.ImplicitNullType {
			n.text, n.style = v.Token.Value, v.Token.Type
		}
	case *ast.LiteralNode:
		n.shape, n.text, n.style = scalar, v.Value.Value, v.Start.Type
	case *ast.MappingNode:
		return d.convertMapping(n, v.Values, v.IsFlowStyle, depth)
	case *ast.MappingValueNode:
		return d.convertMapping(n, []*ast.MappingValueNode{v}, false, depth)
	case *ast.SequenceNode:
		n.shape = list
		for i, item := range v.Values {
			child := d.convert(item, fmt.Sprintf("%s[%d]", path, i), depth+1)
			if child == nil {
				return nil
			}
			n.items = append(n.items, child)
		}
	case ast.ScalarNode:
		n.shape, n.text, n.style = scalar, v.GetToken().Value, v.GetToken().Type
	default:
		d.report(n.place, path, fmt.Sprintf("%s is not read in this file", value.Type().YAMLName()),
			"write it in a simpler way")
		return nil
	}
	return n
}

func (d *decoder) convertMapping(n *node, values []*ast.MappingValueNode, flow bool, depth int) *node {
	n.shape = mapping
	for i, v := range values {
		key := d.convert(v.Key, n.path, depth+1)
		if key == nil {
			return nil
		}
		if i == 0 && !flow {
			n.place = key.place // the parser's is the first colon
		}
		key.path = join(n.path, key.text)
		value := d.convert(v.Value, key.path, depth+1)
		if value == nil {
			return nil
		}
		if value.shape == null && value.text == "" {
			value.place = key.place // the parser's is in the white space after the colon
		}
		n.entries = append(n.entries, entry{key, value})
	}
	return n
}

// join returns the path of a key in the mapping at path.
func join(path, key string) string {
	const longest = 64
	if key = strings.ToValidUTF8(key, "?"); len(key) > longest {
		key = strings.ToValidUTF8(key[:longest], "") + "..."
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
