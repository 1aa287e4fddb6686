package signature_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// payload is JSON of the given size that begins as GitHub's does.
func payload(size int) []byte {
	body := []byte(`{"action":"opened","number":1,"pull_request":{"title":"`)
	const end = `"}}`
	body = append(body, bytes.Repeat([]byte("x"), size-len(body)-len(end))...)
	return append(body, end...)
}

func signed(tb testing.TB, s *signature.Scheme, keys signature.Keys, body []byte, at time.Time) *signature.Request {
	tb.Helper()
	r := &signature.Request{
		Method: http.MethodPost, URL: "https://hooks.example.com/in", Body: body,
		Header: http.Header{
			"X-Github-Event":    {"pull_request"},
			"X-Github-Delivery": {"72d3162e-cc78-11e3-81ab-4c9367dc0958"},
		},
	}
	if err := s.Sign(r, keys, signature.SignOptions{ID: "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", Time: at}); err != nil {
		tb.Fatal(err)
	}
	return r
}

// bare is the HMAC that verification cannot do without.
func bare(body []byte) {
	mac := hmac.New(sha256.New, []byte(whsecA))
	mac.Write(body)
	mac.Sum(nil)
}

// BenchmarkVerify puts verification beside the HMAC it cannot do without. It is
// to cost at most a quarter more than that, on 1 KiB, and three allocations.
func BenchmarkVerify(b *testing.B) {
	now := time.Unix(1780000000, 0)
	body := payload(1 << 10)
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			bare(body)
		}
	})
	for _, s := range []*signature.Scheme{signature.GitHub, signature.StandardWebhooks} {
		b.Run(s.Name(), func(b *testing.B) {
			keys := newKeys(b, whsecA)
			r := signed(b, s, keys, body, now)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Verify(r, keys, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEveryScheme reports what the schemes cost on 1 KiB, as multiples of a
// bare HMAC-SHA256 that is timed in turn with each of them.
func BenchmarkEveryScheme(b *testing.B) {
	now := time.Unix(1780000000, 0)
	body := payload(1 << 10)
	const rounds, each = 10, 100
	timed := func(f func()) time.Duration {
		start := time.Now()
		for range each {
			f()
		}
		return time.Since(start)
	}
	var ratios []float64
	for b.Loop() {
		ratios = ratios[:0]
		for _, s := range signature.Schemes() {
			if s.Public() {
				continue // RSA and elliptic curves are another matter
			}
			private, public := keysFor(b, s)
			r := &signature.Request{Method: http.MethodPost, URL: "https://hooks.example.com/in", Body: body}
			if s.Sign(r, private, signature.SignOptions{ID: "msg_1", Time: now}) != nil {
				continue // its body must have places for what is signed
			}
			with, without := time.Hour, time.Hour // the shortest of the rounds, in which nothing else ran
			for range rounds {
				without = min(without, timed(func() { bare(body) }))
				with = min(with, timed(func() {
					if _, err := s.Verify(r, public, now); err != nil {
						b.Fatal(s.Name(), err)
					}
				}))
			}
			ratios = append(ratios, float64(with)/float64(without))
		}
	}
	slices.Sort(ratios)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(len(ratios)), "schemes")
	b.ReportMetric(ratios[len(ratios)/2], "x-median")
	b.ReportMetric(ratios[len(ratios)-1], "x-worst")
}

func BenchmarkSign(b *testing.B) {
	now := time.Unix(1780000000, 0)
	keys := newKeys(b, whsecA)
	r := signed(b, signature.StandardWebhooks, keys, payload(1<<10), now)
	b.ReportAllocs()
	for b.Loop() {
		if err := signature.StandardWebhooks.Sign(r, keys, signature.SignOptions{ID: "msg_1", Time: now}); err != nil {
			b.Fatal(err)
		}
	}
}
