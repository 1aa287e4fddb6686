package bench

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestQuantilesAreWithinOnePercent(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var halves [2]histogram
	all := make([]time.Duration, 20_000)
	for i := range all {
		all[i] = time.Duration(random.ExpFloat64() * float64(3*time.Millisecond))
		halves[i%2].add(all[i])
	}
	text, err := json.Marshal(halves[0]) // as it comes from another process
	if err != nil {
		t.Fatal(err)
	}
	var h histogram
	if err := json.Unmarshal(text, &h); err != nil {
		t.Fatal(err)
	}
	h.merge(&halves[1])
	slices.Sort(all)
	for _, q := range []float64{0.0001, 0.5, 0.9, 0.99, 0.999, 1} {
		exact := all[int(q*float64(len(all)))-1]
		if got := h.quantile(q); got < exact || float64(got) > 1.01*float64(exact)+1 {
			t.Errorf("quantile %v is %v, want %v or up to 1%% more", q, got, exact)
		}
	}
}

func TestHistogramOfFewValues(t *testing.T) {
	t.Parallel()
	var h histogram
	if got := h.quantile(0.5); got != 0 {
		t.Errorf("median of nothing is %v, want 0", got)
	}
	h.add(-time.Second)
	h.add(100)
	h.add(100 * time.Hour)
	if got := h.quantile(0.5); got != 100 {
		t.Errorf("median is %v, want 100ns", got)
	}
	if got := h.quantile(0.1); got != 0 {
		t.Errorf("a time below zero counts as %v, want 0", got)
	}
}

func TestBucketsTouch(t *testing.T) {
	t.Parallel()
	for v := uint64(0); v < 1<<50; v = v*9/8 + 1 {
		b := bucket(v)
		if v > upper(b) || b > 0 && v <= upper(b-1) {
			t.Fatalf("%d is counted in bucket %d, which has %d to %d", v, b, upper(b-1)+1, upper(b))
		}
	}
}
