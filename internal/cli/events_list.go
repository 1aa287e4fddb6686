package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook/internal/api"
)

type eventsListOptions struct {
	*app
	server *serverOptions
	filter eventFilter
	list   listOptions
}

func newEventsList(a *app, server *serverOptions) *cobra.Command {
	o := eventsListOptions{app: a, server: server}
	cmd := &cobra.Command{
		Use: "list", Short: "List events, newest first",
		Example: "tenterhook events list --since 1h --source github\ntenterhook events list --state dead\n" +
			"tenterhook events list --unmatched --json | jq -r '.items[].type'",
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runEventsList(cmd.Context(), o) },
	}
	o.filter.flags(cmd)
	o.list.flags(cmd)
	return exits(cmd, exitUnreachable)
}

func runEventsList(ctx context.Context, o eventsListOptions) error {
	filter, err := o.filter.filter(o.ui.now())
	if err != nil {
		return err
	}
	client, err := o.connect(*o.server)
	if err != nil {
		return err
	}
	page, err := collect(o.list, func(c api.Cursor) (api.Page[api.Event], error) {
		return client.ListEvents(ctx, api.EventQuery{EventFilter: filter, Cursor: c})
	})
	if err != nil {
		return err
	}
	if o.ui.json {
		return o.ui.data(page)
	}
	if len(page.Items) == 0 {
		o.ui.say("no events")
		return nil
	}
	rows := make([][]span, 0, len(page.Items))
	for _, e := range page.Items {
		rows = append(rows, eventRow(o.ui, e))
	}
	if err := o.ui.table([]string{"RECEIVED", "ID", "SOURCE", "TYPE", "SIZE", "OUTCOME"}, rows); err != nil {
		return err
	}
	more(o.ui, page)
	return nil
}

func eventRow(u *ui, e api.Event) []span {
	return []span{
		text("%s", relative(e.ReceivedAt.Time, u.now())), text("%s", e.ID), text("%s", e.Source),
		text("%s", orDash(e.Type)), text("%s", bytesText(e.Size)), outcomeText(e.Outcomes),
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
