package bench

import (
	"context"
	"time"
)

// Run measures what o says. It takes as long as that takes; ctx ends it early,
// with an error. It starts and ends processes, and writes into a directory that
// it removes again.
func Run(ctx context.Context, o Options) (report *Report, err error) {
	o = o.WithDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	b, err := newBench(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closeErr := b.close(); err == nil { // what went wrong first is what to tell
			err = closeErr
		}
	}()

	r := &Report{Format: reportFormat, Version: o.Version, TakenAt: time.Now().UTC(), Runs: o.Runs}
	if r.Machine, err = machine(ctx, b.dir); err != nil {
		return nil, err
	}
	if len(o.Scenarios) == 0 {
		if err := b.cases(ctx, r); err != nil {
			return nil, err
		}
	}
	for _, name := range o.Scenarios {
		if err := b.scenario(ctx, name, r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// steadyConnections are those of the steady load: enough that none has to wait.
const steadyConnections = 16

// cases measures the plain loads, and the steady one at the end.
func (b *bench) cases(ctx context.Context, report *Report) error {
	cases := make([]Case, 0, len(b.Sizes)*len(b.Connections)+1)
	for _, size := range b.Sizes {
		for _, connections := range b.Connections {
			cases = append(cases, Case{Size: size, Connections: connections})
		}
	}
	cases = append(cases, Case{Size: b.Sizes[0], Connections: steadyConnections, Rate: b.Rate})
	for _, c := range cases {
		spec := loadSpec{Connections: c.Connections, Size: c.Size, Rate: c.Rate}
		b.amount(&spec)
		pair, err := b.compare(ctx, label(c.Size, c.Connections, c.Rate),
			trial{setup: b.plain(), load: spec}, trial{setup: b.plain(), load: spec, memory: true})
		if err != nil {
			return err
		}
		c.Pair = pair
		report.Cases = append(report.Cases, c)
	}
	return nil
}

// amount says how much to send: so many events, or for so long. A steady load
// needs longer for a 99th percentile that means something.
func (b *bench) amount(spec *loadSpec) {
	const steady = 2
	switch {
	case b.Events > 0:
		spec.Events = b.Events
	case spec.Rate > 0:
		spec.Duration = steady * b.Duration
	default:
		spec.Duration = b.Duration
	}
}

// compare runs two trials in turn, as often as the options say.
func (b *bench) compare(ctx context.Context, name string, gateway, against trial) (Pair, error) {
	var runs [2][]Figures
	for n := range b.Runs {
		b.progress("%s: run %d of %d", name, n+1, b.Runs)
		for i, t := range []trial{gateway, against} {
			f, err := b.run(ctx, t)
			if err != nil {
				return Pair{}, err
			}
			runs[i] = append(runs[i], f)
		}
	}
	return pairOf(runs[0], runs[1]), nil
}
