package cli

import (
	"fmt"
	"time"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
)

// A demoResult is what the demo says as JSON.
type demoResult struct {
	OK          bool        `json:"ok"`
	Seconds     float64     `json:"seconds"`
	Events      []demoEvent `json:"events"`
	Differences []string    `json:"differences"`    // from what should have become of them
	Kept        *demoKept   `json:"kept,omitempty"` // with --keep
}

// A demoEvent is what became of something that was sent.
type demoEvent struct {
	Number     int            `json:"number"`
	Sent       string         `json:"sent"`
	Type       string         `json:"type,omitempty"`
	Status     int            `json:"status"`
	ID         tenterhook.ID  `json:"id,omitzero"`
	Verdict    string         `json:"verdict"`
	Deliveries []demoDelivery `json:"deliveries"`
}

type demoDelivery struct {
	Destination string           `json:"destination"`
	State       tenterhook.State `json:"state"`
	Attempts    int              `json:"attempts"`
}

// A demoKept says where what is kept can be looked at.
type demoKept struct {
	Config  string `json:"config"`
	Data    string `json:"data"`
	Server  string `json:"server"`
	Public  string `json:"public"`
	Service string `json:"service"`
}

// finish says what became of everything, and how to look further.
func (d *demo) finish() error {
	if d.ui.json {
		return d.ui.data(d.result())
	}
	if err := d.ui.heading("What became of each"); err != nil {
		return err
	}
	if err := d.ui.table([]string{" #", "EVENT", "VERDICT", "DELIVERIES", "ATTEMPTS"}, d.rows()); err != nil {
		return err
	}
	if err := d.ui.line(); err != nil {
		return err
	}
	if err := d.conclude(); err != nil {
		return err
	}
	if d.keep {
		return d.sayKept()
	}
	return d.sayNext()
}

func (d *demo) result() demoResult {
	r := demoResult{
		OK: len(d.differences) == 0, Seconds: time.Since(d.began).Round(time.Millisecond).Seconds(),
		Events: []demoEvent{}, Differences: append([]string{}, d.differences...),
	}
	for _, s := range d.sent {
		e := demoEvent{
			Number: s.number, Sent: s.title(), Type: s.event.Type, Status: s.status, ID: s.event.ID,
			Deliveries: []demoDelivery{},
		}
		e.Verdict, _ = s.verdict()
		for _, to := range s.deliveries() {
			e.Deliveries = append(e.Deliveries, demoDelivery{to.Destination, to.State, to.Attempts})
		}
		r.Events = append(r.Events, e)
	}
	if d.keep {
		r.Kept = &demoKept{
			Config: d.stage.configPath(), Data: d.stage.data(), Server: d.stage.admin(),
			Public: d.stage.github.url.String(), Service: "http://" + d.stage.service.address + "/hooks",
		}
	}
	return r
}

func (d *demo) rows() [][]span {
	rows := make([][]span, 0, len(d.sent))
	for _, s := range d.sent {
		verdict, mood := s.verdict()
		deliveries, attempts := span{faint, "-"}, span{faint, "-"}
		if all := s.deliveries(); len(all) > 0 {
			outcomes, tries := api.Outcomes{}, 0
			for _, to := range all {
				outcomes[to.State]++
				tries += to.Attempts
			}
			deliveries, attempts = outcomeText(outcomes), text("%d", tries)
		}
		number := span{faint, fmt.Sprintf("%2d", s.number)}
		rows = append(rows, []span{number, text("%s", s.title()), {mood, verdict}, deliveries, attempts})
	}
	return rows
}

// conclude says whether everything became what it should.
func (d *demo) conclude() error {
	for _, difference := range d.differences {
		if err := d.ui.line(span{bad, "differs  "}, text("%s", difference)); err != nil {
			return err
		}
	}
	if len(d.differences) > 0 {
		return nil
	}
	requests, _ := d.stage.service.requests()
	err := d.ui.line(span{good, "ok  "},
		text("everything became what it should, in %.1fs", time.Since(d.began).Seconds()))
	if err != nil {
		return err
	}
	return d.ui.line(text("    the service got %s, each rightly signed, with the bytes that GitHub sent",
		count(requests, "request", "requests")))
}

// sayNext says how to go on after a demo that leaves nothing.
func (d *demo) sayNext() error {
	if err := d.ui.heading("Look further"); err != nil {
		return err
	}
	self := program()
	return d.ui.fields(
		field(self+" demo --keep", text("the same, and it stays: with the commands to look at each event")),
		field(self+" init github", text("a tenterhook.yaml of your own, and what to do next")),
		field(self+" --help", text("everything else")),
	)
}
