package signature

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

func TestLookupJSONIsBounded(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{
		strings.Repeat("[", 1<<20), strings.Repeat(`{"a":`, 1<<18), `{"a":"` + strings.Repeat(`\"`, 1<<19),
		`{"a":1` + strings.Repeat(" ", 1<<20), strings.Repeat(`\`, 1<<20),
	} {
		if text, ok := lookupJSON([]byte(doc), []string{"b"}); ok {
			t.Errorf("found %q in %.20q", text, doc)
		}
	}
}

// On every valid document without equal keys, lookupJSON finds what decoding the
// whole document finds. On others it must only end.
func FuzzLookupJSON(f *testing.F) {
	for _, seed := range []string{
		`{"a":{"b":"x"}}`, `{"a":[1,2.5e3,{"b":null}]}`, ` [ "a" , {"a":"\u00e9\"\\"} , true ] `, `{"a":-1}`, `{"":""}`,
		`{"a`, `{"a":}`, `[,]`, `"a"`, "{\"a\":\"\xff\"}", `{"a":1,"a":2}`, `{"\ud800":1}`,
	} {
		f.Add([]byte(seed), "a", "b")
	}
	f.Fuzz(func(t *testing.T, doc []byte, first, second string) {
		var whole any
		d := json.NewDecoder(bytes.NewReader(doc))
		d.UseNumber()
		valid := json.Valid(doc) && d.Decode(&whole) == nil
		for _, path := range [][]string{{first}, {first, second}, {"0"}, {first, "1"}} {
			got, ok := lookupJSON(doc, path)
			if !valid || duplicateKeys(doc) {
				continue
			}
			want, wantOK := walk(whole, path)
			if ok != wantOK || got != want {
				t.Errorf("%q at %q: got %q, %v, want %q, %v", doc, path, got, ok, want, wantOK)
			}
		}
	})
}

func walk(v any, path []string) (string, bool) {
	for _, step := range path {
		switch at := v.(type) {
		case map[string]any:
			next, ok := at[step]
			if !ok {
				return "", false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(at) {
				return "", false
			}
			v = at[i]
		default:
			return "", false
		}
	}
	switch at := v.(type) {
	case string:
		return at, true
	case json.Number:
		return at.String(), true
	case bool:
		return strconv.FormatBool(at), true
	}
	return "", false
}

// duplicateKeys reports whether an object of doc has a key twice, or one that is
// not text: how those are to be read differs between programs.
func duplicateKeys(doc []byte) bool {
	var count func(v any) int
	count = func(v any) int {
		n := 0
		switch at := v.(type) {
		case map[string]any:
			n = len(at)
			for _, e := range at {
				n += count(e)
			}
		case []any:
			for _, e := range at {
				n += count(e)
			}
		}
		return n
	}
	var whole any
	if json.Unmarshal(doc, &whole) != nil || !bytes.Equal(bytes.ToValidUTF8(doc, nil), doc) {
		return true
	}
	keys, c := 0, cursor{doc: doc}
	for c.peek() != 0 {
		if c.peek() != '"' {
			c.at++
			continue
		}
		c.rawString()
		if c.peek() == ':' {
			keys++
		}
	}
	return keys != count(whole)
}
