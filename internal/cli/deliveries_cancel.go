package cli

import (
	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook/internal/api"
)

func newDeliveriesCancel(a *app, server *serverOptions) *cobra.Command {
	o := deliveriesChangeOptions{app: a, server: server, change: (*api.Client).CancelDelivery}
	return newDeliveriesChange(o, &cobra.Command{
		Use: "cancel ID...", Short: "Stop deliveries that still wait",
		Long:    "Stop deliveries that still wait or are retried. They stay on record and can be retried later.",
		Example: "tenterhook deliveries cancel dlv_01JD7Q4ZK0X5V9R2M8T4002000",
	})
}
