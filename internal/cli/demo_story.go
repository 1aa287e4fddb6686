package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/signature"
)

// demoPoll is how often the demo asks for what is new.
const demoPoll = 10 * time.Millisecond

// tell prints a line of the story, which is only told where no data is asked for.
func (d *demo) tell(spans ...span) error {
	if d.ui.json {
		return nil
	}
	return d.ui.line(spans...)
}

func (d *demo) heading(title string) error {
	if d.ui.json {
		return nil
	}
	return d.ui.heading(title)
}

// introduce says what is about to happen, and by which configuration.
func (d *demo) introduce() error {
	if d.ui.json {
		return nil
	}
	err := d.tell(span{bold, "Tenterhook's whole loop on this machine, with GitHub's own sample webhooks."})
	if err == nil {
		err = d.tell(text("It takes about two seconds, most of them between retries, and nothing leaves this machine."))
	}
	if err == nil {
		err = d.heading("The gateway runs on this tenterhook.yaml")
	}
	if err == nil {
		err = d.ui.block(strings.TrimSpace(d.stage.text), "    ")
	}
	return err
}

// mark is the number of what was sent, at the beginning of each line about it.
func (d *demo) mark(s *demoSent) span { return span{faint, fmt.Sprintf("%2d  ", s.number)} }

// send sends something, and tells how it was answered.
func (d *demo) send(ctx context.Context, p demoSend) (*demoSent, error) {
	s := &demoSent{demoSend: p, number: len(d.sent) + 1}
	event, err := findSample(signature.GitHub, p.sample)
	if err != nil {
		return nil, err
	}
	if err := event.set(p.set); err != nil {
		return nil, err
	}
	if p.again != "" {
		if first := d.find(p.again); first != nil {
			s.deliveryID = first.deliveryID
		}
	}
	from := d.stage.github
	if p.forged {
		from = d.stage.forger
	}
	r, err := from.signed(event.fresh(s.deliveryID), d.ui.now())
	if err != nil {
		return nil, err
	}
	done, err := from.send(ctx, r)
	if err != nil {
		return nil, err
	}
	d.sent = append(d.sent, s)
	s.body, s.deliveryID, s.status = event.Body, done.DeliveryID, done.Status
	s.duplicate = gjson.Get(done.Answer, "duplicate").Bool()
	if !done.accepted() {
		return s, d.refused(ctx, s)
	}
	id, err := tenterhook.ParseID(done.eventID())
	if err != nil {
		return nil, fmt.Errorf("%s was answered %q: %w", s.title(), done.Answer, err)
	}
	if s.event, err = d.stage.client.GetEvent(ctx, id); err != nil {
		return nil, err
	}
	return s, d.taken(ctx, s)
}

// answered tells how something was answered.
func (d *demo) answered(s *demoSent, mood mood, more span) error {
	const width = 32 // of the longest title
	return d.tell(d.mark(s), span{bold, fmt.Sprintf("%-*s", width, s.title())},
		span{mood, fmt.Sprintf("  %d  ", s.status)}, more)
}

// taken tells of something that was accepted, and why no route took it.
func (d *demo) taken(ctx context.Context, s *demoSent) error {
	if err := d.answered(s, good, span{faint, s.event.ID.String()}); err != nil {
		return err
	}
	switch {
	case s.duplicate:
		return d.tell(d.mark(s), text("  "), span{waiting, "duplicate"},
			text(": the same delivery id of GitHub's, so the same event; nothing is sent again"))
	case len(s.event.Deliveries) > 0:
		return nil // attempts tell the rest
	}
	explained, err := d.stage.client.ExplainEvent(ctx, s.event.ID)
	if err != nil {
		return err
	}
	why := "none is for this type"
	for _, decision := range explained.Present {
		if decision.Verdict != tenterhook.VerdictType {
			why = decision.Detail
		}
	}
	return d.tell(d.mark(s), text("  "), span{waiting, "no route"}, text(": %s", why))
}

// refused tells of something that was not accepted, and what is on record about
// it. The record is made after the answer.
func (d *demo) refused(ctx context.Context, s *demoSent) error {
	if err := d.answered(s, bad, text("%s", http.StatusText(s.status))); err != nil {
		return err
	}
	found, err := d.wait(ctx, func() (bool, error) {
		list, err := d.stage.client.ListRejections(ctx, api.RejectionQuery{})
		i := slices.IndexFunc(list.Items, func(r api.Rejection) bool { return r.DeliveryID == s.deliveryID })
		if i >= 0 {
			s.rejection = list.Items[i]
		}
		return i >= 0, err
	})
	if err != nil || !found {
		return err
	}
	return d.tell(d.mark(s), text("  "), span{bad, s.rejection.Reason}, text(": %s", s.rejection.Detail))
}

// wait asks until the answer is yes, an error, or too long in coming. What was
// waited for is then missed in the end, and little more is waited for.
func (d *demo) wait(ctx context.Context, ask func() (bool, error)) (bool, error) {
	late := time.NewTimer(d.patience)
	defer late.Stop()
	ticker := time.NewTicker(demoPoll)
	defer ticker.Stop()
	for {
		if yes, err := ask(); yes || err != nil {
			return yes, err
		}
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-late.C:
			d.patience = min(d.patience, time.Second)
			return false, nil
		case <-ticker.C:
		}
	}
}

// follow tells of the attempts of events as they are made, until each is as far
// as it is to be.
func (d *demo) follow(ctx context.Context, events []*demoSent, until func(api.EventDetail) bool) error {
	_, err := d.wait(ctx, func() (bool, error) {
		all := true
		for _, s := range events {
			e, err := d.stage.client.GetEvent(ctx, s.event.ID)
			if err != nil {
				return false, err
			}
			s.event = e
			all = all && until(e)
		}
		return all, d.tellAttempts(events)
	})
	return err
}

// tellAttempts tells of the attempts that were not told yet, oldest first.
func (d *demo) tellAttempts(events []*demoSent) error {
	type told struct {
		api.Attempt

		of *demoSent
	}
	var attempts []told
	for _, s := range events {
		for _, a := range s.event.Attempts {
			if !d.shown[a.ID] {
				d.shown[a.ID] = true
				attempts = append(attempts, told{a, s})
			}
		}
	}
	slices.SortStableFunc(attempts, func(a, b told) int { return a.StartedAt.Compare(b.StartedAt.Time) })
	for _, a := range attempts {
		if err := d.tellAttempt(a.of, a.Attempt); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) tellAttempt(s *demoSent, a api.Attempt) error {
	i := slices.IndexFunc(s.event.Deliveries, func(to api.Delivery) bool { return to.ID == a.DeliveryID })
	if i < 0 {
		return errors.New("an attempt belongs to no delivery")
	}
	to := s.event.Deliveries[i]
	const width = 24 // of the longest route and destination
	return d.tell(append([]span{
		d.mark(s), text("  %-*s", width, to.Route+" -> "+to.Destination),
		{faint, fmt.Sprintf("  attempt %d  ", a.ID.AttemptNumber())},
	}, attemptResult(to, a)...)...)
}

// attemptResult says what came of an attempt, and what comes next.
func attemptResult(to api.Delivery, a api.Attempt) []span {
	took := time.Duration(a.DurationMS * float64(time.Millisecond))
	if a.Outcome == tenterhook.OutcomeSuccess {
		result := []span{{good, "delivered"}, text(": answered %d in %s", a.Status, length(took))}
		if a.Status == 0 { // a command, whose exit code it is
			result[1] = text(": exit 0 in %s", length(took))
		}
		output, _ := a.Response.Bytes() // an attempt's answer is never pruned
		if said, _, _ := strings.Cut(strings.TrimSpace(string(output)), "\n"); said != "" {
			result = append(result, span{faint, fmt.Sprintf(", %q", said)})
		}
		return result
	}
	result := []span{{waiting, cmp.Or(a.Error, string(a.Outcome))}}
	if to.Attempts == a.ID.AttemptNumber() && !to.State.Final() {
		const precise = 10 * time.Millisecond
		wait := to.NextAt.Sub(a.StartedAt.Add(took)).Round(precise)
		result = append(result, text("; the next after %s", wait))
	}
	return result
}
