package config

import (
	"strings"
	"testing"
)

// A mark in the text of a value is found in the file, however YAML writes it.
func TestWithin(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"plain":          "a: one @ two\n",
		"plain, folded":  "a: one\n   two\n\n   @ three\n",
		"end of a line":  "a: one\n   two @\n",
		"single quotes":  "a: 'it''s ''@'''\n",
		"single, folded": "a: 'one\n\n    two ''@'\n",
		"double quotes":  `a: "\" \\ \x41 \u00e4 \U0001F600 \t@"` + "\n",
		"double, folded": "a: \"one\n    two \\\n    \\n @\"\n",
		"literal":        "a: |\n\n    one\n      two @\n\n",
		"literal, strip": "a: |-  # a comment\n  one\n\n  @\n",
		"literal, kept":  "a: |+\n  one\n    @\n\n",
		"folded":         "a: >\n  one\n  two\n\n  three\n    @ four\n",
		"wide":           "a: äö @\n",
		"in a list":      "a: [one, 'two @']\n",
		"tab":            "a:\tone @\n",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &decoder{file: "f"}
			root := d.parse([]byte(text))
			if root == nil {
				t.Fatal(d.problems)
			}
			n := root.entries[0].value
			if n.shape == list {
				n = n.items[1]
			}
			before, _, _ := strings.Cut(text, "@")
			want := place{strings.Count(before, "\n") + 1, len([]rune(before[strings.LastIndex(before, "\n")+1:])) + 1}
			if got := d.source.within(n, strings.Index(n.text, "@")); got != want {
				t.Errorf("at %v, want %v, in %q, which is read as %q", got, want, text, n.text)
			}
		})
	}
}

// Every colon that is not followed by white space belongs to the text.
func TestColonsInLists(t *testing.T) {
	t.Parallel()
	texts := []string{"env:X", "a:b:c", "fd00::/8", "::1/128", "https://x.example:80/y", "10:20:30", "--p=1:2",
		"x:true", "a:b c:d"}
	list := "[" + strings.Join(texts, ", ") + "]"
	for _, text := range []string{
		"a: " + list, "{a: " + list + "}", "a: {b: [[" + list + "]]}", "a:\n- " + strings.Join(texts, "\n- "),
	} {
		d := &decoder{file: "f"}
		n := d.parse([]byte(text))
		for n != nil && len(n.items) != len(texts) {
			switch {
			case n.shape == mapping:
				n = n.entries[0].value
			case n.shape == scalar || len(n.items) == 0:
				t.Fatalf("%s is read as %+v", text, n)
			default:
				n = n.items[0]
			}
		}
		if n == nil {
			t.Fatalf("%s: %v", text, d.problems)
		}
		for i, item := range n.items {
			if item.text != texts[i] {
				t.Errorf("in %s, %s is read as %q (%s)", text, texts[i], item.text, item.shape)
			}
		}
	}
}
