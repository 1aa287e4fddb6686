package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
)

// clean returns s with everything escaped that is not to be seen or that steers
// a terminal: control characters, escape sequences, bidirectional overrides and
// other invisible marks, and bytes that are not UTF-8. Line ends and tabs are
// kept only if lines is set.
func clean(s string, lines bool) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	for i, size := 0, 0; i < len(s); i += size {
		var r rune
		r, size = utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r), lines && (r == '\n' || r == '\t'):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// plain reports whether s is printable ASCII, as most of what we print is.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// cleanJSON escapes in a JSON text what clean would. Outside of strings, JSON has
// nothing but ASCII, so that any other character may be written as \u.
func cleanJSON(text []byte) string {
	var b strings.Builder
	for _, r := range string(text) {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			const base, low = 0x10000, 0x3FF
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xD800+(r-base)>>10, 0xDC00+(r-base)&low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// clip shortens s to most characters.
func clip(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:max(most-1, 0)]) + "…"
}

// relative writes t as seen from now, such as "3m ago" or "in 20s".
func relative(t, now time.Time) string {
	switch d := now.Sub(t); {
	case t.IsZero():
		return "-"
	case d < -time.Second:
		return "in " + length(-d)
	case d < time.Second:
		return "now"
	default:
		return length(d) + " ago"
	}
}

// length writes a duration in its largest unit.
func length(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == 0:
		return "0s"
	case d < time.Millisecond:
		return fmt.Sprintf("%dµs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 2*day:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d/day))
}

// bytesText writes a number of bytes, such as "7.4 KiB".
func bytesText(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, name := float64(n)/unit, "KiB"
	for _, next := range []string{"MiB", "GiB", "TiB"} {
		if value < unit {
			break
		}
		value, name = value/unit, next
	}
	return fmt.Sprintf("%.1f %s", value, name)
}

// count writes a number of things.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// joined writes a list of words.
func joined(words []string) string { return strings.Join(words, ", ") }

// states returns all states of a delivery, in the order they are told in.
func states() []tenterhook.State {
	return []tenterhook.State{
		tenterhook.StateDelivered, tenterhook.StatePending, tenterhook.StateRetrying, tenterhook.StateHeld,
		tenterhook.StateDead, tenterhook.StateCancelled,
	}
}

// outcomeText sums up an event's deliveries, such as "2 delivered, 1 retrying".
func outcomeText(o api.Outcomes) span {
	var parts []string
	mood := plainText
	for _, s := range states() {
		if n := o[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
			mood = max(mood, moodOf(s))
		}
	}
	if len(parts) == 0 {
		return span{faint, "no route took it"}
	}
	return span{mood, joined(parts)}
}

func moodOf(s tenterhook.State) mood {
	switch s {
	case tenterhook.StateDelivered:
		return good
	case tenterhook.StatePending, tenterhook.StateRetrying, tenterhook.StateHeld:
		return waiting
	case tenterhook.StateDead:
		return bad
	case tenterhook.StateCancelled:
		return faint
	}
	return plainText
}

// parseWhen reads a time given as a duration before now, such as 90s, 2h or 7d,
// as a day, or as RFC 3339.
func parseWhen(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		const most = 36500
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= most {
			return now.Add(-time.Duration(n) * 24 * time.Hour), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usageError("write a duration such as 90m, 2h or 7d, or a time such as 2026-03-01 or 2026-03-01T12:00:00Z",
		"%q is not a time", text)
}

// fold keeps the first lines of a text, none longer than anyone reads, and says
// how many lines it left out.
func fold(text string, most int) (shown string, left int) {
	const longest = 500
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) > most {
		left = len(lines) - most
		lines = lines[:most]
	}
	for i, l := range lines {
		lines[i] = clip(l, longest)
	}
	return strings.Join(lines, "\n"), left
}
