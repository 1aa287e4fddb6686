package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/tenterhook/tenterhook"
)

// Retention says how long what is finished is kept. What still waits is kept
// whatever its age.
type Retention struct {
	Bodies time.Duration // headers and bodies; 0 keeps them
	Events time.Duration // the rows of events, deliveries and attempts; 0 keeps them
}

// pruneStep bounds the rows of one step, so that what arrives meanwhile waits
// for a few milliseconds at the most.
const pruneStep = 100

const (
	selectPrunable       = `SELECT id FROM events WHERE id > ? AND id < ? ORDER BY id LIMIT ?`
	selectPrunableBodies = `SELECT id FROM events WHERE id > ? AND id < ? AND body IS NOT NULL ORDER BY id LIMIT ?`
	selectWaiting        = `SELECT count(*) FROM deliveries WHERE id > ? AND id <= ? AND state <= 2`
	selectDeadByName     = `SELECT destination, count(*) FROM deliveries WHERE id > ? AND id <= ? AND state = 4 GROUP BY destination`
	pruneBody            = `UPDATE events SET header = NULL, body = NULL WHERE id = ?`
	pruneEvent           = `DELETE FROM events WHERE id = ?`
	pruneDeliveries      = `DELETE FROM deliveries WHERE id > ? AND id <= ?`
	pruneAttempts        = `DELETE FROM attempts WHERE id > ? AND id <= ?`
	pruneMarks           = `DELETE FROM event_marks WHERE event = ?`
	pruneRedeliveries    = `DELETE FROM redeliveries WHERE event = ?`
)

// Pruned counts what a call of Prune removed.
type Pruned struct {
	Bodies int
	Events int
}

// Prune removes what is older than r allows, in small steps between which others
// write. It returns when nothing more is to be removed, or with ctx's cause.
func (s *SQLite) Prune(ctx context.Context, r Retention) (Pruned, error) {
	var p Pruned
	var err error
	if r.Events > 0 {
		p.Events, err = s.pruneAll(ctx, selectPrunable, r.Events, (*writer).pruneEvent)
		if err != nil {
			return p, fmt.Errorf("prune events: %w", err)
		}
	}
	if r.Bodies > 0 {
		p.Bodies, err = s.pruneAll(ctx, selectPrunableBodies, r.Bodies, (*writer).pruneBody)
		if err != nil {
			return p, fmt.Errorf("prune bodies: %w", err)
		}
	}
	if err := s.pruneRuns(ctx); err != nil {
		return p, fmt.Errorf("prune delivery ids: %w", err)
	}
	return p, nil
}

// pruneAll finds events with query, on a connection that only reads, and has the
// writer prune those of which no delivery waits. It returns how many they were.
func (s *SQLite) pruneAll(ctx context.Context, query string, age time.Duration, prune func(*writer, tenterhook.ID) error) (int, error) {
	before := firstIDAt(s.opts.Now().Add(-age))
	after, total := tenterhook.ID{}, 0
	for {
		var ids []tenterhook.ID
		err := s.rows(ctx, func(row []driver.Value) error {
			id, err := scanID(row[0])
			ids = append(ids, id)
			return err
		}, query, after[:], before[:], pruneStep)
		if err != nil || len(ids) == 0 {
			return total, err
		}
		pruned := 0
		err = s.do(ctx, func(w *writer) error {
			pruned = 0
			for _, id := range ids {
				waiting, err := w.int(selectWaiting, lo(id), hi(id))
				if err != nil {
					return err
				}
				if waiting > 0 {
					continue
				}
				if err := prune(w, id); err != nil {
					return err
				}
				pruned++
			}
			return nil
		})
		if err != nil {
			return total, err
		}
		total += pruned
		after = ids[len(ids)-1]
	}
}

func (w *writer) pruneBody(id tenterhook.ID) error {
	_, err := w.exec(pruneBody, id[:])
	return err
}

// pruneEvent removes all that belongs to an event.
func (w *writer) pruneEvent(id tenterhook.ID) error {
	err := w.query(selectDeadByName, func(row []driver.Value) error {
		name, _ := row[0].(string) // the column is NOT NULL
		n, _ := row[1].(int64)     // count(*) is a number
		w.deltas = append(w.deltas, delta{destination: name, dead: -n})
		return nil
	}, lo(id), hi(id))
	if err != nil {
		return err
	}
	for _, query := range []string{pruneAttempts, pruneDeliveries} {
		if _, err := w.exec(query, lo(id), hi(id)); err != nil {
			return err
		}
	}
	for _, query := range []string{pruneRedeliveries, pruneMarks, pruneEvent} {
		if _, err := w.exec(query, id[:]); err != nil {
			return err
		}
	}
	return nil
}

// pruneRuns drops the runs of delivery ids that are older than the window.
func (s *SQLite) pruneRuns(ctx context.Context) error {
	before := firstIDAt(s.opts.Now().Add(-s.opts.DedupeWindow))
	for {
		more := false
		err := s.do(ctx, func(w *writer) error {
			more = false
			if len(w.dedupe.runs) == 0 || w.dedupe.runs[0].newest.Compare(before) >= 0 {
				return nil
			}
			more = true
			run := w.dedupe.runs[0].number
			n, err := w.exec(deleteKeys, run, int64(pruneStep*10))
			if err != nil || n > 0 {
				return err
			}
			w.dedupe.dropRun = true
			_, err = w.exec(deleteRun, run)
			return err
		})
		if err != nil || !more {
			return err
		}
	}
}
