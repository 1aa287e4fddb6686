package store

import (
	"database/sql/driver"
	"maps"
	"sync"

	"github.com/tenterhook/tenterhook"
)

// counts are kept beside the tables, so that asking how much waits costs
// nothing however much it is.
type counts struct {
	mu      sync.Mutex
	waiting map[string]int64 // by destination
	dead    map[string]int64
}

// delta is what a transaction changes about one destination's counts.
type delta struct {
	destination   string
	waiting, dead int64
}

func newCounts() *counts {
	return &counts{waiting: make(map[string]int64), dead: make(map[string]int64)}
}

func (c *counts) apply(deltas []delta) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range deltas {
		c.waiting[d.destination] += d.waiting
		c.dead[d.destination] += d.dead
	}
}

func (c *counts) snapshot() (waiting, dead map[string]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	positive := func(_ string, n int64) bool { return n <= 0 }
	waiting, dead = maps.Clone(c.waiting), maps.Clone(c.dead)
	maps.DeleteFunc(waiting, positive)
	maps.DeleteFunc(dead, positive)
	return waiting, dead
}

const (
	countWaiting = `SELECT destination, count(*) FROM deliveries WHERE state <= 2 GROUP BY shard, destination`
	countDead    = `SELECT destination, count(*) FROM deliveries WHERE state = 4 GROUP BY destination`
	lastEvent    = `SELECT id FROM events ORDER BY id DESC LIMIT 1`
	lastRing     = `SELECT coalesce(max(number), 0) FROM rejections`
)

// load reads what the writer keeps in memory.
func (s *SQLite) load(w *writer) error {
	for query, into := range map[string]map[string]int64{countWaiting: s.counts.waiting, countDead: s.counts.dead} {
		err := w.query(query, func(row []driver.Value) error {
			name, _ := row[0].(string) // the column is TEXT NOT NULL
			n, _ := row[1].(int64)     // count(*) is a number
			into[name] += n
			return nil
		})
		if err != nil {
			return err
		}
	}
	var err error
	if w.ring, err = w.int(lastRing); err != nil {
		return err
	}
	w.ids = tenterhook.NewIDs(s.opts.Now)
	err = w.query(lastEvent, func(row []driver.Value) error {
		id, err := scanID(row[0])
		w.ids.After(id)
		return err
	})
	if err != nil {
		return err
	}
	return w.dedupe.load(w, s.opts)
}
