package tenterhook_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// fakeGitHub answers as GitHub's API does, by its published description. The
// owner of the repository chooses the answer.
type fakeGitHub struct {
	token string
	file  string // where the last event that was taken goes
}

// githubCommand starts a GitHub, and sets GITHUB_API and GITHUB_TOKEN. The last
// event that it took is the file dispatch.json.
func githubCommand(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	exactly(ts, args, 0, 0)
	g := &fakeGitHub{token: "canary-app-secret-token", file: ts.MkAbs("dispatch.json")}
	server := httptest.NewServer(g)
	ts.Defer(server.Close)
	ts.Setenv("GITHUB_API", server.URL+"/api/v3")
	ts.Setenv("GITHUB_TOKEN", g.token)
}

// ServeHTTP implements [http.Handler].
func (g *fakeGitHub) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-GitHub-Request-Id", "C0DE:1")
	path, found := strings.CutPrefix(req.URL.Path, "/api/v3/repos/")
	parts := strings.Split(path, "/")
	switch {
	case req.Header.Get("Authorization") != "Bearer "+g.token:
		g.refuse(w, http.StatusUnauthorized, "Bad credentials")
	case req.Header.Get("User-Agent") == "":
		g.refuse(w, http.StatusForbidden, "Request forbidden by administrative rules.")
	case req.Header.Get("X-GitHub-Api-Version") != "2022-11-28" || req.Header.Get("Accept") != "application/vnd.github+json":
		g.refuse(w, http.StatusBadRequest, "Unsupported version.")
	case !found || len(parts) != 3 || parts[2] != "dispatches" || req.Method != http.MethodPost:
		g.refuse(w, http.StatusNotFound, "Not Found")
	default:
		g.dispatch(w, req, parts[0])
	}
}

func (g *fakeGitHub) dispatch(w http.ResponseWriter, req *http.Request, owner string) {
	switch owner {
	case "octo-org":
		g.take(w, req)
	case "readonly":
		w.Header().Set("X-Accepted-GitHub-Permissions", "contents=write")
		g.refuse(w, http.StatusForbidden, "Resource not accessible by personal access token")
	case "busy":
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(30*time.Minute).Unix(), 10))
		g.refuse(w, http.StatusForbidden, "API rate limit exceeded for user ID 1.")
	case "hasty":
		w.Header().Set("Retry-After", "60")
		g.refuse(w, http.StatusForbidden, "You have exceeded a secondary rate limit.")
	case "moved":
		w.Header().Set("Location", "https://api.github.com/repositories/1/dispatches")
		g.refuse(w, http.StatusTemporaryRedirect, "Moved Permanently")
	case "broken":
		w.WriteHeader(http.StatusBadGateway)
	default:
		g.refuse(w, http.StatusNotFound, "Not Found")
	}
}

// take takes an event, if it is within the limits.
func (g *fakeGitHub) take(w http.ResponseWriter, req *http.Request) {
	raw, err := io.ReadAll(req.Body)
	var body map[string]json.RawMessage
	var eventType string
	var payload map[string]json.RawMessage
	switch {
	case err != nil || json.Unmarshal(raw, &body) != nil:
		g.refuse(w, http.StatusBadRequest, "Problems parsing JSON")
	case json.Unmarshal(body["event_type"], &eventType) != nil || eventType == "" || len(eventType) > 100:
		g.refuse(w, http.StatusUnprocessableEntity, "Invalid request.\n\n\"event_type\" wasn't supplied.")
	case body["client_payload"] != nil && (json.Unmarshal(body["client_payload"], &payload) != nil || len(payload) > 10 ||
		len(body["client_payload"]) > 65535):
		g.refuse(w, http.StatusUnprocessableEntity, "Invalid request.\n\nNo more than 10 properties are allowed.")
	case os.WriteFile(g.file, raw, 0o600) != nil:
		panic(http.ErrAbortHandler)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func (g *fakeGitHub) refuse(w http.ResponseWriter, status int, message string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message, "status": strconv.Itoa(status)})
}
