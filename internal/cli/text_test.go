package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
)

func TestClean(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ in, want string }{
		"plain":          {"refs/heads/main", "refs/heads/main"},
		"other scripts":  {"Grüße, 世界 🎉", "Grüße, 世界 🎉"},
		"escape":         {"\x1b[31mred", `\x1b[31mred`},
		"8-bit escape":   {"\u009b31m", `\u009b31m`},
		"bidi override":  {"a\u202eb", `a\u202eb`},
		"zero width":     {"a\u200bb", `a\u200bb`},
		"line end":       {"a\nb\r", `a\nb\r`},
		"delete":         {"a\x7f", `a\x7f`},
		"not UTF-8":      {"a\xffb", `a\xffb`},
		"replacement":    {"a\uFFFDb", "a\uFFFDb"},
		"beyond 16 bits": {"\U000E0001", `\U000e0001`},
	}
	for name, test := range tests {
		if got := clean(test.in, false); got != test.want {
			t.Errorf("%s: clean(%q) is %q, want %q", name, test.in, got, test.want)
		}
	}
	if got := clean("a\n\tb\r", true); got != "a\n\tb\\r" {
		t.Errorf("with lines: %q", got)
	}
}

func FuzzClean(f *testing.F) {
	f.Add(hostile)
	f.Add("a\xff\n")
	f.Fuzz(func(t *testing.T, s string) {
		for _, lines := range []bool{false, true} {
			for _, r := range clean(s, lines) {
				if !unicode.IsPrint(r) && (!lines || r != '\n' && r != '\t') {
					t.Fatalf("clean(%q) lets %U through", s, r)
				}
			}
		}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back string
		if err := json.Unmarshal([]byte(cleanJSON(text)), &back); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(s, "\uFFFD"); back != want && utf8.ValidString(s) {
			t.Fatalf("%q came back as %q", s, back)
		}
	})
}

func TestRelative(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := map[string]time.Time{
		"-":       {},
		"now":     now.Add(-500 * time.Millisecond),
		"12s ago": now.Add(-12 * time.Second),
		"3m ago":  now.Add(-3*time.Minute - 59*time.Second),
		"47h ago": now.Add(-47 * time.Hour),
		"5d ago":  now.Add(-5*24*time.Hour - time.Hour),
		"in 30s":  now.Add(30 * time.Second),
	}
	for want, at := range tests {
		if got := relative(at, now); got != want {
			t.Errorf("relative(%s) is %q, want %q", at, got, want)
		}
	}
}

func TestParseWhen(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := map[string]time.Time{
		"":                     {},
		"90s":                  now.Add(-90 * time.Second),
		"2h30m":                now.Add(-150 * time.Minute),
		"7d":                   now.AddDate(0, 0, -7),
		"2026-02-28T23:00:00Z": time.Date(2026, 2, 28, 23, 0, 0, 0, time.UTC),
		"2026-02-28":           time.Date(2026, 2, 28, 0, 0, 0, 0, time.Local),
	}
	for in, want := range tests {
		if got, err := parseWhen(in, now); err != nil || !got.Equal(want) {
			t.Errorf("parseWhen(%q) is %s (%v), want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"soon", "-2h", "-1d", "2026-13-01", "99999999d"} {
		if got, err := parseWhen(in, now); err == nil {
			t.Errorf("parseWhen(%q) is %s, want an error", in, got)
		}
	}
}

func TestBytesText(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 7577: "7.4 KiB", 25 << 20: "25.0 MiB", 3 << 40: "3.0 TiB"} {
		if got := bytesText(n); got != want {
			t.Errorf("bytesText(%d) is %q, want %q", n, got, want)
		}
	}
}

func TestOutcomeText(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		outcomes api.Outcomes
		mood     mood
	}{
		"no route took it":        {nil, faint},
		"2 delivered":             {api.Outcomes{tenterhook.StateDelivered: 2}, good},
		"2 delivered, 1 retrying": {api.Outcomes{tenterhook.StateDelivered: 2, tenterhook.StateRetrying: 1}, waiting},
		"1 delivered, 1 dead":     {api.Outcomes{tenterhook.StateDead: 1, tenterhook.StateDelivered: 1}, bad},
	}
	for want, test := range tests {
		if got := outcomeText(test.outcomes); got != (span{test.mood, want}) {
			t.Errorf("outcomeText(%v) is %+v, want %q", test.outcomes, got, want)
		}
	}
}
