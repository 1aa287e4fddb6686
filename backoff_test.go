package tenterhook_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook"
)

func TestDefaultBackoffSpreadsElevenAttemptsOverThreeDays(t *testing.T) {
	t.Parallel()
	b := tenterhook.Backoff{NoJitter: true}.WithDefaults()
	total, attempts := time.Duration(0), 1
	for {
		wait, again := b.Next(attempts, 0, nil)
		if !again {
			break
		}
		total += wait
		attempts++
	}
	if want := 75*time.Hour + 35*time.Minute + 35*time.Second; attempts != 11 || total != want {
		t.Errorf("%d attempts over %v, want 11 over %v", attempts, total, want)
	}
}

// Ten thousand deliveries that failed together do not come back together.
func TestBackoffSpreadsRetries(t *testing.T) {
	t.Parallel()
	const n, slots = 10_000, 10
	random := rand.New(rand.NewPCG(1, 2))
	b := tenterhook.Backoff{}.WithDefaults()
	var hits [slots]int
	for range n {
		wait, again := b.Next(3, 0, random.Float64) // planned: 5 minutes
		if !again || wait < 0 || wait >= 5*time.Minute {
			t.Fatalf("wait %v, %t", wait, again)
		}
		hits[wait*slots/(5*time.Minute)]++
	}
	chi := 0.0
	for _, h := range hits {
		d := float64(h) - n/slots
		chi += d * d / (n / slots)
	}
	if const99 := 21.67; chi > const99 { // 9 degrees of freedom
		t.Errorf("chi-square %.1f: waits are not even: %v", chi, hits)
	}
}

func TestRetryAfterLengthensTheWait(t *testing.T) {
	t.Parallel()
	b := tenterhook.Backoff{Schedule: []time.Duration{0, time.Minute, time.Minute}, NoJitter: true}
	for asked, want := range map[time.Duration]time.Duration{
		0: time.Minute, -time.Hour: time.Minute, time.Second: time.Minute, time.Hour: time.Hour, 1 << 62: tenterhook.MaxRetryAfter,
	} {
		if wait, again := b.Next(1, asked, nil); wait != want || !again {
			t.Errorf("asked to wait %v: %v, %t; want %v", asked, wait, again, want)
		}
	}
	if _, again := b.Next(3, time.Hour, nil); again {
		t.Error("Retry-After made an attempt that the schedule does not have")
	}
}
