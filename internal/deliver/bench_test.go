package deliver

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook"
)

// A sink is a store that keeps nothing and commits what it is given in groups,
// by one goroutine, as a real one does.
type sink struct {
	mu   sync.Mutex
	done []func(error)
	work chan struct{}
}

func (*sink) Pending(context.Context, string, Cursor, int) ([]tenterhook.Delivery, error) {
	return nil, nil
}

func (*sink) Event(_ context.Context, id tenterhook.ID) (*tenterhook.Event, error) {
	return &tenterhook.Event{ID: id, Body: []byte("{}")}, nil
}

func (s *sink) Record(_ tenterhook.Attempt, _ tenterhook.Delivery, done func(error)) {
	s.mu.Lock()
	s.done = append(s.done, done)
	first := len(s.done) == 1
	s.mu.Unlock()
	if first {
		s.work <- struct{}{}
	}
}

func (s *sink) commit() {
	var group []func(error)
	for range s.work {
		s.mu.Lock()
		group, s.done = s.done, group[:0]
		s.mu.Unlock()
		for _, done := range group {
			done(nil)
		}
	}
}

// BenchmarkOffer measures one delivery from the offer to its committed record,
// to a destination that does nothing, with a group of commits on the way.
func BenchmarkOffer(b *testing.B) {
	for _, bb := range []struct {
		name        string
		group, lane int
	}{{"one at a time", 1, 1}, {"groups of 32", 32, 1}, {"groups of 32 to 8 destinations", 32, 8}} {
		b.Run(bb.name, func(b *testing.B) {
			s := &sink{work: make(chan struct{}, 4)}
			go s.commit()
			defer close(s.work)
			names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}[:bb.lane]
			lanes := make([]Lane, 0, len(names))
			for _, name := range names {
				lanes = append(lanes, Lane{Name: name, Destination: answer(tenterhook.OutcomeSuccess), Concurrency: 32})
			}
			var wg sync.WaitGroup
			e := New(s, Options{Observe: func(Observation) { wg.Done() }})
			e.Configure(lanes)
			if err := e.Start(b.Context()); err != nil {
				b.Fatal(err)
			}
			for _, name := range names { // offers before the first page is read are left to the store
				for !e.Stats()[name].Complete {
					runtime.Gosched()
				}
			}
			ids, now := tenterhook.NewIDs(nil), time.Now()
			event := &tenterhook.Event{Body: make([]byte, 1<<10)}
			offers := make([]Offer, bb.group)
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; {
				for i := range offers {
					offers[i] = Offer{Event: event, Delivery: tenterhook.Delivery{
						ID: ids.New().Delivery(1), Destination: names[i%len(names)],
						State: tenterhook.StatePending, NextAt: now,
					}}
				}
				n += len(offers)
				wg.Add(len(offers))
				e.Offer(offers)
				if n%1024 == 0 {
					wg.Wait()
				}
			}
			wg.Wait()
			if err := e.Stop(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
}
