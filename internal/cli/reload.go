package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type reloadOptions struct {
	*app
	server serverOptions
}

func newReload(a *app) *cobra.Command {
	o := reloadOptions{app: a}
	cmd := &cobra.Command{
		Use: "reload", Short: "Make the server read its configuration file again",
		Long: "Make the server read its configuration file again. A file with a mistake is reported and leaves the old\n" +
			"configuration running.",
		Example: "tenterhook check && tenterhook reload",
		Args:    arguments(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runReload(cmd.Context(), o) },
	}
	o.server.flags(cmd)
	return exits(cmd, exitConfig, exitUnreachable)
}

func runReload(ctx context.Context, o reloadOptions) error {
	client, err := o.connect(o.server)
	if err != nil {
		return err
	}
	r, err := client.Reload(ctx)
	if err != nil {
		return err
	}
	if o.ui.json {
		return o.ui.data(r)
	}
	return o.ui.line(text("reloaded: %s, %s, %s", count(r.Sources, "source", "sources"),
		count(r.Destinations, "destination", "destinations"), count(r.Routes, "route", "routes")))
}
