package mismatch

import (
	"strconv"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

const whenLive = "If it is refused when it arrives, compare the receiver's clock (timedatectl) with the sender's, " +
	"and look for what holds requests back."

// timeCause is why a request that is rightly signed is refused: its time.
func timeCause(c *Case, result signature.Result) Cause {
	cause := Cause{Name: "time", With: "at the time when it was signed", Result: result, Scheme: c.Scheme.Name()}
	age := c.Now.Sub(result.Time)
	switch late := !near(c.Now, result.Time); {
	case result.Time.IsZero():
		cause.Do = "Its signature is right, and something else about it is not: " + detailOf(c) + "."
		cause.Name, cause.With = "other", "but for what is said above"
	case late && near(c.Now, time.UnixMilli(result.Time.Unix())):
		cause.Name, cause.With = "timestamp_unit", "with a timestamp in seconds: this one is in milliseconds"
		cause.Do = "The sender writes milliseconds where the scheme has seconds; have it write seconds."
	case late && near(c.Now, time.Unix(result.Time.UnixMilli(), 0)):
		cause.Name, cause.With = "timestamp_unit", "with a timestamp in milliseconds: this one is in seconds"
		cause.Do = "The sender writes seconds where the scheme has milliseconds; have it write milliseconds."
	case age > 0:
		cause.With = "at the time when it was signed, " + apart(age) + " before"
		cause.Do = "Secret and body are right. If the request was kept, give --now " + result.Time.Format(time.RFC3339) +
			". " + whenLive
	default:
		cause.With = "at the time when it was signed, " + apart(-age) + " later"
		cause.Do = "Secret and body are right, and the request is ahead of the receiver's time: " +
			"set the clock of the receiver (timedatectl), or of the sender."
	}
	return cause
}

// apart writes how long it is between two times.
func apart(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 3*day {
		return strconv.Itoa(int(d/day)) + " days"
	}
	return d.Round(time.Second).String()
}

// tokenTime is the cause where a signed token says itself until when it counts,
// which no tolerance changes. Its signature is looked at before its time.
func tokenTime(c *Case) (Cause, bool) {
	_, err := timeless(c.Scheme).Verify(c.Request, keysOf(c.Secrets...), c.Now)
	switch refusal(err).Reason {
	case signature.ReasonTimestampStale, signature.ReasonTimestampFuture:
		return Cause{
			Name: "time", With: "at most at another time: its token is rightly signed", Scheme: c.Scheme.Name(),
			Do: "If the request was kept, give --now with the time when it arrived. " + whenLive,
		}, true
	default:
		return Cause{}, false
	}
}

// near reports whether a and b are less apart than a mixed-up unit would be, and
// more than clocks and queues could.
func near(a, b time.Time) bool {
	const tenYears = 10 * 365 * 24 * 60 * 60
	apart := a.Unix() - b.Unix() // a Duration cannot hold what a wrong unit makes
	return max(apart, -apart) < tenYears
}

func detailOf(c *Case) string {
	_, err := c.Scheme.Verify(c.Request, keysOf(c.Secrets...), c.Now)
	return refusal(err).Detail
}

// refusal returns what an error of Verify says.
func refusal(err error) *signature.Error {
	if known, ok := err.(*signature.Error); ok { //nolint:errorlint // Verify returns it as it is
		return known
	}
	return &signature.Error{Detail: "it verifies (" + strconv.FormatBool(err == nil) + ")"}
}
