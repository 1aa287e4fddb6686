package filter

import (
	"context"
	"time"
)

const (
	// maxSteps bounds a run apart from the clock, so that a fast machine does not
	// nest or build more than a slow one. It is several times what a machine of
	// today does within the deadline.
	maxSteps = 1 << 23
	// stepsPerCheck is how often the clock is read, which costs as much as a few
	// steps. A guarded step can take milliseconds, so it cannot be much rarer.
	stepsPerCheck = 32
	// maxCharge is the most that counts of the time between two checks. The clock
	// goes on while the machine is busy with something else; a program of
	// microseconds must not be stopped because of one such pause.
	maxCharge = Timeout / 5
)

// A meter is the context that the interpreter runs under. The interpreter asks
// for Done before each step, so counting the calls counts the steps, and a
// deadline needs neither a timer nor a goroutine. Unlike other contexts it is
// for the one goroutine that runs the program.
type meter struct {
	context.Context //nolint:containedctx // a meter is itself a context, around the caller's

	steps   int
	checked time.Time     // when the clock was last read
	spent   time.Duration // until then
	done    chan struct{} // nil until the run is to stop, then closed
	err     error
}

func newMeter(ctx context.Context) *meter {
	return &meter{Context: ctx, checked: time.Now()}
}

// Done counts a step. The channel is closed if there must not be another.
func (m *meter) Done() <-chan struct{} {
	if m.steps++; m.steps%stepsPerCheck == 0 && m.err == nil {
		m.check()
	}
	return m.done
}

// Err returns why the run was stopped.
func (m *meter) Err() error { return m.err }

func (m *meter) check() {
	now := time.Now()
	m.spent += min(now.Sub(m.checked), maxCharge)
	m.checked = now
	if m.err = m.Context.Err(); m.err == nil {
		if m.steps < maxSteps && m.spent < Timeout {
			return
		}
		m.err = ErrTimeout
	}
	m.done = make(chan struct{})
	close(m.done)
}
