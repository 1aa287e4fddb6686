package deliver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tenterhook/tenterhook"
)

// A model is a store in memory that keeps the contract of [Store]: one writer
// that groups what waits, commits it, and tells the engine in order. It watches
// that the engine keeps its side.
type model struct {
	mu        sync.Mutex
	rows      map[tenterhook.ID]tenterhook.Delivery
	events    map[tenterhook.ID]*tenterhook.Event
	attempts  map[tenterhook.ID]tenterhook.Attempt
	queued    []func() func() // each applies an operation and returns what to tell the engine
	telling   bool            // between a commit and the end of telling
	engine    *Engine
	offerBody bool
	commit    func() time.Duration // how long a commit takes
	pause     func() time.Duration // how long a read takes, before and after its moment
	readErr   func() error
	reads     int
	faults    []string

	work chan struct{}
	done sync.WaitGroup
}

func noPause() time.Duration { return 0 }

func newModel() *model {
	return &model{
		rows: map[tenterhook.ID]tenterhook.Delivery{}, events: map[tenterhook.ID]*tenterhook.Event{},
		attempts: map[tenterhook.ID]tenterhook.Attempt{}, offerBody: true,
		commit: noPause, pause: noPause, readErr: func() error { return nil },
		work: make(chan struct{}, 1),
	}
}

// open starts the writer; the caller must close the model.
func (m *model) open() {
	m.done.Go(func() {
		for range m.work {
			m.write()
		}
	})
}

func (m *model) close() {
	close(m.work)
	m.done.Wait()
}

// write commits what waits, in the fake time of synctest.
func (m *model) write() {
	for {
		time.Sleep(m.commit())
		m.mu.Lock()
		group := m.queued
		m.queued = nil
		if len(group) == 0 {
			m.mu.Unlock()
			return
		}
		tell := make([]func(), 0, len(group))
		for _, apply := range group {
			tell = append(tell, apply())
		}
		m.telling = true
		m.mu.Unlock()
		for _, t := range tell {
			if t != nil {
				t()
			}
		}
		m.mu.Lock()
		m.telling = false
		m.mu.Unlock()
	}
}

func (m *model) submit(op func() func()) {
	m.mu.Lock()
	m.queued = append(m.queued, op)
	m.mu.Unlock()
	select {
	case m.work <- struct{}{}:
	default:
	}
}

func (m *model) fault(format string, args ...any) {
	m.faults = append(m.faults, fmt.Sprintf(format, args...))
}

func (m *model) accept(d tenterhook.Delivery, e *tenterhook.Event) {
	m.submit(func() func() {
		m.rows[d.ID] = d
		m.events[e.ID] = e
		return m.offer(d)
	})
}

// offer returns what tells the engine about d. m.mu must be held.
func (m *model) offer(d tenterhook.Delivery) func() {
	o := Offer{Delivery: d}
	if m.offerBody {
		o.Event = m.events[d.ID.Event()]
	}
	return func() { m.engine.Offer([]Offer{o}) }
}

func (m *model) requeue(id tenterhook.ID, now time.Time) {
	m.submit(func() func() {
		d := m.rows[id]
		if !d.State.Final() {
			return nil
		}
		d.State, d.Round, d.NextAt = tenterhook.StatePending, 0, now
		m.rows[id] = d
		return m.offer(d)
	})
}

func (m *model) cancel(id tenterhook.ID) {
	m.submit(func() func() {
		d := m.rows[id]
		if d.State.Final() {
			return nil
		}
		d.State = tenterhook.StateCancelled
		m.rows[id] = d
		return func() { m.engine.Drop([]tenterhook.ID{id}) }
	})
}

func (m *model) Record(a tenterhook.Attempt, d tenterhook.Delivery, done func(error)) {
	m.submit(func() func() {
		row := m.rows[d.ID]
		if a.ID.Delivery(0) != d.ID || a.ID.AttemptNumber() != row.Attempts+1 || d.Attempts != row.Attempts+1 {
			m.fault("attempt %d of %v recorded after %d", a.ID.AttemptNumber(), d.ID, row.Attempts)
		}
		if row.State == tenterhook.StateDelivered || row.State == tenterhook.StateDead {
			m.fault("%v recorded as %s when it was %s", d.ID, d.State, row.State)
		}
		if row.State == tenterhook.StateCancelled && d.State != tenterhook.StateDelivered {
			d.State = tenterhook.StateCancelled
		}
		m.rows[d.ID], m.attempts[a.ID] = d, a
		return func() { done(nil) }
	})
}

func (m *model) Pending(
	ctx context.Context, destination string, after Cursor, limit int,
) ([]tenterhook.Delivery, error) {
	if err := sleep(ctx, m.pause()); err != nil {
		return nil, err
	}
	m.mu.Lock()
	m.reads++
	from := key{at: after.NextAt.UnixMicro(), id: after.ID}
	var page []tenterhook.Delivery
	for _, d := range m.rows {
		if k := keyOf(&d); d.Destination == destination && waits(&d) && from.less(&k) {
			page = append(page, d)
		}
	}
	m.mu.Unlock()
	slices.SortFunc(page, byKey)
	if err := sleep(ctx, m.pause()); err != nil {
		return nil, err
	}
	return page[:min(len(page), limit)], m.readErr()
}

func (m *model) Event(ctx context.Context, id tenterhook.ID) (*tenterhook.Event, error) {
	if err := sleep(ctx, m.pause()); err != nil {
		return nil, err
	}
	if err := m.readErr(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.events[id]
	if !ok {
		return nil, fmt.Errorf("event %s: %w", id, ErrNoEvent)
	}
	return e, nil
}

// row returns a delivery as it stands in the store.
func (m *model) row(id tenterhook.ID) tenterhook.Delivery {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rows[id]
}

func (m *model) count(state tenterhook.State) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, d := range m.rows {
		if d.State == state {
			n++
		}
	}
	return n
}

var errReading = errors.New("disk on fire")

func waits(d *tenterhook.Delivery) bool {
	return d.State == tenterhook.StatePending || d.State == tenterhook.StateRetrying
}

func byKey(a, b tenterhook.Delivery) int {
	return cmp.Or(a.NextAt.Compare(b.NextAt), a.ID.Compare(b.ID))
}

func sleep(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// A destinationFunc is a function as a destination.
type destinationFunc func(context.Context, *tenterhook.Event, *tenterhook.Delivery) tenterhook.Attempt

func (f destinationFunc) Deliver(
	ctx context.Context, e *tenterhook.Event, d *tenterhook.Delivery,
) tenterhook.Attempt {
	return f(ctx, e, d)
}

// answer returns a destination that always answers with outcome, at once.
func answer(outcome tenterhook.Outcome) destinationFunc {
	return func(context.Context, *tenterhook.Event, *tenterhook.Delivery) tenterhook.Attempt {
		return tenterhook.Attempt{Outcome: outcome}
	}
}

// one returns a new event and its only delivery, due now.
func one(ids *tenterhook.IDs, destination, body string) (tenterhook.Delivery, *tenterhook.Event) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	e := &tenterhook.Event{ID: ids.New(), ReceivedAt: now, Body: []byte(body)}
	return tenterhook.Delivery{
		ID: e.ID.Delivery(1), Destination: destination, State: tenterhook.StatePending, NextAt: now,
	}, e
}
