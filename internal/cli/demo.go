package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
)

// demoPatience is long, as nothing depends on it where all goes well.
const demoPatience = 20 * time.Second

type demoOptions struct {
	*app
	keep     bool
	patience time.Duration // how long anything may take to become what it should
}

func newDemo(a *app) *cobra.Command {
	o := demoOptions{app: a, patience: demoPatience}
	cmd := &cobra.Command{
		Use: "demo", Short: "Show the whole loop on this machine, with GitHub's own sample webhooks",
		Long: "Show the whole loop on this machine: start a gateway, a service and a program for it to deliver to, send\n" +
			"GitHub's own sample webhooks, take the service down for a while, replay an event, and tell what became of each.\n\n" +
			"It uses free ports of the loopback address and a temporary directory, takes some seconds, and leaves nothing\n" +
			"behind. With --keep the gateway runs on until Ctrl-C, to be looked at with the other commands. It fails if\n" +
			"anything did not become what it should.",
		Example: "tenterhook demo\ntenterhook demo --keep\ntenterhook demo --json",
		Args:    arguments(0, 0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDemo(cmd.Context(), o) },
	}
	cmd.Flags().BoolVar(&o.keep, "keep", false, "leave the gateway running until Ctrl-C, and say how to look at it")
	return exits(cmd)
}

func runDemo(ctx context.Context, o demoOptions) (err error) {
	// A reader who leaves early, such as head, must not end the process before it
	// has removed what it made.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)

	d := &demo{demoOptions: o, shown: map[tenterhook.ID]bool{}, began: time.Now()}
	if d.stage, err = newStage(ctx, o.env); err != nil {
		return fmt.Errorf("start the demo: %w", err)
	}
	defer func() { err = errors.Join(err, d.stage.close()) }()
	life := d.stage.run(ctx)
	if err := d.introduce(); err != nil {
		return err
	}
	if err := d.play(life); err != nil {
		if life.Err() != nil {
			return context.Cause(life) // which the error of a request does not say
		}
		return err
	}
	if err := d.finish(); err != nil {
		return err
	}
	if o.keep {
		<-life.Done()
		if ctx.Err() == nil {
			return context.Cause(life)
		}
		o.ui.say("\nstopped; %s is removed", d.stage.dir)
	}
	if len(d.differences) > 0 {
		return &failure{exit: exitFailed, err: errors.New("not everything became what it should"), told: true}
	}
	return nil
}

// A demo is one run: what was sent, and what became of it.
type demo struct {
	demoOptions

	stage       *stage
	began       time.Time
	sent        []*demoSent
	shown       map[tenterhook.ID]bool // attempts that were told
	differences []string               // from what should have become of it
}

// A demoSent is something that was sent.
type demoSent struct {
	demoSend

	number     int    // from 1, in the order of sending
	body       []byte // as it was sent
	deliveryID string // GitHub's
	status     int    // that was answered
	duplicate  bool
	rejection  api.Rejection   // if it was refused
	event      api.EventDetail // as it is on record; if it was taken
	replayed   bool
}

// play sends everything, and tells what becomes of it.
func (d *demo) play(ctx context.Context) error {
	for _, act := range []func(context.Context) error{d.arrive, d.doubt, d.outage, d.replay, d.judge} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) arrive(ctx context.Context) error {
	if err := d.heading("GitHub sends: each is verified and kept, and goes where a route sends it"); err != nil {
		return err
	}
	return d.sendAll(ctx, demoArrivals())
}

func (d *demo) doubt(ctx context.Context) error {
	if err := d.heading("What is forged is refused, and what comes twice is recognised"); err != nil {
		return err
	}
	return d.sendAll(ctx, demoDoubtful())
}

// sendAll sends one after the other, each when the one before is settled.
func (d *demo) sendAll(ctx context.Context, all []demoSend) error {
	for _, p := range all {
		s, err := d.send(ctx, p)
		if err != nil {
			return err
		}
		if s.event.ID.IsZero() || s.duplicate {
			continue
		}
		if err := d.follow(ctx, []*demoSent{s}, settled); err != nil {
			return err
		}
	}
	return nil
}

// outage takes the service down while events come, and up again once they wait
// for their third attempt.
func (d *demo) outage(ctx context.Context) error {
	if err := d.heading("The service is down for a moment: what it misses waits, and nothing else does"); err != nil {
		return err
	}
	if err := d.stage.service.down(); err != nil {
		return err
	}
	if err := d.tell(text("    "), span{waiting, "the service goes down: its port is closed"}); err != nil {
		return err
	}
	var sent []*demoSent
	for _, p := range demoMissed() {
		s, err := d.send(ctx, p)
		if err != nil {
			return err
		}
		sent = append(sent, s)
	}
	if err := d.follow(ctx, sent, triedTwice); err != nil {
		return err
	}
	if err := d.stage.service.up(ctx); err != nil {
		return err
	}
	if err := d.tell(text("    "), span{good, "the service is back"}); err != nil {
		return err
	}
	return d.follow(ctx, sent, settled)
}

// settled reports whether nothing more happens to an event by itself.
func settled(e api.EventDetail) bool {
	for _, d := range e.Deliveries {
		if !d.State.Final() {
			return false
		}
	}
	return true
}

// triedTwice reports whether an event is delivered, or was tried twice at least.
func triedTwice(e api.EventDetail) bool {
	for _, d := range e.Deliveries {
		if !d.State.Final() && d.Attempts < 2 {
			return false
		}
	}
	return true
}

// replay sends an event again.
func (d *demo) replay(ctx context.Context) error {
	if err := d.heading("An event is replayed: sent again, with the same webhook-id and the same bytes"); err != nil {
		return err
	}
	s := d.find(demoReplayed)
	if s == nil {
		return nil // it was not taken, which is a difference already
	}
	before := s.event.Deliveries
	if _, err := d.stage.client.ReplayEvent(ctx, s.event.ID, api.ReplayRequest{}); err != nil {
		return fmt.Errorf("replay %s: %w", s.event.ID, err)
	}
	s.replayed = true
	if err := d.tell(d.mark(s), text("tenterhook events replay "), span{faint, s.event.ID.String()}); err != nil {
		return err
	}
	return d.follow(ctx, []*demoSent{s}, func(e api.EventDetail) bool {
		for i := range before {
			if e.Deliveries[i].Attempts <= before[i].Attempts {
				return false
			}
		}
		return settled(e)
	})
}

// find returns what was sent under a title and taken, or nil.
func (d *demo) find(title string) *demoSent {
	for _, s := range d.sent {
		if s.title() == title && !s.event.ID.IsZero() {
			return s
		}
	}
	return nil
}
