package mismatch

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

const (
	secret = "0123456789abcdef-canary"
	whsec  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

var now = time.Unix(1780000000, 0)

// signed is a case that verifies.
func signed(t *testing.T, scheme *signature.Scheme, body string, secrets ...string) Case {
	t.Helper()
	c := Case{Scheme: scheme, Now: now, Secrets: secrets, Request: &signature.Request{
		Method: http.MethodPost, URL: "https://hooks.example.com/in/one?a=b%20c", Body: []byte(body),
		Header: http.Header{"Content-Type": {"application/json"}, "X-Github-Event": {"push"}},
	}}
	if err := scheme.Sign(c.Request, keysOf(secrets...), signature.SignOptions{ID: "msg_1", Time: now}); err != nil {
		t.Fatal(err)
	}
	if _, err := scheme.Verify(c.Request, keysOf(secrets...), now); err != nil {
		t.Fatalf("the undamaged request does not verify: %v", err)
	}
	return c
}

// explain returns what is found out, and sees to it that no secret is in it.
func explain(t *testing.T, c Case) Report {
	t.Helper()
	if _, err := c.Scheme.Verify(c.Request, keysOf(c.Secrets...), c.Now); err == nil {
		t.Fatal("the damaged request verifies")
	}
	report := Explain(t.Context(), c)
	text := fmt.Appendf(nil, "%+v", report)
	for _, s := range append(c.Secrets, secret, whsec, strings.TrimPrefix(whsec, "whsec_")) {
		if s = strings.TrimSpace(s); len(s) > 8 && bytes.Contains(text, []byte(s)) {
			t.Errorf("a secret is shown: %s", text)
		}
	}
	return report
}

func wantCause(t *testing.T, r Report, name, with string) {
	t.Helper()
	if len(r.Causes) == 0 {
		t.Fatalf("nothing found in %d tries, doubts %q", r.Tried, r.Doubts)
	}
	c := r.Causes[0]
	if c.Name != name || !strings.Contains(c.With, with) || c.Do == "" {
		t.Errorf("cause %s: %s. %s", c.Name, c.With, c.Do)
	}
}

func TestBody(t *testing.T) {
	t.Parallel()
	const body = `{"b": 1.0, "a": ["\u00e9", "/", "<", {}], "z": null}`
	for name, test := range map[string]struct {
		sent, got, cause, with string
	}{
		"newline added":  {body, body + "\n", "body_newline", "without the newline at the end"},
		"CRLF added":     {body, body + "\r\n", "body_newline", "without the newline at the end"},
		"newline lost":   {body + "\n", body, "body_newline", "with a newline at the end"},
		"newlines lost":  {body, body + "\n \n", "body_newline", "without the white space at the end"},
		"CRLF made":      {"{\n}", "{\r\n}", "body_newline", "LF instead of CRLF in the body"},
		"CRLF unmade":    {"{\r\n}\r\n", "{\n}\n", "body_newline", "CRLF instead of LF"},
		"BOM added":      {body, "\xef\xbb\xbf" + body, "body_newline", "without the byte order mark"},
		"BOM lost":       {"\xef\xbb\xbf" + body, body, "body_newline", "with a byte order mark"},
		"indented":       {`{"a":1}`, "{\n  \"a\": 1\n}", "body_rewritten", "without white space"},
		"compacted":      {"{\n  \"a\": [\n    1,\n    {}\n  ]\n}", `{"a":[1,{}]}`, "body_rewritten", "indented by 2 spaces"},
		"compacted tabs": {"{\n\t\"a\": 1\n}\n", `{"a":1}`, "body_rewritten", "indented by tabs and with a newline"},
		"by Python":      {`{"a": 1, "b": "\u00e9\ud83d\ude80"}`, `{"a":1,"b":"é🚀"}`, "body_rewritten", `as Python writes it, with non-ASCII`},
		"by PHP":         {`{"a":"\u00e9\/"}`, `{"a":"é/"}`, "body_rewritten", "as PHP writes them"},
		"by Go":          {`{"a":"\u003ca\u0026b\u003e"}`, `{"a":"<a&b>"}`, "body_rewritten", "as Go writes them"},
		"by .NET":        {`{"a":"\u003C\u00E9\u0027"}`, `{"a":"<é'"}`, "body_rewritten", "as .NET writes them"},
		"unescaped":      {`{"a":"é/<"}`, `{"a":"\u00e9\/\u003c"}`, "body_rewritten", "without white space"},
		"keys unsorted":  {`{"a":1,"b":{"c":2,"d":3}}`, `{"b":{"d":3,"c":2},"a":1}`, "body_rewritten", "with its keys sorted"},
		"by JavaScript":  {`{"a":1,"b":1e-7,"c":120}`, `{"a":1.0,"b":1E-7,"c":1.2e2}`, "body_rewritten", "as JavaScript writes them"},
		"form made JSON": {"payload=%7B%22a%22%3A1%7D", `{"a":1}`, "body_form", "as the form payload=JSON"},
		"JSON made form": {`{"a": 1}`, "payload=%7B%22a%22%3A+1%7D", "body_form", "the form's field payload"},
		"form rewritten": {"b=c%20d&a=1", "b=c+d&a=1", "body_form", "with %20 for a space"},
		"form sorted":    {"a=1&b=2", "b=2&a=1", "body_form", "in the order of its names"},
		"in base64":      {body, base64.StdEncoding.EncodeToString([]byte(body)), "body_encoding", "decoded from base64"},
		"as a string":    {`{"a":1}`, `"{\"a\":1}"`, "body_encoding", "as a JSON string"},
		"in an envelope": {`{"a":1}`, `{"body":"eyJhIjoxfQ==","isBase64Encoded":true}`, "body_encoding", "inside of the gateway's JSON"},
		"compressed":     {`{"a":1}`, gzipped(t, `{"a":1}`), "body_encoding", "unpacked from gzip"},
		"mojibake":       {`{"a":"é"}`, `{"a":"Ã©"}`, "body_encoding", "as UTF-8"},
		"emptied":        {"", `{"a":1}`, "body_cut", "with an empty body"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := signed(t, signature.GitHub, test.sent, secret)
			c.Request.Body = []byte(test.got)
			wantCause(t, explain(t, c), test.cause, test.with)
		})
	}
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What follows the body that Content-Length says belongs to it if its line ends
// were changed.
func TestRest(t *testing.T) {
	t.Parallel()
	c := signed(t, signature.GitHub, "{\n\n}", secret)
	c.Request.Body, c.Rest = []byte("{\r\n\r"), []byte("\n}")
	wantCause(t, explain(t, c), "body_newline", "the whole body")
	c.Request.Body, c.Rest = []byte("{\n"), []byte("\n}")
	wantCause(t, explain(t, c), "body_newline", "what follows the body")
}

func TestSecret(t *testing.T) {
	t.Parallel()
	key := []byte("\x00\x01\x02 raw bytes of a key \xff")
	for name, test := range map[string]struct {
		scheme           *signature.Scheme
		right, set, with string
	}{
		"white space":       {signature.GitHub, secret, secret + " \t", "without the white space"},
		"quotes":            {signature.GitHub, secret, `"` + secret + `"`, "without the quotes"},
		"newline meant":     {signature.GitHub, secret + "\n", secret, "with a newline at the end of the secret"},
		"whsec_ not meant":  {signature.GitHub, secret, "whsec_" + secret, "without the prefix"},
		"NAME=":             {signature.GitHub, secret, "export SECRET=" + secret, "without the variable's name"},
		"base64":            {signature.GitHub, string(key), base64.StdEncoding.EncodeToString(key), "decoded from base64"},
		"base64url":         {signature.GitHub, string(key), base64.RawURLEncoding.EncodeToString(key), "decoded from base64"},
		"hex":               {signature.GitHub, string(key), hex.EncodeToString(key), "decoded from hex"},
		"decoded too often": {signature.GitHub, hex.EncodeToString(key), string(key), "with the secret in hex"},
		"text as the key": {
			signature.StandardWebhooks, "whsec_" + base64.StdEncoding.EncodeToString([]byte("0123456789 a plain long text")),
			"0123456789 a plain long text", "the secret's text itself as the key",
		},
		"percent escapes": {signature.GitHub, "a secret/of 16 or more", "a%20secret%2Fof%2016%20or%20more", "percent escapes"},
		"capitals":        {signature.GitHub, strings.ToLower(secret), strings.ToUpper(secret), "in small letters"},
		"two things":      {signature.GitHub, secret, `"` + secret + `" `, "without the white space around the secret, and without the quotes"},
		"whsec_ decoded":  {signature.GitHub, string(key), "whsec_" + base64.StdEncoding.EncodeToString(key), "without the prefix of the secret, and with"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := signed(t, test.scheme, `{}`, test.right)
			c.Secrets = []string{test.set}
			wantCause(t, explain(t, c), "secret", test.with)
			c.Request.Body = []byte("{}\n")
			wantCause(t, explain(t, c), "body_newline+secret", test.with)
		})
	}
}

func TestOtherSource(t *testing.T) {
	t.Parallel()
	c := signed(t, signature.GitHub, `{}`, "the secret of another webhook")
	c.Secrets, c.Others = []string{secret}, []Receiver{
		{Name: "unset"},
		{Name: "shop", Scheme: signature.StandardWebhooks, Secrets: []string{whsec}},
		{Name: "fork", Scheme: signature.GitHub, Secrets: []string{"the secret of another webhook"}},
	}
	wantCause(t, explain(t, c), "other_source", `the secret of the source "fork"`)

	c = signed(t, signature.StandardWebhooks, `{}`, whsec)
	c.Scheme, c.Secrets = signature.GitHub, []string{secret}
	c.Others = []Receiver{{Name: "shop", Scheme: signature.StandardWebhooks, Secrets: []string{whsec}}}
	wantCause(t, explain(t, c), "other_source", `as the source "shop" verifies`)
}

func TestHeader(t *testing.T) {
	t.Parallel()
	const sig = "X-Hub-Signature-256"
	for name, test := range map[string]struct {
		damage      func(h http.Header)
		cause, with string
	}{
		"twice":     {func(h http.Header) { h[sig] = append(h[sig], "sha256=00") }, "header_repeated", "the first of the values"},
		"joined":    {func(h http.Header) { h[sig] = []string{"sha256=00, " + h[sig][0]} }, "header_repeated", "the last of the values"},
		"as in CGI": {func(h http.Header) { h["Http_x_hub_signature_256"] = h[sig]; delete(h, sig) }, "header_renamed", "instead of _"},
		"in quotes": {func(h http.Header) { h[sig] = []string{`"` + h[sig][0] + `"`} }, "header_value", "without the quotes"},
		"prefix lost": {func(h http.Header) {
			h[sig] = []string{strings.TrimPrefix(h[sig][0], "sha256=")}
		}, "header_value", "with the prefix sha256="},
		"escaped": {func(h http.Header) { h[sig] = []string{url.QueryEscape(h[sig][0])} }, "header_value", "percent escapes decoded"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := signed(t, signature.GitHub, `{}`, secret)
			test.damage(c.Request.Header)
			wantCause(t, explain(t, c), test.cause, test.with)
		})
	}
}

func TestOldGitHubHeader(t *testing.T) {
	t.Parallel()
	old, err := signature.HMAC(signature.HMACOptions{Header: "X-Hub-Signature", Algorithm: signature.SHA1, Prefix: "sha1="})
	if err != nil {
		t.Fatal(err)
	}
	c := signed(t, old, `{}`, secret)
	c.Scheme = signature.GitHub
	wantCause(t, explain(t, c), "header_sha1", "SHA-1")
}

func TestTime(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		now         time.Time
		cause, with string
		do          string
	}{
		"stale":  {now.Add(3 * time.Hour), "time", "when it was signed, 3h0m0s before", "--now 2026-05-28T20:26:40Z"},
		"future": {now.Add(-100 * time.Hour), "time", "when it was signed, 4 days later", "ahead of the receiver's time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := signed(t, signature.StandardWebhooks, `{}`, whsec)
			c.Now = test.now
			report := explain(t, c)
			wantCause(t, report, test.cause, test.with)
			if !strings.Contains(report.Causes[0].Do, test.do) {
				t.Errorf("what to do: %s", report.Causes[0].Do)
			}
			// With something else wrong besides, both are said.
			c.Request.Body = []byte("{}\n")
			report = explain(t, c)
			wantCause(t, report, "body_newline", "without the newline")
			if report.Causes[0].Time == nil {
				t.Error("nothing is said of the time")
			}
		})
	}
}

// timed is a scheme whose timestamp is in a unit.
func timed(t *testing.T, unit signature.TimeUnit) *signature.Scheme {
	t.Helper()
	s, err := signature.New(signature.Spec{
		Name: "timed", Sign: "{time}.{body}", Time: unit, Tolerance: time.Minute,
		Read: []signature.Read{{From: "x-timestamp", Pattern: "{time}"}, {From: "x-signature", Pattern: "{sig}"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTimestampUnit(t *testing.T) {
	t.Parallel()
	c := signed(t, timed(t, signature.Milliseconds), `{}`, secret)
	c.Scheme = timed(t, signature.Seconds)
	wantCause(t, explain(t, c), "timestamp_unit", "this one is in milliseconds")

	c = signed(t, timed(t, signature.Seconds), `{}`, secret)
	c.Scheme = timed(t, signature.Milliseconds)
	wantCause(t, explain(t, c), "timestamp_unit", "this one is in seconds")

	c = signed(t, timed(t, signature.Seconds), `{}`, secret)
	c.Request.Header.Set("X-Timestamp", c.Request.Header.Get("X-Timestamp")+"000") // on its way
	wantCause(t, explain(t, c), "timestamp_unit", "in the other unit")
}

func TestOtherProvider(t *testing.T) {
	t.Parallel()
	c := signed(t, signature.GitHub, `{}`, whsec)
	c.Scheme = signature.StandardWebhooks
	wantCause(t, explain(t, c), "other_provider", "as the provider github")
}

func TestURL(t *testing.T) {
	t.Parallel()
	scheme, err := signature.New(signature.Spec{
		Name: "with-url", Sign: "{method}{url}{body}", Read: []signature.Read{{From: "x-signature", Pattern: "{sig}"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !scheme.SignsURL() {
		t.Fatal("the scheme does not sign the URL")
	}
	const was = "https://hooks.example.com/in/one?a=b%20c"
	for got, header := range map[string]http.Header{
		"http://hooks.example.com/in/one?a=b%20c":      nil,
		"https://hooks.example.com:8443/in/one?a=b+c":  nil,
		"http://10.0.0.7:8000/in/one?a=b%20c":          {"X-Forwarded-Host": {"hooks.example.com"}},
		"https://internal/in/one?a=b%20c":              {"Forwarded": {"for=1.2.3.4;host=hooks.example.com;proto=https"}},
		"https://hooks.example.com/in/one/?a=b%20c":    nil,
		"https://hooks.example.com/app/in/one?a=b%20c": nil,
		"https://hooks.example.com/one?a=b%20c":        {"X-Forwarded-Prefix": {"/in"}},
		"https://hooks.example.com/":                   {"X-Original-Uri": {"/in/one?a=b%20c"}},
	} {
		t.Run(got, func(t *testing.T) {
			t.Parallel()
			c := signed(t, scheme, `{}`, secret)
			c.Request.URL = got
			maps.Copy(c.Request.Header, header)
			wantCause(t, explain(t, c), "url", was)
		})
	}
	c := signed(t, scheme, `{}`, secret)
	c.Request.Method = http.MethodGet
	wantCause(t, explain(t, c), "method", "with the method POST")
}

// What nothing explains is not explained, and what is odd about it is said.
func TestDoubts(t *testing.T) {
	t.Parallel()
	for want, damage := range map[string]func(r *signature.Request){
		"":                        func(r *signature.Request) { r.Body = []byte(`{"a":2}`) },
		"U+FFFD":                  func(r *signature.Request) { r.Body = []byte("{\"a\":\"\ufffd\"}") },
		"the body is lost":        func(r *signature.Request) { r.Body = nil; r.Header.Set("Content-Length", "7") },
		"what is missing":         func(r *signature.Request) { r.Body = []byte(`{"a"`); r.Header.Set("Content-Length", "7") },
		"is there 2 times":        func(r *signature.Request) { r.Header["X-Hub-Signature-256"] = []string{"sha256=00", "sha256=01"} },
		"it is not any more":      func(r *signature.Request) { r.Body = []byte(`{"b":1}`); r.Header.Set("Content-Encoding", "gzip") },
		"no provider that":        func(r *signature.Request) { r.Header.Del("X-Hub-Signature-256") },
		"like those of standard-": func(r *signature.Request) { *r = *signed(t, signature.StandardWebhooks, `{"a":1}`, whsec).Request },
	} {
		t.Run(want, func(t *testing.T) {
			c := signed(t, signature.GitHub, `{"a":1}`, secret)
			damage(c.Request)
			report := explain(t, c)
			if len(report.Causes) > 0 || !strings.Contains(strings.Join(report.Doubts, "; "), want) || want == "" && report.Doubts != nil {
				t.Errorf("causes %+v, doubts %q", report.Causes, report.Doubts)
			}
		})
	}
}

// Where more than the secret is signed, that is in doubt as well.
func TestDoubtsOfURLAndSettings(t *testing.T) {
	t.Parallel()
	for name, c := range valid(t) {
		c.Secrets, c.Others = []string{secret}, nil
		switch name {
		case "twilio":
			c.Request = withURL(c.Request, "http://10.1.2.3:8080/elsewhere")
		case "payfast", "trello", "square":
			c.Request = withURL(c.Request, "http://elsewhere.example/")
		default:
			continue
		}
		report := explain(t, c)
		doubted := strings.Contains(strings.Join(report.Doubts, "; "), "signs the URL")
		if len(report.Causes) > 0 || doubted != c.Scheme.SignsURL() {
			t.Errorf("%s: causes %+v, doubts %q", name, report.Causes, report.Doubts)
		}
	}
}

// The search ends when it is told to.
func TestExplainIsBounded(t *testing.T) {
	t.Parallel()
	c := signed(t, signature.GitHub, `{}`, secret)
	c.Secrets = []string{"another"}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if report := Explain(ctx, c); !report.Cut || report.Tried > 0 {
		t.Errorf("%+v", report)
	}
}

// Whatever the request and the secret are: what is tried can be told, shows
// nothing of the secret, and JSON that is written again says the same.
func FuzzChanges(f *testing.F) {
	f.Add([]byte(`{"a": [1.50, "\u00e9\ud800<", {}], "a": -0e9, "": null}`), "sha256=00", "https://h/p?a=b", "X-Hub-Signature-256", "x")
	f.Add([]byte("payload=%7b%7D&a=%zz+"), "t=1780000000,v1=00", "/p/%2F?%", "Stripe_Signature", "whsec_\n")
	f.Add([]byte(strings.Repeat("[", 600)), "v1,AA==, v1,BB==", "http://[::1]:80/a/b/c/d", "Webhook-Timestamp", `"a"`)
	f.Add([]byte("\xef\xbb\xbf{\"body\": \"e30=\", \"isBase64Encoded\": true}\r\n"), "", ":", "", "A=b%20c")
	signsURL, err := signature.New(signature.Spec{
		Name: "with-url", Sign: "{url}", Read: []signature.Read{{From: "x-signature", Pattern: "{sig}"}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, value, address, name, secret string) {
		const canary = "zqxjkvbw"
		c := Case{
			Scheme: signsURL, Now: now, Secrets: []string{secret + canary, canary}, Rest: []byte(value),
			Request: &signature.Request{
				Method: http.MethodPost, URL: address, Body: body, Header: http.Header{http.CanonicalHeaderKey(name): {value}},
			},
		}
		if strings.Contains(address+value+name, canary) {
			t.Skip()
		}
		for _, h := range hypotheses() {
			if h.name == "other_provider" {
				continue
			}
			for ch := range h.changes(&c) {
				if ch.with == "" || ch.do == "" || strings.Contains(ch.with+ch.do, canary) {
					t.Fatalf("%s: %q, %q", h.name, ch.with, ch.do)
				}
			}
		}
		document, ok := parseJSON(body)
		if !ok {
			return
		}
		plain := document.write(style{layout: layouts()[0]})
		for s := range styles(document) {
			again, ok := parseJSON(document.write(s))
			if !ok {
				t.Fatalf("%s: not JSON: %s", s, document.write(s))
			}
			if got := again.write(style{layout: layouts()[0]}); !s.sorted && !s.numbers && !bytes.Equal(got, plain) {
				t.Fatalf("%s: %s became %s", s, plain, got)
			}
		}
	})
}

// The documentation lists every cause, and no other.
func TestCausesAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/verify.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| cause |")
	table, _, _ = strings.Cut(table, "\n\n")
	var listed []string
	for _, found := range regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)`").FindAllStringSubmatch(table, -1) {
		listed = append(listed, found[1])
	}
	there := []string{"time"}
	for _, h := range hypotheses() {
		there = append(there, h.name)
	}
	slices.Sort(listed)
	slices.Sort(there)
	if !slices.Equal(listed, there) {
		t.Errorf("documented are %q, and there are %q", listed, there)
	}
}
