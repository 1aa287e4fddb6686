package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/internal/config"
	"github.com/tenterhook/tenterhook/internal/deliver"
	"github.com/tenterhook/tenterhook/internal/destination"
	"github.com/tenterhook/tenterhook/internal/egress"
	"github.com/tenterhook/tenterhook/internal/ingest"
	"github.com/tenterhook/tenterhook/internal/route"
)

// running is the configuration in force, and what was made of it.
type running struct {
	config  *config.Config
	routes  *route.Table
	sources map[string]*ingest.Source
	view    api.View
	client  *egress.Client
}

// errNoReload means that the server was started without a file.
var errNoReload = errors.New("this server has no configuration file to read again")

// Reload reads the configuration again and puts it into force. If that fails,
// the one that ran before still runs; the error says what is wrong.
func (s *Server) Reload(context.Context) error {
	s.reload.Lock()
	defer s.reload.Unlock()
	if s.opts.Load == nil {
		return errNoReload
	}
	c, err := s.opts.Load()
	if err == nil {
		err = s.apply(c)
	}
	if err != nil {
		s.log.Error("reload: the configuration that ran before still runs", "error", err)
		return err
	}
	if old := s.opts.Config; c.Listen != old.Listen || c.Admin != old.Admin || c.Data != old.Data ||
		c.Limits.InFlight != old.Limits.InFlight {
		s.log.Warn("reload: listen, admin, data and limits.in_flight take effect at the next start")
	}
	s.log.Info("reloaded", "config", c.Path, "fingerprint", c.Fingerprint())
	return nil
}

// apply puts c into force, whole or not at all.
func (s *Server) apply(c *config.Config) error {
	routes, err := route.New(c.Routes)
	if err != nil {
		return fmt.Errorf("routes: %w", err)
	}
	next := &running{config: c, routes: routes, view: view(c), client: egress.New(c.Egress.Options())}
	lanes, err := s.lanes(c, next.client)
	if err != nil {
		return err
	}
	if next.sources, err = s.sources(c); err != nil {
		return err
	}
	for _, w := range c.Warnings {
		s.log.Warn("configuration", "warning", w.Error())
	}
	before := s.running.Swap(next)
	s.engine.Configure(lanes) // before what sends to them
	s.ingest.Configure(next.edge())
	if before != nil {
		before.client.CloseIdle()
	}
	return nil
}

// sources are those of c as the public edge works by them.
func (s *Server) sources(c *config.Config) (map[string]*ingest.Source, error) {
	sources := make(map[string]*ingest.Source, len(c.Sources))
	for _, src := range c.Sources {
		scheme, err := src.WithFetcher(s.fetcher)
		if err != nil {
			return nil, err
		}
		source := &ingest.Source{
			Name: src.Name, Scheme: scheme, Keys: src.Keys, OnRedelivery: src.OnRedelivery, MaxBody: src.MaxBody,
			PublicURL: src.PublicURL, FlagMismatch: src.FlagMismatch, Redact: src.Redact,
		}
		if src.Schema != nil {
			source.Schema = src.Schema
		}
		if scheme != nil {
			source.TokenHeader = scheme.TokenHeader()
			source.TokenInBody = scheme.Bearer() && source.TokenHeader == ""
		}
		if path := src.AwaitsSecret; path != "" {
			source.Keep = func(value string) error { return s.keepSecret(src.Name, path, value) }
		}
		sources[src.Name] = source
		s.metrics.source(src.Name)
	}
	return sources, nil
}

// outward makes requests by the running configuration's rules of what may be
// reached.
type outward struct{ server *Server }

// Do implements [keyfetch.Doer].
func (o outward) Do(ctx context.Context, r *http.Request) (*http.Response, error) {
	return o.server.running.Load().client.Do(ctx, r, egress.Permit{})
}

func (s *Server) lanes(c *config.Config, client *egress.Client) ([]deliver.Lane, error) {
	lanes := make([]deliver.Lane, 0, len(c.Destinations))
	for _, d := range c.Destinations {
		var to deliver.Destination
		var err error
		if d.HTTP != nil {
			to, err = destination.NewHTTP(d.Name, *d.HTTP, client)
		} else {
			to, err = destination.NewCommand(d.Name, *d.Command)
		}
		if err != nil {
			return nil, fmt.Errorf("destination %q: %w", d.Name, err)
		}
		lanes = append(lanes, deliver.Lane{
			Name: d.Name, Destination: &transforming{server: s, next: to}, Concurrency: d.Concurrency, Backoff: d.Retry,
		})
	}
	return lanes, nil
}

// transforming makes the body that a route wants sent, then sends it.
type transforming struct {
	server *Server
	next   deliver.Destination
}

func (t *transforming) Deliver(ctx context.Context, e *tenterhook.Event, d *tenterhook.Delivery) tenterhook.Attempt {
	body, changed, err := t.server.running.Load().routes.Transform(ctx, d.Route, e)
	switch {
	case errors.Is(err, route.ErrUnknownRoute):
		// The route may come back; what it would have made of the body is not known.
		return tenterhook.Attempt{Outcome: tenterhook.OutcomeRetry, Error: fmt.Sprintf("route %q is no longer configured", d.Route)}
	case err != nil:
		return tenterhook.Attempt{Outcome: tenterhook.OutcomeRefused, Error: "transform: " + err.Error()}
	case changed:
		altered := *e
		altered.Header = e.Header.Clone()
		altered.Header.Set("Content-Type", "application/json")
		altered.Body = body
		e = &altered
	}
	return t.next.Deliver(ctx, e, d)
}

// router answers the API by the configuration in force.
type router struct{ server *Server }

func (r router) Explain(ctx context.Context, e *tenterhook.Event) []tenterhook.Decision {
	return r.server.running.Load().routes.Explain(ctx, e)
}

func (r router) Route(ctx context.Context, e *tenterhook.Event) ([]tenterhook.Decision, []tenterhook.Delivery) {
	routes := r.server.running.Load().routes
	decisions := routes.Decide(ctx, e)
	return decisions, routes.Deliveries(e, decisions)
}

// view is what of c may be shown: references, never secrets.
func view(c *config.Config) api.View {
	var v api.View
	for _, src := range c.Sources {
		v.Sources = append(v.Sources, api.Source{Name: src.Name, Path: "/webhook/" + src.Name, Provider: src.Provider,
			Secrets: texts(src.SecretRefs), OnRedelivery: src.OnRedelivery, MaxBody: src.MaxBody, PublicURL: src.PublicURL,
			Schema: src.SchemaFrom, OnMismatch: onMismatch(src)})
	}
	for _, d := range c.Destinations {
		shown := api.Destination{
			Name: d.Name, Secrets: texts(d.SecretRefs), Concurrency: d.Concurrency, Attempts: len(d.Retry.WithDefaults().Schedule),
		}
		if d.HTTP != nil {
			full := d.HTTP.WithDefaults()
			shown.Kind, shown.URL, shown.Sign, shown.TimeoutMS = "http", full.URL, full.Sign, float64(full.Timeout.Milliseconds())
			if full.Scheme != nil {
				shown.Sign = full.Scheme.Name()
			}
		} else {
			full := d.Command.WithDefaults()
			shown.Kind, shown.Command, shown.TimeoutMS = "command", full.Argv, float64(full.Timeout.Milliseconds())
		}
		v.Destinations = append(v.Destinations, shown)
	}
	for _, r := range c.Routes {
		shown := api.Route{Name: r.Name, From: r.From, Types: r.Types, To: r.To}
		if r.When != nil {
			shown.When = r.When.String()
		}
		if r.Transform != nil {
			shown.Transform = r.Transform.String()
		}
		v.Routes = append(v.Routes, shown)
	}
	return v
}

// onMismatch is what is done with what does not match, in the words of the file.
func onMismatch(s config.Source) string {
	switch {
	case s.Schema == nil:
		return ""
	case s.FlagMismatch:
		return "flag"
	}
	return "reject"
}

func texts[T fmt.Stringer](refs []T) []string {
	list := make([]string, len(refs))
	for i, r := range refs {
		list[i] = r.String()
	}
	return list
}

// view is what runs now, with what has happened to it since.
func (s *Server) view() api.View {
	running := s.running.Load()
	v := running.view
	v.Sources = slices.Clone(v.Sources)
	for i := range v.Sources {
		src := &v.Sources[i]
		src.Confirmation = s.confirms.confirmation(src.Name)
		src.AwaitsSecret = running.sources[src.Name].Keep != nil
	}
	return v
}
