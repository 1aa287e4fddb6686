package hooktest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/tenterhook/tenterhook/hooktest"
	"github.com/tenterhook/tenterhook/signature"
)

// handler is the program that is tested.
func handler(keys signature.Keys) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		signed := &signature.Request{Method: r.Method, URL: r.URL.String(), Header: r.Header, Body: body}
		if _, err := signature.StandardWebhooks.Verify(signed, keys, time.Now()); err != nil {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
}

// A test of a receiver: it takes what is signed, and refuses all else.
func ExampleRequest() {
	t := newT() // in a test: its *testing.T
	keys := hooktest.Keys(t, signature.StandardWebhooks)

	answer := httptest.NewRecorder()
	handler(keys).ServeHTTP(answer, hooktest.Request(t, signature.StandardWebhooks, keys, []byte(`{"type":"invoice.paid"}`)))
	fmt.Println("signed:", answer.Code)

	for _, tampering := range hooktest.Tamperings() {
		answer := httptest.NewRecorder()
		handler(keys).ServeHTTP(answer, hooktest.Request(t, signature.StandardWebhooks, keys, []byte(`{"type":"invoice.paid"}`),
			hooktest.WithTampering(tampering)))
		fmt.Printf("%s: %d\n", tampering, answer.Code)
	}
	// Output:
	// signed: 200
	// body: 401
	// secret: 401
	// timestamp: 401
	// header: 401
	// replay: 401
}

// send is the program that is tested. It tries three times.
func send(ctx context.Context, url string, body []byte, keys signature.Keys) error {
	var last error
	for range 3 {
		signed := &signature.Request{Method: http.MethodPost, URL: url, Body: body}
		if err := signature.StandardWebhooks.Sign(signed, keys, signature.SignOptions{ID: "msg_1", Time: time.Now()}); err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header, req.Close = signed.Header, true
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			last = err
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode/100 == 2 {
			return nil
		}
		last = errors.New(resp.Status)
	}
	return last
}

// A test of a sender: it comes again after an answer of 503 and a connection
// that was cut, with the same id, signed each time.
func ExampleReceiver() {
	t := newT() // in a test: its *testing.T
	defer t.end()
	keys := hooktest.Keys(t, signature.StandardWebhooks)
	receiver := hooktest.NewReceiver(t)
	receiver.Verify(signature.StandardWebhooks, keys)
	receiver.Next(hooktest.Status(http.StatusServiceUnavailable), hooktest.Reset())

	err := send(t.Context(), receiver.URL()+"/hooks", []byte(`{"type":"invoice.paid"}`), keys)
	fmt.Println("sent:", err)
	for _, got := range receiver.Wait(3) {
		fmt.Println(got.Method, got.Result.DeliveryID, string(got.Body), got.Refused)
	}
	// Output:
	// sent: <nil>
	// POST msg_1 {"type":"invoice.paid"} <nil>
	// POST msg_1 {"type":"invoice.paid"} <nil>
	// POST msg_1 {"type":"invoice.paid"} <nil>
}

// exampleT stands for the *testing.T that examples do not have.
type exampleT struct{ cleanups []func() }

func newT() *exampleT { return &exampleT{} }

func (*exampleT) Helper()                           {}
func (*exampleT) Context() context.Context          { return context.Background() }
func (*exampleT) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (t *exampleT) Cleanup(f func())                { t.cleanups = append(t.cleanups, f) }
func (t *exampleT) end() {
	for _, f := range t.cleanups {
		f()
	}
}
