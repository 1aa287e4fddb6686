package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
)

type deliveriesShowOptions struct {
	*app
	server *serverOptions
	id     tenterhook.ID
}

func newDeliveriesShow(a *app, server *serverOptions) *cobra.Command {
	o := deliveriesShowOptions{app: a, server: server}
	return exits(&cobra.Command{
		Use: "show ID", Short: "Show a delivery and what each attempt was answered",
		Example: "tenterhook deliveries show dlv_01JD7Q4ZK0X5V9R2M8T4002000",
		Args:    arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.id, err = parseDeliveryID(args[0]); err != nil {
				return err
			}
			return runDeliveriesShow(cmd.Context(), o)
		},
	}, exitUnreachable)
}

func runDeliveriesShow(ctx context.Context, o deliveriesShowOptions) error {
	client, err := o.connect(*o.server)
	if err != nil {
		return err
	}
	d, err := client.GetDelivery(ctx, o.id)
	if err != nil {
		return err
	}
	if o.ui.json {
		return o.ui.data(d)
	}
	next := ""
	if !d.NextAt.IsZero() {
		next = relative(d.NextAt.Time, o.ui.now())
	}
	err = o.ui.fields(
		field("delivery", span{bold, d.ID.String()}),
		field("event", text("%s", d.EventID)),
		field("route", text("%s", d.Route)),
		field("destination", text("%s", d.Destination)),
		field("state", stateText(d.State)),
		field("tries", text("%d", d.Attempts)),
		field("next", text("%s", next)),
		field("changed", text("%s", relative(d.UpdatedAt.Time, o.ui.now()))),
		field("last error", text("%s", d.LastError)),
	)
	for i := 0; err == nil && i < len(d.History); i++ {
		err = showAttempt(o.ui, d.History[i], d.Destination)
	}
	return err
}

func showAttempt(u *ui, a api.Attempt, destination string) error {
	const foldAfter = 20
	row := attemptRow(a, destination)
	if err := u.line(); err != nil {
		return err
	}
	if err := u.line(span{faint, a.StartedAt.Local().Format(time.RFC3339) + "  "}, row[0], text("  "), row[2]); err != nil {
		return err
	}
	answer, _ := a.Response.Bytes() // an attempt's answer is never pruned
	if len(answer) == 0 {
		return nil
	}
	shown, left := fold(pretty(string(answer)), foldAfter)
	if err := u.block(shown, "  "); err != nil || left == 0 {
		return err
	}
	return u.line(span{faint, "  ... " + count(left, "more line", "more lines") + "; --json prints all that is kept"})
}
