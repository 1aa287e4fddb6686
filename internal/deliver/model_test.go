package deliver

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/tenterhook/tenterhook"
)

// A step is one thing that happens from outside.
type step struct {
	Kind  string
	Pick  int           // which delivery or destination
	Count int           // how many
	Wait  time.Duration // after it
}

func steps() *rapid.Generator[[]step] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{
			Kind: rapid.SampledFrom([]string{
				"accept", "accept", "accept", "accept", "later", "cancel", "requeue", "cancel+requeue",
				"reconfigure", "remove", "remove and back", "restart", "nothing", "requeue all",
			}).Draw(t, "kind"),
			Pick:  rapid.IntRange(0, 1<<16).Draw(t, "pick"),
			Count: rapid.IntRange(1, 12).Draw(t, "count"),
			Wait: rapid.SampledFrom([]time.Duration{
				0, 0, time.Microsecond, time.Millisecond, 10 * time.Millisecond, time.Second, 10 * time.Second,
			}).Draw(t, "wait"),
		}
	}), 1, 60)
}

// A world is a model store, an engine, and destinations that answer at random.
type world struct {
	*model
	rng    *rand.Rand // guarded by model.mu
	ids    *tenterhook.IDs
	all    []tenterhook.ID
	flying map[tenterhook.ID]bool // guarded by model.mu
	names  []string
	kind   bool // the destinations are well from now on
	window int
}

func (w *world) roll(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.IntN(n)
}

func (w *world) pauses(most time.Duration) func() time.Duration {
	return func() time.Duration { return time.Duration(w.roll(int(most))) * time.Duration(w.roll(2)) }
}

// dropped reports whether the engine knows that d is cancelled.
func (w *world) dropped(d *tenterhook.Delivery) bool {
	q := (*w.engine.queues.Load())[d.Destination]
	q.mu.Lock()
	defer q.mu.Unlock()
	it := q.known[d.ID]
	return it != nil && it.dropped
}

// Deliver checks that the engine may make this attempt now, and answers at random.
func (w *world) Deliver(ctx context.Context, e *tenterhook.Event, d *tenterhook.Delivery) tenterhook.Attempt {
	w.mu.Lock()
	row := w.rows[d.ID]
	switch {
	case w.flying[d.ID]:
		w.fault("two attempts of %v at the same time", d.ID)
	case row.State == tenterhook.StateCancelled && (w.telling || w.dropped(d)): // was on its way already
	case !waits(&row):
		w.fault("attempt of %v, which is %s", d.ID, row.State)
	case row.Attempts != d.Attempts:
		w.fault("attempt %d of %v, which had %d", d.Attempts+1, d.ID, row.Attempts)
	}
	if e.ID != d.ID.Event() {
		w.fault("%v sent with event %v", d.ID, e.ID)
	}
	w.flying[d.ID] = true
	luck, takes := w.rng.IntN(100), time.Duration(w.rng.IntN(int(20*time.Millisecond)))
	if w.kind {
		luck = 0
	}
	w.mu.Unlock()
	err := sleep(ctx, takes)
	w.mu.Lock()
	delete(w.flying, d.ID)
	w.mu.Unlock()
	switch {
	case err != nil:
		return tenterhook.Attempt{Outcome: tenterhook.OutcomeRetry, Error: err.Error()}
	case luck < 50:
		return tenterhook.Attempt{Outcome: tenterhook.OutcomeSuccess}
	case luck < 55:
		return tenterhook.Attempt{Outcome: tenterhook.OutcomeRefused, Error: "no"}
	case luck < 60:
		panic("luck")
	}
	return tenterhook.Attempt{Outcome: tenterhook.OutcomeRetry, Error: "not now"}
}

func (w *world) lanes(names []string) []Lane {
	lanes := make([]Lane, 0, len(names))
	for _, name := range names {
		lanes = append(lanes, Lane{
			Name: name, Destination: w, Concurrency: 1 + w.roll(4),
			Backoff: tenterhook.Backoff{Schedule: []time.Duration{0, time.Second, 5 * time.Second, 5 * time.Second}},
		})
	}
	return lanes
}

func (w *world) start() error {
	w.engine = New(w, Options{Window: w.window, BodyBudget: 20 << 10})
	w.engine.Configure(w.lanes(w.names))
	return w.engine.Start(context.Background())
}

func (w *world) stop(patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return w.engine.Stop(ctx)
}

// do does one step, in the fake time of synctest.
func (w *world) do(s step) error {
	switch s.Kind {
	case "accept", "later":
		for i := range s.Count {
			d, e := one(w.ids, w.names[(s.Pick+i%2)%len(w.names)], fmt.Sprint(s.Pick, i))
			if s.Kind == "later" {
				d.NextAt = d.NextAt.Add(time.Duration(w.roll(int(20 * time.Second)))).Truncate(time.Microsecond)
			}
			w.all = append(w.all, d.ID)
			w.accept(d, e)
		}
	case "cancel", "requeue", "cancel+requeue":
		for range min(s.Count, len(w.all)) {
			id := w.all[w.roll(len(w.all))]
			if s.Kind != "requeue" {
				w.cancel(id)
			}
			if s.Kind != "cancel" {
				w.requeue(id, time.Now().UTC().Truncate(time.Microsecond))
			}
		}
	case "requeue all":
		for _, id := range w.all {
			w.requeue(id, time.Now().UTC().Truncate(time.Microsecond))
		}
	case "reconfigure":
		w.engine.Configure(w.lanes(w.names))
	case "remove":
		w.engine.Configure(w.lanes(w.names[s.Pick%len(w.names):]))
	case "remove and back":
		w.engine.Configure(nil)
		time.Sleep(time.Duration(w.roll(2)) * time.Millisecond)
		w.engine.Configure(w.lanes(w.names))
	case "restart":
		if err := w.stop(time.Duration(s.Count) * time.Millisecond); err != nil {
			return err
		}
		return w.start()
	}
	return nil
}

// check holds the engine's memory against the store, at a moment when nothing
// is on its way between the two.
func (w *world) check() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queued) > 0 || w.telling {
		return
	}
	for name, q := range *w.engine.queues.Load() {
		q.mu.Lock()
		if q.reading.state != readRunning && !q.retired {
			for _, d := range w.rows {
				k := keyOf(&d)
				if d.Destination == name && waits(&d) && !q.horizon.less(&k) && q.known[d.ID] == nil {
					w.fault("%v is up to the horizon and not known", d.ID)
				}
			}
			if most := 2 * q.engine.opts.Window; len(q.waiting) > most {
				w.fault("%d deliveries wait in memory, want at most %d", len(q.waiting), most)
			}
		}
		for i, it := range q.waiting {
			row := w.rows[it.id]
			if it.place != i || q.known[it.id] != it || q.horizon.less(&it.key) {
				w.fault("%v is in the heap and should not be", it.id)
			}
			if q.reading.state != readRunning && (!waits(&row) || keyOf(&row) != it.key) {
				w.fault("%v waits in memory, but is %s in the store", it.id, row.State)
			}
		}
		q.mu.Unlock()
	}
	if used := w.engine.bodies.used.Load(); used < 0 || used > w.engine.bodies.size {
		w.fault("%d bytes of bodies held, want at most %d", used, w.engine.bodies.size)
	}
}

// run does the steps in the fake time of synctest, then lets everything come to its end.
func (w *world) run(plan []step) {
	w.open()
	defer w.close()
	err := w.start()
	for i := 0; err == nil && i < len(plan); i++ {
		err = w.do(plan[i])
		time.Sleep(plan[i].Wait)
		synctest.Wait()
		w.check()
	}
	if err != nil {
		w.fault("%v", err)
	}
	w.engine.Configure(w.lanes(w.names))
	w.mu.Lock()
	w.kind = true
	w.mu.Unlock()
	time.Sleep(time.Hour)
	synctest.Wait()
	w.check()
	for id, d := range w.rows {
		if !d.State.Final() {
			w.fault("%v ends as %s", id, d.State)
		}
		if last := w.attempts[id.Attempt(max(d.Attempts, 1))]; d.State == tenterhook.StateDead &&
			d.Round != 4 && last.Outcome != tenterhook.OutcomeRefused {
			w.fault("%v is dead after %d attempts of its round", id, d.Round)
		}
	}
	for name, s := range w.engine.Stats() {
		if s.Waiting+s.InFlight+s.Recording+s.Unrecorded != 0 || s.Bodies != 0 {
			w.fault("%s ends as %+v", name, s)
		}
	}
	if used := w.engine.bodies.used.Load(); used != 0 {
		w.fault("%d bytes of bodies are still held", used)
	}
	if err := w.stop(time.Second); err != nil {
		w.fault("%v", err)
	}
}

// TestModel lets random things happen to an engine whose window is tiny, on a
// store whose reads and commits take random times and fail, and checks: every
// delivery ends; no two attempts of one delivery overlap; no attempt is made of
// what is not waiting any more; memory and store agree up to the horizon.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		plan := steps().Draw(rt, "plan")
		seed := rapid.Uint64().Draw(rt, "seed")
		window := rapid.SampledFrom([]int{1, 2, 3, 3, 8}).Draw(rt, "window")
		slow := rapid.SampledFrom([]time.Duration{1, time.Millisecond, 40 * time.Millisecond}).Draw(rt, "slow")
		bodies, errs := rapid.Bool().Draw(rt, "bodies"), rapid.IntRange(0, 2).Draw(rt, "errors")
		var faults []string
		synctest.Test(t, func(*testing.T) {
			w := &world{
				model: newModel(), rng: rand.New(rand.NewPCG(seed, 1)), ids: tenterhook.NewIDs(nil),
				flying: map[tenterhook.ID]bool{}, names: []string{"a", "b"}, window: window,
			}
			w.offerBody, w.commit, w.pause = bodies, w.pauses(slow), w.pauses(slow)
			w.readErr = func() error {
				if w.roll(20) < errs {
					return errReading
				}
				return nil
			}
			w.run(plan)
			faults = w.faults
		})
		if len(faults) > 0 {
			slices.Sort(faults)
			rt.Fatalf("%d faults, such as: %s", len(faults), faults[0])
		}
	})
}
