package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
)

// deliveriesChangeOptions are those of a command that changes deliveries.
type deliveriesChangeOptions struct {
	*app
	server *serverOptions
	ids    []tenterhook.ID
	change func(*api.Client, context.Context, tenterhook.ID) (api.Delivery, error)
}

func newDeliveriesRetry(a *app, server *serverOptions) *cobra.Command {
	o := deliveriesChangeOptions{app: a, server: server, change: (*api.Client).RetryDelivery}
	return newDeliveriesChange(o, &cobra.Command{
		Use: "retry ID...", Short: "Try finished deliveries again, now and with all retries",
		Example: "tenterhook deliveries retry dlv_01JD7Q4ZK0X5V9R2M8T4002000\n" +
			"tenterhook deliveries list --state dead --json | jq -r '.items[].id' | xargs tenterhook deliveries retry",
	})
}

// newDeliveriesChange completes a command that changes the deliveries named.
func newDeliveriesChange(o deliveriesChangeOptions, cmd *cobra.Command) *cobra.Command {
	cmd.Args = arguments(1, -1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		for _, arg := range args {
			id, err := parseDeliveryID(arg)
			if err != nil {
				return err
			}
			o.ids = append(o.ids, id)
		}
		return runDeliveriesChange(cmd.Context(), o)
	}
	return exits(cmd, exitUnreachable)
}

func runDeliveriesChange(ctx context.Context, o deliveriesChangeOptions) error {
	client, err := o.connect(*o.server)
	if err != nil {
		return err
	}
	changed := []api.Delivery{}
	failed := each(ctx, o.ui, o.ids, func(id tenterhook.ID) error {
		d, err := o.change(client, ctx, id)
		if err != nil {
			return err
		}
		changed = append(changed, d)
		if o.ui.json {
			return nil
		}
		return o.ui.line(text("%s  %s  ", d.ID, d.Destination), stateText(d.State))
	})
	if o.ui.json {
		if err := o.ui.data(changed); err != nil {
			return err
		}
	}
	return failed
}
