package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/tenterhook/tenterhook"
)

const (
	selectPending = `SELECT ` + deliveryColumns + ` FROM deliveries
		WHERE shard = ?1 AND destination = ?2 AND state <= 1 AND state <= 2 AND (next_at, id) > (?3, ?4)
		ORDER BY next_at, id LIMIT ?5`
	eventColumns = `id, tenant, source, type, delivery_id, received_at, size, sha256, redelivery_of, decisions,
		(SELECT m.marks FROM event_marks m WHERE m.event = events.id)`
	selectEvent = `SELECT ` + eventColumns + `, header, body FROM events WHERE id = ?`
	// The ids of an event's deliveries begin with the 12 bytes that its own does.
	deliveriesOfEvent = `SELECT 1 FROM deliveries d
		WHERE d.id > events.id AND d.id <= CAST(substr(events.id, 1, 12) || x'ffffffff' AS BLOB)`
	selectAttempts = `SELECT id, started_at, duration, outcome, status, error, retry_after, response FROM attempts
		WHERE id > ? AND id <= ? ORDER BY id`
	selectRedeliveries = `SELECT at, same_body, requeued, added FROM redeliveries WHERE event = ? ORDER BY number`
	selectRejections   = `SELECT number, at, source, status, reason, detail, size, sha256, peer, delivery_id FROM rejections
		ORDER BY number DESC LIMIT ?`
	selectStates = `SELECT state, count(*) FROM deliveries WHERE id > ? AND id <= ? GROUP BY state`
	countRepeats = `SELECT count(*) FROM redeliveries WHERE event = ?`
	selectOldest = `SELECT min(next_at) FROM deliveries WHERE shard = ? AND destination = ? AND state <= 2`
	countEvents  = `SELECT coalesce(max(rowid) - min(rowid) + 1, 0) FROM events`
)

// rows runs a query on a connection that only reads.
func (s *SQLite) rows(ctx context.Context, scan func(row []driver.Value) error, query string, args ...any) error {
	rows, err := s.readDB.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // read-only: rows.Err says what matters
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	row := make([]driver.Value, len(columns))
	values := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, v := range values {
			row[i] = v
		}
		if err := scan(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

// list runs a query on a connection that only reads, and returns what scan makes
// of its rows.
func list[T any](
	ctx context.Context, s *SQLite, scan func(row []driver.Value) (*T, error), query string, args ...any,
) (all []T, err error) {
	err = s.rows(ctx, func(row []driver.Value) error {
		one, err := scan(row)
		if err == nil {
			all = append(all, *one)
		}
		return err
	}, query, args...)
	return all, err
}

// A Place is a place in the order in which deliveries are due. The zero Place is
// before all.
type Place struct {
	NextAt time.Time
	ID     tenterhook.ID
}

// Pending returns up to limit deliveries of a destination that are pending or
// retrying, in the order of (NextAt, ID), and after the given place in it.
func (s *SQLite) Pending(ctx context.Context, destination string, after Place, limit int) ([]tenterhook.Delivery, error) {
	ds, err := list(ctx, s, scanDelivery, selectPending, shardOf(destination), destination, micros(after.NextAt), after.ID[:], limit)
	if err != nil {
		return nil, fmt.Errorf("read waiting deliveries of %q: %w", destination, err)
	}
	return ds, nil
}

// Event returns an event with its header and body, which is nil if it was
// pruned. The error wraps [ErrNotFound] if there is no such event.
func (s *SQLite) Event(ctx context.Context, id tenterhook.ID) (*tenterhook.Event, error) {
	row, err := s.event(ctx, id)
	if err != nil {
		return nil, err
	}
	return &row.Event, nil
}

func (s *SQLite) event(ctx context.Context, id tenterhook.ID) (found *EventRow, err error) {
	err = s.rows(ctx, func(row []driver.Value) (err error) {
		found, err = scanEvent(row)
		if err != nil {
			return err
		}
		header, _ := row[11].([]byte) // NULL once pruned
		body, _ := row[12].([]byte)
		if found.Size == 0 {
			body = []byte{} // the driver returns nil for it, as for NULL
		}
		found.Header, found.Body = decodeHeader(header), body
		return nil
	}, selectEvent, id[:])
	if err == nil && found == nil {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", id, err)
	}
	return found, nil
}

// EventDetail returns all that is on record about an event. The error wraps
// [ErrNotFound] if there is no such event.
func (s *SQLite) EventDetail(ctx context.Context, id tenterhook.ID) (*EventDetail, error) {
	row, err := s.event(ctx, id)
	if err != nil {
		return nil, err
	}
	detail := &EventDetail{EventRow: *row}
	if detail.Deliveries, err = list(ctx, s, scanDelivery, selectDeliveries, lo(id), hi(id)); err != nil {
		return nil, fmt.Errorf("deliveries of %s: %w", id, err)
	}
	detail.EventRow.Deliveries = make(map[tenterhook.State]int)
	for _, d := range detail.Deliveries {
		detail.EventRow.Deliveries[d.State]++
	}
	if detail.Attempts, err = s.attempts(ctx, id); err != nil {
		return nil, err
	}
	if detail.Redeliveries, err = list(ctx, s, scanRedelivery, selectRedeliveries, id[:]); err != nil {
		return nil, fmt.Errorf("redeliveries of %s: %w", id, err)
	}
	detail.EventRow.Redeliveries = len(detail.Redeliveries)
	return detail, nil
}

// attempts returns the attempts of an event or of a delivery, oldest first.
func (s *SQLite) attempts(ctx context.Context, of tenterhook.ID) ([]tenterhook.Attempt, error) {
	as, err := list(ctx, s, scanAttempt, selectAttempts, lo(of), hi(of))
	if err != nil {
		return nil, fmt.Errorf("attempts of %s: %w", of, err)
	}
	return as, nil
}

// Events returns events without header and body, newest first.
func (s *SQLite) Events(ctx context.Context, f EventFilter, p Page) ([]EventRow, error) {
	var where clause
	where.page("id", p)
	where.since("id", f.Since)
	where.until("id", f.Until)
	if f.Source != "" {
		where.add("source = ?", f.Source)
	}
	if f.DeliveryID != "" {
		where.add("delivery_id = ?", f.DeliveryID)
	}
	if f.Type != "" {
		where.add("(type = ? OR type GLOB ?)", f.Type, typeGlob(f.Type))
	}
	if f.Unmatched {
		where.add("NOT EXISTS (" + deliveriesOfEvent + ")")
	}
	if f.State != "" {
		state, err := code(states(), f.State)
		if err != nil {
			return nil, err
		}
		where.add("EXISTS ("+deliveriesOfEvent+" AND d.state = ?)", state)
	}
	query := `SELECT ` + eventColumns + ` FROM events` + where.String() + ` ORDER BY id DESC LIMIT ?`
	rows, err := list(ctx, s, scanEvent, query, append(where.args, p.limit())...)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	for i := range rows {
		if err := s.summarize(ctx, &rows[i]); err != nil {
			return nil, fmt.Errorf("list events: %w", err)
		}
	}
	return rows, nil
}

func (s *SQLite) summarize(ctx context.Context, r *EventRow) error {
	r.Deliveries = make(map[tenterhook.State]int)
	err := s.rows(ctx, func(row []driver.Value) error {
		code, _ := row[0].(int64) // the column is NOT NULL
		n, _ := row[1].(int64)    // count(*) is a number
		state, err := decode(states(), code)
		r.Deliveries[state] = int(n)
		return err
	}, selectStates, lo(r.ID), hi(r.ID))
	if err != nil {
		return err
	}
	return s.readDB.QueryRowContext(ctx, countRepeats, r.ID[:]).Scan(&r.Redeliveries)
}

// typeGlob turns a type pattern into SQLite's: * is any run of characters, and a
// pattern without one also takes what is below it.
func typeGlob(pattern string) string {
	if !strings.Contains(pattern, "*") {
		pattern += ".*"
	}
	return strings.NewReplacer("[", "[[]", "?", "[?]").Replace(pattern)
}

// Deliveries returns deliveries, newest event first.
func (s *SQLite) Deliveries(ctx context.Context, f DeliveryFilter, p Page) ([]tenterhook.Delivery, error) {
	var where clause
	where.page("id", p)
	where.since("id", f.Since)
	where.until("id", f.Until)
	if !f.Event.IsZero() {
		where.add("id > ? AND id <= ?", lo(f.Event), hi(f.Event))
	}
	if f.Destination != "" {
		where.add("destination = ?", f.Destination)
	}
	if f.State != "" {
		state, err := code(states(), f.State)
		if err != nil {
			return nil, err
		}
		where.add(fmt.Sprintf("state = %d", state)) // written out, so that the partial indexes are used
	}
	query := `SELECT ` + deliveryColumns + ` FROM deliveries` + where.String() + ` ORDER BY id DESC LIMIT ?`
	ds, err := list(ctx, s, scanDelivery, query, append(where.args, p.limit())...)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	return ds, nil
}

// Delivery returns a delivery and its attempts, oldest first. The error wraps
// [ErrNotFound] if there is no such delivery.
func (s *SQLite) Delivery(ctx context.Context, id tenterhook.ID) (*tenterhook.Delivery, []tenterhook.Attempt, error) {
	var d *tenterhook.Delivery
	err := s.rows(ctx, func(row []driver.Value) (err error) {
		d, err = scanDelivery(row)
		return err
	}, selectDelivery, id[:])
	if err == nil && d == nil {
		err = ErrNotFound
	}
	if err != nil {
		return nil, nil, fmt.Errorf("delivery %s: %w", id, err)
	}
	attempts, err := s.attempts(ctx, id)
	return d, attempts, err
}

// Rejections returns the newest rejections, newest first.
func (s *SQLite) Rejections(ctx context.Context, limit int) ([]tenterhook.Rejection, error) {
	rs, err := list(ctx, s, scanRejection, selectRejections, Page{Limit: limit}.limit())
	if err != nil {
		return nil, fmt.Errorf("list rejections: %w", err)
	}
	return rs, nil
}

// Stats returns counts over the whole store. It costs little however much is
// stored.
func (s *SQLite) Stats(ctx context.Context) (*Stats, error) {
	st := &Stats{OldestDue: make(map[string]time.Time)}
	st.Pending, st.Dead = s.counts.snapshot()
	for destination := range st.Pending {
		var at sql.NullInt64
		if err := s.readDB.QueryRowContext(ctx, selectOldest, shardOf(destination), destination).Scan(&at); err != nil {
			return nil, fmt.Errorf("oldest delivery of %q: %w", destination, err)
		}
		if at.Valid {
			st.OldestDue[destination] = fromMicros(at.Int64)
		}
	}
	if err := s.readDB.QueryRowContext(ctx, countEvents).Scan(&st.Events); err != nil {
		return nil, fmt.Errorf("count events: %w", err)
	}
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(s.path + suffix); err == nil {
			st.Bytes += info.Size()
		}
	}
	return st, nil
}

// clause gathers the conditions of a WHERE.
type clause struct {
	terms []string
	args  []any
}

func (c *clause) add(term string, args ...any) {
	c.terms = append(c.terms, term)
	c.args = append(c.args, args...)
}

func (c *clause) page(column string, p Page) {
	if !p.Before.IsZero() {
		c.add(column+" < ?", p.Before[:])
	}
}

// since and until use that ids begin with the time of acceptance, which is at
// or after the time of receipt, by less than a second.
func (c *clause) since(column string, t time.Time) {
	if !t.IsZero() {
		id := firstIDAt(t)
		c.add(column+" >= ?", id[:])
	}
}

func (c *clause) until(column string, t time.Time) {
	if !t.IsZero() {
		id := firstIDAt(t)
		c.add(column+" < ?", id[:])
	}
}

func (c *clause) String() string {
	if len(c.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.terms, " AND ")
}

func (p Page) limit() int {
	if p.Limit <= 0 {
		return DefaultPage
	}
	return min(p.Limit, MaxPage)
}
