package tenterhook_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/hooktest"
	"github.com/tenterhook/tenterhook/signature"
	"github.com/tenterhook/tenterhook/signature/extra"
)

// loopback is what a Sender of these tests may reach besides the internet.
func loopback() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

// atOnce retries without a wait, n attempts in all.
func atOnce(n int) tenterhook.Backoff {
	return tenterhook.Backoff{Schedule: make([]time.Duration, n), NoJitter: true}
}

func newSender(t *testing.T, opts tenterhook.SenderOptions) *tenterhook.Sender {
	t.Helper()
	if opts.Keys.Len() == 0 && !opts.Unsigned {
		opts.Keys = hooktest.Keys(t, signature.StandardWebhooks)
	}
	s, err := tenterhook.NewSender(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.CloseIdleConnections)
	return s
}

func event(body string) *tenterhook.Event { return &tenterhook.Event{Body: []byte(body)} }

// transportFunc is a network of a test, without one.
type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func answering(status int, header http.Header) *http.Response {
	return &http.Response{StatusCode: status, Header: header, Body: http.NoBody}
}

// A receiver that fails twice gets the event with the same id and the same bytes,
// each time signed anew.
func TestSenderTriesAgain(t *testing.T) {
	t.Parallel()
	keys := hooktest.Keys(t, signature.StandardWebhooks)
	r := hooktest.NewReceiver(t)
	r.Verify(signature.StandardWebhooks, keys)
	r.Next(hooktest.Status(http.StatusServiceUnavailable), hooktest.Reset())
	now := time.Now().Add(-time.Minute)
	s := newSender(t, tenterhook.SenderOptions{
		Keys: keys, Allow: loopback(), Backoff: atOnce(5),
		Now: func() time.Time { now = now.Add(time.Second); return now },
	})
	result, err := s.Send(t.Context(), r.URL()+"/hooks?a=b", event(`{"status": "success"}`))
	if err != nil {
		t.Fatal(err)
	}
	var outcomes []tenterhook.Outcome
	for i, a := range result.Attempts {
		outcomes = append(outcomes, a.Outcome)
		if a.ID.AttemptNumber() != i+1 || (a.Error == "") != (a.Outcome == tenterhook.OutcomeSuccess) || a.StartedAt.IsZero() {
			t.Errorf("attempt %d: %+v", i+1, a)
		}
	}
	want := []tenterhook.Outcome{tenterhook.OutcomeRetry, tenterhook.OutcomeUnknown, tenterhook.OutcomeSuccess}
	if len(outcomes) != 3 || [3]tenterhook.Outcome(outcomes) != [3]tenterhook.Outcome(want) || result.Outcome != tenterhook.OutcomeSuccess {
		t.Errorf("outcomes are %v, want %v", outcomes, want)
	}
	got := r.Wait(3)
	times := make(map[string]bool)
	for _, request := range got {
		times[request.Header.Get("Webhook-Timestamp")] = true
		if request.Refused != nil || request.Result.DeliveryID != result.ID || string(request.Body) != `{"status": "success"}` ||
			request.Header.Get("Content-Type") != "application/json" || !strings.HasSuffix(request.URL, "/hooks?a=b") {
			t.Errorf("request: %+v", request)
		}
	}
	if len(got) != 3 || len(times) != 3 {
		t.Errorf("%d requests with %d times", len(got), len(times))
	}
	if _, err := tenterhook.ParseID(result.ID); err != nil {
		t.Error(err)
	}
}

// Every scheme that can sign can be sent with, and what arrives verifies.
func TestSenderSignsAsEveryScheme(t *testing.T) {
	t.Parallel()
	sent := 0
	for _, scheme := range extra.Schemes() {
		settings := make(map[string]string)
		for _, setting := range scheme.Settings() {
			settings[setting.Name] = "1JE4291016473214C"
		}
		scheme, err := scheme.With(signature.Options{Settings: settings})
		if err != nil {
			t.Fatal(err)
		}
		keys := hooktest.Keys(t, scheme)
		body := `{"type":"a.b","id":"1","data":{}}`
		probe := &signature.Request{Method: "POST", URL: "http://127.0.0.1/", Header: http.Header{}, Body: []byte(body)}
		if err := scheme.Sign(probe, keys, signature.SignOptions{ID: "1", Time: time.Now()}); err != nil {
			continue // for want of a private key, or a place in the body
		}
		sent++
		t.Run(scheme.Name(), func(t *testing.T) {
			t.Parallel()
			r := hooktest.NewReceiver(t)
			r.Verify(scheme, keys)
			s := newSender(t, tenterhook.SenderOptions{Scheme: scheme, Keys: keys, Allow: loopback(), Backoff: atOnce(1)})
			if _, err := s.Send(t.Context(), r.URL()+"/a", event(body)); err != nil {
				t.Errorf("%v: %v", err, r.Wait(1)[0].Refused)
			}
		})
	}
	if sent < 150 {
		t.Errorf("only %d schemes can sign", sent)
	}
}

// The type and the id are where the scheme has them.
func TestSenderAsGitHub(t *testing.T) {
	t.Parallel()
	keys := hooktest.Keys(t, signature.GitHub)
	r := hooktest.NewReceiver(t)
	r.Verify(signature.GitHub, keys)
	s := newSender(t, tenterhook.SenderOptions{Scheme: signature.GitHub, Keys: keys, Allow: loopback(), Header: http.Header{"x-team": {"a", "b"}}})
	result, err := s.Send(t.Context(), r.URL(), &tenterhook.Event{
		Type: "issues.opened", DeliveryID: "72d3162e-cc78-11e3", Body: []byte(`{"action":"opened"}`),
		Header: http.Header{"Content-Type": {"application/vnd.x+json"}, "X-Other": {"stays"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := r.Wait(1)[0]
	if got.Result.Type != "issues" || got.Result.Subtype != "opened" || got.Result.DeliveryID != "72d3162e-cc78-11e3" ||
		result.ID != "72d3162e-cc78-11e3" || got.Header.Get("Webhook-Id") != result.ID {
		t.Errorf("%+v, id %q", got.Result, result.ID)
	}
	if got.Header.Get("Content-Type") != "application/vnd.x+json" || got.Header.Get("X-Other") != "" || len(got.Header["X-Team"]) != 2 {
		t.Errorf("header: %v", got.Header)
	}
}

func TestSenderUnsigned(t *testing.T) {
	t.Parallel()
	r := hooktest.NewReceiver(t)
	s := newSender(t, tenterhook.SenderOptions{Unsigned: true, Allow: loopback()})
	id := tenterhook.NewIDs(nil).New()
	if _, err := s.Send(t.Context(), r.URL(), &tenterhook.Event{ID: id, DeliveryID: "other", Body: []byte("a=b\x00")}); err != nil {
		t.Fatal(err)
	}
	got := r.Wait(1)[0].Header
	if got.Get("Webhook-Id") != id.String() || got.Get("Webhook-Timestamp") == "" || got.Get("Webhook-Signature") != "" ||
		got.Get("Content-Type") != "application/octet-stream" || got.Get("User-Agent") != "tenterhook" {
		t.Errorf("header: %v", got)
	}
}

// What each status means, with and without RetryAll.
func TestSenderStatuses(t *testing.T) {
	t.Parallel()
	for status := 100; status <= 599; status++ {
		for _, all := range []bool{false, true} {
			requests := 0
			s := newSender(t, tenterhook.SenderOptions{
				Backoff: atOnce(2), RetryAll: all, Transport: transportFunc(func(*http.Request) (*http.Response, error) {
					requests++
					return answering(status, http.Header{"Location": {"https://elsewhere.example/"}}), nil
				}),
			})
			result, err := s.Send(t.Context(), "https://hooks.example.com/", event("{}"))
			want := tenterhook.OutcomeRefused
			switch {
			case status/100 == 2:
				want = tenterhook.OutcomeSuccess
			case status >= 500 || status == 408 || status == 425 || status == 429 || all && status != 410:
				want = tenterhook.OutcomeRetry
			}
			tries := 1
			if want == tenterhook.OutcomeRetry {
				tries = 2
			}
			if result.Outcome != want || (err == nil) != (want == tenterhook.OutcomeSuccess) || requests != tries {
				t.Errorf("%d, all %v: %v after %d requests, %v", status, all, result.Outcome, requests, err)
			}
		}
	}
}

// waits sends with the answers, the last of them again and again, in a bubble with
// a clock of its own, and returns how long after the first each attempt was made.
func waits(t *testing.T, opts tenterhook.SenderOptions, answers ...func() *http.Response) (at []time.Duration, took time.Duration, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		opts.Transport = transportFunc(func(*http.Request) (*http.Response, error) {
			at = append(at, time.Since(begun))
			return answers[min(len(at), len(answers))-1](), nil
		})
		opts.Keys = hooktest.Keys(t, signature.StandardWebhooks)
		s, newErr := tenterhook.NewSender(opts)
		if newErr != nil {
			t.Error(newErr)
			return
		}
		_, err = s.Send(t.Context(), "https://hooks.example.com/", event("{}"))
		took = time.Since(begun)
	})
	return at, took, err
}

func retryAfter(value string) func() *http.Response {
	return func() *http.Response {
		return answering(http.StatusTooManyRequests, http.Header{"Retry-After": {value}})
	}
}

func unavailable() *http.Response { return answering(http.StatusServiceUnavailable, nil) }

func seconds(list ...int) string {
	texts := make([]string, len(list))
	for i, n := range list {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, " ")
}

func inSeconds(at []time.Duration) string {
	texts := make([]int, len(at))
	for i, d := range at {
		texts[i] = int(d / time.Second)
	}
	return seconds(texts...)
}

// When attempts are made, by the clock.
func TestSenderWaits(t *testing.T) {
	t.Parallel()
	synctestStart := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // the clock of a bubble begins here
	ok := func() *http.Response { return answering(http.StatusNoContent, nil) }
	exactly := tenterhook.Backoff{Schedule: []time.Duration{0, time.Second, 2 * time.Second, 4 * time.Second}, NoJitter: true}
	tests := map[string]struct {
		opts    tenterhook.SenderOptions
		answers []func() *http.Response
		at      string
		took    time.Duration
		err     string // empty if it is to arrive
	}{
		"at once": {answers: []func() *http.Response{ok}, at: "0"},
		"as planned": {
			opts: tenterhook.SenderOptions{Backoff: exactly}, answers: []func() *http.Response{unavailable}, at: "0 1 3 7",
			took: 7 * time.Second, err: "send to hooks.example.com, 4 attempts: answered 503 Service Unavailable",
		},
		"no time for another": {
			opts: tenterhook.SenderOptions{Backoff: exactly, MaxTime: 5 * time.Second}, answers: []func() *http.Response{unavailable},
			at: "0 1 3", took: 3 * time.Second, err: "503 Service Unavailable; the time for all attempts is over",
		},
		"Retry-After in seconds": {answers: []func() *http.Response{retryAfter("40"), ok}, at: "0 40", took: 40 * time.Second},
		"Retry-After as a date": {
			answers: []func() *http.Response{retryAfter(synctestStart.Add(90 * time.Second).Format(http.TimeFormat)), ok},
			at:      "0 90", took: 90 * time.Second,
		},
		"Retry-After is less than planned": {
			opts: tenterhook.SenderOptions{Backoff: exactly}, answers: []func() *http.Response{retryAfter("0"), retryAfter("1"), ok},
			at: "0 1 3", took: 3 * time.Second,
		},
		"Retry-After is later than the end": {
			answers: []func() *http.Response{unavailable, retryAfter("7200")}, at: "0 -", took: -1,
			err: "429 Too Many Requests; it asks to wait 2h0m0s, and 2m0s are left",
		},
		"Retry-After of a year": {
			opts: tenterhook.SenderOptions{MaxTime: 48 * time.Hour}, answers: []func() *http.Response{retryAfter("31536000"), ok},
			at: seconds(0, 24*60*60), took: 24 * time.Hour,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, took, err := waits(t, test.opts, test.answers...)
			if test.took >= 0 && (inSeconds(at) != test.at || took != test.took) {
				t.Errorf("attempts at %s s, and over after %v; want %s and %v", inSeconds(at), took, test.at, test.took)
			}
			switch {
			case test.err == "" && err != nil:
				t.Error(err)
			case test.err != "" && (err == nil || !strings.Contains(strings.Replace(err.Error(), "1m59s", "2m0s", 1), test.err)):
				t.Errorf("error: %v, want %q", err, test.err)
			}
		})
	}
}

// By default attempts are made until the end, ever further apart, and waits are
// drawn from all that is below the planned ones.
func TestSenderDefaultWaits(t *testing.T) {
	t.Parallel()
	planned := []int{1, 2, 4, 8, 16, 30, 30, 30}
	for range 50 {
		at, took, err := waits(t, tenterhook.SenderOptions{}, unavailable)
		if err == nil || took > tenterhook.DefaultMaxTime || took < tenterhook.DefaultMaxTime-30*time.Second || len(at) < 8 {
			t.Fatalf("%d attempts in %v, %v", len(at), took, err)
		}
		for i := range min(len(planned), len(at)-1) {
			if wait := at[i+1] - at[i]; wait.Seconds() > float64(planned[i]) {
				t.Errorf("wait %d is %v, planned are %d s", i+1, wait, planned[i])
			}
		}
	}
}

// A receiver can misbehave in these ways; what became of the event is told
// rightly, and in time.
func TestSenderOutcomes(t *testing.T) {
	t.Parallel()
	const brief = 100 * time.Millisecond
	tests := map[string]struct {
		answer  hooktest.Answer
		timeout time.Duration
		outcome tenterhook.Outcome
		err     string
	}{
		"reset":              {hooktest.Reset(), 0, tenterhook.OutcomeUnknown, "it may have arrived: "},
		"hang":               {hooktest.Hang(), brief, tenterhook.OutcomeUnknown, "no answer within 100ms"},
		"dripping head":      {hooktest.Drip(20 * time.Millisecond), brief, tenterhook.OutcomeUnknown, "no answer within 100ms"},
		"endless body":       {hooktest.Endless(), 0, tenterhook.OutcomeSuccess, ""},
		"body cut off":       {hooktest.ResetAnswering(), 0, tenterhook.OutcomeSuccess, ""},
		"reset when reading": {hooktest.ResetReading(1), 0, tenterhook.OutcomeUnknown, "it may have arrived"},
		"redirect": {
			hooktest.Redirect(http.StatusTemporaryRedirect, "http://169.254.169.254/"), 0, tenterhook.OutcomeRefused,
			"answered 307 Temporary Redirect, and redirects are not followed",
		},
		"huge head": {
			hooktest.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Huge", strings.Repeat("a", 128<<10))
			})),
			0, tenterhook.OutcomeUnknown, "",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := hooktest.NewReceiver(t)
			r.Always(test.answer)
			s := newSender(t, tenterhook.SenderOptions{Allow: loopback(), Backoff: atOnce(1), AttemptTimeout: test.timeout})
			result, err := s.Send(t.Context(), r.URL(), event(strings.Repeat("a", 4<<10)))
			if result.Outcome != test.outcome || len(result.Attempts) != 1 || len(result.Last().Response) > 4<<10 {
				t.Errorf("%v, %v", result.Outcome, err)
			}
			var failed *tenterhook.SendError
			if (err == nil) != (test.outcome == tenterhook.OutcomeSuccess) || err != nil && (!errors.As(err, &failed) ||
				!strings.Contains(err.Error(), test.err) || failed.Result.Outcome != result.Outcome) {
				t.Errorf("error: %v", err)
			}
			if n := len(r.Requests()); n > 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// Who answers 200 before the request was sent cannot have taken it.
func TestSenderEarlyAnswer(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	t.Cleanup(func() { _ = listener.Close(); served.Wait() })
	served.Go(func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		in := bufio.NewReader(conn)
		for line := "-"; strings.TrimSpace(line) != ""; { // the head, and nothing of the body
			if line, err = in.ReadString('\n'); err != nil {
				return
			}
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	s := newSender(t, tenterhook.SenderOptions{Allow: loopback(), Backoff: atOnce(1)})
	result, err := s.Send(t.Context(), "http://"+listener.Addr().String(), event(strings.Repeat("a", 32<<20)))
	if result.Outcome == tenterhook.OutcomeSuccess || err == nil {
		t.Errorf("%v, %v", result.Outcome, err)
	}
}

// Without leave a Sender reaches public addresses only, whatever the URL looks
// like, and these only with TLS.
func TestSenderGuard(t *testing.T) {
	t.Parallel()
	var conns atomic.Int32
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s := newSender(t, tenterhook.SenderOptions{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}})
	for _, host := range []string{
		"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "169.254.169.254", "168.63.129.16", "10.0.0.1",
		"100.100.100.200", "[fd00:ec2::254]", "[64:ff9b::7f00:1]", "93.184.216.34",
	} {
		for _, scheme := range []string{"http", "HTTP", "https"} {
			if host == "93.184.216.34" && scheme == "https" {
				continue // a public address
			}
			result, err := s.Send(t.Context(), scheme+"://"+host+":"+port+"/secret-path", event("{}"))
			if !errors.Is(err, tenterhook.ErrBlocked) || result.Outcome != tenterhook.OutcomeRefused || len(result.Attempts) != 1 ||
				strings.Contains(err.Error(), "secret-path") {
				t.Errorf("%s://%s: %v, %v", scheme, host, result.Outcome, err)
			}
		}
	}
	if n := conns.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

// The environment does not choose where requests go.
func TestSenderIgnoresProxies(t *testing.T) { //nolint:paralleltest // it sets variables of the environment
	proxy := hooktest.NewReceiver(t)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, proxy.URL())
	}
	r := hooktest.NewReceiver(t)
	s := newSender(t, tenterhook.SenderOptions{Allow: loopback()})
	if _, err := s.Send(t.Context(), r.URL(), event("{}")); err != nil {
		t.Error(err)
	}
	if n := len(proxy.Requests()); n != 0 {
		t.Errorf("%d requests went to the proxy", n)
	}
}

func TestSenderTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	s := newSender(t, tenterhook.SenderOptions{Allow: loopback(), RootCAs: roots})
	result, err := s.Send(t.Context(), server.URL, event("{}"))
	if err != nil || string(result.Last().Response) != "HTTP/2.0" {
		t.Errorf("%v, %q", err, result.Last().Response)
	}
	s = newSender(t, tenterhook.SenderOptions{Allow: loopback(), Backoff: atOnce(2)})
	result, err = s.Send(t.Context(), server.URL, event("{}"))
	if err == nil || result.Outcome != tenterhook.OutcomeRetry || len(result.Attempts) != 2 || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate of nobody: %v, %v", result.Outcome, err)
	}
}

// Who is told of each attempt is told what follows.
func TestSenderReportsAttempts(t *testing.T) {
	t.Parallel()
	var told []string
	opts := tenterhook.SenderOptions{
		Backoff: tenterhook.Backoff{Schedule: []time.Duration{0, time.Second, time.Second}, NoJitter: true},
		Attempted: func(a tenterhook.Attempt, wait time.Duration, again bool) {
			told = append(told, string(a.Outcome)+" "+wait.String()+" "+strconv.FormatBool(again))
		},
	}
	_, _, err := waits(t, opts, unavailable, unavailable, func() *http.Response { return answering(200, nil) })
	if got := strings.Join(told, ", "); err != nil || got != "retry 1s true, retry 1s true, success 0s false" {
		t.Errorf("%v, %s", err, got)
	}
}

// A Send that is not wanted any more ends, in an attempt and in a wait.
func TestSenderCancelled(t *testing.T) {
	t.Parallel()
	errStop := errors.New("stopped by the test")
	r := hooktest.NewReceiver(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	r.Always(hooktest.Handler(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		cancel(errStop)
		<-req.Context().Done()
	})))
	s := newSender(t, tenterhook.SenderOptions{Allow: loopback()})
	if result, err := s.Send(ctx, r.URL(), event("{}")); !errors.Is(err, errStop) || result.Outcome != tenterhook.OutcomeUnknown {
		t.Errorf("in an attempt: %v, %v", result.Outcome, err)
	}

	ctx, cancel = context.WithCancelCause(t.Context())
	s = newSender(t, tenterhook.SenderOptions{
		Backoff:   tenterhook.Backoff{Schedule: []time.Duration{0, time.Minute}, NoJitter: true},
		Transport: transportFunc(func(*http.Request) (*http.Response, error) { return unavailable(), nil }),
		Attempted: func(tenterhook.Attempt, time.Duration, bool) { cancel(errStop) },
	})
	result, err := s.Send(ctx, "https://hooks.example.com/", event("{}"))
	if !errors.Is(err, errStop) || !strings.Contains(err.Error(), "503") || result.Outcome != tenterhook.OutcomeRetry {
		t.Errorf("in a wait: %v, %v", result.Outcome, err)
	}
}

// Nothing is sent that cannot be: the error says why, without the URL.
func TestSenderRefusesToSend(t *testing.T) {
	t.Parallel()
	s := newSender(t, tenterhook.SenderOptions{Transport: transportFunc(func(*http.Request) (*http.Response, error) {
		t.Error("something is sent")
		return nil, io.EOF
	})})
	for address, want := range map[string]string{
		"":                            "not a whole one",
		"hooks.example.com/canary":    "not a whole one",
		"/canary":                     "not a whole one",
		"https://a.example/%zzcanary": "not a whole one",
		"ftp://a.example/canary":      `the scheme of the URL is "ftp"`,
		"file:///etc/canary":          "not a whole one",
		"https:a.example/canary":      "not a whole one",
		"https://u:canary@a.example":  "a user or a password",
		"https://a.example/#canary":   "fragment",
	} {
		result, err := s.Send(t.Context(), address, event("{}"))
		var failed *tenterhook.SendError
		if !errors.As(err, &failed) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") ||
			result.Outcome != tenterhook.OutcomeRefused || len(result.Attempts) != 0 {
			t.Errorf("%q: %v", address, err)
		}
	}
	for name, e := range map[string]*tenterhook.Event{
		"no event": nil, "id": {DeliveryID: "a\nb"}, "long id": {DeliveryID: strings.Repeat("a", 257)},
		"separator in id": {DeliveryID: "a.b"}, "content type": {Header: http.Header{"Content-Type": {"a\nb"}}},
	} {
		if result, err := s.Send(t.Context(), "https://a.example/", e); err == nil || result.Outcome != tenterhook.OutcomeRefused {
			t.Errorf("%s: %v, %v", name, result.Outcome, err)
		}
	}
}

func TestNewSenderRefuses(t *testing.T) {
	t.Parallel()
	keys := hooktest.Keys(t, signature.StandardWebhooks)
	text, err := signature.NewKeys("not of the form")
	if err != nil {
		t.Fatal(err)
	}
	for name, opts := range map[string]tenterhook.SenderOptions{
		"no key":           {},
		"form of the key":  {Keys: text},
		"both":             {Unsigned: true, Keys: keys},
		"both, the scheme": {Unsigned: true, Scheme: signature.GitHub},
		"time":             {Keys: keys, MaxTime: -1},
		"attempt's time":   {Keys: keys, AttemptTimeout: -1},
		"host":             {Keys: keys, Header: http.Header{"Host": {"a.example"}}},
		"signature":        {Keys: keys, Header: http.Header{"webhook-signature": {"a"}}},
		"line":             {Keys: keys, Header: http.Header{"X-A": {"a\r\nb: c"}}},
	} {
		if _, err := tenterhook.NewSender(opts); err == nil || !strings.HasPrefix(err.Error(), "make sender: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
