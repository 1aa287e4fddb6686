package cli

import (
	"context"
	"reflect"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook"
)

type eventsExplainOptions struct {
	*app
	server *serverOptions
	id     tenterhook.ID
}

func newEventsExplain(a *app, server *serverOptions) *cobra.Command {
	o := eventsExplainOptions{app: a, server: server}
	return exits(&cobra.Command{
		Use: "explain ID", Short: "Say why each route did or did not take an event",
		Long: "Say for every route why it did or did not take an event: when the event was accepted, and by the\n" +
			"configuration that runs now.",
		Example: "tenterhook events explain evt_01JD7Q4ZK0X5V9R2M8T4000000",
		Args:    arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.id, err = parseEventID(args[0]); err != nil {
				return err
			}
			return runEventsExplain(cmd.Context(), o)
		},
	}, exitUnreachable)
}

func runEventsExplain(ctx context.Context, o eventsExplainOptions) error {
	client, err := o.connect(*o.server)
	if err != nil {
		return err
	}
	x, err := client.ExplainEvent(ctx, o.id)
	if err != nil {
		return err
	}
	if o.ui.json {
		return o.ui.data(x)
	}
	if err := o.ui.fields(
		field("body bound", boundText(x.BodyBound)), field("schema", mismatchText(x.SchemaMismatch)),
	); err != nil {
		return err
	}
	if err := o.ui.line(span{bold, "when it was accepted"}); err != nil {
		return err
	}
	if err := printDecisions(o.ui, x.Stored); err != nil {
		return err
	}
	if x.Pruned {
		o.ui.say("the body is no longer kept, so that filters below saw null")
	}
	if err := o.ui.heading("by the configuration that runs now"); err != nil {
		return err
	}
	if err := printDecisions(o.ui, x.Present); err != nil {
		return err
	}
	if !reflect.DeepEqual(taken(x.Stored), taken(x.Present)) && !x.Pruned {
		o.ui.hint("routes decide otherwise now; tenterhook events replay %s sends it again by them", x.EventID)
	}
	return nil
}

// taken returns the routes that matched and where they send the event.
func taken(ds []tenterhook.Decision) map[string]string {
	routes := map[string]string{}
	for _, d := range ds {
		if d.Verdict == tenterhook.VerdictMatched {
			routes[d.Route] = joined(d.To)
		}
	}
	return routes
}

// printDecisions prints a line for each route: that it matched, or why not.
func printDecisions(u *ui, ds []tenterhook.Decision) error {
	if len(ds) == 0 {
		return u.line(span{faint, "  no routes"})
	}
	rows := make([][]span, 0, len(ds))
	for _, d := range ds {
		rows = append(rows, decisionRow(d))
	}
	return u.table([]string{"  ROUTE", "VERDICT", "WHY"}, rows)
}

func decisionRow(d tenterhook.Decision) []span {
	verdict, why := span{faint, "no: " + string(d.Verdict)}, d.Detail
	switch d.Verdict {
	case tenterhook.VerdictMatched:
		verdict, why = span{good, "matched"}, "to "+joined(d.To)
	case tenterhook.VerdictError, tenterhook.VerdictTimeout, tenterhook.VerdictAmbiguous:
		verdict.mood = bad
	case tenterhook.VerdictSource, tenterhook.VerdictType, tenterhook.VerdictWhen:
	}
	return []span{text("  %s", d.Route), verdict, text("%s", why)}
}
