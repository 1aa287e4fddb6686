package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
)

type deliveriesListOptions struct {
	*app
	server      *serverOptions
	event       string
	destination string
	state       string
	period      period
	list        listOptions
}

func newDeliveriesList(a *app, server *serverOptions) *cobra.Command {
	o := deliveriesListOptions{app: a, server: server}
	cmd := &cobra.Command{
		Use: "list", Short: "List deliveries, newest first",
		Example: "tenterhook deliveries list --state dead --since 1d\ntenterhook deliveries list --destination app --json",
		Args:    arguments(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDeliveriesList(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.event, "event", "", "of the event with this `ID`")
	flags.StringVar(&o.destination, "destination", "", "to this destination")
	flags.StringVar(&o.state, "state", "", "in this `STATE`")
	completeWith(cmd, "state", stateNames()...)
	o.period.flags(cmd)
	o.list.flags(cmd)
	return exits(cmd, exitUnreachable)
}

func (o deliveriesListOptions) query() (api.DeliveryQuery, error) {
	q := api.DeliveryQuery{Destination: o.destination, State: tenterhook.State(o.state)}
	if err := checkState(o.state); err != nil {
		return q, err
	}
	var err error
	if q.Since, q.Until, err = o.period.times(o.ui.now()); err != nil {
		return q, err
	}
	if o.event != "" {
		q.Event, err = parseEventID(o.event)
	}
	return q, err
}

func runDeliveriesList(ctx context.Context, o deliveriesListOptions) error {
	query, err := o.query()
	if err != nil {
		return err
	}
	client, err := o.connect(*o.server)
	if err != nil {
		return err
	}
	page, err := collect(o.list, func(c api.Cursor) (api.Page[api.Delivery], error) {
		query.Cursor = c
		return client.ListDeliveries(ctx, query)
	})
	if err != nil {
		return err
	}
	if o.ui.json {
		return o.ui.data(page)
	}
	if len(page.Items) == 0 {
		o.ui.say("no deliveries")
		return nil
	}
	rows := make([][]span, 0, len(page.Items))
	for _, d := range page.Items {
		rows = append(rows, deliveryRow(o.ui, d))
	}
	if err := o.ui.table([]string{"CHANGED", "ID", "DESTINATION", "STATE", "TRIES", "NEXT", "LAST ERROR"}, rows); err != nil {
		return err
	}
	more(o.ui, page)
	return nil
}

func deliveryRow(u *ui, d api.Delivery) []span {
	return []span{
		text("%s", relative(d.UpdatedAt.Time, u.now())), text("%s", d.ID), text("%s", d.Destination), stateText(d.State),
		text("%d", d.Attempts), text("%s", relative(d.NextAt.Time, u.now())), text("%s", d.LastError),
	}
}

func stateText(s tenterhook.State) span { return span{moodOf(s), string(s)} }
