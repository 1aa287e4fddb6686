package bench

import (
	"math"
	"math/bits"
	"time"
)

// subBits sets how fine a histogram is: each power of two is cut in 128, so a
// value is known to less than 1 %.
const subBits = 7

// A histogram counts durations. Its zero value is empty.
type histogram struct {
	Counts []uint64 `json:"counts"` // by bucket
}

// add counts one duration. One below zero counts as zero.
func (h *histogram) add(d time.Duration) {
	b := bucket(uint64(max(d, 0)))
	if b >= len(h.Counts) {
		h.Counts = append(h.Counts, make([]uint64, b+1-len(h.Counts))...)
	}
	h.Counts[b]++
}

// merge adds what other has counted.
func (h *histogram) merge(other *histogram) {
	if more := len(other.Counts) - len(h.Counts); more > 0 {
		h.Counts = append(h.Counts, make([]uint64, more)...)
	}
	for b, n := range other.Counts {
		h.Counts[b] += n
	}
}

// total is how many durations were counted.
func (h *histogram) total() uint64 {
	total := uint64(0)
	for _, n := range h.Counts {
		total += n
	}
	return total
}

// quantile returns the least duration that the share q of all does not exceed,
// 0 < q <= 1, rounded up by less than 1 %. It is zero if there are none.
func (h *histogram) quantile(q float64) time.Duration {
	rank := uint64(math.Ceil(q * float64(h.total())))
	seen := uint64(0)
	for b, n := range h.Counts {
		if seen += n; n > 0 && seen >= rank {
			return time.Duration(upper(b))
		}
	}
	return 0
}

// bucket is where v is counted: below 2^subBits each value has its own, and from
// there on each power of two has as many.
func bucket(v uint64) int {
	shift := max(bits.Len64(v)-subBits-1, 0)
	return shift<<subBits + int(v>>shift)
}

// upper is the greatest value that is counted in bucket b.
func upper(b int) uint64 {
	const n = 1 << subBits
	if b < n {
		return uint64(b)
	}
	shift := b>>subBits - 1
	return uint64(b-shift<<subBits+1)<<shift - 1
}
