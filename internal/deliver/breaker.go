package deliver

import "time"

// How a destination that fails is spared.
const (
	tripAfter    = 10               // failures in a row after which it is down
	minProbeWait = time.Second      // before the first probe
	maxProbeWait = 30 * time.Second // between later ones
)

// A breaker keeps a destination that is down from being tried with more than a
// probe now and then, and lets one that came back have its load step by step.
// The zero breaker is closed: the destination is up.
type breaker struct {
	failures int           // in a row, since the last success
	down     bool          // only probes are sent
	wait     time.Duration // before the next probe, without jitter
	probeAt  int64         // when the next probe may start, in microseconds since 1970
	ramp     int           // attempts at a time while coming back; 0 if not limited
	batch    int           // successes since ramp last grew
}

// limit returns how many attempts may be in flight, of at most concurrency.
func (b *breaker) limit(concurrency int) int {
	switch {
	case b.down:
		return 1
	case b.ramp > 0:
		return min(b.ramp, concurrency)
	}
	return concurrency
}

// success takes note of an attempt that succeeded, and reports whether the
// destination was down until now.
func (b *breaker) success(concurrency int) (recovered bool) {
	b.failures = 0
	if b.down {
		*b = breaker{ramp: 1}
		return true
	}
	if b.ramp == 0 {
		return false
	}
	if b.batch++; b.batch >= b.ramp {
		b.ramp, b.batch = b.ramp*2, 0
	}
	if b.ramp >= concurrency {
		b.ramp = 0
	}
	return false
}

// failure takes note of an attempt that failed, and reports whether the
// destination is down from now on. Attempts that began before it went down say
// nothing about whether it is back, only probes do.
func (b *breaker) failure(now int64, probe bool, random func() float64) (tripped bool) {
	b.failures++
	switch {
	case b.down && probe:
		b.wait = min(2*b.wait, maxProbeWait)
	case b.down:
		return false
	case b.failures >= tripAfter:
		b.down, b.wait, tripped = true, minProbeWait, true
	default:
		b.ramp, b.batch = (b.ramp+1)/2, 0
		return false
	}
	jittered := time.Duration(float64(b.wait) * (1 + random()) / 2)
	b.probeAt = now + jittered.Microseconds()
	return tripped
}
