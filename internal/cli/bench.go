package cli

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook/internal/bench"
)

type benchOptions struct {
	*app
	bench.Options

	sizes    []string
	quick    bool
	report   string
	baseline string
}

func newBench(a *app) *cobra.Command {
	o := benchOptions{app: a}
	cmd := &cobra.Command{
		Use: "bench", Short: "Measure how fast the gateway is on this machine",
		Long: "Measure how fast the gateway is on this machine: three processes send, route and receive GitHub-signed events\n" +
			"over loopback, with every event on disk before it is acknowledged. Beside each figure stands the ceiling: the\n" +
			"same code over a store that keeps nothing.\n\n" +
			"The whole takes about ten minutes, and wants a machine that does nothing else. A scenario is measured instead:\n" +
			"backlog (a million deliveries wait for a destination that is down), rows (ten million events are stored; it\n" +
			"needs 25 GiB of disk and some ten minutes to fill), restart (after kill -9), hang (one destination never answers).",
		Example: "tenterhook bench --quick\n" +
			"tenterhook bench --json >now.json\n" +
			"tenterhook bench --report now.json --baseline then.json\n" +
			"tenterhook bench --scenario backlog,restart --dir /srv",
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runBench(cmd.Context(), cmd, o) },
	}
	flags, defaults := cmd.Flags(), bench.Options{}.WithDefaults()
	flags.IntSliceVar(&o.Connections, "connections", nil, "load with so many connections, each number in its turn (default 1,16,64,256)")
	flags.StringSliceVar(&o.sizes, "sizes", nil, "load with payloads of such `SIZES` (default 1KiB,10KiB)")
	flags.DurationVar(&o.Duration, "duration", 0, "load for so long in each run (default "+defaults.Duration.String()+")")
	flags.Int64Var(&o.Events, "events", 0, "load with so `MANY` events in each run, however long it takes")
	flags.IntVar(&o.Rate, "rate", 0, "events a second of the steady load (default "+strconv.Itoa(defaults.Rate)+")")
	flags.IntVar(&o.Runs, "runs", 0, "measure so `OFTEN` and take the median (default "+strconv.Itoa(defaults.Runs)+")")
	flags.BoolVar(&o.quick, "quick", false, "one short run of the middle case: rough figures, in some seconds")
	flags.StringVar(&o.Dir, "dir", "", "measure the disk that this `DIR` is on (default that of temporary files)")
	flags.StringSliceVar(&o.Scenarios, "scenario", nil, "measure a scenario instead: "+strings.Join(bench.Scenarios(), ", "))
	flags.Int64Var(&o.Rows, "rows", 0, "store so `MANY` events before a scenario begins")
	flags.StringVar(&o.report, "report", "", "show this `FILE`, printed by bench --json, instead of measuring")
	flags.StringVar(&o.baseline, "baseline", "", "compare with this `FILE`, printed by bench --json")
	completeWith(cmd, "scenario", bench.Scenarios()...)
	for _, role := range bench.Roles() {
		cmd.AddCommand(newBenchRole(role))
	}
	return exits(cmd)
}

// newBenchRole makes the hidden command that bench starts its processes with.
func newBenchRole(role string) *cobra.Command {
	return exits(&cobra.Command{
		Use: role, Short: "The " + role + " of tenterhook bench, which starts it", Hidden: true,
		Example: "tenterhook bench " + role + " <orders.jsonl",
		Args:    arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return bench.Child(cmd.Context(), role, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	})
}

func runBench(ctx context.Context, cmd *cobra.Command, o benchOptions) error {
	if o.ui.json && o.baseline != "" {
		return usageError("keep the JSON with bench --json >FILE, then bench --report FILE --baseline OTHER",
			"--baseline prints a table, and not JSON")
	}
	var base *bench.Report
	if o.baseline != "" { // before it is measured for minutes
		var err error
		if base, err = bench.ReadReport(o.baseline); err != nil {
			return err
		}
	}
	report, err := o.measure(ctx, cmd)
	if err != nil {
		return err
	}
	if o.ui.json {
		return o.ui.data(report)
	}
	tables := report.Tables()
	if base != nil {
		tables = append(tables, bench.Compare(base, report)...)
	}
	for i, t := range tables {
		if err := benchTable(o.ui, t, i > 0); err != nil {
			return err
		}
	}
	return nil
}

// measure makes the report, or reads the one that is to be shown.
func (o benchOptions) measure(ctx context.Context, cmd *cobra.Command) (*bench.Report, error) {
	if o.report != "" {
		return bench.ReadReport(o.report)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program to start: %w", err)
	}
	for _, text := range o.sizes {
		size, err := parseSize(text)
		if err != nil {
			return nil, err
		}
		o.Sizes = append(o.Sizes, size)
	}
	if o.quick {
		o.Options = quickly(o.Options)
	}
	o.Command, o.Version = []string{self, cmd.Name()}, builtAs().Version
	o.Options = o.WithDefaults()
	if err := o.Validate(); err != nil {
		return nil, usageError(seeHelp(cmd), "%w", err)
	}
	start := time.Now()
	o.Progress = func(text string) { o.ui.say("%5.0f s  %s", time.Since(start).Seconds(), text) }
	return bench.Run(ctx, o.Options)
}

// quickly fills in what o does not say with what is quick.
func quickly(o bench.Options) bench.Options {
	quick := bench.Quick()
	if len(o.Connections) == 0 {
		o.Connections = quick.Connections
	}
	if len(o.Sizes) == 0 {
		o.Sizes = quick.Sizes
	}
	if o.Duration == 0 {
		o.Duration = quick.Duration
	}
	if o.Runs == 0 {
		o.Runs = quick.Runs
	}
	if o.Rows == 0 {
		o.Rows = quick.Rows
	}
	return o
}

// parseSize reads a number of bytes, such as 1500, 10KiB or 1MiB.
func parseSize(text string) (int, error) {
	number, unit := text, 1
	for suffix, bytes := range map[string]int{"KiB": 1 << 10, "MiB": 1 << 20} {
		if n, ok := strings.CutSuffix(text, suffix); ok {
			number, unit = n, bytes
		}
	}
	n, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil || n < 1 || n > 25<<20/unit {
		return 0, usageError("write bytes, KiB or MiB, such as 10KiB; at most 25MiB are taken", "%q is no size", text)
	}
	return n * unit, nil
}

func benchTable(u *ui, t bench.Table, space bool) error {
	if space {
		if err := u.line(); err != nil {
			return err
		}
	}
	if err := u.line(span{bold, t.Title}); err != nil {
		return err
	}
	rows := make([][]span, len(t.Rows))
	for i, cells := range t.Rows {
		for _, cell := range cells {
			rows[i] = append(rows[i], span{plainText, cell})
		}
	}
	if err := u.table(t.Header, rows); err != nil {
		return err
	}
	for _, note := range t.Notes {
		if err := u.line(span{faint, note}); err != nil {
			return err
		}
	}
	return nil
}
