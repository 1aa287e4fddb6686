package schema_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/sjson"

	"github.com/tenterhook/tenterhook/internal/sample"
	"github.com/tenterhook/tenterhook/internal/schema"
)

// Every payload that GitHub's community collected is taken.
func TestGitHubTakesEverySample(t *testing.T) {
	t.Parallel()
	set, n := schema.GitHub(), 0
	for p := range sample.All() {
		n++
		if !set.Knows(p.String()) {
			t.Errorf("there is no schema for %s", p)
		}
		if err := set.Check(p.String(), nil, p.Body); err != nil {
			t.Errorf("%s: %v", p, err)
		}
	}
	if n != 329 {
		t.Errorf("%d samples, want 329", n)
	}
}

// reasons say why samples disagree with the description as GitHub wrote it: the
// last name of the place, what is wrong there, and why that is no fault of the
// payload.
func reasons() []struct{ names, wrong, why string } {
	const missing = "missing"
	return []struct{ names, wrong, why string }{
		{"has_discussions disabled topics visibility", missing, "repositories have it since the sample was taken"},
		{"state_reason", missing, "discussions have it since the sample was taken"},
		{"immutable updated_at", missing, "releases have it since the sample was taken"},
		{"app_slug suspended_at suspended_by", missing, "installations have it since the sample was taken"},
		{"lock_branch_enforcement_level", missing, "branch protection has it since the sample was taken"},
		{"verified_at", missing, "verifications of commits have it since the sample was taken"},
		{"node_id", missing, "the sample is from before GraphQL gave everything one"},
		{"permissions events", missing, "apps within check runs have it since the sample was taken"},
		{"details_url", missing, "check runs have it since the sample was taken"},
		{"reactions performed_via_github_app", missing, "comments and issues have it since the sample was taken"},
		{"line original_line original_start_line side start_line start_side", missing, "review comments have several lines since the sample was taken"},
		{"active_lock_reason auto_merge draft", missing, "issues and pull requests have it since the sample was taken"},
		{"path display_title run_attempt actor triggering_actor workflow_name head_branch created_at", missing,
			"workflow runs and jobs have it since the sample was taken"},
		{"description", missing, "labels have it since the sample was taken"},
		{"cvss cwes", missing, "advisories have it since the sample was taken"},
		{"is_one_time", missing, "tiers of sponsors have it since the sample was taken"},
		{"number state", missing, "alerts have it since the sample was taken"},
		{"workflow workflow_run", missing, "may be null, for a deployment that no workflow made, and was left out then"},
		{"requester", missing, "may be null, and was left out then"},
		{"requested_team", missing, "a user was asked for the review: the payload has requested_reviewer, the other form described"},
		{"created_at updated_at", "number, described as string", "GitHub writes the times of installations as numbers in these events"},
		{"price_model", "not one of the values described", "GitHub wrote per-unit and flat-rate, and came to write PER_UNIT"},
	}
}

// Each disagreement of a sample with the description as it stands has a reason, and
// each reason is that of one.
func TestDisagreementsAreExplained(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/description.txt")
	if err != nil {
		t.Fatal(err)
	}
	used, lines := make(map[int]bool), 0
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 3 {
			continue
		}
		lines++
		name := fields[1][strings.LastIndex(fields[1], "/")+1:]
		reason := -1
		for i, r := range reasons() {
			if r.wrong == fields[2] && slices.Contains(strings.Fields(r.names), name) {
				reason = i
			}
		}
		if reason < 0 {
			t.Errorf("nobody has said why: %s", line)
		}
		used[reason] = true
	}
	if lines < 200 || len(used) != len(reasons()) {
		t.Errorf("%d disagreements and %d reasons used, want more than 200 and all %d", lines, len(used), len(reasons()))
	}
	for _, want := range []string{"# 114 samples disagree: the description as it stands\n", "#   0 samples disagree: and times in both forms: what is kept\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("testdata/description.txt lacks %q: the figures in the package comment are of another description", want)
		}
	}
}

// A payload of another event, or of another action, is told, unless it holds all
// that the event promises: an object may have more properties.
func TestGitHubTellsEventsApart(t *testing.T) {
	t.Parallel()
	set := schema.GitHub()
	for _, typ := range []string{
		"push", "pull_request.opened", "issue_comment.created", "release.published", "workflow_run.completed", "deployment.created",
	} {
		for p := range sample.All() {
			fits := p.String() == typ || typ == "deployment.created" && p.String() == "deployment_status.created"
			if err := set.Check(typ, nil, p.Body); (err == nil) != fits {
				t.Errorf("a payload of %s as one of %s: %v", p, typ, err)
			}
		}
	}
}

func TestGitHubKnows(t *testing.T) {
	t.Parallel()
	set := schema.GitHub()
	for typ, want := range map[string]bool{
		"push":                                  true,
		"pull_request.opened":                   true,
		"pull_request.review_requested":         true,
		"repository_dispatch.deploy-everything": true,
		"sub_issues.sub_issue_added":            true,
		"custom_property_values.updated":        true,
		"pull_request":                          true, // and no payload of it matches
		"pull_request.invented":                 false,
		"push.invented":                         false,
		"invented":                              false,
		"":                                      false,
	} {
		if set.Knows(typ) != want {
			t.Errorf("Knows(%q) is %t", typ, !want)
		}
		if err := set.Check(typ, nil, []byte("no JSON")); (err != nil) != want {
			t.Errorf("Check of type %q: %v", typ, err)
		}
	}
}

// What a receiver can rely on, and what it cannot.
func TestGitHubPolicy(t *testing.T) {
	t.Parallel()
	set := schema.GitHub()
	const remove = "\x00"
	for _, test := range []struct{ typ, path, value, want string }{
		{"pull_request.opened", "pull_request.head.repo", "null", ""}, // the fork was deleted
		{"pull_request.opened", "pull_request.user", "null", ""},      // the user was
		{"pull_request.opened", "pull_request.merge_commit_sha", remove, ""},
		{"pull_request.opened", "pull_request.author_association", `"ROBOT"`, ""}, // a new value
		{"pull_request.opened", "pull_request.invented", `{"a":1}`, ""},           // a new property
		{"pull_request.opened", "pull_request.created_at", "1557933568", ""},      // a time as a number
		{"check_run.completed", "check_run.output", "null", ""},
		{"pull_request.opened", "pull_request.head.sha", "null", "/pull_request/head/sha: expected string, got null"},
		{"pull_request.opened", "pull_request.head", remove, "/pull_request/head: expected a value, got nothing"},
		{"pull_request.opened", "pull_request", "[]", "/pull_request: expected object, got array"},
		{"pull_request.opened", "number", `"2"`, "/number: expected integer, got string"},
		{"pull_request.opened", "repository", remove, "/repository: expected a value, got nothing"},
		{"pull_request.opened", "repository.full_name", "{}", "/repository/full_name: expected string, got object"},
		{"pull_request.opened", "action", `"closed"`, `/action: expected "opened", got "closed"`},
		{"pull_request", "action", remove, "/action: expected a value, got nothing"},
		{"push", "commits", "{}", "/commits: expected array, got object"},
		{"push", "commits.0", `"abc"`, "/commits/0: expected null or object, got string"},
		{"push", "head_commit", "null", ""}, // a branch was deleted
		{"push", "ref", remove, "/ref: expected a value, got nothing"},
		{"issues.opened", "issue.id", remove, "/issue/id: expected a value, got nothing"},
	} {
		event := sample.ParseName(test.typ)
		p, err := sample.GitHub(event.Event, event.Action)
		if err != nil {
			t.Fatal(err)
		}
		body := p.Body
		if test.typ == "push" {
			body = bytes.Replace(body, []byte(`"commits":[]`), []byte(`"commits":[7]`), 1)
		}
		if test.value == remove {
			body, err = sjson.DeleteBytes(body, test.path)
		} else {
			body, err = sjson.SetRawBytes(body, test.path, []byte(test.value))
		}
		if err != nil || !json.Valid(body) {
			t.Fatalf("change %s of %s: %v", test.path, test.typ, err)
		}
		if got := mismatch(t, set, test.typ, nil, string(body)); got != test.want {
			t.Errorf("%s with %s = %q\n got %s\nwant %s", test.typ, test.path, test.value, got, test.want)
		}
	}
}

// Every schema that is embedded compiles; a look-up would panic.
func TestGitHubCompiles(t *testing.T) {
	t.Parallel()
	set, n := schema.GitHub(), 0
	text, err := os.ReadFile("testdata/types.txt")
	if err != nil {
		t.Fatal(err)
	}
	for typ := range strings.FieldsSeq(string(text)) {
		n++
		if !set.Knows(strings.Replace(typ, "*", "any", 1)) {
			t.Errorf("%s is not known", typ)
		}
	}
	if n != 350 {
		t.Errorf("%d types, want 350", n)
	}
}

func TestLicenceIsBeside(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("LICENSE.octokit")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"MIT License", "Copyright (c) 2020 Octokit contributors", "@octokit/openapi-webhooks 12.1.0"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("LICENSE.octokit lacks %q", want)
		}
	}
}
