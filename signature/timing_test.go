package signature_test

import (
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// BenchmarkWrongSignature looks for a difference in time between a signature
// whose first byte is wrong and one whose last byte is, in 10,000 samples of each
// in random order, and reports Welch's t. What is measured is the time of a
// verification, not of the network; |t| above 4.5 would be a leak. It is a report
// and not a test, because a busy machine can make it anything.
func BenchmarkWrongSignature(b *testing.B) {
	const samples = 10_000
	now, body := time.Unix(1780000000, 0), payload(1<<10)
	for _, s := range []*signature.Scheme{signature.GitHub, signature.StandardWebhooks} {
		b.Run(s.Name(), func(b *testing.B) {
			keys := newKeys(b, whsecA)
			first, last := wrongAt(b, s, keys, body, now, false), wrongAt(b, s, keys, body, now, true)
			var t float64
			for b.Loop() {
				var times [2][]float64
				for range 2 * samples {
					which := rand.IntN(2)
					r := [2]*signature.Request{first, last}[which]
					start := time.Now()
					_, err := s.Verify(r, keys, now)
					times[which] = append(times[which], float64(time.Since(start)))
					if reasonOf(b, err) != signature.ReasonSignatureMismatch {
						b.Fatal(err)
					}
				}
				t = welch(cropped(times[0]), cropped(times[1]))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(t, "welch-t")
		})
	}
}

// wrongAt returns a signed request whose signature is wrong in its first or its
// last byte.
func wrongAt(tb testing.TB, s *signature.Scheme, keys signature.Keys, body []byte, at time.Time, last bool) *signature.Request {
	tb.Helper()
	r := signed(tb, s, keys, body, at)
	for _, name := range []string{"X-Hub-Signature-256", "Webhook-Signature"} {
		text := r.Header.Get(name)
		if text == "" {
			continue
		}
		i := strings.IndexAny(text, "=,") + 1
		if last {
			i = len(strings.TrimRight(text, "=")) - 2
		}
		other := "0"
		if text[i] == '0' {
			other = "1"
		}
		r.Header = http.Header{name: {text[:i] + other + text[i+1:]}, "Webhook-Id": r.Header["Webhook-Id"], "Webhook-Timestamp": r.Header["Webhook-Timestamp"]}
	}
	return r
}

// cropped returns the times without the slowest twentieth, in which something
// else ran.
func cropped(times []float64) []float64 {
	slices.Sort(times)
	return times[:len(times)-len(times)/20]
}

// welch returns the t of Welch's test for two samples of unequal variance.
func welch(a, b []float64) float64 {
	ma, va := meanVariance(a)
	mb, vb := meanVariance(b)
	return (ma - mb) / math.Sqrt(va/float64(len(a))+vb/float64(len(b)))
}

func meanVariance(x []float64) (mean, variance float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x)-1)
	}
	return mean, variance
}
