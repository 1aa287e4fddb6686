package hooktest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/hooktest"
	"github.com/tenterhook/tenterhook/signature"
)

// newClient returns a client that follows no redirects, and leaves nothing
// behind.
func newClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post sends a body and returns the answer, read to its end.
func post(ctx context.Context, client *http.Client, url, body string) (*http.Response, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp, string(answer), err
}

func TestReceiverKeepsWhatCame(t *testing.T) {
	t.Parallel()
	receiver, client := hooktest.NewReceiver(t), newClient(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, receiver.URL()+"/a%2Fb?c=d%20e", strings.NewReader("\x00raw\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "hooks.example.com"
	req.Header.Set("X-One", "1")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	got := receiver.Wait(1)[0]
	if resp.StatusCode != http.StatusOK || got.Method != http.MethodPut || got.URL != receiver.URL()+"/a%2Fb?c=d%20e" ||
		got.Host != "hooks.example.com" || got.Header.Get("X-One") != "1" || string(got.Body) != "\x00raw\r\n" ||
		got.Cut != nil || got.Refused != nil || time.Since(got.At).Abs() > time.Minute {
		t.Errorf("%d %+v", resp.StatusCode, got)
	}
	if _, _, err := post(t.Context(), client, receiver.URL(), ""); err != nil {
		t.Fatal(err)
	}
	client.CloseIdleConnections()
	if _, _, err := post(t.Context(), client, receiver.URL(), ""); err != nil {
		t.Fatal(err)
	}
	all := receiver.Requests()
	if len(all) != 3 || all[0].Conn != 1 || all[1].Conn != 1 || all[2].Conn != 2 {
		t.Errorf("connections of %d requests: %+v", len(all), all)
	}
}

func TestReceiverAnswersInTurn(t *testing.T) {
	t.Parallel()
	receiver, client := hooktest.NewReceiver(t), newClient(t)
	receiver.Always(hooktest.Status(http.StatusGone))
	receiver.Next(hooktest.Status(503), hooktest.RetryAfter(1500*time.Millisecond))
	receiver.Next(hooktest.Redirect(http.StatusTemporaryRedirect, "/elsewhere"))
	var seen []string
	for range 5 {
		resp, _, err := post(t.Context(), client, receiver.URL(), "x")
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, strings.TrimSpace(fmt.Sprint(resp.StatusCode, " ", resp.Header.Get("Retry-After")+resp.Header.Get("Location"))))
	}
	if got, want := strings.Join(seen, ", "), "503, 429 2, 307 /elsewhere, 410, 410"; got != want {
		t.Errorf("answered %s, want %s", got, want)
	}
}

func TestReceiverMisbehaves(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer hooktest.Answer
		check  func(resp *http.Response, body string, err error) bool
	}{
		"slow": {
			hooktest.Slow(time.Millisecond, hooktest.Status(202)),
			func(resp *http.Response, _ string, err error) bool {
				return err == nil && resp.StatusCode == http.StatusAccepted
			},
		},
		"drip": {
			hooktest.Drip(time.Microsecond),
			func(resp *http.Response, body string, err error) bool {
				return err == nil && resp.StatusCode == http.StatusOK && body == `{"status":"ok"}`
			},
		},
		"reset": {
			hooktest.Reset(),
			func(_ *http.Response, _ string, err error) bool {
				return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF)
			},
		},
		"reset while answering": {
			hooktest.ResetAnswering(),
			func(resp *http.Response, _ string, err error) bool {
				return err != nil && (resp == nil || resp.StatusCode == http.StatusOK)
			},
		},
		"reset while reading": {
			hooktest.ResetReading(2),
			func(_ *http.Response, _ string, err error) bool { return err != nil },
		},
		"handler": {
			hooktest.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("own")) })),
			func(_ *http.Response, body string, err error) bool { return err == nil && body == "own" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			receiver, client := hooktest.NewReceiver(t), newClient(t)
			receiver.Next(c.answer)
			resp, body, err := post(t.Context(), client, receiver.URL(), "body")
			if !c.check(resp, body, err) {
				t.Errorf("%v %q %v", resp, body, err)
			}
			got := receiver.Wait(1)[0]
			if name == "reset while reading" && (string(got.Body) != "bo" || got.Cut == nil) {
				t.Errorf("recorded %q, cut %v; want the two bytes that were read", got.Body, got.Cut)
			}
			if resp, _, err := post(t.Context(), client, receiver.URL(), "again"); err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("the next one: %v %v", resp, err)
			}
		})
	}
}

func TestReceiverHangsUntilItIsReleased(t *testing.T) {
	t.Parallel()
	receiver, client := hooktest.NewReceiver(t), newClient(t)
	release := make(chan struct{})
	receiver.Always(hooktest.Until(release, hooktest.Status(204)))
	statuses := make(chan int, 2)
	for range cap(statuses) {
		go func() {
			resp, _, err := post(t.Context(), client, receiver.URL(), "")
			if err != nil {
				statuses <- -1
				return
			}
			statuses <- resp.StatusCode
		}()
	}
	receiver.Wait(2)
	select {
	case status := <-statuses:
		t.Errorf("%d was answered before it was released", status)
	default:
	}
	close(release)
	for range cap(statuses) {
		if status := <-statuses; status != 204 {
			t.Errorf("%d, want 204", status)
		}
	}
}

// A sender that gives up frees what hangs, and Close frees the rest.
func TestReceiverLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	receiver, client := hooktest.NewReceiver(t), newClient(t)
	answers := []hooktest.Answer{
		hooktest.Hang(), hooktest.Slow(time.Hour, hooktest.Status(200)), hooktest.Until(nil, hooktest.Status(200)),
		hooktest.Drip(time.Hour),
	}
	receiver.Next(append(answers, answers...)...)
	var senders sync.WaitGroup
	ctx, giveUp := context.WithCancel(t.Context())
	for _, ctx := range []context.Context{ctx, t.Context()} {
		for range answers {
			senders.Go(func() {
				if resp, _, err := post(ctx, client, receiver.URL(), "x"); err == nil {
					t.Errorf("%d was answered", resp.StatusCode)
				}
			})
		}
	}
	receiver.Wait(2 * len(answers))
	giveUp()
	receiver.Close()
	receiver.Close()
	senders.Wait()
	if n := len(receiver.Requests()); n != 2*len(answers) {
		t.Errorf("%d requests are left after Close", n)
	}
	if _, _, err := post(t.Context(), client, receiver.URL(), ""); err == nil {
		t.Error("it is down, and answers")
	}
}

// A body without end is no memory of the sender's, and does not end by itself.
func TestReceiverAnswersWithoutEnd(t *testing.T) {
	t.Parallel()
	receiver, client := hooktest.NewReceiver(t), newClient(t)
	receiver.Always(hooktest.Endless())
	for _, giveUp := range []bool{true, false} {
		req := hooktest.Request(t, signature.GitHub, hooktest.Keys(t, signature.GitHub), nil, hooktest.WithURL(receiver.URL()))
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, resp.Body, 1<<20); err != nil {
			t.Fatal(err)
		}
		if !giveUp {
			go receiver.Close()
			if _, err := io.Copy(io.Discard, resp.Body); err == nil {
				t.Error("the body has ended")
			}
		}
		resp.Body.Close()
	}
}

func TestReceiverVerifies(t *testing.T) {
	t.Parallel()
	receiver, client := hooktest.NewReceiver(t), newClient(t)
	keys := hooktest.Keys(t, signature.StandardWebhooks)
	receiver.Verify(signature.StandardWebhooks, keys)
	good := hooktest.Request(t, signature.StandardWebhooks, keys, []byte(`{"type":"a.b"}`),
		hooktest.WithURL(receiver.URL()+"/x"), hooktest.WithID("msg_1"))
	bad := hooktest.Request(t, signature.StandardWebhooks, keys, []byte(`{"type":"a.b"}`),
		hooktest.WithURL(receiver.URL()+"/x"), hooktest.WithTampering(hooktest.TamperBody))
	for _, c := range []struct {
		req    *http.Request
		status int
	}{{good, 200}, {bad, 401}} {
		resp, err := client.Do(c.req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("%d, want %d", resp.StatusCode, c.status)
		}
	}
	got := receiver.Wait(2)
	if got[0].Refused != nil || got[0].Result.DeliveryID != "msg_1" || got[0].Result.Type != "a.b" {
		t.Errorf("the good one: %+v", got[0])
	}
	if refused, ok := errors.AsType[*signature.Error](got[1].Refused); !ok || refused.Reason != signature.ReasonSignatureMismatch {
		t.Errorf("the bad one: %v", got[1].Refused)
	}
}

func TestReceiverRecordsBodiesThatAreCutOff(t *testing.T) {
	t.Parallel()
	receiver := hooktest.NewReceiver(t)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(receiver.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf."); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if answer, _ := io.ReadAll(conn); len(answer) > 0 {
		t.Errorf("it was answered: %s", answer)
	}
	if got := receiver.Wait(1)[0]; got.Cut == nil || !bytes.Equal(got.Body, []byte("half.")) {
		t.Errorf("%+v", got)
	}
}

// failing is a test that fails, without failing this one.
type failing struct {
	hooktest.TB

	context func() context.Context
	problem string
}

func (f *failing) Context() context.Context          { return f.context() }
func (f *failing) Fatalf(format string, args ...any) { f.problem = fmt.Sprintf(format, args...) }

func TestFailuresSayWhatIsMissing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	f := &failing{TB: t, context: func() context.Context { return ctx }}
	receiver := hooktest.NewReceiver(f)
	cancel(errors.New("the test is over"))
	receiver.Wait(2)
	if want := "hooktest: 0 requests came, 2 are wanted: the test is over"; f.problem != want {
		t.Errorf("%q, want %q", f.problem, want)
	}
	receiver.Verify(signature.GitHub, signature.Keys{})
	if want := "hooktest: verify: no secret is given"; f.problem != want {
		t.Errorf("%q, want %q", f.problem, want)
	}
	hooktest.Request(f, signature.GitHub, signature.Keys{}, nil)
	if want := "hooktest: sign request: no secret is given"; f.problem != want {
		t.Errorf("%q, want %q", f.problem, want)
	}
}
