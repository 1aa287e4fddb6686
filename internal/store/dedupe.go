package store

import (
	"bytes"
	"cmp"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tenterhook/tenterhook"
)

// A provider's delivery ids are random, so an index over them is written at a
// random place by each event, and slows down as it outgrows the page cache.
// dedupe keeps them as a log-structured index instead. New keys gather in
// memory. When there are enough they are sorted and written, a slice with each
// transaction, as a run: rows side by side at the end of dedupe_keys. A filter
// per run says for almost every new key that the run does not hold it, without
// reading. Runs older than the window are dropped whole.
//
// A crash loses the keys in memory, and nothing else: they are read again from
// the events that are younger than the newest run. That is exact, because the
// writer gives events their ids, so that the order of ids is that of commits.
type dedupe struct {
	runLen   int
	recent   map[uint64]tenterhook.ID // not in a run yet
	pending  []dedupeEntry            // added by the transaction under way
	spilled  []dedupeEntry            // sorted: the run that is being written
	building dedupeRun                // what spilled will be; its number stays though older runs are dropped
	written  int                      // how many of spilled are in dedupe_keys
	staged   int                      // as written, if the transaction under way commits
	finish   bool                     // the transaction under way completes the run
	dropRun  bool                     // the transaction under way drops the oldest run
	runs     []dedupeRun              // oldest first
}

type dedupeEntry struct {
	key   uint64
	event tenterhook.ID
}

type dedupeRun struct {
	number int64
	newest tenterhook.ID // no event of the run is younger
	filter bloom
}

const (
	dedupeRunLen   = 1 << 16
	dedupeSliceLen = 512 // rows of a run that one transaction writes
)

const (
	insertKey  = `INSERT OR IGNORE INTO dedupe_keys (run, key, event) VALUES (?, ?, ?)`
	insertRun  = `INSERT INTO dedupe_runs (run, newest, filter) VALUES (?, ?, ?)`
	selectRuns = `SELECT run, newest, filter FROM dedupe_runs ORDER BY run`
	selectKey  = `SELECT event FROM dedupe_keys WHERE run = ? AND key = ?`
	deleteRun  = `DELETE FROM dedupe_runs WHERE run = ?`
	deleteKeys = `DELETE FROM dedupe_keys WHERE run = ?1 AND key IN (SELECT key FROM dedupe_keys WHERE run = ?1 LIMIT ?2)`

	selectRecent = `SELECT id, tenant, source, delivery_id FROM events
		WHERE id > ? AND delivery_id <> '' AND redelivery_of IS NULL ORDER BY id`
	selectFirst = `SELECT tenant, source, delivery_id, sha256 FROM events WHERE id = ?`
)

// dedupeKey is FNV-1a over what makes a duplicate. Two that collide are told
// apart by reading the event.
func dedupeKey(tenant, source, deliveryID string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for _, s := range [...]string{tenant, source, deliveryID} {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * prime
		}
		h *= prime // as after a zero byte, which no part contains
	}
	return h
}

// load reads the filters of the runs and the keys that are in none of them.
func (d *dedupe) load(w *writer, opts Options) error {
	d.runLen, d.recent = opts.runLen, make(map[uint64]tenterhook.ID)
	err := w.query(selectRuns, func(row []driver.Value) error {
		number, _ := row[0].(int64) // the columns are NOT NULL
		newest, err := scanID(row[1])
		filter, _ := row[2].([]byte)
		d.runs = append(d.runs, dedupeRun{number: number, newest: newest, filter: slices.Clone(filter)})
		return err
	})
	if err != nil {
		return fmt.Errorf("read runs of delivery ids: %w", err)
	}
	after := firstIDAt(opts.Now().Add(-opts.DedupeWindow))
	if n := len(d.runs); n > 0 && after.Compare(d.runs[n-1].newest) < 0 {
		after = d.runs[n-1].newest
	}
	err = w.query(selectRecent, func(row []driver.Value) error {
		id, err := scanID(row[0])
		tenant, _ := row[1].(string)
		source, _ := row[2].(string)
		deliveryID, _ := row[3].(string)
		d.recent[dedupeKey(tenant, source, deliveryID)] = id
		return err
	}, after[:])
	if err != nil {
		return fmt.Errorf("read recent delivery ids: %w", err)
	}
	return nil
}

// firstIDAt returns an id that sorts before every id made at t or later.
func firstIDAt(t time.Time) (id tenterhook.ID) {
	binary.BigEndian.PutUint64(id[:8], uint64(max(t.UnixMilli(), 0))<<16)
	return id
}

// firstEvent is what is known of an event that was there before.
type firstEvent struct {
	id  tenterhook.ID
	sha []byte
}

// first looks for the event that had e's source and delivery id before.
func (w *writer) first(key uint64, e *tenterhook.Event) (firstEvent, bool, error) {
	candidate, ok, err := w.dedupe.find(w, key)
	if err != nil || !ok {
		return firstEvent{}, false, err
	}
	found := firstEvent{id: candidate}
	same := false
	err = w.query(selectFirst, func(row []driver.Value) error {
		sha, _ := row[3].([]byte)
		found.sha = bytes.Clone(sha)
		same = row[0] == e.Tenant && row[1] == e.Source && row[2] == e.DeliveryID
		return nil
	}, candidate[:])
	return found, same, err
}

func (d *dedupe) find(w *writer, key uint64) (tenterhook.ID, bool, error) {
	if id, ok := d.recent[key]; ok {
		return id, true, nil
	}
	byKey := func(e dedupeEntry, key uint64) int { return cmp.Compare(e.key, key) }
	if at, ok := slices.BinarySearchFunc(d.spilled, key, byKey); ok {
		return d.spilled[at].event, true, nil
	}
	for _, v := range slices.Backward(d.runs) {
		if !v.filter.mayHold(key) {
			continue
		}
		var id tenterhook.ID
		var found bool
		err := w.query(selectKey, func(row []driver.Value) (err error) {
			found = true
			id, err = scanID(row[0])
			return err
		}, v.number, int64(key))
		if err != nil || found {
			return id, found, err
		}
	}
	return tenterhook.ID{}, false, nil
}

func (d *dedupe) add(key uint64, id tenterhook.ID) {
	d.recent[key] = id
	d.pending = append(d.pending, dedupeEntry{key, id})
}

// spill writes the next slice of the run under way, as part of the transaction.
func (d *dedupe) spill(w *writer) error {
	d.staged, d.finish = d.written, false
	if d.spilled == nil {
		return nil
	}
	end := min(d.written+dedupeSliceLen, len(d.spilled))
	for _, e := range d.spilled[d.written:end] {
		if _, err := w.exec(insertKey, d.building.number, int64(e.key), e.event[:]); err != nil {
			return err
		}
	}
	d.staged = end
	if end < len(d.spilled) {
		return nil
	}
	run := &d.building
	if _, err := w.exec(insertRun, run.number, run.newest[:], []byte(run.filter)); err != nil {
		return err
	}
	d.finish = true
	return nil
}

func (d *dedupe) nextRun() int64 {
	if len(d.runs) == 0 {
		return 1
	}
	return d.runs[len(d.runs)-1].number + 1
}

// run describes spilled as a run.
func (d *dedupe) run(number int64) dedupeRun {
	run := dedupeRun{number: number, filter: newBloom(len(d.spilled))}
	for _, e := range d.spilled {
		run.filter.add(e.key)
		if run.newest.Compare(e.event) < 0 {
			run.newest = e.event
		}
	}
	return run
}

// commit takes over what the transaction did.
func (d *dedupe) commit() {
	d.pending = d.pending[:0]
	d.written = d.staged
	if d.dropRun {
		d.runs, d.dropRun = slices.Delete(d.runs, 0, 1), false
	}
	if d.finish {
		d.runs = append(d.runs, d.building)
		d.spilled, d.written, d.building = nil, 0, dedupeRun{}
	}
	if d.spilled == nil && len(d.recent) >= d.runLen {
		d.spilled = make([]dedupeEntry, 0, len(d.recent))
		for _, key := range slices.Sorted(maps.Keys(d.recent)) {
			d.spilled = append(d.spilled, dedupeEntry{key, d.recent[key]})
		}
		d.building = d.run(d.nextRun())
		d.recent = make(map[uint64]tenterhook.ID)
	}
}

// rollback forgets what the transaction did.
func (d *dedupe) rollback() {
	for _, e := range d.pending {
		delete(d.recent, e.key)
	}
	d.pending, d.dropRun = d.pending[:0], false
}

// A bloom is a Bloom filter of blocks that are one line of the processor's cache
// each: a key has all its bits in one block, so that asking a filter costs one
// access to memory. There are 16 bits a key, and about one in a thousand keys
// that a filter does not hold is looked for in vain.
type bloom []byte

const (
	bloomBits   = 16
	bloomHashes = 7
	bloomBlock  = 64 // bytes
)

func newBloom(keys int) bloom {
	blocks := keys*bloomBits/(8*bloomBlock) + 1
	return make(bloom, blocks*bloomBlock)
}

func (b bloom) add(key uint64) {
	block, bits := b.place(key)
	for range bloomHashes {
		block[bits/8%bloomBlock] |= 1 << (bits % 8)
		bits >>= 9
	}
}

func (b bloom) mayHold(key uint64) bool {
	if len(b) < bloomBlock {
		return true
	}
	block, bits := b.place(key)
	for range bloomHashes {
		if block[bits/8%bloomBlock]&(1<<(bits%8)) == 0 {
			return false
		}
		bits >>= 9
	}
	return true
}

// place returns the block of a key, and 7 times 9 bits that choose bits in it.
func (b bloom) place(key uint64) (block []byte, bits uint64) {
	const mix, mix2 = 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9
	first := key * mix
	second := (key ^ key>>29) * mix2
	at := (first >> 32 * uint64(len(b)/bloomBlock)) >> 32 * bloomBlock
	return b[at : at+bloomBlock], second ^ second>>31
}
