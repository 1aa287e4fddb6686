//go:build !race

package signature_test

import (
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// The bound on allocations is a test as well, as it does not depend on the
// machine: the request as read, the signature as decoded, and the subtype. It is
// not one for the race detector, under which pools forget on purpose.
func TestVerifyAllocations(t *testing.T) {
	now := time.Unix(1780000000, 0)
	keys := newKeys(t, whsecA)
	for _, size := range []int{1 << 10, 1 << 20} {
		r := signed(t, signature.GitHub, keys, payload(size), now)
		allocs := testing.AllocsPerRun(100, func() {
			if _, err := signature.GitHub.Verify(r, keys, now); err != nil {
				t.Fatal(err)
			}
		})
		if allocs > 3 {
			t.Errorf("a body of %d bytes costs %v allocations, want at most 3", size, allocs)
		}
	}
}
