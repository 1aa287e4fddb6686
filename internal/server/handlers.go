package server

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/internal/ingest"
	"github.com/tenterhook/tenterhook/internal/store"
)

func (s *Server) publicHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/webhook/{source}", s.ingest) // it knows the methods: there are handshakes
	s.addHealth(mux)
	return mux
}

func (s *Server) privateHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", api.New(api.Options{
		Events: s.store, Deliveries: s.store, Status: s.store, Router: router{s},
		Config: s.view,
		Reload: s.Reload, Feed: &s.feed, Token: s.token, Version: s.opts.Version, Log: s.log,
	}))
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}))
	s.addHealth(mux)
	return mux
}

// addHealth adds /healthz, which says that the process answers, and /readyz,
// which says that it takes events.
func (s *Server) addHealth(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		plain(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		switch err := s.store.Err(); {
		case err != nil:
			plain(w, http.StatusServiceUnavailable, "store failed")
		case !s.ready.Load():
			plain(w, http.StatusServiceUnavailable, "not serving")
		default:
			plain(w, http.StatusOK, "ok")
		}
	})
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // whoever asked has gone
}

// observe tells log, metrics and watchers about a request.
func (s *Server) observe(o *ingest.Observation) {
	s.metrics.request(o)
	level := slog.LevelInfo
	if o.Reason != "" {
		level = slog.LevelWarn
	}
	ctx := context.Background()
	if s.log.Enabled(ctx, level) {
		var attrs [maxAttrs]slog.Attr
		s.log.LogAttrs(ctx, level, "request", requestAttrs(attrs[:0], o)...)
	}
	if o.Event != nil && o.Event.Marks.Leaked {
		s.log.Warn("the source's secret was written out in a request: change it", "source", o.Source,
			"event", o.Receipt.ID.String(), "where", o.Event.Marks.Redacted)
	}
	if o.Event != nil && !o.Receipt.Duplicate && s.feed.Watched() {
		s.feed.Publish(store.EventRow{Event: *o.Event, Size: o.Size})
	}
}

// maxAttrs is how many attributes a line has at the most.
const maxAttrs = 16

// requestAttrs appends what is to be told about a request.
func requestAttrs(attrs []slog.Attr, o *ingest.Observation) []slog.Attr {
	attrs = append(attrs,
		slog.String("source", o.Source),
		slog.Int("status", o.Status),
		slog.Duration("duration", o.Duration),
		slog.Int64("size", o.Size),
		slog.String("peer", o.Peer),
	)
	if o.Reason != "" {
		attrs = append(attrs, slog.String("reason", o.Reason), slog.String("detail", o.Detail))
	}
	if o.Event != nil {
		attrs = append(attrs, slog.String("event", o.Receipt.ID.String()), slog.String("type", o.Event.Type),
			slog.String("delivery_id", o.Event.DeliveryID), slog.Int("deliveries", o.Deliveries))
	}
	if o.Handshake {
		attrs = append(attrs, slog.Bool("handshake", true))
	}
	if o.Event != nil && o.Event.Marks.SchemaMismatch != "" {
		attrs = append(attrs, slog.String("schema_mismatch", o.Event.Marks.SchemaMismatch))
	}
	if o.Receipt.Duplicate {
		attrs = append(attrs, slog.Bool("duplicate", true), slog.Int("requeued", o.Receipt.Requeued), slog.Int("added", o.Receipt.Added))
	}
	return attrs
}
