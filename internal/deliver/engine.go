package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tenterhook/tenterhook"
)

// stopGrace is how long [Engine.Stop] waits, after it cancelled the attempts in
// flight, for them to end and for their records to be committed.
const stopGrace = 5 * time.Second

// An Engine sends deliveries. It may be used by several goroutines.
type Engine struct {
	store   Store
	opts    Options
	log     *slog.Logger
	bodies  budget
	agenda  *agenda
	crew    crew
	readers readers

	busy   atomic.Int64  // attempts in flight or not recorded yet
	quiet  chan struct{} // holds a token when busy has become 0 while stopping
	queues atomic.Pointer[map[string]*queue]

	mu       sync.Mutex // guards the fields below, and changes of queues
	running  bool
	stopping atomic.Bool // set under mu
	cancel   context.CancelCauseFunc
	hangUp   context.CancelFunc // ends the reads
	stopped  chan struct{}      // closed by Stop
	agendas  sync.WaitGroup
	faults   int   // records that have finally failed
	first    error // why the first of them did
}

// New returns an engine that is not started and has no destinations.
func New(store Store, opts Options) *Engine {
	opts = opts.WithDefaults()
	e := &Engine{store: store, opts: opts, log: opts.Logger, quiet: make(chan struct{}, 1), stopped: make(chan struct{})}
	e.bodies.size = opts.BodyBudget
	e.agenda = newAgenda(opts.Now)
	e.queues.Store(&map[string]*queue{})
	return e
}

func (e *Engine) micros() int64 { return e.opts.Now().UnixMicro() }

// Configure makes lanes the destinations to deliver to, at any time. Those that
// stay keep what they have in memory and their breaker; attempts in flight end
// as they began. Deliveries of a destination that is not there any more stay in
// the store. Names must differ.
func (e *Engine) Configure(lanes []Lane) {
	e.mu.Lock()
	defer e.mu.Unlock()
	old := *e.queues.Load()
	queues := make(map[string]*queue, len(lanes))
	for _, lane := range lanes {
		q := old[lane.Name]
		if q == nil {
			q = newQueue(e, lane.Name)
		}
		queues[lane.Name] = q
	}
	for name, q := range old {
		if queues[name] == nil && !q.retire() {
			queues[name] = q
		}
	}
	// New queues must get offers before they read their first page: what is
	// committed after that page was read comes by offer only.
	e.queues.Store(&queues)
	for _, lane := range lanes {
		lane.Concurrency = max(lane.Concurrency, 1)
		lane.Backoff = lane.Backoff.WithDefaults()
		queues[lane.Name].start(&lane, e.running && !e.stopping.Load())
	}
}

// Start begins to deliver what waits in the store, and what is offered from now
// on. Attempts get the values of ctx; what ends them is [Engine.Stop].
func (e *Engine) Start(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running || e.stopping.Load() {
		return errors.New("start delivery engine: it was started before")
	}
	e.running = true
	ctx = context.WithoutCancel(ctx)
	attempts, cancel := context.WithCancelCause(ctx)
	reads, hangUp := context.WithCancel(ctx)
	e.cancel, e.hangUp = cancel, hangUp
	e.crew.work = func(q *queue) { q.work(attempts) }
	e.readers.read = func(q *queue) { q.read(reads) }
	e.agendas.Go(func() { e.agenda.run(e.stopped) })
	for _, q := range *e.queues.Load() {
		q.start(q.lane, true)
	}
	return nil
}

// Stop lets no more attempts start. Those in flight may end until ctx does; then
// they are cancelled with the cause [ErrStopped]. Stop returns when all are over
// and on record, or 5 seconds after it cancelled them. The error says what could
// not be recorded. The store must be closed after that, not before.
func (e *Engine) Stop(ctx context.Context) error {
	e.mu.Lock()
	first := !e.stopping.Swap(true)
	running := e.running
	for _, q := range *e.queues.Load() {
		q.stop()
	}
	e.mu.Unlock()
	if !first || !running {
		return nil
	}
	close(e.stopped)
	e.hangUp()
	e.wait(ctx)
	e.cancel(ErrStopped)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	e.wait(grace)
	e.crew.close()

	var left error
	if n := e.busy.Load(); n > 0 {
		left = fmt.Errorf("stop delivery engine: %d attempts did not end or are not on record", n)
	} else {
		e.crew.wg.Wait()
		e.readers.wg.Wait()
		e.agendas.Wait()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.faults > 0 {
		left = errors.Join(left, fmt.Errorf("record %d attempts: %w", e.faults, e.first))
	}
	return left
}

// wait waits until no attempt is in flight or unrecorded, or ctx ends.
func (e *Engine) wait(ctx context.Context) {
	for e.busy.Load() > 0 {
		select {
		case <-e.quiet:
		case <-ctx.Done():
			return
		}
	}
}

// leave is called when an attempt is recorded, or could not be made.
func (e *Engine) leave() {
	if e.busy.Add(-1) == 0 && e.stopping.Load() {
		select {
		case e.quiet <- struct{}{}:
		default: // a token is there already
		}
	}
}

// fault takes note of a record that has finally failed.
func (e *Engine) fault(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.faults++; e.first == nil {
		e.first = err
	}
}

// Offer takes in deliveries that have just been committed: accepted, set off
// again or replayed ones. The store's writer calls it after the commit and before
// its next transaction, in the order of commits. It does not block. What is for
// an unknown destination, or does not fit in memory, stays in the store.
func (e *Engine) Offer(items []Offer) {
	queues := *e.queues.Load()
	now := e.micros()
	var locked *queue
	unlock := func() {
		if locked != nil {
			locked.kick(now)
			locked.mu.Unlock()
		}
	}
	for i := range items {
		q := queues[items[i].Delivery.Destination]
		if q == nil {
			continue
		}
		if q != locked {
			unlock()
			q.mu.Lock()
			locked = q
		}
		q.offer(&items[i])
	}
	unlock()
}

// Drop forgets deliveries that have just been cancelled. An attempt that is in
// flight ends, and is recorded. The store's writer calls it as it calls Offer.
func (e *Engine) Drop(ids []tenterhook.ID) {
	now := e.micros()
	for _, q := range *e.queues.Load() {
		q.mu.Lock()
		for _, id := range ids {
			q.drop(id)
			if q.reading.state == readRunning { // the page may show it as waiting
				q.reading.aside = append(q.reading.aside, aside{drop: id})
			}
		}
		q.kick(now)
		q.mu.Unlock()
	}
}

// Stats returns how each destination is doing, by name.
func (e *Engine) Stats() map[string]LaneStats {
	stats := map[string]LaneStats{}
	for name, q := range *e.queues.Load() {
		if s, ok := q.stats(); ok {
			stats[name] = s
		}
	}
	return stats
}
