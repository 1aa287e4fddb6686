package cli

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/signature"
)

// verdict says in a few words what was made of something.
func (s *demoSent) verdict() (string, mood) {
	switch {
	case s.event.ID.IsZero():
		return fmt.Sprintf("refused, %d", s.status), bad
	case s.duplicate:
		return "duplicate", waiting
	}
	var routes []string
	for _, decision := range s.event.Decisions {
		if decision.Verdict == tenterhook.VerdictMatched {
			routes = append(routes, decision.Route)
		}
	}
	if len(routes) == 0 {
		return "no route", faint
	}
	return "route " + joined(routes), good
}

// deliveries are those that something made; a duplicate makes none.
func (s *demoSent) deliveries() []api.Delivery {
	if s.duplicate {
		return nil
	}
	return s.event.Deliveries
}

// judge looks at everything once more, and compares it with what should be.
func (d *demo) judge(ctx context.Context) error {
	for _, s := range d.sent {
		if s.event.ID.IsZero() {
			continue
		}
		var err error
		if s.event, err = d.stage.client.GetEvent(ctx, s.event.ID); err != nil {
			return err
		}
	}
	expected := 0
	for _, s := range d.sent {
		for _, difference := range d.compare(s) {
			d.differences = append(d.differences, fmt.Sprintf("%d, %s: %s", s.number, s.title(), difference))
		}
		if slices.Contains(s.to, demoService) {
			expected += s.times()
		}
	}
	got, refused := d.stage.service.requests()
	for _, reason := range refused {
		d.differences = append(d.differences, "the service refused a request: "+reason)
	}
	if got != expected {
		d.differences = append(d.differences,
			fmt.Sprintf("the service got %d requests, and should have got %d", got, expected))
	}
	return nil
}

// times is how often a destination should have taken something.
func (s *demoSent) times() int {
	if s.replayed {
		return 2
	}
	return 1
}

// compare says how what became of something differs from what should have.
func (d *demo) compare(s *demoSent) (differences []string) {
	differ := func(format string, args ...any) { differences = append(differences, fmt.Sprintf(format, args...)) }
	if s.forged {
		if s.status != http.StatusUnauthorized || s.rejection.Reason != string(signature.ReasonSignatureMismatch) {
			differ("answered %d with %q on record, and should be refused for its signature", s.status, s.rejection.Reason)
		}
		return differences
	}
	if s.event.ID.IsZero() {
		differ("refused with %d, and should be accepted", s.status)
		return differences
	}
	if s.again != "" {
		first := d.find(s.again)
		if !s.duplicate || first == nil || first.event.ID != s.event.ID || s.event.Redelivered != 1 {
			differ("not recognised as the event of %q", s.again)
		}
		return differences
	}
	var to []string
	for _, delivery := range s.event.Deliveries {
		to = append(to, delivery.Destination)
		missed := s.down && delivery.Destination == demoService
		switch tries := delivery.Attempts; {
		case delivery.State != tenterhook.StateDelivered:
			differ("%s to %s after %d attempts: %s", delivery.State, delivery.Destination, tries, delivery.LastError)
		case !missed && tries != s.times(), missed && tries <= s.times():
			differ("%s took it at attempt %d", delivery.Destination, tries)
		}
	}
	if !slices.Equal(to, s.to) {
		differ("goes to %s, and should go to %s", orDash(joined(to)), orDash(joined(s.to)))
	}
	return append(differences, d.compareBodies(s)...)
}

// compareBodies says how what the service got differs from what was sent.
func (d *demo) compareBodies(s *demoSent) []string {
	if !slices.Contains(s.to, demoService) {
		return nil
	}
	bodies := d.stage.service.bodies(s.event.ID.String())
	if len(bodies) != s.times() {
		return []string{fmt.Sprintf("the service got it %s, and should have got it %s",
			count(len(bodies), "time", "times"), count(s.times(), "time", "times"))}
	}
	for _, body := range bodies {
		if !bytes.Equal(body, s.body) {
			return []string{"the service got other bytes than were sent"}
		}
	}
	return nil
}
