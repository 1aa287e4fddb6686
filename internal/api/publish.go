package api

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/store"
)

// MaxPublish is how many events one request may publish.
const MaxPublish = 100

// A NewEvent is an event that somebody publishes, as if it had been posted to the
// source.
type NewEvent struct {
	Source  string          `json:"source" doc:"The source whose routes take it" minLength:"1"`
	Type    string          `json:"type,omitempty" doc:"Such as invoice.paid" maxLength:"128"`
	Payload json.RawMessage `json:"payload,omitempty" doc:"Any JSON, which is delivered as it is written here; or else body"`
	Body    *Body           `json:"body,omitempty" doc:"The bytes to deliver, where they are not JSON; or else payload"`
	// ContentType is that of deliveries.
	ContentType string `json:"content_type,omitempty" doc:"Of a body; a payload is application/json"`
	// IdempotencyKey makes it safe to send the request again.
	IdempotencyKey string `json:"idempotency_key,omitempty" maxLength:"256" doc:"With one that the source had before, nothing is done"`
}

// A PublishRequest publishes events, in order.
type PublishRequest struct {
	Events []NewEvent `json:"events" nullable:"false" minItems:"1" maxItems:"100"`
}

// A Published is an event that is on stable storage.
type Published struct {
	ID         tenterhook.ID `json:"id"`
	Duplicate  bool          `json:"duplicate,omitempty" doc:"The idempotency key came before, and this is the event that came with it"`
	Deliveries int           `json:"deliveries" doc:"To how many destinations routes send it; 0 for a duplicate"`
}

func (h *handler) registerPublish(a huma.API) {
	op := operation(a, http.MethodPost, "/events", "publish-events", "events", "Publish events")
	op.MaxBodyBytes = maxTestBody
	op.BodyReadTimeout = tailWrite
	add(h, a, op, h.publishEvents)
}

type publishInput struct {
	Body PublishRequest
}

// publishEvents checks all events before it keeps the first. What it answers
// with is on stable storage.
func (h *handler) publishEvents(ctx context.Context, in *publishInput) (List[Published], error) {
	out := List[Published]{Items: make([]Published, 0, len(in.Body.Events))}
	events := make([]*tenterhook.Event, len(in.Body.Events))
	for i := range in.Body.Events {
		e, err := h.newEvent(&in.Body.Events[i])
		if err != nil {
			err.Detail = fmt.Sprintf("body.events[%d]: %s", i, err.Detail)
			return out, err
		}
		events[i] = e
	}
	ctx = context.WithoutCancel(ctx) // who hangs up does not undo what is half done
	for i, e := range events {
		p, err := h.publish(ctx, e)
		if err != nil {
			return out, fmt.Errorf("publish event %d of %d, those before it are accepted: %w", i+1, len(events), err)
		}
		out.Items = append(out.Items, p)
	}
	return out, nil
}

func (h *handler) publish(ctx context.Context, e *tenterhook.Event) (Published, error) {
	var deliveries []tenterhook.Delivery
	e.Decisions, deliveries = h.Router.Route(ctx, e)
	receipt, err := h.Events.Accept(ctx, e, deliveries, tenterhook.RedeliveryIgnore)
	if err != nil {
		return Published{}, err
	}
	p := Published{ID: receipt.ID, Duplicate: receipt.Duplicate, Deliveries: len(deliveries)}
	if p.Duplicate {
		p.Deliveries = 0
		return p, nil
	}
	if h.Feed != nil && h.Feed.Watched() {
		h.Feed.Publish(store.EventRow{Event: *e, Size: int64(len(e.Body))})
	}
	return p, nil
}

// newEvent makes an event of what was asked for, or says why it cannot.
func (h *handler) newEvent(n *NewEvent) (*tenterhook.Event, *Problem) {
	invalid := func(detail, hint string) (*tenterhook.Event, *Problem) {
		return nil, newProblem(http.StatusUnprocessableEntity, CodeInvalid, detail, hint)
	}
	sources := h.Config().Sources
	if !slices.ContainsFunc(sources, func(s Source) bool { return s.Name == n.Source }) {
		names := make([]string, len(sources))
		for i, s := range sources {
			names[i] = s.Name
		}
		return invalid(fmt.Sprintf("there is no source %q", n.Source), "sources: "+strings.Join(names, ", "))
	}
	e := &tenterhook.Event{
		Source: n.Source, Type: n.Type, DeliveryID: n.IdempotencyKey, ReceivedAt: time.Now().UTC().Truncate(time.Microsecond),
		Header: http.Header{"Content-Type": {"application/json"}}, Body: n.Payload,
	}
	switch {
	case (n.Body == nil) == (len(n.Payload) == 0):
		return invalid("either payload or body says what is delivered", "")
	case strings.ContainsFunc(n.Type, unprintable) || strings.ContainsFunc(n.IdempotencyKey, unprintable):
		return invalid("type and idempotency_key are printable ASCII characters", "")
	case n.Body == nil && n.ContentType != "":
		return invalid("content_type: a payload is application/json", "put bytes of another type into body")
	case n.Body == nil:
		return e, nil
	}
	content, ok := n.Body.Bytes()
	if !ok {
		return invalid("body: neither text nor base 64", "")
	}
	e.Body = content
	e.Header.Set("Content-Type", "application/octet-stream")
	if n.ContentType != "" {
		if _, _, err := mime.ParseMediaType(n.ContentType); err != nil || strings.ContainsFunc(n.ContentType, unprintable) {
			return invalid("content_type is none, such as text/plain", "")
		}
		e.Header.Set("Content-Type", n.ContentType)
	}
	return e, nil
}

func unprintable(c rune) bool { return c < ' ' || c > '~' }

// PublishEvents publishes events; what it returns is on stable storage.
func (c *Client) PublishEvents(ctx context.Context, r PublishRequest) (List[Published], error) {
	return post[List[Published]](ctx, c, "/events", r)
}
