package cli

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/hooktest"
	"github.com/tenterhook/tenterhook/signature"
)

// What is wrong with a command line is said before anything is sent, and what it
// says is not repeated where it may be a secret.
func TestSendUsage(t *testing.T) {
	t.Parallel()
	r := hooktest.NewReceiver(t)
	env := []string{"HOOK=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "WRONG=canary", "EMPTY="}
	signed := []string{"--status", "ok", "--secret", "env:HOOK"}
	for name, test := range map[string]struct {
		args []string
		code exit
		want string
	}{
		"no URL":               {[]string{"--status", "ok"}, exitUsage, "usage: tenterhook send URL"},
		"not a URL":            {append([]string{"hooks/canary"}, signed...), exitUsage, "not the URL of a receiver"},
		"scheme of the URL":    {append([]string{"ftp://canary"}, signed...), exitUsage, "not the URL of a receiver"},
		"URL by reference":     {append([]string{"env:NONE"}, signed...), exitConfig, `"NONE" is not set`},
		"nothing to send":      {[]string{r.URL(), "--secret", "env:HOOK"}, exitUsage, "what is to be sent"},
		"fields and data":      {append([]string{r.URL(), "--data", "{}"}, signed...), exitUsage, "--data is the whole body"},
		"no such file":         {[]string{r.URL(), "--data", "@nowhere", "--secret", "env:HOOK"}, exitUsage, "nowhere"},
		"field without value":  {append([]string{r.URL(), "-f", "a"}, signed...), exitUsage, `"a" sets nothing`},
		"field twice":          {append([]string{r.URL(), "-f", "a=1", "-f", "a=2"}, signed...), exitUsage, `"a" is there twice`},
		"no secret":            {[]string{r.URL(), "--status", "ok"}, exitUsage, "--scheme none sends without"},
		"secret written out":   {[]string{r.URL(), "--status", "ok", "--secret", "canary"}, exitUsage, "not a secret reference"},
		"store of secrets":     {[]string{r.URL(), "--status", "ok", "--secret", "gopass:canary/a"}, exitUsage, "gopass show -o"},
		"unknown store":        {[]string{r.URL(), "--status", "ok", "--secret", "canary:a"}, exitUsage, "not a secret reference"},
		"empty secret":         {[]string{r.URL(), "--status", "ok", "--secret", "env:EMPTY"}, exitConfig, "is empty"},
		"form of the secret":   {[]string{r.URL(), "--status", "ok", "--secret", "env:WRONG"}, exitConfig, "whsec_"},
		"unsigned with secret": {append([]string{r.URL(), "--scheme", "none"}, signed...), exitUsage, "--scheme none"},
		"no such scheme":       {append([]string{r.URL(), "--scheme", "gihub"}, signed...), exitUsage, "did you mean github"},
		"no such setting":      {append([]string{r.URL(), "--setting", "a=b"}, signed...), exitUsage, "no setting"},
		"header without colon": {append([]string{r.URL(), "-H", "canary"}, signed...), exitUsage, "no colon"},
		"header that is ours":  {append([]string{r.URL(), "-H", "Host: canary"}, signed...), exitUsage, "Host cannot be set"},
		"credential":           {append([]string{r.URL(), "-H", "X-Auth-Token: canary"}, signed...), exitUsage, "X-Auth-Token holds a secret"},
		"no time":              {append([]string{r.URL(), "--max-time", "0s"}, signed...), exitUsage, "more than 0"},
		"id":                   {append([]string{r.URL(), "--id", "a.b"}, signed...), exitUsage, "sign request"},
		"private key":          {[]string{r.URL(), "--status", "ok", "--scheme", "standardwebhooks_v1a", "--secret", "env:WRONG"}, exitConfig, "--secret"},
		"network":              {append([]string{"https://0x7f000001/"}, signed...), exitUndelivered, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"send"}, test.args...)
			if test.code == exitUndelivered {
				args = append(args, "--max-time", "1ms")
			}
			got := command(t, "", env, args...)
			if got.code != test.code || !strings.Contains(got.errors, test.want) || got.out != "" {
				t.Errorf("%+v, want exit %d and %q", got, test.code, test.want)
			}
			if strings.Contains(got.errors, "canary") {
				t.Errorf("what may be a secret is shown: %s", got.errors)
			}
		})
	}
	if n := len(r.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// What is printed as JSON has every attempt, and what the receiver answered
// cannot steer a terminal.
func TestSendPrints(t *testing.T) {
	t.Parallel()
	r := hooktest.NewReceiver(t)
	r.Next(hooktest.Reset())
	r.Always(hooktest.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("fine" + hostile)) })))
	args := []string{"send", r.URL(), "--status", "ok", "--scheme", "none", "--id", "7"}
	got := command(t, "", nil, append(args, "--json")...)
	var s sent
	if err := json.Unmarshal([]byte(got.out), &s); err != nil || got.code != exitDone || got.errors != "" {
		t.Fatalf("%+v, %v", got, err)
	}
	if s.ID != "7" || s.Outcome != "success" || s.Status != 200 || len(s.Attempts) != 2 || s.Attempts[0].Outcome != "unknown" ||
		s.Attempts[0].Error == "" || !strings.HasPrefix(s.Answer, "fine") || s.Host == "" {
		t.Errorf("%+v", s)
	}
	got = command(t, "", nil, args...)
	if !strings.HasPrefix(got.out, "200 fine") || !strings.Contains(got.errors, "attempt 1: delivered in ") {
		t.Errorf("%+v", got)
	}
	checkSafe(t, got.out+got.errors)
}

// The object that the flags make is valid JSON whatever is in them, and the time
// in it is now.
func TestSendBody(t *testing.T) {
	t.Parallel()
	u := newUI(strings.NewReader(""), nil, nil, true)
	u.now = func() time.Time { return time.Date(2026, 3, 1, 13, 0, 0, 5, time.FixedZone("", 3600)) }
	for _, message := range []string{"Deploy completed", "a \"b\" \\ \n\x00\x1b</script>\u2028", "\xff", "äöü 🚀", "'; id; $(id)"} {
		body, err := (&sendBody{status: "success", message: message, fields: []string{"n=1", "t=x=y"}}).body(u)
		var got map[string]any
		if err != nil || json.Unmarshal(body, &got) != nil {
			t.Errorf("%q: %s, %v", message, body, err)
			continue
		}
		if got["message"] != strings.ToValidUTF8(message, "\uFFFD") || got["timestamp"] != "2026-03-01T12:00:00Z" || got["n"] != 1.0 || got["t"] != "x=y" {
			t.Errorf("%q: %s", message, body)
		}
	}
	if _, ok := signature.Lookup(schemeNone); ok {
		t.Error("a provider has the name that stands for no signature")
	}
}
