package deliver

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tenterhook/tenterhook"
)

const (
	// maxReaders bounds the pages that are read at the same time.
	maxReaders = 4
	// readTimeout bounds how long a page may take.
	readTimeout = 30 * time.Second
)

// A readState is how far a queue is with reading a page.
type readState uint8

const (
	readNone    readState = iota
	readAsked             // waits for a reader
	readRunning           // the page may show any moment since
)

// A reading is what a queue knows about the page that it reads.
type reading struct {
	state   readState
	retryAt int64   // after a read that failed, no other one is asked for earlier
	aside   []aside // what came during the read, in order
	offers  int     // how many of aside are offers
	missed  key     // the least key that was left to the store during the read
}

// An aside is what was put aside during a read: one of its fields is set.
type aside struct {
	settle *item
	offer  *item
	drop   tenterhook.ID
}

// wantPage asks for a page if memory runs low and the store has more.
func (q *queue) wantPage(now int64) {
	if q.reading.state != readNone || q.horizon.isInfinite() || len(q.waiting) > q.window()/2 {
		return
	}
	if now < q.reading.retryAt {
		q.setAlarm(q.reading.retryAt)
		return
	}
	q.reading.state = readAsked
	q.engine.readers.add(q)
}

// offerAside puts an offer aside, or leaves it to the store if that are too many.
// What is offered about a known delivery is always heard: it may take back that
// the delivery was cancelled.
func (q *queue) offerAside(o *Offer, k key) {
	r := &q.reading
	if r.offers >= 2*q.window() && q.known[k.id] == nil {
		if k.less(&r.missed) {
			r.missed = k
		}
		return
	}
	it := q.newItem(&o.Delivery)
	q.hold(it, o.Event)
	r.offers++
	r.aside = append(r.aside, aside{offer: it})
}

// read reads a page and takes it in.
func (q *queue) read(ctx context.Context) {
	q.mu.Lock()
	if !q.open {
		q.reading.state = readNone
		q.mu.Unlock()
		return
	}
	q.reading.state, q.reading.missed = readRunning, infinite()
	after, limit := q.horizon.cursor(), q.window()
	q.mu.Unlock()

	timed, cancel := context.WithTimeout(ctx, readTimeout)
	page, err := q.engine.store.Pending(timed, q.name, after, limit)
	cancel()
	if err != nil && ctx.Err() == nil {
		q.engine.log.Error("read pending deliveries", slog.String("destination", q.name), slog.Any("error", err))
	}

	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.engine.micros()
	if err == nil {
		q.merge(page, len(page) < limit)
	} else {
		q.reading.retryAt = now + faultPause.Microseconds()
	}
	q.resume()
	if len(q.waiting) > 2*q.window() {
		q.trim()
	}
	q.kick(now)
}

// merge takes in a page, which begins at the horizon.
func (q *queue) merge(page []tenterhook.Delivery, last bool) {
	for i := range page {
		q.horizon = keyOf(&page[i])
		if q.known[page[i].ID] == nil { // else in memory, or sent already: the row may be an old one
			q.wait(q.newItem(&page[i]))
		}
	}
	if last {
		q.horizon = infinite()
	}
}

// resume ends the read and applies what was put aside. What was left to the store
// during the read may be missing in the page, so the horizon must be below it.
func (q *queue) resume() {
	later, missed := q.reading.aside, q.reading.missed
	q.reading = reading{retryAt: q.reading.retryAt, missed: infinite()}
	if !missed.isInfinite() && !q.horizon.less(&missed) {
		q.retreat(missed)
	}
	for _, a := range later {
		switch {
		case a.settle != nil:
			q.settle(a.settle)
		case a.offer != nil:
			q.put(a.offer)
		default:
			q.drop(a.drop)
		}
	}
}

// retreat lowers the horizon below limit and leaves what is beyond to the store.
func (q *queue) retreat(limit key) {
	q.horizon = lowest()
	for _, it := range slices.Clone(q.waiting) {
		switch {
		case !it.less(&limit):
			q.forget(it)
		case q.horizon.less(&it.key):
			q.horizon = it.key
		}
	}
}

// readers read pages, a few at a time, for the queues in the order they asked.
type readers struct {
	read  func(*queue)
	wg    sync.WaitGroup
	mu    sync.Mutex
	asked []*queue
	busy  int
}

func (r *readers) add(q *queue) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, q)
	if r.busy < maxReaders {
		r.busy++
		r.wg.Go(r.run)
	}
}

func (r *readers) run() {
	for q := r.next(); q != nil; q = r.next() {
		r.read(q)
	}
}

func (r *readers) next() *queue {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.asked) == 0 {
		r.asked = nil
		r.busy--
		return nil
	}
	q := r.asked[0]
	r.asked[0] = nil
	r.asked = r.asked[1:]
	return q
}
