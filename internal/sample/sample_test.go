package sample_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tenterhook/tenterhook/internal/sample"
)

// TestAll holds the archive to what the package contains. The digest is that of
// each payload as JavaScript's JSON.stringify writes it, with a line feed after
// each: another program's reading of the same package.
func TestAll(t *testing.T) {
	t.Parallel()
	events, n, digest := make(map[string]bool), 0, sha256.New()
	var order []string
	for p := range sample.All() {
		n++
		if !events[p.Event] {
			events[p.Event] = true
			order = append(order, p.Event)
		}
		digest.Write(append(slices.Clone(p.Body), '\n'))
		var compact bytes.Buffer
		if err := json.Compact(&compact, p.Body); err != nil || !bytes.Equal(compact.Bytes(), p.Body) {
			t.Errorf("payload %d, %s: is not compact JSON: %v", n, p.Name, err)
		}
		var head struct {
			Action string `json:"action"`
		}
		if err := json.Unmarshal(p.Body, &head); err != nil || head.Action != p.Action {
			t.Errorf("payload %d, %s: the body's action is %q: %v", n, p.Name, head.Action, err)
		}
	}
	if len(events) != 58 || n != 329 {
		t.Errorf("got %d payloads of %d events, want 329 of 58", n, len(events))
	}
	if order[0] != "branch_protection_rule" || order[57] != "workflow_run" {
		t.Errorf("the order of the package is not kept: %s", strings.Join(order, " "))
	}
	const want = "e7199a17842f9911d5574fabcce3fdf4f796e2b77545cf2e11a151c567d0be8b"
	if got := hex.EncodeToString(digest.Sum(nil)); got != want {
		t.Errorf("the payloads have the digest %s, want %s", got, want)
	}
}

func TestAllStopsEarlyAndStartsAgain(t *testing.T) {
	t.Parallel()
	var first, again sample.Payload
	for first = range sample.All() {
		break
	}
	for again = range sample.All() {
		break
	}
	if first.Body == nil || !bytes.Equal(first.Body, again.Body) {
		t.Errorf("the second reading begins with %s, the first with %s", again.Name, first.Name)
	}
	first.Body[0] = 'x'
	if again.Body[0] != '{' {
		t.Error("two readings share a body, want one each")
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	names := sample.Events()
	if !slices.IsSortedFunc(names, func(a, b sample.Name) int { return strings.Compare(a.Event, b.Event) }) {
		t.Error("the events are not sorted")
	}
	if n := len(slices.Compact(slices.Clone(names))); n != len(names) {
		t.Errorf("%d of %d names are there twice", len(names)-n, len(names))
	}
	for _, name := range names {
		p, err := sample.GitHub(name.Event, name.Action)
		if err != nil || p.Name != name {
			t.Errorf("GitHub(%q, %q) gives %s, %v", name.Event, name.Action, p.Name, err)
		}
		if parsed := sample.ParseName(name.String()); parsed != name {
			t.Errorf("ParseName(%q) gives %+v, want %+v", name, parsed, name)
		}
	}
}

func TestGitHub(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		event, action string
		want          string // the name
		holds         string // something in the body
	}{
		{"push", "", "push", `"ref":"refs/heads/`},
		{"ping", "", "ping", `"zen":`},
		{"pull_request", "opened", "pull_request.opened", `"action":"opened"`},
		{"issues", "", "issues.edited", `"issue":`},
		{"repository_dispatch", "", "repository_dispatch.on-demand-test", `"client_payload":`},
	} {
		t.Run(test.want, func(t *testing.T) {
			t.Parallel()
			p, err := sample.GitHub(test.event, test.action)
			if err != nil {
				t.Fatal(err)
			}
			if p.String() != test.want || !bytes.Contains(p.Body, []byte(test.holds)) {
				t.Errorf("got %s: %.200s, want %s with %s", p.Name, p.Body, test.want, test.holds)
			}
		})
	}
}

func TestGitHubSuggests(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]string{
		"pul_request":         "pull_request.assigned", // a slip in the event
		"pull_request.opend":  "pull_request.opened",   // a slip in the action
		"Push":                "push",
		"workflow-run":        "workflow_run.completed",
		"issue":               "issues.assigned",
		"star.exploded":       "star.created", // a right event, a wrong action
		"utter nonsense, yes": "",
		"":                    "",
	} {
		t.Run(asked, func(t *testing.T) {
			t.Parallel()
			name := sample.ParseName(asked)
			_, err := sample.GitHub(name.Event, name.Action)
			var unknown *sample.UnknownError
			if !errors.As(err, &unknown) || unknown.Name != name {
				t.Fatalf("got %v, want an UnknownError of %+v", err, name)
			}
			got := ""
			if len(unknown.Near) > 0 {
				got = unknown.Near[0].String()
			}
			if got != want || len(unknown.Near) > 5 {
				t.Errorf("suggests %v, want %q first", unknown.Near, want)
			}
		})
	}
}

func TestLicenceIsBeside(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("LICENSE.octokit")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"The MIT License", "Copyright (c) 2018 Gregor Martynus", "@octokit/webhooks-examples"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("LICENSE.octokit lacks %q", want)
		}
	}
}
