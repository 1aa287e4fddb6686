package ingest_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/filter"
	"github.com/tenterhook/tenterhook/internal/ingest"
	"github.com/tenterhook/tenterhook/internal/route"
	"github.com/tenterhook/tenterhook/signature"
)

const (
	secret  = "It's a Secret to Everybody"
	maxBody = 1 << 20
)

// memory is a store that a test looks into.
type memory struct {
	mu       sync.Mutex
	events   []*tenterhook.Event
	ds       [][]tenterhook.Delivery
	rejected []tenterhook.Rejection
	err      error
	ids      *tenterhook.IDs
	hold     chan struct{} // Accept waits for it, if there is one
}

func (m *memory) Accept(_ context.Context, e *tenterhook.Event, ds []tenterhook.Delivery, _ tenterhook.OnRedelivery) (tenterhook.Receipt, error) {
	if m.hold != nil {
		<-m.hold
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return tenterhook.Receipt{}, m.err
	}
	for _, known := range m.events {
		if known.DeliveryID != "" && known.DeliveryID == e.DeliveryID {
			return tenterhook.Receipt{ID: known.ID, Duplicate: true}, nil
		}
	}
	e.ID = m.ids.New()
	m.events, m.ds = append(m.events, e), append(m.ds, ds)
	return tenterhook.Receipt{ID: e.ID}, nil
}

func (m *memory) Reject(r tenterhook.Rejection) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rejected = append(m.rejected, r)
}

type edge struct {
	*memory
	handler *ingest.Handler
	server  *httptest.Server
	seen    chan ingest.Observation
}

func setup(t *testing.T, opts ingest.Options) *edge {
	t.Helper()
	e := &edge{memory: &memory{ids: tenterhook.NewIDs(nil)}, seen: make(chan ingest.Observation, 1000)}
	opts.Observe = func(o *ingest.Observation) { e.seen <- *o }
	e.handler = ingest.New(e.memory, opts)
	keys, err := signature.NewKeys(secret)
	if err != nil {
		t.Fatal(err)
	}
	when, err := filter.Compile(`.ref == "refs/heads/main"`)
	if err != nil {
		t.Fatal(err)
	}
	routes, err := route.New([]route.Route{
		{Name: "main", From: []string{"github"}, Types: []string{"push"}, When: when, To: []string{"app"}},
		{Name: "pulls", From: []string{"github"}, Types: []string{"pull_request.*"}, To: []string{"app", "bot"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	e.handler.Configure(&ingest.Config{Routes: routes, Sources: map[string]*ingest.Source{
		"github": {Name: "github", Scheme: signature.GitHub, Keys: keys, MaxBody: maxBody},
		"open":   {Name: "open", MaxBody: maxBody},
		"nokeys": {Name: "nokeys", Scheme: signature.GitHub, MaxBody: maxBody},
	}})
	mux := http.NewServeMux()
	mux.Handle("/webhook/{source}", e.handler)
	e.server = httptest.NewServer(mux)
	t.Cleanup(e.server.Close)
	return e
}

func sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func (e *edge) post(t *testing.T, source string, body []byte, header map[string]string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.server.URL+"/webhook/"+source, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestAcceptsWhatIsSigned(t *testing.T) {
	t.Parallel()
	e := setup(t, ingest.Options{})
	body := []byte(`{"ref": "refs/heads/main", "pusher": {"name": "evan"}}`)
	header := map[string]string{"X-Hub-Signature-256": sign(body), "X-GitHub-Event": "push", "X-GitHub-Delivery": "guid",
		"Content-Type": "application/json", "Authorization": "Bearer somebody's", "Cookie": "a=b"}
	status, answer := e.post(t, "github", body, header)
	event := e.events[0]
	if want := fmt.Sprintf("{\"status\":\"ok\",\"id\":%q}\n", event.ID); status != http.StatusOK || answer != want {
		t.Errorf("%d %s, want 200 %s", status, answer, want)
	}
	if !bytes.Equal(event.Body, body) || event.Type != "push" || event.DeliveryID != "guid" || event.Source != "github" {
		t.Errorf("event %+v", event)
	}
	if event.Header.Get("Authorization") != "" || event.Header.Get("Cookie") != "" || event.Header.Get("X-Hub-Signature-256") == "" {
		t.Errorf("kept header %v, want the signature and no credentials", event.Header)
	}
	if ds := e.ds[0]; len(ds) != 1 || ds[0].Destination != "app" || ds[0].Route != "main" {
		t.Errorf("deliveries %+v", ds)
	}
	status, answer = e.post(t, "github", body, header)
	if want := fmt.Sprintf("{\"status\":\"ok\",\"id\":%q,\"duplicate\":true}\n", event.ID); status != http.StatusOK || answer != want {
		t.Errorf("again: %d %s, want 200 %s", status, answer, want)
	}
}

func TestTypeNamesTheAction(t *testing.T) {
	t.Parallel()
	e := setup(t, ingest.Options{})
	body := []byte(`{"action":"opened","number":1}`)
	e.post(t, "github", body, map[string]string{"X-Hub-Signature-256": sign(body), "X-GitHub-Event": "pull_request"})
	if got := e.events[0]; got.Type != "pull_request.opened" || len(e.ds[0]) != 2 {
		t.Errorf("type %q, %d deliveries; want pull_request.opened and 2", got.Type, len(e.ds[0]))
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	body := []byte(`{"ref":"refs/heads/main"}`)
	empty := hmac.New(sha256.New, nil)
	empty.Write(body)
	for name, c := range map[string]struct {
		source string
		body   []byte
		header map[string]string
		status int
		reason string
	}{
		"wrong signature":     {body: []byte("other"), header: map[string]string{"X-Hub-Signature-256": sign(body)}, status: 401, reason: "signature_mismatch"},
		"no signature":        {body: body, status: 401, reason: "missing_signature"},
		"truncated signature": {body: body, header: map[string]string{"X-Hub-Signature-256": sign(body)[:40]}, status: 401, reason: "malformed_signature"},
		"SHA-1 only":          {body: body, header: map[string]string{"X-Hub-Signature": "sha1=da39a3ee5e6b4b0d3255bfef95601890afd80709"}, status: 401, reason: "missing_signature"},
		"empty key": {source: "nokeys", body: body, header: map[string]string{"X-Hub-Signature-256": "sha256=" + hex.EncodeToString(empty.Sum(nil))},
			status: 401, reason: "no_key"},
		"unknown source":  {source: "nobody", body: body, status: 404, reason: ingest.ReasonUnknownSource},
		"one byte larger": {source: "open", body: make([]byte, maxBody+1), status: 413, reason: ingest.ReasonTooLarge},
	} {
		e := setup(t, ingest.Options{})
		source := "github"
		if c.source != "" {
			source = c.source
		}
		status, answer := e.post(t, source, c.body, c.header)
		o := <-e.seen
		if status != c.status || o.Reason != c.reason || len(e.events) != 0 {
			t.Errorf("%s: %d %q, %d events; want %d %q and none", name, status, o.Reason, len(e.events), c.status, c.reason)
		}
		if o.Detail != "" && strings.Contains(answer, o.Detail) || strings.Contains(answer, c.reason) {
			t.Errorf("%s: the sender is told why: %s", name, answer)
		}
		if len(e.rejected) != 1 || e.rejected[0].Reason != c.reason || e.rejected[0].Peer != "127.0.0.1" || e.rejected[0].Status != c.status {
			t.Errorf("%s: rejections on record: %+v", name, e.rejected)
		}
	}
}

func TestUnsignedSourceTakesAnything(t *testing.T) {
	t.Parallel()
	e := setup(t, ingest.Options{})
	for _, size := range []int{0, 1, 64 << 10, 64<<10 + 1, maxBody} {
		if status, answer := e.post(t, "open", make([]byte, size), nil); status != http.StatusOK {
			t.Errorf("%d bytes: %d %s", size, status, answer)
		}
	}
}

func TestStoreTroubleIsAskedToBeRetried(t *testing.T) {
	t.Parallel()
	e := setup(t, ingest.Options{})
	e.err = errors.New("disk full")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.server.URL+"/webhook/open", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("%d, Retry-After %q; want 503 with one", response.StatusCode, response.Header.Get("Retry-After"))
	}
}

// raw sends bytes on a connection of their own, then ends its half of it, and
// returns the status that was answered, or 0.
func (e *edge) raw(t *testing.T, text string) int {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", e.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

// A body that is cut off is never acknowledged, wherever that happens.
func TestTruncatedBodyIsNeverAccepted(t *testing.T) {
	t.Parallel()
	e := setup(t, ingest.Options{})
	body := strings.Repeat("b", 300)
	whole := "POST /webhook/open HTTP/1.1\r\nHost: x\r\nContent-Length: 300\r\n\r\n" + body
	chunked := "POST /webhook/open HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n12c\r\n" + body + "\r\n0\r\n\r\n"
	for cut := range len(body) {
		if status := e.raw(t, whole[:len(whole)-len(body)+cut]); status/100 == 2 {
			t.Fatalf("cut after %d of 300 bytes: %d", cut, status)
		}
	}
	head := strings.Index(chunked, body)
	for cut := head; cut < len(chunked)-len("\r\n"); cut++ {
		if status := e.raw(t, chunked[:cut]); status/100 == 2 {
			t.Fatalf("chunked, cut after %d bytes: %d", cut-head, status)
		}
	}
	if len(e.events) != 0 {
		t.Errorf("%d events of cut off bodies", len(e.events))
	}
	if status := e.raw(t, whole); status != http.StatusOK {
		t.Errorf("whole: %d", status)
	}
	if status := e.raw(t, chunked); status != http.StatusOK {
		t.Errorf("chunked: %d", status)
	}
}

func TestLargeBodyIsRefusedBeforeItIsRead(t *testing.T) {
	t.Parallel()
	e := setup(t, ingest.Options{})
	if status := e.raw(t, "POST /webhook/open HTTP/1.1\r\nHost: x\r\nContent-Length: 10737418240\r\n\r\n"); status != http.StatusRequestEntityTooLarge {
		t.Errorf("10 GiB announced: %d, want 413", status)
	}
	if o := <-e.seen; o.Size != 0 {
		t.Errorf("%d bytes of it were read", o.Size)
	}
	pipe, in := io.Pipe()
	go func() {
		block := make([]byte, 64<<10)
		for {
			if _, err := in.Write(block); err != nil {
				return // the transport stopped reading
			}
		}
	}()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.server.URL+"/webhook/open", pipe)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err == nil {
		_ = response.Body.Close()
		if response.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("endless: %d, want 413", response.StatusCode)
		}
	}
	_ = pipe.Close()
	if o := <-e.seen; o.Status != http.StatusRequestEntityTooLarge || o.Size > maxBody+1 {
		t.Errorf("endless: %d after %d bytes, want 413 after %d", o.Status, o.Size, maxBody)
	}
}

// Memory for bodies is bounded however many come at once.
func TestBytesInFlightAreBounded(t *testing.T) {
	t.Parallel()
	const budget, size = 1 << 20, 256 << 10
	e := setup(t, ingest.Options{InFlight: budget})
	e.hold = make(chan struct{})
	statuses := make(chan int, 20)
	var senders sync.WaitGroup
	for range cap(statuses) {
		senders.Go(func() {
			status, _ := e.post(t, "open", make([]byte, size), nil)
			statuses <- status
		})
	}
	for range cap(statuses) - budget/size { // those that are shed are answered while the others wait
		if status := <-statuses; status != http.StatusServiceUnavailable {
			t.Errorf("%d, want 503", status)
		}
	}
	if used := e.handler.InFlight(); used > budget {
		t.Errorf("%d bytes in flight, at most %d may be", used, budget)
	}
	close(e.hold)
	senders.Wait()
	for range budget / size {
		if status := <-statuses; status != http.StatusOK {
			t.Errorf("%d, want 200", status)
		}
	}
	if used := e.handler.InFlight(); used != 0 {
		t.Errorf("%d bytes in flight after all was answered", used)
	}
}

// Rejections that are put on record are bounded in rate, and all are observed.
func TestRejectionsOnRecordAreBounded(t *testing.T) {
	t.Parallel()
	at := time.Now()
	e := setup(t, ingest.Options{Now: func() time.Time { return at }})
	for range 200 {
		e.post(t, "nobody", nil, nil)
	}
	if len(e.rejected) != 50 || len(e.seen) != 200 {
		t.Errorf("%d on record, %d observed; want 50 and 200", len(e.rejected), len(e.seen))
	}
}

func BenchmarkServe(b *testing.B) {
	store := &discard{ids: tenterhook.NewIDs(nil)}
	handler := ingest.New(store, ingest.Options{})
	keys, err := signature.NewKeys(secret)
	if err != nil {
		b.Fatal(err)
	}
	when, err := filter.Compile(`.ref == "refs/heads/main"`)
	if err != nil {
		b.Fatal(err)
	}
	routes, err := route.New([]route.Route{{Name: "main", From: []string{"github"}, Types: []string{"push"}, When: when, To: []string{"app"}}})
	if err != nil {
		b.Fatal(err)
	}
	handler.Configure(&ingest.Config{Routes: routes, Sources: map[string]*ingest.Source{"github": {Name: "github", Scheme: signature.GitHub, Keys: keys, MaxBody: maxBody}}})
	body := []byte(`{"ref":"refs/heads/main","pad":"` + strings.Repeat("x", 980) + `"}`)
	mac := sign(body)
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/webhook/github", bytes.NewReader(body))
		r.SetPathValue("source", "github")
		r.Header["X-Hub-Signature-256"] = []string{mac}
		r.Header["X-Github-Event"] = []string{"push"}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
	}
}

type discard struct{ ids *tenterhook.IDs }

func (d *discard) Accept(_ context.Context, e *tenterhook.Event, _ []tenterhook.Delivery, _ tenterhook.OnRedelivery) (tenterhook.Receipt, error) {
	e.ID = d.ids.New()
	return tenterhook.Receipt{ID: e.ID}, nil
}
func (*discard) Reject(tenterhook.Rejection) {}
