package api

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/store"
)

// MaxInline bounds the body that is part of an [EventDetail]. A larger one has
// to be fetched by itself.
const MaxInline = 1 << 20

// timeLayout is RFC 3339 with exactly six digits of a second's fraction.
const timeLayout = "2006-01-02T15:04:05.000000Z07:00"

// A Time is written as RFC 3339 in UTC with microseconds, so that equal times
// are equal texts and texts sort as times do.
type Time struct{ time.Time }

// MarshalText implements [encoding.TextMarshaler].
func (t Time) MarshalText() ([]byte, error) {
	return t.UTC().AppendFormat(nil, timeLayout), nil
}

// MarshalJSON implements [json.Marshaler].
func (t Time) MarshalJSON() ([]byte, error) {
	return t.UTC().AppendFormat(nil, `"`+timeLayout+`"`), nil
}

// Schema describes a Time in the OpenAPI document.
func (Time) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
}

// A Page is a part of a list.
type Page[T any] struct {
	Items []T           `json:"items" nullable:"false" doc:"Newest first"`
	Next  tenterhook.ID `json:"next,omitzero" doc:"The cursor of the page after this one; absent on the last"`
}

// A List is a list that is never long enough for pages.
type List[T any] struct {
	Items []T `json:"items" nullable:"false"`
}

// Outcomes counts the deliveries of an event by their state.
type Outcomes map[tenterhook.State]int

// An Event is one accepted webhook in a list.
type Event struct {
	ID           tenterhook.ID `json:"id" doc:"Also the webhook-id of every delivery"`
	Tenant       string        `json:"tenant,omitempty"`
	Source       string        `json:"source"`
	Type         string        `json:"type"`
	DeliveryID   string        `json:"delivery_id,omitempty" doc:"The provider's own id"`
	ReceivedAt   Time          `json:"received_at"`
	Size         int64         `json:"size" doc:"Bytes of the body"`
	BodySHA256   string        `json:"body_sha256" doc:"In hex"`
	Outcomes     Outcomes      `json:"outcomes" doc:"How many deliveries are in each state; none if no route took it"`
	Redelivered  int           `json:"redelivered" doc:"How often the provider sent it again"`
	RedeliveryOf tenterhook.ID `json:"redelivery_of,omitzero" doc:"The first event, if this is a processed redelivery"`

	BodyBound      bool     `json:"body_bound" doc:"A signature covers the body; if not, fetch from the provider what matters"`
	SchemaMismatch string   `json:"schema_mismatch,omitempty" doc:"How the body differs from the source's schema"`
	Redacted       []string `json:"redacted,omitempty" doc:"Where the source's secret was replaced by asterisks: body, or header NAME"`
	SecretLeaked   bool     `json:"secret_leaked,omitempty" doc:"The secret had no business there: change it"`
}

// An EventDetail is all that is on record about one event.
type EventDetail struct {
	Event
	Headers      http.Header           `json:"headers" doc:"As received, without what must not be kept"`
	Body         Body                  `json:"body"`
	Decisions    []tenterhook.Decision `json:"decisions" nullable:"false" doc:"What each route made of it"`
	Redeliveries []Redelivery          `json:"redeliveries" nullable:"false" doc:"Oldest first"`
	Deliveries   []Delivery            `json:"deliveries" nullable:"false"`
	Attempts     []Attempt             `json:"attempts" nullable:"false"`
}

// An Encoding says how a [Body] is written in JSON.
type Encoding string

// The encodings of a [Body].
const (
	EncodingText   Encoding = "text"   // as it is; it is valid UTF-8
	EncodingBase64 Encoding = "base64" // standard, padded
	EncodingPruned Encoding = "pruned" // no longer kept
	EncodingLarge  Encoding = "large"  // more than MaxInline; to be fetched by itself
)

// A Body holds bytes in JSON without a change: as text where they are valid
// UTF-8, so that people can read them, and in base 64 where they are not.
type Body struct {
	Encoding Encoding `json:"encoding" enum:"text,base64,pruned,large"`
	Content  string   `json:"content"`
}

// NewBody returns b as a [Body].
func NewBody(b []byte) Body {
	if utf8.Valid(b) {
		return Body{Encoding: EncodingText, Content: string(b)}
	}
	return Body{Encoding: EncodingBase64, Content: base64.StdEncoding.EncodeToString(b)}
}

// Bytes returns what b holds; ok is false if it holds nothing because it was
// pruned or is too large, or if it is malformed.
func (b Body) Bytes() (content []byte, ok bool) {
	switch b.Encoding {
	case EncodingText:
		return []byte(b.Content), true
	case EncodingBase64:
		content, err := base64.StdEncoding.DecodeString(b.Content)
		return content, err == nil
	case EncodingPruned, EncodingLarge:
	}
	return nil, false
}

// A Redelivery is one more request for an event that was there already.
type Redelivery struct {
	At       Time `json:"at"`
	SameBody bool `json:"same_body" doc:"Whether its body equalled the first one's"`
	Requeued int  `json:"requeued" doc:"Dead deliveries it set off again"`
	Added    int  `json:"added" doc:"Deliveries it added"`
}

// A Delivery is one event for one destination.
type Delivery struct {
	ID          tenterhook.ID    `json:"id"`
	EventID     tenterhook.ID    `json:"event_id"`
	Tenant      string           `json:"tenant,omitempty"`
	Destination string           `json:"destination"`
	Route       string           `json:"route" doc:"The route that chose it"`
	State       tenterhook.State `json:"state" enum:"pending,retrying,delivered,dead,held,cancelled"`
	Attempts    int              `json:"attempts" doc:"How often it was tried"`
	Round       int              `json:"round" doc:"Attempts since it was accepted or last retried by hand"`
	NextAt      Time             `json:"next_at,omitzero" doc:"When it is tried next, if it waits"`
	UpdatedAt   Time             `json:"updated_at" doc:"When the state last changed"`
	LastStatus  int              `json:"last_status,omitempty" doc:"Status or exit code of the last attempt"`
	LastError   string           `json:"last_error,omitempty" doc:"Why the last attempt did not succeed"`
}

// A DeliveryDetail is all that is on record about one delivery.
type DeliveryDetail struct {
	Delivery
	History []Attempt `json:"history" nullable:"false" doc:"Its attempts, oldest first"`
}

// An Attempt is one try of a delivery.
type Attempt struct {
	ID           tenterhook.ID      `json:"id"`
	DeliveryID   tenterhook.ID      `json:"delivery_id"`
	StartedAt    Time               `json:"started_at"`
	DurationMS   float64            `json:"duration_ms"`
	Outcome      tenterhook.Outcome `json:"outcome" enum:"success,retry,refused,unknown"`
	Status       int                `json:"status,omitempty" doc:"HTTP status or exit code"`
	Error        string             `json:"error,omitempty" doc:"Why it did not succeed"`
	Response     Body               `json:"response" doc:"The beginning of the answer or of the command's output"`
	RetryAfterMS float64            `json:"retry_after_ms,omitempty" doc:"What the destination asked to wait"`
}

// A Rejection is one refused request.
type Rejection struct {
	ID         int64  `json:"id"`
	At         Time   `json:"at"`
	Source     string `json:"source" doc:"As named in the URL"`
	Status     int    `json:"status" doc:"The HTTP status that was answered"`
	Reason     string `json:"reason" doc:"Such as signature_mismatch"`
	Detail     string `json:"detail,omitempty" doc:"For the operator; the sender never sees it"`
	Size       int64  `json:"size" doc:"Bytes of the body that were read"`
	BodySHA256 string `json:"body_sha256,omitempty" doc:"In hex, of what was read"`
	Peer       string `json:"peer" doc:"IP address of the other end"`
	DeliveryID string `json:"delivery_id,omitempty" doc:"The provider's id as sent; not verified"`
}

// An Explanation says what routes made of an event, then and now.
type Explanation struct {
	EventID tenterhook.ID `json:"event_id"`
	Source  string        `json:"source"`
	Type    string        `json:"type"`

	BodyBound      bool   `json:"body_bound" doc:"A signature covers the body"`
	SchemaMismatch string `json:"schema_mismatch,omitempty" doc:"How the body differs from the source's schema"`

	Stored  []tenterhook.Decision `json:"stored" nullable:"false" doc:"When it was accepted"`
	Present []tenterhook.Decision `json:"present" nullable:"false" doc:"By the running configuration, for every route"`
	Pruned  bool                  `json:"pruned" doc:"The body is no longer kept, so filters saw null"`
}

// A Stats counts what is in the store.
type Stats struct {
	Events       int64  `json:"events" doc:"Events on record, approximately"`
	Bytes        int64  `json:"bytes" doc:"Size of the database files"`
	Destinations []Load `json:"destinations" nullable:"false" doc:"By name"`
}

// A Load is what waits for one destination.
type Load struct {
	Destination string `json:"destination"`
	Pending     int64  `json:"pending" doc:"Deliveries that wait, are retried or held"`
	Dead        int64  `json:"dead"`
	OldestDue   Time   `json:"oldest_due,omitzero" doc:"When the first waiting delivery was or is due"`
}

// newPage makes a page of rows. A full page may be followed by another.
func newPage[R, T any](rows []R, limit int, convert func(R) T, id func(T) tenterhook.ID) Page[T] {
	p := Page[T]{Items: make([]T, 0, len(rows))}
	for _, r := range rows {
		p.Items = append(p.Items, convert(r))
	}
	if n := len(p.Items); n > 0 && n >= limit {
		p.Next = id(p.Items[n-1])
	}
	return p
}

func newEvent(r store.EventRow) Event {
	return Event{
		ID: r.ID, Tenant: r.Tenant, Source: r.Source, Type: r.Type, DeliveryID: r.DeliveryID,
		ReceivedAt: Time{r.ReceivedAt}, Size: r.Size, BodySHA256: r.BodySHA256,
		Outcomes: orEmpty(r.Deliveries), Redelivered: r.Redeliveries, RedeliveryOf: r.RedeliveryOf,
		BodyBound: !r.Marks.Unbound, SchemaMismatch: r.Marks.SchemaMismatch, Redacted: r.Marks.Redacted, SecretLeaked: r.Marks.Leaked,
	}
}

func orEmpty(m map[tenterhook.State]int) Outcomes {
	if m == nil {
		return Outcomes{}
	}
	return m
}

func newEventDetail(d *store.EventDetail) EventDetail {
	e := EventDetail{
		Event: newEvent(d.EventRow), Headers: d.Header, Body: inlineBody(d), Decisions: notNil(d.Decisions),
		Redeliveries: []Redelivery{}, Deliveries: newDeliveries(d.Deliveries), Attempts: []Attempt{},
	}
	if e.Headers == nil {
		e.Headers = http.Header{}
	}
	for _, r := range d.Redeliveries {
		e.Redeliveries = append(e.Redeliveries,
			Redelivery{At: Time{r.At}, SameBody: r.SameBody, Requeued: r.Requeued, Added: r.Added})
	}
	for _, r := range d.Attempts {
		e.Attempts = append(e.Attempts, newAttempt(r))
	}
	return e
}

func inlineBody(d *store.EventDetail) Body {
	switch {
	case pruned(&d.Event):
		return Body{Encoding: EncodingPruned}
	case len(d.Body) > MaxInline:
		return Body{Encoding: EncodingLarge}
	}
	return NewBody(d.Body)
}

// pruned reports whether e's body is no longer kept.
func pruned(e *tenterhook.Event) bool { return e.Body == nil }

func newDelivery(d tenterhook.Delivery) Delivery {
	v := Delivery{
		ID: d.ID, EventID: d.ID.Event(), Tenant: d.Tenant, Destination: d.Destination, Route: d.Route,
		State: d.State, Attempts: d.Attempts, Round: d.Round, UpdatedAt: Time{d.UpdatedAt},
		LastStatus: d.LastStatus, LastError: d.LastError,
	}
	if !d.State.Final() {
		v.NextAt = Time{d.NextAt}
	}
	return v
}

func newDeliveries(ds []tenterhook.Delivery) []Delivery {
	out := make([]Delivery, 0, len(ds))
	for _, d := range ds {
		out = append(out, newDelivery(d))
	}
	return out
}

func newAttempt(a tenterhook.Attempt) Attempt {
	return Attempt{
		ID: a.ID, DeliveryID: a.ID.Delivery(0), StartedAt: Time{a.StartedAt}, DurationMS: milliseconds(a.Duration),
		Outcome: a.Outcome, Status: a.Status, Error: a.Error, Response: NewBody(a.Response),
		RetryAfterMS: milliseconds(a.RetryAfter),
	}
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1e3
}

func newRejection(r tenterhook.Rejection) Rejection {
	return Rejection{
		ID: r.ID, At: Time{r.At}, Source: r.Source, Status: r.Status, Reason: r.Reason, Detail: r.Detail,
		Size: r.Size, BodySHA256: r.BodySHA256, Peer: r.Peer, DeliveryID: r.DeliveryID,
	}
}

func newStats(s *store.Stats) Stats {
	v := Stats{Events: s.Events, Bytes: s.Bytes, Destinations: []Load{}}
	seen := map[string]bool{}
	for _, counts := range []map[string]int64{s.Pending, s.Dead} {
		for name := range counts {
			if !seen[name] {
				seen[name] = true
				v.Destinations = append(v.Destinations, newLoad(s, name))
			}
		}
	}
	slices.SortFunc(v.Destinations, func(a, b Load) int { return cmp.Compare(a.Destination, b.Destination) })
	return v
}

func newLoad(s *store.Stats, name string) Load {
	return Load{
		Destination: name, Pending: s.Pending[name], Dead: s.Dead[name], OldestDue: Time{s.OldestDue[name]},
	}
}

// notNil returns s as a slice that is written as [] when empty.
func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
