package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
)

// completeWith completes a flag's value with one of a few words.
func completeWith(cmd *cobra.Command, flag string, words ...string) {
	// It fails for a flag that is not there, which every test would meet.
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err)
	}
}

func stateNames() []string {
	names := make([]string, 0, len(states()))
	for _, s := range states() {
		names = append(names, string(s))
	}
	return names
}

// period is the flags --since and --until.
type period struct{ since, until string }

func (p *period) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.since, "since", "", "received at or after `TIME`: 2h or 7d ago, a day, or RFC 3339")
	cmd.Flags().StringVar(&p.until, "until", "", "received before `TIME`")
}

func (p *period) times(now time.Time) (since, until api.Time, err error) {
	if since.Time, err = parseWhen(p.since, now); err != nil {
		return since, until, err
	}
	until.Time, err = parseWhen(p.until, now)
	return since, until, err
}

func (o *listOptions) flags(cmd *cobra.Command) {
	cmd.Flags().IntVarP(&o.limit, "limit", "n", defaultLimit, "at most so many, the newest")
	cmd.Flags().StringVar(&o.cursor, "cursor", "", "go on after this `ID`, where the list before ended")
}

// eventFilter is the flags that choose events.
type eventFilter struct {
	period

	source, typ, deliveryID, state string
	unmatched                      bool
}

func (f *eventFilter) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.source, "source", "", "of this source")
	flags.StringVar(&f.typ, "type", "", "of this type, or of a pattern such as 'pull_request.*'")
	flags.StringVar(&f.deliveryID, "delivery-id", "", "with this id of the provider's")
	flags.StringVar(&f.state, "state", "", "with a delivery in this `STATE`")
	flags.BoolVar(&f.unmatched, "unmatched", false, "that no route took")
	f.period.flags(cmd)
	completeWith(cmd, "state", stateNames()...)
}

func (f *eventFilter) filter(now time.Time) (api.EventFilter, error) {
	since, until, err := f.times(now)
	if err != nil {
		return api.EventFilter{}, err
	}
	if err := checkState(f.state); err != nil {
		return api.EventFilter{}, err
	}
	return api.EventFilter{
		Source: f.source, Type: f.typ, DeliveryID: f.deliveryID, State: tenterhook.State(f.state),
		Unmatched: f.unmatched, Since: since, Until: until,
	}, nil
}

func checkState(name string) error {
	if name == "" {
		return nil
	}
	for _, s := range states() {
		if name == string(s) {
			return nil
		}
	}
	return usageError("states: "+joined(stateNames()), "no state is called %q", name)
}

// parseEventID reads an event's id. That of a delivery or an attempt stands for
// the event it belongs to.
func parseEventID(arg string) (tenterhook.ID, error) {
	id, err := tenterhook.ParseID(arg)
	if err != nil {
		return id, usageError("tenterhook events list shows ids", "%w", err)
	}
	return id.Event(), nil
}

// parseDeliveryID reads a delivery's id. That of an attempt stands for the
// delivery it belongs to.
func parseDeliveryID(arg string) (tenterhook.ID, error) {
	id, err := tenterhook.ParseID(arg)
	switch {
	case err != nil:
		return id, usageError("tenterhook deliveries list shows ids", "%w", err)
	case id.DeliveryNumber() == 0:
		return id, usageError("tenterhook deliveries list --event "+id.String()+" shows its deliveries",
			"%s is an event, not a delivery", id)
	}
	return id.Delivery(0), nil
}
