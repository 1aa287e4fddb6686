package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/internal/config"
	"github.com/tenterhook/tenterhook/internal/route"
	"github.com/tenterhook/tenterhook/signature"
)

// maxPayload is the largest webhook there is.
const maxPayload = 25 << 20

type routeTestOptions struct {
	*app
	server  serverOptions
	event   string
	source  string
	typ     string
	headers []string
	payload string // a file, or - for stdin
}

func newRouteTest(a *app) *cobra.Command {
	o := routeTestOptions{app: a}
	cmd := &cobra.Command{
		Use: "test [PAYLOAD]", Short: "Say which routes would take a payload, and why not the others",
		Long: "Say which routes would take a payload, and why not the others. Nothing is stored or sent.\n\n" +
			"A PAYLOAD, a file or - for stdin, is tried on the configuration file, without a server and without secrets;\n" +
			"with --server it is tried on what that server runs. With --event it is an event on a server that is tried.",
		Example: "tenterhook route test --source github --type push payload.json\n" +
			"tenterhook route test --source github -H 'X-GitHub-Event: pull_request' - < payload.json\n" +
			"tenterhook route test --event evt_01JD7Q4ZK0X5V9R2M8T4000000",
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.payload = args[0]
			}
			return runRouteTest(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.source, "source", "", "the source it comes from; not needed if there is one only")
	flags.StringVar(&o.typ, "type", "", "its type; not needed if the provider says it in the headers or the body")
	flags.StringArrayVarP(&o.headers, "header", "H", nil, "a `HEADER` it comes with, as NAME: VALUE; may be repeated")
	flags.StringVar(&o.event, "event", "", "try the event with this `ID` on the server")
	o.server.flags(cmd)
	return exits(cmd, exitConfig, exitUndelivered, exitUnreachable)
}

// A routeTest is what the test of a payload says as JSON.
type routeTest struct {
	Source       string                `json:"source"`
	Type         string                `json:"type"`
	Mismatch     string                `json:"schema_mismatch,omitempty"`
	Refused      bool                  `json:"refused,omitempty"`
	Decisions    []tenterhook.Decision `json:"decisions"`
	Destinations []string              `json:"destinations"`
}

func runRouteTest(ctx context.Context, o routeTestOptions) error {
	try := tryLocally
	switch {
	case o.event != "" && (o.payload != "" || o.source != "" || o.typ != "" || len(o.headers) > 0):
		return usageError("", "--event stands for a payload, its source, type and headers")
	case o.event != "":
		try = tryEvent
	case o.payload == "":
		return usageError("name a file, or - for stdin", "no payload to try")
	case o.server.url != "":
		try = tryOnServer
	}
	result, err := try(ctx, o)
	if err != nil {
		return err
	}
	if o.ui.json {
		err = o.ui.data(result)
	} else {
		err = printRouteTest(o.ui, result)
	}
	if err == nil && len(result.Destinations) == 0 {
		return &failure{exit: exitUndelivered, err: errors.New("no route takes it"), told: true}
	}
	return err
}

func printRouteTest(u *ui, r routeTest) error {
	if err := u.line(text("source %s, type %s", r.Source, orDash(r.Type))); err != nil {
		return err
	}
	if r.Mismatch != "" {
		if err := u.fields(field("schema", mismatchText(r.Mismatch))); err != nil {
			return err
		}
		if r.Refused { // before any route is asked
			return u.line(span{waiting, "is answered 422, and goes nowhere"})
		}
	}
	if err := printDecisions(u, r.Decisions); err != nil {
		return err
	}
	if len(r.Destinations) == 0 {
		return u.line(span{waiting, "goes nowhere"})
	}
	return u.line(span{good, "goes to " + joined(r.Destinations)})
}

// tryLocally tries a payload on the configuration file.
func tryLocally(ctx context.Context, o routeTestOptions) (routeTest, error) {
	c, err := o.loadWithoutSecrets()
	if err != nil {
		return routeTest{}, err
	}
	table, err := route.New(c.Routes)
	if err != nil {
		return routeTest{}, err
	}
	e, err := o.read()
	if err != nil {
		return routeTest{}, err
	}
	if err := identify(c, e); err != nil {
		return routeTest{}, err
	}
	refused := false
	if source, _ := c.Source(e.Source); source.Schema != nil { // identify found it
		if err := source.Schema.Check(e.Type, e.Header, e.Body); err != nil {
			e.Marks.SchemaMismatch, refused = err.Error(), !source.FlagMismatch
		}
	}
	if refused {
		return routeTest{
			Source: e.Source, Type: e.Type, Mismatch: e.Marks.SchemaMismatch, Refused: true,
			Decisions: []tenterhook.Decision{}, Destinations: []string{},
		}, nil
	}
	result := routeTest{Source: e.Source, Type: e.Type, Mismatch: e.Marks.SchemaMismatch,
		Decisions: table.Explain(ctx, e), Destinations: []string{}}
	for _, d := range table.Deliveries(e, result.Decisions) {
		result.Destinations = append(result.Destinations, d.Destination)
	}
	return result, nil
}

// identify finds out what the command line does not say of an event, as the
// server would from a request.
func identify(c *config.Config, e *tenterhook.Event) error {
	names := make([]string, 0, len(c.Sources))
	for _, s := range c.Sources {
		names = append(names, s.Name)
	}
	if e.Source == "" && len(names) == 1 {
		e.Source = names[0]
	}
	source, ok := c.Source(e.Source)
	if !ok {
		return usageError("name one with --source: "+joined(names), "no source is called %q", e.Source)
	}
	if e.Type == "" && source.Scheme != nil {
		typ, subtype, _ := source.Scheme.Identify(&signature.Request{Header: e.Header, Body: e.Body})
		e.Type = typ
		if subtype != "" {
			e.Type += "." + subtype
		}
	}
	return nil
}

// read makes the event that the command line describes.
func (o routeTestOptions) read() (*tenterhook.Event, error) {
	header, err := parseHeaders(o.headers)
	if err != nil {
		return nil, err
	}
	body, err := o.readPayload()
	if err != nil {
		return nil, err
	}
	id := tenterhook.NewIDs(o.ui.now).New()
	return &tenterhook.Event{
		ID: id, Source: o.source, Type: o.typ, ReceivedAt: o.ui.now().UTC().Truncate(time.Microsecond),
		Header: header, Body: body,
	}, nil
}

func (o routeTestOptions) readPayload() ([]byte, error) {
	from := o.ui.in
	if o.payload != "-" {
		f, err := os.Open(o.payload)
		if err != nil {
			return nil, fmt.Errorf("read payload: %w", err)
		}
		defer func() { _ = f.Close() }() // only read from: nothing is lost
		from = f
	}
	body, err := io.ReadAll(io.LimitReader(from, maxPayload+1))
	if err != nil {
		return nil, fmt.Errorf("read payload: %w", err)
	}
	if len(body) > maxPayload {
		return nil, fmt.Errorf("read payload: %q is larger than %s, which no source takes", o.payload, bytesText(maxPayload))
	}
	return body, nil
}

func parseHeaders(lines []string) (http.Header, error) {
	header := http.Header{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, usageError("write -H 'X-GitHub-Event: push'", "%q is not a header", line)
		}
		header.Add(name, strings.TrimSpace(value))
	}
	return header, nil
}

// tryOnServer tries a payload on what a server runs.
func tryOnServer(ctx context.Context, o routeTestOptions) (routeTest, error) {
	e, err := o.read()
	if err != nil {
		return routeTest{}, err
	}
	client, err := o.connect(o.server)
	if err != nil {
		return routeTest{}, err
	}
	r, err := client.TestRoutes(ctx, api.RouteTest{Source: e.Source, Type: e.Type, Headers: e.Header, Body: api.NewBody(e.Body)})
	return routeTest{Source: e.Source, Type: e.Type, Decisions: r.Decisions, Destinations: r.Destinations}, err
}

// tryEvent tries an event of a server on what that server runs.
func tryEvent(ctx context.Context, o routeTestOptions) (routeTest, error) {
	id, err := parseEventID(o.event)
	if err != nil {
		return routeTest{}, err
	}
	client, err := o.connect(o.server)
	if err != nil {
		return routeTest{}, err
	}
	x, err := client.ExplainEvent(ctx, id)
	result := routeTest{Source: x.Source, Type: x.Type, Decisions: x.Present, Destinations: []string{}}
	seen := map[string]bool{}
	for _, d := range x.Present {
		for _, to := range d.To {
			if !seen[to] {
				seen[to] = true
				result.Destinations = append(result.Destinations, to)
			}
		}
	}
	return result, err
}
