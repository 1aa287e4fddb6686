package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
)

type eventsShowOptions struct {
	*app
	server *serverOptions
	id     tenterhook.ID
	raw    bool
	full   bool
}

func newEventsShow(a *app, server *serverOptions) *cobra.Command {
	o := eventsShowOptions{app: a, server: server}
	cmd := &cobra.Command{
		Use: "show ID", Short: "Show an event: headers, body and what became of it",
		Long: "Show an event: its headers, its body, and what became of it, attempt by attempt. The id of a delivery or an\n" +
			"attempt shows the event it belongs to.",
		Example: "tenterhook events show evt_01JD7Q4ZK0X5V9R2M8T4000000\n" +
			"tenterhook events show evt_01JD7Q4ZK0X5V9R2M8T4000000 --raw > body.json",
		Args: arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.id, err = parseEventID(args[0]); err != nil {
				return err
			}
			return runEventsShow(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.raw, "raw", false, "print the body and nothing else, byte for byte as it was received")
	cmd.Flags().BoolVar(&o.full, "full", false, "print the whole body, however long")
	return exits(cmd, exitUnreachable)
}

func runEventsShow(ctx context.Context, o eventsShowOptions) error {
	client, err := o.connect(*o.server)
	if err != nil {
		return err
	}
	if o.raw {
		return showRaw(ctx, o, client)
	}
	e, err := client.GetEvent(ctx, o.id)
	if err != nil {
		return err
	}
	if o.ui.json {
		return o.ui.data(e)
	}
	for _, show := range []func(eventsShowOptions, api.EventDetail) error{showHead, showHeaders, showBody, showTimeline} {
		if err := show(o, e); err != nil {
			return err
		}
	}
	return nil
}

// showRaw prints a body as it is. A terminal must not see one that could steer it.
func showRaw(ctx context.Context, o eventsShowOptions, client *api.Client) error {
	if !o.ui.interactive() {
		return client.GetEventBody(ctx, o.id, o.ui.out)
	}
	var body bytes.Buffer
	if err := client.GetEventBody(ctx, o.id, &body); err != nil {
		return err
	}
	if s := body.String(); clean(s, true) != s {
		return usageError("write it to a file: ... --raw > body", "the body holds characters that are not for a terminal")
	}
	return o.ui.write(o.ui.out, body.String())
}

func showHead(o eventsShowOptions, e api.EventDetail) error {
	redelivered := ""
	if e.Redelivered > 0 {
		redelivered = count(e.Redelivered, "time", "times")
	}
	return o.ui.fields(
		field("event", span{bold, e.ID.String()}),
		field("source", text("%s", e.Source)),
		field("type", text("%s", orDash(e.Type))),
		field("delivery id", text("%s", e.DeliveryID)),
		field("received", text("%s (%s)", e.ReceivedAt.Local().Format(time.RFC3339), relative(e.ReceivedAt.Time, o.ui.now()))),
		field("size", text("%s", bytesText(e.Size))),
		field("sha256", text("%s", e.BodySHA256)),
		field("redelivered", text("%s", redelivered)),
		field("redelivery of", text("%s", e.RedeliveryOf)),
		field("outcome", outcomeText(e.Outcomes)),
		field("body bound", boundText(e.BodyBound)),
		field("schema", mismatchText(e.SchemaMismatch)),
		field("redacted", redactedText(e.Event)),
	)
}

// boundText says nothing of a body that is signed, as most are.
func boundText(bound bool) span {
	if bound {
		return text("")
	}
	return span{waiting, "no: no signature covers the body, so fetch from the provider what matters"}
}

func mismatchText(mismatch string) span {
	if mismatch == "" {
		return text("")
	}
	return span{bad, "does not match: " + mismatch}
}

func redactedText(e api.Event) span {
	switch {
	case len(e.Redacted) == 0:
		return text("")
	case e.SecretLeaked:
		return span{bad, "the source's secret was written out in its " + joined(e.Redacted) + ": change it"}
	}
	return text("the secret in its %s", joined(e.Redacted))
}

func showHeaders(o eventsShowOptions, e api.EventDetail) error {
	if err := o.ui.heading("headers"); err != nil {
		return err
	}
	var rows [][2]span
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		for _, value := range e.Headers[name] {
			rows = append(rows, field("  "+name, text("%s", value)))
		}
	}
	return o.ui.fields(rows...)
}

func showBody(o eventsShowOptions, e api.EventDetail) error {
	const foldAfter = 40
	if err := o.ui.heading("body"); err != nil {
		return err
	}
	switch e.Body.Encoding {
	case api.EncodingPruned:
		return o.ui.line(span{faint, "  no longer kept"})
	case api.EncodingLarge:
		return o.ui.line(span{faint, "  " + bytesText(e.Size) + "; --raw prints it"})
	case api.EncodingBase64:
		return o.ui.line(span{faint, "  not text; --raw prints it"})
	case api.EncodingText:
	}
	shown, left := pretty(e.Body.Content), 0
	if !o.full {
		shown, left = fold(shown, foldAfter)
	}
	if shown == "" {
		return o.ui.line(span{faint, "  empty"})
	}
	if err := o.ui.block(shown, "  "); err != nil {
		return err
	}
	if left > 0 {
		return o.ui.line(span{faint, "  ... " + count(left, "more line", "more lines") + "; --full prints all, --raw the exact bytes"})
	}
	return nil
}

// pretty indents a JSON text, and leaves any other as it is.
func pretty(content string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(content), "", "  ") != nil {
		return content
	}
	return b.String()
}

// A moment is a line of a timeline.
type moment struct {
	at  time.Time
	row []span
}

// showTimeline tells what became of the event in the order it happened.
func showTimeline(o eventsShowOptions, e api.EventDetail) error {
	if err := o.ui.heading("timeline"); err != nil {
		return err
	}
	moments := []moment{{e.ReceivedAt.Time, []span{text("accepted"), text("%s", e.Source), text("%s", acceptedAs(e))}}}
	for _, r := range e.Redeliveries {
		moments = append(moments, moment{r.At.Time, []span{text("redelivered"), text("%s", e.Source), text("%s", redeliveredAs(r))}})
	}
	destinations := map[tenterhook.ID]string{}
	for _, d := range e.Deliveries {
		destinations[d.ID] = d.Destination
		if !d.State.Final() {
			moments = append(moments, moment{d.NextAt.Time, []span{
				{waiting, string(d.State)}, text("%s", d.Destination), text("due %s", relative(d.NextAt.Time, o.ui.now())),
			}})
		}
	}
	for _, a := range e.Attempts {
		moments = append(moments, moment{a.StartedAt.Time, attemptRow(a, destinations[a.DeliveryID])})
	}
	slices.SortStableFunc(moments, func(a, b moment) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	rows := make([][]span, 0, len(moments))
	for _, m := range moments {
		offset := max(m.at.Sub(e.ReceivedAt.Time), 0)
		rows = append(rows, append([]span{{faint, "  +" + length(offset)}}, m.row...))
	}
	return o.ui.table([]string{"  AFTER", "WHAT", "WHERE", "RESULT"}, rows)
}

func acceptedAs(e api.EventDetail) string {
	if e.DeliveryID == "" {
		return ""
	}
	return "as " + e.DeliveryID
}

func redeliveredAs(r api.Redelivery) string {
	var parts []string
	if !r.SameBody {
		parts = append(parts, "with another body, which was not taken")
	}
	if r.Requeued > 0 {
		parts = append(parts, count(r.Requeued, "dead delivery set off again", "dead deliveries set off again"))
	}
	if r.Added > 0 {
		parts = append(parts, count(r.Added, "delivery added", "deliveries added"))
	}
	if len(parts) == 0 {
		return "nothing to heal"
	}
	return joined(parts)
}

// attemptRow tells of an attempt: which, where, and what came of it.
func attemptRow(a api.Attempt, destination string) []span {
	result := span{good, string(a.Outcome)}
	if a.Outcome != tenterhook.OutcomeSuccess {
		result.mood = bad
	}
	if a.Status != 0 {
		result.text += fmt.Sprintf(" %d", a.Status)
	}
	result.text += " in " + length(time.Duration(a.DurationMS*float64(time.Millisecond)))
	if a.Error != "" {
		result.text += ": " + a.Error
	}
	return []span{text("attempt %d", a.ID.AttemptNumber()), text("%s", destination), result}
}
