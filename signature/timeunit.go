package signature

import (
	"net/http"
	"strconv"
	"time"
)

// A TimeUnit is how a scheme writes a time.
type TimeUnit string

// The time units.
const (
	Seconds      TimeUnit = "s"        // since 1970, UTC; the default
	Milliseconds TimeUnit = "ms"       // since 1970, UTC
	RFC3339      TimeUnit = "rfc3339"  // such as 2026-11-23T15:04:05.000Z; any fraction is read
	HTTPDate     TimeUnit = "httpdate" // such as Mon, 23 Nov 2026 15:04:05 GMT
)

func (u TimeUnit) valid() bool {
	return u == Seconds || u == Milliseconds || u == RFC3339 || u == HTTPDate
}

// parse reads exactly what format writes, and what other implementations of the
// same unit do.
func (u TimeUnit) parse(text string) (time.Time, bool) {
	var t time.Time
	var err error
	switch u {
	case Seconds:
		n, ok := parseDigits(text)
		return time.Unix(n, 0).UTC(), ok
	case Milliseconds:
		n, ok := parseDigits(text)
		return time.UnixMilli(n).UTC(), ok
	case RFC3339:
		err = t.UnmarshalText([]byte(text)) // stricter than time.Parse
	case HTTPDate:
		t, err = time.Parse(http.TimeFormat, text)
	}
	return t.UTC(), err == nil
}

func (u TimeUnit) format(t time.Time) string {
	t = t.UTC()
	switch u {
	case Milliseconds:
		return strconv.FormatInt(t.UnixMilli(), 10)
	case RFC3339:
		return t.Format("2006-01-02T15:04:05.000Z07:00")
	case HTTPDate:
		return t.Format(http.TimeFormat)
	case Seconds:
	}
	return strconv.FormatInt(t.Unix(), 10)
}

// parseDigits reads a positive number that is written in the one way there is:
// no sign, no space, no leading zero. Two texts for one time would be two
// requests that some verifiers take for the same, and others do not.
func parseDigits(text string) (int64, bool) {
	const most = 15 // digits; milliseconds have 13 until the year 2286
	if text == "" || len(text) > most || text[0] == '0' {
		return 0, false
	}
	var n int64
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(text[i]-'0')
	}
	return n, true
}
