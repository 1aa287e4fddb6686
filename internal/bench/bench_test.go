package bench

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// TestMain lets this test binary play the other processes: it is started again
// as `TEST bench ROLE`.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "bench" && slices.Contains(Roles(), os.Args[2]) {
		if err := Child(context.Background(), os.Args[2], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		return
	}
	m.Run()
}

func testOptions(t *testing.T) Options {
	t.Helper()
	if testing.Short() {
		t.Skip("starts processes and measures for seconds")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Command: []string{self, "bench"}, Dir: t.TempDir(), Version: "test",
		Connections: []int{8}, Sizes: []int{1 << 10}, Events: 300, Duration: 300 * time.Millisecond, Runs: 1, Rate: 500, Rows: 400,
		Progress: func(text string) { t.Log(text) },
	}
}

func TestPlainLoadGivesEveryFigure(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	logTables(t, r.Tables())
	if len(r.Cases) != 2 {
		t.Fatalf("got %d cases, want the one asked for and the steady one", len(r.Cases))
	}
	for _, c := range r.Cases {
		for _, f := range figures() {
			if v := *f.of(&c.Gateway); v <= 0 {
				t.Errorf("%s: gateway's %s is %v, want more than 0", label(c.Size, c.Connections, c.Rate), f.title, v)
			}
		}
		if c.Gateway.Events != 300 || c.Against.Events != 300 {
			t.Errorf("measured %v and %v events, want 300", c.Gateway.Events, c.Against.Events)
		}
		if c.Gateway.DiskBytesPerEvent < 1<<10 {
			t.Errorf("disk per event is %v, less than its payload", c.Gateway.DiskBytesPerEvent)
		}
	}
	left, err := os.ReadDir(o.Dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left in the directory: %v, %v; want nothing", left, err)
	}
}

func TestScenarios(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	o.Scenarios = Scenarios()
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	logTables(t, r.Tables())
	if len(r.Comparisons) != 3 {
		t.Fatalf("got %d comparisons, want 3", len(r.Comparisons))
	}
	for _, c := range r.Comparisons {
		if c.Rows != 400 || c.Gateway.Events != 300 || c.Gateway.DeliveredPerSecond == 0 || c.Ratio.DeliveredPerSecond == 0 {
			t.Errorf("%s: got %+v, want figures for 300 events on 400 rows", c.Scenario, c)
		}
	}
	if r.Restart == nil || len(r.Restart.Kills) != 1 {
		t.Fatalf("got restart %+v, want one kill", r.Restart)
	}
	if k := r.Restart.Kills[0]; k.Stuck == 0 || k.Lost != 0 || k.ReadyMS <= 0 || k.FromExecMS <= 0 {
		t.Errorf("got %+v, want events stuck, none lost, and how long that took", k)
	}
}

func TestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	o.Events, o.Duration = 0, time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(string) { cancel() } // when the first run begins
	if _, err := Run(ctx, o); err == nil {
		t.Fatal("got no error, want one that says the measurement was ended")
	}
}

func TestOptionsThatMeasureNothingAreRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Options){
		"no command":       func(o *Options) { o.Command = nil },
		"no connection":    func(o *Options) { o.Connections = []int{0} },
		"tiny payload":     func(o *Options) { o.Sizes = []int{100} },
		"unknown scenario": func(o *Options) { o.Scenarios = []string{"backlogs"} },
		"negative runs":    func(o *Options) { o.Runs = -1 },
		"negative rows":    func(o *Options) { o.Rows = -1 },
		"negative rate":    func(o *Options) { o.Rate = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := Options{Command: []string{"tenterhook", "bench"}}.WithDefaults()
			if err := o.Validate(); err != nil {
				t.Fatalf("the defaults: %v", err)
			}
			change(&o)
			if _, err := Run(t.Context(), o); err == nil {
				t.Error("got no error, want a refusal")
			}
		})
	}
}

func logTables(t *testing.T, tables []Table) {
	t.Helper()
	t.Log("\n" + format(tables))
}
