package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/store"
)

// An EventFilter chooses events. Zero fields choose all.
type EventFilter struct {
	Source     string `query:"source" json:"source,omitempty" doc:"Exactly this source"`
	Type       string `query:"type" json:"type,omitempty" doc:"This type, or a pattern such as pull_request.*"`
	DeliveryID string `query:"delivery_id" json:"delivery_id,omitempty" doc:"The provider's id"`
	// State is that of at least one delivery.
	State tenterhook.State `query:"state" json:"state,omitempty" enum:"pending,retrying,delivered,dead,held,cancelled"`

	Unmatched bool `query:"unmatched" json:"unmatched,omitempty" doc:"No route took it"`
	Since     Time `query:"since" json:"since,omitzero" doc:"Received at or after"`
	Until     Time `query:"until" json:"until,omitzero" doc:"Received before"`
}

func (f EventFilter) store() store.EventFilter {
	return store.EventFilter{
		Source: f.Source, Type: f.Type, DeliveryID: f.DeliveryID, State: f.State, Unmatched: f.Unmatched,
		Since: f.Since.Time, Until: f.Until.Time,
	}
}

// A Cursor says which page of a list is asked for.
type Cursor struct {
	After tenterhook.ID `query:"cursor" doc:"The next of the page before; empty for the first page"`
	Limit int           `query:"limit" doc:"Rows of a page" minimum:"1" maximum:"500" default:"50"`
}

func (c Cursor) page() store.Page { return store.Page{Limit: c.limit(), Before: c.After} }

func (c Cursor) limit() int {
	if c.Limit == 0 {
		return store.DefaultPage
	}
	return c.Limit
}

// An EventQuery asks for a page of the events that a filter chooses.
type EventQuery struct {
	EventFilter
	Cursor
}

func (q EventQuery) values() url.Values {
	v := url.Values{}
	set(v, "source", q.Source)
	set(v, "type", q.Type)
	set(v, "delivery_id", q.DeliveryID)
	set(v, "state", string(q.State))
	if q.Unmatched {
		v.Set("unmatched", "true")
	}
	setTime(v, "since", q.Since)
	setTime(v, "until", q.Until)
	q.add(v)
	return v
}

func (c Cursor) add(v url.Values) {
	set(v, "cursor", c.After.String())
	if c.Limit != 0 {
		v.Set("limit", strconv.Itoa(c.Limit))
	}
}

func set(v url.Values, key, value string) {
	if value != "" {
		v.Set(key, value)
	}
}

func setTime(v url.Values, key string, t Time) {
	if !t.IsZero() {
		v.Set(key, t.UTC().Format(timeLayout))
	}
}

// eventPath is the input of an operation on one event.
type eventPath struct {
	ID tenterhook.ID `path:"id" doc:"An event's id" example:"evt_01JD7Q4ZK0X5V9R2M8T4000000"`
}

// check refuses the id of something else.
func (p eventPath) check() error {
	if p.ID != p.ID.Event() {
		return newProblem(http.StatusUnprocessableEntity, CodeInvalid,
			p.ID.String()+" is not an event", "its event is "+p.ID.Event().String())
	}
	return nil
}

func (h *handler) registerEvents(a huma.API) {
	add(h, a, operation(a, http.MethodGet, "/events", "list-events", "events",
		"List events"), h.listEvents)
	add(h, a, operation(a, http.MethodGet, "/events/{id}", "get-event", "events",
		"Show all that is on record about an event"), h.getEvent)
	add(h, a, operation(a, http.MethodGet, "/events/{id}/explain", "explain-event", "events",
		"Say why each route did or did not take an event"), h.explainEvent)

	raw := operation(a, http.MethodGet, "/events/{id}/body", "get-event-body", "events",
		"Get an event's body, byte for byte")
	raw.Responses["200"] = &huma.Response{
		Description: "The body",
		Content: map[string]*huma.MediaType{
			"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		},
	}
	huma.Register(a, raw, func(ctx context.Context, in *eventPath) (*rawBody, error) {
		out, err := h.getEventBody(ctx, in)
		if err != nil {
			return nil, h.problem(ctx, raw.OperationID, err)
		}
		return out, nil
	})
}

func (h *handler) listEvents(ctx context.Context, in *EventQuery) (Page[Event], error) {
	rows, err := h.Events.Events(ctx, in.store(), in.page())
	if err != nil {
		return Page[Event]{}, err
	}
	return newPage(rows, in.limit(), newEvent, func(e Event) tenterhook.ID { return e.ID }), nil
}

func (h *handler) getEvent(ctx context.Context, in *eventPath) (EventDetail, error) {
	if err := in.check(); err != nil {
		return EventDetail{}, err
	}
	d, err := h.Events.EventDetail(ctx, in.ID)
	if err != nil {
		return EventDetail{}, err
	}
	return newEventDetail(d), nil
}

// rawBody is a body as it was received. What it holds comes from outside, so a
// browser is told to save it and never to show it.
type rawBody struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (h *handler) getEventBody(ctx context.Context, in *eventPath) (*rawBody, error) {
	e, err := h.event(ctx, in)
	if err != nil {
		return nil, err
	}
	if pruned(e) {
		return nil, prunedProblem(e)
	}
	return &rawBody{
		ContentType: "application/octet-stream",
		Disposition: `attachment; filename="` + e.ID.String() + `.body"`,
		Body:        e.Body,
	}, nil
}

func (h *handler) event(ctx context.Context, in *eventPath) (*tenterhook.Event, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	return h.Events.Event(ctx, in.ID)
}

func prunedProblem(e *tenterhook.Event) error {
	return newProblem(http.StatusGone, CodePruned, "the body of "+e.ID.String()+" of "+
		e.ReceivedAt.UTC().Format(time.DateOnly)+" is no longer kept",
		"retention.bodies in the configuration says how long bodies are kept")
}

func (h *handler) explainEvent(ctx context.Context, in *eventPath) (Explanation, error) {
	e, err := h.event(ctx, in)
	if err != nil {
		return Explanation{}, err
	}
	return Explanation{
		EventID: e.ID, Source: e.Source, Type: e.Type, Pruned: pruned(e),
		BodyBound: !e.Marks.Unbound, SchemaMismatch: e.Marks.SchemaMismatch,
		Stored: notNil(e.Decisions), Present: notNil(h.Router.Explain(ctx, e)),
	}, nil
}
