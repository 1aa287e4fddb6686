package destination

import (
	"testing"

	"go.uber.org/goleak"
)

// No test may leave a goroutine behind: an attempt that does so for each of
// millions of deliveries stops the gateway.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
