package bench

import (
	"slices"
)

// Figures are what a trial measured. Zero means that there is no such figure.
type Figures struct {
	// Events that were accepted and delivered.
	Events float64 `json:"events"`
	// AcceptedPerSecond is events answered with 200, by the time from the first
	// request to the last answer.
	AcceptedPerSecond float64 `json:"accepted_per_second"`
	// DeliveredPerSecond is the same events, by the time from the first request
	// to the last arrival at the receiver.
	DeliveredPerSecond float64 `json:"delivered_per_second"`
	// AcceptP50MS and AcceptP99MS are the time from when an event was due to be
	// sent to its answer.
	AcceptP50MS float64 `json:"accept_p50_ms"`
	AcceptP99MS float64 `json:"accept_p99_ms"`
	// EndToEndP50MS and EndToEndP99MS are the time from when an event was due to
	// be sent to its arrival at the receiver, whole.
	EndToEndP50MS float64 `json:"end_to_end_p50_ms"`
	EndToEndP99MS float64 `json:"end_to_end_p99_ms"`
	// CPUMSPerEvent is the gateway's processor time, user and system, from before
	// the first request until every attempt is on record.
	CPUMSPerEvent float64 `json:"cpu_ms_per_event"`
	// OthersCPUMSPerEvent is that of sender and receiver together.
	OthersCPUMSPerEvent float64 `json:"others_cpu_ms_per_event"`
	// PeakRSSBytes is the most memory that the gateway had under the load.
	PeakRSSBytes float64 `json:"peak_rss_bytes"`
	// DiskBytesPerEvent is how much the database grew, closed before and closed
	// after: all rows and all indexes of an event, its delivery and its attempt,
	// with what is left of the log.
	DiskBytesPerEvent float64 `json:"disk_bytes_per_event"`
	// WritesPerCommit is accepts and records by transactions, each of them one
	// fsync.
	WritesPerCommit float64 `json:"writes_per_commit"`
	// ReadyMS is the time from the start of the gateway's process until /readyz
	// answers 200.
	ReadyMS float64 `json:"ready_ms"`
}

// A figure is one of the Figures, and how it is shown.
type figure struct {
	title string
	of    func(*Figures) *float64
	show  func(float64) string
}

// figures are all that a table shows, in its order.
func figures() []figure {
	return []figure{
		{"accepted/s", func(f *Figures) *float64 { return &f.AcceptedPerSecond }, showCount},
		{"delivered/s", func(f *Figures) *float64 { return &f.DeliveredPerSecond }, showCount},
		{"accept p50", func(f *Figures) *float64 { return &f.AcceptP50MS }, showSmall},
		{"p99", func(f *Figures) *float64 { return &f.AcceptP99MS }, showSmall},
		{"end-to-end p50", func(f *Figures) *float64 { return &f.EndToEndP50MS }, showSmall},
		{"p99", func(f *Figures) *float64 { return &f.EndToEndP99MS }, showSmall},
		{"CPU/event", func(f *Figures) *float64 { return &f.CPUMSPerEvent }, showFine},
		{"others", func(f *Figures) *float64 { return &f.OthersCPUMSPerEvent }, showFine},
		{"RSS MiB", func(f *Figures) *float64 { return &f.PeakRSSBytes }, showMiB},
		{"disk/event", func(f *Figures) *float64 { return &f.DiskBytesPerEvent }, showCount},
		{"writes/sync", func(f *Figures) *float64 { return &f.WritesPerCommit }, showSmall},
		{"ready", func(f *Figures) *float64 { return &f.ReadyMS }, showSmall},
	}
}

// medians returns the median of each figure over runs.
func medians(runs []Figures) Figures {
	var result Figures
	values := make([]float64, len(runs))
	for _, f := range append(figures(), figure{of: func(f *Figures) *float64 { return &f.Events }}) {
		for i := range runs {
			values[i] = *f.of(&runs[i])
		}
		*f.of(&result) = median(values)
	}
	return result
}

// ratios returns a by b, figure by figure; zero where b has none.
func ratios(a, b Figures) Figures {
	var result Figures
	for _, f := range figures() {
		if by := *f.of(&b); by != 0 {
			*f.of(&result) = *f.of(&a) / by
		}
	}
	return result
}

// median returns the median of values, which it leaves as they are; zero if there
// are none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	mid := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[mid-1] + sorted[mid]) / 2
	}
	return sorted[mid]
}

// A Pair is two measurements that took turns.
type Pair struct {
	Gateway Figures `json:"gateway"` // medians
	Against Figures `json:"against"` // medians of what it is compared with
	Ratio   Figures `json:"ratio"`   // medians of the ratios of each run, the gateway's by the other
}

// pairOf makes a pair of the runs, which belong together two by two.
func pairOf(gateway, against []Figures) Pair {
	by := make([]Figures, len(gateway))
	for i := range gateway {
		by[i] = ratios(gateway[i], against[i])
	}
	return Pair{Gateway: medians(gateway), Against: medians(against), Ratio: medians(by)}
}
