package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/route"
	"github.com/tenterhook/tenterhook/internal/store"
)

const (
	// heartbeat is how often a tail without events sends a comment, so that both
	// ends learn when the other one is gone.
	heartbeat = 15 * time.Second
	// tailWrite bounds one write to a caller that does not read.
	tailWrite = 10 * time.Second
	// tailBuffer is how many events wait for a caller that reads slowly.
	tailBuffer = 256
)

// A Feed passes events on to those who watch them come. It never makes the one
// who publishes wait: a watcher that is too slow misses events, and is told how
// many. The zero Feed is ready. A Feed may be used by several goroutines.
type Feed struct {
	watchers atomic.Int64 // so that publishing to nobody costs next to nothing
	mu       sync.Mutex
	subs     map[*subscription]struct{}
	closed   bool
}

type subscription struct {
	rows   chan store.EventRow // closed by Close
	missed atomic.Int64
}

// Watched reports whether anybody watches. A publisher may ask first, to spare
// making a row for nobody.
func (f *Feed) Watched() bool { return f.watchers.Load() > 0 }

// Publish passes on an event that was accepted. Its header and body are not
// looked at and may be left out, and where it has no Deliveries, they are what
// its decisions say.
func (f *Feed) Publish(row store.EventRow) {
	if !f.Watched() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.subs {
		select {
		case s.rows <- row:
		default:
			s.missed.Add(1)
		}
	}
}

// Close ends all tails. A server calls it before it waits for its requests to
// end, as a tail does not end by itself.
func (f *Feed) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.closed = true
		for s := range f.subs {
			close(s.rows)
		}
	}
}

// subscribe returns a subscription and how to end it.
func (f *Feed) subscribe() (*subscription, func()) {
	s := &subscription{rows: make(chan store.EventRow, tailBuffer)}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		close(s.rows)
		return s, func() {}
	}
	if f.subs == nil {
		f.subs = map[*subscription]struct{}{}
	}
	f.subs[s] = struct{}{}
	f.watchers.Add(1)
	return s, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.subs, s)
		f.watchers.Add(-1)
	}
}

// A TailQuery chooses the events of a tail. Empty fields choose all.
type TailQuery struct {
	Source string `query:"source" doc:"Exactly this source"`
	Type   string `query:"type" doc:"This type, or a pattern such as pull_request.*"`
}

// Missed says how many events a tail left out because the caller was too slow.
type Missed struct {
	Count int64 `json:"count"`
}

// The names of the server-sent events of a tail.
const (
	tailEvent  = "event"  // data is an Event
	tailMissed = "missed" // data is a Missed
)

func (h *handler) registerTail(a huma.API) {
	op := operation(a, http.MethodGet, "/events/tail", "tail-events", "events",
		"Watch events as they are accepted, as server-sent events")
	op.Description = `Each server-sent event named "event" has an Event as its data and the event's id as its id. ` +
		`One named "missed" says how many were left out because the caller read too slowly.`
	op.Responses["200"] = &huma.Response{
		Description: "A stream that ends when the server stops",
		Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}
	huma.Register(a, op, func(_ context.Context, in *TailQuery) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(c huma.Context) {
			_, w := humago.Unwrap(c)
			h.tail(c.Context(), w, *in)
		}}, nil
	})
}

// tail writes events until the caller goes away or the feed is closed.
func (h *handler) tail(ctx context.Context, w http.ResponseWriter, q TailQuery) {
	sub, end := h.Feed.subscribe()
	defer end()
	w.Header().Set("Content-Type", "text/event-stream")
	s := stream{w: w, control: http.NewResponseController(w)}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	err := s.comment("tail") // the caller learns at once that it is heard
	for err == nil {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			err = s.comment("")
		case row, open := <-sub.rows:
			if !open {
				return
			}
			err = s.row(row, q, sub.missed.Swap(0))
		}
	}
	// The caller went away: there is nobody to tell.
}

// A stream writes server-sent events.
type stream struct {
	w       io.Writer
	control *http.ResponseController
}

func (s stream) row(row store.EventRow, q TailQuery, missed int64) error {
	if missed > 0 {
		if err := s.send(tailMissed, "", Missed{Count: missed}); err != nil {
			return err
		}
	}
	if q.Source != "" && q.Source != row.Source || q.Type != "" && !route.MatchType(q.Type, row.Type) {
		return nil
	}
	if row.Deliveries == nil {
		row.Deliveries = decided(row.Decisions)
	}
	return s.send(tailEvent, row.ID.String(), newEvent(row))
}

// decided counts the deliveries that follow from decisions: one for each
// destination, however many routes choose it.
func decided(ds []tenterhook.Decision) map[tenterhook.State]int {
	to := map[string]bool{}
	for _, d := range ds {
		for _, name := range d.To {
			to[name] = true
		}
	}
	if len(to) == 0 {
		return nil
	}
	return map[tenterhook.State]int{tenterhook.StatePending: len(to)}
}

func (s stream) comment(text string) error { return s.write(": " + text + "\n\n") }

func (s stream) send(name, id string, data any) error {
	text, err := json.Marshal(data) // one line: it escapes line ends
	if err != nil {
		return err
	}
	frame := "event: " + name + "\n"
	if id != "" {
		frame += "id: " + id + "\n"
	}
	return s.write(frame + "data: " + string(text) + "\n\n")
}

func (s stream) write(frame string) error {
	// Not every writer has a deadline; one without waits for ctx.
	_ = s.control.SetWriteDeadline(time.Now().Add(tailWrite))
	if _, err := io.WriteString(s.w, frame); err != nil {
		return err
	}
	return s.control.Flush()
}
