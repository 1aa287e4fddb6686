package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/tenterhook/tenterhook"
)

// deliveryColumns are what scanDelivery reads.
const deliveryColumns = `id, tenant, destination, route, state, attempts, round, next_at, updated_at, last_status, last_error`

const (
	selectDelivery   = `SELECT ` + deliveryColumns + ` FROM deliveries WHERE id = ?`
	selectDeliveries = `SELECT ` + deliveryColumns + ` FROM deliveries WHERE id > ? AND id <= ? ORDER BY id`
	requeueDelivery  = `UPDATE deliveries SET state = 0, round = 0, next_at = ?2, updated_at = ?2 WHERE id = ?1`
	cancelDelivery   = `UPDATE deliveries SET state = 5, next_at = 0, updated_at = ?2 WHERE id = ?1`
	eventExists      = `SELECT count(*) FROM events WHERE id = ?`
	insertRejection  = `INSERT OR REPLACE INTO rejections
		(slot, number, at, source, status, reason, detail, size, sha256, peer, delivery_id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
)

// A StateError means that a delivery's state does not allow what was asked.
type StateError struct {
	ID    tenterhook.ID
	State tenterhook.State // the state it is in
	Want  string           // what it should have been, for people
}

// Error says what it is and what it should have been.
func (e *StateError) Error() string {
	return fmt.Sprintf("delivery %s is %s, not %s", e.ID, e.State, e.Want)
}

// A ReplayResult says what a replay set off.
type ReplayResult struct {
	Requeued []tenterhook.Delivery // were there, and are tried again
	Added    []tenterhook.Delivery // are new
	Waiting  []tenterhook.Delivery // still wait, or have no attempts to spare, and are left alone
}

// action is a write that a caller waits for.
type action struct {
	do   func(w *writer) error
	done chan error
}

func (*action) size() int               { return 0 }
func (*action) patient() bool           { return false }
func (a *action) apply(w *writer) error { return a.do(w) }
func (a *action) finish(err error)      { a.done <- err }

// do does a write and waits for it.
func (s *SQLite) do(ctx context.Context, do func(w *writer) error) error {
	a := &action{do: do, done: make(chan error, 1)}
	if err := s.queue.put(a); err != nil {
		return err
	}
	select {
	case err := <-a.done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Requeue has a delivery in a final state tried again, now and with all of its
// retries. Errors: [ErrNotFound], *[StateError] if it waits as it is, and those
// of [SQLite.Accept].
func (s *SQLite) Requeue(ctx context.Context, id tenterhook.ID) (*tenterhook.Delivery, error) {
	var d *tenterhook.Delivery
	err := s.do(ctx, func(w *writer) (err error) {
		if d, err = w.delivery(id); err != nil {
			return err
		}
		if !d.State.Final() || d.Attempts >= tenterhook.MaxAttempts {
			return &StateError{ID: id, State: d.State, Want: "final, with attempts to spare"}
		}
		d, err = w.requeue(id, s.opts.Now())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("retry delivery: %w", err)
	}
	return d, nil
}

// Cancel stops a delivery that waits. Errors: [ErrNotFound], *[StateError] if it
// does not wait, and those of [SQLite.Accept].
func (s *SQLite) Cancel(ctx context.Context, id tenterhook.ID) (*tenterhook.Delivery, error) {
	var d *tenterhook.Delivery
	err := s.do(ctx, func(w *writer) (err error) {
		if d, err = w.delivery(id); err != nil {
			return err
		}
		if d.State.Final() {
			return &StateError{ID: id, State: d.State, Want: "waiting"}
		}
		d.State, d.NextAt, d.UpdatedAt = tenterhook.StateCancelled, time.Time{}, s.opts.Now().UTC()
		if _, err := w.exec(cancelDelivery, id[:], micros(d.UpdatedAt)); err != nil {
			return err
		}
		w.changed = true
		w.dropped = append(w.dropped, id)
		w.deltas = append(w.deltas, delta{destination: d.Destination, waiting: -1})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cancel delivery: %w", err)
	}
	return d, nil
}

// Replay has the event delivered again, as ds say: a destination that has a
// delivery of it gets that one tried again, any other a new one. Deliveries that
// still wait are left alone. Only Destination, Route and Tenant of ds are used.
// Errors: [ErrNotFound] and those of [SQLite.Accept].
func (s *SQLite) Replay(ctx context.Context, event tenterhook.ID, ds []tenterhook.Delivery) (*ReplayResult, error) {
	var result *ReplayResult
	err := s.do(ctx, func(w *writer) (err error) {
		result, err = w.replay(event.Event(), ds, s.opts.Now())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("replay event: %w", err)
	}
	return result, nil
}

func (w *writer) replay(event tenterhook.ID, ds []tenterhook.Delivery, now time.Time) (*ReplayResult, error) {
	found, err := w.int(eventExists, event[:])
	if err != nil {
		return nil, err
	}
	if found == 0 {
		return nil, fmt.Errorf("event %s: %w", event, ErrNotFound)
	}
	there := make(map[string]*tenterhook.Delivery)
	last := 0
	err = w.query(selectDeliveries, func(row []driver.Value) error {
		d, err := scanDelivery(row)
		if err == nil {
			there[d.Destination] = d
			last = d.ID.DeliveryNumber()
		}
		return err
	}, lo(event), hi(event))
	if err != nil {
		return nil, err
	}
	result := &ReplayResult{}
	for _, want := range ds {
		have := there[want.Destination]
		switch {
		case have == nil:
			if last++; last > tenterhook.MaxDeliveries {
				return nil, fmt.Errorf("event %s has %d deliveries, no more are possible", event, tenterhook.MaxDeliveries)
			}
			d := tenterhook.Delivery{ID: event.Delivery(last), Tenant: want.Tenant, Destination: want.Destination,
				Route: want.Route, State: tenterhook.StatePending, NextAt: now.UTC(), UpdatedAt: now.UTC()}
			if err := w.addDelivery(&d, nil); err != nil {
				return nil, err
			}
			result.Added = append(result.Added, d)
		case !have.State.Final() || have.Attempts >= tenterhook.MaxAttempts:
			result.Waiting = append(result.Waiting, *have)
		default:
			d, err := w.requeue(have.ID, now)
			if err != nil {
				return nil, err
			}
			result.Requeued = append(result.Requeued, *d)
		}
	}
	return result, nil
}

// Reject puts a refused request on record. The ring of rejections is of fixed
// size; the newest takes the place of the oldest. Reject does not wait, and a
// rejection is lost if the store cannot take it.
func (s *SQLite) Reject(r tenterhook.Rejection) {
	_ = s.queue.put(&action{done: make(chan error, 1), do: func(w *writer) error { // lost if closed: see above
		number := w.ring + 1
		_, err := w.exec(insertRejection, number%s.opts.RejectionRing, number, micros(r.At), r.Source, int64(r.Status),
			r.Reason, r.Detail, r.Size, r.BodySHA256, r.Peer, r.DeliveryID)
		if err == nil {
			w.ring = number
		}
		return err
	}})
}

// requeue has the delivery tried again from now on, with all its retries.
func (w *writer) requeue(id tenterhook.ID, now time.Time) (*tenterhook.Delivery, error) {
	d, err := w.delivery(id)
	if err != nil {
		return nil, err
	}
	if _, err := w.exec(requeueDelivery, id[:], micros(now)); err != nil {
		return nil, fmt.Errorf("requeue delivery: %w", err)
	}
	change := delta{destination: d.Destination, waiting: 1}
	if d.State == tenterhook.StateDead {
		change.dead = -1
	}
	w.deltas = append(w.deltas, change)
	d.State, d.Round, d.NextAt, d.UpdatedAt = tenterhook.StatePending, 0, fromMicros(micros(now)), fromMicros(micros(now))
	w.changed = true
	w.due = append(w.due, Due{Delivery: *d})
	return d, nil
}

func (w *writer) delivery(id tenterhook.ID) (d *tenterhook.Delivery, err error) {
	err = w.query(selectDelivery, func(row []driver.Value) (err error) {
		d, err = scanDelivery(row)
		return err
	}, id[:])
	if err == nil && d == nil {
		err = fmt.Errorf("delivery %s: %w", id, ErrNotFound)
	}
	return d, err
}
