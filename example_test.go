package tenterhook_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"time"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/hooktest"
	"github.com/tenterhook/tenterhook/signature"
)

// A service that takes GitHub's webhooks.
func ExampleNewReceiver() {
	keys, err := signature.NewKeys("It's a Secret to Everybody") // in a program: os.Getenv("GITHUB_WEBHOOK_SECRET")
	if err != nil {
		fmt.Println(err)
		return
	}
	handled := make(map[string]bool) // in a program: a table with a unique index, so that it outlives the process
	receiver, err := tenterhook.NewReceiver(signature.GitHub, keys, func(_ context.Context, e *tenterhook.Event) error {
		if handled[e.DeliveryID] {
			return nil // it came before
		}
		handled[e.DeliveryID] = true
		fmt.Printf("%s %s: %s\n", e.Type, e.DeliveryID, e.Body)
		return nil // the sender will not send it again
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/webhook/github", receiver)

	// What GitHub sends, and sends again.
	for range 2 {
		req, err := hooktest.NewRequest(context.Background(), signature.GitHub, keys, []byte(`{"action":"opened"}`),
			hooktest.WithURL("http://example.com/webhook/github"),
			hooktest.WithHeader("X-GitHub-Event", "issues"), hooktest.WithID("72d3162e"))
		if err != nil {
			fmt.Println(err)
			return
		}
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, req)
		fmt.Println(answer.Code)
	}
	// Output:
	// issues.opened 72d3162e: {"action":"opened"}
	// 200
	// 200
}

// router is what chi, and routers like it, have to mount a handler for a method.
type router interface {
	Method(method, pattern string, h http.Handler)
}

// routes is a small router of that kind, to show it without one.
type routes struct{ mux *http.ServeMux }

func (r routes) Method(method, pattern string, h http.Handler) { r.mux.Handle(method+" "+pattern, h) }

// Mount puts the webhooks of a service on its router. Providers with handshakes
// that are GET requests need these as well.
func mount(r router, receiver *tenterhook.Receiver) {
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		r.Method(method, "/webhook/billing", receiver)
	}
}

// A receiver on a router of which only Method is used, as chi has it.
func ExampleReceiver_router() {
	keys, err := signature.NewKeys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		fmt.Println(err)
		return
	}
	receiver, err := tenterhook.NewReceiver(signature.StandardWebhooks, keys, func(_ context.Context, e *tenterhook.Event) error {
		fmt.Println(e.Source, e.Type)
		return nil
	}, &tenterhook.ReceiverOptions{Source: "billing"})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := routes{http.NewServeMux()}
	mount(r, receiver)

	req, err := hooktest.NewRequest(context.Background(), signature.StandardWebhooks, keys, []byte(`{"type":"invoice.paid"}`),
		hooktest.WithURL("http://example.com/webhook/billing"))
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := httptest.NewRecorder()
	r.mux.ServeHTTP(answer, req)
	fmt.Println(answer.Code)
	// Output:
	// billing invoice.paid
	// 200
}

// A provider that is not in the catalogue: how it signs is data.
func ExampleNewReceiver_customScheme() {
	scheme, err := signature.New(signature.Spec{
		Name: "shop",
		Read: []signature.Read{
			{From: "x-shop-signature", Pattern: "v1={sig}"},
			{From: "x-shop-time", Pattern: "{time}"},
		},
		Sign:      "{time}.{body}",
		Tolerance: 5 * time.Minute,
		Type:      "header:x-shop-topic",
		ID:        "json:id",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	keys, err := signature.NewKeys("a shared secret", "the one before")
	if err != nil {
		fmt.Println(err)
		return
	}
	receiver, err := tenterhook.NewReceiver(scheme, keys, func(_ context.Context, e *tenterhook.Event) error {
		fmt.Println(e.Source, e.Type, e.DeliveryID)
		return nil
	}, &tenterhook.ReceiverOptions{
		Rejected: func(_ context.Context, r tenterhook.Rejection) { fmt.Println(r.Status, r.Reason) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	topic := hooktest.WithHeader("X-Shop-Topic", "orders/create")
	for _, spoil := range []hooktest.Tampering{"", hooktest.TamperBody, hooktest.TamperReplay} {
		req, err := hooktest.NewRequest(context.Background(), scheme, keys, []byte(`{"id":"order-1"}`), topic, hooktest.WithTampering(spoil))
		if err != nil {
			fmt.Println(err)
			return
		}
		receiver.ServeHTTP(httptest.NewRecorder(), req)
	}
	// Output:
	// shop orders/create order-1
	// 401 signature_mismatch
	// 401 timestamp_stale
}

// A program that tells another that something is done. The receiver of the
// example is down at first.
func ExampleSender() {
	keys, err := signature.NewKeys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") // in a program: os.Getenv("HOOK_SECRET")
	if err != nil {
		fmt.Println(err)
		return
	}
	up := false
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !up {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		up = true
	}))
	defer receiver.Close()

	sender, err := tenterhook.NewSender(tenterhook.SenderOptions{
		Scheme:  signature.StandardWebhooks,
		Keys:    keys,
		Backoff: tenterhook.Backoff{Schedule: []time.Duration{0, time.Millisecond}}, // the default tries for two minutes
		Allow:   []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},               // for the example's receiver
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := sender.Send(context.Background(), receiver.URL, &tenterhook.Event{
		Body: []byte(`{"type":"deploy.finished","data":{"version":"1.4.2"}}`),
	})
	if err != nil {
		fmt.Println(err) // and what to do about it; result has the attempts
		return
	}
	for _, a := range result.Attempts {
		fmt.Println(a.Outcome, a.Status)
	}
	// Output:
	// retry 503
	// success 200
}

// A URL that somebody else chose leads nowhere but to the internet.
func ExampleSender_guard() {
	sender, err := tenterhook.NewSender(tenterhook.SenderOptions{Unsigned: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := sender.Send(context.Background(), "http://169.254.169.254/latest/meta-data/", &tenterhook.Event{Body: []byte("{}")})
	fmt.Println(result.Outcome, errors.Is(err, tenterhook.ErrBlocked))
	// Output: refused true
}
