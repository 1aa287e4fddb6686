package tenterhook

import "time"

// A State is where a delivery stands.
type State string

// The states of a delivery.
const (
	StatePending   State = "pending"   // not tried yet
	StateRetrying  State = "retrying"  // tried, and to be tried again at NextAt
	StateDelivered State = "delivered" // the destination took it
	StateDead      State = "dead"      // given up; can be retried by hand
	StateHeld      State = "held"      // waits until its destination is resumed
	StateCancelled State = "cancelled" // stopped by hand
)

// Final reports whether nothing more happens in s by itself.
func (s State) Final() bool {
	return s == StateDelivered || s == StateDead || s == StateCancelled
}

// A Delivery is one event for one destination.
type Delivery struct {
	ID          ID        // its event is ID.Event()
	Tenant      string    // the event's
	Destination string    // the destination's name
	Route       string    // the route that chose it
	State       State     // where it stands
	Attempts    int       // how often it was tried
	Round       int       // attempts since it was accepted or last retried by hand; counts against the retry policy
	NextAt      time.Time // when it is tried next, if it waits
	UpdatedAt   time.Time // when State last changed
	LastStatus  int       // the status or exit code of the last attempt, 0 if there was none
	LastError   string    // why the last attempt did not succeed
}

// An Outcome is the fate of an attempt.
type Outcome string

// The outcomes of an attempt.
const (
	OutcomeSuccess Outcome = "success" // the destination took it
	OutcomeRetry   Outcome = "retry"   // it did not; trying again may help
	OutcomeRefused Outcome = "refused" // it did not, and never will: trying again is pointless
	OutcomeUnknown Outcome = "unknown" // bytes may have left, and no answer is known
)

// An Attempt is one try of a delivery.
type Attempt struct {
	ID         ID            // its delivery is ID.Delivery(0)
	StartedAt  time.Time     // UTC
	Duration   time.Duration // from the start to the end of the answer
	Outcome    Outcome       // what came of it
	Status     int           // HTTP status or exit code; 0 if there was none
	Error      string        // why it did not succeed; empty on success
	Response   []byte        // the beginning of the answer's body or the command's output
	RetryAfter time.Duration // what the destination asked to wait; 0 if it did not
}
