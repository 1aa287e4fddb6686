package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/internal/store"
)

var update = flag.Bool("update", false, "write the golden files anew")

// calls holds, by operation id, what a client sees of the operation. Every
// operation has one.
func calls() map[string]func(*world) {
	return map[string]func(*world){
		"list-events":       listsEvents,
		"publish-events":    publishesEvents,
		"get-event":         getsEvent,
		"get-event-body":    getsBody,
		"explain-event":     explains,
		"replay-event":      replaysOne,
		"replay-events":     replaysMany,
		"tail-events":       tails,
		"list-deliveries":   listsDeliveries,
		"get-delivery":      getsDelivery,
		"retry-delivery":    retries,
		"cancel-delivery":   cancels,
		"list-rejections":   listsRejections,
		"get-stats":         getsStats,
		"get-version":       getsVersion,
		"list-sources":      listsSources,
		"list-destinations": listsDestinations,
		"list-routes":       listsRoutes,
		"test-routes":       testsRoutes,
		"reload":            reloads,
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	for id, check := range calls() {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			check(newWorld(t))
		})
	}
}

// TestDocument holds the list of operations against its golden file, and every
// operation against the client and the calls above.
func TestDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := document(t, w)
	var list []string
	for path, methods := range doc.Paths {
		for method, op := range methods {
			list = append(list, fmt.Sprintf("%-4s %-36s %-18s %s", strings.ToUpper(method), path, op.ID, op.Summary))
			if calls()[op.ID] == nil {
				t.Errorf("operation %s is not called by any test", op.ID)
			}
			if name := camel(op.ID); !hasMethod(w.client, name) {
				t.Errorf("operation %s has no method %s of the client", op.ID, name)
			}
			if _, ok := op.Responses["default"].Content["application/problem+json"]; !ok {
				t.Errorf("operation %s does not say what its errors look like", op.ID)
			}
		}
	}
	slices.Sort(list)
	golden(t, "operations.txt", strings.Join(list, "\n")+"\n")
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("document is of OpenAPI %q, want 3.1", doc.OpenAPI)
	}
	for _, name := range []string{"ErrorModel", "ErrorDetail"} {
		if _, ok := doc.Components.Schemas[name]; ok {
			t.Errorf("document describes %s, which is never sent", name)
		}
	}
}

type openAPI struct {
	OpenAPI string `json:"openapi"`
	Paths   map[string]map[string]struct {
		ID        string `json:"operationId"` //nolint:tagliatelle // because OpenAPI calls it so
		Summary   string `json:"summary"`
		Responses map[string]struct {
			Content map[string]any `json:"content"`
		} `json:"responses"`
	} `json:"paths"`
	Components struct {
		Schemas map[string]any `json:"schemas"`
	} `json:"components"`
}

func document(t *testing.T, w *world) openAPI {
	t.Helper()
	got := request(t, w, http.MethodGet, "/openapi.json", "", nil)
	if got.status != http.StatusOK {
		t.Fatalf("GET /openapi.json: %d", got.status)
	}
	var doc openAPI
	if err := json.Unmarshal(got.text, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func camel(id string) string {
	var name strings.Builder
	for word := range strings.SplitSeq(id, "-") {
		name.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return name.String()
}

func hasMethod(v any, name string) bool {
	_, ok := reflect.TypeOf(v).MethodByName(name)
	return ok
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update writes it anew):\n%s", name, diff)
	}
}

// An answer is what came of a request made by hand.
type answer struct {
	status int
	header http.Header
	text   []byte
}

// request makes a request by hand. An empty auth sends no header.
func request(t *testing.T, w *world, method, path, auth string, body io.Reader) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.server.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	got, err := w.server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }() // read to its end
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{got.StatusCode, got.Header, text}
}

func TestToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := map[string]struct {
		auth string
		want int
	}{
		"right":        {"Bearer " + token, http.StatusOK},
		"any case":     {"bearer " + token, http.StatusOK},
		"none":         {"", http.StatusUnauthorized},
		"wrong":        {"Bearer nonsense", http.StatusUnauthorized},
		"empty":        {"Bearer ", http.StatusUnauthorized},
		"begin of it":  {"Bearer " + token[:5], http.StatusUnauthorized},
		"other scheme": {"Basic " + token, http.StatusUnauthorized},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, path := range []string{"/api/v1/stats", "/api/v1/none", "/api/"} {
				got := request(t, w, http.MethodGet, path, test.auth, nil)
				want := test.want
				if want == http.StatusOK && path != "/api/v1/stats" {
					want = http.StatusNotFound
				}
				if got.status != want {
					t.Errorf("GET %s: %d, want %d", path, got.status, want)
				}
				if got.status != http.StatusOK && got.header.Get("Content-Type") != "application/problem+json" {
					t.Errorf("GET %s: %s is no problem", path, got.text)
				}
			}
		})
	}
}

func TestEmptyTokenRefusesAll(t *testing.T) {
	t.Parallel()
	w := &world{store: filled(), feed: &api.Feed{}}
	o := w.options()
	o.Token = ""
	rec := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodGet, "/api/v1/stats", nil)
	req.Header.Set("Authorization", "Bearer ")
	api.New(o).ServeHTTP(rec, req)
	if rec.Code != http.StatusUnauthorized {
		t.Errorf("status is %d, want 401", rec.Code)
	}
}

// TestProblems says which kind of error has which status and code.
func TestProblems(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	tests := map[string]struct {
		store  error
		call   func(c *api.Client) error
		status int
		code   api.Code
	}{
		"not found": {
			call:   func(c *api.Client) error { _, err := c.GetEvent(ctx, unknown); return err },
			status: http.StatusNotFound, code: api.CodeNotFound,
		},
		"wrong state": {
			call:   func(c *api.Client) error { _, err := c.CancelDelivery(ctx, push.Delivery(1)); return err },
			status: http.StatusConflict, code: api.CodeState,
		},
		"body pruned": {
			call:   func(c *api.Client) error { return c.GetEventBody(ctx, old, io.Discard) },
			status: http.StatusGone, code: api.CodePruned,
		},
		"replay of pruned": {
			call:   func(c *api.Client) error { _, err := c.ReplayEvent(ctx, old, api.ReplayRequest{}); return err },
			status: http.StatusGone, code: api.CodePruned,
		},
		"id of something else": {
			call:   func(c *api.Client) error { _, err := c.GetEvent(ctx, push.Delivery(1)); return err },
			status: http.StatusUnprocessableEntity, code: api.CodeInvalid,
		},
		"limit out of range": {
			call: func(c *api.Client) error {
				_, err := c.ListEvents(ctx, api.EventQuery{Cursor: api.Cursor{Limit: 501}})
				return err
			},
			status: http.StatusUnprocessableEntity, code: api.CodeInvalid,
		},
		"no such state": {
			call: func(c *api.Client) error {
				_, err := c.ListDeliveries(ctx, api.DeliveryQuery{State: "lost"})
				return err
			},
			status: http.StatusUnprocessableEntity, code: api.CodeInvalid,
		},
		"no such destination": {
			call: func(c *api.Client) error {
				_, err := c.ReplayEvent(ctx, push, api.ReplayRequest{Destinations: []string{"ap"}})
				return err
			},
			status: http.StatusUnprocessableEntity, code: api.CodeInvalid,
		},
		"destination of no route": {
			call: func(c *api.Client) error {
				_, err := c.ReplayEvent(ctx, issue, api.ReplayRequest{Destinations: []string{"app"}})
				return err
			},
			status: http.StatusUnprocessableEntity, code: api.CodeInvalid,
		},
		"disk full": {
			store:  fmt.Errorf("write: %w", store.ErrUnavailable),
			call:   func(c *api.Client) error { _, err := c.RetryDelivery(ctx, push.Delivery(2)); return err },
			status: http.StatusServiceUnavailable, code: api.CodeUnavailable,
		},
		"fault": {
			store:  errors.New("row 7 of secret table"),
			call:   func(c *api.Client) error { _, err := c.GetEvent(ctx, push); return err },
			status: http.StatusInternalServerError, code: api.CodeInternal,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.store.fail = test.store
			p := problem(t, test.call(w.client))
			if p.Status != test.status || p.Code != test.code {
				t.Errorf("problem is %d %s, want %d %s", p.Status, p.Code, test.status, test.code)
			}
			if p.Detail == "" || strings.Contains(p.Detail, "secret") {
				t.Errorf("detail is %q", p.Detail)
			}
		})
	}
}

func TestInvalidRequestsAreProblems(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := map[string]struct{ method, path, body, detail string }{
		"not an id":         {"GET", "/api/v1/events/evt_1", "", "path.id: "},
		"unknown parameter": {"GET", "/api/v1/events?colour=red", "", "query.colour: "},
		"not a time":        {"GET", "/api/v1/events?since=yesterday", "", "query.since: "},
		"not JSON":          {"POST", "/api/v1/events/replay", "{", ""},
		"unknown field":     {"POST", "/api/v1/events/replay", `{"colour":"red"}`, "body.colour: "},
		"body missing":      {"POST", "/api/v1/routes/test", "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := request(t, w, test.method, test.path, "Bearer "+token, strings.NewReader(test.body))
			var p api.Problem
			if err := json.Unmarshal(got.text, &p); err != nil {
				t.Fatalf("%s: %v", got.text, err)
			}
			if got.status/100 != 4 || p.Status != got.status || p.Code != api.CodeInvalid {
				t.Errorf("answer is %d: %s", got.status, got.text)
			}
			if !strings.HasPrefix(p.Detail, test.detail) {
				t.Errorf("detail is %q, want it to begin with %q", p.Detail, test.detail)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.server.Close()
	_, err := w.client.GetStats(t.Context())
	if !errors.Is(err, api.ErrUnreachable) {
		t.Errorf("error is %v, want %v", err, api.ErrUnreachable)
	}
	err = w.client.TailEvents(t.Context(), api.TailQuery{}, api.TailHandler{})
	if !errors.Is(err, api.ErrUnreachable) {
		t.Errorf("error of tail is %v, want %v", err, api.ErrUnreachable)
	}
	if strings.Contains(err.Error(), token) {
		t.Errorf("error tells the token: %v", err)
	}
}

func TestClientSendsTokenNowhereElse(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("redirect was followed with %q", r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	here := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer here.Close()
	c, err := api.NewClient(here.URL, token, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.GetStats(t.Context())
	if p := problem(t, err); p.Status != http.StatusTemporaryRedirect || p.Hint == "" {
		t.Errorf("problem is %+v", p)
	}
}

func TestNewClientWantsURL(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "127.0.0.1:8001", "ftp://example.com", "http://", "/api"} {
		if _, err := api.NewClient(url, token, nil); err == nil {
			t.Errorf("NewClient(%q) is taken", url)
		}
	}
}

func TestBody(t *testing.T) {
	t.Parallel()
	for _, content := range [][]byte{{}, []byte("{}"), []byte("a\u2028\x00\x1b\r\n<&>"), {0xff}, bytes.Repeat([]byte{0xc3}, 9)} {
		text, err := json.Marshal(api.NewBody(content))
		if err != nil {
			t.Fatal(err)
		}
		var b api.Body
		if err := json.Unmarshal(text, &b); err != nil {
			t.Fatal(err)
		}
		if got, ok := b.Bytes(); !ok || !bytes.Equal(got, content) {
			t.Errorf("%q came back as %q", content, got)
		}
	}
}

func outcomes(s ...any) api.Outcomes {
	o := api.Outcomes{}
	for i := 0; i < len(s); i += 2 {
		o[s[i].(tenterhook.State)] = s[i+1].(int)
	}
	return o
}
