package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tenterhook/tenterhook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A rig is an engine on a model store. It must be made in a synctest bubble, and
// is stopped at the end of the test.
type rig struct {
	*model
	ids *tenterhook.IDs
}

func setup(t *testing.T, opts Options, lanes ...Lane) *rig {
	t.Helper()
	r := &rig{model: newModel(), ids: tenterhook.NewIDs(nil)}
	r.open()
	r.engine = New(r, opts)
	r.engine.Configure(lanes)
	if err := r.engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.engine.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		r.close()
		for _, fault := range r.faults {
			t.Error(fault)
		}
	})
	synctest.Wait()
	return r
}

// send accepts n events for destination.
func (r *rig) send(destination string, n int) []tenterhook.ID {
	ids := make([]tenterhook.ID, n)
	for i := range ids {
		d, e := one(r.ids, destination, "{}")
		r.accept(d, e)
		ids[i] = d.ID
	}
	return ids
}

// A tape records when attempts began.
type tape struct {
	mu     sync.Mutex
	starts []time.Time
}

func (p *tape) over(to destinationFunc) destinationFunc {
	return func(ctx context.Context, e *tenterhook.Event, d *tenterhook.Delivery) tenterhook.Attempt {
		p.mu.Lock()
		p.starts = append(p.starts, time.Now())
		p.mu.Unlock()
		return to(ctx, e, d)
	}
}

func (p *tape) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.starts)
}

// firstAfter returns when the first attempt after t began.
func (p *tape) firstAfter(t time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.starts {
		if s.After(t) {
			return s
		}
	}
	return time.Time{}
}

func (p *tape) between(from, to time.Time) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, s := range p.starts {
		if !s.Before(from) && s.Before(to) {
			n++
		}
	}
	return n
}

func hang(ctx context.Context, _ *tenterhook.Event, _ *tenterhook.Delivery) tenterhook.Attempt {
	<-ctx.Done()
	return tenterhook.Attempt{Outcome: tenterhook.OutcomeRetry, Error: context.Cause(ctx).Error()}
}

func seconds(n ...int) tenterhook.Backoff {
	b := tenterhook.Backoff{NoJitter: true}
	for _, s := range n {
		b.Schedule = append(b.Schedule, time.Duration(s)*time.Second)
	}
	return b
}

// TestFate checks what becomes of one delivery by what its destination answers.
func TestFate(t *testing.T) {
	t.Parallel()
	const (
		ok, retry        = tenterhook.OutcomeSuccess, tenterhook.OutcomeRetry
		refused, unknown = tenterhook.OutcomeRefused, tenterhook.OutcomeUnknown
		delivered, dead  = tenterhook.StateDelivered, tenterhook.StateDead
	)
	type outcomes []tenterhook.Outcome
	for name, tt := range map[string]struct {
		answers outcomes      // the last one again and again
		after   time.Duration // Retry-After with each
		prune   bool
		state   tenterhook.State
		at      []int // seconds at which attempts begin
		err     string
	}{
		"success":             {answers: outcomes{ok}, state: delivered, at: []int{0}},
		"success at last":     {answers: outcomes{retry, unknown, ok}, state: delivered, at: []int{0, 5, 35}},
		"never":               {answers: outcomes{retry}, state: dead, at: []int{0, 5, 35}, err: "no"},
		"refused":             {answers: outcomes{refused}, state: dead, at: []int{0}, err: "no"},
		"refused later":       {answers: outcomes{retry, refused}, state: dead, at: []int{0, 5}, err: "no"},
		"no outcome":          {answers: outcomes{""}, state: dead, at: []int{0, 5, 35}, err: "no"},
		"longer Retry-After":  {answers: outcomes{retry, ok}, after: time.Minute, state: delivered, at: []int{0, 60}},
		"shorter Retry-After": {answers: outcomes{retry, ok}, after: time.Second, state: delivered, at: []int{0, 5}},
		"panic":               {answers: outcomes{"panic"}, state: dead, at: []int{0, 5, 35}, err: "panic: no"},
		"body pruned":         {prune: true, state: dead, err: "the event's body is no longer kept"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var at []int
				to := func(_ context.Context, _ *tenterhook.Event, d *tenterhook.Delivery) tenterhook.Attempt {
					at = append(at, int(time.Since(begin)/time.Second))
					outcome := tt.answers[min(d.Attempts, len(tt.answers)-1)]
					if outcome == "panic" {
						panic("no")
					}
					a := tenterhook.Attempt{Outcome: outcome, RetryAfter: tt.after}
					if outcome != ok {
						a.Error = "no"
					}
					return a
				}
				r := setup(t, Options{}, Lane{Name: "a", Destination: destinationFunc(to), Backoff: seconds(0, 5, 30)})
				r.offerBody = !tt.prune
				d, e := one(r.ids, "a", "{}")
				if tt.prune {
					e.Body = nil
				}
				r.accept(d, e)
				time.Sleep(time.Hour)
				synctest.Wait()
				got := r.row(d.ID)
				if got.State != tt.state || got.LastError != tt.err || !slices.Equal(at, tt.at) {
					t.Errorf("%s, %q, attempts at %v; want %s, %q, %v", got.State, got.LastError, at, tt.state, tt.err, tt.at)
				}
				if n := max(len(tt.at), 1); len(r.attempts) != n || got.Attempts != n || got.Round != n {
					t.Errorf("%d attempts on record, %+v; want %d", len(r.attempts), got, n)
				}
			})
		})
	}
}

// TestSetOffAgain requeues a dead delivery: it has all its attempts once more.
func TestSetOffAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lane := Lane{Name: "a", Destination: answer(tenterhook.OutcomeRetry), Backoff: seconds(0, 1)}
		r := setup(t, Options{}, lane)
		id := r.send("a", 1)[0]
		time.Sleep(time.Minute)
		r.requeue(id, time.Now().UTC())
		time.Sleep(time.Minute)
		synctest.Wait()
		if d := r.row(id); d.State != tenterhook.StateDead || d.Attempts != 4 || d.Round != 2 {
			t.Errorf("%+v, want dead after 4 attempts", d)
		}
	})
}

// TestCancel cancels one delivery that waits and one in flight.
func TestCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var p tape
		slow := func(ctx context.Context, _ *tenterhook.Event, _ *tenterhook.Delivery) tenterhook.Attempt {
			_ = sleep(ctx, time.Minute) // the end of ctx is not of interest
			return tenterhook.Attempt{Outcome: tenterhook.OutcomeRetry}
		}
		r := setup(t, Options{}, Lane{Name: "a", Destination: p.over(slow)})
		ids := r.send("a", 2)
		time.Sleep(time.Second)
		r.cancel(ids[0])
		r.cancel(ids[1])
		time.Sleep(100 * time.Hour)
		if n := p.count(); n != 1 || r.count(tenterhook.StateCancelled) != 2 {
			t.Errorf("%d attempts, %d cancelled; want 1, 2", n, r.count(tenterhook.StateCancelled))
		}
	})
}

// TestHangingDestination gives one destination 1,000 deliveries that hang, and
// checks that others get theirs as if it were not there.
func TestHangingDestination(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var flying, most atomic.Int64
		stuck := func(ctx context.Context, e *tenterhook.Event, d *tenterhook.Delivery) tenterhook.Attempt {
			most.Store(max(most.Load(), flying.Add(1)))
			defer flying.Add(-1)
			return hang(ctx, e, d)
		}
		lanes := []Lane{{Name: "hangs", Destination: destinationFunc(stuck), Concurrency: 8}}
		var late atomic.Int64
		observe := func(o Observation) {
			if o.Delivery.Destination != "hangs" {
				late.Store(max(late.Load(), int64(o.Late)))
			}
		}
		for i := range 20 {
			name := fmt.Sprint("ok", i)
			lanes = append(lanes, Lane{Name: name, Destination: answer(tenterhook.OutcomeSuccess), Concurrency: 2})
		}
		r := setup(t, Options{Observe: observe}, lanes...)
		r.send("hangs", 1000)
		synctest.Wait()
		for range 50 {
			for i := range 20 {
				r.send(fmt.Sprint("ok", i), 1)
			}
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		if n := r.count(tenterhook.StateDelivered); n != 1000 || late.Load() != 0 {
			t.Errorf("%d delivered, at most %v late; want 1000, 0s", n, time.Duration(late.Load()))
		}
		if most.Load() != 8 {
			t.Errorf("%d attempts at a time hang, want 8", most.Load())
		}
		stop, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := r.engine.Stop(stop); err != nil {
			t.Error(err)
		}
	})
}

// TestDownAndUp takes a destination down for an hour with 5,000 deliveries
// waiting: it is probed rarely, its load comes back step by step, and all arrive.
func TestDownAndUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var p tape
		var up atomic.Bool
		to := func(ctx context.Context, _ *tenterhook.Event, _ *tenterhook.Delivery) tenterhook.Attempt {
			if !up.Load() {
				return tenterhook.Attempt{Outcome: tenterhook.OutcomeRetry, Error: "down"}
			}
			_ = sleep(ctx, 100*time.Millisecond) // the end of ctx is not of interest
			return tenterhook.Attempt{Outcome: tenterhook.OutcomeSuccess}
		}
		r := setup(t, Options{}, Lane{Name: "a", Destination: p.over(to), Concurrency: 32})
		r.send("a", 5000)
		begin := time.Now()
		time.Sleep(time.Hour)
		if n := p.between(begin, time.Now()); n < 100 || n > 260 {
			t.Errorf("%d attempts in an hour, want 10 and some 160 probes", n)
		}
		if s := r.engine.Stats()["a"]; !s.Down || s.Waiting > 2*downWindow || s.Concurrency != 1 || s.Bodies > 1<<20 {
			t.Errorf("while down: %+v", s)
		}
		up.Store(true)
		back := time.Now()
		for r.count(tenterhook.StateDelivered) == 0 {
			time.Sleep(time.Second)
		}
		if d := time.Since(back); d > maxProbeWait+2*time.Second {
			t.Errorf("noticed after %v", d)
		}
		first := p.firstAfter(back)
		for i, want := range []int{1, 1, 2, 4, 8, 16, 32} { // each attempt takes 100 ms
			from := first.Add(time.Duration(i) * 100 * time.Millisecond)
			if n := p.between(from, from.Add(100*time.Millisecond)); n > want {
				t.Errorf("%d attempts in step %d after it came back, want at most %d", n, i, want)
			}
		}
		time.Sleep(100 * time.Hour)
		if n := r.count(tenterhook.StateDelivered); n != 5000 {
			t.Errorf("%d delivered, want 5000", n)
		}
	})
}

// TestNineFailures checks that fewer than ten failures in a row change nothing.
func TestNineFailures(t *testing.T) {
	t.Parallel()
	var b breaker
	for range 100 {
		for range tripAfter - 1 {
			if b.failure(0, false, nil); b.limit(32) != 32 {
				t.Fatal("limited")
			}
		}
		b.success(32)
	}
}

// TestStop checks what Stop does with an attempt in flight: one that ends in
// time counts, one that does not is cut off and due again.
func TestStop(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		takes   time.Duration
		state   tenterhook.State
		outcome tenterhook.Outcome
		err     string
	}{
		"in time":     {9 * time.Second, tenterhook.StateDelivered, tenterhook.OutcomeSuccess, ""},
		"not in time": {11 * time.Second, tenterhook.StateRetrying, tenterhook.OutcomeUnknown, interrupted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				to := func(ctx context.Context, _ *tenterhook.Event, _ *tenterhook.Delivery) tenterhook.Attempt {
					if err := sleep(ctx, tt.takes); err != nil {
						return tenterhook.Attempt{Outcome: tenterhook.OutcomeRetry, Error: err.Error()}
					}
					return tenterhook.Attempt{Outcome: tenterhook.OutcomeSuccess}
				}
				r := setup(t, Options{}, Lane{Name: "a", Destination: destinationFunc(to)})
				r.commit = func() time.Duration { return 10 * time.Millisecond }
				ids := r.send("a", 2)
				time.Sleep(time.Second)
				due := r.row(ids[0]).NextAt
				stop, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				defer cancel()
				begin := time.Now()
				if err := r.engine.Stop(stop); err != nil {
					t.Error(err)
				}
				if took := time.Since(begin); took > 11*time.Second {
					t.Errorf("took %v", took)
				}
				synctest.Wait()
				d, a := r.row(ids[0]), r.attempts[ids[0].Attempt(1)]
				if d.State != tt.state || a.Outcome != tt.outcome || d.LastError != tt.err || d.Attempts != 1 {
					t.Errorf("%+v after %+v", d, a)
				}
				if d.State == tenterhook.StateRetrying && (d.Round != 0 || !d.NextAt.Equal(due)) {
					t.Errorf("round %d, due %v; want 0, %v", d.Round, d.NextAt, due)
				}
				if d := r.row(ids[1]); d.Attempts != 0 {
					t.Error("an attempt began after Stop")
				}
			})
		})
	}
}

// A brokenStore cannot record.
type brokenStore struct{ *model }

func (brokenStore) Record(_ tenterhook.Attempt, _ tenterhook.Delivery, done func(error)) {
	go done(errReading)
}

// TestRecordFails checks that a delivery whose attempt could not be recorded is
// not sent again, that such a destination comes to a halt, and that Stop says so.
func TestRecordFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var p tape
		m := newModel()
		m.open()
		defer m.close()
		m.engine = New(brokenStore{m}, Options{})
		m.engine.Configure([]Lane{{Name: "a", Destination: p.over(answer(tenterhook.OutcomeRetry)), Concurrency: 4}})
		if err := m.engine.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		ids := tenterhook.NewIDs(nil)
		for range 1000 {
			m.accept(one(ids, "a", "{}"))
		}
		time.Sleep(10 * time.Hour)
		if n := m.engine.Stats()["a"].Unrecorded; n != p.count() || n > minUnrecorded || n == 0 {
			t.Errorf("%d attempts, %d unrecorded; want as many, and at most %d", p.count(), n, minUnrecorded)
		}
		if err := m.engine.Stop(t.Context()); !errors.Is(err, errReading) {
			t.Errorf("Stop() = %v, want %v", err, errReading)
		}
	})
}

// TestConfigure removes a destination while an attempt is in flight, puts it
// back, and checks that nothing is lost or sent twice.
func TestConfigure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var p tape
		slow := func(ctx context.Context, _ *tenterhook.Event, _ *tenterhook.Delivery) tenterhook.Attempt {
			_ = sleep(ctx, 10*time.Second) // the end of ctx is not of interest
			return tenterhook.Attempt{Outcome: tenterhook.OutcomeSuccess}
		}
		lane := Lane{Name: "a", Destination: p.over(slow)}
		r := setup(t, Options{Window: 2}, lane)
		r.send("a", 10)
		time.Sleep(time.Second)
		r.engine.Configure(nil)
		r.send("a", 5)
		time.Sleep(time.Second)
		if n := len(r.engine.Stats()); n != 0 {
			t.Errorf("%d destinations, want 0", n)
		}
		r.engine.Configure([]Lane{lane})
		time.Sleep(time.Second)
		if p.count() != 1 {
			t.Errorf("%d attempts at a time, want 1", p.count())
		}
		lane.Concurrency = 7
		r.engine.Configure([]Lane{lane})
		time.Sleep(40 * time.Second)
		synctest.Wait()
		if n := r.count(tenterhook.StateDelivered); n != 15 || p.count() != 15 {
			t.Errorf("%d delivered by %d attempts, want 15 by 15", n, p.count())
		}
	})
}

// TestIdleDestinations checks that destinations without work have no goroutines.
func TestIdleDestinations(t *testing.T) { //nolint:paralleltest // because it counts goroutines
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		lanes := make([]Lane, 10_000)
		for i := range lanes {
			lanes[i] = Lane{Name: strconv.Itoa(i), Destination: answer(tenterhook.OutcomeSuccess)}
		}
		r := setup(t, Options{}, lanes...)
		for i := range lanes {
			r.send(lanes[i].Name, 1)
		}
		synctest.Wait()
		if n := r.count(tenterhook.StateDelivered); n != len(lanes) {
			t.Errorf("%d delivered, want %d", n, len(lanes))
		}
		if n := runtime.NumGoroutine() - before; n > maxIdle+10 {
			t.Errorf("%d goroutines for idle destinations", n)
		}
	})
}

// A backlog is a store in which a million deliveries wait, made up as asked.
type backlog struct {
	*model
	from tenterhook.ID
}

const million = 1_000_000

func (b *backlog) Pending(
	_ context.Context, destination string, after Cursor, limit int,
) ([]tenterhook.Delivery, error) {
	var page []tenterhook.Delivery
	start := time.Unix(0, 0).UTC()
	for i := max(after.NextAt.Sub(start)/time.Second+1, 0); i < million && len(page) < limit; i++ {
		id := b.from
		id[8], id[9], id[10] = byte(i>>16), byte(i>>8), byte(i)
		page = append(page, tenterhook.Delivery{
			ID: id.Delivery(1), Destination: destination, State: tenterhook.StatePending,
			NextAt:    start.Add(i * time.Second), //nolint:durationcheck // i counts seconds
			LastError: strings.Repeat("x", 4<<10),
		})
	}
	return page, nil
}

func (b *backlog) Event(_ context.Context, id tenterhook.ID) (*tenterhook.Event, error) {
	return &tenterhook.Event{ID: id, Body: []byte("{}")}, nil
}

func (b *backlog) Record(_ tenterhook.Attempt, _ tenterhook.Delivery, done func(error)) { done(nil) }

// TestMillionPending checks that a backlog stays in the store: for a destination
// that is down, for one that hangs, and for one that works it off.
func TestMillionPending(t *testing.T) { //nolint:paralleltest // because it measures the heap
	var count atomic.Int64
	counted := func(ctx context.Context, e *tenterhook.Event, d *tenterhook.Delivery) tenterhook.Attempt {
		count.Add(1)
		return answer(tenterhook.OutcomeSuccess)(ctx, e, d)
	}
	for name, to := range map[string]destinationFunc{
		"down": answer(tenterhook.OutcomeRetry), "hangs": hang, "works": counted,
	} {
		synctest.Test(t, func(t *testing.T) {
			ids := tenterhook.NewIDs(nil)
			store := &backlog{model: newModel(), from: ids.New()}
			before := heapBytes()
			e := New(store, Options{})
			e.Configure([]Lane{{Name: "a", Destination: to, Concurrency: 8}})
			if err := e.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range 10_000 { // and what is accepted meanwhile
				d, event := one(ids, "a", strings.Repeat("x", 10<<10))
				e.Offer([]Offer{{Delivery: d, Event: event}})
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			s, used := e.Stats()["a"], int64(heapBytes())-int64(before)
			if s.Waiting > 2*DefaultWindow || used > 20<<20 {
				t.Errorf("%s: %d bytes, %+v", name, used, s)
			}
			stop, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			if err := e.Stop(stop); err != nil {
				t.Error(err)
			}
		})
	}
	if n := count.Load(); n < million {
		t.Errorf("%d of a million were worked off", n)
	}
}

func heapBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestBodies checks that bodies of waiting deliveries are held within the budget
// only, that one destination leaves room for another, and that each delivery
// gets its own body all the same.
func TestBodies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const budget = 100 << 10
		var wrong, open atomic.Int64
		gate := make(chan struct{})
		to := func(_ context.Context, e *tenterhook.Event, d *tenterhook.Delivery) tenterhook.Attempt {
			<-gate
			if len(e.Body) != 9<<10 || e.ID != d.ID.Event() {
				wrong.Add(1)
			}
			open.Add(1)
			return tenterhook.Attempt{Outcome: tenterhook.OutcomeSuccess}
		}
		r := setup(t, Options{BodyBudget: budget},
			Lane{Name: "a", Destination: destinationFunc(to)}, Lane{Name: "b", Destination: destinationFunc(to)})
		for _, name := range []string{"a", "b"} {
			for range 50 {
				d, e := one(r.ids, name, strings.Repeat("x", 9<<10))
				r.accept(d, e)
			}
		}
		synctest.Wait()
		s := r.engine.Stats()
		if a, b := s["a"].Bodies, s["b"].Bodies; a+b > budget || a < budget/3 || b < budget/5 {
			t.Errorf("%d and %d bytes held of %d", a, b, budget)
		}
		close(gate)
		synctest.Wait()
		if open.Load() != 100 || wrong.Load() != 0 {
			t.Errorf("%d attempts, %d with a wrong body; want 100, 0", open.Load(), wrong.Load())
		}
	})
}

// TestLog checks the line of an attempt.
func TestLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		opts := Options{Logger: slog.New(slog.NewTextHandler(&out, nil))}
		r := setup(t, opts, Lane{Name: "a", Destination: answer(tenterhook.OutcomeSuccess)})
		id := r.send("a", 1)[0]
		synctest.Wait()
		for _, want := range []string{
			"msg=attempt", "destination=a", "delivery=" + id.String(), "attempt=1", "outcome=success", "state=delivered",
		} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q is not in %s", want, out.String())
			}
		}
	})
}
