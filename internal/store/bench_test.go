package store

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook"
)

// BenchmarkAcceptRecord accepts events from 64 goroutines and records one
// attempt of each, as the gateway does.
func BenchmarkAcceptRecord(b *testing.B) {
	dir := b.TempDir()
	s, err := Open(b.Context(), dir, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	body := make([]byte, 1024)
	header := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"GitHub-Hookshot/044aadd"}, "X-Github-Event": {"push"},
		"X-Github-Delivery": {"72d3162e-cc78-11e3-81ab-4c9367dc0958"}, "X-Hub-Signature-256": {"sha256=ff401af6738f910ba4a50793039a6db0f0af650184b7f9a7705d00d09757468b"}, "X-Github-Hook-Id": {"12345678"}}
	var n atomic.Int64
	var records, clients sync.WaitGroup
	records.Add(b.N)
	b.ReportAllocs()
	b.ResetTimer()
	for range 64 {
		clients.Go(func() {
			for {
				i := n.Add(1)
				if i > int64(b.N) {
					return
				}
				e := &tenterhook.Event{Source: "github", Type: "push", DeliveryID: fmt.Sprintf("%08x-cc78-11e3-81ab-4c9367dc0958", uint32(i*2654435761)), ReceivedAt: time.Now(), Header: header, Body: body,
					Decisions: []tenterhook.Decision{{Route: "route-1", Verdict: tenterhook.VerdictMatched}}}
				ds := []tenterhook.Delivery{{Destination: "app", Route: "route-1", State: tenterhook.StatePending, NextAt: e.ReceivedAt}}
				if _, err := s.Accept(context.Background(), e, ds, tenterhook.RedeliveryHeal); err != nil {
					b.Error(err)
					return
				}
				d := ds[0]
				d.State, d.Attempts, d.Round, d.LastStatus, d.UpdatedAt = tenterhook.StateDelivered, 1, 1, 200, time.Now()
				s.Record(tenterhook.Attempt{ID: d.ID.Attempt(1), StartedAt: time.Now(), Duration: time.Millisecond, Outcome: tenterhook.OutcomeSuccess, Status: 200}, d, func(err error) {
					if err != nil {
						b.Error(err)
					}
					records.Done()
				})
			}
		})
	}
	clients.Wait()
	records.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(b.N)/float64(s.Commits()), "events/commit")
	s.Close()
	info, err := os.Stat(dir + "/tenterhook.db")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/float64(b.N), "bytes/event")
}
