package tenterhook

import (
	"net/http"
	"time"
)

// An Event is one accepted webhook, or one published message.
type Event struct {
	ID         ID          // also the webhook-id of every delivery
	Tenant     string      // the owner; empty is the operator
	Source     string      // the name of the source it was posted to
	Type       string      // such as "push" or "pull_request.opened"; may be empty
	DeliveryID string      // the provider's own id of this delivery; may be empty
	ReceivedAt time.Time   // UTC, to the microsecond
	Header     http.Header // as received, without what must not be kept
	Body       []byte      // as received, byte for byte; nil once pruned
	Decisions  []Decision  // what each route of the source made of it
	Marks      Marks       // what is to be known before it is trusted
}

// Marks say what is unusual about an event. The zero Marks, which most events
// have, say nothing.
type Marks struct {
	// Unbound means that no signature covers the body: whoever knows how such a
	// request looks may have changed it. Fetch from the provider what matters.
	Unbound bool `json:"unbound,omitempty"`
	// SchemaMismatch says how the body differs from the source's schema.
	SchemaMismatch string `json:"schema_mismatch,omitempty"`
	// Redacted lists where the source's own secret was written out and has been
	// replaced by asterisks: "body", or "header X-Token".
	Redacted []string `json:"redacted,omitempty"`
	// Leaked means that the secret had no business there, so that it is to be
	// changed.
	Leaked bool `json:"leaked,omitempty"`
}

// IsZero reports whether there is nothing to say.
func (m Marks) IsZero() bool {
	return !m.Unbound && m.SchemaMismatch == "" && len(m.Redacted) == 0 && !m.Leaked
}

// A Verdict is what a route made of an event.
type Verdict string

// The verdicts. Only [VerdictMatched] makes deliveries.
const (
	VerdictMatched   Verdict = "matched"   // the event goes to the route's destinations
	VerdictSource    Verdict = "source"    // the route is not from this source
	VerdictType      Verdict = "type"      // none of the route's types matches
	VerdictWhen      Verdict = "when"      // the filter answered false or null
	VerdictError     Verdict = "error"     // the filter failed on this payload
	VerdictTimeout   Verdict = "timeout"   // the filter ran out of time
	VerdictAmbiguous Verdict = "ambiguous" // the payload can be read in two ways, such as by a duplicate key
)

// A Decision says what one route made of one event, and why.
type Decision struct {
	Route   string   `json:"route"`            // the route's name
	Verdict Verdict  `json:"verdict"`          // what it made of the event
	Detail  string   `json:"detail,omitempty"` // the failing clause or the error, for people
	To      []string `json:"to,omitempty"`     // the destinations, if it matched
}

// OnRedelivery says what a second request with the same source and provider's
// delivery id does.
type OnRedelivery string

// What a redelivery does.
const (
	// RedeliveryHeal records it on the first event, tries its dead deliveries
	// again, and routes it again if no route had matched. What was delivered is
	// left alone. This is the default.
	RedeliveryHeal OnRedelivery = "heal"
	// RedeliveryProcess makes it an event of its own, linked to the first.
	RedeliveryProcess OnRedelivery = "process"
	// RedeliveryIgnore only counts it on the first event.
	RedeliveryIgnore OnRedelivery = "ignore"
)

// A Receipt is what a store answers for an event it was given to accept.
type Receipt struct {
	ID        ID   // the event's id; the first event's, for a duplicate
	Duplicate bool // the source and the provider's delivery id were known
	Requeued  int  // dead deliveries of the first event that are tried again
	Added     int  // deliveries added to the first event, which had none
}

// A Rejection is one refused request.
type Rejection struct {
	ID         int64     // grows by one with each rejection on record
	At         time.Time // UTC
	Source     string    // as named in the URL
	Status     int       // the HTTP status that was answered
	Reason     string    // one of a closed list, such as "signature_mismatch"
	Detail     string    // for the operator; the sender never sees it
	Size       int64     // bytes of the body that were read
	BodySHA256 string    // hex, of what was read; empty if nothing was
	Peer       string    // IP address of the other end
	DeliveryID string    // the provider's id, if one was sent; not verified
}
