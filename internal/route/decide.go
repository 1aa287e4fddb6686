package route

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/filter"
)

// Decide returns what each route from e's source makes of e, in order. A filter
// that cannot answer is a verdict of its own and does not match. Detail is
// filled where something went wrong; [Table.Explain] words the other reasons.
// The To of a decision belongs to the table and must not be changed.
func (t *Table) Decide(ctx context.Context, e *tenterhook.Event) []tenterhook.Decision {
	routes := t.bySource[e.Source]
	if len(routes) == 0 {
		return nil
	}
	decisions := make([]tenterhook.Decision, len(routes))
	in := input{event: e}
	for i, at := range routes {
		decisions[i] = t.routes[at].decide(ctx, &in)
	}
	return decisions
}

// Explain returns what every route makes of e, in order, with a Detail that
// names the clause that failed and the value that it failed on.
func (t *Table) Explain(ctx context.Context, e *tenterhook.Event) []tenterhook.Decision {
	decisions := make([]tenterhook.Decision, len(t.routes))
	in := input{event: e}
	for i := range t.routes {
		r := &t.routes[i]
		if !slices.Contains(r.From, e.Source) {
			decisions[i] = tenterhook.Decision{
				Route:   r.Name,
				Verdict: tenterhook.VerdictSource,
				Detail:  fmt.Sprintf("source %q is not %s", e.Source, strings.Join(r.From, ", ")),
			}
			continue
		}
		decisions[i] = r.decide(ctx, &in)
		switch decisions[i].Verdict {
		case tenterhook.VerdictType:
			decisions[i].Detail = r.whyType(e.Type)
		case tenterhook.VerdictWhen:
			decisions[i].Detail = r.When.Why(ctx, in.payload, in.eventFor(r.When)) + in.note()
		default: // the verdict has its detail, or needs none
		}
	}
	return decisions
}

// Transform returns the body of e as the named route sends it, and whether the
// route changes it. Without a transform that is e.Body itself. The error wraps
// [ErrUnknownRoute], or why the program cannot be run on this payload. A payload
// that is not JSON is such a reason: a body made of null would not be what the
// receiver waits for.
func (t *Table) Transform(
	ctx context.Context, routeName string, e *tenterhook.Event,
) (body []byte, changed bool, err error) {
	at, known := t.byName[routeName]
	if !known {
		return nil, false, fmt.Errorf("transform for route %q: %w", routeName, ErrUnknownRoute)
	}
	program := t.routes[at].Transform
	if program == nil {
		return e.Body, false, nil
	}
	in := input{event: e}
	payload, err := filter.Decode(e.Body)
	if err != nil {
		return nil, false, fmt.Errorf("transform for route %q: %w", routeName, err)
	}
	body, err = program.JSON(ctx, payload, in.eventFor(program))
	if err != nil {
		return nil, false, fmt.Errorf("transform for route %q: %w", routeName, err)
	}
	return body, true, nil
}

func (r *Route) decide(ctx context.Context, in *input) tenterhook.Decision {
	d := tenterhook.Decision{Route: r.Name, Verdict: tenterhook.VerdictMatched}
	if !r.matchesType(in.event.Type) {
		d.Verdict = tenterhook.VerdictType
		return d
	}
	if r.When != nil {
		if d.Verdict, d.Detail = r.test(ctx, in); d.Verdict != tenterhook.VerdictMatched {
			return d
		}
	}
	d.To = r.To
	return d
}

// test runs the filter of r.
func (r *Route) test(ctx context.Context, in *input) (verdict tenterhook.Verdict, detail string) {
	in.decode()
	switch {
	case errors.Is(in.err, filter.ErrNotJSON): // matched by type and source only: the input is null
	case errors.Is(in.err, filter.ErrAmbiguous):
		return tenterhook.VerdictAmbiguous, in.err.Error()
	case in.err != nil:
		return tenterhook.VerdictError, in.err.Error()
	}
	matched, err := r.When.Test(ctx, in.payload, in.eventFor(r.When))
	switch {
	case errors.Is(err, filter.ErrTimeout):
		return tenterhook.VerdictTimeout, fmt.Sprintf("`when` ran for longer than %v", filter.Timeout)
	case err != nil:
		return tenterhook.VerdictError, fmt.Sprintf("`when` failed: %v", err)
	case !matched:
		return tenterhook.VerdictWhen, ""
	}
	return tenterhook.VerdictMatched, ""
}

func (r *Route) whyType(typ string) string {
	patterns := strings.Join(r.Types, ", ")
	switch {
	case typ == "":
		return "the event has no type, the route wants " + patterns
	case len(r.Types) == 1:
		return fmt.Sprintf("type %q does not match %s", typ, patterns)
	}
	return fmt.Sprintf("type %q matches none of %s", typ, patterns)
}

// An input is an event as filters see it, made as far as they need it.
type input struct {
	event   *tenterhook.Event
	decoded bool
	payload any
	err     error // why payload is nil
	made    bool
	view    filter.Event
}

func (in *input) decode() {
	if !in.decoded {
		in.payload, in.err = filter.Decode(in.event.Body)
		in.decoded = true
	}
}

// note reminds the reader that the filter saw null for a payload.
func (in *input) note() string {
	if in.err == nil {
		return ""
	}
	return fmt.Sprintf(" (the payload is null to filters: %v)", in.err)
}

// eventFor returns what p sees as $event, which is nothing if p does not look.
func (in *input) eventFor(p *filter.Program) filter.Event {
	if in.made || !p.UsesEvent() {
		return in.view
	}
	e := in.event
	headers := make(map[string]any, len(e.Header))
	for name, values := range e.Header {
		if len(values) > 0 {
			headers[strings.ToLower(name)] = values[0]
		}
	}
	in.made = true
	in.view = filter.Event{
		ID:         e.ID.String(),
		Type:       e.Type,
		Source:     e.Source,
		Tenant:     e.Tenant,
		Headers:    headers,
		ReceivedAt: e.ReceivedAt,

		BodyBound:      !e.Marks.Unbound,
		SchemaMismatch: e.Marks.SchemaMismatch,
	}
	return in.view
}
