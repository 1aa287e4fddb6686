// Package destination holds the kinds of place that events go to: an HTTP
// endpoint ([HTTP]) and a command ([Command]). Each has a config type, whose
// empty fields mean documented defaults, and a Deliver method that makes one
// attempt.
//
// The rules, which hold for every kind:
//
//   - The fate of an attempt is a value, the [tenterhook.Outcome], and never
//     guessed from an error. Deliver fills in Outcome, Status, Error, Response
//     and RetryAfter; the caller knows the rest.
//   - The event's body is sent as it is, byte for byte.
//   - Deliver returns within the time-out and a little more, whatever the other
//     side does, and leaves no goroutine, process or open file behind.
//   - When its context ends, so does the attempt, with [tenterhook.OutcomeRetry]
//     and the error "interrupted by shutdown". It may have arrived.
//   - What the other side says is kept to a bound, and neither a secret nor the
//     path or query of a URL gets into an error.
//   - Nothing that comes from an event is ever code: it is a body, a value of a
//     header, or a value of an environment variable.
//
// A destination may be used by several goroutines.
package destination

import "github.com/tenterhook/tenterhook"

const interrupted = "interrupted by shutdown"

// retry returns an attempt that did not succeed and may the next time.
func retry(problem string) tenterhook.Attempt {
	return tenterhook.Attempt{Outcome: tenterhook.OutcomeRetry, Error: problem}
}

// refused returns an attempt that was not made, because it never can be.
func refused(problem string) tenterhook.Attempt {
	return tenterhook.Attempt{Outcome: tenterhook.OutcomeRefused, Error: problem}
}
