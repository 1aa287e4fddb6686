package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/store"
)

// fill writes events straight into a store, many at a time, as if the gateway had
// been running for long.
type fill struct {
	store   *store.SQLite
	spec    fillSpec
	workers []*template
}

// A fillSpec says what to write.
type fillSpec struct {
	Data        string `json:"data"`        // the directory of the store
	Size        int    `json:"size"`        // bytes of a payload
	Destination string `json:"destination"` // where the events go
	Route       string `json:"route"`       // by this route
	Delivered   bool   `json:"delivered"`   // they are there, at the first attempt; else they wait
}

// fillWriters is how many write at a time: as many as the store's largest
// transaction takes.
const fillWriters = 1024

func (f *fill) actions() map[string]action {
	return map[string]action{
		"open": act(f.open),
		"add":  act(f.add),
		"stop": act(func(context.Context, none) (none, error) { return none{}, f.close() }),
	}
}

func (f *fill) open(ctx context.Context, spec fillSpec) (none, error) {
	opened, err := store.Open(ctx, spec.Data, store.Options{})
	if err != nil {
		return none{}, err
	}
	f.store, f.spec = opened, spec
	f.workers = make([]*template, fillWriters)
	for i := range f.workers {
		f.workers[i], err = newTemplate(templateSpec{
			host: "gateway.example", path: "/webhook/github", event: "push", secret: "fill", size: spec.Size,
		})
		if err != nil {
			return none{}, err
		}
	}
	return none{}, nil
}

// add writes n more events and returns when they are on disk.
func (f *fill) add(ctx context.Context, n int64) (none, error) {
	var taken atomic.Int64
	var working sync.WaitGroup
	errs := make([]error, len(f.workers))
	for i, t := range f.workers {
		working.Go(func() {
			for errs[i] == nil && taken.Add(1) <= n {
				errs[i] = f.one(ctx, t)
			}
		})
	}
	working.Wait()
	return none{}, errors.Join(errs...)
}

// one writes an event, its delivery and, if it is to be delivered, its attempt.
func (f *fill) one(ctx context.Context, t *template) error {
	now := time.Now().UTC().Truncate(time.Microsecond)
	t.fill(stamp{sent: now.UnixNano()})
	e := &tenterhook.Event{
		Source: "github", Type: "push", DeliveryID: string(t.places.delivery), ReceivedAt: now,
		Header: t.header(), Body: t.body,
		Decisions: []tenterhook.Decision{{
			Route: f.spec.Route, Verdict: tenterhook.VerdictMatched, To: []string{f.spec.Destination},
		}},
	}
	ds := []tenterhook.Delivery{{
		Destination: f.spec.Destination, Route: f.spec.Route, State: tenterhook.StatePending, NextAt: now,
	}}
	if _, err := f.store.Accept(ctx, e, ds, tenterhook.RedeliveryHeal); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	if !f.spec.Delivered {
		return nil
	}
	d := ds[0]
	d.State, d.Attempts, d.Round, d.LastStatus, d.UpdatedAt = tenterhook.StateDelivered, 1, 1, 200, now
	recorded := make(chan error, 1)
	f.store.Record(tenterhook.Attempt{
		ID: d.ID.Attempt(1), StartedAt: now, Duration: time.Millisecond, Outcome: tenterhook.OutcomeSuccess, Status: 200,
	}, d, func(err error) { recorded <- err })
	return <-recorded
}

func (f *fill) close() error {
	if f.store == nil {
		return nil
	}
	err := f.store.Close()
	f.store = nil
	return err
}
