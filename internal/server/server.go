// Package server wires the parts together into a running gateway, and owns every
// goroutine of it.
//
// [New] opens the store and both listeners, so that nothing that can be wrong
// shows up later. [Server.Run] serves until it is told to stop, and then stops
// in the reverse order: no new requests, no new attempts, those under way get a
// bounded time, and the store is closed last, when everything is on record. If
// the store fails, Run ends at once: what was acknowledged is on disk, and
// nothing more may be.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/internal/config"
	"github.com/tenterhook/tenterhook/internal/deliver"
	"github.com/tenterhook/tenterhook/internal/ingest"
	"github.com/tenterhook/tenterhook/internal/keyfetch"
	"github.com/tenterhook/tenterhook/internal/store"
)

// Bounds on what a connection may take. They fit 25 MiB over a slow line.
const (
	headerTimeout  = 10 * time.Second
	readTimeout    = 60 * time.Second
	writeTimeout   = 90 * time.Second
	idleTimeout    = 120 * time.Second
	maxHeaderBytes = 32 << 10

	// drainTimeout bounds how long attempts in flight may go on after the server
	// was told to stop, and requestTimeout how long requests may.
	drainTimeout   = 20 * time.Second
	requestTimeout = 10 * time.Second

	pruneEvery = 15 * time.Minute
)

// ErrLocked means that another process uses the data directory.
var ErrLocked = store.ErrLocked

// gcPercent trades memory for time: the heap of a gateway is small, and most of
// what it allocates is gone with the request.
const gcPercent = 200

// Tune sets up the garbage collector for a process that is a gateway and nothing
// else, unless GOGC is set.
func Tune(env config.Env) {
	if env.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// Options of a server.
type Options struct {
	// Config is what to run. It is needed.
	Config *config.Config
	// Load reads the configuration again, for Reload; nil refuses to.
	Load func() (*config.Config, error)
	// Logger is where one line per request and attempt goes; nil discards it.
	Logger *slog.Logger
	// Version is that of the program.
	Version string
	// Store takes the place of the SQLite store in Config.Data: for benchmarks.
	Store Store
}

// Server is a gateway.
type Server struct {
	opts    Options
	log     *slog.Logger
	store   Store
	engine  *deliver.Engine
	ingest  *ingest.Handler
	feed    api.Feed
	metrics *metrics
	token   string

	fetcher  *keyfetch.Fetcher
	confirms *confirmer

	running  atomic.Pointer[running]
	reload   sync.Mutex
	ready    atomic.Bool
	public   listener
	private  listener
	failures chan error
}

// listener is an HTTP server with the address it listens on.
type listener struct {
	http *http.Server
	net  net.Listener
}

// New opens the store in o.Config.Data and both listeners. Nothing is served
// before Run. The error says which of it could not be had.
func New(ctx context.Context, o Options) (*Server, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{opts: o, log: o.Logger, store: o.Store, failures: make(chan error, 2)} //nolint:mnd // one a listener
	if s.store == nil {
		opened, err := store.Open(ctx, o.Config.Data, store.Options{Logger: o.Logger})
		if err != nil {
			return nil, err
		}
		s.store = opened
	}
	if err := s.build(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *Server) build(ctx context.Context) error {
	var err error
	if s.token, err = adminToken(s.opts.Config.Data); err != nil {
		return err
	}
	s.metrics = newMetrics(s)
	s.engine = deliver.New(engineStore{s.store}, deliver.Options{Logger: s.log, Observe: s.metrics.attempt})
	s.store.Subscribe(&offers{engine: s.engine})
	s.fetcher = keyfetch.New(outward{s}, nil)
	s.confirms = newConfirmer(s.log, outward{s}.Do)
	s.ingest = ingest.New(s.store, ingest.Options{
		InFlight: s.opts.Config.Limits.InFlight, Observe: s.observe, Confirm: s.confirms.confirm,
	})
	if err := s.apply(s.opts.Config); err != nil {
		return err
	}
	if s.public.net, err = listen(ctx, s.opts.Config.Listen); err != nil {
		return fmt.Errorf("open public listener: %w", err)
	}
	if s.private.net, err = listen(ctx, s.opts.Config.Admin); err != nil {
		return fmt.Errorf("open private listener: %w", err)
	}
	s.public.http = s.httpServer(s.publicHandler())
	s.private.http = s.httpServer(s.privateHandler())
	s.private.http.WriteTimeout = 0 // a tail goes on; it bounds each write itself
	return nil
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", address)
}

func (s *Server) httpServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// Addr returns the address of the public listener, such as 127.0.0.1:8000.
func (s *Server) Addr() string { return s.public.net.Addr().String() }

// AdminAddr returns the address of the private listener.
func (s *Server) AdminAddr() string { return s.private.net.Addr().String() }

// Token returns the admin token of the private listener.
func (s *Server) Token() string { return s.token }

// Run serves until ctx ends, and then stops and closes everything. The error is
// nil after an orderly stop. Otherwise it says what failed: the store, a
// listener, or a step of the stop.
func (s *Server) Run(ctx context.Context) error {
	if err := s.engine.Start(context.WithoutCancel(ctx)); err != nil {
		return errors.Join(err, s.close())
	}
	var workers sync.WaitGroup
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	for _, l := range []listener{s.public, s.private} {
		workers.Go(func() {
			if err := l.http.Serve(l.net); !errors.Is(err, http.ErrServerClosed) {
				s.failures <- fmt.Errorf("serve on %s: %w", l.net.Addr(), err)
			}
		})
	}
	workers.Go(func() { s.pruneLoop(background) })
	s.ready.Store(true)
	s.log.Info("serving", "listen", s.Addr(), "admin", s.AdminAddr(), "data", s.opts.Config.Data, "version", s.opts.Version)

	var failure error
	select {
	case <-ctx.Done():
		s.log.Info("stopping", "cause", context.Cause(ctx).Error())
	case failure = <-s.failures:
	case <-s.store.Failed():
		failure = s.store.Err()
	}
	s.ready.Store(false)
	stop()
	err := errors.Join(failure, s.stop(context.WithoutCancel(ctx)))
	workers.Wait()
	return errors.Join(err, s.close())
}

// stop ends what comes in, then what goes out.
func (s *Server) stop(ctx context.Context) error {
	requests, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	errs := []error{shutdown(requests, s.public.http)}
	s.confirms.close()
	drain, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	errs = append(errs, s.engine.Stop(drain))
	s.feed.Close()
	requests, cancel = context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return errors.Join(append(errs, shutdown(requests, s.private.http))...)
}

// shutdown lets requests end until ctx does, and cuts off those that do not.
func shutdown(ctx context.Context, h *http.Server) error {
	err := h.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return h.Close()
	}
	return err
}

// close gives back what New opened.
func (s *Server) close() error {
	var errs []error
	for _, l := range []listener{s.public, s.private} {
		if l.net != nil {
			if err := l.net.Close(); !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(append(errs, s.store.Close())...)
}

// pruneLoop removes what is older than the configuration keeps.
func (s *Server) pruneLoop(ctx context.Context) {
	ticker := time.NewTicker(pruneEvery)
	defer ticker.Stop()
	for {
		keep := s.running.Load().config.Retention
		pruned, err := s.store.Prune(ctx, store.Retention{Bodies: keep.Bodies, Events: keep.Events})
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.log.Warn("prune", "error", err)
		case pruned != store.Pruned{}:
			s.log.Info("pruned", "events", pruned.Events, "bodies", pruned.Bodies)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
