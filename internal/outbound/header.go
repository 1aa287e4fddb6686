package outbound

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxHeaderValue is far below what servers accept.
const maxHeaderValue = 8 << 10

// CheckHeader reports why a header cannot be set by whoever sends: it is none, or
// it says how the request is sent or for whom, which is not theirs to say. The
// error does not hold the value, which may be a secret.
func CheckHeader(name, value string) error {
	canonical := http.CanonicalHeaderKey(name)
	switch {
	case !ValidName(name):
		return fmt.Errorf("%q is not the name of a header", name[:min(len(name), 40)])
	case connection(canonical) || strings.HasPrefix(canonical, "Webhook-"):
		return fmt.Errorf("%s cannot be set", canonical)
	case !ValidValue(value):
		return fmt.Errorf("the value of %s holds a control character", canonical)
	case len(value) > maxHeaderValue:
		return fmt.Errorf("the value of %s is longer than %d bytes", canonical, maxHeaderValue)
	}
	return nil
}

// connection reports whether a header belongs to a connection or its two ends,
// and says nothing about what is sent.
func connection(canonical string) bool {
	switch canonical {
	case "Accept-Encoding", "Connection", "Content-Length", "Expect", "Forwarded", "Host", "Keep-Alive", "Te",
		"Trailer", "Transfer-Encoding", "Upgrade", "Via":
		return true
	}
	return strings.HasPrefix(canonical, "Proxy-") || strings.HasPrefix(canonical, "X-Forwarded-")
}

// ValidName reports whether name is a token, as RFC 9110 section 5.6.2 has it.
func ValidName(name string) bool {
	const punctuation = "!#$%&'*+-.^_`|~"
	for i := range len(name) {
		c := name[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9') && strings.IndexByte(punctuation, c) < 0 {
			return false
		}
	}
	return name != ""
}

// ValidValue reports whether the value of a header can be sent without ending
// the header or the request early.
func ValidValue(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// RetryAfter returns how long a Retry-After header asks to wait, from 0 to most.
// What is neither a whole number of seconds nor an HTTP date asks for nothing,
// and so does a date that is past.
func RetryAfter(value string, now time.Time, most time.Duration) time.Duration {
	const longest = 64 // twice as long as any date
	if value == "" || len(value) > longest {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseUint(value, 10, 64)
		if errors.Is(err, strconv.ErrRange) || seconds > uint64(most/time.Second) {
			return most
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), most)
}
