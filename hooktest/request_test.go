package hooktest_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/hooktest"
	"github.com/tenterhook/tenterhook/signature"
)

// received is req as a receiver verifies it.
func received(tb testing.TB, req *http.Request) *signature.Request {
	tb.Helper()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return &signature.Request{Method: req.Method, URL: req.URL.String(), Header: req.Header, Body: body}
}

func reason(err error) signature.Reason {
	if refused, ok := errors.AsType[*signature.Error](err); ok {
		return refused.Reason
	}
	return ""
}

// signable are the schemes that can be signed with a body of no certain form and
// with secrets that can be made up.
func signable(tb testing.TB) []*signature.Scheme {
	tb.Helper()
	return slices.DeleteFunc(signature.Schemes(), func(s *signature.Scheme) bool {
		_, err := hooktest.NewRequest(tb.Context(), s, hooktest.Keys(tb, s), []byte("{}"))
		return err != nil
	})
}

func TestRequestVerifies(t *testing.T) {
	t.Parallel()
	for _, s := range signable(t) {
		keys := hooktest.Keys(t, s)
		req := hooktest.Request(t, s, keys, []byte(`{"a": 1}`), hooktest.WithURL("https://hooks.example.com/in?a=b"))
		if _, err := s.Verify(received(t, req), keys, time.Now()); err != nil {
			t.Errorf("%s: %v", s.Name(), err)
		}
		if req.Method != http.MethodPost || req.Host != "hooks.example.com" || req.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %s %s %v", s.Name(), req.Method, req.Host, req.Header)
		}
	}
}

func TestRequestOptions(t *testing.T) {
	t.Parallel()
	s := signature.StandardWebhooks
	keys, at := hooktest.Keys(t, s), time.Unix(1780000000, 0).UTC()
	req := hooktest.Request(t, s, keys, []byte("a=b"), hooktest.WithMethod(http.MethodPut), hooktest.WithID("msg_1"),
		hooktest.WithTime(at), hooktest.WithHeader("X-One", "1"))
	result, err := s.Verify(received(t, req), keys, at)
	if err != nil || result.DeliveryID != "msg_1" || !result.Time.Equal(at) || req.Method != http.MethodPut ||
		req.Header.Get("X-One") != "1" || req.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		t.Errorf("%+v %v %v", result, err, req)
	}
	if _, err := s.Verify(received(t, hooktest.Request(t, s, keys, nil)), keys, time.Now()); err != nil {
		t.Errorf("without a body: %v", err)
	}
	a, b := hooktest.Request(t, s, keys, nil), hooktest.Request(t, s, keys, nil)
	if a.Header.Get("Webhook-Id") == b.Header.Get("Webhook-Id") {
		t.Error("two requests have the same id")
	}
	if _, err := hooktest.NewRequest(t.Context(), s, keys, nil, hooktest.WithTampering("all")); err == nil {
		t.Error("a tampering that there is not is none")
	}
}

// Whatever the scheme, what is tampered with is refused, for a reason that fits.
func TestTamperings(t *testing.T) {
	t.Parallel()
	want := map[hooktest.Tampering]signature.Reason{
		hooktest.TamperBody:      signature.ReasonSignatureMismatch,
		hooktest.TamperSecret:    signature.ReasonSignatureMismatch,
		hooktest.TamperTimestamp: signature.ReasonSignatureMismatch,
		hooktest.TamperHeader:    signature.ReasonMissingSignature,
		hooktest.TamperReplay:    signature.ReasonTimestampStale,
	}
	body := []byte(`{"a": [0, true, "b"]}`)
	for _, s := range append(signable(t), stripe(t)) {
		keys := hooktest.Keys(t, s)
		for _, how := range hooktest.Tamperings() {
			req, err := hooktest.NewRequest(t.Context(), s, keys, body, hooktest.WithTampering(how))
			if errors.Is(err, hooktest.ErrUntamperable) {
				if s == signature.StandardWebhooks || s == signature.GitHub && how != hooktest.TamperTimestamp && how != hooktest.TamperReplay {
					t.Errorf("%s, %s: %v", s.Name(), how, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s, %s: %v", s.Name(), how, err)
				continue
			}
			r := received(t, req)
			if _, err := s.Verify(r, keys, time.Now()); reason(err) != want[how] {
				t.Errorf("%s, %s: %v, want %s", s.Name(), how, err, want[how])
			}
			if !json.Valid(r.Body) {
				t.Errorf("%s, %s: the body is no JSON any more: %s", s.Name(), how, r.Body)
			}
		}
	}
}

// The time of what is replayed with a new one is the new one.
func TestTamperTimestampIsFresh(t *testing.T) {
	t.Parallel()
	s, at := stripe(t), time.Unix(1780000000, 0)
	keys := hooktest.Keys(t, s)
	req := hooktest.Request(t, s, keys, []byte("{}"), hooktest.WithTime(at), hooktest.WithTampering(hooktest.TamperTimestamp))
	fresh := hooktest.Request(t, s, keys, []byte("{}"), hooktest.WithTime(at))
	got, want := req.Header.Get("Stripe-Signature"), fresh.Header.Get("Stripe-Signature")
	const head = len("t=1780000000,")
	if got[:head] != want[:head] || got[head:] == want[head:] {
		t.Errorf("%s beside the fresh %s: want its time, and another signature", got, want)
	}
}

// stripe signs the time in the same header as the signature.
func stripe(tb testing.TB) *signature.Scheme {
	tb.Helper()
	s, err := signature.New(signature.Spec{
		Name: "stripe-like", Read: []signature.Read{{From: "stripe-signature", Sep: ",", Items: []string{"t={time}", "v1={sig}"}}},
		Sign: "{time}.{body}", Tolerance: 5 * time.Minute, ID: "json:id",
	})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// Tampering is refused by the scheme whatever the body is, and leaves a request
// alone that it cannot spoil.
func FuzzTampering(f *testing.F) {
	f.Add("body", []byte(`{"a":1}`), "id_1", int64(1780000000))
	f.Add("timestamp", []byte("a=b&c=d"), "a", int64(0))
	f.Add("header", []byte{}, "", int64(-1))
	schemes := []*signature.Scheme{signature.GitHub, signature.StandardWebhooks, stripe(f)}
	var keys []signature.Keys
	for _, s := range schemes {
		keys = append(keys, hooktest.Keys(f, s))
	}
	f.Fuzz(func(t *testing.T, how string, body []byte, id string, unix int64) {
		at := time.Unix(unix, 0)
		for i, s := range schemes {
			r := &signature.Request{Method: http.MethodPost, URL: "http://example.com/", Header: http.Header{}, Body: slices.Clone(body)}
			err := hooktest.Tampering(how).Sign(r, s, keys[i], signature.SignOptions{ID: id, Time: at})
			if err != nil {
				if len(r.Header) > 0 || !slices.Equal(r.Body, body) {
					t.Fatalf("%s: %v, and the request was changed", s.Name(), err)
				}
				continue
			}
			if at.IsZero() {
				continue
			}
			if _, err := s.Verify(r, keys[i], at); err == nil {
				t.Fatalf("%s: what was tampered with verifies", s.Name())
			}
		}
	})
}
