package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenterhook/tenterhook/signature"
)

// kept is a signed request as it would be captured.
func kept(t *testing.T, provider, secret, body string, at time.Time) string {
	t.Helper()
	scheme, ok := signature.Lookup(provider)
	if !ok {
		t.Fatalf("no provider %s", provider)
	}
	keys, err := signature.NewKeys(secret)
	if err != nil {
		t.Fatal(err)
	}
	r := &signature.Request{
		Method: http.MethodPost, URL: "https://hooks.example.com/in", Body: []byte(body), Header: http.Header{"Content-Type": {"application/json"}},
	}
	if err := scheme.Sign(r, keys, signature.SignOptions{ID: "msg_1", Time: at}); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("POST /in HTTP/1.1\r\nHost: hooks.example.com\r\n")
	for name, values := range r.Header {
		for _, value := range values {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	return b.String() + "\r\n" + string(r.Body)
}

const (
	stripeSecret = "whsec_0123456789abcdef0123456789"
	stripeBody   = `{"id":"evt_1","type":"invoice.paid"}`
)

func verifyJSON(t *testing.T, in string, env []string, want exit, args ...string) verdict {
	t.Helper()
	r := command(t, in, env, append([]string{"verify", "--json"}, args...)...)
	var v verdict
	if err := json.Unmarshal([]byte(r.out), &v); err != nil || r.code != want {
		t.Fatalf("exit %d, %v, stdout %s, stderr %s", r.code, err, r.out, r.errors)
	}
	for _, pair := range env {
		_, secret, _ := strings.Cut(pair, "=")
		if strings.Contains(r.out+r.errors, secret) {
			t.Errorf("the secret is shown: %s%s", r.out, r.errors)
		}
	}
	return v
}

func TestVerify(t *testing.T) {
	t.Parallel()
	at := time.Unix(1780000000, 0)
	in := kept(t, "stripe", stripeSecret, stripeBody, at)
	env := []string{"OLD=whsec_another_secret_of_stripe", "SECRET=" + stripeSecret}
	args := []string{"--provider", "stripe", "--secret", "env:OLD", "--secret", "env:SECRET"}
	v := verifyJSON(t, in, env, exitDone, append(args, "--now", "1780000060")...)
	want := verdict{
		Valid: true, Provider: "stripe", Key: 2, Secret: "env:SECRET", Type: "invoice.paid", DeliveryID: "evt_1",
		SignedAt: optionalTime(at), BodyBound: true, Format: "http", Bytes: len(stripeBody), Now: at.Add(time.Minute).UTC(),
	}
	if diff := cmp.Diff(want, v, cmp.AllowUnexported(verdict{})); diff != "" {
		t.Error(diff)
	}
	for _, now := range []string{"1780000060000", "2026-05-28T20:27:40Z"} {
		if v := verifyJSON(t, in, env, exitDone, append(args, "--now", now)...); !v.Now.Equal(want.Now) {
			t.Errorf("--now %s is %v", now, v.Now)
		}
	}

	v = verifyJSON(t, in, env, exitUndelivered, append(args, "--now", "1780003600")...)
	if v.Reason != signature.ReasonTimestampStale || len(v.Causes) != 1 || v.Causes[0].Cause != "time" ||
		!strings.Contains(v.Causes[0].Do, "--now 2026-05-28T20:26:40Z") {
		t.Errorf("an hour later: %+v", v)
	}
	for _, tolerance := range []string{"off", "2h"} {
		verifyJSON(t, in, env, exitDone, append(args, "--now", "1780003600", "--tolerance", tolerance)...)
	}
	v = verifyJSON(t, in+"\n", env, exitUndelivered, append(args, "--now", "1780003600")...)
	if len(v.Causes) != 1 || v.Causes[0].Cause != "body_newline" || !strings.Contains(v.Causes[0].Besides, "2026-05-28T20:26:40Z") {
		t.Errorf("late and damaged: %+v", v)
	}
	v = verifyJSON(t, in, env, exitUndelivered, "--provider", "github", "--secret", "env:SECRET", "--now", "1780000000")
	if len(v.Causes) == 0 || v.Causes[0].Cause != "other_provider" || v.Causes[0].Provider != "stripe" {
		t.Errorf("as another provider signs: %+v", v)
	}
}

// A provider that signs the URL, behind a proxy.
func TestVerifyURL(t *testing.T) {
	t.Parallel()
	in := kept(t, "square", stripeSecret, "{}", time.Unix(1780000000, 0))
	env := []string{"SECRET=" + stripeSecret}
	args := []string{"--provider", "square", "--secret", "env:SECRET"}
	verifyJSON(t, in, env, exitDone, args...)
	inside := strings.Replace(in, "hooks.example.com", "app:8000", 1)
	verifyJSON(t, inside, env, exitDone, append(args, "--url", "https://hooks.example.com/in")...)
	proxied := strings.Replace(inside, "\r\n", "\r\nX-Forwarded-Host: hooks.example.com\r\n", 1)
	v := verifyJSON(t, proxied, env, exitUndelivered, args...)
	if len(v.Causes) == 0 || v.Causes[0].Cause != "url" || !strings.Contains(v.Causes[0].With, "https://hooks.example.com/in") {
		t.Errorf("%+v", v)
	}
	v = verifyJSON(t, strings.Replace(in, "Host: hooks.example.com\r\n", "", 1), env, exitUndelivered, args...)
	if !slices.ContainsFunc(v.Notes, func(note string) bool { return strings.Contains(note, "--url") }) {
		t.Errorf("without a host: notes %q", v.Notes)
	}
}

// A setting that the provider needs, and a handshake that is decided by it.
func TestVerifyHandshake(t *testing.T) {
	t.Parallel()
	const in = "GET /in?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=tok%2Ben HTTP/1.1\nHost: h.example\n\n"
	v := verifyJSON(t, in, nil, exitDone, "--provider", "meta", "--setting", "verify_token="+setting(t, "tok+en"))
	if v.Answer == nil || v.Answer.Status != http.StatusOK || v.Answer.Body != "1158201444" {
		t.Errorf("%+v", v)
	}
	v = verifyJSON(t, in, nil, exitUndelivered, "--provider", "meta", "--setting", "verify_token="+setting(t, "another"))
	if v.Answer == nil || v.Answer.Status != http.StatusForbidden || v.Reason == "" {
		t.Errorf("%+v, %+v", v, v.Answer)
	}
}

// A secret that arrives in a handshake is not shown.
func TestVerifyHidesArrivedSecrets(t *testing.T) {
	t.Parallel()
	const in = "POST /in HTTP/1.1\nHost: h.example\nX-Hook-Secret: b537207f20cbfa02357cf448134da559\n\n"
	v := verifyJSON(t, in, nil, exitDone, "--provider", "asana")
	if v.Answer == nil || !slices.Contains(v.Answer.Headers, [2]string{"X-Hook-Secret", redacted}) {
		t.Errorf("%+v, %+v", v, v.Answer)
	}
}

// setting writes a value of meta's verify_token as the command line takes it.
func setting(t *testing.T, value string) string {
	t.Helper()
	meta, _ := signature.Lookup("meta")
	for _, s := range meta.Settings() {
		if s.Name == "verify_token" && s.Secret {
			return "insecure-literal:" + value
		}
	}
	return value
}

func TestVerifyUsage(t *testing.T) {
	t.Parallel()
	in := kept(t, "github", stripeSecret, "{}", time.Unix(1780000000, 0))
	config := writeConfig(t, "sources:\n  hub: {provider: github, secret: env:SECRET}\n  open: {provider: none}\n")
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no provider":        {nil, "its headers look like those of github"},
		"unknown provider":   {[]string{"--provider", "githup"}, "no provider is called"},
		"half a name":        {[]string{"--provider", "git"}, "did you mean"},
		"both":               {[]string{"--provider", "github", "--source", "hub"}, "in two ways"},
		"no secret":          {[]string{"--provider", "github"}, "github needs a secret"},
		"a bare secret":      {[]string{"--provider", "github", "--secret", "hunter2hunter2"}, "not the secret itself"},
		"no such source":     {[]string{"--source", "bub", "--config", config}, "sources: hub, open"},
		"an open source":     {[]string{"--source", "open", "--config", config}, "verifies nothing"},
		"no such setting":    {[]string{"--provider", "github", "--secret", "env:SECRET", "--setting", "a=b"}, "github has no setting"},
		"no setting":         {[]string{"--provider", "github", "--secret", "env:SECRET", "--setting", "a"}, "NAME=VALUE"},
		"not a time":         {[]string{"--provider", "github", "--secret", "env:SECRET", "--now", "noon"}, `--now "noon"`},
		"not a duration":     {[]string{"--provider", "github", "--secret", "env:SECRET", "--tolerance", "-1s"}, "is not a duration"},
		"no time to look at": {[]string{"--provider", "github", "--secret", "env:SECRET", "--tolerance", "1m"}, "no time"},
		"half a URL":         {[]string{"--provider", "github", "--secret", "env:SECRET", "--url", "/in"}, "--url"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := command(t, in, []string{"SECRET=" + stripeSecret}, append([]string{"verify"}, test.args...)...)
			if r.code != exitUsage || !strings.Contains(r.errors, test.want) || r.out != "" || strings.Contains(r.errors, "hunter2") {
				t.Errorf("exit %d, stdout %q, stderr %q", r.code, r.out, r.errors)
			}
		})
	}
	for name, args := range map[string][]string{
		"no such file":   {"verify", "/nowhere/request.txt", "--provider", "github"},
		"no such body":   {"verify", "--provider", "github", "--body", "/nowhere/body"},
		"no such format": {"verify", "--provider", "github", "--format", "pcap"},
	} {
		if r := command(t, in, nil, args...); r.code != exitFailed {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// The settings and secrets of a source are taken although another source's
// secret is not there.
func TestVerifySource(t *testing.T) {
	t.Parallel()
	config := writeConfig(t, "sources:\n  hub: {provider: github, secret: env:SECRET}\n  other: {provider: github, secret: env:NOT_SET}\n")
	in := kept(t, "github", stripeSecret, "{}", time.Unix(1780000000, 0))
	v := verifyJSON(t, in, []string{"SECRET=" + stripeSecret}, exitDone, "--source", "hub", "--config", config)
	if v.Source != "hub" || v.Secret != "env:SECRET" {
		t.Errorf("%+v", v)
	}
	r := command(t, in, nil, "verify", "--source", "other", "--config", config)
	if r.code != exitConfig || !strings.Contains(r.errors, "NOT_SET") {
		t.Errorf("%+v", r)
	}
}

// What a provider sends as its secret is not shown when it is wrong by a little.
func TestVerifyHidesSentSecrets(t *testing.T) {
	t.Parallel()
	const in = "POST /in?token=a-long-secret-token HTTP/1.1\nHost: h\nX-Gitlab-Token: a-long-secret-token\n\n{}"
	v := verifyJSON(t, in, []string{"SECRET=a-long-secret-token "}, exitUndelivered, "--provider", "gitlab", "--secret", "env:SECRET")
	if len(v.Causes) == 0 || v.Causes[0].Cause != "secret" {
		t.Errorf("%+v", v)
	}
}

// vectors returns the lines of all test vectors whose provider there is.
func vectors(tb testing.TB) [][]byte {
	tb.Helper()
	files, err := filepath.Glob("../../signature/testdata/vectors/*.jsonl")
	if err != nil || len(files) == 0 {
		tb.Fatal("no vectors", err)
	}
	var lines [][]byte
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		for line := range bytes.Lines(content) {
			lines = append(lines, bytes.TrimSpace(line))
		}
	}
	return lines
}

// expected is what a line says must come of it.
type expected struct {
	ID, Provider string
	Valid        bool
	Expect       *struct {
		Status      int
		ContentType string `json:"content_type"`
		Body        *string
		JSON        any
		Headers     map[string]string
	}
}

// Every verdict of a batch is that of the vector, and so is every answer.
func TestVerifyBatch(t *testing.T) {
	t.Parallel()
	lines := vectors(t)
	r := command(t, string(bytes.Join(lines, []byte("\n"))), nil, "verify", "--batch")
	if r.code != exitDone || r.errors != "" {
		t.Fatalf("exit %d, stderr %s", r.code, r.errors)
	}
	verdicts := strings.Split(strings.TrimSpace(r.out), "\n")
	if len(verdicts) != len(lines) {
		t.Fatalf("%d verdicts of %d lines", len(verdicts), len(lines))
	}
	for i, line := range lines {
		var want expected
		got := lineVerdict{answer: &answer{}}
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(verdicts[i]), &got); err != nil {
			t.Fatal(err)
		}
		if got.Reason == string(signature.ReasonNoScheme) {
			continue // of a package of its own
		}
		if got.ID != want.ID || got.Valid != want.Valid || got.Valid != (got.Reason == "") {
			t.Errorf("%s: %s", want.ID, verdicts[i])
		}
		if want.Expect != nil {
			checkAnswer(t, want, got.answer)
		}
	}
}

func checkAnswer(t *testing.T, want expected, got *answer) {
	t.Helper()
	header := http.Header{}
	for _, pair := range got.Headers {
		header.Add(pair[0], pair[1])
	}
	if got.Status != want.Expect.Status || !strings.HasPrefix(header.Get("Content-Type"), want.Expect.ContentType) {
		t.Errorf("%s: status %d, headers %v", want.ID, got.Status, got.Headers)
	}
	if want.Expect.Body != nil && got.Body != *want.Expect.Body {
		t.Errorf("%s: body %q", want.ID, got.Body)
	}
	for name, value := range want.Expect.Headers {
		if header.Get(name) != value {
			t.Errorf("%s: header %s is %q", want.ID, name, header.Get(name))
		}
	}
	if want.Expect.JSON != nil {
		var body any
		if err := json.Unmarshal([]byte(got.Body), &body); err != nil {
			t.Errorf("%s: body %q", want.ID, got.Body)
		}
		if diff := cmp.Diff(want.Expect.JSON, body); diff != "" {
			t.Errorf("%s: %s", want.ID, diff)
		}
	}
}

// A line of a batch can be verified by itself, with all that belongs to it.
func TestVerifyLine(t *testing.T) {
	t.Parallel()
	for _, line := range vectors(t) {
		var want expected
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatal(err)
		}
		if want.Provider == "paypal" && strings.HasSuffix(want.ID, "/valid") {
			v := verifyJSON(t, string(line), nil, exitDone)
			if v.Provider != "paypal" || v.Format != "vector" {
				t.Errorf("%+v", v)
			}
			r := command(t, strings.Replace(string(line), `"config"`, `"other"`, 1), nil, "verify")
			if r.code != exitUsage || !strings.Contains(r.errors, "--setting webhook_id=") {
				t.Errorf("without its setting: %+v", r)
			}
			return
		}
	}
	t.Error("no such line")
}

// A line that cannot be read does not keep the others from being judged.
func TestBatchUnreadable(t *testing.T) {
	t.Parallel()
	body := base64.StdEncoding.EncodeToString([]byte("{}"))
	in := `{"id":"a","provider":"nobody","body_base64":"` + body + `"}` + "\n\n" + `{"id":"b"}` + "\nnot JSON\n"
	r := command(t, in, nil, "verify", "--batch")
	want := `{"id":"a","valid":false,"reason":"no_scheme","detail":"no provider is called \"nobody\""}` + "\n" +
		`{"id":"b","valid":false,"reason":"unreadable","detail":"it names no provider"}` + "\n" +
		`{"id":"","valid":false,"reason":"unreadable","detail":"it is not a line of vectors: `
	if r.code != exitFailed || !strings.HasPrefix(r.out, want) || !strings.Contains(r.errors, "2 lines could not be read") {
		t.Errorf("exit %d, stdout %s, stderr %s", r.code, r.out, r.errors)
	}
}

// BenchmarkVerifyBatch says how many lines are judged in a second.
func BenchmarkVerifyBatch(b *testing.B) {
	lines := vectors(b)
	j := judge{clock: time.Now, schemes: map[string]*signature.Scheme{}}
	for b.Loop() {
		for _, line := range lines {
			j.line(line)
		}
	}
	b.ReportMetric(float64(len(lines)*b.N)/b.Elapsed().Seconds(), "lines/s")
}

func TestPublicURL(t *testing.T) {
	t.Parallel()
	for _, test := range [][3]string{
		{"https://h.example", "http://app:8000/webhook/a?b=c", "https://h.example/webhook/a?b=c"},
		{"https://h.example", "/webhook/a", "https://h.example/webhook/a"},
		{"https://h.example/hook", "http://app:8000/webhook/a?b=c", "https://h.example/hook?b=c"},
		{"https://h.example/hook", "http://app:8000/webhook/a", "https://h.example/hook"},
	} {
		if got := publicURL(test[0], test[1]); got != test[2] {
			t.Errorf("%s of %s is %s", test[0], test[1], got)
		}
	}
}
