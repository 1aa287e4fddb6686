package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// reportFormat is the version of a report's JSON. It changes when a figure comes
// to mean something else.
const reportFormat = 1

// A Report is what was measured.
type Report struct {
	Format      int          `json:"format"`
	Version     string       `json:"version"` // of the program
	TakenAt     time.Time    `json:"taken_at"`
	Machine     Machine      `json:"machine"`
	Runs        int          `json:"runs"`
	Cases       []Case       `json:"cases,omitempty"`
	Comparisons []Comparison `json:"comparisons,omitempty"`
	Restart     *Restart     `json:"restart,omitempty"`
}

// A Case is a plain load. It is compared with the ceiling.
type Case struct {
	Pair

	Size        int `json:"size"` // bytes of a payload
	Connections int `json:"connections"`
	Rate        int `json:"rate,omitempty"` // events a second; 0 is as many as are answered
}

// A Comparison is a scenario that compares the gateway with itself: in the
// scenario, and against that without what makes it one.
type Comparison struct {
	Pair

	Scenario    string `json:"scenario"`
	Rows        int64  `json:"rows"` // deliveries that waited, or events that were stored
	Size        int    `json:"size"` // bytes of a payload
	Connections int    `json:"connections"`
	Rate        int    `json:"rate,omitempty"`
}

// A Restart is what happened when the gateway was killed under load.
type Restart struct {
	Connections int            `json:"connections"`
	Size        int            `json:"size"`
	Kills       []KilledFigure `json:"kills"` // one for each run
}

// A KilledFigure is one kill -9 and what came after it.
type KilledFigure struct {
	Accepted   int64   `json:"accepted"`     // events answered with 200 before
	Stuck      int64   `json:"stuck"`        // of these, not delivered when the gateway was dead
	Lost       int64   `json:"lost"`         // of these, never delivered. It is 0, or there is a bug
	Duplicates int64   `json:"duplicates"`   // deliveries that came twice
	ReadyMS    float64 `json:"ready_ms"`     // from the start of the new process until /readyz answers 200
	LastMS     float64 `json:"last_ms"`      // from then until the last stuck event arrived; 0 if it was there before
	FromExecMS float64 `json:"from_exec_ms"` // from the start of the new process until then
}

// ReadReport reads a report that was written as JSON.
func ReadReport(path string) (*Report, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	var r Report
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("read report %q: %w", path, err)
	}
	if r.Format != reportFormat {
		return nil, fmt.Errorf("read report %q: it has format %d, this program writes and reads %d", path, r.Format, reportFormat)
	}
	return &r, nil
}
