package config

import (
	"fmt"
	"slices"
	"strings"
)

// maxProblems bounds what is reported of one file.
const maxProblems = 200

// A decoder reads one file. It goes on after a problem, so that all of them are
// reported at once.
type decoder struct {
	file     string  // its name, for problems
	dir      string  // what relative paths in it are relative to
	source   *source // nil until the file is known to be text
	problems Problems
	warnings Problems
}

// report keeps a problem at a place; the zero place means the whole file.
func (d *decoder) report(at place, path, message, hint string) {
	if len(d.problems) < maxProblems {
		d.problems = append(d.problems, d.problem(at, path, message, hint))
	}
}

// reject keeps a problem with a node.
func (d *decoder) reject(n *node, message, hint string) { d.report(n.place, n.path, message, hint) }

// warn keeps a warning about a node.
func (d *decoder) warn(n *node, message, hint string) {
	if len(d.warnings) < maxProblems {
		d.warnings = append(d.warnings, d.problem(n.place, n.path, message, hint))
	}
}

func (d *decoder) problem(at place, path, message, hint string) Problem {
	p := Problem{File: d.file, Line: at.line, Col: at.col, Path: path, Message: message, Hint: hint}
	if d.source != nil {
		p.Excerpt = d.source.excerpt(at.line, at.col)
	}
	return p
}

// A kind is one kind of value: how it is read and how the schema describes it.
// The two are made together, so that they cannot say different things.
type kind[V any] struct {
	schema schema
	// read returns the value of a node, or false after it reported a problem.
	read func(d *decoder, n *node) (V, bool)
}

// given is a value that the file may hold, with its place.
type given[V any] struct {
	v  V     // the zero value unless ok
	at *node // nil if the file does not have it
	ok bool  // it was read without a problem
}

// or returns the value, or other if the file has none.
func (g given[V]) or(other V) V {
	if g.ok {
		return g.v
	}
	return other
}

// A field is one key of a mapping that is read into a T.
type field[T any] struct {
	name     string
	required bool // for the schema; that it is missing is reported by who knows what to write
	schema   schema
	read     func(d *decoder, n *node, into *T)
	// meant notes that n is there in place of the value, so that the value is not
	// reported as missing as well.
	meant func(n *node, into *T)
}

// key makes the field name of kind k, with a description for the schema, which
// is kept at the place that at returns.
func key[T, V any](name, description string, k kind[V], at func(*T) *given[V]) field[T] {
	f := field[T]{name: name, schema: k.schema.with("description", description)}
	f.read = func(d *decoder, n *node, into *T) {
		g := given[V]{at: n}
		if n.shape == null {
			d.reject(n, fmt.Sprintf("%q has no value", name), "write a value, or remove the key")
		} else {
			g.v, g.ok = k.read(d, n)
		}
		*at(into) = g
	}
	f.meant = func(n *node, into *T) {
		if g := at(into); g.at == nil {
			g.at = n
		}
	}
	return f
}

// must marks a field as one that has to be there.
func must[T any](f field[T]) field[T] {
	f.required = true
	return f
}

// An advice explains a key that is not known but often written, and says in place
// of which key. It returns nil if it knows nothing about the key.
type advice func(key, value *node) *advised

type advised struct{ message, hint, meant string }

// object is a mapping with exactly these fields.
func object[T any](unknown advice, fields ...field[T]) kind[T] {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	read := func(d *decoder, n *node) (into T, ok bool) {
		if !d.expect(n, mapping, "write one key and its value per line; the keys are "+strings.Join(names, ", ")) {
			return into, false
		}
		for _, e := range d.unique(n) {
			if i := slices.Index(names, e.key.text); i >= 0 {
				fields[i].read(d, e.value, &into)
			} else if i := slices.Index(names, d.unknownKey(e, names, unknown)); i >= 0 {
				fields[i].meant(e.key, &into)
			}
		}
		return into, true
	}
	return kind[T]{schema: objectSchema(fields), read: read}
}

// unknownKey reports a key, and returns the one that was probably meant.
func (d *decoder) unknownKey(e entry, names []string, unknown advice) (meant string) {
	if len(d.problems) >= maxProblems {
		return "" // guessing is dear, and nobody would see it
	}
	if unknown != nil {
		if a := unknown(e.key, e.value); a != nil {
			d.reject(e.key, a.message, a.hint)
			return a.meant
		}
	}
	text := clip(e.key.text)
	d.reject(e.key, fmt.Sprintf("unknown key %q", text), didYouMean(text, names, "the keys here are %s"))
	meant, _ = nearest(text, names)
	return meant
}

// unique returns the entries of a mapping, and reports keys that are repeated.
func (d *decoder) unique(n *node) []entry {
	seen := make(map[string]place, len(n.entries))
	entries := make([]entry, 0, len(n.entries))
	for _, e := range n.entries {
		if first, repeated := seen[e.key.text]; repeated {
			d.reject(e.key, fmt.Sprintf("the key %q is there twice", clip(e.key.text)),
				fmt.Sprintf("the first is at line %d; keep one of them", first.line))
			continue
		}
		seen[e.key.text] = e.key.place
		entries = append(entries, e)
	}
	return entries
}

// expect reports whether n has a shape, and a problem if it does not.
func (d *decoder) expect(n *node, want shape, hint string) bool {
	if n.shape == want {
		return true
	}
	d.reject(n, fmt.Sprintf("this is %s, but %s is wanted", n.shape, want), hint)
	return false
}

// A named is a value and the key that names it.
type named[V any] struct {
	name string
	at   *node // the key
	v    V
	ok   bool // v was read without a problem
}

// names is a mapping of names to values of one kind, in the order of the file.
func names[V any](what string, k kind[V]) kind[[]named[V]] {
	read := func(d *decoder, n *node) ([]named[V], bool) {
		if !d.expect(n, mapping, fmt.Sprintf("write the name of a %s, a colon, and below it its keys", what)) {
			return nil, false
		}
		var all []named[V]
		for _, e := range d.unique(n) {
			d.checkName(e.key, what)
			one := named[V]{name: e.key.text, at: e.key}
			if e.value.shape == null {
				d.reject(e.key, fmt.Sprintf("the %s %q is empty", what, one.name),
					"write its keys below it, further to the right")
			} else {
				one.v, one.ok = k.read(d, e.value)
			}
			all = append(all, one)
		}
		return all, true
	}
	return kind[[]named[V]]{schema: namesSchema(k.schema), read: read}
}

// listOf is a list of at least one value of one kind.
func listOf[V any](k kind[V]) kind[[]given[V]] {
	read := func(d *decoder, n *node) ([]given[V], bool) {
		if !d.expect(n, list, "write [ONE, TWO], or one per line after a dash") {
			return nil, false
		}
		if len(n.items) == 0 {
			d.reject(n, "the list is empty", "write at least one entry, or remove the key")
			return nil, false
		}
		all, ok := make([]given[V], len(n.items)), true
		for i, item := range n.items {
			all[i] = k.readItem(d, item)
			ok = ok && all[i].ok
		}
		return all, ok
	}
	return kind[[]given[V]]{schema: listSchema(k.schema), read: read}
}

// oneOrMore is a value of one kind, or a list of them.
func oneOrMore[V any](k kind[V]) kind[[]given[V]] {
	many := listOf(k)
	read := func(d *decoder, n *node) ([]given[V], bool) {
		if n.shape == list {
			return many.read(d, n)
		}
		one := k.readItem(d, n)
		return []given[V]{one}, one.ok
	}
	return kind[[]given[V]]{schema: schema{"oneOf": []schema{k.schema, many.schema}}, read: read}
}

func (k kind[V]) readItem(d *decoder, n *node) given[V] {
	g := given[V]{at: n}
	if n.shape == null {
		d.reject(n, "this entry is empty", "remove it, or write a value")
		return g
	}
	g.v, g.ok = k.read(d, n)
	return g
}
