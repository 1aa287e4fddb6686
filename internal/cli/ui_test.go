package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTable(t *testing.T) {
	t.Parallel()
	rows := func() [][]span {
		return [][]span{
			{text("世界"), {good, "yes"}, text("short")},
			{text("a"), {bad, "no"}, text("a very long last column\nwith a line end")},
		}
	}
	header := []string{"NAME", "OK", "WHY"}
	tests := map[string]struct {
		width  int
		colour bool
		want   string
	}{
		"off a terminal": {0, false, "" +
			"NAME  OK   WHY\n" +
			"世界  yes  short\n" +
			"a     no   a very long last column\\nwith a line end\n"},
		"on a narrow terminal": {24, false, "" +
			"NAME  OK   WHY\n" +
			"世界  yes  short\n" +
			"a     no   a very long …\n"},
		"in colour": {24, true, "" +
			"\x1b[2mNAME\x1b[m  \x1b[2mOK\x1b[m   \x1b[2mWHY\x1b[m\n" +
			"世界  \x1b[32myes\x1b[m  short\n" +
			"a     \x1b[31mno\x1b[m   a very long …\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			u := newUI(strings.NewReader(""), &out, &bytes.Buffer{}, false)
			if u.out.colour || u.interactive() {
				t.Fatal("a buffer is taken for a terminal")
			}
			u.width, u.out.colour = test.width, test.colour
			if err := u.table(header, rows()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	if shown, left := fold("a\nb\nc\n", 2); shown != "a\nb" || left != 1 {
		t.Errorf("fold leaves %q and %d", shown, left)
	}
	if shown, left := fold(strings.Repeat("x", 600), 2); len([]rune(shown)) != 500 || left != 0 {
		t.Errorf("fold leaves %d characters of a long line and %d", len(shown), left)
	}
	if shown, left := fold("a\nb\n", 2); shown != "a\nb" || left != 0 {
		t.Errorf("fold leaves %q and %d", shown, left)
	}
}
