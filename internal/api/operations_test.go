package api_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/internal/store"
)

func listsEvents(w *world) {
	t := w.t
	list := func(q api.EventQuery) (api.Page[api.Event], []tenterhook.ID) {
		t.Helper()
		page, err := w.client.ListEvents(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		ids := make([]tenterhook.ID, 0, len(page.Items))
		for _, e := range page.Items {
			ids = append(ids, e.ID)
		}
		return page, ids
	}
	since := api.Time{Time: issue.Time()}
	tests := map[string]struct {
		query api.EventQuery
		want  []tenterhook.ID
	}{
		"all":         {api.EventQuery{}, []tenterhook.ID{binary, old, issue, push}},
		"type":        {api.EventQuery{EventFilter: api.EventFilter{Type: "issues.opened"}}, []tenterhook.ID{issue}},
		"source":      {api.EventQuery{EventFilter: api.EventFilter{Source: "stripe"}}, nil},
		"delivery id": {api.EventQuery{EventFilter: api.EventFilter{DeliveryID: "gh-issues.opened"}}, []tenterhook.ID{issue}},
		"state":       {api.EventQuery{EventFilter: api.EventFilter{State: tenterhook.StateDead}}, []tenterhook.ID{push}},
		"unmatched":   {api.EventQuery{EventFilter: api.EventFilter{Unmatched: true}}, []tenterhook.ID{old, issue}},
		"since":       {api.EventQuery{EventFilter: api.EventFilter{Since: since}}, []tenterhook.ID{binary, old, issue}},
		"until":       {api.EventQuery{EventFilter: api.EventFilter{Until: since}}, []tenterhook.ID{push}},
	}
	for name, test := range tests {
		if _, got := list(test.query); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}

	first, _ := list(api.EventQuery{Cursor: api.Cursor{Limit: 3}})
	last, rest := list(api.EventQuery{Cursor: api.Cursor{Limit: 3, After: first.Next}})
	if !reflect.DeepEqual(rest, []tenterhook.ID{push}) || !last.Next.IsZero() {
		t.Errorf("last page is %v, next %q", rest, last.Next)
	}
	want := api.Event{
		ID: push, Source: "github", Type: "push", DeliveryID: "gh-push", Size: 25, Redelivered: 1,
		ReceivedAt: api.Time{Time: push.Time().Add(456 * time.Microsecond)}, BodySHA256: last.Items[0].BodySHA256,
		Outcomes: outcomes(tenterhook.StateDelivered, 1, tenterhook.StateDead, 1), BodyBound: true,
	}
	if diff := cmp.Diff(want, last.Items[0]); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func getsEvent(w *world) {
	t := w.t
	got, err := w.client.GetEvent(t.Context(), push)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case got.Body != api.NewBody([]byte(`{"ref":"refs/heads/main"}`)),
		got.Headers.Get("X-GitHub-Event") != "push",
		len(got.Decisions) != 1 || got.Decisions[0].Route != "main",
		len(got.Redeliveries) != 1 || !got.Redeliveries[0].SameBody,
		len(got.Deliveries) != 2 || got.Deliveries[1].LastError != "exit status 1",
		len(got.Attempts) != 2 || got.Attempts[0].DurationMS != 1.5 || got.Attempts[1].RetryAfterMS != 1000:
		t.Errorf("event is %+v", got)
	}
	for id, want := range map[tenterhook.ID]api.Encoding{old: api.EncodingPruned, binary: api.EncodingBase64} {
		got, err := w.client.GetEvent(t.Context(), id)
		if err != nil || got.Body.Encoding != want {
			t.Errorf("body is %+v (%v), want it %s", got.Body, err, want)
		}
	}
	w.store.events[0].Body = bytes.Repeat([]byte("x"), api.MaxInline+1)
	if got, err := w.client.GetEvent(t.Context(), push); err != nil || got.Body != (api.Body{Encoding: api.EncodingLarge}) {
		t.Errorf("large body is %d bytes of encoding %s (%v)", len(got.Body.Content), got.Body.Encoding, err)
	}
	answer := request(t, w, http.MethodGet, "/api/v1/events/"+push.String(), "Bearer "+token, nil)
	if want := `"received_at":"2026-03-01T12:01:00.123456Z"`; !strings.Contains(string(answer.text), want) {
		t.Errorf("%s is not in %.300s", want, answer.text)
	}
}

func getsBody(w *world) {
	t := w.t
	var got bytes.Buffer
	if err := w.client.GetEventBody(t.Context(), binary, &got); err != nil {
		t.Fatal(err)
	}
	if want := []byte{0xff, 0x00, 0x1b}; !bytes.Equal(got.Bytes(), want) {
		t.Errorf("body is %x, want %x", got.Bytes(), want)
	}
	// What comes from outside must never be shown by a browser as a page of ours.
	answer := request(t, w, http.MethodGet, "/api/v1/events/"+binary.String()+"/body", "Bearer "+token, nil)
	for name, want := range map[string]string{
		"Content-Type":           "application/octet-stream",
		"X-Content-Type-Options": "nosniff",
		"Content-Disposition":    `attachment; filename="` + binary.String() + `.body"`,
	} {
		if got := answer.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func explains(w *world) {
	t := w.t
	got, err := w.client.ExplainEvent(t.Context(), push)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Stored) != 1 || len(got.Stored[0].To) != 2 || len(got.Present) != 1 || len(got.Present[0].To) != 1 {
		t.Errorf("explanation is %+v", got)
	}
	if got, err := w.client.ExplainEvent(t.Context(), old); err != nil || !got.Pruned {
		t.Errorf("explanation of a pruned event is %+v (%v)", got, err)
	}
}

func replaysOne(w *world) {
	t := w.t
	replay := func(id tenterhook.ID, to ...string) (added, requeued, waiting int) {
		t.Helper()
		r, err := w.client.ReplayEvent(t.Context(), id, api.ReplayRequest{Destinations: to})
		if err != nil {
			t.Fatal(err)
		}
		return len(r.Added), len(r.Requeued), len(r.Waiting)
	}
	// By the present routes a push goes to app; it was sent to deploy as well, which can be asked for.
	if added, requeued, _ := replay(push); added != 0 || requeued != 1 {
		t.Errorf("replay added %d and requeued %d, want 0 and 1", added, requeued)
	}
	if added, requeued, _ := replay(push, "deploy"); added != 0 || requeued != 1 {
		t.Errorf("replay to deploy added %d and requeued %d, want 0 and 1", added, requeued)
	}
	if _, requeued, waiting := replay(binary); requeued != 0 || waiting != 1 {
		t.Errorf("replay of what waits requeued %d and left %d, want 0 and 1", requeued, waiting)
	}
	if added, requeued, waiting := replay(issue); added+requeued+waiting != 0 {
		t.Error("replay of what no route takes set something off")
	}
	// The route is fixed, so that what nothing took before is taken now.
	w.store.events[1].Type = "push"
	if added, _, _ := replay(issue); added != 1 {
		t.Errorf("replay after the route was fixed added %d, want 1", added)
	}
	answer := request(t, w, http.MethodPost, "/api/v1/events/"+push.String()+"/replay", "Bearer "+token, nil)
	if answer.status != http.StatusOK {
		t.Errorf("replay without a body: %d: %s", answer.status, answer.text)
	}
}

func replaysMany(w *world) {
	t := w.t
	request := api.ReplayManyRequest{Filter: api.EventFilter{Source: "github"}, DryRun: true}
	want := api.ReplayManyResult{
		DryRun: true, Events: 4, Destinations: map[string]int{"app": 2}, Unmatched: 1, Pruned: 1,
	}
	for range 2 { // a dry run changes nothing
		got, err := w.client.ReplayEvents(t.Context(), request)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("dry run: %v (-want +got):\n%s", err, diff)
		}
	}
	request.DryRun = false
	want.DryRun, want.Destinations, want.Waiting = false, map[string]int{"app": 1}, 1
	got, err := w.client.ReplayEvents(t.Context(), request)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("replay: %v (-want +got):\n%s", err, diff)
	}
	request.Limit = 3
	got, err = w.client.ReplayEvents(t.Context(), request)
	if err != nil || got.Events != 3 || !got.More {
		t.Errorf("replay of the newest 3: %+v (%v)", got, err)
	}
}

func tails(w *world) {
	t := w.t
	type result struct {
		events []api.Event
		err    error
	}
	done := make(chan result)
	go func() {
		var r result
		enough := errors.New("enough")
		r.err = w.client.TailEvents(t.Context(), api.TailQuery{Source: "github", Type: "issues"}, api.TailHandler{
			Event: func(e api.Event) error {
				if r.events = append(r.events, e); len(r.events) == 2 {
					return enough
				}
				return nil
			},
		})
		if errors.Is(r.err, enough) {
			r.err = nil
		}
		done <- r
	}()
	for !w.feed.Watched() {
		runtime.Gosched()
	}
	row := func(id tenterhook.ID, source, typ string) {
		w.feed.Publish(store.EventRow{Event: tenterhook.Event{ID: id, Source: source, Type: typ, Decisions: []tenterhook.Decision{
			{Route: "a", To: []string{"app", "deploy"}}, {Route: "b", To: []string{"app"}}, {Route: "c"},
		}}})
	}
	row(push, "github", "push")
	row(old, "gitlab", "issues.opened")
	row(issue, "github", "issues.opened")
	row(binary, "github", "issues.closed")
	r := <-done
	if r.err != nil || len(r.events) != 2 || r.events[0].ID != issue || r.events[1].ID != binary {
		t.Fatalf("tail brought %+v, error %v", r.events, r.err)
	}
	if want := outcomes(tenterhook.StatePending, 2); !maps.Equal(r.events[0].Outcomes, want) {
		t.Errorf("outcomes are %v, want %v", r.events[0].Outcomes, want)
	}
}

func listsDeliveries(w *world) {
	t := w.t
	tests := map[string]struct {
		query api.DeliveryQuery
		want  []tenterhook.ID
	}{
		"all":         {api.DeliveryQuery{}, []tenterhook.ID{binary.Delivery(1), push.Delivery(2), push.Delivery(1)}},
		"event":       {api.DeliveryQuery{Event: push}, []tenterhook.ID{push.Delivery(2), push.Delivery(1)}},
		"destination": {api.DeliveryQuery{Destination: "app"}, []tenterhook.ID{binary.Delivery(1), push.Delivery(1)}},
		"state":       {api.DeliveryQuery{State: tenterhook.StateDead}, []tenterhook.ID{push.Delivery(2)}},
		"page":        {api.DeliveryQuery{Cursor: api.Cursor{After: push.Delivery(2)}}, []tenterhook.ID{push.Delivery(1)}},
	}
	for name, test := range tests {
		page, err := w.client.ListDeliveries(t.Context(), test.query)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]tenterhook.ID, 0, len(page.Items))
		for _, d := range page.Items {
			got = append(got, d.ID)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func getsDelivery(w *world) {
	t := w.t
	got, err := w.client.GetDelivery(t.Context(), push.Delivery(1))
	if err != nil {
		t.Fatal(err)
	}
	if got.EventID != push || len(got.History) != 1 || got.History[0].Response != api.NewBody([]byte("ok")) {
		t.Errorf("delivery is %+v", got)
	}
}

func retries(w *world) {
	t := w.t
	got, err := w.client.RetryDelivery(t.Context(), push.Delivery(2))
	if err != nil || got.State != tenterhook.StatePending {
		t.Errorf("delivery is %+v (%v)", got, err)
	}
}

func cancels(w *world) {
	t := w.t
	got, err := w.client.CancelDelivery(t.Context(), binary.Delivery(1))
	if err != nil || got.State != tenterhook.StateCancelled {
		t.Errorf("delivery is %+v (%v)", got, err)
	}
}

func listsRejections(w *world) {
	t := w.t
	got, err := w.client.ListRejections(t.Context(), api.RejectionQuery{Limit: 1})
	if err != nil || len(got.Items) != 1 || got.Items[0].Reason != "signature_mismatch" {
		t.Errorf("rejections are %+v (%v)", got, err)
	}
}

func getsStats(w *world) {
	t := w.t
	got, err := w.client.GetStats(t.Context())
	want := api.Stats{Events: 4, Bytes: 4096, Destinations: []api.Load{
		{Destination: "app", Pending: 2, OldestDue: api.Time{Time: begin}}, {Destination: "deploy", Dead: 1},
	}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("stats: %v (-want +got):\n%s", err, diff)
	}
}

func getsVersion(w *world) {
	t := w.t
	if got, err := w.client.GetVersion(t.Context()); err != nil || got.Version != "v1.2.3" {
		t.Errorf("version is %+v (%v)", got, err)
	}
}

func listsSources(w *world) {
	t := w.t
	got, err := w.client.ListSources(t.Context())
	if err != nil || len(got.Items) != 1 || !reflect.DeepEqual(got.Items[0].Secrets, []string{"env:HUB"}) {
		t.Errorf("sources are %+v (%v)", got, err)
	}
}

func listsDestinations(w *world) {
	t := w.t
	got, err := w.client.ListDestinations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Items) != 2 || got.Items[0].Load.Pending != 2 || got.Items[1].Load.Dead != 1 {
		t.Errorf("destinations are %+v", got)
	}
	if url := got.Items[0].URL; url != "https://example.com/hook?key=redacted" {
		t.Errorf("URL is shown as %s", url)
	}
}

func listsRoutes(w *world) {
	t := w.t
	got, err := w.client.ListRoutes(t.Context())
	if diff := cmp.Diff(view().Routes, got.Items); err != nil || diff != "" {
		t.Errorf("routes: %v (-want +got):\n%s", err, diff)
	}
}

func testsRoutes(w *world) {
	t := w.t
	got, err := w.client.TestRoutes(t.Context(), api.RouteTest{
		Source: "github", Type: "push", Headers: http.Header{"X-A": {"b"}}, Body: api.NewBody([]byte{0xff}),
	})
	if err != nil || len(got.Decisions) != 1 || !reflect.DeepEqual(got.Destinations, []string{"app"}) {
		t.Errorf("result is %+v (%v)", got, err)
	}
	_, err = w.client.TestRoutes(t.Context(), api.RouteTest{Source: "github", Body: api.Body{Encoding: api.EncodingBase64, Content: "?"}})
	if p := problem(t, err); p.Code != api.CodeInvalid {
		t.Errorf("problem is %+v", p)
	}
	large := api.NewBody(bytes.Repeat([]byte{0xff}, 2<<20))
	if _, err := w.client.TestRoutes(t.Context(), api.RouteTest{Source: "github", Body: large}); err != nil {
		t.Errorf("a large webhook: %v", err)
	}
}

func reloads(w *world) {
	t := w.t
	got, err := w.client.Reload(t.Context())
	if want := (api.Reloaded{Sources: 1, Destinations: 2, Routes: 1}); err != nil || got != want {
		t.Errorf("reload answered %+v (%v), want %+v", got, err, want)
	}
	w.reload = errors.Join(errors.New("a.yaml:1:2: unknown key"), errors.New("a.yaml:3:4: no secret"))
	_, err = w.client.Reload(context.Background())
	p := problem(t, err)
	if p.Code != api.CodeConfiguration || len(p.Errors) != 2 || p.Errors[1].Message != "a.yaml:3:4: no secret" {
		t.Errorf("problem is %+v", p)
	}
}
