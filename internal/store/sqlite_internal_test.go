package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook"
)

func open(t *testing.T, dir string, opts Options) *SQLite {
	t.Helper()
	s, err := Open(t.Context(), dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // a second time, where the test closes it
	return s
}

// Promise 1: what is acknowledged is fsynced, or the server does not start.
func TestOpenRefusesWeakDurability(t *testing.T) {
	t.Parallel()
	for pragma, want := range map[string]string{
		"synchronous = NORMAL":  "synchronous is 1, want 2 (FULL)",
		"synchronous = OFF":     "synchronous is 0, want 2 (FULL)",
		"journal_mode = DELETE": `journal_mode is "delete", not WAL`,
		"journal_mode = MEMORY": `journal_mode is "memory", not WAL`,
	} {
		_, err := Open(t.Context(), t.TempDir(), Options{pragmas: []string{pragma}})
		if !errors.Is(err, ErrNotDurable) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", pragma, err, want)
		}
	}
	open(t, t.TempDir(), Options{pragmas: []string{"synchronous = EXTRA"}}) // stronger is fine
}

func TestVersionAtLeast(t *testing.T) {
	t.Parallel()
	for have, want := range map[string]bool{
		"3.51.3": true, "3.54.1": true, "4.0.0": true, "3.51.2": false, "3.6.23": false, "": false, "three": false,
	} {
		if got := versionAtLeast(have, minVersion); got != want {
			t.Errorf("%q: %t, want %t", have, got, want)
		}
	}
}

func TestOpenRefusesASecondProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, Options{})
	if _, err := Open(t.Context(), dir, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("second open: %v, want ErrLocked", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir, Options{})
}

func TestOpenRefusesANewerSchema(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, Options{})
	if err := s.do(t.Context(), func(w *writer) error {
		_, err := w.exec("INSERT INTO migrations (version, applied_at) VALUES (999, 0)")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, Options{}); !errors.Is(err, ErrNewer) {
		t.Errorf("open: %v, want ErrNewer", err)
	}
}

func acceptOne(t *testing.T, s *SQLite, deliveryID string, body []byte) (tenterhook.Receipt, error) {
	t.Helper()
	e := &tenterhook.Event{Source: "github", DeliveryID: deliveryID, ReceivedAt: time.Now(), Body: body}
	ds := []tenterhook.Delivery{{Destination: "app", State: tenterhook.StatePending, NextAt: e.ReceivedAt}}
	return s.Accept(t.Context(), e, ds, tenterhook.RedeliveryHeal)
}

// A full disk refuses events, keeps what was sent from being forgotten, and
// passes by itself.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	var space atomic.Bool
	s := open(t, t.TempDir(), Options{pragmas: []string{"max_page_count = 40"}, full: func(w *writer) {
		if space.Load() {
			if _, err := w.exec("PRAGMA max_page_count = 10000"); err != nil {
				t.Error(err)
			}
		}
	}})
	body := bytes.Repeat([]byte("x"), 20_000)
	var first tenterhook.Receipt
	var err error
	for i := 0; err == nil; i++ {
		var r tenterhook.Receipt
		if r, err = acceptOne(t, s, strconv.Itoa(i), body); i == 0 {
			first = r
		}
	}
	if !errors.Is(err, ErrUnavailable) {
		t.Fatalf("accept on a full disk: %v, want ErrUnavailable", err)
	}
	recorded := make(chan error, 1)
	d := tenterhook.Delivery{ID: first.ID.Delivery(1), Destination: "app", State: tenterhook.StateDelivered, Attempts: 1}
	s.Record(tenterhook.Attempt{ID: d.ID.Attempt(1), Outcome: tenterhook.OutcomeSuccess, Response: body}, d, func(err error) { recorded <- err })
	select {
	case err := <-recorded:
		t.Fatalf("record on a full disk: %v, want it to wait for space", err)
	case <-time.After(2 * fullPause): // that nothing happens can only be seen by waiting
	}
	if _, err := acceptOne(t, s, "while full", nil); !errors.Is(err, ErrUnavailable) {
		t.Errorf("accept while a record waits: %v, want ErrUnavailable", err)
	}
	space.Store(true)
	if err := <-recorded; err != nil {
		t.Errorf("record after space returned: %v", err)
	}
	if r, err := acceptOne(t, s, "after", body); err != nil || r.Duplicate {
		t.Errorf("accept after space returned: %+v, %v", r, err)
	}
	if s.Err() != nil {
		t.Errorf("the store failed: %v", s.Err())
	}
}

// A store that can no longer fsync acknowledges nothing more.
func TestFailedStoreAcknowledgesNothing(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), Options{})
	s.fail(errors.New("fsync: input/output error"))
	<-s.Failed()
	if _, err := acceptOne(t, s, "1", nil); !errors.Is(err, ErrFailed) {
		t.Errorf("accept: %v, want ErrFailed", err)
	}
}

// Delivery ids are remembered whether they are in memory, in a run that is half
// written, or in one of many runs, and after a restart at any time.
func TestDedupeRuns(t *testing.T) {
	t.Parallel()
	const runLen, events = 600, 4000 // a run takes two transactions to write
	dir := t.TempDir()
	opts := Options{runLen: runLen}
	s := open(t, dir, opts)
	ids := make([]tenterhook.ID, events)
	for i := range events {
		if i%1501 == 1500 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, dir, opts)
		}
		e := &tenterhook.Event{Source: "s", DeliveryID: strconv.Itoa(i), ReceivedAt: time.Now()}
		r, err := s.Accept(t.Context(), e, nil, tenterhook.RedeliveryHeal)
		if err != nil || r.Duplicate {
			t.Fatalf("event %d: %+v, %v", i, r, err)
		}
		ids[i] = r.ID
		if i%7 == 0 {
			back := i * 3 / 4
			e := &tenterhook.Event{Source: "s", DeliveryID: strconv.Itoa(back), ReceivedAt: time.Now()}
			r, err := s.Accept(t.Context(), e, nil, tenterhook.RedeliveryIgnore)
			if err != nil || !r.Duplicate || r.ID != ids[back] {
				t.Fatalf("event %d again, after %d: %+v, %v; want a duplicate of %s", back, i, r, err, ids[back])
			}
		}
	}
	var runs int
	if err := s.readDB.QueryRow("SELECT count(*) FROM dedupe_runs").Scan(&runs); err != nil || runs < events/runLen-2 {
		t.Errorf("%d runs, %v; want about %d", runs, err, events/runLen)
	}
}

// A transaction that is rolled back leaves no delivery id behind: the sender is
// told to come again, and must then not be taken for a duplicate.
func TestRollbackForgetsDeliveryIDs(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), Options{pragmas: []string{"max_page_count = 40"}})
	body := bytes.Repeat([]byte("x"), 1_000_000)
	if _, err := acceptOne(t, s, "again", body); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("accept on a full disk: %v", err)
	}
	if r, err := acceptOne(t, s, "again", nil); err != nil || r.Duplicate {
		t.Errorf("accept after it was refused: %+v, %v; want an event", r, err)
	}
}

func TestBloomHoldsWhatWasAdded(t *testing.T) {
	t.Parallel()
	const n = 10_000
	filter := newBloom(n)
	for i := range n {
		filter.add(dedupeKey("", "s", strconv.Itoa(i)))
	}
	wrong := 0
	for i := range n {
		if !filter.mayHold(dedupeKey("", "s", strconv.Itoa(i))) {
			t.Fatalf("key %d was added and is not held", i)
		}
		if filter.mayHold(dedupeKey("", "other", strconv.Itoa(i))) {
			wrong++
		}
	}
	if wrong > n/200 {
		t.Errorf("%d of %d keys are held by mistake, want about one in a thousand", wrong, n)
	}
}

// What runs for each event, and each page of a list, must use an index however
// large the store is.
func TestQueryPlans(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), Options{})
	for query, want := range map[string]string{
		selectPending:      "USING INDEX deliveries_waiting (shard=? AND destination=? AND (next_at,id)>(?,?))",
		selectOldest:       "USING COVERING INDEX deliveries_waiting (shard=? AND destination=?)",
		selectDeliveries:   "USING PRIMARY KEY (id>? AND id<?)",
		selectAttempts:     "USING PRIMARY KEY (id>? AND id<?)",
		selectEvent:        "USING INDEX sqlite_autoindex_events_1 (id=?)",
		selectFirst:        "USING INDEX sqlite_autoindex_events_1 (id=?)",
		selectKey:          "USING PRIMARY KEY (run=? AND key=?)",
		updateDelivery:     "USING PRIMARY KEY (id=?)",
		countWaiting:       "USING COVERING INDEX deliveries_waiting",
		countDead:          "USING COVERING INDEX deliveries_dead",
		selectPrunable:     "USING COVERING INDEX sqlite_autoindex_events_1 (id>? AND id<?)",
		lastEvent:          "USING COVERING INDEX sqlite_autoindex_events_1",
		selectRedeliveries: "USING PRIMARY KEY (event=?)",
	} {
		plan := explain(t, s.readDB, query)
		if !strings.Contains(plan, want) || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("%s\nplan: %s\nwant: %s", query, plan, want)
		}
	}
}

func explain(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	args := make([]any, 0)
	for range strings.Count(query, "?") {
		args = append(args, []byte{0})
	}
	if found := strings.Contains(query, "?8"); found {
		args = args[:8]
	} else if strings.Contains(query, "?5") {
		args = args[:5]
	}
	rows, err := db.QueryContext(context.Background(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "; ")
}

// A store that was closed is one file, with pages of the size that was chosen.
func TestCloseFoldsTheLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, Options{})
	if _, err := acceptOne(t, s, "1", nil); err != nil {
		t.Fatal(err)
	}
	var size int
	if err := s.readDB.QueryRow("PRAGMA page_size").Scan(&size); err != nil || size != pageSize {
		t.Errorf("page size %d, %v; want %d", size, err, pageSize)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := filepath.Base(f); name != databaseFile && name != lockFile {
			t.Errorf("%s is left after Close", name)
		}
		if info, err := os.Stat(f); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be read by others: %v, %v", f, info.Mode(), err)
		}
	}
}

// A run keeps its number when the last older run is dropped while it is written:
// its keys are in the database under that number.
func TestRunKeepsItsNumber(t *testing.T) {
	t.Parallel()
	d := dedupe{
		runLen: 2, runs: []dedupeRun{{number: 5}},
		recent: map[uint64]tenterhook.ID{1: {1}, 2: {2}},
	}
	d.commit() // begins run 6
	d.dropRun = true
	d.commit()
	d.finish = true
	d.commit()
	if len(d.runs) != 1 || d.runs[0].number != 6 || !d.runs[0].filter.mayHold(1) {
		t.Errorf("runs %+v, want run 6 with its keys", d.runs)
	}
}
