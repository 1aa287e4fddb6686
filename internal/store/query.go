package store

import (
	"errors"
	"time"

	"github.com/tenterhook/tenterhook"
)

// Errors that every store returns, wrapped.
var (
	// ErrNotFound means that nothing has the id that was asked for.
	ErrNotFound = errors.New("not found")
	// ErrUnavailable means that nothing could be written now, such as on a full
	// disk, and that trying again later may help.
	ErrUnavailable = errors.New("store unavailable")
	// ErrFailed means that the store can promise nothing any more, such as after
	// a failed fsync. The process must end; see Failed.
	ErrFailed = errors.New("store failed")
	// ErrClosed means that the store was closed.
	ErrClosed = errors.New("store closed")
)

// MaxPage bounds the rows of one page, and DefaultPage is what a zero limit means.
const (
	MaxPage     = 500
	DefaultPage = 50
)

// An EventFilter chooses events. Zero fields choose all.
type EventFilter struct {
	Source     string           // exactly this source
	Type       string           // this type, or a pattern with * such as pull_request.*
	DeliveryID string           // the provider's id
	State      tenterhook.State // at least one of its deliveries is in this state
	Unmatched  bool             // no route took it: it has no delivery
	Since      time.Time        // received at or after
	Until      time.Time        // received before
}

// A DeliveryFilter chooses deliveries. Zero fields choose all.
type DeliveryFilter struct {
	Event       tenterhook.ID    // deliveries of this event
	Destination string           // exactly this destination
	State       tenterhook.State // in this state
	Since       time.Time        // event received at or after
	Until       time.Time        // event received before
}

// A Page asks for up to Limit rows older than Before; newest come first.
type Page struct {
	Limit  int           // 1 to MaxPage; 0 is DefaultPage
	Before tenterhook.ID // the last id of the page before; zero for the first page
}

// An EventRow is an event in a list: without header and body.
type EventRow struct {
	tenterhook.Event
	Size         int64                    // bytes of the body
	BodySHA256   string                   // hex
	Deliveries   map[tenterhook.State]int // how many of its deliveries are in each state
	Redeliveries int                      // how often the provider sent it again
	RedeliveryOf tenterhook.ID            // the first event, if it is a processed redelivery
}

// A Redelivery is one more request for an event that was there already.
type Redelivery struct {
	At       time.Time // UTC
	SameBody bool      // its body equalled the first one's
	Requeued int       // dead deliveries it set off again
	Added    int       // deliveries it added
}

// An EventDetail is all that is on record about one event.
type EventDetail struct {
	EventRow                           // with Header and Body
	Redeliveries []Redelivery          // oldest first
	Deliveries   []tenterhook.Delivery // in order of their ids
	Attempts     []tenterhook.Attempt  // in order of their ids
}

// Stats are counts over the whole store.
type Stats struct {
	Pending   map[string]int64     // by destination: deliveries that wait, are retried or held
	Dead      map[string]int64     // by destination
	OldestDue map[string]time.Time // by destination: when the first waiting delivery was or is due
	Bytes     int64                // size of the database files
	Events    int64                // events on record, approximately
}
