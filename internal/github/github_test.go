package github_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/internal/github"
)

const token = "github_pat_canary"

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// newClient returns a client whose requests are answered by answer.
func newClient(t *testing.T, api string, answer func(*http.Request) (*http.Response, error)) *github.Client {
	t.Helper()
	c, err := github.NewClient(github.Options{
		API: api, Token: token + "\n", Now: func() time.Time { return now },
		Doer: github.DoFunc(func(_ context.Context, req *http.Request) (*http.Response, error) { return answer(req) }),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func answer(status int, body string, header ...string) *http.Response {
	r := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// What is sent is what GitHub documents.
func TestDispatch(t *testing.T) {
	t.Parallel()
	for api, want := range map[string]string{
		"":                                  "https://api.github.com/repos/octo-org/hello.world/dispatches",
		"https://github.example.com/api/v3": "https://github.example.com/api/v3/repos/octo-org/hello.world/dispatches",
	} {
		var got *http.Request
		var body string
		c := newClient(t, api, func(req *http.Request) (*http.Response, error) {
			content, err := io.ReadAll(req.Body)
			got, body = req, string(content)
			return answer(http.StatusNoContent, ""), err
		})
		d := github.Dispatch{Repository: "octo-org/hello.world", EventType: "t", Payload: []byte(`{"a": 1}`)}
		if err := c.Dispatch(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if got.URL.String() != want || got.Method != http.MethodPost || body != `{"event_type":"t","client_payload":{"a":1}}` {
			t.Errorf("%s %s %s", got.Method, got.URL, body)
		}
		for name, value := range map[string]string{
			"Authorization": "Bearer " + token, "Accept": "application/vnd.github+json", "X-GitHub-Api-Version": github.Version,
			"Content-Type": "application/json", "User-Agent": "tenterhook",
		} {
			if got.Header.Get(name) != value {
				t.Errorf("%s is %q", name, got.Header.Get(name))
			}
		}
	}
}

func keys(n int) string {
	all := make(map[string]int, n)
	for i := range n {
		all[strconv.Itoa(i)] = i
	}
	text, _ := json.Marshal(all)
	return string(text)
}

func sized(n int) string { return `{"a":"` + strings.Repeat("a", n-len(`{"a":""}`)) + `"}` }

// What GitHub would refuse is not sent.
func TestDispatchLimits(t *testing.T) {
	t.Parallel()
	sent := 0
	c := newClient(t, "", func(*http.Request) (*http.Response, error) {
		sent++
		return answer(http.StatusNoContent, ""), nil
	})
	for _, test := range []struct{ repository, eventType, payload, want string }{
		{"a/b", "t", "", ""}, {"a/b", strings.Repeat("ä", 100), keys(10), ""}, {"A-1_b/.github", "t", sized(github.MaxPayload), ""},
		{"a/b", "t", " " + sized(github.MaxPayload) + "\n", ""},
		{"a/b", "", "", "is empty"}, {"a/b", strings.Repeat("a", 101), "", "101 characters"}, {"a/b", "\xff", "", "UTF-8"},
		{"a/b", "t", keys(11), "11 keys"}, {"a/b", "t", sized(github.MaxPayload + 1), "65536 bytes"},
		{"a/b", "t", "[]", "not a JSON object"}, {"a/b", "t", "null", "not a JSON object"}, {"a/b", "t", `{"a":`, "not a JSON object"},
		{"a", "t", "", "not a repository"}, {"a/b/c", "t", "", "not a repository"}, {"a/..", "t", "", "not a repository"},
		{"../b", "t", "", "not a repository"}, {"a/b?c", "t", "", "not a repository"}, {"a/b\n", "t", "", "not a repository"},
		{"-a/b", "t", "", "not a repository"}, {"", "t", "", "not a repository"},
	} {
		d := github.Dispatch{Repository: test.repository, EventType: test.eventType}
		if test.payload != "" {
			d.Payload = []byte(test.payload)
		}
		before := sent
		err := c.Dispatch(t.Context(), d)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) || (sent > before) != (err == nil) {
			t.Errorf("%q %.20q %.20q: %v, want %q", test.repository, test.eventType, test.payload, err, test.want)
		}
	}
}

// What GitHub answers is told in terms that one can act on.
func TestErrors(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	for name, test := range map[string]struct {
		resp      *http.Response
		limit     github.Limit
		wait      time.Duration
		temporary bool
		want      string
	}{
		"token":   {answer(401, `{"message":"Bad credentials"}`), "", 0, false, "401 Unauthorized: Bad credentials"},
		"rights":  {answer(403, `{"message":"no"}`, "X-RateLimit-Remaining", "4999"), "", 0, false, "403 Forbidden: no"},
		"missing": {answer(404, `{"message":"Not Found"}`), "", 0, false, "404 Not Found: Not Found"},
		"refused": {
			answer(422, `{"message":"Validation Failed","errors":["a is wrong",{"field":"b","code":"missing"},{"message":"c"},1]}`),
			"", 0, false, "Validation Failed; a is wrong; b missing; c",
		},
		"primary": {
			answer(403, `{"message":"API rate limit exceeded."}`, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", at(time.Hour)),
			github.LimitPrimary, time.Hour, true, "(primary rate limit; try again in 1h0m0s)",
		},
		"primary, past":      {answer(429, ``, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", at(-time.Hour)), github.LimitPrimary, time.Second, true, ""},
		"primary, nonsense":  {answer(429, ``, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "soon"), github.LimitPrimary, time.Minute, true, ""},
		"primary, far":       {answer(429, ``, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "99999999999"), github.LimitPrimary, 24 * time.Hour, true, ""},
		"secondary":          {answer(403, `{}`, "Retry-After", "60"), github.LimitSecondary, time.Minute, true, "secondary rate limit; try again in 1m0s"},
		"secondary, in text": {answer(403, `{"message":"You have exceeded a secondary rate limit"}`), github.LimitSecondary, time.Minute, true, ""},
		"secondary, bare":    {answer(429, ``), github.LimitSecondary, time.Minute, true, "429 Too Many Requests"},
		"broken":             {answer(502, `<html>`), "", 0, true, "GitHub answered 502 Bad Gateway"},
		"moved":              {answer(307, `{"message":"Moved"}`, "Location", "https://evil.example/"), "", 0, false, "307 Temporary Redirect"},
		"endless":            {answer(400, `{"message":"`+strings.Repeat("a", 1<<20)+`"}`), "", 0, false, "400 Bad Request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, "", func(*http.Request) (*http.Response, error) { return test.resp, nil })
			err := c.Dispatch(t.Context(), github.Dispatch{Repository: "a/b", EventType: "t"})
			var refused *github.Error
			if !errors.As(err, &refused) || refused.Limit != test.limit || refused.RetryAfter != test.wait ||
				refused.Temporary() != test.temporary || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%+v: %v", refused, err)
			}
			if refused.Status != 400 && refused.Status != 422 && refused.Hint() == "" {
				t.Error("there is no hint")
			}
		})
	}
}

func TestClientShowsNoToken(t *testing.T) {
	t.Parallel()
	c := newClient(t, "", func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
	err := c.Dispatch(t.Context(), github.Dispatch{Repository: "a/b", EventType: "t"})
	if text := fmt.Sprintf("%v %+v %#v %s", c, c, c, err); strings.Contains(text, token) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(text)
	}
	for _, o := range []github.Options{
		{}, {Token: " "}, {Token: "a\nb"}, {Token: token}, {Token: token, API: "github.example.com"}, {Token: token, API: "ftp://a.example"},
		{Token: token, API: "https://u:p@a.example"}, {Token: token, API: "https://a.example/?a"},
	} {
		if o.API != "" {
			o.Doer = github.DoFunc(nil)
		}
		if _, err := github.NewClient(o); err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("%+v: %v", o.API, err)
		}
	}
}
