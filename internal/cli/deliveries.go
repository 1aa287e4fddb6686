package cli

import (
	"github.com/spf13/cobra"
)

func newDeliveries(a *app) *cobra.Command {
	server := &serverOptions{}
	cmd := group(a, "deliveries", "Look at deliveries, retry and cancel them", []*cobra.Command{
		newDeliveriesList(a, server),
		newDeliveriesShow(a, server),
		newDeliveriesRetry(a, server),
		newDeliveriesCancel(a, server),
	})
	server.flags(cmd)
	return exits(cmd, exitUnreachable)
}
