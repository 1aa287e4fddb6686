package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
)

type eventsReplayOptions struct {
	*app
	server *serverOptions
	ids    []tenterhook.ID
	to     []string
	filter eventFilter
	all    bool
	limit  int
	dryRun bool
	yes    bool
}

func newEventsReplay(a *app, server *serverOptions) *cobra.Command {
	o := eventsReplayOptions{app: a, server: server}
	cmd := &cobra.Command{
		Use: "replay [ID...]", Short: "Send events again, by the routes as they are now",
		Long: "Send events again, by the routes as they are now: a destination that has a delivery of the event gets that\n" +
			"one again, with the same webhook-id, any other a new one. What still waits is left alone.\n\n" +
			"With ids it is done at once. With flags that choose events it says what would be done, and does it with --yes.",
		Example: "tenterhook events replay evt_01JD7Q4ZK0X5V9R2M8T4000000\n" +
			"tenterhook events replay evt_01JD7Q4ZK0X5V9R2M8T4000000 --to deploy\n" +
			"tenterhook events replay --unmatched --since 1d\n" +
			"tenterhook events replay --source github --type push --state dead --yes",
		Args: arguments(0, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, arg := range args {
				id, err := parseEventID(arg)
				if err != nil {
					return err
				}
				o.ids = append(o.ids, id)
			}
			return runEventsReplay(cmd.Context(), o)
		},
	}
	o.filter.flags(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&o.to, "to", nil, "only to this `DESTINATION`; may be repeated")
	flags.BoolVar(&o.all, "all", false, "choose all events")
	flags.IntVarP(&o.limit, "limit", "n", api.DefaultReplay, fmt.Sprintf("at most so many, the newest; up to %d", api.MaxReplay))
	flags.BoolVar(&o.dryRun, "dry-run", false, "only say what would be done")
	flags.BoolVarP(&o.yes, "yes", "y", false, "do it for all events that the flags choose")
	return exits(cmd, exitUnreachable)
}

func runEventsReplay(ctx context.Context, o eventsReplayOptions) error {
	filter, err := o.filter.filter(o.ui.now())
	if err != nil {
		return err
	}
	chosen := filter != (api.EventFilter{}) || o.all
	switch {
	case len(o.ids) > 0 && chosen:
		return usageError("", "name events by their ids or choose them with flags, not both")
	case len(o.ids) > 0 && o.dryRun:
		return usageError("tenterhook events explain ID says where one would go", "--dry-run is for events that flags choose")
	case len(o.ids) == 0 && !chosen:
		return usageError("choose with flags such as --source, --state and --since, or with --all", "no events to send again")
	}
	client, err := o.connect(*o.server)
	if err != nil {
		return err
	}
	if len(o.ids) > 0 {
		return replayNamed(ctx, o, client)
	}
	return replayChosen(ctx, o, client, filter)
}

// replayNamed replays events one by one, and goes on to the next if one fails.
func replayNamed(ctx context.Context, o eventsReplayOptions, client *api.Client) error {
	results := []api.ReplayResult{}
	failed := each(ctx, o.ui, o.ids, func(id tenterhook.ID) error {
		r, err := client.ReplayEvent(ctx, id, api.ReplayRequest{Destinations: o.to})
		if err != nil {
			return err
		}
		results = append(results, r)
		if o.ui.json {
			return nil
		}
		return printReplay(o.ui, r)
	})
	if o.ui.json {
		if err := o.ui.data(results); err != nil {
			return err
		}
	}
	return failed
}

func printReplay(u *ui, r api.ReplayResult) error {
	if len(r.Requeued)+len(r.Added)+len(r.Waiting) == 0 {
		u.hint("tenterhook events explain %s says why", r.EventID)
		return u.line(text("%s  ", r.EventID), span{waiting, "no route takes it"})
	}
	for _, group := range []struct {
		what string
		ds   []api.Delivery
	}{{"sent again", r.Requeued}, {"sent", r.Added}, {"still waits", r.Waiting}} {
		for _, d := range group.ds {
			if err := u.line(text("%s  %s  ", d.ID, d.Destination), span{good, group.what}); err != nil {
				return err
			}
		}
	}
	return nil
}

// replayChosen replays the events that flags choose, or says what it would do.
func replayChosen(ctx context.Context, o eventsReplayOptions, client *api.Client, filter api.EventFilter) error {
	if o.limit < 1 || o.limit > api.MaxReplay {
		return usageError("", "--limit is %d, and must be 1 to %d", o.limit, api.MaxReplay)
	}
	r, err := client.ReplayEvents(ctx, api.ReplayManyRequest{
		Filter: filter, Destinations: o.to, Limit: o.limit, DryRun: o.dryRun || !o.yes,
	})
	if err != nil {
		return err
	}
	if o.ui.json {
		err = o.ui.data(r)
	} else {
		err = printReplayMany(o.ui, r)
	}
	if err != nil || o.dryRun || o.yes || r.Events == 0 {
		return err
	}
	return usageError("add --yes to do it, or --dry-run to only look", "nothing was sent")
}

func printReplayMany(u *ui, r api.ReplayManyResult) error {
	done := "sent"
	if r.DryRun {
		done = "to send"
	}
	to := make([]string, 0, len(r.Destinations))
	for _, name := range slices.Sorted(maps.Keys(r.Destinations)) {
		to = append(to, fmt.Sprintf("%d to %s", r.Destinations[name], name))
	}
	events := count(r.Events, "event", "events")
	if r.More {
		events = "the newest " + events + " of more"
	}
	optional := func(n int) string {
		if n == 0 {
			return ""
		}
		return count(n, "event", "events")
	}
	still := ""
	if r.Waiting > 0 {
		still = count(r.Waiting, "delivery", "deliveries")
	}
	return u.fields(
		field("chosen", text("%s", events)),
		field(done, span{good, orDash(joined(to))}),
		field("still waits", text("%s", still)),
		field("no route takes", span{waiting, optional(r.Unmatched)}),
		field("body no longer kept", span{waiting, optional(r.Pruned)}),
	)
}
