package destination

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook"
)

// BenchmarkHTTPDeliver measures whole attempts against a receiver that costs
// next to nothing. "net/http" is the floor: the same request through a plain
// transport, without time-out, signature and guard.
func BenchmarkHTTPDeliver(b *testing.B) {
	for _, size := range []int{1 << 10, 10 << 10} {
		b.Run(fmt.Sprintf("net/http/%dKiB", size>>10), func(b *testing.B) { benchmarkFloor(b, size) })
		for _, sign := range []string{SignNone, SignPassthrough, SignStandardWebhooks} {
			b.Run(fmt.Sprintf("%s/%dKiB", sign, size>>10), func(b *testing.B) { benchmarkDeliver(b, sign, size) })
		}
	}
}

func benchmarkDeliver(b *testing.B, sign string, size int) {
	b.Helper()
	h := newHTTP(b, serve(b, cheapReceiver), func(c *HTTPConfig) {
		if c.Sign = sign; sign == SignStandardWebhooks {
			c.Keys = testKeys(b, testSecret)
		}
	})
	e := testEvent(strings.Repeat("x", size))
	d := testDelivery(e)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	inParallel(b, func() error {
		if a := h.Deliver(ctx, e, d); a.Outcome != tenterhook.OutcomeSuccess {
			return fmt.Errorf("%+v", a)
		}
		return nil
	})
}

func benchmarkFloor(b *testing.B, size int) {
	b.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true, WriteBufferSize: 16 << 10}
	defer transport.CloseIdleConnections()
	url, body := serve(b, cheapReceiver), bytes.Repeat([]byte("x"), size)
	inParallel(b, func() error {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url+"/hooks", bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("User-Agent", userAgent)
		resp, err := transport.RoundTrip(req)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		return err
	})
}

// inParallel has 16 goroutines for each processor call f.
func inParallel(b *testing.B, f func() error) {
	b.Helper()
	b.SetParallelism(16)
	b.ReportAllocs()
	began := time.Now()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := f(); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "attempts/s")
}

// cheapReceiver answers 200 to each request on a connection, and allocates
// nothing for it.
func cheapReceiver(c net.Conn) {
	const length = "Content-Length: "
	r, ok := bufio.NewReaderSize(c, 32<<10), []byte("HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\":\"ok\"}")
	for {
		size := 0
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(line) == len("\r\n") {
				break
			}
			if value, found := bytes.CutPrefix(line, []byte(length)); found {
				size, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
			}
		}
		if _, err := r.Discard(size); err != nil {
			return
		}
		if _, err := c.Write(ok); err != nil {
			return
		}
	}
}
