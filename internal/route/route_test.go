package route_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/filter"
	"github.com/tenterhook/tenterhook/internal/route"
)

func program(t testing.TB, source string) *filter.Program {
	t.Helper()
	p, err := filter.Compile(source)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func table(t testing.TB, routes ...route.Route) *route.Table {
	t.Helper()
	table, err := route.New(routes)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func push(body string) *tenterhook.Event {
	received := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return &tenterhook.Event{
		ID:         tenterhook.NewIDs(func() time.Time { return received }).New(),
		Tenant:     "acme",
		Source:     "github",
		Type:       "push",
		ReceivedAt: received,
		Header:     http.Header{"X-Github-Event": {"push", "second"}, "X-Empty": {}},
		Body:       []byte(body),
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	good := route.Route{Name: "a", From: []string{"github"}, To: []string{"app"}}
	many := route.Route{Name: "many", From: []string{"github"}}
	for i := range tenterhook.MaxDeliveries {
		many.To = append(many.To, strconv.Itoa(i))
	}
	for want, routes := range map[string][]route.Route{
		`route 1 (""): no name`:                    {{From: []string{"x"}, To: []string{"x"}}},
		`route 1 ("a"): from no source`:            {{Name: "a", To: []string{"x"}}},
		`route 1 ("a"): to no destination`:         {{Name: "a", From: []string{"x"}}},
		`route 1 ("a"): empty name`:                {{Name: "a", From: []string{""}, To: []string{"x"}}},
		`route 2 ("b"): "x" is listed twice`:       {good, {Name: "b", From: []string{"x", "x"}, To: []string{"x"}}},
		`route 2 ("a"): route 1 has the same name`: {good, good},
		`65536 destinations, more than 65535`:      {good, many},
	} {
		if _, err := route.New(routes); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	github := []string{"github"}
	routes := table(t,
		route.Route{Name: "all", From: github, To: []string{"archive"}},
		route.Route{Name: "other source", From: []string{"gitlab"}, To: []string{"archive"}},
		route.Route{Name: "prs", From: github, Types: []string{"pull_request.*", "issues"}, To: []string{"app"}},
		route.Route{Name: "main", From: []string{"gitlab", "github"}, Types: []string{"push"},
			When: program(t, `.ref == "refs/heads/main"`), To: []string{"app", "deploy"}},
		route.Route{Name: "fails", From: github, When: program(t, `.ref | .[0].x`), To: []string{"app"}},
		route.Route{Name: "runs away", From: github, When: program(t, `last(repeat(1))`), To: []string{"app"}},
		route.Route{Name: "event", From: github,
			When: program(t, `$event | .headers["x-github-event"] == "push" and .tenant == "acme"`),
			To:   []string{"app"}},
	)
	tests := []struct {
		name, body string
		want       string // verdicts, in order
	}{
		{"main", `{"ref":"refs/heads/main"}`, "matched type matched error timeout matched"},
		{"topic", `{"ref":"refs/heads/topic"}`, "matched type when error timeout matched"},
		{"not JSON", `ref=refs`, "matched type when" + " when timeout matched"},
		{"duplicate key", `{"ref":"x","ref":"y"}`, "matched type" + strings.Repeat(" ambiguous", 4)},
		{"too deep", strings.Repeat("[", 100) + strings.Repeat("]", 100), "matched type" + strings.Repeat(" error", 4)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, d := range routes.Decide(t.Context(), push(test.body)) {
				got = append(got, string(d.Verdict))
				if (d.Verdict == tenterhook.VerdictMatched) != (len(d.To) > 0) {
					t.Errorf("%s is %s and goes to %q", d.Route, d.Verdict, d.To)
				}
				explained := d.Verdict == tenterhook.VerdictError || d.Verdict == tenterhook.VerdictTimeout ||
					d.Verdict == tenterhook.VerdictAmbiguous
				if explained != (d.Detail != "") {
					t.Errorf("%s is %s with detail %q", d.Route, d.Verdict, d.Detail)
				}
			}
			if diff := cmp.Diff(strings.Fields(test.want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if ds := routes.Decide(t.Context(), &tenterhook.Event{Source: "unknown"}); ds != nil {
		t.Errorf("decisions %v for a source that no route is from", ds)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	github := []string{"github"}
	routes := table(t,
		route.Route{Name: "stripe", From: []string{"stripe", "paypal"}, To: []string{"app"}},
		route.Route{Name: "prs", From: github, Types: []string{"pull_request.*"}, To: []string{"app"}},
		route.Route{Name: "several", From: github, Types: []string{"pull_request.*", "issues"}, To: []string{"app"}},
		route.Route{Name: "main", From: github, When: program(t, `.ref == "refs/heads/main"`), To: []string{"app"}},
		route.Route{Name: "fails", From: github, When: program(t, `.ref.name`), To: []string{"app"}},
		route.Route{Name: "runs away", From: github, When: program(t, `last(repeat(1))`), To: []string{"app"}},
		route.Route{Name: "all", From: github, To: []string{"app"}},
	)
	details := func(e *tenterhook.Event) map[string]string {
		all := map[string]string{}
		for _, d := range routes.Explain(t.Context(), e) {
			all[d.Route] = string(d.Verdict) + ": " + d.Detail
		}
		return all
	}
	want := map[string]string{
		"stripe":    `source: source "github" is not stripe, paypal`,
		"prs":       `type: type "push" does not match pull_request.*`,
		"several":   `type: type "push" matches none of pull_request.*, issues`,
		"main":      `when: .ref == "refs/heads/main" is false: .ref is "refs/heads/topic"`,
		"fails":     "error: `when` failed: expected an object but got: string (\"refs/heads/topic\")",
		"runs away": "timeout: `when` ran for longer than 50ms",
		"all":       "matched: ",
	}
	if diff := cmp.Diff(want, details(push(`{"ref":"refs/heads/topic"}`))); diff != "" {
		t.Error(diff)
	}
	e := push(`hello`)
	e.Type = ""
	want = map[string]string{
		"prs":  `type: the event has no type, the route wants pull_request.*`,
		"main": `when: .ref == "refs/heads/main" is false: .ref is null (the payload is null to filters: not JSON: `,
	}
	got := details(e)
	for name, detail := range want {
		if !strings.HasPrefix(got[name], detail) {
			t.Errorf("%s: %s, want %s", name, got[name], detail)
		}
	}
	if got := details(push(`{"a":1,"a":2}`))["main"]; got != `ambiguous: ambiguous JSON: duplicate key "/a"` {
		t.Error(got)
	}
}

// Explain answers as Decide does, and adds the routes from other sources.
func TestExplainAgreesWithDecide(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		names := rapid.SampledFrom([]string{"a", "b", "c"})
		lists := rapid.SliceOfNDistinct(names, 1, 3, rapid.ID)
		types := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"*", "x", "x.*", "y.z", "*z"}), 0, 3, rapid.ID)
		whens := rapid.SampledFrom([]string{"", ".v", ".v | not", "error", "$event.type == \"x\""})
		var routes []route.Route
		for i := range rapid.IntRange(0, 5).Draw(r, "routes") {
			one := route.Route{
				Name: strconv.Itoa(i), From: lists.Draw(r, "from"), Types: types.Draw(r, "types"),
				To: lists.Draw(r, "to"),
			}
			if source := whens.Draw(r, "when"); source != "" {
				one.When = program(t, source)
			}
			routes = append(routes, one)
		}
		made, err := route.New(routes)
		if err != nil {
			r.Fatal(err)
		}
		e := push(rapid.SampledFrom([]string{`{"v":true}`, `{"v":false}`, `[`, `{"v":1,"v":2}`}).Draw(r, "body"))
		e.Source, e.Type = names.Draw(r, "source"), rapid.SampledFrom([]string{"", "x", "x.y", "y.z"}).Draw(r, "type")
		var explained []tenterhook.Decision
		for _, d := range made.Explain(t.Context(), e) {
			if d.Verdict != tenterhook.VerdictSource {
				explained = append(explained, d)
			}
			if d.Detail == "" != (d.Verdict == tenterhook.VerdictMatched) {
				r.Fatalf("%s is %s with detail %q", d.Route, d.Verdict, d.Detail)
			}
		}
		decided := made.Decide(t.Context(), e)
		short := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Detail" }, cmp.Ignore())
		if diff := cmp.Diff(decided, explained, short); diff != "" {
			r.Fatal(diff)
		}
		checkDeliveries(r, e, decided, made.Deliveries(e, decided))
	})
}

func checkDeliveries(r *rapid.T, e *tenterhook.Event, decided []tenterhook.Decision, got []tenterhook.Delivery) {
	chosenBy := map[string]string{} // destination -> the first route that matched
	for _, d := range decided {
		for _, to := range d.To {
			if _, taken := chosenBy[to]; !taken && d.Verdict == tenterhook.VerdictMatched {
				chosenBy[to] = d.Route
			}
		}
	}
	if len(got) != len(chosenBy) {
		r.Fatalf("%d deliveries, want one for each of %v", len(got), chosenBy)
	}
	for i, d := range got {
		if d.ID != e.ID.Delivery(i+1) || chosenBy[d.Destination] != d.Route {
			r.Fatalf("delivery %d: %+v, want routes %v", i+1, d, chosenBy)
		}
	}
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	e := push(`{}`)
	decisions := []tenterhook.Decision{
		{Route: "one", Verdict: tenterhook.VerdictMatched, To: []string{"app", "hub"}},
		{Route: "two", Verdict: tenterhook.VerdictWhen, To: []string{"never"}},
		{Route: "three", Verdict: tenterhook.VerdictMatched, To: []string{"hub", "deploy"}},
	}
	var want []tenterhook.Delivery
	for i, pair := range [][2]string{{"one", "app"}, {"one", "hub"}, {"three", "deploy"}} {
		want = append(want, tenterhook.Delivery{
			ID: e.ID.Delivery(i + 1), Tenant: "acme", Route: pair[0], Destination: pair[1],
			State: tenterhook.StatePending, NextAt: e.ReceivedAt, UpdatedAt: e.ReceivedAt,
		})
	}
	empty := table(t)
	if diff := cmp.Diff(want, empty.Deliveries(e, decisions)); diff != "" {
		t.Error(diff)
	}
	if got := empty.Deliveries(e, decisions[1:2]); got != nil {
		t.Errorf("deliveries %v without a match", got)
	}
	many := tenterhook.Decision{Route: "many", Verdict: tenterhook.VerdictMatched}
	for i := range 20 {
		many.To = append(many.To, strconv.Itoa(i), strconv.Itoa(i/2))
	}
	if got := empty.Deliveries(e, []tenterhook.Decision{many}); len(got) != 20 {
		t.Errorf("%d deliveries to 20 destinations", len(got))
	}
}

func TestTransform(t *testing.T) {
	t.Parallel()
	from, to := []string{"github"}, []string{"app"}
	routes := table(t,
		route.Route{Name: "plain", From: from, To: to},
		route.Route{Name: "text", From: from, To: to, Transform: program(t, `{text: "\($event.type) to \(.ref)"}`)},
		route.Route{Name: "two", From: from, To: to, Transform: program(t, `1, 2`)},
	)
	tests := []struct {
		route, body, want string
		changed           bool
		failure           string
	}{
		{"plain", "not \xff JSON", "not \xff JSON", false, ""},
		{"text", `{"ref":"<main>"}`, `{"text":"push to <main>"}`, true, ""},
		{"text", `ref`, "", false, "not JSON"},
		{"text", `{"ref":1,"ref":2}`, "", false, "duplicate key"},
		{"two", `{}`, "", false, "more than one output"},
		{"gone", `{}`, "", false, `transform for route "gone": unknown route`},
	}
	for _, test := range tests {
		body, changed, err := routes.Transform(t.Context(), test.route, push(test.body))
		if string(body) != test.want || changed != test.changed {
			t.Errorf("%s: %s, %v", test.route, body, changed)
		}
		if (err != nil) != (test.failure != "") || err != nil && !strings.Contains(err.Error(), test.failure) {
			t.Errorf("%s: error %v, want %q", test.route, err, test.failure)
		}
	}
	if _, _, err := routes.Transform(t.Context(), "gone", push(`{}`)); !errors.Is(err, route.ErrUnknownRoute) {
		t.Errorf("error %v, want ErrUnknownRoute", err)
	}
}

func TestRoutesAreCopies(t *testing.T) {
	t.Parallel()
	given := []route.Route{{Name: "a", From: []string{"github"}, To: []string{"app"}}}
	made := table(t, given...)
	given[0].To[0] = "elsewhere"
	made.Routes()[0].To[0] = "elsewhere"
	if to := made.Decide(t.Context(), push(`{}`))[0].To; to[0] != "app" {
		t.Errorf("the table was changed from outside: it goes to %q", to)
	}
}

func TestMatchType(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, typ string
		want         bool
	}{
		{"push", "push", true},
		{"push", "pushed", false},
		{"push", "", false},
		{"pull_request", "pull_request.opened", true},
		{"pull_request", "pull_request_review", false},
		{"pull_request.*", "pull_request.opened", true},
		{"pull_request.*", "pull_request", false},
		{"pull_request*", "pull_request", true},
		{"*", "", true},
		{"*", "a.b", true},
		{"*.opened", "issues.opened", true},
		{"*.opened", "opened", false},
		{"a*a", "a", false},
		{"a*b*c", "axbxbxc", true},
		{"a**b", "ab", true},
		{"A", "a", false},
		{"a.", "a.b", false},
		{"", "", true},
		{"", ".a", false},
	} {
		if got := route.MatchType(test.pattern, test.typ); got != test.want {
			t.Errorf("MatchType(%q, %q) = %v", test.pattern, test.typ, got)
		}
	}
}

// oracle matches as the documentation says, trying everything.
func oracle(pattern, typ string) bool {
	if !strings.Contains(pattern, "*") {
		return pattern == typ || pattern != "" && strings.HasPrefix(typ, pattern+".")
	}
	return glob(pattern, typ)
}

func glob(pattern, text string) bool {
	switch {
	case pattern == "":
		return text == ""
	case pattern[0] == '*':
		return glob(pattern[1:], text) || text != "" && glob(pattern, text[1:])
	}
	return text != "" && text[0] == pattern[0] && glob(pattern[1:], text[1:])
}

func TestMatchTypeProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab.*]{0,8}`).Draw(t, "pattern")
		typ := rapid.StringMatching(`[ab.]{0,10}`).Draw(t, "type")
		if got, want := route.MatchType(pattern, typ), oracle(pattern, typ); got != want {
			t.Fatalf("MatchType(%q, %q) = %v, want %v", pattern, typ, got, want)
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	github, app := []string{"github"}, []string{"app"}
	e := push(`{"ref":"refs/heads/main","commits":[{"id":"1","message":"` + strings.Repeat("x", 900) + `"}]}`)
	for name, routes := range map[string][]route.Route{
		"all":             {{Name: "a", From: github, To: app}},
		"types":           {{Name: "a", From: github, Types: []string{"pull_request.*", "push"}, To: app}},
		"type mismatched": {{Name: "a", From: github, Types: []string{"issues"}, When: program(b, `.a`), To: app}},
		"when":            {{Name: "a", From: github, When: program(b, `.ref == "refs/heads/main"`), To: app}},
		"when on event":   {{Name: "a", From: github, When: program(b, `$event.type == "push"`), To: app}},
	} {
		b.Run(name, func(b *testing.B) {
			made := table(b, routes...)
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				made.Deliveries(e, made.Decide(ctx, e))
			}
		})
	}
}
