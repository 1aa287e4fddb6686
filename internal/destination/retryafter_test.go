package destination

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/outbound"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for value, want := range map[string]time.Duration{
		"":                               0,
		"0":                              0,
		"1":                              time.Second,
		"007":                            7 * time.Second,
		"86399":                          day - time.Second,
		"86401":                          day,
		"99999999999":                    day,
		"18446744073709551616":           day,
		strings.Repeat("9", 64):          day,
		strings.Repeat("9", 10<<10):      0,
		"-1":                             0,
		"+1":                             0,
		"1e9":                            0,
		"1.5":                            0,
		"0x10":                           0,
		" 5":                             0,
		"5 s":                            0,
		"٣":                              0,
		"Mon, 23 Nov 2026 15:01:30 GMT":  90 * time.Second,
		"Monday, 23-Nov-26 15:01:30 GMT": 90 * time.Second,
		"Mon Nov 23 15:01:30 2026":       90 * time.Second,
		"Thu, 01 Jan 1970 00:00:00 GMT":  0,
		"Fri, 31 Dec 9999 23:59:59 GMT":  day,
		"tomorrow":                       0,
	} {
		if got := outbound.RetryAfter(value, now, tenterhook.MaxRetryAfter); got != want {
			t.Errorf("%.70q: %v, want %v", value, got, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
	for _, value := range []string{
		"", "0", "120", "99999999999", "-1", now.Format(http.TimeFormat), now.Format(time.ANSIC),
	} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if got := outbound.RetryAfter(value, now, tenterhook.MaxRetryAfter); got < 0 || got > tenterhook.MaxRetryAfter {
			t.Errorf("%q: %v", value, got)
		}
	})
}
