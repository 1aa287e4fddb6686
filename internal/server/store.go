package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/internal/deliver"
	"github.com/tenterhook/tenterhook/internal/ingest"
	"github.com/tenterhook/tenterhook/internal/store"
)

// Store is what the parts of a server need of one.
type Store interface {
	ingest.Store
	api.EventStore
	api.DeliveryStore
	api.StatusStore
	keeper
}

// keeper is what the server itself needs, and passes on to the engine.
type keeper interface {
	recorder
	lifecycle
}

type recorder interface {
	Pending(ctx context.Context, destination string, after store.Place, limit int) ([]tenterhook.Delivery, error)
	Record(a tenterhook.Attempt, d tenterhook.Delivery, done func(error))
	Subscribe(sub store.Subscriber)
}

type lifecycle interface {
	Prune(ctx context.Context, r store.Retention) (store.Pruned, error)
	Commits() int64
	Failed() <-chan struct{}
	Err() error
	Close() error
}

// engineStore is a store as the delivery engine wants it.
type engineStore struct{ Store }

func (s engineStore) Pending(ctx context.Context, destination string, after deliver.Cursor, limit int) ([]tenterhook.Delivery, error) {
	return s.Store.Pending(ctx, destination, store.Place(after), limit)
}

func (s engineStore) Event(ctx context.Context, id tenterhook.ID) (*tenterhook.Event, error) {
	e, err := s.Store.Event(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("%w: %w", deliver.ErrNoEvent, err)
	}
	return e, err
}

// offers passes on to the engine what the store reports. Only the store's writer
// calls it, so that one slice serves all calls.
type offers struct {
	engine *deliver.Engine
	items  []deliver.Offer
}

func (o *offers) Offer(due []store.Due) {
	o.items = o.items[:0]
	for _, d := range due {
		o.items = append(o.items, deliver.Offer(d))
	}
	o.engine.Offer(o.items)
	clear(o.items)
}

func (o *offers) Drop(ids []tenterhook.ID) { o.engine.Drop(ids) }
