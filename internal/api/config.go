package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tenterhook/tenterhook"
)

// A View is what the running configuration defines. It is read-only: what a
// file defines is changed in the file.
type View struct {
	Sources      []Source
	Destinations []Destination
	Routes       []Route
}

// A Source is a named place that providers post to.
type Source struct {
	Name         string                  `json:"name"`
	Path         string                  `json:"path" doc:"On the public listener, such as /webhook/github"`
	Provider     string                  `json:"provider" doc:"The signature scheme, or none"`
	Secrets      []string                `json:"secrets" nullable:"false" doc:"References to the secrets"`
	OnRedelivery tenterhook.OnRedelivery `json:"on_redelivery" enum:"heal,process,ignore"`
	MaxBody      int64                   `json:"max_body" doc:"Bytes"`

	PublicURL    string        `json:"public_url,omitempty" doc:"What the provider posts to"`
	Schema       []string      `json:"schema,omitempty" doc:"What bodies must match: builtin, a file, or files by type"`
	OnMismatch   string        `json:"on_mismatch,omitempty" doc:"What is done with those that do not: reject or flag"`
	AwaitsSecret bool          `json:"awaits_secret,omitempty" doc:"It refuses events until the provider's handshake brings the secret"`
	Confirmation *Confirmation `json:"confirmation,omitempty" doc:"What came of the last confirmation of its subscription"`
}

// A Confirmation is a request by which a subscription of a source was confirmed.
type Confirmation struct {
	At     Time   `json:"at"`
	Host   string `json:"host"`
	Status int    `json:"status,omitempty" doc:"As answered"`
	Error  string `json:"error,omitempty" doc:"Why it is not confirmed"`
}

// A Destination is a named place that events go to.
type Destination struct {
	Name        string   `json:"name"`
	Kind        string   `json:"kind" doc:"http or command"`
	URL         string   `json:"url,omitempty" doc:"Without user, password and the values of its query"`
	Command     []string `json:"command,omitempty" doc:"The program of a command destination and its arguments"`
	Sign        string   `json:"sign,omitempty" doc:"The scheme that deliveries are signed with, passthrough or none"`
	Secrets     []string `json:"secrets" nullable:"false" doc:"References to the secrets"`
	TimeoutMS   float64  `json:"timeout_ms"`
	Concurrency int      `json:"concurrency" doc:"Attempts at the same time"`
	Attempts    int      `json:"attempts" doc:"How often a delivery is tried before it is dead"`
	Load        Load     `json:"load" doc:"What waits for it"`
}

// A Route says which events go where.
type Route struct {
	Name      string   `json:"name"`
	From      []string `json:"from" nullable:"false" doc:"Sources"`
	Types     []string `json:"types" nullable:"false" doc:"Patterns of event types; none means all"`
	When      string   `json:"when,omitempty" doc:"The jq filter an event must pass"`
	Transform string   `json:"transform,omitempty" doc:"The jq program that makes the body that is sent"`
	To        []string `json:"to" nullable:"false" doc:"Destinations"`
}

// A RouteTest is an event that routes are tried on. Nothing is stored or sent.
type RouteTest struct {
	Source  string      `json:"source" doc:"The source it would have come from"`
	Type    string      `json:"type,omitempty" doc:"Such as push or pull_request.opened"`
	Headers http.Header `json:"headers,omitempty"`
	Body    Body        `json:"body"`
}

// A RouteTestResult says what routes would make of an event.
type RouteTestResult struct {
	Decisions    []tenterhook.Decision `json:"decisions" nullable:"false" doc:"For every route"`
	Destinations []string              `json:"destinations" nullable:"false" doc:"Where it would go"`
}

// A Reloaded says that the configuration file was read and now runs.
type Reloaded struct {
	Sources      int `json:"sources"`
	Destinations int `json:"destinations"`
	Routes       int `json:"routes"`
}

func (h *handler) registerConfig(a huma.API) {
	add(h, a, operation(a, http.MethodGet, "/sources", "list-sources", "configuration",
		"List sources"), h.listSources)
	add(h, a, operation(a, http.MethodGet, "/destinations", "list-destinations", "configuration",
		"List destinations and what waits for them"), h.listDestinations)
	add(h, a, operation(a, http.MethodGet, "/routes", "list-routes", "configuration",
		"List routes"), h.listRoutes)
	add(h, a, operation(a, http.MethodPost, "/reload", "reload", "configuration",
		"Read the configuration file again"), h.reload)

	test := operation(a, http.MethodPost, "/routes/test", "test-routes", "configuration",
		"Say what routes would make of an event")
	test.MaxBodyBytes = maxTestBody
	test.BodyReadTimeout = tailWrite
	add(h, a, test, h.testRoutes)
}

// maxTestBody fits a webhook of 25 MiB in base 64.
const maxTestBody = 36 << 20

func (h *handler) listSources(context.Context, *struct{}) (List[Source], error) {
	out := List[Source]{Items: []Source{}}
	for _, s := range h.Config().Sources {
		s.Secrets = notNil(s.Secrets)
		out.Items = append(out.Items, s)
	}
	return out, nil
}

func (h *handler) listDestinations(ctx context.Context, _ *struct{}) (List[Destination], error) {
	stats, err := h.Status.Stats(ctx)
	if err != nil {
		return List[Destination]{}, err
	}
	out := List[Destination]{Items: []Destination{}}
	for _, d := range h.Config().Destinations {
		d.URL = redactURL(d.URL)
		d.Secrets = notNil(d.Secrets)
		d.Load = newLoad(stats, d.Name)
		out.Items = append(out.Items, d)
	}
	return out, nil
}

func (h *handler) listRoutes(context.Context, *struct{}) (List[Route], error) {
	out := List[Route]{Items: []Route{}}
	for _, r := range h.Config().Routes {
		r.From, r.Types, r.To = notNil(r.From), notNil(r.Types), notNil(r.To)
		out.Items = append(out.Items, r)
	}
	return out, nil
}

// redactURL leaves out of a destination's URL what may be a secret.
func redactURL(text string) string {
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil {
		return "[unreadable]"
	}
	u.User, u.Fragment = nil, ""
	query := u.Query()
	for name := range query {
		query.Set(name, "redacted")
	}
	u.RawQuery = query.Encode()
	return u.String()
}

type routeTestInput struct {
	Body RouteTest
}

func (h *handler) testRoutes(ctx context.Context, in *routeTestInput) (RouteTestResult, error) {
	body, ok := in.Body.Body.Bytes()
	if !ok {
		return RouteTestResult{}, newProblem(http.StatusUnprocessableEntity, CodeInvalid,
			"body.body: neither text nor base 64", "")
	}
	e := &tenterhook.Event{
		ID: tenterhook.NewIDs(nil).New(), Source: in.Body.Source, Type: in.Body.Type,
		Header: in.Body.Headers, Body: body,
	}
	e.ReceivedAt = e.ID.Time()
	out := RouteTestResult{Decisions: notNil(h.Router.Explain(ctx, e)), Destinations: []string{}}
	_, deliveries := h.Router.Route(ctx, e)
	for _, d := range deliveries {
		out.Destinations = append(out.Destinations, d.Destination)
	}
	return out, nil
}

// reload reports a configuration that cannot be used as the caller's problem:
// who may reload may read the file, and the error says where in it the fault is.
func (h *handler) reload(ctx context.Context, _ *struct{}) (Reloaded, error) {
	if err := h.Reload(ctx); err != nil {
		if ctx.Err() != nil {
			return Reloaded{}, err
		}
		p := newProblem(http.StatusUnprocessableEntity, CodeConfiguration, err.Error(),
			"the configuration that ran before still runs")
		var several interface{ Unwrap() []error }
		if errors.As(err, &several) {
			for _, e := range several.Unwrap() {
				p.Errors = append(p.Errors, ProblemDetail{Message: e.Error()})
			}
		}
		return Reloaded{}, p
	}
	v := h.Config()
	return Reloaded{Sources: len(v.Sources), Destinations: len(v.Destinations), Routes: len(v.Routes)}, nil
}
