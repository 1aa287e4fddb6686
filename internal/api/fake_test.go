package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/internal/store"
)

const token = "th_test_token"

// memory is a store that keeps what it is given in memory.
type memory struct {
	mu       sync.Mutex
	events   []*store.EventDetail // oldest first
	rejected []tenterhook.Rejection
	fail     error // returned by everything, if set
}

func (m *memory) lock() (func(), error) {
	m.mu.Lock()
	return m.mu.Unlock, m.fail
}

func (m *memory) find(id tenterhook.ID) (*store.EventDetail, error) {
	for _, e := range m.events {
		if e.ID == id.Event() {
			return e, nil
		}
	}
	return nil, fmt.Errorf("event %s: %w", id, store.ErrNotFound)
}

func (m *memory) Events(_ context.Context, f store.EventFilter, p store.Page) ([]store.EventRow, error) {
	unlock, err := m.lock()
	defer unlock()
	var rows []store.EventRow
	for _, e := range slices.Backward(m.events) {
		switch {
		case len(rows) == p.Limit,
			!p.Before.IsZero() && e.ID.Compare(p.Before) >= 0,
			f.Source != "" && f.Source != e.Source,
			f.Type != "" && f.Type != e.Type,
			f.DeliveryID != "" && f.DeliveryID != e.EventRow.DeliveryID,
			f.State != "" && e.EventRow.Deliveries[f.State] == 0,
			f.Unmatched && len(e.Deliveries) > 0,
			!f.Since.IsZero() && e.ReceivedAt.Before(f.Since),
			!f.Until.IsZero() && !e.ReceivedAt.Before(f.Until):
			continue
		}
		row := e.EventRow
		row.Body, row.Header = nil, nil
		rows = append(rows, row)
	}
	return rows, err
}

func (m *memory) EventDetail(_ context.Context, id tenterhook.ID) (*store.EventDetail, error) {
	unlock, err := m.lock()
	defer unlock()
	if err != nil {
		return nil, err
	}
	return m.find(id)
}

func (m *memory) Event(ctx context.Context, id tenterhook.ID) (*tenterhook.Event, error) {
	d, err := m.EventDetail(ctx, id)
	if err != nil {
		return nil, err
	}
	return &d.Event, nil
}

func (m *memory) Replay(
	_ context.Context, id tenterhook.ID, ds []tenterhook.Delivery,
) (*store.ReplayResult, error) {
	unlock, err := m.lock()
	defer unlock()
	if err != nil {
		return nil, err
	}
	e, err := m.find(id)
	if err != nil {
		return nil, err
	}
	out := &store.ReplayResult{}
	for _, want := range ds {
		i := slices.IndexFunc(e.Deliveries, func(d tenterhook.Delivery) bool { return d.Destination == want.Destination })
		switch {
		case i < 0:
			want.ID = id.Delivery(len(e.Deliveries) + 1)
			want.State = tenterhook.StatePending
			e.Deliveries = append(e.Deliveries, want)
			out.Added = append(out.Added, want)
		case !e.Deliveries[i].State.Final():
			out.Waiting = append(out.Waiting, e.Deliveries[i])
		default:
			e.Deliveries[i].State = tenterhook.StatePending
			out.Requeued = append(out.Requeued, e.Deliveries[i])
		}
	}
	return out, nil
}

func (m *memory) Accept(
	_ context.Context, e *tenterhook.Event, ds []tenterhook.Delivery, on tenterhook.OnRedelivery,
) (tenterhook.Receipt, error) {
	unlock, err := m.lock()
	defer unlock()
	if err != nil || on != tenterhook.RedeliveryIgnore {
		return tenterhook.Receipt{}, err
	}
	for _, known := range m.events {
		if e.DeliveryID != "" && known.EventRow.DeliveryID == e.DeliveryID {
			return tenterhook.Receipt{ID: known.ID, Duplicate: true}, nil
		}
	}
	e.ID = tenterhook.NewIDs(nil).New()
	m.events = append(m.events, &store.EventDetail{EventRow: store.EventRow{Event: *e}, Deliveries: ds})
	return tenterhook.Receipt{ID: e.ID}, nil
}

func (m *memory) Deliveries(
	_ context.Context, f store.DeliveryFilter, p store.Page,
) ([]tenterhook.Delivery, error) {
	unlock, err := m.lock()
	defer unlock()
	var rows []tenterhook.Delivery
	for _, e := range slices.Backward(m.events) {
		for _, d := range slices.Backward(e.Deliveries) {
			if len(rows) < p.Limit && (p.Before.IsZero() || d.ID.Compare(p.Before) < 0) &&
				(f.Event.IsZero() || d.ID.Event() == f.Event) &&
				(f.Destination == "" || d.Destination == f.Destination) && (f.State == "" || d.State == f.State) {
				rows = append(rows, d)
			}
		}
	}
	return rows, err
}

func (m *memory) delivery(id tenterhook.ID) (*store.EventDetail, *tenterhook.Delivery, error) {
	e, err := m.find(id)
	if err != nil {
		return nil, nil, err
	}
	if n := id.DeliveryNumber(); n <= len(e.Deliveries) {
		return e, &e.Deliveries[n-1], nil
	}
	return nil, nil, fmt.Errorf("delivery %s: %w", id, store.ErrNotFound)
}

func (m *memory) Delivery(
	_ context.Context, id tenterhook.ID,
) (*tenterhook.Delivery, []tenterhook.Attempt, error) {
	unlock, err := m.lock()
	defer unlock()
	if err != nil {
		return nil, nil, err
	}
	e, d, err := m.delivery(id)
	if err != nil {
		return nil, nil, err
	}
	var as []tenterhook.Attempt
	for _, a := range e.Attempts {
		if a.ID.Delivery(0) == id {
			as = append(as, a)
		}
	}
	return d, as, nil
}

func (m *memory) Requeue(_ context.Context, id tenterhook.ID) (*tenterhook.Delivery, error) {
	return m.change(id, "final", tenterhook.StatePending, func(s tenterhook.State) bool { return s.Final() })
}

func (m *memory) Cancel(_ context.Context, id tenterhook.ID) (*tenterhook.Delivery, error) {
	return m.change(id, "waiting", tenterhook.StateCancelled, func(s tenterhook.State) bool { return !s.Final() })
}

func (m *memory) change(
	id tenterhook.ID, want string, to tenterhook.State, may func(tenterhook.State) bool,
) (*tenterhook.Delivery, error) {
	unlock, err := m.lock()
	defer unlock()
	if err != nil {
		return nil, err
	}
	_, d, err := m.delivery(id)
	if err != nil {
		return nil, err
	}
	if !may(d.State) {
		return nil, &store.StateError{ID: id, State: d.State, Want: want}
	}
	d.State = to
	return d, nil
}

func (m *memory) Rejections(_ context.Context, limit int) ([]tenterhook.Rejection, error) {
	unlock, err := m.lock()
	defer unlock()
	return m.rejected[:min(limit, len(m.rejected))], err
}

func (m *memory) Stats(context.Context) (*store.Stats, error) {
	unlock, err := m.lock()
	defer unlock()
	return &store.Stats{
		Pending: map[string]int64{"app": 2}, Dead: map[string]int64{"deploy": 1},
		OldestDue: map[string]time.Time{"app": begin}, Bytes: 4096, Events: int64(len(m.events)),
	}, err
}

// pushToApp routes a push to app, and nothing else anywhere.
type pushToApp struct{}

func (pushToApp) Explain(_ context.Context, e *tenterhook.Event) []tenterhook.Decision {
	if e.Type == "push" {
		return []tenterhook.Decision{{Route: "main", Verdict: tenterhook.VerdictMatched, To: []string{"app"}}}
	}
	return []tenterhook.Decision{{Route: "main", Verdict: tenterhook.VerdictType, Detail: "type does not match"}}
}

func (r pushToApp) Route(
	ctx context.Context, e *tenterhook.Event,
) ([]tenterhook.Decision, []tenterhook.Delivery) {
	ds := r.Explain(ctx, e)
	if e.Type != "push" {
		return ds, nil
	}
	return ds, []tenterhook.Delivery{{
		ID: e.ID.Delivery(1), Destination: "app", Route: "main", State: tenterhook.StatePending, NextAt: e.ReceivedAt,
	}}
}

var (
	begin   = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)
	ids     = testIDs()
	push    = ids[0] // delivered to app, dead at deploy
	issue   = ids[1] // nothing took it
	old     = ids[2] // its body was pruned
	binary  = ids[3] // a body that is not UTF-8, on its way to app
	unknown = ids[4]
)

func testIDs() []tenterhook.ID {
	now := begin
	g := tenterhook.NewIDs(func() time.Time { now = now.Add(time.Minute); return now })
	return []tenterhook.ID{g.New(), g.New(), g.New(), g.New(), g.New()}
}

// world is a server on a filled store, and a client of it.
type world struct {
	t      *testing.T
	store  *memory
	feed   *api.Feed
	reload error
	server *httptest.Server
	client *api.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, store: filled(), feed: &api.Feed{}}
	w.server = httptest.NewServer(api.New(w.options()))
	t.Cleanup(w.server.Close)
	t.Cleanup(w.feed.Close)
	var err error
	if w.client, err = api.NewClient(w.server.URL, token, w.server.Client()); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) options() api.Options {
	return api.Options{
		Events: w.store, Deliveries: w.store, Status: w.store, Router: pushToApp{}, Feed: w.feed,
		Config: view, Reload: func(context.Context) error { return w.reload }, Token: token, Version: "v1.2.3",
	}
}

func view() api.View {
	return api.View{
		Sources: []api.Source{{
			Name: "github", Path: "/webhook/github", Provider: "github", Secrets: []string{"env:HUB"},
			OnRedelivery: tenterhook.RedeliveryHeal, MaxBody: 25 << 20,
		}},
		Destinations: []api.Destination{
			{Name: "app", Kind: "http", URL: "https://user:hunter2@example.com/hook?key=hunter2", Secrets: []string{"env:APP"}},
			{Name: "deploy", Kind: "command", Command: []string{"./deploy.sh"}},
		},
		Routes: []api.Route{{Name: "main", From: []string{"github"}, Types: []string{"push"}, To: []string{"app"}}},
	}
}

func filled() *memory {
	event := func(id tenterhook.ID, typ string, body []byte) *store.EventDetail {
		sum := sha256.Sum256(body)
		return &store.EventDetail{EventRow: store.EventRow{
			Event: tenterhook.Event{
				ID: id, Source: "github", Type: typ, DeliveryID: "gh-" + typ, ReceivedAt: id.Time().Add(456 * time.Microsecond),
				Header: http.Header{"X-Github-Event": {typ}}, Body: body,
			},
			Size: int64(len(body)), BodySHA256: hex.EncodeToString(sum[:]),
		}}
	}
	a := event(push, "push", []byte(`{"ref":"refs/heads/main"}`))
	a.Decisions = []tenterhook.Decision{{Route: "main", Verdict: tenterhook.VerdictMatched, To: []string{"app", "deploy"}}}
	a.Deliveries = []tenterhook.Delivery{
		{ID: push.Delivery(1), Destination: "app", Route: "main", State: tenterhook.StateDelivered, Attempts: 1, LastStatus: 200},
		{ID: push.Delivery(2), Destination: "deploy", Route: "main", State: tenterhook.StateDead, Attempts: 1, LastError: "exit status 1"},
	}
	a.EventRow.Deliveries = map[tenterhook.State]int{tenterhook.StateDelivered: 1, tenterhook.StateDead: 1}
	a.EventRow.Redeliveries = 1
	a.Redeliveries = []store.Redelivery{{At: begin, SameBody: true, Requeued: 1}}
	a.Attempts = []tenterhook.Attempt{
		{ID: push.Delivery(1).Attempt(1), StartedAt: begin, Duration: 1500 * time.Microsecond, Outcome: tenterhook.OutcomeSuccess, Status: 200, Response: []byte("ok")},
		{ID: push.Delivery(2).Attempt(1), StartedAt: begin, Outcome: tenterhook.OutcomeRetry, Error: "exit status 1", Status: 1, RetryAfter: time.Second},
	}
	d := event(binary, "push", []byte{0xff, 0x00, 0x1b})
	d.Deliveries = []tenterhook.Delivery{{ID: binary.Delivery(1), Destination: "app", Route: "main", State: tenterhook.StateRetrying, NextAt: begin}}
	d.EventRow.Deliveries = map[tenterhook.State]int{tenterhook.StateRetrying: 1}
	return &memory{
		events:   []*store.EventDetail{a, event(issue, "issues.opened", []byte(`{}`)), event(old, "push", nil), d},
		rejected: []tenterhook.Rejection{{ID: 7, At: begin, Source: "github", Status: 401, Reason: "signature_mismatch", Peer: "192.0.2.1"}},
	}
}

// problem returns the problem that err is, or fails.
func problem(t *testing.T, err error) *api.Problem {
	t.Helper()
	var p *api.Problem
	if !errors.As(err, &p) {
		t.Fatalf("error is %v, want a problem", err)
	}
	return p
}
