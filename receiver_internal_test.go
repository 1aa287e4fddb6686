package tenterhook

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tenterhook/tenterhook/signature"
)

// What a scheme says of handshakes is done, whichever scheme it is.

func shakeHands(t *testing.T, r *Receiver, reply signature.Reply, err error) *httptest.ResponseRecorder {
	t.Helper()
	answer := httptest.NewRecorder()
	r.shake(answer, httptest.NewRequest(http.MethodPost, "/", nil), nil, reply, err)
	return answer
}

func handshakeReceiver(t *testing.T, opts ReceiverOptions) (*Receiver, chan Rejection) {
	t.Helper()
	rejected := make(chan Rejection, 10)
	opts.Rejected = func(_ context.Context, r Rejection) { rejected <- r }
	var keys signature.Keys
	if opts.KeepSecret == nil {
		var err error
		if keys, err = signature.NewKeys("a secret"); err != nil {
			t.Fatal(err)
		}
	}
	r, err := NewReceiver(signature.GitHub, keys, func(context.Context, *Event) error { return nil }, &opts)
	if err != nil {
		t.Fatal(err)
	}
	return r, rejected
}

func TestHandshakeIsAnswered(t *testing.T) {
	t.Parallel()
	r, rejected := handshakeReceiver(t, ReceiverOptions{})
	answer := shakeHands(t, r, signature.Reply{Status: 200, Header: http.Header{"Content-Type": {"text/plain"}}, Body: []byte("challenge")}, nil)
	if answer.Code != 200 || answer.Body.String() != "challenge" || answer.Header().Get("Content-Type") != "text/plain" {
		t.Errorf("%d %v %s", answer.Code, answer.Header(), answer.Body)
	}
	if answer := shakeHands(t, r, signature.Reply{}, nil); answer.Code != 200 {
		t.Errorf("%d", answer.Code)
	}
	if answer := shakeHands(t, r, signature.Reply{Status: 204}, nil); answer.Code != 204 || answer.Body.Len() > 0 {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	refused := &signature.Error{Reason: signature.ReasonSignatureMismatch, Detail: "not theirs"}
	if answer := shakeHands(t, r, signature.Reply{Status: 403}, refused); answer.Code != 403 {
		t.Errorf("%d", answer.Code)
	}
	if got := <-rejected; got.Status != 403 || got.Reason != "signature_mismatch" || got.Detail != "not theirs" {
		t.Errorf("%+v", got)
	}
}

// A secret that comes in a handshake is kept once, before it is answered, and
// nobody can replace it.
func TestHandshakeBringsTheSecret(t *testing.T) {
	t.Parallel()
	full := true
	var kept []string
	r, rejected := handshakeReceiver(t, ReceiverOptions{KeepSecret: func(_ context.Context, secret string) error {
		if full {
			return errors.New("disk full")
		}
		kept = append(kept, secret)
		return nil
	}})
	body := []byte("{}")
	status := func(secret string) int {
		keys, err := signature.NewKeys(secret)
		if err != nil {
			t.Fatal(err)
		}
		req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body)))
		signed := &signature.Request{Header: req.Header, Body: body}
		if err := signature.GitHub.Sign(signed, keys, signature.SignOptions{}); err != nil {
			t.Fatal(err)
		}
		req.Header = signed.Header
		answer := httptest.NewRecorder()
		r.ServeHTTP(answer, req)
		return answer.Code
	}
	if got := status("first"); got != 401 || (<-rejected).Reason != string(signature.ReasonNoKey) {
		t.Errorf("%d before there is a secret", got)
	}
	if answer := shakeHands(t, r, signature.Reply{Secret: "first"}, nil); answer.Code != 503 || (<-rejected).Reason != ReasonConfirm {
		t.Errorf("%d for a secret that could not be kept", answer.Code)
	}
	full = false
	if answer := shakeHands(t, r, signature.Reply{Secret: "  "}, nil); answer.Code != 401 || (<-rejected).Reason != ReasonSecret {
		t.Errorf("%d for an empty secret", answer.Code)
	}
	if answer := shakeHands(t, r, signature.Reply{Secret: "first"}, nil); answer.Code != 200 || status("first") != 200 {
		t.Errorf("%d, want a secret that counts", answer.Code)
	}
	answer := shakeHands(t, r, signature.Reply{Secret: "second"}, nil)
	if got := <-rejected; answer.Code != 401 || got.Reason != ReasonSecret || strings.Contains(got.Detail, "second") {
		t.Errorf("%d %+v for a second secret", answer.Code, got)
	}
	if status("second") != 401 || status("first") != 200 || len(kept) != 1 || kept[0] != "first" {
		t.Errorf("kept %q, want the first", kept)
	}
	without, rejected := handshakeReceiver(t, ReceiverOptions{})
	if answer := shakeHands(t, without, signature.Reply{Secret: "x"}, nil); answer.Code != 401 || (<-rejected).Reason != ReasonSecret {
		t.Errorf("%d for a secret that nobody wants", answer.Code)
	}
}

func TestHandshakeIsConfirmed(t *testing.T) {
	t.Parallel()
	paths := make(chan string, 10)
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		paths <- req.Method + " " + req.URL.String()
		switch req.URL.Path {
		case "/moved":
			http.Redirect(w, req, "/ok", http.StatusFound)
		case "/broken":
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(provider.Close)
	r, rejected := handshakeReceiver(t, ReceiverOptions{})
	if answer := shakeHands(t, r, signature.Reply{Confirm: provider.URL + "/ok?Token=secret"}, nil); answer.Code != 200 {
		t.Errorf("%d", answer.Code)
	}
	if got := <-paths; got != "GET /ok?Token=secret" {
		t.Error(got)
	}
	for _, address := range []string{provider.URL + "/moved?secret", provider.URL + "/broken?secret", "http://127.0.0.1:1/?secret", "%?secret"} {
		answer := shakeHands(t, r, signature.Reply{Status: 200, Confirm: address}, nil)
		got := <-rejected
		if answer.Code != 503 || answer.Header().Get("Retry-After") == "" || got.Reason != ReasonConfirm || strings.Contains(got.Detail, "secret") {
			t.Errorf("%s: %d %+v", address, answer.Code, got)
		}
	}
	if len(paths) != 2 {
		t.Errorf("%d requests, want one for each and no redirect followed", len(paths))
	}
	asked := ""
	r, _ = handshakeReceiver(t, ReceiverOptions{Confirm: func(_ context.Context, address string) error {
		asked = address
		return nil
	}})
	if answer := shakeHands(t, r, signature.Reply{Confirm: "https://example.com/"}, nil); answer.Code != 200 || asked != "https://example.com/" {
		t.Errorf("%d %q", answer.Code, asked)
	}
}
