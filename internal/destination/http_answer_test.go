package destination

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook"
)

// Only a final status of 200 to 299 is success, whatever the number.
func TestHTTPEveryStatus(t *testing.T) {
	t.Parallel()
	for status := 100; status <= 599; status++ {
		url := serve(t, answer(fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status)))
		a := deliver(t, newHTTP(t, url, nil), testEvent("{}"))
		want := tenterhook.Attempt{Outcome: tenterhook.OutcomeRetry, Status: status}
		switch {
		case status < 200 && status != http.StatusSwitchingProtocols:
			want.Status = 0 // not final, and nothing came after it
			want.Error = "connection closed before an answer came"
		case status/100 == 2:
			want.Outcome = tenterhook.OutcomeSuccess
		case status/100 == 3:
			want.Error = "answered " + statusLine(status) + ", redirect not followed"
		default:
			want.Error = "answered " + statusLine(status)
		}
		if a.Outcome != want.Outcome || a.Status != want.Status || a.Error != want.Error {
			t.Errorf("%d: %+v, want %+v", status, a, want)
		}
	}
}

// What is no whole answer is retried, and says what went wrong.
func TestHTTPBrokenAnswers(t *testing.T) {
	t.Parallel()
	reset := func(c net.Conn) {
		_ = readRequest(c)
		_ = c.(*net.TCPConn).SetLinger(0)
	}
	const (
		closed  = "connection closed before an answer came"
		tooLong = "net/http: server response headers exceeded"
		status  = "HTTP/1.1 200 OK\r\n"
	)
	tests := map[string]struct {
		handle func(net.Conn)
		want   string // the error begins with it
	}{
		"nothing":               {answer(""), closed},
		"closed at once":        {func(net.Conn) {}, ""}, // which call notices it first is chance
		"reset after request":   {reset, "connection reset"},
		"half a status line":    {answer("HTTP/1.1 20"), `malformed HTTP status code "20"`},
		"no end of head":        {answer("HTTP/1.1 200 OK\r\nA: b\r\n"), closed},
		"HTTP/0.9":              {answer("<html>hello</html>\n"), `malformed HTTP response "<html>hello</html>"`},
		"status of words":       {answer("HTTP/1.1 okay fine\r\n\r\n"), `malformed HTTP status code "okay"`},
		"status of four digits": {answer("HTTP/1.1 2000 OK\r\n\r\n"), `malformed HTTP status code "2000"`},
		"negative status":       {answer("HTTP/1.1 -20 OK\r\n\r\n"), `malformed HTTP`},
		"version 3":             {answer("HTTP/3x 200 OK\r\n\r\n"), `malformed HTTP version "HTTP/3x"`},
		"escape codes": {
			answer("\x1b[2J\u202e" + strings.Repeat("x", 9000) + "\r\n\r\n"),
			`malformed HTTP response "\x1b[2J\u202exxx`,
		},
		"two lengths": {
			answer(status + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
			"http: message cannot contain multiple Content-Length",
		},
		"head of 100 KiB": {answer(status + "A: " + strings.Repeat("x", 100<<10) + "\r\n\r\n"), tooLong},
		"endless head": {func(c net.Conn) {
			_ = readRequest(c)
			for _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n"); err == nil; {
				_, err = io.WriteString(c, "A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n")
			}
		}, tooLong},
		"endless 1xx": {func(c net.Conn) {
			_ = readRequest(c)
			for err := error(nil); err == nil; {
				_, err = io.WriteString(c, "HTTP/1.1 103 Early Hints\r\n\r\n")
			}
		}, tooLong},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := deliver(t, newHTTP(t, serve(t, test.handle), nil), testEvent("{}"))
			if a.Outcome != tenterhook.OutcomeRetry || !strings.HasPrefix(a.Error, test.want) || a.Status != 0 {
				t.Errorf("attempt: %+v, want %q", a, test.want)
			}
			if len(a.Error) > 300 || strings.ContainsAny(a.Error, "\r\n\x1b") {
				t.Errorf("error: %q", a.Error)
			}
		})
	}
}

// An answer that breaks off anywhere is a success only if its head was whole.
func TestHTTPAnswerCutAtEveryByte(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n"
	for n := range len(head + "done") {
		a := deliver(t, newHTTP(t, serve(t, answer((head + "done")[:n])), nil), testEvent("{}"))
		want := tenterhook.OutcomeRetry
		if n >= len(head) {
			want = tenterhook.OutcomeSuccess
		}
		if a.Outcome != want || string(a.Response) != ("done")[:max(n-len(head), 0)] {
			t.Errorf("%d bytes: %+v", n, a)
		}
	}
}

func TestHTTPUnreachable(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := listener.Addr().String()
	listener.Close()
	tests := map[string]struct {
		base    string
		outcome tenterhook.Outcome
		want    string
	}{
		"nobody listens": {"http://" + free, tenterhook.OutcomeRetry, "connection refused"},
		"no TLS there": {
			strings.Replace(serve(t, answer("HTTP/1.1 400 Bad Request\r\n\r\n")), "http:", "https:", 1),
			tenterhook.OutcomeRetry, "connection ",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := deliver(t, newHTTP(t, test.base, nil), testEvent("{}"))
			if a.Outcome != test.outcome || !strings.HasPrefix(a.Error, test.want) {
				t.Errorf("attempt: %+v, want %s %q", a, test.outcome, test.want)
			}
		})
	}
}

func TestHTTPLiteralMustBeTheOperators(t *testing.T) {
	t.Parallel()
	url, got := receiver(t)
	a := deliver(t, newHTTP(t, url, func(c *HTTPConfig) { c.Literal = false }), testEvent("{}"))
	if a.Outcome != tenterhook.OutcomeRefused || !strings.Contains(a.Error, "egress.allow") || len(got) > 0 {
		t.Errorf("attempt: %+v", a)
	}
}

func TestHTTPCertificateIsVerified(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	a := deliver(t, newHTTP(t, s.URL, nil), testEvent("{}"))
	if a.Outcome != tenterhook.OutcomeRetry || a.Error != "x509: certificate signed by unknown authority" {
		t.Errorf("attempt: %+v", a)
	}
}

func TestHTTPRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		code, _ := strconv.Atoi(r.URL.Query().Get("code"))
		w.Header().Set("Location", "/elsewhere?"+querySecret)
		w.WriteHeader(code)
	}))
	t.Cleanup(s.Close)
	for i, code := range []int{301, 302, 303, 307, 308} {
		h := newHTTP(t, s.URL, func(c *HTTPConfig) { c.URL = s.URL + "/?code=" + strconv.Itoa(code) })
		a := deliver(t, h, testEvent("{}"))
		if a.Outcome != tenterhook.OutcomeRetry || a.Status != code || requests.Load() != int32(i+1) {
			t.Errorf("%d: %+v after %d requests", code, a, requests.Load())
		}
	}
}

func TestHTTPRetryAfter(t *testing.T) {
	t.Parallel()
	url := serve(t, answer("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"))
	a := deliver(t, newHTTP(t, url, nil), testEvent("{}"))
	if a.Outcome != tenterhook.OutcomeRetry || a.Status != 429 || a.RetryAfter != 2*time.Minute {
		t.Errorf("attempt: %+v", a)
	}
}

// Of an answer's body 4 KiB are kept, and no more is waited for than the
// time-out allows.
func TestHTTPLongAnswers(t *testing.T) {
	t.Parallel()
	drip := func(head string) func(net.Conn) {
		return func(c net.Conn) {
			answer(head + "x")(c)
			untilClosed(c)
		}
	}
	endless := func(c net.Conn) {
		_ = readRequest(c)
		_, err := io.WriteString(c, "HTTP/1.1 500 X\r\n\r\n")
		for zeros := make([]byte, 64<<10); err == nil; {
			_, err = c.Write(zeros)
		}
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write(make([]byte, 10<<20))
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	const (
		status = "HTTP/1.1 200 OK\r\n"
		failed = "HTTP/1.1 500 X\r\n"
		taken  = tenterhook.OutcomeSuccess
		again  = tenterhook.OutcomeRetry
	)
	full := strings.Repeat("x", 4<<10)
	tests := map[string]struct {
		handle func(net.Conn)
		want   tenterhook.Outcome
		size   int
	}{
		"drips":                 {drip(status + "Content-Length: 9\r\n\r\n"), taken, 1},
		"drips, failed":         {drip(failed + "Content-Length: 9\r\n\r\n"), again, 1},
		"drips, chunked":        {drip(failed + "Transfer-Encoding: chunked\r\n\r\n4\r\n"), again, 1},
		"endless":               {endless, again, 4 << 10},
		"says it is a gigabyte": {drip(status + "Content-Length: 1073741824\r\n\r\n" + full), taken, 4 << 10},
		"exactly what is kept":  {answer(status + "Content-Length: 4096\r\n\r\n" + full), taken, 4 << 10},
		"may have no body":      {drip("HTTP/1.1 204 No Content\r\n\r\n"), taken, 0},
		"stays packed":          {answer(status + "Content-Encoding: gzip\r\n\r\n" + packed.String()), taken, 4 << 10},
		"switches protocols": {
			drip("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"), again, 0,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHTTP(t, serve(t, test.handle), func(c *HTTPConfig) { c.Timeout = time.Second })
			a := deliver(t, h, testEvent("{}"))
			if a.Outcome != test.want || len(a.Response) != test.size {
				t.Errorf("%s %q, %d bytes; want %s, %d bytes", a.Outcome, a.Error, len(a.Response), test.want, test.size)
			}
			if name == "stays packed" && !bytes.Equal(a.Response, packed.Bytes()[:4<<10]) {
				t.Error("unpacked")
			}
		})
	}
}

func TestHTTPTimeout(t *testing.T) {
	t.Parallel()
	h := newHTTP(t, serve(t, untilClosed), func(c *HTTPConfig) { c.Timeout = 150 * time.Millisecond })
	for _, body := range []string{"{}", strings.Repeat("x", 1<<20)} {
		a := deliver(t, h, testEvent(body))
		if a.Outcome != tenterhook.OutcomeRetry || a.Error != "no answer within 150ms" {
			t.Errorf("attempt: %+v", a)
		}
	}
}

func TestHTTPShutdown(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	h := newHTTP(t, serve(t, func(c net.Conn) {
		_ = readRequest(c)
		close(asked)
		untilClosed(c)
	}), nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-asked
		cancel(errors.New("stopping"))
	}()
	e := testEvent("{}")
	for range 2 { // under way, and not begun
		a := h.Deliver(ctx, e, testDelivery(e))
		if a.Outcome != tenterhook.OutcomeRetry || a.Error != "interrupted by shutdown" {
			t.Errorf("attempt: %+v", a)
		}
	}
}

// A receiver that says 200 before it has everything has not taken it.
func TestHTTPEarlyAnswer(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	early := func(raw string, after func()) func(net.Conn) {
		return func(c net.Conn) {
			if _, err := io.ReadFull(c, make([]byte, 1)); err == nil {
				_, _ = io.WriteString(c, raw)
				after()
			}
		}
	}
	tests := map[string]struct {
		raw    string
		status int
		want   string
	}{
		"then stalls":     {ok, 200, "answered 200 before the request was sent in full"},
		"refuses rightly": {strings.Replace(ok, "200 OK", "413 X", 1), 413, "answered 413 Request Entity Too Large"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, early(test.raw, func() { <-t.Context().Done() }))
			a := deliver(t, newHTTP(t, url, nil), testEvent(strings.Repeat("x", 16<<20)))
			if a.Outcome != tenterhook.OutcomeRetry || a.Status != test.status || a.Error != test.want {
				t.Errorf("attempt: %+v", a)
			}
		})
	}
	t.Run("then closes", func(t *testing.T) {
		t.Parallel()
		// The reset may overtake the answer, so only the outcome is certain.
		h := newHTTP(t, serve(t, early(ok, func() {})), nil)
		if a := deliver(t, h, testEvent(strings.Repeat("x", 16<<20))); a.Outcome != tenterhook.OutcomeRetry {
			t.Errorf("attempt: %+v", a)
		}
	})
}
