package cli

import (
	"context"
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook/internal/api"
)

type publishOptions struct {
	*app
	sendBody

	server      *serverOptions
	source, key string
	contentType string
}

func newEventsPublish(a *app, server *serverOptions) *cobra.Command {
	o := publishOptions{app: a, server: server}
	cmd := &cobra.Command{
		Use: "publish --source NAME (--field K=V | --data DATA)...", Short: "Publish an event, as if it had been posted to a source",
		Long: "Hand an event to the server, which keeps it, routes it as it does what is posted to the source, and delivers it.\n" +
			"Once this ends with 0 the event is on stable storage.\n\n" +
			"--status, --message and --field make a JSON object, with the time in timestamp. --data publishes what is given,\n" +
			"to the byte.",
		Example: "tenterhook events publish --source builds --type build.finished -f number=42 -f branch=main --key build-42\n" +
			"tenterhook events publish --source billing --type invoice.paid --data @invoice.json",
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runPublish(cmd.Context(), o) },
	}
	o.flags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.source, "source", "", "as if it had been posted to the source of this `NAME`")
	flags.StringVar(&o.key, "key", "", "an idempotency `KEY`: with one that came before, nothing is published again")
	flags.StringVar(&o.contentType, "content-type", "", "what --data is, if not JSON, such as `text/plain`")
	return exits(cmd, exitUnreachable)
}

func runPublish(ctx context.Context, o publishOptions) error {
	if o.source == "" {
		return usageError("write --source NAME; its routes say where events go", "which source? None is named")
	}
	body, err := o.body(o.ui)
	if err != nil {
		return err
	}
	e := api.NewEvent{Source: o.source, Type: o.typ, IdempotencyKey: o.key, ContentType: o.contentType}
	if o.contentType == "" && json.Valid(body) && compacted(body) {
		e.Payload = body
	} else {
		content := api.NewBody(body)
		if e.Body = &content; e.ContentType == "" && json.Valid(body) {
			e.ContentType = "application/json"
		}
	}
	client, err := o.connect(*o.server)
	if err != nil {
		return err
	}
	published, err := client.PublishEvents(ctx, api.PublishRequest{Events: []api.NewEvent{e}})
	if err != nil {
		return err
	}
	if o.ui.json {
		return o.ui.data(published)
	}
	for _, p := range published.Items {
		switch {
		case p.Duplicate:
			o.ui.say("the key came before, with this event")
		case p.Deliveries == 0:
			o.ui.say("no route takes it; it is kept")
		default:
			o.ui.say("goes to %s", count(p.Deliveries, "destination", "destinations"))
		}
		if err := o.ui.line(text("%s", p.ID)); err != nil {
			return err
		}
		o.ui.hint("tenterhook events explain %s", p.ID)
	}
	return nil
}

// compacted reports whether JSON has no white space between its parts: encoding
// it as a part of other JSON would take that away.
func compacted(body []byte) bool {
	again, err := json.Marshal(json.RawMessage(body))
	return err == nil && string(again) == string(body)
}
