// Package storetest is the conformance suite that every store passes. It speaks
// of what users of a store may rely on, and knows nothing of the database.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/store"
)

// Store is what is tested.
type Store interface {
	Recorder
	Reader
	Changer
	Maintainer
}

// A Recorder takes what happens.
type Recorder interface {
	Accept(ctx context.Context, e *tenterhook.Event, ds []tenterhook.Delivery, on tenterhook.OnRedelivery) (tenterhook.Receipt, error)
	Record(a tenterhook.Attempt, d tenterhook.Delivery, done func(error))
	Reject(r tenterhook.Rejection)
	Subscribe(sub store.Subscriber)
}

// A Reader answers questions.
type Reader interface {
	Pending(ctx context.Context, destination string, after store.Place, limit int) ([]tenterhook.Delivery, error)
	EventDetail(ctx context.Context, id tenterhook.ID) (*store.EventDetail, error)
	Events(ctx context.Context, f store.EventFilter, p store.Page) ([]store.EventRow, error)
	Deliveries(ctx context.Context, f store.DeliveryFilter, p store.Page) ([]tenterhook.Delivery, error)
	Stats(ctx context.Context) (*store.Stats, error)
}

// A Changer does what people ask for.
type Changer interface {
	Requeue(ctx context.Context, id tenterhook.ID) (*tenterhook.Delivery, error)
	Cancel(ctx context.Context, id tenterhook.ID) (*tenterhook.Delivery, error)
	Replay(ctx context.Context, event tenterhook.ID, ds []tenterhook.Delivery) (*store.ReplayResult, error)
	Rejections(ctx context.Context, limit int) ([]tenterhook.Rejection, error)
}

// A Maintainer looks after the store.
type Maintainer interface {
	Prune(ctx context.Context, r store.Retention) (store.Pruned, error)
	Close() error
}

// A Clock is a clock that a test moves.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// An Open function returns a store, and a function that closes it and opens it
// again as after a restart.
type Open func(t *testing.T, now func() time.Time) (s Store, reopen func() Store)

// Run runs the suite.
func Run(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		test func(f *fixture, t *testing.T)
	}{
		{"an accepted event is read back byte for byte", (*fixture).testRoundTrip},
		{"ids follow the order of commits, also over a restart", (*fixture).testIDOrder},
		{"deliveries are offered after they are committed", (*fixture).testOffer},
		{"a duplicate makes no second event", (*fixture).testDuplicate},
		{"a hundred at once make one event", (*fixture).testDuplicateRace},
		{"a redelivery heals", (*fixture).testHeal},
		{"a redelivery may be an event of its own, or only be counted", (*fixture).testRedeliveryModes},
		{"pending is read in order, page by page", (*fixture).testPending},
		{"an attempt moves its delivery", (*fixture).testRecord},
		{"requeue, cancel and replay", (*fixture).testChange},
		{"lists filter and page", (*fixture).testLists},
		{"rejections are a ring", (*fixture).testRejections},
		{"retention prunes what is finished and old", (*fixture).testPrune},
		{"counts are right after a restart", (*fixture).testStats},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := &fixture{clock: &Clock{at: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}}
			f.Store, f.reopen = open(t, f.clock.Now)
			c.test(f, t)
		})
	}
}

type fixture struct {
	Store
	clock  *Clock
	reopen func() Store
}

func (f *fixture) accept(
	t *testing.T, deliveryID string, on tenterhook.OnRedelivery, destinations ...string,
) (tenterhook.Receipt, *tenterhook.Event) {
	t.Helper()
	e := &tenterhook.Event{Source: "github", Type: "push", DeliveryID: deliveryID, ReceivedAt: f.clock.Now(),
		Header: http.Header{"X-Github-Event": {"push"}}, Body: []byte(`{"ref":"refs/heads/main"}`)}
	receipt, err := f.Accept(t.Context(), e, deliveries(f.clock.Now(), destinations...), on)
	if err != nil {
		t.Fatal(err)
	}
	return receipt, e
}

func deliveries(now time.Time, destinations ...string) []tenterhook.Delivery {
	var ds []tenterhook.Delivery
	for _, name := range destinations {
		ds = append(ds, tenterhook.Delivery{Destination: name, Route: "r", State: tenterhook.StatePending, NextAt: now})
	}
	return ds
}

// record has an attempt of d recorded, after which it stands at state.
func (f *fixture) record(t *testing.T, d tenterhook.Delivery, state tenterhook.State, next time.Time) tenterhook.Delivery {
	t.Helper()
	outcome := tenterhook.OutcomeRetry
	if state == tenterhook.StateDelivered {
		outcome = tenterhook.OutcomeSuccess
	}
	d.Attempts++
	d.Round++
	d.State, d.NextAt, d.UpdatedAt, d.LastStatus = state, next, f.clock.Now(), 500
	done := make(chan error, 1)
	f.Record(tenterhook.Attempt{ID: d.ID.Attempt(d.Attempts), StartedAt: f.clock.Now(), Duration: time.Millisecond,
		Outcome: outcome, Status: 500, Response: []byte("no")}, d, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return d
}

func (f *fixture) detail(t *testing.T, id tenterhook.ID) *store.EventDetail {
	t.Helper()
	detail, err := f.EventDetail(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return detail
}

func (f *fixture) testRoundTrip(t *testing.T) {
	for name, body := range map[string][]byte{
		"json": []byte(`{"a": 1, "a":2, "n": 90071992547409931}`), "empty": {}, "not UTF-8": {0xff, 0xfe, 0, '\n'},
		"large": bytes.Repeat([]byte("x"), 3<<20),
	} {
		e := &tenterhook.Event{Source: "s", Type: "t", ReceivedAt: f.clock.Now(), Body: body,
			Header:    http.Header{"X-Odd": {"\x80 obs: text", "", "two"}, "Accept": {"*/*"}},
			Decisions: []tenterhook.Decision{{Route: "a", Verdict: tenterhook.VerdictWhen, Detail: "no"}}}
		if _, err := f.Accept(t.Context(), e, nil, tenterhook.RedeliveryHeal); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, &f.detail(t, e.ID).Event); diff != "" {
			t.Errorf("%s: (-accepted +read)\n%s", name, diff)
		}
	}
	marked := &tenterhook.Event{Source: "marked", ReceivedAt: f.clock.Now(), Body: []byte("b"), Header: http.Header{},
		Marks: tenterhook.Marks{Unbound: true, SchemaMismatch: "/a: want a number", Redacted: []string{"header X-A"}, Leaked: true}}
	if _, err := f.Accept(t.Context(), marked, nil, tenterhook.RedeliveryHeal); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(marked, &f.detail(t, marked.ID).Event); diff != "" {
		t.Errorf("marked: (-accepted +read)\n%s", diff)
	}
	rows, err := f.Events(t.Context(), store.EventFilter{Source: "marked"}, store.Page{})
	if err != nil || len(rows) != 1 || !cmp.Equal(rows[0].Marks, marked.Marks) {
		t.Errorf("listed %+v, %v; want it with its marks", rows, err)
	}
	if _, err := f.EventDetail(t.Context(), tenterhook.NewIDs(nil).New()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown event: %v, want ErrNotFound", err)
	}
}

func (f *fixture) testIDOrder(t *testing.T) {
	_, first := f.accept(t, "", tenterhook.RedeliveryHeal)
	f.clock.Advance(-time.Hour) // the clock was put back
	f.Store = f.reopen()
	_, second := f.accept(t, "", tenterhook.RedeliveryHeal)
	if second.ID.Compare(first.ID) <= 0 {
		t.Errorf("%s came after %s, but sorts before it", second.ID, first.ID)
	}
}

// recorder is a Subscriber that remembers.
type recorder struct {
	mu      sync.Mutex
	offered []store.Due
	dropped []tenterhook.ID
}

func (r *recorder) Offer(due []store.Due) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.offered = append(r.offered, slices.Clone(due)...)
}

func (r *recorder) Drop(ids []tenterhook.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropped = append(r.dropped, ids...)
}

func (f *fixture) testOffer(t *testing.T) {
	var seen recorder
	f.Subscribe(&seen)
	_, e := f.accept(t, "1", tenterhook.RedeliveryHeal, "a", "b")
	if len(seen.offered) != 2 || seen.offered[0].Event != e || seen.offered[1].Delivery.ID != e.ID.Delivery(2) {
		t.Fatalf("offered %+v, want both deliveries with their event", seen.offered)
	}
	if _, err := f.Cancel(t.Context(), e.ID.Delivery(1)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(seen.dropped, []tenterhook.ID{e.ID.Delivery(1)}) {
		t.Errorf("dropped %v, want the cancelled delivery", seen.dropped)
	}
	if _, err := f.Requeue(t.Context(), e.ID.Delivery(1)); err != nil {
		t.Fatal(err)
	}
	if len(seen.offered) != 3 || seen.offered[2].Delivery.ID != e.ID.Delivery(1) {
		t.Errorf("offered %+v, want the requeued delivery last", seen.offered)
	}
}

func (f *fixture) testDuplicate(t *testing.T) {
	first, e := f.accept(t, "guid", tenterhook.RedeliveryHeal, "a")
	if first.Duplicate || first.ID != e.ID {
		t.Fatalf("first: %+v", first)
	}
	for _, reopen := range []bool{false, true} {
		if reopen {
			f.Store = f.reopen()
			f.clock.Advance(72 * time.Hour)
		}
		again, _ := f.accept(t, "guid", tenterhook.RedeliveryHeal, "a")
		if want := (tenterhook.Receipt{ID: e.ID, Duplicate: true}); again != want {
			t.Errorf("again, after a restart: %t: %+v, want %+v", reopen, again, want)
		}
	}
	other := &tenterhook.Event{Source: "other", DeliveryID: "guid", ReceivedAt: f.clock.Now()}
	if r, err := f.Accept(t.Context(), other, nil, tenterhook.RedeliveryHeal); err != nil || r.Duplicate {
		t.Errorf("the same id from another source: %+v, %v; want an event", r, err)
	}
	if n := f.detail(t, e.ID); len(n.Redeliveries) != 2 || !n.Redeliveries[0].SameBody {
		t.Errorf("redeliveries %+v, want two with the same body", n.Redeliveries)
	}
}

func (f *fixture) testDuplicateRace(t *testing.T) {
	var wg sync.WaitGroup
	receipts := make([]tenterhook.Receipt, 100)
	for i := range receipts {
		wg.Go(func() { receipts[i], _ = f.accept(t, "one", tenterhook.RedeliveryHeal, "a") })
	}
	wg.Wait()
	fresh := 0
	for _, r := range receipts {
		if !r.Duplicate {
			fresh++
		}
		if r.ID != receipts[0].ID {
			t.Errorf("answered %s and %s for one delivery id", r.ID, receipts[0].ID)
		}
	}
	if fresh != 1 {
		t.Errorf("%d events for one delivery id", fresh)
	}
}

func (f *fixture) testHeal(t *testing.T) {
	_, e := f.accept(t, "guid", tenterhook.RedeliveryHeal, "dead", "done", "waits")
	f.record(t, tenterhook.Delivery{ID: e.ID.Delivery(1), Destination: "dead"}, tenterhook.StateDead, time.Time{})
	f.record(t, tenterhook.Delivery{ID: e.ID.Delivery(2), Destination: "done"}, tenterhook.StateDelivered, time.Time{})
	again, _ := f.accept(t, "guid", tenterhook.RedeliveryHeal, "dead", "done", "waits", "new")
	if want := (tenterhook.Receipt{ID: e.ID, Duplicate: true, Requeued: 1}); again != want {
		t.Errorf("redelivery: %+v, want %+v", again, want)
	}
	ds := f.detail(t, e.ID).Deliveries
	if len(ds) != 3 || ds[0].State != tenterhook.StatePending || ds[0].Round != 0 || ds[1].State != tenterhook.StateDelivered {
		t.Errorf("deliveries %+v, want the dead one pending and the others as they were", ds)
	}

	_, lonely := f.accept(t, "unmatched", tenterhook.RedeliveryHeal)
	healed, _ := f.accept(t, "unmatched", tenterhook.RedeliveryHeal, "a", "b")
	if want := (tenterhook.Receipt{ID: lonely.ID, Duplicate: true, Added: 2}); healed != want {
		t.Errorf("redelivery of an unmatched event: %+v, want %+v", healed, want)
	}
	if ds := f.detail(t, lonely.ID).Deliveries; len(ds) != 2 || ds[1].ID != lonely.ID.Delivery(2) {
		t.Errorf("deliveries %+v, want two of the first event", ds)
	}
}

func (f *fixture) testRedeliveryModes(t *testing.T) {
	_, e := f.accept(t, "p", tenterhook.RedeliveryProcess, "a")
	again, second := f.accept(t, "p", tenterhook.RedeliveryProcess, "a")
	if again.Duplicate || again.ID == e.ID {
		t.Errorf("process: %+v, want an event of its own", again)
	}
	if of := f.detail(t, second.ID).RedeliveryOf; of != e.ID {
		t.Errorf("process: linked to %q, want the first event", of)
	}
	_, e = f.accept(t, "i", tenterhook.RedeliveryIgnore, "a")
	f.record(t, tenterhook.Delivery{ID: e.ID.Delivery(1), Destination: "a"}, tenterhook.StateDead, time.Time{})
	ignored, _ := f.accept(t, "i", tenterhook.RedeliveryIgnore, "a")
	if want := (tenterhook.Receipt{ID: e.ID, Duplicate: true}); ignored != want {
		t.Errorf("ignore: %+v, want %+v", ignored, want)
	}
}

func (f *fixture) testPending(t *testing.T) {
	var want []tenterhook.ID
	for range 7 {
		_, e := f.accept(t, "", tenterhook.RedeliveryHeal, "a", "b")
		want = append(want, e.ID.Delivery(1))
	}
	// The first is to be retried last.
	first := tenterhook.Delivery{ID: want[0], Destination: "a"}
	f.record(t, first, tenterhook.StateRetrying, f.clock.Now().Add(time.Hour))
	want = append(want[1:], want[0])
	var got []tenterhook.ID
	var last store.Place
	for {
		page, err := f.Pending(t.Context(), "a", last, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page {
			got = append(got, d.ID)
			last = store.Place{NextAt: d.NextAt, ID: d.ID}
		}
		if len(page) < 3 {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pending (-want +got)\n%s", diff)
	}
}

func (f *fixture) testRecord(t *testing.T) {
	_, e := f.accept(t, "", tenterhook.RedeliveryHeal, "a")
	d := tenterhook.Delivery{ID: e.ID.Delivery(1), Destination: "a", Route: "r"}
	d = f.record(t, d, tenterhook.StateRetrying, f.clock.Now().Add(time.Minute))
	d = f.record(t, d, tenterhook.StateDelivered, time.Time{})
	detail := f.detail(t, e.ID)
	if diff := cmp.Diff([]tenterhook.Delivery{d}, detail.Deliveries); diff != "" {
		t.Errorf("delivery (-recorded +read)\n%s", diff)
	}
	if len(detail.Attempts) != 2 || detail.Attempts[1].ID != d.ID.Attempt(2) || detail.Attempts[1].Outcome != tenterhook.OutcomeSuccess ||
		string(detail.Attempts[0].Response) != "no" || detail.Attempts[0].Duration != time.Millisecond {
		t.Errorf("attempts %+v", detail.Attempts)
	}
	if pending, err := f.Pending(t.Context(), "a", store.Place{}, 10); err != nil || len(pending) != 0 {
		t.Errorf("a delivered delivery still waits: %+v, %v", pending, err)
	}
}

func (f *fixture) testChange(t *testing.T) {
	_, e := f.accept(t, "", tenterhook.RedeliveryHeal, "a", "b")
	a, b := e.ID.Delivery(1), e.ID.Delivery(2)
	var wrong *store.StateError
	if _, err := f.Requeue(t.Context(), a); !errors.As(err, &wrong) {
		t.Errorf("requeue of a pending delivery: %v, want a StateError", err)
	}
	if d, err := f.Cancel(t.Context(), a); err != nil || d.State != tenterhook.StateCancelled {
		t.Fatalf("cancel: %+v, %v", d, err)
	}
	if _, err := f.Cancel(t.Context(), a); !errors.As(err, &wrong) {
		t.Errorf("second cancel: %v, want a StateError", err)
	}
	if _, err := f.Cancel(t.Context(), e.ID.Delivery(9)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("cancel of nothing: %v, want ErrNotFound", err)
	}
	// An attempt that was under way leaves it cancelled, unless it got there.
	f.record(t, tenterhook.Delivery{ID: a, Destination: "a"}, tenterhook.StateRetrying, f.clock.Now())
	if d := f.detail(t, e.ID).Deliveries[0]; d.State != tenterhook.StateCancelled {
		t.Errorf("cancelled, then failed: %s", d.State)
	}
	f.record(t, tenterhook.Delivery{ID: a, Destination: "a", Attempts: 1}, tenterhook.StateDelivered, time.Time{})
	if d := f.detail(t, e.ID).Deliveries[0]; d.State != tenterhook.StateDelivered {
		t.Errorf("cancelled, then delivered: %s", d.State)
	}
	result, err := f.Replay(t.Context(), e.ID, deliveries(f.clock.Now(), "a", "b", "c"))
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Requeued) != 1 || result.Requeued[0].ID != a || len(result.Waiting) != 1 || result.Waiting[0].ID != b ||
		len(result.Added) != 1 || result.Added[0].ID != e.ID.Delivery(3) {
		t.Errorf("replay: %+v", result)
	}
	if _, err := f.Replay(t.Context(), tenterhook.NewIDs(nil).New(), nil); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("replay of nothing: %v, want ErrNotFound", err)
	}
}

func (f *fixture) testLists(t *testing.T) {
	var ids []tenterhook.ID
	for i, typ := range []string{"push", "pull_request.opened", "pull_request.closed", "pull_requests"} {
		f.clock.Advance(time.Minute)
		e := &tenterhook.Event{Source: "github", Type: typ, DeliveryID: typ, ReceivedAt: f.clock.Now(), Body: []byte("{}")}
		ds := deliveries(f.clock.Now(), []string{"a", "b"}[:min(i, 2)]...)
		if _, err := f.Accept(t.Context(), e, ds, tenterhook.RedeliveryHeal); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	f.record(t, tenterhook.Delivery{ID: ids[2].Delivery(1), Destination: "a"}, tenterhook.StateDead, time.Time{})
	for name, c := range map[string]struct {
		filter store.EventFilter
		page   store.Page
		want   []int
	}{
		"all":         {want: []int{3, 2, 1, 0}},
		"page":        {page: store.Page{Limit: 2}, want: []int{3, 2}},
		"next page":   {page: store.Page{Limit: 2, Before: ids[2]}, want: []int{1, 0}},
		"type":        {filter: store.EventFilter{Type: "push"}, want: []int{0}},
		"type below":  {filter: store.EventFilter{Type: "pull_request"}, want: []int{2, 1}},
		"type glob":   {filter: store.EventFilter{Type: "pull*"}, want: []int{3, 2, 1}},
		"source":      {filter: store.EventFilter{Source: "gitlab"}},
		"delivery id": {filter: store.EventFilter{DeliveryID: "push"}, want: []int{0}},
		"unmatched":   {filter: store.EventFilter{Unmatched: true}, want: []int{0}},
		"dead":        {filter: store.EventFilter{State: tenterhook.StateDead}, want: []int{2}},
		"since":       {filter: store.EventFilter{Since: ids[2].Time()}, want: []int{3, 2}},
		"until":       {filter: store.EventFilter{Until: ids[1].Time()}, want: []int{0}},
	} {
		rows, err := f.Events(t.Context(), c.filter, c.page)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, r := range rows {
			got = append(got, slices.Index(ids, r.ID))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: events %v, want %v", name, got, c.want)
		}
	}
	dead, err := f.Deliveries(t.Context(), store.DeliveryFilter{State: tenterhook.StateDead, Destination: "a"}, store.Page{})
	if err != nil || len(dead) != 1 || dead[0].ID != ids[2].Delivery(1) {
		t.Errorf("dead deliveries %+v, %v", dead, err)
	}
}

func (f *fixture) testRejections(t *testing.T) {
	const ring = 10 // as the suite's stores are opened
	for i := range 25 {
		f.Reject(tenterhook.Rejection{
			At: f.clock.Now(), Source: "github", Status: 401 + i, Reason: "signature_mismatch", Peer: "192.0.2.1",
		})
	}
	f.accept(t, "", tenterhook.RedeliveryHeal) // commits after them
	list, err := f.Rejections(t.Context(), 100)
	if err != nil || len(list) != ring || list[0].Status != 425 || list[ring-1].Status != 416 {
		t.Errorf("%d rejections, %v: %+v; want the last %d, newest first", len(list), err, list, ring)
	}
}

func (f *fixture) testPrune(t *testing.T) {
	_, done := f.accept(t, "done", tenterhook.RedeliveryHeal, "a")
	_, waits := f.accept(t, "waits", tenterhook.RedeliveryHeal, "a")
	f.record(t, tenterhook.Delivery{ID: done.ID.Delivery(1), Destination: "a"}, tenterhook.StateDead, time.Time{})
	f.clock.Advance(40 * 24 * time.Hour)
	_, young := f.accept(t, "young", tenterhook.RedeliveryHeal)
	day := 24 * time.Hour
	retention := store.Retention{Bodies: 30 * day, Events: 90 * day}
	if p, err := f.Prune(t.Context(), retention); err != nil || p != (store.Pruned{Bodies: 1}) {
		t.Errorf("after 40 days: %+v, %v; want one body pruned", p, err)
	}
	if e := f.detail(t, done.ID); e.Body != nil || e.Size == 0 || len(e.Attempts) != 1 {
		t.Errorf("pruned event: %+v, want it without its body", e)
	}
	if f.detail(t, waits.ID).Body == nil || f.detail(t, young.ID).Body == nil {
		t.Error("a body that is still needed was pruned")
	}
	f.clock.Advance(60 * day)
	if p, err := f.Prune(t.Context(), retention); err != nil || p.Events != 1 {
		t.Errorf("after 100 days: %+v, %v; want one event pruned", p, err)
	}
	if _, err := f.EventDetail(t.Context(), done.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("pruned event: %v, want ErrNotFound", err)
	}
	if st, err := f.Stats(t.Context()); err != nil || len(st.Dead) != 0 || st.Pending["a"] != 1 {
		t.Errorf("stats %+v, %v; want no dead and one pending", st, err)
	}
}

func (f *fixture) testStats(t *testing.T) {
	for range 3 {
		f.accept(t, "", tenterhook.RedeliveryHeal, "a", "b")
	}
	_, e := f.accept(t, "", tenterhook.RedeliveryHeal, "a")
	f.record(t, tenterhook.Delivery{ID: e.ID.Delivery(1), Destination: "a"}, tenterhook.StateDead, time.Time{})
	for _, when := range []string{"before", "after"} {
		st, err := f.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if st.Pending["a"] != 3 || st.Pending["b"] != 3 || st.Dead["a"] != 1 || st.Events != 4 || !st.OldestDue["a"].Equal(f.clock.Now()) {
			t.Errorf("%s a restart: %+v", when, st)
		}
		f.Store = f.reopen()
	}
}
