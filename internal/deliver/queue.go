package deliver

import (
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tenterhook/tenterhook"
)

const (
	// minUnrecorded is how many records of a queue may wait for their commit at
	// the least; see [queue.mayRecord].
	minUnrecorded = 256
	// downWindow is the window of a destination that is down: it is only probed.
	downWindow = 16
	// faultPause is how long a queue waits after the store did not do what it
	// was asked.
	faultPause = time.Second
)

// A queue is what the engine holds of one destination.
//
// What it promises itself, under its lock: an item is in known from when it is
// put in until the record of its attempt is committed and applied; the heap holds
// just the known items that wait, all of them up to the horizon; and, while no
// page is being read, what waits in the store up to the horizon is known.
type queue struct {
	engine *Engine
	name   string
	alarm  alarm // the agenda's

	mu        sync.Mutex
	lane      *Lane // never changed, only replaced; nil before start
	retired   bool  // its destination is not configured any more
	open      bool  // attempts and reads may start: the engine runs, the destination is configured
	known     map[tenterhook.ID]*item
	waiting   heap[*item]
	horizon   key
	reading   reading
	bodies    int64 // bytes of the budget that its items use
	running   int   // attempts in flight
	recording int   // records not committed yet
	stuck     int   // records that have finally failed
	calling   bool  // a worker was called and has not come yet
	notBefore int64 // no attempt starts earlier, in microseconds since 1970
	alarmAt   int64 // when it will be rung, 0 if it will not
	breaker   breaker
}

func newQueue(e *Engine, name string) *queue {
	q := &queue{engine: e, name: name, known: map[tenterhook.ID]*item{}, horizon: lowest()}
	q.alarm = alarm{place: -1, queue: q}
	q.reading.missed = infinite()
	return q
}

// window returns how many waiting items to hold.
func (q *queue) window() int {
	if q.breaker.down {
		return min(q.engine.opts.Window, downWindow)
	}
	return q.engine.opts.Window
}

// mayRecord reports whether one more attempt may be made without too many of
// them being unrecorded. A record that failed keeps its place: a destination
// whose attempts cannot be recorded comes to a halt.
func (q *queue) mayRecord() bool {
	return q.running+q.recording+q.stuck < max(minUnrecorded, 4*q.lane.Concurrency)
}

// put takes in an item that waits in the store: an offered one, one from a page,
// or one that is to be retried. It must not be called while a page is read.
func (q *queue) put(it *item) {
	if old := q.known[it.id]; old != nil && !q.replace(old, it) {
		return
	}
	if q.horizon.less(&it.key) {
		q.release(it)
		return
	}
	q.wait(it)
	if len(q.waiting) > 2*q.window() {
		q.trim()
	}
}

// wait puts an item that is not known into the heap.
func (q *queue) wait(it *item) {
	if it.d.Attempts >= tenterhook.MaxAttempts { // its next attempt could not have an id
		q.engine.log.Error("delivery has had all the attempts there can be",
			slog.String("destination", q.name), slog.String("delivery", it.id.String()))
		q.release(it)
		return
	}
	it.phase = waiting
	q.known[it.id] = it
	q.waiting.push(it)
}

// replace decides what an offer means for a known item, and reports whether the
// offered one is to be put in instead.
func (q *queue) replace(known, offered *item) bool {
	switch {
	case known.phase == waiting:
		if offered.event == nil {
			offered.event, offered.cost, known.event, known.cost = known.event, known.cost, nil, 0
		}
		q.forget(known)
		return true
	case known.phase == inFlight && known.dropped:
		known.dropped, known.again = false, offered // set off again: the attempt in flight is its first
		return false
	case known.phase == recording && offered.d.Attempts >= known.d.Attempts:
		known.dropped, known.again = false, offered // set off again after the record
		return false
	}
	known.dropped = false
	q.release(offered)
	return false
}

// forget makes a known item unknown.
func (q *queue) forget(it *item) {
	if it.phase == waiting && it.place >= 0 {
		q.waiting.remove(it.place)
	}
	q.release(it)
	delete(q.known, it.id)
}

// trim cuts memory back to one window and leaves what is due last to the store.
// During a read the horizon must stay; the read ends with a trim.
func (q *queue) trim() {
	keep := q.window()
	if len(q.waiting) <= keep || q.reading.state == readRunning {
		return
	}
	slices.SortFunc(q.waiting, func(a, b *item) int {
		if a.before(b) {
			return -1
		}
		return 1
	})
	for _, it := range q.waiting[keep:] {
		q.release(it)
		delete(q.known, it.id)
	}
	clear(q.waiting[keep:])
	q.waiting = q.waiting[:keep]
	for i, it := range q.waiting {
		it.place = i
	}
	q.horizon = q.waiting[keep-1].key
}

// offer takes in a delivery right after the store has committed it. If q is not
// open, its horizon is the lowest, and an offer only matters to what is known.
func (q *queue) offer(o *Offer) {
	k := keyOf(&o.Delivery)
	switch {
	case q.reading.state == readRunning:
		q.offerAside(o, k)
	case q.known[k.id] != nil || !q.horizon.less(&k):
		it := q.newItem(&o.Delivery)
		q.hold(it, o.Event)
		q.put(it)
	}
}

// drop forgets a cancelled delivery, unless an attempt is in flight or being
// recorded; then it is forgotten after that.
func (q *queue) drop(id tenterhook.ID) {
	it := q.known[id]
	switch {
	case it == nil:
	case it.phase == waiting:
		q.forget(it)
	default:
		it.dropped = true
		if it.again != nil {
			q.release(it.again)
			it.again = nil
		}
	}
}

// apply settles an item, at once or after the page that is being read.
func (q *queue) apply(it *item) {
	if q.reading.state == readRunning {
		q.reading.aside = append(q.reading.aside, aside{settle: it})
		return
	}
	q.settle(it)
}

// settle lets an item whose record is committed end or wait again.
func (q *queue) settle(it *item) {
	delete(q.known, it.id)
	again, dropped := it.again, it.dropped
	it.again, it.dropped = nil, false
	switch {
	case again != nil:
		q.put(again)
	case dropped || it.d.State.Final():
	default:
		it.d.LastError = ""
		q.put(it)
	}
}

// kick sees to it that what can start now does, and what cannot later. It is
// called after every change that may allow something to start.
func (q *queue) kick(now int64) {
	if !q.open {
		return
	}
	q.wantPage(now)
	at, ok := q.nextStart()
	switch {
	case !ok:
	case at > now:
		q.setAlarm(at)
	case !q.calling:
		// One worker at a time is called; it calls the next one if there is more
		// to start. This keeps the callers, such as the store's writer, fast.
		q.calling = true
		q.engine.crew.call(q)
	}
}

// nextStart returns when the next attempt may start, or false if something else
// must happen first, after which the queue is kicked anyhow.
func (q *queue) nextStart() (at int64, ok bool) {
	if !q.open || len(q.waiting) == 0 || q.running >= q.breaker.limit(q.lane.Concurrency) || !q.mayRecord() {
		return 0, false
	}
	at = max(q.waiting[0].at, q.notBefore)
	if q.breaker.down {
		at = max(at, q.breaker.probeAt)
	}
	return at, true
}

func (q *queue) setAlarm(at int64) {
	if q.alarmAt == 0 || at < q.alarmAt {
		q.alarmAt = at
		q.engine.agenda.set(&q.alarm, at)
	}
}

// ring is called by the agenda when the alarm is due.
func (q *queue) ring() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.alarmAt = 0
	q.kick(q.engine.micros())
}

// start lets q work for lane, or changes the lane it works for.
func (q *queue) start(lane *Lane, open bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lane, q.open, q.retired = lane, open, false
	q.kick(q.engine.micros())
}

// stop lets nothing more start. Attempts in flight go on.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open = false
}

// retire makes q forget all that waits, and reports whether nothing is left of
// it: no attempt, no record, no read. A queue that is not empty is kept, for the
// case that its destination comes back.
func (q *queue) retire() (empty bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open, q.retired = false, true
	for len(q.waiting) > 0 {
		q.forget(q.waiting[len(q.waiting)-1])
	}
	q.horizon = lowest()
	q.reading.missed = lowest() // what a read brings now is not wanted
	q.breaker = breaker{}
	return len(q.known) == 0 && q.reading.state == readNone
}

// recorded is called by the store when the record of it is committed, or has
// finally failed.
func (q *queue) recorded(it *item, err error) {
	q.mu.Lock()
	q.recording--
	if err == nil {
		q.apply(it)
	} else { // it stays known: it must not be sent as if this attempt had not been
		q.stuck++
		q.notBefore = q.engine.micros() + faultPause.Microseconds()
	}
	if len(q.waiting) > 0 || !q.horizon.isInfinite() { // else there is nothing to start
		q.kick(q.engine.micros())
	}
	q.mu.Unlock()
	if err != nil {
		q.engine.log.Error("record attempt", slog.String("destination", q.name),
			slog.String("delivery", it.id.String()), slog.Any("error", err))
		q.engine.fault(err)
	}
	q.engine.leave()
}

// stats returns how q is doing, or false if its destination is not configured.
func (q *queue) stats() (LaneStats, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lane == nil || q.retired {
		return LaneStats{}, false
	}
	return LaneStats{
		Waiting:     len(q.waiting),
		Complete:    q.horizon.isInfinite(),
		InFlight:    q.running,
		Recording:   q.recording,
		Unrecorded:  q.stuck,
		Bodies:      q.bodies,
		Down:        q.breaker.down,
		Failures:    q.breaker.failures,
		Concurrency: q.breaker.limit(q.lane.Concurrency),
	}, true
}
