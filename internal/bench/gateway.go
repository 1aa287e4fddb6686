package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/tenterhook/tenterhook/internal/config"
	"github.com/tenterhook/tenterhook/internal/server"
	"github.com/tenterhook/tenterhook/internal/store"
)

// settlePatience bounds how long records may take after the last arrival.
const settlePatience = 30 * time.Second

var errEndOfTrial = errors.New("the trial is over")

// gateway is the process that is measured: a server as `tenterhook serve` runs
// it.
type gateway struct {
	store   server.Store
	server  *server.Server
	log     *os.File
	flush   func() // writes what is left of the log
	stop    context.CancelCauseFunc
	stopped chan struct{}
	err     error // why it stopped; set before stopped is closed
}

// A gatewaySpec says what to run.
type gatewaySpec struct {
	Config string `json:"config"` // the configuration file
	Log    string `json:"log"`    // the file that the log is written to
	Memory bool   `json:"memory"` // keep nothing: the ceiling
}

// listening is where a gateway listens.
type listening struct {
	Public  string `json:"public"`
	Private string `json:"private"`
}

func (g *gateway) actions() map[string]action {
	return map[string]action{
		"start":  act(g.start),
		"settle": act(g.settle),
		"stop":   act(func(context.Context, none) (none, error) { return none{}, g.close() }),
	}
}

func (g *gateway) start(ctx context.Context, spec gatewaySpec) (listening, error) {
	c, err := config.Load(spec.Config, config.Env{})
	if err != nil {
		return listening{}, err
	}
	if g.log, err = os.Create(spec.Log); err != nil {
		return listening{}, fmt.Errorf("open log: %w", err)
	}
	var logger *slog.Logger
	logger, g.flush = server.NewLogger(g.log, c.Log, false)
	if spec.Memory {
		g.store = newMemory()
	} else if g.store, err = store.Open(ctx, c.Data, store.Options{Logger: logger}); err != nil {
		return listening{}, err
	}
	server.Tune(config.Env{})
	g.server, err = server.New(ctx, server.Options{Config: c, Logger: logger, Version: "bench", Store: g.store})
	if err != nil {
		return listening{}, err
	}
	ctx, g.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	g.stopped = make(chan struct{})
	go func() {
		g.err = g.server.Run(ctx)
		close(g.stopped)
	}()
	return listening{Public: g.server.Addr(), Private: g.server.AdminAddr()}, nil
}

// settled is how a store stands when nothing is under way.
type settled struct {
	Commits int64 `json:"commits"` // since it was opened
}

// settle returns once no delivery waits, apart from those to the destinations it
// is told to leave aside: then every attempt is on record.
func (g *gateway) settle(ctx context.Context, aside []string) (settled, error) {
	ctx, cancel := context.WithTimeout(ctx, settlePatience)
	defer cancel()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for {
		stats, err := g.store.Stats(ctx)
		if err != nil {
			return settled{}, fmt.Errorf("ask the store: %w", err)
		}
		left := int64(0)
		for name, n := range stats.Pending {
			if !slices.Contains(aside, name) {
				left += n
			}
		}
		if left == 0 {
			return settled{Commits: g.store.Commits()}, nil
		}
		select {
		case <-ticker.C:
		case <-g.stopped:
			return settled{}, fmt.Errorf("the server stopped: %w", g.err)
		case <-ctx.Done():
			return settled{}, fmt.Errorf("%d deliveries still wait for their record", left)
		}
	}
}

// close stops the server in order, which closes its store.
func (g *gateway) close() error {
	if g.stopped == nil {
		return nil
	}
	g.stop(errEndOfTrial)
	<-g.stopped
	g.stopped = nil
	g.flush()
	return errors.Join(g.err, g.log.Close())
}
