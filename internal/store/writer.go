package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tenterhook/tenterhook"
)

// Bounds of one transaction. They keep a commit short and its memory small.
const (
	maxGroupWrites = 1024
	maxGroupBytes  = 8 << 20
	// recordDelay is how long the results of attempts wait for an event to share
	// a transaction with: nobody waits for them, and at low rates it halves the
	// number of fsyncs. enoughRecords of them do not wait.
	recordDelay   = 10 * time.Millisecond
	enoughRecords = 128
	// gatherDelay is how long a busy writer waits for more, so that the cost of a
	// commit is shared by more of those that wait. It is busy if its last
	// transaction took in at least busyGroup events or actions.
	gatherDelay = time.Millisecond
	busyGroup   = 8
	// fullPause is how long the writer rests between tries while the disk is full.
	fullPause = 100 * time.Millisecond
)

// A write is one unit of work for the writer. Its methods are called by the
// writer's goroutine and must not block.
type write interface {
	// size is about how many bytes the write adds to the transaction.
	size() int
	// patient reports whether the write waits for space on a full disk; one that
	// is not fails with ErrUnavailable.
	patient() bool
	// apply does the work inside a transaction. It may be called again, after a
	// rollback, and must then do the same.
	apply(w *writer) error
	// finish says that the write is durable, or why it failed for good.
	finish(err error)
}

// A Due is a delivery that waits to be tried, with its event if that is at hand.
type Due struct {
	Delivery tenterhook.Delivery
	Event    *tenterhook.Event // nil if it must be read
}

// A Subscriber is told of committed changes by the writer's goroutine, in commit
// order and before the next transaction begins. It must not block.
type Subscriber interface {
	// Offer is called with deliveries that now wait. The slice is the store's and
	// is used again after the call.
	Offer(due []Due)
	// Drop is called with the ids of deliveries that no longer wait.
	Drop(ids []tenterhook.ID)
}

// queue holds writes until the writer takes them.
type queue struct {
	mu     sync.Mutex
	writes []write
	urgent int // how many of writes somebody waits for
	closed error
	wake   chan struct{} // holds a token while writes is not empty or closed is set
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

func (q *queue) put(w write) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed != nil {
		return q.closed
	}
	q.writes = append(q.writes, w)
	if !w.patient() {
		q.urgent++
	}
	q.signal()
	return nil
}

// length returns how many writes wait, and how many of them somebody waits for.
func (q *queue) length() (all, urgent int, closed error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.writes), q.urgent, q.closed
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// close makes put return err from now on.
func (q *queue) close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed == nil {
		q.closed = err
	}
	q.signal()
}

// take moves up to one group of writes into group.
func (q *queue) take(group []write) (_ []write, closed error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, bytes := 0, 0
	for n < len(q.writes) && n < maxGroupWrites && (n == 0 || bytes+q.writes[n].size() <= maxGroupBytes) {
		bytes += q.writes[n].size()
		n++
	}
	group = append(group, q.writes[:n]...)
	for _, w := range q.writes[:n] {
		if !w.patient() {
			q.urgent--
		}
	}
	rest := copy(q.writes, q.writes[n:])
	clear(q.writes[rest:])
	q.writes = q.writes[:rest]
	if rest > 0 {
		q.signal()
	}
	return group, q.closed
}

// writer owns the only connection that writes.
type writer struct {
	conn  driver.Conn
	stmts map[string]driver.Stmt
	args  []driver.NamedValue

	ids    *tenterhook.IDs
	dedupe dedupe
	counts *counts
	ring   int64 // number of the last rejection on record

	// What the transaction under way will report once it is committed.
	due     []Due
	dropped []tenterhook.ID
	deltas  []delta
	marks   []mark // after each write
	changed bool   // it changes deliveries that were there before
}

// mark is how much there is to report after a write.
type mark struct{ due, dropped int }

func newWriter(conn driver.Conn) *writer {
	return &writer{
		conn:  conn,
		stmts: make(map[string]driver.Stmt),
	}
}

// prepared returns a statement, which is prepared at its first use.
func (w *writer) prepared(query string) (driver.Stmt, error) {
	if stmt, ok := w.stmts[query]; ok {
		return stmt, nil
	}
	stmt, err := w.conn.Prepare(query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	w.stmts[query] = stmt
	return stmt, nil
}

// exec runs a statement and returns how many rows it changed.
func (w *writer) exec(query string, args ...driver.Value) (int64, error) {
	prepared, err := w.prepared(query)
	if err != nil {
		return 0, err
	}
	stmt, ok := prepared.(driver.StmtExecContext)
	if !ok {
		return 0, errDriver
	}
	result, err := stmt.ExecContext(context.Background(), w.named(args))
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// query runs a statement and calls scan with the columns of each row.
func (w *writer) query(query string, scan func(row []driver.Value) error, args ...driver.Value) error {
	prepared, err := w.prepared(query)
	if err != nil {
		return err
	}
	stmt, ok := prepared.(driver.StmtQueryContext)
	if !ok {
		return errDriver
	}
	rows, err := stmt.QueryContext(context.Background(), w.named(args))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // read-only: what matters was returned by Next
	row := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := scan(row); err != nil {
			return err
		}
	}
}

// close gives back the statements, without which the connection would stay open.
func (w *writer) close() {
	for _, stmt := range w.stmts {
		_ = stmt.Close() // what it did was reported when it did it
	}
}

var errDriver = errors.New("the SQLite driver lacks context statements")

func (w *writer) named(args []driver.Value) []driver.NamedValue {
	w.args = w.args[:0]
	for i, a := range args {
		w.args = append(w.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return w.args
}

// group runs the writes in one transaction.
func (w *writer) group(writes []write) error {
	w.reset()
	if _, err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	err := func() error {
		for _, one := range writes {
			if err := one.apply(w); err != nil {
				return err
			}
			w.marks = append(w.marks, mark{len(w.due), len(w.dropped)})
		}
		if err := w.dedupe.spill(w); err != nil {
			return fmt.Errorf("spill delivery ids: %w", err)
		}
		if _, err := w.exec("COMMIT"); err != nil {
			return fmt.Errorf("commit: %w", err)
		}
		return nil
	}()
	if err != nil {
		_, _ = w.exec("ROLLBACK") // fails if the error already rolled back, which is as well
		w.dedupe.rollback()
		w.reset()
		return err
	}
	w.dedupe.commit()
	w.counts.apply(w.deltas)
	return nil
}

func (w *writer) reset() {
	clear(w.due)
	w.due, w.dropped, w.deltas = w.due[:0], w.dropped[:0], w.deltas[:0]
	w.marks, w.changed = w.marks[:0], false
}

// run writes until the queue is closed and empty, or the store fails.
func (s *SQLite) run(w *writer) {
	var group []write
	last := 0
	for {
		clear(group)
		last = s.gather(last)
		var closed error
		group, closed = s.queue.take(group[:0])
		if len(group) == 0 {
			if closed != nil {
				return
			}
			select {
			case <-s.queue.wake:
			case done := <-s.checkpoints:
				done <- s.checkpoint(w)
			}
			continue
		}
		if err := s.write(w, group); err != nil {
			s.fail(err)
			return
		}
		select {
		case done := <-s.checkpoints:
			done <- s.checkpoint(w)
		default:
		}
	}
}

// gather waits a moment where that makes the next transaction worth more: see
// recordDelay and gatherDelay. Last is how many urgent writes were there when the
// transaction before began; gather returns how many are there now.
func (s *SQLite) gather(last int) (urgent int) {
	delay, urgent := s.worthWaiting(last)
	if delay == 0 {
		return urgent
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	for delay > 0 {
		select {
		case <-s.queue.wake:
			delay, urgent = s.worthWaiting(last)
		case <-timer.C:
			_, urgent, _ = s.queue.length()
			return urgent
		}
	}
	return urgent
}

// worthWaiting returns how long to wait for more, which is 0 if there is nothing
// to wait for, or enough.
func (s *SQLite) worthWaiting(last int) (delay time.Duration, urgent int) {
	all, urgent, closed := s.queue.length()
	switch {
	case closed != nil || all == 0 || all >= enoughRecords:
		return 0, urgent
	case urgent == 0:
		return recordDelay, 0
	case last >= busyGroup && urgent < last:
		return gatherDelay, urgent
	}
	return 0, urgent
}

// write commits the group, or as much of it as can be committed, and finishes
// every write in it. The error says that the store has failed.
func (s *SQLite) write(w *writer, group []write) error {
	err := w.group(group)
	if err == nil {
		s.committed(w, group)
		return nil
	}
	switch {
	case errIs(err, sqlite3.SQLITE_FULL):
		return s.writeWhenFull(w, group, err)
	case isFatal(err):
		finishAll(group, fmt.Errorf("%w: %w", ErrFailed, err))
		return err
	case len(group) == 1:
		group[0].finish(err)
		return nil
	}
	// One write spoils the transaction: give each its own, so that only it fails.
	for i := range group {
		if err := s.write(w, group[i:i+1]); err != nil {
			finishAll(group[i+1:], fmt.Errorf("%w: %w", ErrFailed, err))
			return err
		}
	}
	return nil
}

// writeWhenFull refuses what can be refused, and waits with the rest until there
// is space again: what was sent must be recorded, or it would be sent again.
func (s *SQLite) writeWhenFull(w *writer, group []write, cause error) error {
	unavailable := fmt.Errorf("%w: %w", ErrUnavailable, cause)
	patient := make([]write, 0, len(group))
	for _, one := range group {
		if one.patient() {
			patient = append(patient, one)
		} else {
			one.finish(unavailable)
		}
	}
	if len(patient) < len(group) {
		s.log.Warn("disk full: refusing events", "error", cause)
	}
	for len(patient) > 0 {
		err := w.group(patient)
		switch {
		case err == nil:
			s.committed(w, patient)
			return nil
		case !errIs(err, sqlite3.SQLITE_FULL):
			finishAll(patient, fmt.Errorf("%w: %w", ErrFailed, err))
			return err
		}
		if !s.waitForSpace(unavailable) {
			finishAll(patient, unavailable)
			return nil
		}
		if s.opts.full != nil {
			s.opts.full(w)
		}
	}
	return nil
}

// waitForSpace rests a moment while it refuses what cannot wait. It reports
// whether to try again: not once the store is closing.
func (s *SQLite) waitForSpace(unavailable error) bool {
	timer := time.NewTimer(fullPause)
	defer timer.Stop()
	<-timer.C
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	kept := s.queue.writes[:0]
	for _, one := range s.queue.writes {
		if one.patient() {
			kept = append(kept, one)
		} else {
			one.finish(unavailable)
		}
	}
	clear(s.queue.writes[len(kept):])
	s.queue.writes, s.queue.urgent = kept, 0
	return s.queue.closed == nil
}

// committed reports what the transaction changed, and finishes its writes. Where
// deliveries that were there before are changed, it does so write by write, so
// that the end of an attempt and what was done to its delivery meanwhile are
// told in the order in which they happened.
func (s *SQLite) committed(w *writer, group []write) {
	s.commits.Add(1)
	if !w.changed {
		s.report(w, mark{}, mark{len(w.due), len(w.dropped)})
		finishAll(group, nil)
		return
	}
	var from mark
	for i, to := range w.marks {
		s.report(w, from, to)
		group[i].finish(nil)
		from = to
	}
}

func (s *SQLite) report(w *writer, from, to mark) {
	sub := s.subscriber.Load()
	if sub == nil {
		return
	}
	if from.due < to.due {
		(*sub).Offer(w.due[from.due:to.due])
	}
	if from.dropped < to.dropped {
		(*sub).Drop(w.dropped[from.dropped:to.dropped])
	}
}

func finishAll(group []write, err error) {
	for _, one := range group {
		one.finish(err)
	}
}

// fail ends the store: everything that waits, and everything that comes, is
// refused with ErrFailed.
func (s *SQLite) fail(cause error) {
	err := fmt.Errorf("%w: %w", ErrFailed, cause)
	s.log.Error("store failed", "error", cause)
	s.queue.close(err)
	rest := s.queue.drain()
	finishAll(rest, err)
	s.failure = err
	close(s.failed)
}

func (q *queue) drain() []write {
	q.mu.Lock()
	defer q.mu.Unlock()
	rest := q.writes
	q.writes, q.urgent = nil, 0
	return rest
}

// isFatal reports whether after err nothing that was written may be relied on.
// Busy, constraint and size errors concern one statement only.
func isFatal(err error) bool {
	switch code := errCode(err); code {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH:
		return false
	default:
		return code != 0
	}
}

func errIs(err error, code int) bool { return errCode(err) == code }

// errCode returns SQLite's primary result code, or 0 for other errors.
func errCode(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	const primary = 0xff
	return e.Code() & primary
}
