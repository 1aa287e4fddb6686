package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"fmt"

	"github.com/tenterhook/tenterhook"
)

const (
	insertEvent = `INSERT INTO events
		(id, tenant, source, type, delivery_id, received_at, size, sha256, redelivery_of, decisions, header, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	insertDelivery = `INSERT INTO deliveries
		(id, tenant, shard, destination, route, state, attempts, round, next_at, updated_at, last_status, last_error)
		VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?, ?, 0, '')`
	// At most 100 are kept, the last of them the latest: a request that is sent
	// for ever must not fill the disk.
	insertRedelivery = `INSERT OR REPLACE INTO redeliveries (event, number, at, same_body, requeued, added)
		SELECT ?1, min(count(*) + 1, 100), ?2, ?3, ?4, ?5 FROM redeliveries WHERE event = ?1`
	insertMarks     = `INSERT INTO event_marks (event, marks) VALUES (?, ?)`
	countDeliveries = `SELECT count(*) FROM deliveries WHERE id > ? AND id <= ?`
	selectDead      = `SELECT id FROM deliveries WHERE id > ? AND id <= ? AND state = 4`
)

// Accept makes e and its deliveries durable, or finds that e is a duplicate: an
// event with the same tenant, source and delivery id was accepted before. What
// then happens to the first event is up to on. Accept returns once the outcome
// is on stable storage. It gives e and ds their ids, in the order of commits;
// they must not be changed afterwards.
//
// Errors: [ErrUnavailable] while the disk is full, [ErrFailed], [ErrClosed], or
// ctx's cause if it ends first; the event may then be accepted all the same.
func (s *SQLite) Accept(
	ctx context.Context, e *tenterhook.Event, ds []tenterhook.Delivery, on tenterhook.OnRedelivery,
) (tenterhook.Receipt, error) {
	a := &accept{event: e, deliveries: ds, on: on, done: make(chan error, 1)}
	a.sha = sha256.Sum256(e.Body)
	a.header = encodeHeader(e.Header)
	var err error
	if a.decisions, err = encodeDecisions(e.Decisions); err != nil {
		return tenterhook.Receipt{}, err
	}
	if a.marks, err = encodeMarks(e.Marks); err != nil {
		return tenterhook.Receipt{}, err
	}
	if len(ds) > tenterhook.MaxDeliveries {
		return tenterhook.Receipt{}, fmt.Errorf("accept event: %d deliveries, at most %d are possible", len(ds), tenterhook.MaxDeliveries)
	}
	if err := s.queue.put(a); err != nil {
		return tenterhook.Receipt{}, fmt.Errorf("accept event: %w", err)
	}
	select {
	case err := <-a.done:
		if err != nil {
			return tenterhook.Receipt{}, fmt.Errorf("accept event: %w", err)
		}
		return a.receipt, nil
	case <-ctx.Done():
		return tenterhook.Receipt{}, fmt.Errorf("accept event: %w", context.Cause(ctx))
	}
}

// accept is the write behind Accept.
type accept struct {
	event      *tenterhook.Event
	deliveries []tenterhook.Delivery
	on         tenterhook.OnRedelivery
	sha        [sha256.Size]byte
	header     []byte
	decisions  string
	marks      string // empty if there are none

	receipt tenterhook.Receipt
	done    chan error
}

func (a *accept) size() int        { return len(a.event.Body) + len(a.header) }
func (a *accept) patient() bool    { return false }
func (a *accept) finish(err error) { a.done <- err }

func (a *accept) apply(w *writer) error {
	e := a.event
	e.ID = w.ids.New()
	a.receipt = tenterhook.Receipt{ID: e.ID}
	var redeliveryOf driver.Value
	if e.DeliveryID != "" {
		key := dedupeKey(e.Tenant, e.Source, e.DeliveryID)
		first, known, err := w.first(key, e)
		switch {
		case err != nil:
			return fmt.Errorf("look for a duplicate: %w", err)
		case known && a.on != tenterhook.RedeliveryProcess:
			return a.redelivered(w, first)
		case known:
			redeliveryOf = first.id[:]
		default:
			w.dedupe.add(key, e.ID)
		}
	}
	if _, err := w.exec(insertEvent, e.ID[:], e.Tenant, e.Source, e.Type, e.DeliveryID, micros(e.ReceivedAt),
		int64(len(e.Body)), a.sha[:], redeliveryOf, a.decisions, a.header, nonNil(e.Body)); err != nil {
		return fmt.Errorf("insert event: %w", err)
	}
	if a.marks != "" {
		if _, err := w.exec(insertMarks, e.ID[:], a.marks); err != nil {
			return fmt.Errorf("insert marks: %w", err)
		}
	}
	for i := range a.deliveries {
		a.deliveries[i].ID = e.ID.Delivery(i + 1)
		if err := w.addDelivery(&a.deliveries[i], e); err != nil {
			return err
		}
	}
	return nil
}

// redelivered records the request on the first event and, to heal it, sets off
// what had failed for good and routes it if no route had taken it.
func (a *accept) redelivered(w *writer, first firstEvent) error {
	a.receipt = tenterhook.Receipt{ID: first.id, Duplicate: true}
	if a.on == tenterhook.RedeliveryHeal {
		if err := a.heal(w, first.id); err != nil {
			return err
		}
	}
	_, err := w.exec(insertRedelivery, first.id[:], micros(a.event.ReceivedAt), boolean(bytes.Equal(first.sha, a.sha[:])),
		int64(a.receipt.Requeued), int64(a.receipt.Added))
	if err != nil {
		return fmt.Errorf("record redelivery: %w", err)
	}
	return nil
}

func (a *accept) heal(w *writer, event tenterhook.ID) error {
	count, err := w.int(countDeliveries, lo(event), hi(event))
	if err != nil {
		return fmt.Errorf("count deliveries: %w", err)
	}
	if count > 0 {
		a.receipt.Requeued, err = a.requeueDead(w, event)
		return err
	}
	for i, d := range a.deliveries {
		d.ID = event.Delivery(i + 1)
		if err := w.addDelivery(&d, nil); err != nil {
			return err
		}
		a.receipt.Added++
	}
	return nil
}

func (a *accept) requeueDead(w *writer, event tenterhook.ID) (int, error) {
	var dead []tenterhook.ID
	err := w.query(selectDead, func(row []driver.Value) error {
		id, err := scanID(row[0])
		dead = append(dead, id)
		return err
	}, lo(event), hi(event))
	if err != nil {
		return 0, fmt.Errorf("find dead deliveries: %w", err)
	}
	for _, id := range dead {
		if _, err := w.requeue(id, a.event.ReceivedAt); err != nil {
			return 0, err
		}
	}
	return len(dead), nil
}

// addDelivery inserts a delivery that waits, and has it offered after the commit.
func (w *writer) addDelivery(d *tenterhook.Delivery, e *tenterhook.Event) error {
	state, err := code(states(), d.State)
	if err != nil {
		return err
	}
	at := micros(d.NextAt)
	if _, err := w.exec(insertDelivery, d.ID[:], d.Tenant, shardOf(d.Destination), d.Destination, d.Route,
		state, at, at); err != nil {
		return fmt.Errorf("insert delivery: %w", err)
	}
	w.due = append(w.due, Due{Delivery: *d, Event: e})
	w.deltas = append(w.deltas, delta{destination: d.Destination, waiting: 1})
	return nil
}

// lo and hi bound the ids of the deliveries of an event, or of the attempts of a
// delivery: id > lo and id <= hi.
func lo(id tenterhook.ID) []byte { return id[:] }

func hi(id tenterhook.ID) []byte {
	if id.DeliveryNumber() == 0 {
		id = id.Delivery(tenterhook.MaxDeliveries)
	}
	id = id.Attempt(tenterhook.MaxAttempts)
	return id[:]
}

// int runs a query that returns one number.
func (w *writer) int(query string, args ...driver.Value) (n int64, err error) {
	err = w.query(query, func(row []driver.Value) error {
		var ok bool
		if n, ok = row[0].(int64); !ok {
			return fmt.Errorf("want a number, got %T", row[0])
		}
		return nil
	}, args...)
	return n, err
}

func boolean(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// nonNil keeps an empty body apart from a pruned one, which is NULL.
func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
