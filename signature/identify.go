package signature

import (
	"slices"
	"strings"
)

const (
	maxType = 128 // characters of a type
	maxID   = 256 // characters of a delivery id, or of a signed id
)

// Identify returns the type, the subtype and the delivery id that a request
// claims to have, without verifying anything. It is for sources whose requests
// are not signed, and for tools that look at captured requests.
//
// A type or subtype of other than 1 to 128 of the characters A-Z, a-z, 0-9 and
// "_.:/-# " is returned as "". So is an id of other than 1 to 256 printable ASCII
// characters, and a value that is there twice. A nil Scheme identifies nothing.
func (s *Scheme) Identify(r *Request) (typ, subtype, id string) {
	if s == nil {
		return "", "", ""
	}
	in := reading{view: view{Request: r, jsonFrom: s.jsonFrom}, scheme: s}
	typ, subtype, id, _ = in.identify() // what is ambiguous is empty
	return typ, subtype, id
}

// identify is Identify on a request that was read. The error says which value is
// there twice; the others are returned all the same.
func (in *reading) identify() (typ, subtype, id string, problem *Error) {
	get := func(from *source) string {
		value, err := in.value(from)
		if err != nil {
			problem = refuse(ReasonDuplicateHeader, "%s %v", from, err)
		}
		return value
	}
	s := in.scheme
	typ = cleanType(get(&s.typ))
	if !slices.Contains(s.noSubtype, typ) {
		subtype = cleanType(get(&s.subtype))
	}
	return typ, subtype, cleanID(get(&s.id)), problem
}

func cleanType(text string) string {
	for i := range len(text) {
		if c := text[i]; !isAlphanumeric(c) && strings.IndexByte("_.:/-# ", c) < 0 {
			return ""
		}
	}
	if len(text) > maxType {
		return ""
	}
	return text
}

func cleanID(text string) string {
	if len(text) > maxID || !printable(text) {
		return ""
	}
	return text
}

// printable reports whether text is of printable ASCII characters only.
func printable(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}
