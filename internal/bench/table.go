package bench

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Table is part of a report, for people.
type Table struct {
	Title  string
	Header []string
	Rows   [][]string
	Notes  []string
}

// Tables returns the report as people read it.
func (r *Report) Tables() []Table {
	var tables []Table
	if len(r.Cases) > 0 {
		t := Table{
			Title: fmt.Sprintf("Plain load, medians of %d", r.Runs),
			Notes: []string{
				"ceiling: the same code over a store that keeps nothing. ratio: of each run, gateway by ceiling.",
			},
		}
		for _, c := range r.Cases {
			t.add(label(c.Size, c.Connections, c.Rate), c.Pair, "gateway", "ceiling")
		}
		tables = append(tables, t)
	}
	for _, c := range r.Comparisons {
		with, without := c.words()
		t := Table{Title: fmt.Sprintf("%s, medians of %d", c.about(), r.Runs)}
		t.add(label(c.Size, c.Connections, c.Rate), c.Pair, with, without)
		tables = append(tables, t)
	}
	if r.Restart != nil {
		tables = append(tables, r.Restart.table())
	}
	for i := range tables {
		tables[i].dropEmpty()
	}
	if len(tables) > 0 {
		last := &tables[len(tables)-1]
		if len(r.Cases)+len(r.Comparisons) > 0 {
			last.Notes = append(last.Notes,
				"times in ms, disk in bytes. CPU: the gateway's own, per event; others: that of sender and receiver,",
				"on the same cores. RSS: the gateway's peak. disk: growth of the closed database. ready: from start to /readyz.")
		}
		last.Notes = append(last.Notes, r.Machine.notes()...)
	}
	return tables
}

// add adds the three rows of a pair.
func (t *Table) add(name string, p Pair, gateway, against string) {
	if t.Header == nil {
		t.Header = []string{"load", "store"}
		for _, f := range figures() {
			t.Header = append(t.Header, f.title)
		}
	}
	row := func(first, second string, values Figures, ratio bool) {
		cells := append(make([]string, 0, len(t.Header)), first, second)
		for _, f := range figures() {
			cells = append(cells, f.cell(*f.of(&values), ratio))
		}
		t.Rows = append(t.Rows, cells)
	}
	row(name, gateway, p.Gateway, false)
	row("", against, p.Against, false)
	row("", "ratio", p.Ratio, true)
}

// dropEmpty removes the columns that say nothing.
func (t *Table) dropEmpty() {
	for column := range slices.Backward(t.Header) {
		empty := true
		for _, row := range t.Rows {
			empty = empty && row[column] == unknown
		}
		if !empty {
			continue
		}
		t.Header = slices.Delete(t.Header, column, column+1)
		for i, row := range t.Rows {
			t.Rows[i] = slices.Delete(row, column, column+1)
		}
	}
}

// unknown is shown for a figure that there is none of.
const unknown = "-"

func (f figure) cell(value float64, ratio bool) string {
	switch {
	case value == 0:
		return unknown
	case ratio:
		return strconv.FormatFloat(value, 'f', 2, 64)
	}
	return f.show(value)
}

func (c Comparison) about() string {
	switch n := showCount(float64(c.Rows)); c.Scenario {
	case ScenarioBacklog:
		return n + " deliveries wait for a destination that is down"
	case ScenarioRows:
		return n + " delivered events are stored"
	default:
		return "20 destinations beside one that hangs, with " + n + " events for it"
	}
}

func (c Comparison) words() (with, without string) {
	switch c.Scenario {
	case ScenarioBacklog:
		return "backlog", "empty"
	case ScenarioRows:
		return "full", "empty"
	default:
		return "beside it", "without"
	}
}

func (r *Restart) table() Table {
	t := Table{
		Title:  "kill -9 under load (" + label(r.Size, r.Connections, 0) + "), and restart",
		Header: []string{"accepted", "stuck", "lost", "came twice", "ready ms", "last after ready ms", "last after start ms"},
		Notes: []string{
			"stuck: answered with 200 and not delivered when the process was dead. ready: from the new process' start to /readyz.",
		},
	}
	for _, k := range r.Kills {
		t.Rows = append(t.Rows, []string{
			showCount(float64(k.Accepted)), showCount(float64(k.Stuck)), strconv.FormatInt(k.Lost, 10),
			strconv.FormatInt(k.Duplicates, 10), showSmall(k.ReadyMS), showSmall(k.LastMS), showSmall(k.FromExecMS),
		})
	}
	return t
}

func (m Machine) notes() []string {
	const gib = 1 << 30
	notes := []string{fmt.Sprintf("machine: %s, %d cores, %.0f GiB, %s, %s; disk: %s, 8 KiB and fdatasync p50 %.2f ms, p99 %.2f ms",
		m.CPU, m.Cores, float64(m.MemoryBytes)/gib, m.Kernel, m.Go, m.Filesystem, m.SyncMS, m.SyncP99MS)}
	if m.Filesystem == inMemory {
		notes = append(notes, "warning: this is a disk in memory, where durability costs nothing; name a real one with --dir")
	}
	return notes
}

// Compare returns tables of how now stands against base: every figure of now by
// that of base, for what both have measured.
func Compare(base, now *Report) []Table {
	t := Table{Title: "Against " + base.Version + " of " + base.TakenAt.Format("2006-01-02 15:04")}
	t.Header = []string{"load"}
	for _, f := range figures() {
		t.Header = append(t.Header, f.title)
	}
	add := func(name string, base, now Figures) {
		row := append(make([]string, 0, len(t.Header)), name)
		by := ratios(now, base)
		for _, f := range figures() {
			row = append(row, f.cell(*f.of(&by), true))
		}
		t.Rows = append(t.Rows, row)
	}
	for _, c := range now.Cases {
		for _, was := range base.Cases {
			if name := label(c.Size, c.Connections, c.Rate); name == label(was.Size, was.Connections, was.Rate) {
				add(name, was.Gateway, c.Gateway)
			}
		}
	}
	for _, c := range now.Comparisons {
		for _, was := range base.Comparisons {
			if c.Scenario == was.Scenario && c.Rows == was.Rows {
				add(c.Scenario, was.Gateway, c.Gateway)
			}
		}
	}
	if base.Machine.CPU != now.Machine.CPU || base.Machine.Cores != now.Machine.Cores ||
		base.Machine.Filesystem != now.Machine.Filesystem {
		t.Notes = append(t.Notes, "warning: the other report is of another machine")
	}
	t.Notes = append(t.Notes, "each figure is that of now by that of then: 1.10 is a tenth more")
	t.dropEmpty()
	return []Table{t}
}

// label names a load.
func label(size, connections, rate int) string {
	text := showSize(size) + " x " + strconv.Itoa(connections)
	if rate > 0 {
		text += " at " + strconv.Itoa(rate) + "/s"
	}
	return text
}

func showSize(bytes int) string {
	const kib = 1 << 10
	if bytes%kib == 0 {
		return strconv.Itoa(bytes/kib) + " KiB"
	}
	return strconv.Itoa(bytes) + " B"
}

// showCount shows a number of things, with commas: 12,345.
func showCount(v float64) string {
	const group = 3
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	var b strings.Builder
	for i, digit := range digits {
		if left := len(digits) - i; i > 0 && left%group == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	return b.String()
}

// showSmall shows a number in the three digits that matter.
func showSmall(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

func showFine(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }

func showMiB(v float64) string { return strconv.FormatFloat(v/(1<<20), 'f', 1, 64) }
