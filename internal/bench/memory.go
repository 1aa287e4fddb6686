package bench

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/server"
	"github.com/tenterhook/tenterhook/internal/store"
)

var _ server.Store = (*memory)(nil)

// memory is a store that keeps nothing but what waits, and that only in memory:
// the ceiling of what the code around a store can do. It does not look for
// duplicates.
type memory struct {
	mu      sync.Mutex
	ids     *tenterhook.IDs
	sub     store.Subscriber
	due     []store.Due
	waiting map[tenterhook.ID]*waiting // by event
	failed  chan struct{}              // never closed: it cannot fail
	commits int64
}

// waiting is an event with deliveries that are not finished.
type waiting struct {
	event      *tenterhook.Event
	deliveries []tenterhook.Delivery // by their number - 1
	left       int                   // not finished
}

func newMemory() *memory {
	return &memory{
		ids: tenterhook.NewIDs(nil), waiting: make(map[tenterhook.ID]*waiting), failed: make(chan struct{}),
	}
}

func (m *memory) Accept(
	_ context.Context, e *tenterhook.Event, ds []tenterhook.Delivery, _ tenterhook.OnRedelivery,
) (tenterhook.Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e.ID = m.ids.New()
	m.commits++
	m.due = m.due[:0]
	for i := range ds {
		ds[i].ID = e.ID.Delivery(i + 1)
		m.due = append(m.due, store.Due{Delivery: ds[i], Event: e})
	}
	if len(ds) > 0 {
		m.waiting[e.ID] = &waiting{event: e, deliveries: ds, left: len(ds)}
		if m.sub != nil {
			m.sub.Offer(m.due)
		}
	}
	clear(m.due)
	return tenterhook.Receipt{ID: e.ID}, nil
}

func (m *memory) Record(_ tenterhook.Attempt, d tenterhook.Delivery, done func(error)) {
	m.record(d)
	done(nil)
}

func (m *memory) record(d tenterhook.Delivery) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.commits++
	w := m.waiting[d.ID.Event()]
	if w == nil {
		return
	}
	was := &w.deliveries[d.ID.DeliveryNumber()-1]
	if d.State.Final() && !was.State.Final() {
		w.left--
	}
	*was = d
	if w.left == 0 {
		delete(m.waiting, d.ID.Event())
	}
}

func (m *memory) Subscribe(sub store.Subscriber) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sub = sub
}

// Pending looks through all that waits: the engine asks only when more waits than
// it holds itself.
func (m *memory) Pending(_ context.Context, destination string, after store.Place, limit int) ([]tenterhook.Delivery, error) {
	order := func(a, b tenterhook.Delivery) int { return cmp.Or(a.NextAt.Compare(b.NextAt), a.ID.Compare(b.ID)) }
	last := tenterhook.Delivery{NextAt: after.NextAt, ID: after.ID}
	var page []tenterhook.Delivery
	m.mu.Lock()
	for _, w := range m.waiting {
		for _, d := range w.deliveries {
			if d.Destination == destination && !d.State.Final() && order(d, last) > 0 {
				page = append(page, d)
			}
		}
	}
	m.mu.Unlock()
	slices.SortFunc(page, order)
	return page[:min(limit, len(page))], nil
}

func (m *memory) Event(_ context.Context, id tenterhook.ID) (*tenterhook.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if w := m.waiting[id]; w != nil {
		return w.event, nil
	}
	return nil, store.ErrNotFound
}

func (m *memory) Stats(context.Context) (*store.Stats, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &store.Stats{Pending: make(map[string]int64)}
	for _, w := range m.waiting {
		for _, d := range w.deliveries {
			if !d.State.Final() {
				s.Pending[d.Destination]++
			}
		}
	}
	return s, nil
}

func (m *memory) Commits() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.commits
}

func (m *memory) Failed() <-chan struct{} { return m.failed }
func (m *memory) Err() error              { return nil }
func (m *memory) Close() error            { return nil }

// What follows is what a store does for the API, which a load does not use.

func (m *memory) Reject(tenterhook.Rejection) {}

func (m *memory) Prune(context.Context, store.Retention) (store.Pruned, error) {
	return store.Pruned{}, nil
}

func (m *memory) Events(context.Context, store.EventFilter, store.Page) ([]store.EventRow, error) {
	return nil, nil
}

func (m *memory) EventDetail(context.Context, tenterhook.ID) (*store.EventDetail, error) {
	return nil, store.ErrNotFound
}

func (m *memory) Replay(context.Context, tenterhook.ID, []tenterhook.Delivery) (*store.ReplayResult, error) {
	return nil, store.ErrNotFound
}

func (m *memory) Deliveries(context.Context, store.DeliveryFilter, store.Page) ([]tenterhook.Delivery, error) {
	return nil, nil
}

func (m *memory) Delivery(context.Context, tenterhook.ID) (*tenterhook.Delivery, []tenterhook.Attempt, error) {
	return nil, nil, store.ErrNotFound
}

func (m *memory) Requeue(context.Context, tenterhook.ID) (*tenterhook.Delivery, error) {
	return nil, store.ErrNotFound
}

func (m *memory) Cancel(context.Context, tenterhook.ID) (*tenterhook.Delivery, error) {
	return nil, store.ErrNotFound
}

func (m *memory) Rejections(context.Context, int) ([]tenterhook.Rejection, error) { return nil, nil }
