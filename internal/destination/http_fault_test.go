package destination

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/egress"
)

// An answer that is reset at any byte is a success only if its head was whole.
// The reset may overtake what was sent before it, so of a whole head too the
// outcome may be retry; but never success of half a head.
func TestHTTPAnswerResetAtEveryByte(t *testing.T) {
	t.Parallel()
	const whole = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\ndone"
	head := strings.Index(whole, "\r\n\r\n") + 4
	for n := range len(whole) {
		url := serve(t, func(c net.Conn) {
			answer(whole[:n])(c)
			_ = c.(*net.TCPConn).SetLinger(0) // closing resets
		})
		a := deliver(t, newHTTP(t, url, nil), testEvent("{}"))
		if a.Outcome == tenterhook.OutcomeSuccess && n < head ||
			a.Outcome != tenterhook.OutcomeSuccess && a.Outcome != tenterhook.OutcomeRetry {
			t.Errorf("%d bytes: %+v", n, a)
		}
	}
}

// What a hostile receiver sends, without end or with a gigabyte, costs neither
// more than the time-out nor memory. Not parallel: it looks at the whole heap.
func TestHTTPMemoryIsBounded(t *testing.T) { //nolint:paralleltest // as said
	forever := func(head, part string) func(net.Conn) {
		return func(c net.Conn) {
			_ = readRequest(c)
			_, err := io.WriteString(c, head)
			for many := []byte(strings.Repeat(part, 64<<10/len(part))); err == nil; {
				_, err = c.Write(many)
			}
		}
	}
	big := bytes.Repeat([]byte("x"), 1<<20) // here, as the receiver's memory is looked at as well
	gigabyte := func(c net.Conn) {
		_ = readRequest(c)
		_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Big: ")
		for i := 0; i < 1<<10 && err == nil; i++ {
			_, err = c.Write(big)
		}
		_, _ = io.WriteString(c, "\r\n\r\n") // nobody is there any more
	}
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for zeros := make([]byte, 1<<20); bomb.Len() < 50<<10; {
		if _, err := z.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	const chunked = "HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n"
	tests := map[string]func(net.Conn){
		"head of a gigabyte":      gigabyte,
		"head without end":        forever("HTTP/1.1 200 OK\r\n", "A: bbbb\r\n"),
		"status line without end": forever("HTTP/1.1 200 ", "x"),
		"body without end":        forever("HTTP/1.1 500 X\r\n\r\n", "x"),
		"chunks without end":      forever(chunked, "1\r\nx\r\n"),
		"chunk size without end":  forever(chunked, "0"),
		"chunk extension":         forever(chunked+"1;", "x"),
		"1xx without end":         forever("", "HTTP/1.1 100 Continue\r\n\r\n"),
		"bomb":                    answer("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + bomb.String()),
		"bomb as transfer coding": answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n" + bomb.String()),
		"length of an exabyte":    answer("HTTP/1.1 200 OK\r\nContent-Length: 1152921504606846976\r\n\r\n"),
	}
	const timeout, attempts, each = 300 * time.Millisecond, 8, 1 << 20
	for name, handle := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHTTP(t, serve(t, handle), func(c *HTTPConfig) { c.Timeout = timeout })
			deliver(t, h, testEvent("{}")) // what is made once is not an attempt's
			before := heapInUse()
			for range attempts {
				start := time.Now()
				a := deliver(t, h, testEvent("{}"))
				if took := time.Since(start); took > timeout+time.Second {
					t.Errorf("took %v", took)
				}
				if len(a.Response) > maxResponse || len(a.Error) > 300 {
					t.Errorf("kept %d bytes, and an error of %d", len(a.Response), len(a.Error))
				}
				if now := heapInUse(); now > before+each {
					t.Errorf("%d bytes more in use", now-before)
				}
			}
		})
	}
}

// heapInUse returns what is left on the heap after a collection.
func heapInUse() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// A receiver that speaks HTTP/2 gets the same treatment.
func TestHTTP2HostileReceivers(t *testing.T) {
	t.Parallel()
	block := make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/stall":
			<-block
		case "/endless":
			w.WriteHeader(http.StatusInternalServerError)
			for zeros := make([]byte, 64<<10); ; {
				if _, err := w.Write(zeros); err != nil {
					return
				}
			}
		case "/drip":
			w.WriteHeader(http.StatusInternalServerError)
			w.(http.Flusher).Flush()
			select {
			case <-block:
			case <-r.Context().Done():
			}
		case "/head":
			for i := range 100 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 4<<10))
			}
		}
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(block) })
	roots := s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	const timeout = 400 * time.Millisecond
	for path, status := range map[string]int{"/stall": 0, "/endless": 500, "/drip": 500, "/head": 0} {
		h := newHTTP(t, s.URL, func(c *HTTPConfig) {
			c.URL, c.Timeout = s.URL+path, timeout
			c.TLS = &egress.TLS{RootCAs: roots}
		})
		start := time.Now()
		a := deliver(t, h, testEvent("{}"))
		if took := time.Since(start); a.Outcome != tenterhook.OutcomeRetry || a.Status != status || took > timeout+time.Second ||
			len(a.Response) > maxResponse {
			t.Errorf("%s: %+v after %v", path, a, took)
		}
	}
}

// Nothing is sent again by itself once it was answered, whatever the answer.
func TestHTTPOneRequestAnAttempt(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	for _, raw := range []string{"", "HTTP/1.1 503 X\r\nConnection: close\r\n\r\n", "HTTP/1.1 421 X\r\n\r\n", "HTTP/1.1 2"} {
		requests.Store(0)
		url := serve(t, func(c net.Conn) {
			if readRequest(c) == nil {
				requests.Add(1)
				_, _ = io.WriteString(c, raw)
			}
		})
		deliver(t, newHTTP(t, url, nil), testEvent("{}"))
		if n := requests.Load(); n != 1 {
			t.Errorf("%q: %d requests", raw, n)
		}
	}
}
