package bench

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// format writes tables as plain text.
func format(tables []Table) string {
	var b strings.Builder
	for _, t := range tables {
		b.WriteString("# " + t.Title + "\n")
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, row := range append([][]string{t.Header}, t.Rows...) {
			_, _ = w.Write([]byte(strings.Join(row, "\t") + "\n")) // into memory
		}
		_ = w.Flush() // into memory
		for _, note := range t.Notes {
			b.WriteString("  " + note + "\n")
		}
	}
	return b.String()
}

// example is a report with made-up figures.
func example(factor float64) *Report {
	gateway := Figures{
		Events: 40_000, AcceptedPerSecond: 10_000 * factor, DeliveredPerSecond: 9_000 * factor, AcceptP50MS: 5, AcceptP99MS: 12.5,
		EndToEndP50MS: 7, EndToEndP99MS: 120, CPUMSPerEvent: 0.1, OthersCPUMSPerEvent: 0.05, PeakRSSBytes: 40 << 20,
		DiskBytesPerEvent: 1500, WritesPerCommit: 80, ReadyMS: 40,
	}
	ceiling := gateway
	ceiling.AcceptedPerSecond, ceiling.DeliveredPerSecond, ceiling.DiskBytesPerEvent = 20_000, 18_000, 0
	pair := pairOf([]Figures{gateway, gateway, gateway}, []Figures{ceiling, ceiling, ceiling})
	return &Report{
		Format: reportFormat, Version: "v1.2.3", TakenAt: time.Date(2026, 3, 2, 10, 11, 12, 0, time.UTC), Runs: 3,
		Machine: Machine{
			CPU: "A Processor", Cores: 2, MemoryBytes: 8 << 30, Kernel: "Linux 6.1", Go: "go1.26", Filesystem: "tmpfs", SyncMS: 0.5, SyncP99MS: 2,
		},
		Cases: []Case{{Pair: pair, Size: 1024, Connections: 64}, {Pair: pair, Size: 1500, Connections: 16, Rate: 100}},
		Comparisons: []Comparison{
			{Pair: pair, Scenario: ScenarioBacklog, Rows: 1_000_000, Size: 1024, Connections: 64},
			{Pair: pair, Scenario: ScenarioHang, Rows: 1000, Size: 1024, Connections: 16, Rate: 100},
		},
		Restart: &Restart{Connections: 64, Size: 1024, Kills: []KilledFigure{
			{Accepted: 30_000, Stuck: 70, Duplicates: 3, ReadyMS: 45, LastMS: 12, FromExecMS: 57},
		}},
	}
}

func TestReportReadsAsPeopleExpect(t *testing.T) {
	t.Parallel()
	now := example(1.1)
	now.Machine.CPU = "Another Processor"
	got := format(example(1).Tables()) + "\n" + format(Compare(example(1), now))
	path := filepath.Join("testdata", "report.golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("report differs from %s (-want +got); go test -update writes it:\n%s", path, diff)
	}
}

func TestReportSurvivesJSON(t *testing.T) {
	t.Parallel()
	want := example(1)
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := ReadReport(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what was read differs (-want +got):\n%s", diff)
	}
}

func TestOnlyReportsAreRead(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"text": "no JSON", "other JSON": "{}", "newer format": `{"format":99}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "report.json")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadReport(path); err == nil {
				t.Error("got no error, want one that says what is wrong")
			}
		})
	}
}

func TestMediansAndRatiosAreTakenRunByRun(t *testing.T) {
	t.Parallel()
	gateway := []Figures{{DeliveredPerSecond: 10}, {DeliveredPerSecond: 30}, {DeliveredPerSecond: 20}}
	ceiling := []Figures{{DeliveredPerSecond: 20}, {DeliveredPerSecond: 30}, {DeliveredPerSecond: 80}}
	p := pairOf(gateway, ceiling)
	if p.Gateway.DeliveredPerSecond != 20 || p.Against.DeliveredPerSecond != 30 || p.Ratio.DeliveredPerSecond != 0.5 {
		t.Errorf("got %v, %v and ratio %v; want 20, 30 and 0.5",
			p.Gateway.DeliveredPerSecond, p.Against.DeliveredPerSecond, p.Ratio.DeliveredPerSecond)
	}
	if p.Ratio.AcceptedPerSecond != 0 {
		t.Errorf("ratio of what was not measured is %v, want 0", p.Ratio.AcceptedPerSecond)
	}
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{4, 1}, 2.5}, {[]float64{9, 1, 5}, 5}} {
		if got := median(c.values); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.values, got, c.want)
		}
	}
}
