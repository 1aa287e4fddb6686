package tenterhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/internal/config"
	"github.com/tenterhook/tenterhook/internal/sample"
	"github.com/tenterhook/tenterhook/internal/server"
	"github.com/tenterhook/tenterhook/signature"
)

// A gateway runs in the process of the test: all of the server, on real sockets
// and a real store.
type gateway struct {
	url    string // of the public listener
	admin  string // of the private listener
	client *api.Client
	keys   signature.Keys
}

// newGateway runs a gateway with the sources and routes of a file until the test
// ends, when it must stop in order.
func newGateway(t *testing.T, file string) *gateway {
	t.Helper()
	return newLoggingGateway(t, file, nil)
}

func newLoggingGateway(t *testing.T, file string, log *slog.Logger) *gateway {
	t.Helper()
	file = "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\n" + file
	c, err := config.Parse("tenterhook.yaml", []byte(file), config.Env{LookupEnv: func(name string) (string, bool) {
		value, ok := map[string]string{"GITHUB_WEBHOOK_SECRET": githubSecret, "APP_SECRET": appSecret}[name]
		return value, ok
	}})
	if err != nil {
		t.Fatal(err)
	}
	c.Data = t.TempDir()
	s, err := server.New(t.Context(), server.Options{Config: c, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(t.Context()) }()
	t.Cleanup(func() { // when the context has ended
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	g := &gateway{url: "http://" + s.Addr(), admin: "http://" + s.AdminAddr()}
	if g.client, err = api.NewClient(g.admin, s.Token(), nil); err != nil {
		t.Fatal(err)
	}
	if g.keys, err = signature.NewKeys(githubSecret); err != nil {
		t.Fatal(err)
	}
	return g
}

// post sends a payload to the source github, as GitHub does, and returns the
// event's id.
func (g *gateway) post(t *testing.T, p sample.Payload) string {
	t.Helper()
	req, err := p.Request(t.Context(), g.url+"/webhook/github", g.keys, "")
	if err != nil {
		t.Fatal(err)
	}
	return g.send(t, req)
}

func (g *gateway) send(t *testing.T, req *http.Request) string {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Status, ID string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("answered %d, %v", resp.StatusCode, err)
	}
	return answer.ID
}

// awkward are bodies that something between socket and socket might mend.
func awkward() map[string][]byte {
	const github = 25 << 20 // GitHub's bound
	large := bytes.Repeat([]byte("\x00\xff0123456789\r\n"), github/14+1)[:github]
	return map[string][]byte{
		"invalid UTF-8":      []byte("{\"name\": \"\xff\xfe\xc3\x28\"}"),
		"duplicate keys":     []byte(`{"ref": "a", "ref": "b", "ref": "a"}`),
		"large numbers":      []byte(`{"id": 9007199254740993, "n": 1e400, "m": 0.1000000000000000055511151231257827, "z": -0}`),
		"empty":              {},
		"white space":        []byte("  {\n\t\"ref\" : \"refs/heads/main\" }\r\n\r\n"),
		"byte order mark":    []byte("\xef\xbb\xbf{}"),
		"escapes":            []byte(`{"a": "\u0000\ud800\/<>&\u2028", "A": 1}`),
		"zero bytes":         make([]byte, 1000),
		"not JSON":           []byte("payload=%7B%22ref%22%3A+%22main%22%7D"),
		"line breaks":        []byte("\r\n.\r\n\n\r"),
		"a chunk of its own": []byte("0\r\n\r\nPOST / HTTP/1.1\r\n\r\n"),
		"25 MiB":             large,
	}
}

// What was received is what is verified, kept and delivered, byte for byte: all
// of GitHub's samples, and what is harder to leave alone.
func TestBodiesArriveAsTheyCame(t *testing.T) {
	t.Parallel()
	app := newReceiver()
	defer app.close()
	g := newGateway(t, `
sources:
  github: {provider: github, secret: env:GITHUB_WEBHOOK_SECRET}
destinations:
  app: {url: "`+app.server.URL+`", sign: {scheme: standard-webhooks, secret: env:APP_SECRET}}
routes:
  - {from: github, to: app}
`)
	sent := make(map[string]string) // by event id
	for p := range sample.All() {
		sent[g.post(t, p)] = sum(p.Body)
	}
	if samples := len(sent); samples != 329 {
		t.Errorf("%d samples, want 329", samples)
	}
	for name, body := range awkward() {
		id := g.post(t, sample.Payload{Name: sample.Name{Event: "push"}, Body: body})
		if sent[id] != "" {
			t.Errorf("%s: a duplicate of %s", name, id)
		}
		sent[id] = sum(body)
	}
	keys, err := signature.NewKeys(appSecret)
	if err != nil {
		t.Fatal(err)
	}
	got := app.wait(len(sent), patience)
	if len(got) != len(sent) {
		t.Fatalf("%d requests received, %d events sent", len(got), len(sent))
	}
	for _, request := range got {
		id := request.header.Get("Webhook-Id")
		if want := sent[id]; sum(request.body) != want {
			t.Errorf("%s: sha256 %s received, %s sent", id, sum(request.body), want)
		}
		delete(sent, id) // so that a second one is noticed
		_, err := signature.StandardWebhooks.Verify(&signature.Request{
			Method: http.MethodPost, Header: request.header, Body: request.body,
		}, keys, time.Now())
		if err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// A destination that accepts connections and never answers does not hold up the
// others, however much waits for it. How long they take is reported; that they
// get everything is what is tested.
func TestHangingDestinationHoldsUpNobody(t *testing.T) {
	t.Parallel()
	const healthy, backlog, events = 20, 1000, 20
	hanging := newReceiver()
	hanging.hang()
	defer hanging.close()
	var destinations, routes strings.Builder
	apps := make([]*receiver, healthy)
	for i := range apps {
		apps[i] = newReceiver()
		t.Cleanup(apps[i].close)
		fmt.Fprintf(&destinations, "  app-%d: {url: %q, sign: none}\n", i, apps[i].server.URL)
		fmt.Fprintf(&routes, "  - {from: github, types: [push], to: app-%d}\n", i)
	}
	g := newGateway(t, `
sources:
  github: {provider: github, secret: env:GITHUB_WEBHOOK_SECRET}
destinations:
  hanging: {url: "`+hanging.server.URL+`", sign: none, timeout: 10m}
`+destinations.String()+`
routes:
  - {from: github, to: hanging}
`+routes.String())
	g.postMany(t, "issues", backlog)
	hanging.wait(1, patience)

	start := time.Now()
	g.postMany(t, "push", events)
	accepted := time.Since(start)
	for i, app := range apps {
		if got := len(app.wait(events, patience)); got != events {
			t.Errorf("app-%d received %d of %d", i, got, events)
		}
	}
	t.Logf("with %d pending for one that hangs, %d events were accepted in %v and with %d healthy destinations within %v",
		backlog, events, accepted.Round(time.Millisecond), healthy, time.Since(start).Round(time.Millisecond))

	page, err := g.client.ListDestinations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range page.Items {
		if d.Name == "hanging" && d.Load.Pending != backlog+events {
			t.Errorf("%d deliveries wait for the one that hangs, want %d", d.Load.Pending, backlog+events)
		}
	}
	// What it held back comes as soon as it answers.
	hanging.release()
	if got := len(hanging.wait(backlog+events, patience)); got != backlog+events {
		t.Errorf("once it answered, the one that hung received %d of %d", got, backlog+events)
	}
}

// postMany sends n events of a type, from several connections at a time.
func (g *gateway) postMany(t *testing.T, event string, n int) {
	t.Helper()
	const connections = 8
	body := []byte(`{"ref": "refs/heads/main", "text": "` + strings.Repeat("x", 900) + `"}`)
	work := make(chan int)
	var workers sync.WaitGroup
	for range connections {
		workers.Go(func() {
			for range work {
				p := sample.Payload{Name: sample.Name{Event: event}, Body: body}
				req, err := p.Request(t.Context(), g.url+"/webhook/github", g.keys, "")
				if err != nil {
					t.Error(err)
					continue
				}
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Error(err)
					continue
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Errorf("answered %d", resp.StatusCode)
				}
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	workers.Wait()
}

// A hundred identical requests at once make one event and one delivery.
func TestIdenticalRequestsMakeOneEvent(t *testing.T) {
	t.Parallel()
	app := newReceiver()
	t.Cleanup(app.close)
	g := newGateway(t, `
sources:
  github: {provider: github, secret: env:GITHUB_WEBHOOK_SECRET}
destinations:
  app: {url: "`+app.server.URL+`", sign: none}
routes:
  - {from: github, to: app}
`)
	const many = 100
	p := sample.Payload{Name: sample.Name{Event: "push"}, Body: []byte(`{"ref": "refs/heads/main"}`)}
	requests := make([]*http.Request, many)
	for i := range requests {
		var err error
		if requests[i], err = p.Request(t.Context(), g.url+"/webhook/github", g.keys, "72d3162e-cc78-11e3-81ab-4c9367dc0958"); err != nil {
			t.Fatal(err)
		}
	}
	type answer struct {
		Status, ID string
		Duplicate  bool
	}
	answers := make(chan answer, many)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections() // some were dialled and never used: the server would wait for them
	start := make(chan struct{})
	var senders sync.WaitGroup
	for _, req := range requests {
		senders.Go(func() {
			<-start
			resp, err := transport.RoundTrip(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			var a answer
			if err := json.NewDecoder(resp.Body).Decode(&a); err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("answered %d, %v", resp.StatusCode, err)
			}
			answers <- a
		})
	}
	close(start)
	senders.Wait()
	close(answers)
	ids, firsts := map[string]bool{}, 0
	for a := range answers {
		ids[a.ID] = true
		if !a.Duplicate {
			firsts++
		}
	}
	if len(ids) != 1 || firsts != 1 {
		t.Errorf("%d ids, %d of them not called duplicates; want one", len(ids), firsts)
	}
	page, err := g.client.ListEvents(t.Context(), api.EventQuery{})
	if err != nil || len(page.Items) != 1 || page.Items[0].Redelivered != many-1 {
		t.Fatalf("%d events, %v: %+v; want one that came %d times more", len(page.Items), err, page.Items, many-1)
	}
	err = poll(t.Context(), func(ctx context.Context) error {
		ds, err := g.client.ListDeliveries(ctx, api.DeliveryQuery{})
		if err == nil && (len(ds.Items) != 1 || ds.Items[0].State != tenterhook.StateDelivered || ds.Items[0].Attempts != 1) {
			err = fmt.Errorf("deliveries: %+v, want one that was delivered", ds.Items)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
