package config

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	day = 24 * time.Hour

	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
)

const durationPattern = `^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$`

var (
	durationRegexp = regexp.MustCompile(durationPattern)
	durationPart   = regexp.MustCompile(`([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)`)
	digits         = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
)

// duration is a length of time such as 5m or 30d.
func duration(least, most time.Duration) kind[time.Duration] {
	s := schema{"type": "string", "pattern": durationPattern}
	if least == 0 {
		s = schema{"oneOf": []schema{s, {"const": 0}}}
	}
	return scalarKind(s, anyScalar, func(text string) (time.Duration, *complaint) {
		return parseDuration(text, least, most)
	})
}

func parseDuration(text string, least, most time.Duration) (time.Duration, *complaint) {
	var total time.Duration
	switch {
	case text == "0" && least == 0:
		return 0, nil
	case digits.MatchString(text):
		return 0, &complaint{
			message: "the length of time has no unit",
			hint: fmt.Sprintf("write %ss for seconds, %sm for minutes, %sh for hours or %sd for days", text, text,
				text, text),
		}
	case !durationRegexp.MatchString(text):
		return 0, &complaint{
			message: fmt.Sprintf("%q is not a length of time", clip(text)),
			hint:    "write a number and a unit out of ms, s, m, h and d, such as 30s, 5m, 1h30m or 30d",
		}
	}
	for _, part := range durationPart.FindAllStringSubmatch(text, -1) {
		unit := map[string]time.Duration{
			"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": day,
		}[part[2]]
		n, err := strconv.ParseFloat(part[1], 64)
		if err != nil || n*float64(unit)+float64(total) > math.MaxInt64/2 {
			total = math.MaxInt64
			break
		}
		total += time.Duration(n * float64(unit))
	}
	if total < least || total > most {
		return 0, &complaint{
			message: clip(text) + " is out of range",
			hint:    fmt.Sprintf("write %s to %s", showDuration(least), showDuration(most)),
		}
	}
	return total, nil
}

// showDuration writes a length of time the way the file does: 36h0m0s is 1d12h.
func showDuration(d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
	}
	var text strings.Builder
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if n := d / unit.length; n > 0 {
			fmt.Fprintf(&text, "%d%s", n, unit.name)
			d %= unit.length
		}
	}
	return text.String()
}

var sizeRegexp = regexp.MustCompile(`^([0-9]{1,15})(B|KiB|MiB|GiB)?$`)

// size is a number of bytes such as 25MiB.
func size(least, most int64) kind[int64] {
	s := schema{"oneOf": []schema{
		{"type": "string", "pattern": `^[0-9]+(B|KiB|MiB|GiB)$`},
		{"type": "integer", "minimum": least, "maximum": most},
	}}
	return scalarKind(s, anyScalar, func(text string) (int64, *complaint) { return parseSize(text, least, most) })
}

func parseSize(text string, least, most int64) (int64, *complaint) {
	parts := sizeRegexp.FindStringSubmatch(text)
	if parts == nil {
		c := &complaint{
			message: fmt.Sprintf("%q is not a size", clip(text)),
			hint:    "write a number and a unit out of B, KiB, MiB and GiB, such as 25MiB",
		}
		loose := regexp.MustCompile(`(?i)^([0-9]+) ?([kmg])i?b?$`).FindStringSubmatch(text)
		if loose != nil {
			c.hint = "write " + loose[1] + strings.ToUpper(loose[2]) + "iB"
		}
		return 0, c
	}
	unit := map[string]int64{"": 1, "B": 1, "KiB": kib, "MiB": mib, "GiB": gib}[parts[2]]
	n, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || n > most/unit || n*unit < least {
		return 0, &complaint{
			message: clip(text) + " is out of range",
			hint:    fmt.Sprintf("write %s to %s", showSize(least), showSize(most)),
		}
	}
	return n * unit, nil
}

// showSize writes a size the way the file does.
func showSize(n int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{gib, "GiB"}, {mib, "MiB"}, {kib, "KiB"}} {
		if n >= unit.size && n%unit.size == 0 {
			return strconv.FormatInt(n/unit.size, 10) + unit.name
		}
	}
	return strconv.FormatInt(n, 10) + "B"
}
