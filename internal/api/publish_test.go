package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/tenterhook/tenterhook/internal/api"
)

// What is published is kept and routed as what is posted to the source is, to
// the byte, and a key that came before publishes nothing.
func publishesEvents(w *world) {
	t := w.t
	raw := api.NewBody([]byte{0xff, 0x00})
	request := api.PublishRequest{Events: []api.NewEvent{
		{Source: "github", Type: "push", Payload: json.RawMessage(`{"b":1,"a":1.10}`), IdempotencyKey: "one"},
		{Source: "github", Type: "other", Body: &raw, ContentType: "application/x-protobuf"},
	}}
	got, err := w.client.PublishEvents(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Items) != 2 || got.Items[0].Deliveries != 1 || got.Items[1].Deliveries != 0 || got.Items[0].Duplicate {
		t.Fatalf("published: %+v", got.Items)
	}
	first, err := w.store.Event(t.Context(), got.Items[0].ID)
	if err != nil || string(first.Body) != `{"b":1,"a":1.10}` || first.Type != "push" || first.Source != "github" ||
		first.DeliveryID != "one" || first.Header.Get("Content-Type") != "application/json" || first.ReceivedAt.IsZero() {
		t.Errorf("%+v, %v", first, err)
	}
	second, err := w.store.Event(t.Context(), got.Items[1].ID)
	if err != nil || string(second.Body) != "\xff\x00" || second.Header.Get("Content-Type") != "application/x-protobuf" {
		t.Errorf("%+v, %v", second, err)
	}

	request.Events = request.Events[:1]
	again, err := w.client.PublishEvents(t.Context(), request)
	if err != nil || !again.Items[0].Duplicate || again.Items[0].ID != got.Items[0].ID || again.Items[0].Deliveries != 0 {
		t.Errorf("the same key again: %+v, %v", again.Items, err)
	}
}

// A batch with one event that cannot be published publishes none.
func TestPublishRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := len(w.store.events)
	fine := api.NewEvent{Source: "github", Payload: json.RawMessage(`{}`)}
	bad, text := api.Body{Encoding: api.EncodingBase64, Content: "?"}, api.NewBody([]byte("a"))
	for name, test := range map[string]struct {
		event api.NewEvent
		want  string
	}{
		"source":       {api.NewEvent{Source: "nobody", Payload: fine.Payload}, `there is no source "nobody"`},
		"nothing":      {api.NewEvent{Source: "github"}, "either payload or body"},
		"both":         {api.NewEvent{Source: "github", Payload: fine.Payload, Body: &text}, "either payload or body"},
		"base 64":      {api.NewEvent{Source: "github", Body: &bad}, "neither text nor base 64"},
		"type":         {api.NewEvent{Source: "github", Payload: fine.Payload, Type: "a\nb"}, "printable"},
		"key":          {api.NewEvent{Source: "github", Payload: fine.Payload, IdempotencyKey: "ä"}, "printable"},
		"content type": {api.NewEvent{Source: "github", Body: &text, ContentType: "a\r\nb: c"}, "content_type"},
		"of a payload": {api.NewEvent{Source: "github", Payload: fine.Payload, ContentType: "text/plain"}, "application/json"},
	} {
		_, err := w.client.PublishEvents(t.Context(), api.PublishRequest{Events: []api.NewEvent{fine, test.event}})
		p := problem(t, err)
		if p.Status != http.StatusUnprocessableEntity || !strings.Contains(p.Detail, test.want) || !strings.Contains(p.Detail, "events[1]") {
			t.Errorf("%s: %+v", name, p)
		}
	}
	_, err := w.client.PublishEvents(t.Context(), api.PublishRequest{Events: make([]api.NewEvent, api.MaxPublish+1)})
	if p := problem(t, err); p.Status != http.StatusUnprocessableEntity {
		t.Errorf("too many: %+v", p)
	}
	if _, err := w.client.PublishEvents(t.Context(), api.PublishRequest{}); err == nil {
		t.Error("an empty batch is published")
	}
	if len(w.store.events) != before {
		t.Errorf("%d events were kept", len(w.store.events)-before)
	}
}
