package cli

import (
	"github.com/spf13/cobra"
)

func newEvents(a *app) *cobra.Command {
	server := &serverOptions{}
	cmd := group(a, "events", "Look at events, send them again, and publish new ones", []*cobra.Command{
		newEventsList(a, server),
		newEventsShow(a, server),
		newEventsTail(a, server),
		newEventsExplain(a, server),
		newEventsReplay(a, server),
		newEventsPublish(a, server),
	})
	server.flags(cmd)
	return exits(cmd, exitUnreachable)
}
