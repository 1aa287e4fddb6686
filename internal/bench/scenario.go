package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"time"
)

// What the scenarios load with.
const (
	scenarioConnections = 64
	scenarioSize        = 1 << 10
)

// scenario measures one scenario and adds it to the report.
func (b *bench) scenario(ctx context.Context, name string, report *Report) error {
	switch name {
	case ScenarioBacklog:
		return b.backlog(ctx, report)
	case ScenarioRows:
		return b.rows(ctx, report)
	case ScenarioHang:
		return b.hang(ctx, report)
	default:
		return b.restart(ctx, report)
	}
}

// full is the load of most scenarios.
func (b *bench) full() loadSpec {
	spec := loadSpec{Connections: scenarioConnections, Size: scenarioSize}
	b.amount(&spec)
	return spec
}

// backlog compares the gateway with many deliveries that wait for a destination
// that is down with one on an empty store. The load does not go there.
func (b *bench) backlog(ctx context.Context, report *Report) error {
	const rows = 1_000_000
	down, err := closedPort(ctx)
	if err != nil {
		return err
	}
	s := b.plain()
	s.aside = down
	return b.filled(ctx, report, s, fillSpec{Size: scenarioSize, Destination: aside, Route: aside}, Comparison{
		Scenario: ScenarioBacklog, Rows: cmp.Or(b.Rows, rows),
	})
}

// rows compares the gateway on a store that is full of delivered events with one
// on an empty store.
func (b *bench) rows(ctx context.Context, report *Report) error {
	const rows = 10_000_000
	spec := fillSpec{Size: scenarioSize, Destination: healthyName + "0", Route: mainRoute, Delivered: true}
	return b.filled(ctx, report, b.plain(), spec, Comparison{Scenario: ScenarioRows, Rows: cmp.Or(b.Rows, rows)})
}

// filled compares the gateway on a store that is filled first with one on an
// empty store.
func (b *bench) filled(ctx context.Context, report *Report, s setup, spec fillSpec, c Comparison) error {
	spec.Data = filepath.Join(b.dir, c.Scenario)
	if err := b.fill(ctx, spec, c.Scenario, c.Rows); err != nil {
		return err
	}
	load := b.full()
	on := s
	on.data = spec.Data
	var err error
	c.Size, c.Connections = load.Size, load.Connections
	if c.Pair, err = b.compare(ctx, c.Scenario, trial{setup: on, load: load}, trial{setup: s, load: load}); err != nil {
		return err
	}
	report.Comparisons = append(report.Comparisons, c)
	if err := os.RemoveAll(spec.Data); err != nil {
		return fmt.Errorf("remove what was measured with: %w", err)
	}
	return nil
}

// fill writes n events into a store, if the disk has room for them.
func (b *bench) fill(ctx context.Context, spec fillSpec, name string, n int64) error {
	const step, overhead = 50_000, 1536 // bytes besides the payload, and some to spare
	free, err := freeBytes(b.dir)
	if err != nil {
		return err
	}
	if need := n * int64(spec.Size+overhead); free < need {
		return fmt.Errorf("%s needs %d MiB on the disk of %s, which has %d MiB left", name, need>>20, b.dir, free>>20)
	}
	c, err := spawn(ctx, b.Command, roleFill)
	if err != nil {
		return err
	}
	defer c.kill() // nothing, if it ended in order
	if _, err := ask[none](ctx, c, "open", spec); err != nil {
		return err
	}
	for done := int64(0); done < n; {
		b.progress("%s: %s of %s events stored", name, showCount(float64(done)), showCount(float64(n)))
		more := min(step, n-done)
		if _, err := ask[none](ctx, c, "add", more); err != nil {
			return err
		}
		done += more
	}
	if _, err := ask[none](ctx, c, "stop", none{}); err != nil {
		return err
	}
	return c.end()
}

// closedPort returns an address where nobody listens.
func closedPort(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// hang compares how healthy destinations fare beside one that takes requests and
// never answers, for which events wait, with how they fare without these.
func (b *bench) hang(ctx context.Context, report *Report) error {
	const rows, healthy = 1000, 20
	c := Comparison{
		Scenario: ScenarioHang, Rows: cmp.Or(b.Rows, rows), Size: scenarioSize, Connections: steadyConnections, Rate: b.Rate,
	}
	spec := loadSpec{Connections: c.Connections, Size: c.Size, Rate: c.Rate}
	b.amount(&spec)
	without := trial{setup: setup{receiver: b.where.Healthy, healthy: healthy, aside: b.where.Hanging}, load: spec, kill: true}
	with := without
	with.before = &loadSpec{Event: eventAside, Connections: scenarioConnections, Size: c.Size, Events: c.Rows}
	var err error
	if c.Pair, err = b.compare(ctx, c.Scenario, with, without); err != nil {
		return err
	}
	report.Comparisons = append(report.Comparisons, c)
	return nil
}

// restart kills the gateway under load and starts it again.
func (b *bench) restart(ctx context.Context, report *Report) error {
	r := &Restart{Connections: scenarioConnections, Size: scenarioSize}
	for n := range b.Runs {
		b.progress("%s: run %d of %d", ScenarioRestart, n+1, b.Runs)
		k, err := b.killOnce(ctx)
		if err != nil {
			return err
		}
		r.Kills = append(r.Kills, k)
	}
	report.Restart = r
	return nil
}

func (b *bench) killOnce(ctx context.Context) (k KilledFigure, err error) {
	dir, err := os.MkdirTemp(b.dir, "restart-")
	if err != nil {
		return k, fmt.Errorf("make directory: %w", err)
	}
	defer func() {
		if removeErr := os.RemoveAll(dir); err == nil {
			err = removeErr
		}
	}()
	first, err := b.startGateway(ctx, dir, b.plain(), false)
	if err != nil {
		return k, err
	}
	defer first.kill()
	sent, err := b.sendUntilKilled(ctx, first)
	first.kill() // and wait until it is gone
	if err != nil {
		return k, err
	}
	k.Accepted = sent.Accepted
	if k.Stuck, err = ask[int64](ctx, b.receiver, "stuck", sent.ByConn); err != nil {
		return k, err
	}
	if _, err := ask[none](ctx, b.receiver, "hold", false); err != nil {
		return k, err
	}
	second, err := b.startGateway(ctx, dir, b.plain(), false)
	if err != nil {
		return k, err
	}
	defer second.kill()
	came, err := ask[arrivals](ctx, b.receiver, "wait", awaited{Stuck: true, Timeout: arrivalPatience})
	if err != nil {
		return k, err
	}
	k.Lost, k.Duplicates, k.ReadyMS = came.Stuck, came.Duplicates, second.readyMS
	if came.LastStuck > 0 {
		last := time.Unix(0, came.LastStuck)
		k.LastMS = math.Max(milliseconds(last.Sub(second.ready)), 0)
		k.FromExecMS = milliseconds(last.Sub(second.started))
	}
	return k, nil
}

// stall is how long before the kill the receiver stops to answer, so that there
// are events to be stuck: accepted meanwhile, with some attempts in flight.
const stall = 200 * time.Millisecond

// sendUntilKilled sends until the gateway is killed, which it does itself.
func (b *bench) sendUntilKilled(ctx context.Context, p *process) (loadResult, error) {
	spec := loadSpec{
		Connections: scenarioConnections, Size: scenarioSize, Event: eventPush,
		Duration: b.Duration + answerPatience, // longer than the gateway lives
	}
	if err := b.address(ctx, p, &spec); err != nil {
		return loadResult{}, err
	}
	ended := make(chan error, 1)
	go func() {
		defer func() { _ = p.cmd.Process.Kill() }() // it has ended, which the load shows
		pause := min(stall, b.Duration/2)
		timer := time.NewTimer(b.Duration - pause)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		_, err := ask[none](ctx, b.receiver, "hold", true)
		timer.Reset(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		ended <- err
	}()
	r, err := ask[loadResult](ctx, b.load, "run", spec)
	return r, errors.Join(err, <-ended)
}
