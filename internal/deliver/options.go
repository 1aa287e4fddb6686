package deliver

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/tenterhook/tenterhook"
)

// Defaults of [Options].
const (
	DefaultBodyBudget = 16 << 20
	DefaultWindow     = 1024
)

var (
	// ErrNoEvent means that an event or its body is not on record any more.
	ErrNoEvent = errors.New("the event's body is no longer kept")
	// ErrStopped is the cause with which [Engine.Stop] cancels attempts.
	ErrStopped = errors.New("the engine was stopped")
)

// A Store holds the deliveries.
type Store interface {
	// Pending returns up to limit deliveries of destination that are pending or
	// retrying and come after the cursor, ordered by NextAt and ID. The zero
	// Cursor comes before all. It sees everything committed before the call.
	Pending(ctx context.Context, destination string, after Cursor, limit int) ([]tenterhook.Delivery, error)
	// Event returns an event with its body; an empty body is not nil. If there
	// is none any more, the body is nil or the error wraps [ErrNoEvent]. After any
	// other error the engine asks again later.
	Event(ctx context.Context, id tenterhook.ID) (*tenterhook.Event, error)
	// Record appends a and moves its delivery to where d stands (State, Attempts,
	// Round, NextAt, UpdatedAt, LastStatus, LastError), both in one transaction,
	// with one exception: a delivery that was cancelled meanwhile stays so unless
	// d is delivered. Record returns at once. It calls done exactly once, without
	// waiting for it: with nil once the transaction is committed, or with an error
	// if it finally failed, such as because the store is closed. What is only
	// unavailable for now the store tries again by itself.
	Record(a tenterhook.Attempt, d tenterhook.Delivery, done func(error))
}

// A Cursor is a place in the order in which deliveries are due.
type Cursor struct {
	NextAt time.Time
	ID     tenterhook.ID
}

// A Destination is a place events go.
type Destination interface {
	// Deliver makes one attempt. It fills in Outcome, Status, Error, Response and
	// RetryAfter; the engine does the rest. It may be called by several goroutines
	// at once, must end by its own time-out, soon after ctx ends, and must
	// neither change e or d nor keep them.
	Deliver(ctx context.Context, e *tenterhook.Event, d *tenterhook.Delivery) tenterhook.Attempt
}

// A Lane says how deliveries get to one destination.
type Lane struct {
	Name        string             // of the destination
	Destination Destination        // what makes the attempts
	Concurrency int                // attempts at a time; less than 1 is 1
	Backoff     tenterhook.Backoff // when to try again; zero is the default schedule
}

// An Offer is a delivery that has just been committed.
type Offer struct {
	Delivery tenterhook.Delivery
	Event    *tenterhook.Event // nil if it is not at hand; must not be changed any more
}

// An Observation is what is to be told about one attempt.
type Observation struct {
	Attempt  tenterhook.Attempt
	Delivery tenterhook.Delivery // as it stands after the attempt
	Event    *tenterhook.Event   // nil if it was no longer kept
	Late     time.Duration       // how long after it was due the attempt began
}

// Options are the options of an [Engine]. The zero Options are the defaults.
type Options struct {
	// Logger gets one line per attempt, and what is wrong. Nil logs nothing.
	Logger *slog.Logger
	// Now is the clock; nil is [time.Now].
	Now func() time.Time
	// Random returns random numbers in [0, 1), to any goroutine; nil is
	// [rand.Float64].
	Random func() float64
	// Observe is called after each attempt, such as for metrics, by any
	// goroutine. The next attempt of that goroutine waits for it. It may be nil.
	Observe func(Observation)
	// BodyBudget bounds the bytes of event bodies, with some overhead for each,
	// that are held for waiting deliveries of all destinations. 0 is
	// [DefaultBodyBudget]; less than 0 holds none.
	BodyBudget int64
	// Window is about how many waiting deliveries of a destination to hold: half
	// as many to twice as many, if there are. 0 is [DefaultWindow].
	Window int
}

// WithDefaults returns o with its empty fields filled in.
func (o Options) WithDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.BodyBudget == 0 {
		o.BodyBudget = DefaultBodyBudget
	}
	if o.Window <= 0 {
		o.Window = DefaultWindow
	}
	return o
}

// LaneStats is how one destination is doing.
type LaneStats struct {
	Waiting     int   // deliveries in memory that wait for their turn
	Complete    bool  // these are all; else more wait in the store
	InFlight    int   // attempts in flight
	Recording   int   // attempts whose record is not committed yet
	Unrecorded  int   // attempts whose record has finally failed
	Bodies      int64 // bytes of the budget for bodies in use
	Down        bool  // the destination is only probed
	Failures    int   // attempts that failed since the last one that succeeded
	Concurrency int   // attempts that may be in flight now
}
