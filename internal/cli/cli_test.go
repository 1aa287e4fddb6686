package cli

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/internal/config"
	"github.com/tenterhook/tenterhook/signature"
	"github.com/tenterhook/tenterhook/signature/extra"
)

// result is how a command line ended.
type result struct {
	code        exit
	out, errors string
}

// command runs a command line in an environment of NAME=VALUE.
func command(t *testing.T, in string, env []string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), process{
		args: args, in: strings.NewReader(in), out: &out, err: &errs,
		env: config.Env{LookupEnv: func(name string) (string, bool) {
			for _, pair := range env {
				if key, value, _ := strings.Cut(pair, "="); key == name {
					return value, true
				}
			}
			return "", false
		}},
	})
	return result{code, out.String(), errs.String()}
}

func walk(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, c := range cmd.Commands() {
		walk(c, visit)
	}
}

// TestHelp walks all commands: each says what it is for, how it is used, by
// example, and how it can end.
func TestHelp(t *testing.T) {
	t.Parallel()
	root := newRoot(&app{ui: newUI(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{}, true)})
	walk(root, func(cmd *cobra.Command) {
		var b bytes.Buffer
		if err := help(&b, cmd); err != nil {
			t.Fatal(err)
		}
		for _, section := range []string{"Usage:\n", "Examples:\n", "Exit codes:\n  0 done, 1 failed, 2 wrong usage"} {
			if !strings.Contains(b.String(), section) {
				t.Errorf("help of %q has no %q:\n%s", cmd.CommandPath(), strings.SplitN(section, "\n", 2)[0], b.String())
			}
		}
		for line := range strings.SplitSeq(cmd.Example, "\n") {
			if !strings.Contains(line, cmd.CommandPath()) {
				t.Errorf("example of %q does not show it: %s", cmd.CommandPath(), line)
			}
		}
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%q is described as %q", cmd.CommandPath(), cmd.Short)
		}
	})
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args []string
		want string
	}{
		"unknown command":    {[]string{"evnts"}, "hint: did you mean tenterhook events?"},
		"unknown subcommand": {[]string{"events", "lst"}, "hint: did you mean tenterhook events list?"},
		"unknown flag":       {[]string{"check", "--colour"}, "unknown flag: --colour"},
		"flag without value": {[]string{"check", "--config"}, "hint: see tenterhook check --help"},
		"argument missing":   {[]string{"events", "show"}, "usage: tenterhook events show ID"},
		"argument too many":  {[]string{"version", "x"}, "tenterhook version"},
		"not an id":          {[]string{"events", "show", "x"}, "tenterhook events list shows ids"},
		"id of an event":     {[]string{"deliveries", "show", evt.String()}, "deliveries list --event " + evt.String()},
		"no such state":      {[]string{"events", "list", "--state", "lost"}, "states: delivered, pending"},
		"not a time":         {[]string{"events", "list", "--since", "soon"}, `"soon" is not a time`},
		"nothing chosen":     {[]string{"events", "replay"}, "no events to send again"},
		"both chosen":        {[]string{"events", "replay", evt.String(), "--all"}, "not both"},
		"no payload":         {[]string{"route", "test"}, "no payload to try"},
		"two things to try":  {[]string{"route", "test", "--event", evt.String(), "x.json"}, "--event stands for"},
		"not a shell":        {[]string{"completion", "csh"}, "shells: bash"},
		"not a provider":     {[]string{"init", "nobody"}, "--provider hmac"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := command(t, "", nil, test.args...)
			if r.code != exitUsage || !strings.Contains(r.errors, test.want) || r.out != "" {
				t.Errorf("exit %d, stdout %q, stderr %q; want exit 2 and %q", r.code, r.out, r.errors, test.want)
			}
		})
	}
}

func TestErrorsAsJSON(t *testing.T) {
	t.Parallel()
	r := command(t, "", nil, "events", "show", "x", "--json")
	var got struct {
		Error struct {
			Exit          int
			Message, Hint string
		}
	}
	if err := json.Unmarshal([]byte(r.errors), &got); err != nil {
		t.Fatalf("%s: %v", r.errors, err)
	}
	if got.Error.Exit != 2 || !strings.Contains(got.Error.Message, "not an id") || got.Error.Hint == "" || r.out != "" {
		t.Errorf("error is %+v, stdout %q", got.Error, r.out)
	}
}

func TestVersionAndCompletion(t *testing.T) {
	t.Parallel()
	if r := command(t, "", nil, "version"); r.code != exitDone || !strings.HasPrefix(r.out, "tenterhook ") {
		t.Errorf("version: %+v", r)
	}
	var v versionInfo
	if r := command(t, "", nil, "version", "--json"); json.Unmarshal([]byte(r.out), &v) != nil || v.Go == "" {
		t.Errorf("version --json: %+v", r)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := command(t, "", nil, "completion", shell); r.code != exitDone || !strings.Contains(r.out, "tenterhook") {
			t.Errorf("completion %s: exit %d, %.100s", shell, r.code, r.out)
		}
	}
}

// TestInit writes the file for every provider and checks it with check.
func TestInit(t *testing.T) {
	t.Parallel()
	for _, name := range starterNames() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "gateway.yaml")
			r := command(t, "", nil, "init", "--provider", name, "--config", path, "--json")
			var made initialized
			if err := json.Unmarshal([]byte(r.out), &made); err != nil || r.code != exitDone || made.Provider != name {
				t.Fatalf("init: %+v, %v", r, err)
			}
			scheme, _ := extra.Lookup(name)
			env := []string{"APP_SECRET=" + standIn}
			for _, variable := range made.Variables {
				env = append(env, variable+"="+receiversSecret(t, scheme))
			}
			if r := command(t, "", env, "check", "--config", path); r.code != exitDone {
				content, _ := os.ReadFile(path)
				t.Errorf("check of what init wrote: %+v\n%s", r, content)
			}
			r = command(t, "", nil, "init", name, "--config", path)
			if r.code != exitFailed || !strings.Contains(r.errors, "is there already") {
				t.Errorf("second init: %+v", r)
			}
		})
	}
}

// receiversSecret is a secret of the form that the scheme wants. Nil is hmac.
func receiversSecret(t *testing.T, scheme *signature.Scheme) string {
	t.Helper()
	if scheme == nil {
		return standIn
	}
	for _, text := range append([]string{standIn, "arn:aws:sns:eu-central-1:123456789012:orders"}, testSecrets()...) {
		if keys, err := signature.NewKeys(text); err == nil && scheme.CheckKeys(keys) == nil {
			return text
		}
	}
	t.Fatalf("no secret of the test has the form that %s wants", scheme.Name())
	return ""
}

// TestInitSaysWhatToKnow looks at what is special about some providers.
func TestInitSaysWhatToKnow(t *testing.T) {
	t.Parallel()
	for name, wants := range map[string][]string{
		"stripe":  {"secret: env:STRIPE_WEBHOOK_SECRET", "  # The secret: the signing secret of the endpoint"},
		"discord": {"secret: env:DISCORD_PUBLIC_KEY", "asks whether somebody is there"},
		"twilio":  {"# public_url: https://hooks.example.com", "signs the URL"},
		"gitlab":  {"The body is not signed"},
		"kinde":   {"The secret: none of yours", "issuer: env:KINDE_ISSUER"},
		"meta":    {"verify_token: env:META_VERIFY_TOKEN", "a text of your choosing"},
		"asana":   {"secret: file:asana.secret"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "gateway.yaml")
			r := command(t, "", nil, "init", name, "--config", path)
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("%+v, %v", r, err)
			}
			for _, want := range wants {
				if !strings.Contains(string(content), want) {
					t.Errorf("no %q in:\n%s", want, content)
				}
			}
			if !strings.Contains(r.errors, "https://HOST/webhook/"+name) || !strings.Contains(r.errors, "says more: https://") {
				t.Errorf("says nothing of what to do at the provider: %s", r.errors)
			}
			for line := range strings.Lines(string(content)) {
				if len([]rune(line)) > 115 {
					t.Errorf("%d characters are too wide: %s", len([]rune(line)), line)
				}
			}
		})
	}
	r := command(t, "", nil, "init", "stirpe", "--config", filepath.Join(t.TempDir(), "x.yaml"))
	if r.code != exitUsage || !strings.Contains(r.errors, "did you mean stripe?") {
		t.Errorf("a slip: %+v", r)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	path := writeConfig(t, "sources:\n  hub:\n    provider: github\n    secret: env:HUB\n    colour: red\n")
	r := command(t, "", []string{"HUB=x"}, "check", "--config", path)
	if r.code != exitConfig || !strings.Contains(r.errors, path+":5:5: ") || r.out != "" {
		t.Errorf("check: %+v", r)
	}
	r = command(t, "", []string{"HUB=x"}, "check", "--config", path, "--json")
	var got checked
	if err := json.Unmarshal([]byte(r.out), &got); err != nil {
		t.Fatal(err)
	}
	if r.code != exitConfig || got.Valid || got.File != path || len(got.Problems) == 0 || got.Problems[0].Line != 5 || r.errors != "" {
		t.Errorf("check --json: exit %d, stderr %q, %+v", r.code, r.errors, got)
	}
	if r := command(t, "", nil, "check", "--config", path+".none"); r.code != exitConfig {
		t.Errorf("check of no file: %+v", r)
	}
	var schema map[string]any
	if r := command(t, "", nil, "check", "--schema"); json.Unmarshal([]byte(r.out), &schema) != nil || schema["properties"] == nil {
		t.Errorf("check --schema: %+v", r)
	}
}

const routesConfig = `
sources:
  hub: {provider: github, secret: env:NOT_SET}
destinations:
  app: {url: "https://example.com/", sign: none}
routes:
  - {name: pushes, from: hub, types: [push], to: [app]}
`

func writeConfig(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tenterhook.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRouteTest needs neither a server nor the secrets.
func TestRouteTest(t *testing.T) {
	t.Parallel()
	path := writeConfig(t, routesConfig)
	tests := map[string]struct {
		args []string
		code exit
		want string
	}{
		"by type":        {[]string{"--type", "push"}, exitDone, "goes to app"},
		"by header":      {[]string{"-H", "X-GitHub-Event: push"}, exitDone, "goes to app"},
		"with subtype":   {[]string{"-H", "x-github-event: issues"}, exitUndelivered, "type issues.opened"},
		"no match":       {[]string{"--type", "issues"}, exitUndelivered, "goes nowhere"},
		"other source":   {[]string{"--source", "lab"}, exitUsage, "name one with --source: hub"},
		"bad header":     {[]string{"-H", "push"}, exitUsage, `"push" is not a header`},
		"as JSON":        {[]string{"--type", "push", "--json"}, exitDone, `"destinations": [`},
		"as JSON, no":    {[]string{"--type", "issues", "--json"}, exitUndelivered, `"destinations": []`},
		"no such config": {[]string{"--config", path + ".none"}, exitConfig, "tenterhook.yaml.none"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"route", "test", "--config", path, "-"}, test.args...)
			r := command(t, `{"action":"opened"}`, nil, args...)
			if r.code != test.code || !strings.Contains(r.out+r.errors, test.want) {
				t.Errorf("%+v, want exit %d and %q", r, test.code, test.want)
			}
		})
	}
}

var (
	ids = testIDs()
	evt = ids[0]
	dlv = evt.Delivery(1)
)

func testIDs() []tenterhook.ID {
	g := tenterhook.NewIDs(func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) })
	return []tenterhook.ID{g.New(), g.New()}
}

// hostile is a text that would steer a terminal, or deceive the one who reads.
const hostile = "\x1b]0;owned\x07\u202eevil\u009b31m"

// answers are what the server of the tests below says, by method and path.
func answers() map[string]any {
	at := api.Time{Time: time.Now().Add(-3 * time.Minute)}
	event := api.Event{
		ID: evt, Source: "hub", Type: "push" + hostile, DeliveryID: "gh-1", ReceivedAt: at, Size: 7577, Redelivered: 1,
		Outcomes: api.Outcomes{tenterhook.StateDelivered: 2, tenterhook.StateRetrying: 1},
	}
	delivery := api.Delivery{
		ID: dlv, EventID: evt, Destination: "app", Route: "main", State: tenterhook.StateRetrying, Attempts: 2,
		NextAt: api.Time{Time: time.Now().Add(time.Minute)}, UpdatedAt: at, LastStatus: 503, LastError: "status 503" + hostile,
	}
	attempts := []api.Attempt{
		{ID: dlv.Attempt(1), DeliveryID: dlv, StartedAt: at, DurationMS: 8, Outcome: tenterhook.OutcomeRetry, Status: 503,
			Error: "status 503", Response: api.NewBody([]byte("busy" + hostile))},
		{ID: dlv.Attempt(2), DeliveryID: dlv, StartedAt: at, DurationMS: 8, Outcome: tenterhook.OutcomeSuccess, Status: 204,
			Response: api.NewBody(nil)},
	}
	matched := []tenterhook.Decision{{Route: "main", Verdict: tenterhook.VerdictMatched, To: []string{"app"}}}
	other := []tenterhook.Decision{{Route: "main", Verdict: tenterhook.VerdictWhen, Detail: `.ref == "refs/heads/main" is false`}}
	cancelled := delivery
	cancelled.State = tenterhook.StateCancelled
	return map[string]any{
		"GET /api/v1/events": api.Page[api.Event]{Items: []api.Event{event}},
		"GET /api/v1/events/" + evt.String(): api.EventDetail{
			Event: event, Headers: http.Header{"X-Evil": {hostile}}, Body: api.NewBody([]byte(`{"ref":"refs/heads/main"}`)),
			Decisions: matched, Redeliveries: []api.Redelivery{{At: at, SameBody: true, Requeued: 1}},
			Deliveries: []api.Delivery{delivery}, Attempts: attempts,
		},
		"GET /api/v1/events/" + evt.String() + "/explain":     api.Explanation{EventID: evt, Source: "hub", Type: "push", Stored: matched, Present: other},
		"POST /api/v1/events/" + evt.String() + "/replay":     api.ReplayResult{EventID: evt, Decisions: matched, Requeued: []api.Delivery{delivery}},
		"POST /api/v1/events/replay":                          api.ReplayManyResult{Events: 3, More: true, Destinations: map[string]int{"app": 2}, Unmatched: 1},
		"GET /api/v1/deliveries":                              api.Page[api.Delivery]{Items: []api.Delivery{delivery}, Next: dlv},
		"GET /api/v1/deliveries/" + dlv.String():              api.DeliveryDetail{Delivery: delivery, History: attempts},
		"POST /api/v1/deliveries/" + dlv.String() + "/retry":  delivery,
		"POST /api/v1/deliveries/" + dlv.String() + "/cancel": cancelled,
		"POST /api/v1/reload":                                 api.Reloaded{Sources: 1, Destinations: 2, Routes: 1},
		"POST /api/v1/routes/test":                            api.RouteTestResult{Decisions: matched, Destinations: []string{"app"}},
	}
}

// newServer answers as answers says, and with a problem to all else.
func newServer(t *testing.T, more map[string]any) (url string, requests func() []string) {
	t.Helper()
	all := answers()
	maps.Copy(all, more)
	var seen []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body) // an empty body is seen as one
		seen = append(seen, r.Method+" "+r.URL.RequestURI()+" "+strings.TrimSpace(body.String()))
		answer, ok := all[r.Method+" "+r.URL.Path]
		if p, bad := answer.(*api.Problem); bad || !ok || r.Header.Get("Authorization") != "Bearer secret" {
			if p == nil {
				p = &api.Problem{Status: http.StatusNotFound, Code: api.CodeNotFound, Detail: "not there" + hostile, Hint: "look elsewhere"}
			}
			w.WriteHeader(p.Status)
			answer = p
		}
		if raw, ok := answer.([]byte); ok {
			_, _ = w.Write(raw) // the client is a test
			return
		}
		_ = json.NewEncoder(w).Encode(answer) // the client is a test
	}))
	t.Cleanup(s.Close)
	return s.URL, func() []string { return seen }
}

func TestCommandsOfServer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args    []string
		code    exit
		want    []string // in stdout or stderr
		request string   // the last one begins so
	}{
		"events list": {
			[]string{"events", "list", "--source", "hub", "--since", "2026-03-01T00:00:00Z", "--unmatched"}, exitDone,
			[]string{"3m ago", evt.String(), "hub", "push", "7.4 KiB", "2 delivered, 1 retrying"},
			"GET /api/v1/events?limit=50&since=2026-03-01T00%3A00%3A00.000000Z&source=hub&unmatched=true",
		},
		"events show": {
			[]string{"events", "show", dlv.Attempt(1).String()}, exitDone,
			[]string{"X-Evil", `  "ref": "refs/heads/main"`, "1 dead delivery set off again", "attempt 2", "success 204 in 8ms", "retrying"},
			"GET /api/v1/events/" + evt.String(),
		},
		"events explain": {
			[]string{"events", "explain", evt.String()}, exitDone,
			[]string{"matched", "to app", "no: when", `.ref == "refs/heads/main" is false`, "hint: routes decide otherwise now"},
			"GET /api/v1/events/" + evt.String() + "/explain",
		},
		"events replay": {
			[]string{"events", "replay", evt.String(), "--to", "app"}, exitDone, []string{"sent again"},
			"POST /api/v1/events/" + evt.String() + `/replay {"destinations":["app"]}`,
		},
		"events replay, many": {
			[]string{"events", "replay", "--state", "dead"}, exitUsage,
			[]string{"the newest 3 events of more", "2 to app", "hint: add --yes"},
			`POST /api/v1/events/replay {"filter":{"state":"dead"},"limit":100,"dry_run":true}`,
		},
		"events replay, many, yes": {
			[]string{"events", "replay", "--all", "--yes", "-n", "3"}, exitDone, []string{"2 to app"},
			`POST /api/v1/events/replay {"limit":3}`,
		},
		"deliveries list": {
			[]string{"deliveries", "list", "--state", "retrying", "-n", "1"}, exitDone,
			[]string{dlv.String(), "in ", "status 503", "--cursor " + dlv.String()},
			"GET /api/v1/deliveries?limit=1&state=retrying",
		},
		"deliveries show": {
			[]string{"deliveries", "show", dlv.String()}, exitDone,
			[]string{"attempt 1", "retry 503 in 8ms: status 503", "  busy"},
			"GET /api/v1/deliveries/" + dlv.String(),
		},
		"deliveries retry": {
			[]string{"deliveries", "retry", dlv.String()}, exitDone, []string{"app", "retrying"},
			"POST /api/v1/deliveries/" + dlv.String() + "/retry",
		},
		"deliveries cancel": {
			[]string{"deliveries", "cancel", dlv.String()}, exitDone, []string{"app", "cancelled"},
			"POST /api/v1/deliveries/" + dlv.String() + "/cancel",
		},
		"one of two fails": {
			[]string{"deliveries", "retry", ids[1].Delivery(1).String(), dlv.String()}, exitFailed,
			[]string{"retrying", "not there", "1 of 2 did not succeed"},
			"POST /api/v1/deliveries/" + dlv.String() + "/retry",
		},
		"route test, event": {
			[]string{"route", "test", "--event", evt.String()}, exitUndelivered, []string{"no: when", "goes nowhere"},
			"GET /api/v1/events/" + evt.String() + "/explain",
		},
		"route test, server": {
			[]string{"route", "test", "--type", "push", "-"}, exitDone, []string{"goes to app"},
			`POST /api/v1/routes/test {"source":"","type":"push","body":{"encoding":"text","content":""}}`,
		},
		"reload": {
			[]string{"reload"}, exitDone, []string{"reloaded: 1 source, 2 destinations, 1 route"}, "POST /api/v1/reload",
		},
		"not found": {
			[]string{"events", "show", ids[1].String()}, exitFailed, []string{"tenterhook: not there", "hint: look elsewhere"},
			"GET /api/v1/events/" + ids[1].String(),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, requests := newServer(t, nil)
			r := command(t, "", []string{"TENTERHOOK_TOKEN=secret"}, append(test.args, "--server", url)...)
			if r.code != test.code {
				t.Errorf("exit %d, want %d: %+v", r.code, test.code, r)
			}
			for _, want := range test.want {
				if !strings.Contains(r.out+r.errors, want) {
					t.Errorf("%q is not in:\n%s%s", want, r.out, r.errors)
				}
			}
			if all := requests(); len(all) == 0 || !strings.HasPrefix(all[len(all)-1], test.request) {
				t.Errorf("requests are %q, want %q", all, test.request)
			}
			checkSafe(t, r.out+r.errors)
			asJSON(t, url, test.args)
		})
	}
}

// checkSafe fails if a text would steer a terminal.
func checkSafe(t *testing.T, text string) {
	t.Helper()
	if strings.ContainsAny(text, "\x1b\x07\u202e\u009b") {
		t.Errorf("hostile text reaches the terminal: %q", text)
	}
}

// asJSON runs the command again with --json: stdout is JSON or empty, and what
// it says is as safe.
func asJSON(t *testing.T, url string, args []string) {
	t.Helper()
	r := command(t, "", []string{"TENTERHOOK_TOKEN=secret"}, append(args, "--server", url, "--json")...)
	if r.out != "" && !json.Valid([]byte(r.out)) {
		t.Errorf("not JSON: %s", r.out)
	}
	checkSafe(t, r.out+r.errors)
}

func TestRawBody(t *testing.T) {
	t.Parallel()
	want := "\x00\xff" + hostile
	url, _ := newServer(t, map[string]any{"GET /api/v1/events/" + evt.String() + "/body": []byte(want)})
	r := command(t, "", []string{"TENTERHOOK_TOKEN=secret"}, "events", "show", evt.String(), "--raw", "--server", url)
	if r.code != exitDone || r.out != want || r.errors != "" {
		t.Errorf("raw body is %q, want %q, stderr %q", r.out, want, r.errors)
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	event, err := json.Marshal(answers()["GET /api/v1/events"].(api.Page[api.Event]).Items[0])
	if err != nil {
		t.Fatal(err)
	}
	url, _ := newServer(t, map[string]any{
		"GET /api/v1/events/tail": []byte(": tail\n\nevent: event\ndata: " + string(event) + "\n\nevent: missed\ndata: {\"count\":2}\n\n"),
	})
	r := command(t, "", []string{"TENTERHOOK_TOKEN=secret"}, "events", "tail", "--server", url)
	if r.code != exitUnreachable || !strings.Contains(r.out, evt.String()) || !strings.Contains(r.errors, "2 events not shown") {
		t.Errorf("tail of a server that stops: %+v", r)
	}
}

func TestReloadOfBadFile(t *testing.T) {
	t.Parallel()
	url, _ := newServer(t, map[string]any{"POST /api/v1/reload": &api.Problem{
		Status: http.StatusUnprocessableEntity, Code: api.CodeConfiguration, Detail: "a.yaml:1:2: unknown key",
	}})
	r := command(t, "", []string{"TENTERHOOK_TOKEN=secret"}, "reload", "--server", url)
	if r.code != exitConfig || !strings.Contains(r.errors, "a.yaml:1:2: unknown key") {
		t.Errorf("reload: %+v", r)
	}
}
