package tenterhook_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/hooktest"
	"github.com/tenterhook/tenterhook/signature"
)

// A taker is a receiver of the library that takes everything, and what came of
// it.
type taker struct {
	*tenterhook.Receiver

	keys     signature.Keys
	events   chan *tenterhook.Event
	rejected chan tenterhook.Rejection
}

// newTaker returns one for GitHub, changed by opts.
func newTaker(t testing.TB, opts tenterhook.ReceiverOptions, take func(context.Context, *tenterhook.Event) error) *taker {
	t.Helper()
	r := &taker{
		keys:   hooktest.Keys(t, signature.GitHub),
		events: make(chan *tenterhook.Event, 100), rejected: make(chan tenterhook.Rejection, 100),
	}
	if take == nil {
		take = func(_ context.Context, e *tenterhook.Event) error {
			r.events <- e
			return nil
		}
	}
	opts.Rejected = func(_ context.Context, rejection tenterhook.Rejection) { r.rejected <- rejection }
	var err error
	if r.Receiver, err = tenterhook.NewReceiver(signature.GitHub, r.keys, take, &opts); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *taker) request(t testing.TB, body string, opts ...hooktest.Option) *http.Request {
	t.Helper()
	opts = append([]hooktest.Option{hooktest.WithHeader("X-GitHub-Event", "issues"), hooktest.WithID("guid")}, opts...)
	return hooktest.Request(t, signature.GitHub, r.keys, []byte(body), opts...)
}

func serveRequest(h http.Handler, req *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, req)
	return answer
}

func TestReceiverTakesWhatIsSigned(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 25, 12, 0, 0, 123456789, time.FixedZone("", 3600))
	r := newTaker(t, tenterhook.ReceiverOptions{Now: func() time.Time { return at }}, nil)
	body := `{"action": "opened" , "n":1}`
	req := r.request(t, body, hooktest.WithHeader("Authorization", "Basic abc"), hooktest.WithHeader("Cookie", "a=b"))
	answer := serveRequest(r, req)
	e := <-r.events
	if want := fmt.Sprintf("{\"status\":\"ok\",\"id\":%q}\n", e.ID); answer.Code != 200 || answer.Body.String() != want {
		t.Errorf("%d %s, want %s", answer.Code, answer.Body, want)
	}
	if got := answer.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
	if string(e.Body) != body || e.Type != "issues.opened" || e.DeliveryID != "guid" || e.Source != "github" ||
		!e.ReceivedAt.Equal(at.Truncate(time.Microsecond)) || e.ReceivedAt.Location() != time.UTC {
		t.Errorf("%+v", e)
	}
	if e.Header.Get("Authorization")+e.Header.Get("Cookie") != "" || e.Header.Get("X-Hub-Signature-256") == "" {
		t.Errorf("header %v, want the signature and no credentials", e.Header)
	}
	if req.Header.Get("Authorization") == "" {
		t.Error("the header of the request was changed, which handlers around this one see")
	}
	serveRequest(r, r.request(t, body))
	if again := <-r.events; again.ID.Compare(e.ID) <= 0 || again.DeliveryID != e.DeliveryID {
		t.Errorf("again %s after %s", again.ID, e.ID)
	}
}

func TestReceiverRefuses(t *testing.T) {
	t.Parallel()
	other := hooktest.Keys(t, signature.GitHub)
	for name, c := range map[string]struct {
		request func(r *taker) *http.Request
		status  int
		reason  string
	}{
		"unsigned": {func(r *taker) *http.Request {
			return r.request(t, "{}", hooktest.WithTampering(hooktest.TamperHeader))
		}, 401, "missing_signature"},
		"another secret": {func(*taker) *http.Request {
			return hooktest.Request(t, signature.GitHub, other, []byte("{}"))
		}, 401, "signature_mismatch"},
		"changed": {func(r *taker) *http.Request {
			return r.request(t, `{"a":"b"}`, hooktest.WithTampering(hooktest.TamperBody))
		}, 401, "signature_mismatch"},
		"GET": {func(r *taker) *http.Request {
			return r.request(t, "", hooktest.WithMethod(http.MethodGet))
		}, 405, tenterhook.ReasonMethod},
		"HEAD": {func(r *taker) *http.Request {
			return r.request(t, "", hooktest.WithMethod(http.MethodHead))
		}, 405, tenterhook.ReasonMethod},
		"a byte too large": {func(r *taker) *http.Request {
			return r.request(t, strings.Repeat("x", 1001))
		}, 413, tenterhook.ReasonTooLarge},
		"a byte too large, unannounced": {func(r *taker) *http.Request {
			req := r.request(t, strings.Repeat("x", 1001))
			req.ContentLength = -1
			return req
		}, 413, tenterhook.ReasonTooLarge},
		"read by somebody else": {func(r *taker) *http.Request {
			req := r.request(t, "{}")
			_, _ = io.ReadAll(req.Body)
			return req
		}, 500, tenterhook.ReasonConsumed},
	} {
		r := newTaker(t, tenterhook.ReceiverOptions{MaxBody: 1000}, nil)
		answer := serveRequest(r, c.request(r))
		if answer.Code != c.status || len(r.events) != 0 {
			t.Errorf("%s: %d, %d events; want %d and none", name, answer.Code, len(r.events), c.status)
		}
		rejection := <-r.rejected
		if rejection.Reason != c.reason || rejection.Status != c.status || rejection.Peer != "192.0.2.1" || rejection.Source != "github" {
			t.Errorf("%s: %+v, want %s", name, rejection, c.reason)
		}
		if text := answer.Body.String(); strings.Contains(text, c.reason) || strings.Contains(text, rejection.Detail) {
			t.Errorf("%s: the sender is told why: %s", name, text)
		}
		if (answer.Header().Get("Allow") == "POST") != (c.status == 405) {
			t.Errorf("%s: Allow is %q", name, answer.Header().Get("Allow"))
		}
	}
}

func TestReceiverTakesTheLargestBody(t *testing.T) {
	t.Parallel()
	r := newTaker(t, tenterhook.ReceiverOptions{MaxBody: 1000}, nil)
	for _, n := range []int{0, 1, 999, 1000} {
		req := r.request(t, strings.Repeat("x", n))
		if n%2 == 1 {
			req.ContentLength = -1
		}
		if answer := serveRequest(r, req); answer.Code != 200 || len((<-r.events).Body) != n {
			t.Errorf("%d bytes: %d", n, answer.Code)
		}
	}
}

// Who could not take an event asks for it again, and says why to its operator
// only.
func TestReceiverAsksAgainForWhatIsNotTaken(t *testing.T) {
	t.Parallel()
	r := newTaker(t, tenterhook.ReceiverOptions{}, func(context.Context, *tenterhook.Event) error {
		return errors.New("insert event: disk full")
	})
	answer := serveRequest(r, r.request(t, "{}"))
	if answer.Code != 503 || answer.Header().Get("Retry-After") == "" || strings.Contains(answer.Body.String(), "disk") {
		t.Errorf("%d %v %s", answer.Code, answer.Header(), answer.Body)
	}
	rejection := <-r.rejected
	if rejection.Reason != tenterhook.ReasonFailed || rejection.Detail != "insert event: disk full" || rejection.DeliveryID != "guid" ||
		rejection.Size != 2 || rejection.BodySHA256 != sum([]byte("{}")) {
		t.Errorf("%+v", rejection)
	}
}

type key struct{}

// The function gets the context of the request: its values, and its end.
func TestReceiverPassesTheContextOn(t *testing.T) {
	t.Parallel()
	r := newTaker(t, tenterhook.ReceiverOptions{}, func(ctx context.Context, _ *tenterhook.Event) error {
		if ctx.Value(key{}) != "value" {
			return errors.New("no value")
		}
		return ctx.Err()
	})
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	if answer := serveRequest(r, r.request(t, "{}").WithContext(ctx)); answer.Code != 200 {
		t.Errorf("%d: %+v", answer.Code, <-r.rejected)
	}
	cancel()
	if answer := serveRequest(r, r.request(t, "{}").WithContext(ctx)); answer.Code == 200 {
		t.Error("taken after the sender had gone")
	}
}

// After a panic nothing is acknowledged, and the Receiver goes on.
func TestReceiverSurvivesAPanic(t *testing.T) {
	t.Parallel()
	var fine atomic.Bool
	r := newTaker(t, tenterhook.ReceiverOptions{InFlight: 10}, func(context.Context, *tenterhook.Event) error {
		if !fine.Load() {
			panic(http.ErrAbortHandler) // as any other, but net/http does not log it
		}
		return nil
	})
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	for range 5 {
		resp, err := server.Client().Do(r.request(t, "12345678", hooktest.WithURL(server.URL)))
		if err == nil {
			resp.Body.Close()
			t.Fatalf("answered %d", resp.StatusCode)
		}
	}
	fine.Store(true)
	resp, err := server.Client().Do(r.request(t, "12345678", hooktest.WithURL(server.URL)))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("%d after panics: the memory of their bodies was not given back", resp.StatusCode)
	}
}

// A body that is cut off is never taken, wherever that happens.
func TestReceiverTakesNoTruncatedBody(t *testing.T) {
	t.Parallel()
	r := newTaker(t, tenterhook.ReceiverOptions{}, nil)
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	var whole bytes.Buffer
	if err := r.request(t, `{"a":1}`, hooktest.WithURL(server.URL)).Write(&whole); err != nil {
		t.Fatal(err)
	}
	for cut := whole.Len() - len(`{"a":1}`); cut <= whole.Len(); cut++ {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write(whole.Bytes()[:cut])
		_ = conn.(*net.TCPConn).CloseWrite()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		conn.Close()
		want := http.StatusBadRequest
		if cut == whole.Len() {
			want = http.StatusOK
		}
		if resp.StatusCode != want {
			t.Errorf("cut to %d of %d bytes: %d, want %d", cut, whole.Len(), resp.StatusCode, want)
		}
	}
	for len(r.rejected) > 0 {
		if rejection := <-r.rejected; rejection.Reason != tenterhook.ReasonCutOff {
			t.Errorf("%+v", rejection)
		}
	}
	if len(r.events) != 1 {
		t.Errorf("%d events", len(r.events))
	}
}

// Memory for bodies is bounded however many come at once.
func TestReceiverBoundsBytesInFlight(t *testing.T) {
	t.Parallel()
	hold, inside := make(chan struct{}), make(chan struct{}, 20)
	r := newTaker(t, tenterhook.ReceiverOptions{InFlight: 1000}, func(context.Context, *tenterhook.Event) error {
		inside <- struct{}{}
		<-hold
		return nil
	})
	statuses := make(chan int, 4)
	var senders sync.WaitGroup
	send := func() { statuses <- serveRequest(r, r.request(t, strings.Repeat("x", 400))).Code }
	senders.Go(send)
	senders.Go(send)
	<-inside
	<-inside
	send()
	if status := <-statuses; status != 503 {
		t.Errorf("%d with 800 of 1000 bytes held, want 503", status)
	}
	if rejection := <-r.rejected; rejection.Reason != tenterhook.ReasonBusy {
		t.Errorf("%+v", rejection)
	}
	close(hold)
	senders.Wait()
	send()
	for range 3 {
		if status := <-statuses; status != 200 {
			t.Errorf("%d, want 200", status)
		}
	}
}

func TestReceiverFailsClosed(t *testing.T) {
	t.Parallel()
	keys := hooktest.Keys(t, signature.GitHub)
	take := func(context.Context, *tenterhook.Event) error { return nil }
	malformed, err := signature.NewKeys("no base64")
	if err != nil {
		t.Fatal(err)
	}
	for want, err := range map[string]error{
		"make receiver: there is no scheme":         makeReceiver(nil, keys, take, nil),
		"make receiver: no secret is given":         makeReceiver(signature.GitHub, signature.Keys{}, take, nil),
		"make receiver: secret 1: it is not base64": makeReceiver(signature.StandardWebhooks, malformed, take, nil),
		"make receiver: there is no function":       makeReceiver(signature.GitHub, keys, nil, nil),
		"make receiver: MaxBody and InFlight must not": makeReceiver(signature.GitHub, keys, take,
			&tenterhook.ReceiverOptions{MaxBody: -1}),
		"make receiver: URL is not a whole one": makeReceiver(signature.GitHub, keys, take,
			&tenterhook.ReceiverOptions{URL: "hooks.example.com"}),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func makeReceiver(
	s *signature.Scheme, keys signature.Keys, take func(context.Context, *tenterhook.Event) error, opts *tenterhook.ReceiverOptions,
) error {
	_, err := tenterhook.NewReceiver(s, keys, take, opts)
	return err
}

func TestReceiverChangesKeys(t *testing.T) {
	t.Parallel()
	r := newTaker(t, tenterhook.ReceiverOptions{}, nil)
	before, after := r.request(t, "{}"), hooktest.Keys(t, signature.GitHub)
	if err := r.SetKeys(signature.Keys{}); err == nil {
		t.Error("no keys are keys")
	}
	if err := r.SetKeys(after); err != nil {
		t.Fatal(err)
	}
	if status := serveRequest(r, before).Code; status != 401 {
		t.Errorf("the old secret: %d", status)
	}
	if status := serveRequest(r, hooktest.Request(t, signature.GitHub, after, nil)).Code; status != 200 {
		t.Errorf("the new secret: %d", status)
	}
}

// signsURL is a scheme that signs where it posts to.
func signsURL(t *testing.T) *signature.Scheme {
	t.Helper()
	s, err := signature.New(signature.Spec{
		Name: "urls", Sign: "{url}{body}", Read: []signature.Read{{From: "x-signature", Pattern: "{sig}"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReceiverKnowsTheURLThatWasSigned(t *testing.T) {
	t.Parallel()
	s := signsURL(t)
	keys := hooktest.Keys(t, s)
	take := func(context.Context, *tenterhook.Event) error { return nil }
	direct, err := tenterhook.NewReceiver(s, keys, take, nil)
	if err != nil {
		t.Fatal(err)
	}
	proxied, err := tenterhook.NewReceiver(s, keys, take, &tenterhook.ReceiverOptions{URL: "https://hooks.example.com/in"})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", direct))
	mux.Handle("/internal", proxied)
	server, secure := httptest.NewServer(mux), httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(secure.Close)
	for _, c := range []struct {
		signed, sent string
		status       int
	}{
		{server.URL + "/api/x%2Fy?b=1&a=%20", "", 200},
		{secure.URL + "/api/x?a", "", 200},
		{"https://hooks.example.com/in?a=b", server.URL + "/internal?a=b", 200},
		{"https://hooks.example.com/in?a=b", server.URL + "/internal?a=c", 401},
		{server.URL + "/internal", "", 401},
		{"https://hooks.example.com/api/", server.URL + "/api/", 401},
	} {
		req := hooktest.Request(t, s, keys, []byte("{}"), hooktest.WithURL(c.signed))
		if c.sent != "" {
			moved, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.sent, req.Body)
			if err != nil {
				t.Fatal(err)
			}
			moved.Header = req.Header
			req = moved
		}
		resp, err := secure.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("signed for %s, sent to %s: %d, want %d", c.signed, c.sent, resp.StatusCode, c.status)
		}
	}
	if answer := serveRequest(direct, hooktest.Request(t, s, keys, nil, hooktest.WithURL("https://a.example/b?c"))); answer.Code != 200 {
		t.Errorf("without a server: %d", answer.Code)
	}
}

// Whoever asks for nothing finds refusals in the program's log, and strangers
// cannot fill it.
//
//nolint:paralleltest // because the log is the program's
func TestReceiverLogsRefusals(t *testing.T) {
	var out syncBuffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	defer slog.SetDefault(before)
	at := time.Unix(1780000000, 0)
	keys := hooktest.Keys(t, signature.GitHub)
	take := func(context.Context, *tenterhook.Event) error { return nil }
	r, err := tenterhook.NewReceiver(signature.GitHub, keys, take,
		&tenterhook.ReceiverOptions{Source: "repository", Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		serveRequest(r, httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}")))
	}
	log := string(out.Bytes())
	if n := strings.Count(log, "\n"); n != 10 || !strings.Contains(log, `msg="webhook refused" source=repository status=401 reason=missing_signature`) {
		t.Errorf("%d lines of 10:\n%s", n, log)
	}
}

// Handshakes are answered as the provider wants it, and so are events.
func TestReceiverSpeaksTheProvidersLanguage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		scheme string
		opts   []hooktest.Option
		body   string
		status int
		answer string // "" is ours
	}{
		"Slack's challenge":       {"slack", nil, `{"type":"url_verification","challenge":"abc"}`, 200, "abc"},
		"Slack's, not Slack's":    {"slack", []hooktest.Option{hooktest.WithTampering(hooktest.TamperSecret)}, `{"type":"url_verification","challenge":"abc"}`, 401, ""},
		"Discord's ping":          {"discord", nil, `{"type":1}`, 200, `{"type":1}`},
		"Discord's, unsigned":     {"discord", []hooktest.Option{hooktest.WithTampering(hooktest.TamperHeader)}, `{"type":1}`, 401, ""},
		"an event of Slack's":     {"slack", nil, `{"type":"event_callback","event_id":"Ev1"}`, 200, ""},
		"a refusal of GoCardless": {"gocardless", []hooktest.Option{hooktest.WithTampering(hooktest.TamperBody)}, `{"a":"b"}`, 498, ""},
	} {
		s, ok := signature.Lookup(c.scheme)
		if !ok {
			t.Fatalf("no scheme %s", c.scheme)
		}
		keys := hooktest.Keys(t, s)
		taken := 0
		r, err := tenterhook.NewReceiver(s, keys, func(context.Context, *tenterhook.Event) error {
			taken++
			return nil
		}, &tenterhook.ReceiverOptions{Rejected: func(context.Context, tenterhook.Rejection) {}})
		if err != nil {
			t.Fatal(err)
		}
		answer := serveRequest(r, hooktest.Request(t, s, keys, []byte(c.body), c.opts...))
		if answer.Code != c.status || c.answer != "" && answer.Body.String() != c.answer {
			t.Errorf("%s: %d %s, want %d %s", name, answer.Code, answer.Body, c.status, c.answer)
		}
		if isEvent := strings.Contains(name, "event"); (taken == 1) != isEvent {
			t.Errorf("%s: taken %d times", name, taken)
		}
	}
}

// The secret that Asana chooses is echoed, kept, and used; later ones are not.
func TestReceiverLearnsTheSecret(t *testing.T) {
	t.Parallel()
	s, ok := signature.Lookup("asana")
	if !ok {
		t.Fatal("no scheme asana")
	}
	var kept []string
	r, err := tenterhook.NewReceiver(s, signature.Keys{}, func(context.Context, *tenterhook.Event) error { return nil },
		&tenterhook.ReceiverOptions{
			KeepSecret: func(_ context.Context, secret string) error {
				kept = append(kept, secret)
				return nil
			},
			Rejected: func(_ context.Context, rejection tenterhook.Rejection) {
				if strings.Contains(rejection.Detail, "abc") {
					t.Errorf("the secret is shown: %+v", rejection)
				}
			},
		})
	if err != nil {
		t.Fatal(err)
	}
	for i, secret := range []string{"abcdef0123456789abcdef0123456789", "abc-of-a-stranger-0123456789abcd"} {
		req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
		req.Header.Set("X-Hook-Secret", secret)
		answer := serveRequest(r, req)
		if (answer.Code == 200) != (i == 0) || (answer.Header().Get("X-Hook-Secret") == secret) != (i == 0) {
			t.Errorf("secret %d: %d %v", i, answer.Code, answer.Header())
		}
		keys, err := signature.NewKeys(secret)
		if err != nil {
			t.Fatal(err)
		}
		if status := serveRequest(r, hooktest.Request(t, s, keys, []byte(`{"events":[]}`))).Code; (status == 200) != (i == 0) {
			t.Errorf("event with secret %d: %d", i, status)
		}
	}
	if len(kept) != 1 {
		t.Errorf("kept %d secrets, want the first", len(kept))
	}
}

// A provider that must GET before it posts is not sent away, and is told what
// else there is.
func TestReceiverAnswersHandshakesByGET(t *testing.T) {
	t.Parallel()
	meta, ok := signature.Lookup("meta")
	if !ok {
		t.Fatal("no scheme meta")
	}
	s, err := meta.With(signature.Options{Settings: map[string]string{meta.Settings()[0].Name: "mine"}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := tenterhook.NewReceiver(s, hooktest.Keys(t, s), func(context.Context, *tenterhook.Event) error { return nil },
		&tenterhook.ReceiverOptions{Rejected: func(context.Context, tenterhook.Rejection) {}})
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"?hub.mode=subscribe&hub.verify_token=mine&hub.challenge=123":  "200 123",
		"?hub.mode=subscribe&hub.verify_token=yours&hub.challenge=123": "403 {\"status\":\"error\",\"error\":\"Forbidden\"}\n",
		"": "405 {\"status\":\"error\",\"error\":\"Method Not Allowed\"}\n",
	} {
		answer := serveRequest(r, httptest.NewRequest(http.MethodGet, "/"+query, nil))
		if got := fmt.Sprintf("%d %s", answer.Code, answer.Body); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
		if allow := answer.Header().Get("Allow"); answer.Code == 405 && allow != "POST, GET" {
			t.Errorf("Allow: %s", allow)
		}
	}
}

// Whatever strangers send, nothing is taken that nobody signed, and nothing
// panics.
func FuzzReceiver(f *testing.F) {
	f.Add("POST", "/webhook?a=b", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", []byte("{}"))
	f.Add("GET", "/?hub.challenge=x", "", []byte{})
	r := newTaker(f, tenterhook.ReceiverOptions{MaxBody: 1000}, nil)
	standard, err := tenterhook.NewReceiver(signature.StandardWebhooks, hooktest.Keys(f, signature.StandardWebhooks),
		func(context.Context, *tenterhook.Event) error { panic("taken") },
		&tenterhook.ReceiverOptions{Rejected: func(context.Context, tenterhook.Rejection) {}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, target, value string, body []byte) {
		text := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: %s\r\nWebhook-Id: %[3]s\r\nWebhook-Signature: %[3]s\r\n"+
			"Content-Length: %[4]d\r\n\r\n%[5]s", method, target, value, len(body), body)
		for _, handler := range []http.Handler{r, standard} {
			req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
			if err != nil {
				return
			}
			if answer := serveRequest(handler, req); answer.Code < 400 {
				t.Fatalf("%d", answer.Code)
			}
		}
		<-r.rejected
	})
}

func BenchmarkReceiver(b *testing.B) {
	keys := hooktest.Keys(b, signature.GitHub)
	r, err := tenterhook.NewReceiver(signature.GitHub, keys, func(context.Context, *tenterhook.Event) error { return nil }, nil)
	if err != nil {
		b.Fatal(err)
	}
	body := bytes.Repeat([]byte("x"), 1<<10)
	req := hooktest.Request(b, signature.GitHub, keys, body)
	b.ReportAllocs()
	for b.Loop() {
		req.Body = io.NopCloser(bytes.NewReader(body))
		if answer := serveRequest(r, req); answer.Code != 200 {
			b.Fatal(answer.Code)
		}
	}
}
