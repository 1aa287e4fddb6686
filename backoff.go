package tenterhook

import (
	"math/rand/v2"
	"slices"
	"time"
)

// MaxRetryAfter bounds what a destination may ask for with Retry-After.
const MaxRetryAfter = 24 * time.Hour

// A Backoff says how long to wait before each attempt of a delivery. Waits have
// full jitter: each is drawn evenly between zero and the planned one, so that
// what failed together does not come back together.
type Backoff struct {
	// Schedule holds the planned wait before the first, second, ... attempt.
	// Its length is the number of attempts. Empty means [DefaultSchedule].
	Schedule []time.Duration
	// NoJitter waits exactly as planned.
	NoJitter bool
}

// DefaultSchedule returns the waits before each of eleven attempts, which spread
// over three days, after the advice of Standard Webhooks 1.0.0.
func DefaultSchedule() []time.Duration {
	return []time.Duration{
		0, 5 * time.Second, 30 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour,
		5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
}

// WithDefaults returns b with its empty fields filled in.
func (b Backoff) WithDefaults() Backoff {
	if len(b.Schedule) == 0 {
		b.Schedule = DefaultSchedule()
	}
	b.Schedule = slices.Clone(b.Schedule)
	return b
}

// Next returns how long to wait after the tried-th attempt, 1 or more, and
// whether there is to be another. A destination's Retry-After lengthens the
// wait, up to [MaxRetryAfter], and never shortens it. Random numbers in [0, 1)
// come from random, or from [rand.Float64] if it is nil.
func (b Backoff) Next(tried int, retryAfter time.Duration, random func() float64) (wait time.Duration, again bool) {
	if tried >= len(b.Schedule) {
		return 0, false
	}
	wait = b.Schedule[tried]
	if !b.NoJitter {
		if random == nil {
			random = rand.Float64
		}
		wait = time.Duration(float64(wait) * random())
	}
	return max(wait, min(retryAfter, MaxRetryAfter)), true
}
