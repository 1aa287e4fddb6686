// Package api is the HTTP API of the private listener: what there is to see and
// to do about events, deliveries and the running configuration. The handler and
// the client of it stand side by side and share every type, so that they cannot
// drift apart, and the OpenAPI 3.1 document at /openapi.json is made from the
// same definitions that serve the requests.
//
// The rules of the interface:
//
//   - Every request to /api/ carries "Authorization: Bearer TOKEN"; without it
//     the answer is 401, whatever was asked for.
//   - Names are snake_case, ids are text, times are RFC 3339 in UTC with
//     microseconds.
//   - Lists come newest first, in pages. A page's "next" is the cursor of the
//     page after it; there is none on the last one.
//   - Every error is a [Problem], as RFC 9457 has it, with a code from a closed
//     list and, where something can be done about it, a hint.
//   - A secret is only ever shown as its reference, such as env:APP_SECRET.
package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/store"
)

// Prefix begins the path of every operation.
const Prefix = "/api/v1"

// An EventStore holds events. Its methods return errors that wrap
// [store.ErrNotFound], [store.ErrUnavailable] or [store.ErrFailed].
type EventStore interface {
	// Events returns a page of the events that a filter chooses, newest first.
	Events(ctx context.Context, f store.EventFilter, p store.Page) ([]store.EventRow, error)
	// EventDetail returns all that is on record about one event.
	EventDetail(ctx context.Context, id tenterhook.ID) (*store.EventDetail, error)
	// Event returns one event with its body.
	Event(ctx context.Context, id tenterhook.ID) (*tenterhook.Event, error)
	// Replay sends an event again: it sets off the deliveries whose destination
	// the event has one for already, and adds the others. What it answers with
	// is also on its way to the delivery engine.
	Replay(ctx context.Context, event tenterhook.ID, deliveries []tenterhook.Delivery) (*store.ReplayResult, error)
	// Accept keeps a published event and its deliveries; once it returns they are
	// on stable storage.
	Accept(ctx context.Context, e *tenterhook.Event, ds []tenterhook.Delivery, on tenterhook.OnRedelivery) (tenterhook.Receipt, error)
}

// A DeliveryStore holds deliveries. Its methods return errors as those of an
// [EventStore] do, and a [*store.StateError] for a delivery that is in no state
// for what is asked.
type DeliveryStore interface {
	// Deliveries returns a page of the deliveries that a filter chooses, newest first.
	Deliveries(ctx context.Context, f store.DeliveryFilter, p store.Page) ([]tenterhook.Delivery, error)
	// Delivery returns one delivery with its attempts, oldest first.
	Delivery(ctx context.Context, id tenterhook.ID) (*tenterhook.Delivery, []tenterhook.Attempt, error)
	// Requeue sets off a finished delivery again, and sees to it that the
	// delivery engine learns of it.
	Requeue(ctx context.Context, id tenterhook.ID) (*tenterhook.Delivery, error)
	// Cancel stops a delivery that is not finished.
	Cancel(ctx context.Context, id tenterhook.ID) (*tenterhook.Delivery, error)
}

// A StatusStore knows what was refused and how much there is. Its methods
// return errors as those of an [EventStore] do.
type StatusStore interface {
	// Rejections returns the newest refused requests, newest first.
	Rejections(ctx context.Context, limit int) ([]tenterhook.Rejection, error)
	// Stats counts what is in the store.
	Stats(ctx context.Context) (*store.Stats, error)
}

// A Router decides by the running configuration. It never fails: a filter that
// does is a [tenterhook.Decision] that says so.
type Router interface {
	// Explain returns a decision for every route, also those of other sources.
	Explain(ctx context.Context, e *tenterhook.Event) []tenterhook.Decision
	// Route returns the decisions of the source's routes and the deliveries
	// that follow from them.
	Route(ctx context.Context, e *tenterhook.Event) ([]tenterhook.Decision, []tenterhook.Delivery)
}

// Options is what the API stands on. All fields are needed, save where noted.
type Options struct {
	Events     EventStore
	Deliveries DeliveryStore
	Status     StatusStore
	Router     Router
	// Config returns what the running configuration defines.
	Config func() View
	// Reload reads the configuration file again. Its error is shown to the
	// caller; the configuration that ran before still runs then.
	Reload func(ctx context.Context) error
	// Feed tells of events as they are accepted.
	Feed *Feed
	// Token is what a caller must show. If it is empty, every caller is refused.
	Token string
	// Version is that of the program.
	Version string
	// Log gets errors that a caller is not told the whole of. Nil discards them.
	Log *slog.Logger
}

// New returns the handler of the API. It serves /api/ and /openapi.json, and
// nothing else.
func New(o Options) http.Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	mux := http.NewServeMux()
	h := &handler{Options: o}
	mux.HandleFunc("GET /openapi.json", serveDocument(h.operations(mux)))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, unknownOperation(r))
	})
	return protect(o.Token, mux)
}

// handler holds the operations; each file of this package adds a group of them.
type handler struct{ Options }

// operations adds every operation to mux and returns the document that describes them.
func (h *handler) operations(mux *http.ServeMux) *huma.OpenAPI {
	c := huma.DefaultConfig("Tenterhook", h.Version)
	// The document is served by serveDocument; nothing else of huma's own is wanted.
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.RejectUnknownQueryParameters = true
	c.Info.Description = "Events, deliveries and the running configuration of a Tenterhook gateway."
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "The content of DATA/admin.token."},
	}
	c.Security = []map[string][]string{{"token": {}}}
	c.Transformers = []huma.Transformer{asProblem}
	a := humago.New(mux, c)

	h.registerEvents(a)
	h.registerPublish(a)
	h.registerReplay(a)
	h.registerTail(a)
	h.registerDeliveries(a)
	h.registerStatus(a)
	h.registerConfig(a)

	// huma describes errors of its own, which asProblem replaces.
	doc := a.OpenAPI()
	delete(doc.Components.Schemas.Map(), "ErrorModel")
	delete(doc.Components.Schemas.Map(), "ErrorDetail")
	return doc
}

// output is an answer with a JSON body.
type output[T any] struct{ Body T }

// operation describes one operation. Its id is what the client's method is
// called, in kebab case.
func operation(a huma.API, method, path, id, tag, summary string) huma.Operation {
	problem := a.OpenAPI().Components.Schemas.Schema(problemType(), true, "Problem")
	return huma.Operation{
		OperationID: id,
		Method:      method,
		Path:        Prefix + path,
		Summary:     summary,
		Tags:        []string{tag},
		Responses: map[string]*huma.Response{"default": {
			Description: "A problem, as RFC 9457 has it",
			Content:     map[string]*huma.MediaType{problemContent: {Schema: problem}},
		}},
	}
}

// add adds one operation whose handler answers with a T.
func add[I, T any](h *handler, a huma.API, op huma.Operation, serve func(context.Context, *I) (T, error)) {
	huma.Register(a, op, func(ctx context.Context, in *I) (*output[T], error) {
		body, err := serve(ctx, in)
		if err != nil {
			return nil, h.problem(ctx, op.OperationID, err)
		}
		return &output[T]{Body: body}, nil
	})
}

// protect lets only those to /api/ who show the token, and says of every answer
// that it is neither to be kept nor to be guessed about.
func protect(token string, next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.URL.Path != "/openapi.json" {
			shown, ok := bearer(r.Header)
			got := sha256.Sum256([]byte(shown))
			if same := subtle.ConstantTimeCompare(got[:], want[:]) == 1; !same || !ok || token == "" {
				w.Header().Set("WWW-Authenticate", `Bearer realm="tenterhook"`)
				writeProblem(w, unauthorized(ok))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// bearer returns the token of the one Authorization header.
func bearer(h http.Header) (token string, ok bool) {
	all := h.Values("Authorization")
	if len(all) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(all[0], " ")
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

// serveDocument serves the OpenAPI document, which is written once.
func serveDocument(doc *huma.OpenAPI) http.HandlerFunc {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		panic("write OpenAPI document: " + err.Error()) // made of our own types: a bug, met by every test
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(text.Bytes()) // the caller went away
	}
}
