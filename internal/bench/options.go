package bench

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Scenarios besides the plain load. Each compares the gateway with itself.
const (
	ScenarioBacklog = "backlog" // many deliveries wait for a destination that is down
	ScenarioRows    = "rows"    // many events are stored
	ScenarioRestart = "restart" // the gateway is killed under load, and started again
	ScenarioHang    = "hang"    // one destination of many takes requests and never answers
)

// Scenarios returns the names of all scenarios.
func Scenarios() []string {
	return []string{ScenarioBacklog, ScenarioRows, ScenarioRestart, ScenarioHang}
}

// Options say what to measure. Zero fields have the defaults that
// [Options.WithDefaults] fills in.
type Options struct {
	// Command starts this program, up to the role that is its last argument. It
	// is needed.
	Command []string
	// Scenarios to measure instead of the plain load; see [Scenarios].
	Scenarios []string
	// Connections are the numbers of connections to load with, 1 to 65,535 each.
	// Default 1, 16, 64, 256.
	Connections []int
	// Sizes are the payloads' sizes in bytes. Default 1 KiB and 10 KiB.
	Sizes []int
	// Duration is how long to load in each run. Default 4 s.
	Duration time.Duration
	// Events, if not 0, ends the load of a run after so many instead.
	Events int64
	// Rate is the events a second of the steady load, which shows how long an
	// event takes when nothing is scarce, and of the scenario hang. Default 100.
	Rate int
	// Runs is how often each figure is measured. Default 5.
	Runs int
	// Rows is how many events a scenario stores before it begins. Default
	// 1,000,000 for backlog, 10,000,000 for rows, 1,000 for hang.
	Rows int64
	// Dir is a directory on the disk to measure; what is written there is removed
	// again. Default the system's for temporary files.
	Dir string
	// Version is that of the program, for the report.
	Version string
	// Progress is called with what is being done, for people. It may be nil.
	Progress func(text string)
}

// Quick are options that show in a few seconds that everything works. Their
// figures are rough.
func Quick() Options {
	return Options{
		Connections: []int{64}, Sizes: []int{1 << 10}, Duration: time.Second, Runs: 1, Rows: 20_000,
	}
}

// WithDefaults returns o with its empty fields filled in.
func (o Options) WithDefaults() Options {
	if len(o.Connections) == 0 {
		o.Connections = []int{1, 16, 64, 256}
	}
	if len(o.Sizes) == 0 {
		o.Sizes = []int{1 << 10, 10 << 10}
	}
	if o.Duration == 0 {
		o.Duration = 4 * time.Second
	}
	if o.Rate == 0 {
		o.Rate = 100
	}
	if o.Runs == 0 {
		o.Runs = 5
	}
	if o.Dir == "" {
		o.Dir = os.TempDir()
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	return o
}

// Validate says what is wrong with o, which has its defaults.
func (o Options) Validate() error {
	for _, n := range o.Connections {
		if n < 1 || n > 1<<16-1 {
			return fmt.Errorf("%d connections cannot be measured: 1 to 65535 can", n)
		}
	}
	for _, size := range o.Sizes {
		if _, err := push(size); err != nil {
			return err
		}
	}
	for _, name := range o.Scenarios {
		if !slices.Contains(Scenarios(), name) {
			return fmt.Errorf("no scenario is called %q: there are %s", name, strings.Join(Scenarios(), ", "))
		}
	}
	switch {
	case len(o.Command) == 0:
		return errors.New("no command to start the other processes with")
	case o.Duration < 0 || o.Events < 0 || o.Rows < 0:
		return errors.New("a duration or a number is below zero")
	case o.Runs < 1:
		return fmt.Errorf("%d runs measure nothing", o.Runs)
	case o.Rate < 1 || o.Rate > 1_000_000:
		return fmt.Errorf("a rate of %d events a second is none: 1 to 1000000 are", o.Rate)
	}
	return nil
}
