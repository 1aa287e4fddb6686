package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/internal/config"
	"github.com/tenterhook/tenterhook/signature"
)

// TestDemo runs the demo as it is. It checks itself; here it is checked that it
// says so, and what it shows.
func TestDemo(t *testing.T) {
	t.Parallel()
	r := command(t, "", nil, "demo")
	if r.code != exitDone || r.errors != "" {
		t.Fatalf("exit %d: %s\n%s", r.code, r.errors, r.out)
	}
	for _, want := range []string{
		"types: [push], when: .ref ==",
		"push to main  ", "main -> service", "main -> deploy", `"route main: push, 7676 bytes"`,
		`no route: .ref == "refs/heads/main" is false: .ref is "refs/heads/fix-typo"`,
		"no route: none is for this type",
		"401  Unauthorized\n10    signature_mismatch: ",
		"issues.opened again               200", "duplicate: ",
		"attempt 1  connection refused; the next after 500ms", "attempt 3  delivered: answered 204",
		"tenterhook events replay evt_",
		"14  issues.edited                  route work           1 delivered  3\n",
		"ok  everything became what it should", "the service got 9 requests",
		" demo --keep",
	} {
		if !strings.Contains(r.out, want) {
			t.Errorf("does not say %q:\n%s", want, r.out)
		}
	}
	checkSafe(t, r.out)
}

// TestDemoKeep looks at a demo that is kept, by the files and addresses that it
// names, and ends it.
func TestDemoKeep(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	reader, writer := io.Pipe()
	code := make(chan exit, 1)
	var errs bytes.Buffer
	go func() {
		env := config.Env{LookupEnv: func(string) (string, bool) { return "", false }}
		code <- run(ctx, process{
			args: []string{"demo", "--keep", "--json"}, in: strings.NewReader(""), out: writer, err: &errs, env: env,
		})
		_ = writer.Close() // it never fails
	}()
	var result demoResult
	if err := json.NewDecoder(reader).Decode(&result); err != nil {
		t.Fatal(err)
	}
	if !result.OK || len(result.Events) != 14 || len(result.Differences) > 0 || result.Kept == nil {
		t.Fatalf("result is %+v", result)
	}
	for _, s := range result.Events {
		if s.Sent == "" || s.Verdict == "" || s.Status != http.StatusOK && s.Status != http.StatusUnauthorized {
			t.Errorf("event is %+v", s)
		}
	}
	first := result.Events[0].ID.String()
	for _, line := range []string{"events list", "events show " + first, "events explain " + first, "trigger github push --source github"} {
		args := append(strings.Fields(line), "--config", result.Kept.Config)
		if r := command(t, "", nil, args...); r.code != exitDone {
			t.Errorf("%q: %+v", line, r)
		}
	}
	interrupt()
	if got := <-code; got != exitDone || !strings.Contains(errs.String(), "is removed") {
		t.Errorf("exit %d: %s", got, errs.String())
	}
	if _, err := os.Stat(filepath.Dir(result.Kept.Config)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the demo left its files: %v", err)
	}
}

// TestDemoFails runs the demo where its program cannot be run.
func TestDemoFails(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	path := t.TempDir() // without any program
	env := config.Env{LookupEnv: func(name string) (string, bool) { return path, name == "PATH" }}
	o := demoOptions{app: &app{ui: newUI(strings.NewReader(""), &out, &errs, true), env: env}, patience: 100 * time.Millisecond}
	err := runDemo(t.Context(), o)
	if r := reportOf(err); err == nil || r.Exit != exitFailed || !r.told {
		t.Errorf("error is %v", err)
	}
	for _, want := range []string{"\ndiffers  1, push to main: retrying to deploy after ", `: command "sh" not found in PATH`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("does not say %q:\n%s", want, out.String())
		}
	}
}

func TestDemoInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	code := run(ctx, process{args: []string{"demo"}, out: &out, err: &errs, env: config.Env{
		LookupEnv: func(string) (string, bool) { return "", false },
	}})
	if code != exitFailed || !strings.Contains(errs.String(), "interrupted") {
		t.Errorf("exit %d: %s", code, errs.String())
	}
}

func TestDemoCompare(t *testing.T) {
	t.Parallel()
	body := []byte("{}")
	delivered := func(to string, attempts int) api.Delivery {
		return api.Delivery{Destination: to, State: tenterhook.StateDelivered, Attempts: attempts}
	}
	event := func(deliveries ...api.Delivery) api.EventDetail {
		return api.EventDetail{Event: api.Event{ID: evt}, Deliveries: deliveries}
	}
	toService := demoSend{sample: "ping", to: []string{demoService}}
	missed := toService
	missed.down = true
	tests := map[string]struct {
		sent demoSent
		got  [][]byte // by the service
		want string   // nothing means that all is well
	}{
		"delivered":       {demoSent{demoSend: toService, event: event(delivered("service", 1))}, [][]byte{body}, ""},
		"replayed":        {demoSent{demoSend: toService, event: event(delivered("service", 2)), replayed: true}, [][]byte{body, body}, ""},
		"late":            {demoSent{demoSend: missed, event: event(delivered("service", 3))}, [][]byte{body}, ""},
		"no route":        {demoSent{event: event()}, nil, ""},
		"not late":        {demoSent{demoSend: missed, event: event(delivered("service", 1))}, [][]byte{body}, "service took it at attempt 1"},
		"retried":         {demoSent{demoSend: toService, event: event(delivered("service", 2))}, [][]byte{body}, "service took it at attempt 2"},
		"elsewhere":       {demoSent{event: event(delivered("deploy", 1))}, nil, "goes to deploy, and should go to -"},
		"nowhere":         {demoSent{demoSend: toService, event: event()}, [][]byte{body}, "goes to -, and should go to service"},
		"other bytes":     {demoSent{demoSend: toService, event: event(delivered("service", 1))}, [][]byte{{}}, "other bytes"},
		"twice":           {demoSent{demoSend: toService, event: event(delivered("service", 1))}, [][]byte{body, body}, "got it 2 times"},
		"refused":         {demoSent{status: 503}, nil, "refused with 503"},
		"forged, taken":   {demoSent{demoSend: demoSend{forged: true}, status: 200, event: event()}, nil, "answered 200"},
		"not a duplicate": {demoSent{demoSend: demoSend{again: "ping"}, event: event()}, nil, "not recognised"},
		"dead": {
			demoSent{demoSend: toService, event: event(api.Delivery{
				Destination: "service", State: tenterhook.StateDead, Attempts: 6, LastError: "connection refused",
			})}, [][]byte{body}, "dead to service after 6 attempts: connection refused",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &demo{stage: &stage{service: &receiver{got: map[string][][]byte{evt.String(): test.got}}}}
			test.sent.body = body
			got := strings.Join(d.compare(&test.sent), "\n")
			if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("differs by %q, want %q", got, test.want)
			}
		})
	}
}

// TestReceiver takes a receiver down and up again.
func TestReceiver(t *testing.T) {
	t.Parallel()
	keys, err := signature.NewKeys(standIn)
	if err != nil {
		t.Fatal(err)
	}
	r, err := newReceiver(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	post := func(signWith signature.Keys) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.address, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		signed := &signature.Request{Method: req.Method, Header: req.Header, Body: []byte("{}")}
		if err := signature.StandardWebhooks.Sign(signed, signWith, signature.SignOptions{ID: evt.String(), Time: time.Now()}); err != nil {
			t.Fatal(err)
		}
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if err != nil {
			return 0
		}
		_ = resp.Body.Close() // nothing is read from it
		return resp.StatusCode
	}
	other, err := signature.NewKeys("whsec_" + strings.Repeat("AAAA", 8))
	if err != nil {
		t.Fatal(err)
	}
	if got := post(keys); got != http.StatusNoContent {
		t.Errorf("rightly signed: %d", got)
	}
	if got := post(other); got != http.StatusUnauthorized {
		t.Errorf("signed by another: %d", got)
	}
	address := r.address
	if err := r.down(); err != nil {
		t.Fatal(err)
	}
	if got := post(keys); got != 0 {
		t.Errorf("down, and answers %d", got)
	}
	if err := r.up(t.Context()); err != nil || r.address != address {
		t.Fatalf("up at %s: %v", r.address, err)
	}
	if got := post(keys); got != http.StatusNoContent {
		t.Errorf("up again: %d", got)
	}
	if err := errors.Join(r.down(), r.down()); err != nil {
		t.Errorf("down twice: %v", err)
	}
	if verified, refused := r.requests(); verified != 2 || len(refused) != 1 || len(r.bodies(evt.String())) != 2 {
		t.Errorf("%d verified, refused %q", verified, refused)
	}
}

func TestQuoted(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"bin/tenterhook": "bin/tenterhook", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$HOME": "'$HOME'", "~": "'~'",
	} {
		if got := quoted(word); got != want {
			t.Errorf("%q is %s, want %s", word, got, want)
		}
	}
}
