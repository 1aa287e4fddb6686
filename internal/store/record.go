package store

import (
	"database/sql/driver"
	"fmt"

	"github.com/tenterhook/tenterhook"
)

const (
	insertAttempt = `INSERT INTO attempts (id, started_at, duration, outcome, status, error, retry_after, response)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	// A delivery that was cancelled meanwhile stays so, unless it got there.
	updateDelivery = `UPDATE deliveries SET
		state = ?2, attempts = ?3, round = ?4, next_at = ?5, updated_at = ?6, last_status = ?7, last_error = ?8
		WHERE id = ?1 AND (state <= 2 OR ?2 = 3)`
)

// Record appends attempt a and moves its delivery to where d says it stands, in
// one transaction. It returns at once. done is called when both are on stable
// storage, or with [ErrFailed] or [ErrClosed] when they never will be; a full
// disk only delays it. done is called by the writer's goroutine and must not
// block.
func (s *SQLite) Record(a tenterhook.Attempt, d tenterhook.Delivery, done func(error)) {
	if err := s.queue.put(&record{attempt: a, delivery: d, done: done}); err != nil {
		done(fmt.Errorf("record attempt: %w", err))
	}
}

// record is the write behind Record.
type record struct {
	attempt  tenterhook.Attempt
	delivery tenterhook.Delivery
	done     func(error)
}

func (r *record) size() int        { return len(r.attempt.Response) }
func (r *record) patient() bool    { return true }
func (r *record) finish(err error) { r.done(err) }

func (r *record) apply(w *writer) error {
	a, d := &r.attempt, &r.delivery
	outcome, err := code(outcomes(), a.Outcome)
	if err != nil {
		return err
	}
	state, err := code(states(), d.State)
	if err != nil {
		return err
	}
	var response driver.Value
	if len(a.Response) > 0 {
		response = a.Response
	}
	if _, err := w.exec(insertAttempt, a.ID[:], micros(a.StartedAt), a.Duration.Microseconds(), outcome, int64(a.Status),
		a.Error, a.RetryAfter.Microseconds(), response); err != nil {
		return fmt.Errorf("insert attempt: %w", err)
	}
	next := micros(d.NextAt)
	if d.State.Final() {
		next = 0
	}
	n, err := w.exec(updateDelivery, d.ID[:], state, int64(d.Attempts), int64(d.Round), next,
		micros(d.UpdatedAt), int64(d.LastStatus), d.LastError)
	if err != nil {
		return fmt.Errorf("update delivery: %w", err)
	}
	if n == 1 && d.State.Final() {
		change := delta{destination: d.Destination, waiting: -1}
		if d.State == tenterhook.StateDead {
			change.dead = 1
		}
		w.deltas = append(w.deltas, change)
	}
	return nil
}
