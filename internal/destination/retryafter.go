package destination

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tenterhook/tenterhook"
)

// retryAfter returns how long a Retry-After header asks to wait, from 0 to
// [tenterhook.MaxRetryAfter]. What is neither a whole number of seconds nor an
// HTTP date asks for nothing, and so does a date that is past.
func retryAfter(value string, now time.Time) time.Duration {
	const most = 64 // twice as long as any date
	if value == "" || len(value) > most {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseUint(value, 10, 64)
		if err != nil || seconds > uint64(tenterhook.MaxRetryAfter/time.Second) {
			return tenterhook.MaxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), tenterhook.MaxRetryAfter)
}
