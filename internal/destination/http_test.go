package destination

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/egress"
	"github.com/tenterhook/tenterhook/signature"
)

const (
	testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	oldSecret  = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	// querySecret is in the URL of every destination here. It must never get into
	// an attempt's error.
	querySecret = "s3cr3t-in-the-query"
)

func testEvent(body string) *tenterhook.Event {
	return &tenterhook.Event{
		ID: tenterhook.NewIDs(nil).New(), Source: "github", Type: "push", DeliveryID: "72d3162e",
		ReceivedAt: time.Date(2026, 11, 23, 15, 4, 5, 678901000, time.UTC),
		Header:     http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		Body:       []byte(body),
	}
}

func testDelivery(e *tenterhook.Event) *tenterhook.Delivery {
	return &tenterhook.Delivery{ID: e.ID.Delivery(1), Destination: "app", Route: "main", State: tenterhook.StatePending}
}

// newHTTP returns a destination at base, such as http://127.0.0.1:3000, with
// SignNone and what change makes of that.
func newHTTP(t testing.TB, base string, change func(*HTTPConfig)) *HTTP {
	t.Helper()
	client := egress.New(egress.Options{})
	t.Cleanup(client.CloseIdle)
	c := HTTPConfig{URL: base + "/hooks?token=" + querySecret, Literal: true, Sign: SignNone, Timeout: 10 * time.Second}
	if change != nil {
		change(&c)
	}
	h, err := NewHTTP("app", c, client)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func testKeys(t testing.TB, secrets ...string) signature.Keys {
	t.Helper()
	keys, err := signature.NewKeys(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// serve accepts connections until the test ends, has handle speak on each, and
// returns the address as a URL.
func serve(t testing.TB, handle func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		conns []net.Conn
	)
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			wg.Go(func() {
				defer conn.Close()
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		mu.Lock()
		for _, conn := range conns {
			conn.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return "http://" + listener.Addr().String()
}

// answer returns a handler that reads one request and writes raw.
func answer(raw string) func(net.Conn) {
	return func(c net.Conn) {
		if readRequest(c) == nil {
			_, _ = io.WriteString(c, raw)
		}
	}
}

func readRequest(c net.Conn) error {
	req, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, req.Body)
	return err
}

// untilClosed blocks until the other side closes c.
func untilClosed(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

func deliver(t *testing.T, d interface {
	Deliver(ctx context.Context, e *tenterhook.Event, d *tenterhook.Delivery) tenterhook.Attempt
}, e *tenterhook.Event,
) tenterhook.Attempt {
	t.Helper()
	a := d.Deliver(t.Context(), e, testDelivery(e))
	if strings.Contains(a.Error, querySecret) {
		t.Errorf("error holds the query: %s", a.Error)
	}
	if (a.Outcome == tenterhook.OutcomeSuccess) != (a.Error == "") {
		t.Errorf("outcome %q with error %q", a.Outcome, a.Error)
	}
	return a
}

// received is what a receiver saw of a request.
type received struct {
	method, uri, host string
	header            http.Header
	body              []byte
}

// receiver answers 200 and hands on what it got.
func receiver(t *testing.T) (string, <-chan received) {
	t.Helper()
	got := make(chan received, 16)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("receiver: %v", err)
		}
		got <- received{r.Method, r.RequestURI, r.Host, r.Header.Clone(), body}
		_, _ = io.WriteString(w, `{"status":"ok"}`)
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

func TestHTTPStandardWebhooks(t *testing.T) {
	t.Parallel()
	url, got := receiver(t)
	h := newHTTP(t, url, func(c *HTTPConfig) {
		c.Sign = ""
		c.Keys = testKeys(t, testSecret, oldSecret)
		c.Headers = map[string]string{"authorization": "Bearer b3arer"}
	})
	e := testEvent("{\"a\":1,\"a\":2} \xff\x00\n")
	e.Header.Set("X-Hub-Signature-256", "sha256=00")
	a := deliver(t, h, e)
	if a.Outcome != tenterhook.OutcomeSuccess || a.Status != 200 || string(a.Response) != `{"status":"ok"}` {
		t.Fatalf("attempt: %+v", a)
	}
	r := <-got
	if r.method != "POST" || r.uri != "/hooks?token="+querySecret || !bytes.Equal(r.body, e.Body) {
		t.Errorf("request: %s %s %q", r.method, r.uri, r.body)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "User-Agent": "tenterhook", "Webhook-Id": e.ID.String(),
		"Authorization": "Bearer b3arer", "X-Hub-Signature-256": "", "Accept-Encoding": "",
	} {
		if v := r.header.Get(name); v != want {
			t.Errorf("%s: %q, want %q", name, v, want)
		}
	}
	for _, secret := range []string{testSecret, oldSecret} {
		if _, err := signature.StandardWebhooks.Verify(
			&signature.Request{Header: r.header, Body: r.body}, testKeys(t, secret), time.Now()); err != nil {
			t.Errorf("own library, %s: %v", secret, err)
		}
		official, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := official.Verify(r.body, r.header); err != nil {
			t.Errorf("official library, %s: %v", secret, err)
		}
	}
}

func TestHTTPTimestampIsTheAttempts(t *testing.T) {
	t.Parallel()
	url, got := receiver(t)
	for _, sign := range []string{SignNone, SignStandardWebhooks} {
		h := newHTTP(t, url, func(c *HTTPConfig) {
			if c.Sign = sign; sign == SignStandardWebhooks {
				c.Keys = testKeys(t, testSecret)
			}
		})
		e := testEvent("{}")
		for _, at := range []int64{1_800_000_000, 1_800_000_030} {
			h.now = func() time.Time { return time.Unix(at, 999) }
			deliver(t, h, e)
			r := <-got
			if id, ts := r.header.Get("Webhook-Id"), r.header.Get("Webhook-Timestamp"); id != e.ID.String() ||
				ts != strconv.FormatInt(at, 10) {
				t.Errorf("%s: id %s, timestamp %s", sign, id, ts)
			}
			if signed := r.header.Get("Webhook-Signature") != ""; signed != (sign != SignNone) {
				t.Errorf("%s: signed: %v", sign, signed)
			}
		}
	}
}

func TestHTTPPassthrough(t *testing.T) {
	t.Parallel()
	url, got := receiver(t)
	h := newHTTP(t, url, func(c *HTTPConfig) { c.Sign = SignPassthrough })
	e := testEvent(`{"zen":"\u0041"}`)
	keep := http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"GitHub-Hookshot/044aadd"},
		"X-Github-Event": {"push"}, "X-Github-Delivery": {"72d3162e"}, "X-Hub-Signature-256": {"sha256=AbC"},
		"X-Several": {"a, b", "c"}, "X-Latin": {"caf\xe9"},
	}
	e.Header = keep.Clone()
	for _, name := range []string{
		"Host", "Connection", "Keep-Alive", "Te", "Upgrade", "X-Forwarded-For", "Via", "Forwarded", "X-Real-Ip",
		"Proxy-Authorization", "Authorization", "Cookie", "Accept-Encoding", "Expect", "X-Hop",
	} {
		e.Header.Set(name, "x-hop")
	}
	if a := deliver(t, h, e); a.Outcome != tenterhook.OutcomeSuccess {
		t.Fatalf("attempt: %+v", a)
	}
	r := <-got
	if !bytes.Equal(r.body, e.Body) {
		t.Errorf("body: %q", r.body)
	}
	keep["Webhook-Id"] = []string{e.ID.String()}
	keep["Content-Length"] = []string{strconv.Itoa(len(e.Body))}
	for name, values := range r.header {
		if fmt.Sprintf("%q", values) != fmt.Sprintf("%q", keep[name]) {
			t.Errorf("%s: %q, want %q", name, values, keep[name])
		}
		delete(keep, name)
	}
	if len(keep) > 0 {
		t.Errorf("not sent: %v", keep)
	}

	e.Header.Set("Webhook-Id", "msg_of_the_provider")
	e.Header.Del("User-Agent")
	deliver(t, h, e)
	if r := <-got; r.header.Get("Webhook-Id") != "msg_of_the_provider" || r.header.Get("User-Agent") != "tenterhook" {
		t.Errorf("headers: %v", r.header)
	}
}

func TestHTTPBodyIsUntouched(t *testing.T) {
	t.Parallel()
	url, got := receiver(t)
	h := newHTTP(t, url, nil)
	for _, size := range []int{0, 1, 4 << 10, 16<<10 - 300, 16 << 10, 64 << 10, 3 << 20} {
		body := bytes.Repeat([]byte("\x00\xff\r\n{é"), size/7+1)[:size]
		e := testEvent(string(body))
		if a := deliver(t, h, e); a.Outcome != tenterhook.OutcomeSuccess {
			t.Fatalf("%d bytes: %+v", size, a)
		}
		if r := <-got; sha256.Sum256(r.body) != sha256.Sum256(body) || r.header.Get("Content-Length") != strconv.Itoa(size) {
			t.Errorf("%d bytes: got %d, %v", size, len(r.body), r.header)
		}
	}
}

func TestHTTPHeaderThatCannotBeSent(t *testing.T) {
	t.Parallel()
	for _, sign := range []string{SignNone, SignPassthrough} {
		h := newHTTP(t, "http://127.0.0.1:1", func(c *HTTPConfig) { c.Sign = sign })
		e := testEvent("{}")
		e.Header["Content-Type"] = []string{"text/plain\r\nX-Injected: 1"}
		if a := deliver(t, h, e); a.Outcome != tenterhook.OutcomeRefused || !strings.Contains(a.Error, "Content-Type") {
			t.Errorf("%s: %+v", sign, a)
		}
	}
}

// A kept connection that the receiver closed meanwhile costs no attempt, and no
// second copy.
func TestHTTPKeptConnections(t *testing.T) {
	t.Parallel()
	var conns, requests atomic.Int32
	url := serve(t, func(c net.Conn) {
		conns.Add(1)
		br := bufio.NewReader(c)
		for range 3 {
			req, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			requests.Add(1)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	h := newHTTP(t, url, nil)
	for range 3 {
		if a := deliver(t, h, testEvent("{}")); a.Outcome != tenterhook.OutcomeSuccess {
			t.Fatalf("attempt: %+v", a)
		}
	}
	if conns.Load() != 1 || requests.Load() != 3 {
		t.Errorf("%d requests on %d connections", requests.Load(), conns.Load())
	}
}
