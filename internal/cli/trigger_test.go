package cli

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/tenterhook/tenterhook/internal/config"
	"github.com/tenterhook/tenterhook/internal/sample"
)

const triggerSecret = "It's a Secret to Everybody"

// A gitHubReceiver keeps what it receives and answers with a status.
type gitHubReceiver struct {
	*httptest.Server

	status int
	got    chan *http.Request // with the body read into it
}

func newGitHubReceiver(t *testing.T, status int) *gitHubReceiver {
	t.Helper()
	r := &gitHubReceiver{status: status, got: make(chan *http.Request, 16)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Errorf("read request: %v", err)
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		r.got <- req
		w.WriteHeader(r.status)
		_, _ = io.WriteString(w, `{"status":"ok","id":"evt_01JDE0000000000000000000000"}`)
	}))
	t.Cleanup(r.Close)
	return r
}

// next returns the next request, its signature verified, and its body.
func (r *gitHubReceiver) next(t *testing.T) (*http.Request, []byte) {
	t.Helper()
	req := <-r.got
	body, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte(triggerSecret))
	mac.Write(body)
	if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); req.Header.Get("X-Hub-Signature-256") != want {
		t.Errorf("signature is %q, want %q", req.Header.Get("X-Hub-Signature-256"), want)
	}
	return req, body
}

// trigger runs `tenterhook trigger github` with args, and returns how it ended.
func trigger(t *testing.T, args ...string) (code exit, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), process{
		args: append([]string{"trigger", "github"}, args...), in: strings.NewReader(""), out: &out, err: &errs,
		env: config.Env{LookupEnv: func(name string) (string, bool) {
			if name != "HOOK_SECRET" {
				return "", false
			}
			return triggerSecret, true
		}},
	})
	return code, out.String(), errs.String()
}

func TestTriggerSendsASample(t *testing.T) {
	t.Parallel()
	r := newGitHubReceiver(t, http.StatusOK)
	code, stdout, stderr := trigger(t, "pull_request.opened", "--to", r.URL+"/webhook/github", "--secret", "env:HOOK_SECRET")
	if code != exitDone {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	req, body := r.next(t)
	want, err := sample.GitHub("pull_request", "opened")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(body, want.Body) || req.URL.Path != "/webhook/github" || req.Header.Get("X-GitHub-Event") != "pull_request" {
		t.Errorf("got %s of %q: %.100s", req.URL, req.Header.Get("X-GitHub-Event"), body)
	}
	if !strings.HasPrefix(stdout, "200 {") {
		t.Errorf("stdout is %q, want status and answer", stdout)
	}
	if !strings.Contains(stderr, "tenterhook events explain evt_01JDE0000000000000000000000") {
		t.Errorf("stderr is %q, want what to do next", stderr)
	}
	if strings.Contains(stdout+stderr, triggerSecret) {
		t.Error("the secret is printed")
	}
}

func TestTriggerSetsValues(t *testing.T) {
	t.Parallel()
	r := newGitHubReceiver(t, http.StatusOK)
	code, _, stderr := trigger(t, "issues.opened", "--to", r.URL, "--secret", "env:HOOK_SECRET",
		"--set", "action=closed", "--set", "issue.number=9007199254740993", "--set", `issue.labels=[ {"name": "bug"} ]`,
		"--set", "issue.title=a=b <c>", "--set", `issue.body="5"`, "--set", "new.key=null")
	if code != exitDone {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	_, body := r.next(t)
	for path, want := range map[string]string{
		"action": `"closed"`, "issue.number": `9007199254740993`, "issue.labels": `[{"name":"bug"}]`,
		"issue.body": `"5"`, "new.key": `null`,
	} {
		if got := gjson.GetBytes(body, path).Raw; got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	if got := gjson.GetBytes(body, "issue.title").String(); got != "a=b <c>" {
		t.Errorf("issue.title is %q", got)
	}
	if !json.Valid(body) {
		t.Error("the body is not JSON")
	}
}

func TestTriggerCounts(t *testing.T) {
	t.Parallel()
	r := newGitHubReceiver(t, http.StatusOK)
	code, stdout, stderr := trigger(t, "push", "--to", r.URL, "--secret", "env:HOOK_SECRET", "--count", "3", "--json")
	if code != exitDone {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	ids := make(map[string]bool)
	for line := range strings.Lines(stdout) {
		var sent triggered
		if err := json.Unmarshal([]byte(line), &sent); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		req, _ := r.next(t)
		if got := req.Header.Get("X-GitHub-Delivery"); got != sent.DeliveryID || sent.Status != http.StatusOK || sent.Event != "push" {
			t.Errorf("printed %+v, sent delivery %q", sent, got)
		}
		ids[sent.DeliveryID] = true
	}
	if len(ids) != 3 {
		t.Errorf("%d delivery ids, want 3", len(ids))
	}
}

func TestTriggerRedelivers(t *testing.T) {
	t.Parallel()
	const id = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
	r := newGitHubReceiver(t, http.StatusOK)
	trigger(t, "ping", "--to", r.URL, "--secret", "env:HOOK_SECRET", "--count", "2", "--delivery-id", id)
	for range 2 {
		if req, _ := r.next(t); req.Header.Get("X-GitHub-Delivery") != id {
			t.Errorf("delivery %q, want %q", req.Header.Get("X-GitHub-Delivery"), id)
		}
	}
}

func TestTriggerToASource(t *testing.T) {
	t.Parallel()
	r := newGitHubReceiver(t, http.StatusOK)
	file := filepath.Join(t.TempDir(), "tenterhook.yaml")
	text := "listen: " + r.Listener.Addr().String() + "\n" +
		"sources:\n" +
		"  hub: {provider: github, secret: env:HOOK_SECRET}\n" +
		"  open: {provider: none}\n" +
		"  other: {provider: github, secret: env:NOT_SET_HERE}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := trigger(t, "push", "--source", "hub", "--config", file)
	if code != exitDone {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if req, _ := r.next(t); req.URL.Path != "/webhook/hub" {
		t.Errorf("sent to %s, want /webhook/hub", req.URL.Path)
	}
	code, _, stderr = trigger(t, "push", "--source", "open", "--config", file, "--secret", "env:HOOK_SECRET")
	if code != exitDone {
		t.Errorf("a secret of one's own: exit %d: %s", code, stderr)
	}
	for source, want := range map[string]string{"nub": "hub", "open": "github"} {
		code, _, stderr = trigger(t, "push", "--source", source, "--config", file)
		if code != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("--source %s: exit %d, %q, want exit 2 and %q", source, code, stderr, want)
		}
	}
}

func TestTriggerLists(t *testing.T) {
	t.Parallel()
	code, stdout, _ := trigger(t, "--list")
	if n := strings.Count(stdout, "\n"); code != exitDone || n != len(sample.Events()) {
		t.Errorf("exit %d, %d lines, want %d", code, n, len(sample.Events()))
	}
	for _, want := range []string{"push\n", "pull_request.opened\n", "repository_dispatch.on-demand-test\n"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not listed", want)
		}
	}
}

func TestTriggerFails(t *testing.T) {
	t.Parallel()
	refusing := newGitHubReceiver(t, http.StatusUnauthorized)
	gone := httptest.NewServer(nil)
	gone.Close()
	for name, test := range map[string]struct {
		args []string
		code exit
		says string
	}{
		"no event":        {[]string{"--to", refusing.URL, "--secret", "env:HOOK_SECRET"}, exitUsage, "--list"},
		"unknown event":   {[]string{"pul_request", "--to", refusing.URL, "--secret", "env:HOOK_SECRET"}, exitUsage, "pull_request"},
		"nowhere":         {[]string{"push"}, exitUsage, "--source"},
		"two places":      {[]string{"push", "--to", refusing.URL, "--source", "x"}, exitUsage, "--source"},
		"no secret":       {[]string{"push", "--to", refusing.URL}, exitUsage, "--secret"},
		"bare secret":     {[]string{"push", "--to", refusing.URL, "--secret", "hunter2"}, exitUsage, "env:NAME"},
		"unset secret":    {[]string{"push", "--to", refusing.URL, "--secret", "env:OTHER"}, exitConfig, "OTHER"},
		"not a URL":       {[]string{"push", "--to", "localhost:8000", "--secret", "env:HOOK_SECRET"}, exitUsage, "http://"},
		"sets nothing":    {[]string{"push", "--to", refusing.URL, "--secret", "env:HOOK_SECRET", "--set", "ref"}, exitUsage, "PATH=VALUE"},
		"count of nought": {[]string{"push", "--to", refusing.URL, "--secret", "env:HOOK_SECRET", "--count", "0"}, exitUsage, "at least 1"},
		"no file":         {[]string{"push", "--source", "github", "--config", "/nowhere.yaml"}, exitConfig, "nowhere.yaml"},
		"refused":         {[]string{"push", "--to", refusing.URL, "--secret", "env:HOOK_SECRET"}, exitUndelivered, "secret"},
		"unreachable":     {[]string{"push", "--to", gone.URL, "--secret", "env:HOOK_SECRET"}, exitUnreachable, "running"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, _, stderr := trigger(t, test.args...)
			if code != test.code || !strings.Contains(stderr, test.says) {
				t.Errorf("exit %d, %q, want exit %d and %q", code, stderr, test.code, test.says)
			}
			if strings.Contains(stderr, "hunter2") {
				t.Error("the secret is printed")
			}
		})
	}
}
