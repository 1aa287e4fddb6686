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

// bodies are for the schemes that want something of a body or of an account.
func bodies() map[string]string {
	return map[string]string{
		"adyen": `{"notificationItems":[{"NotificationRequestItem":{"pspReference":"a","merchantAccountCode":"b",` +
			`"amount":{"value":1,"currency":"EUR"},"eventCode":"AUTHORISATION","success":"true","additionalData":{}}}]}`,
		"alipay":          "app_id=1&notify_id=2",
		"payos":           `{"data":{"orderCode":1},"signature":""}`,
		"plivo_v3":        "From=1&To=2",
		"braintree":       "bt_payload=YQ",
		"dropbox_sign":    "json=%7B%22event%22%3A%7B%22event_time%22%3A%221780000000%22%2C%22event_type%22%3A%22sent%22%2C%22event_hash%22%3A%22%22%7D%7D",
		"linear":          `{"webhookTimestamp":0}`,
		"mailgun":         `{"signature":{"timestamp":"","token":"","signature":""}}`,
		"mailgun_form":    "timestamp=&token=&signature=",
		"mandrill":        "mandrill_events=%5B%5D",
		"microsoft_graph": `{"value":[{"clientState":""}]}`,
		"midtrans":        `{"order_id":"1","status_code":"200","gross_amount":"1.00","signature_key":""}`,
		"opennode":        "id=abc&hashed_order=",
		"plain":           `{"webhookMetadata":{"webhookDeliveryAttemptTimestamp":""}}`,
		"strava":          `{"subscription_id":0}`,
		"twilio":          "Body=text&From=me",
	}
}

// A signable scheme has all that is needed to sign a request.
type signable struct {
	*signature.Scheme

	keys signature.Keys
	body []byte
}

// schemes are all schemes, set up with keys and settings that are made up.
func schemes(tb testing.TB) []signable {
	tb.Helper()
	var all []signable
	for _, s := range append(signature.Schemes(), stripe(tb)) {
		if s.Name() == "aws_sns" {
			continue // the key is Amazon's, and fetched
		}
		settings := make(map[string]string)
		for _, setting := range s.Settings() {
			if !setting.Optional {
				settings[setting.Name] = "123"
			}
		}
		adapted, err := s.With(signature.Options{Settings: settings})
		if err != nil {
			tb.Fatal(err)
		}
		body, ok := bodies()[s.Name()]
		if !ok {
			body = `{"a":[0,true,"b"]}`
		}
		all = append(all, signable{adapted, hooktest.Keys(tb, adapted), []byte(body)})
	}
	return all
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

// The request of every scheme verifies, and what is tampered with is refused, for
// a reason that fits.
func TestEveryScheme(t *testing.T) {
	t.Parallel()
	tampered := make(map[hooktest.Tampering]int)
	for _, s := range schemes(t) {
		req := hooktest.Request(t, s.Scheme, s.keys, s.body, hooktest.WithURL("https://hooks.example.com/in?a=b"))
		good := received(t, req)
		if _, err := s.Verify(good, s.keys, time.Now()); err != nil {
			t.Errorf("%s: %v", s.Name(), err)
		}
		if req.Method != http.MethodPost || req.Host != "hooks.example.com" || req.Header.Get("Content-Type") == "" {
			t.Errorf("%s: %s %s %v", s.Name(), req.Method, req.Host, req.Header)
		}
		for _, how := range hooktest.Tamperings() {
			req, err := hooktest.NewRequest(t.Context(), s.Scheme, s.keys, s.body, hooktest.WithTampering(how))
			if errors.Is(err, hooktest.ErrUntamperable) {
				continue
			}
			if err != nil {
				t.Errorf("%s, %s: %v", s.Name(), how, err)
				continue
			}
			tampered[how]++
			r := received(t, req)
			if _, err := s.Verify(r, s.keys, time.Now()); !slices.Contains(fitting()[how], reason(err)) {
				t.Errorf("%s, %s: %v, want one of %s", s.Name(), how, err, fitting()[how])
			}
			if json.Valid(good.Body) && !json.Valid(r.Body) {
				t.Errorf("%s, %s: the body is no JSON any more: %s", s.Name(), how, r.Body)
			}
		}
	}
	for how, least := range map[hooktest.Tampering]int{
		hooktest.TamperBody: 170, hooktest.TamperSecret: 200, hooktest.TamperTimestamp: 65, hooktest.TamperHeader: 180, hooktest.TamperReplay: 70,
	} {
		if tampered[how] < least {
			t.Errorf("%s: only %d schemes have something to tamper with, not %d", how, tampered[how], least)
		}
	}
}

// fitting are the reasons for which what is tampered with is refused.
func fitting() map[hooktest.Tampering][]signature.Reason {
	changed := []signature.Reason{signature.ReasonSignatureMismatch, signature.ReasonClaimMismatch, signature.ReasonRequirement}
	return map[hooktest.Tampering][]signature.Reason{
		hooktest.TamperBody:      changed,
		hooktest.TamperSecret:    changed,
		hooktest.TamperTimestamp: changed,
		hooktest.TamperHeader:    {signature.ReasonMissingSignature, signature.ReasonRequirement},
		hooktest.TamperReplay:    {signature.ReasonTimestampStale},
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
