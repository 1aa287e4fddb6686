package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook/internal/api"
)

type eventsTailOptions struct {
	*app
	server *serverOptions
	query  api.TailQuery
}

func newEventsTail(a *app, server *serverOptions) *cobra.Command {
	o := eventsTailOptions{app: a, server: server}
	cmd := &cobra.Command{
		Use: "tail", Short: "Watch events as they are accepted, until interrupted",
		Example: "tenterhook events tail --source github\ntenterhook events tail --type 'pull_request.*' --json | jq -r .id",
		Args:    arguments(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runEventsTail(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.query.Source, "source", "", "of this source")
	cmd.Flags().StringVar(&o.query.Type, "type", "", "of this type, or of a pattern such as 'pull_request.*'")
	return exits(cmd, exitUnreachable)
}

func runEventsTail(ctx context.Context, o eventsTailOptions) error {
	client, err := o.connect(*o.server)
	if err != nil {
		return err
	}
	o.ui.say("watching; Ctrl-C ends")
	return client.TailEvents(ctx, o.query, api.TailHandler{
		Event: func(e api.Event) error {
			if o.ui.json {
				return o.ui.record(e)
			}
			return o.ui.line(
				span{faint, e.ReceivedAt.Local().Format(time.TimeOnly) + "  "}, text("%s  ", e.ID), text("%s  ", e.Source),
				span{bold, orDash(e.Type)}, text("  %s  ", bytesText(e.Size)), outcomeText(e.Outcomes))
		},
		Missed: func(n int64) error {
			o.ui.say("%s not shown: they came too fast", count(int(n), "event", "events"))
			return nil
		},
	})
}
