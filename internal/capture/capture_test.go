package capture

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// mustRead reads a capture in the format that is found.
func mustRead(t *testing.T, text string, opts Options) *Capture {
	t.Helper()
	c, err := Read([]byte(text), opts)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return c
}

const pushBody = `{"ref":"refs/heads/main"}`

// Every form of one request is found by itself and says the same of it.
func TestForms(t *testing.T) {
	t.Parallel()
	const lf = "POST /in?a=b HTTP/1.1\nHost: hooks.example.com\nX-GitHub-Event: push\nContent-Length: 25\n\n" + pushBody
	for name, test := range map[string]struct {
		format Format
		text   string
	}{
		"LF":           {HTTP, lf},
		"CRLF":         {HTTP, strings.ReplaceAll(lf, "\n", "\r\n")},
		"to the end":   {HTTP, strings.ReplaceAll(lf, "Content-Length: 25\n", "")},
		"a BOM before": {HTTP, "\xef\xbb\xbf\n" + lf},
		"absolute":     {HTTP, strings.Replace(lf, "/in", "https://hooks.example.com/in", 1)},
		"chunked": {HTTP, strings.NewReplacer("Content-Length: 25", "Transfer-Encoding: chunked", pushBody,
			"5;x=y\r\n{\"ref\r\n14\r\n\":\"refs/heads/main\"}\r\n0\r\nTrailer: x\r\n\r\n").Replace(lf)},
		"HTTP/2 as browsers show it": {HTTP, ":method: POST\n:authority: hooks.example.com\n:scheme: https\n:path: /in?a=b\n" +
			"x-github-event: push\n\n" + pushBody},
		"curl -v": {Verbose, "*   Trying 127.0.0.1:80...\n> POST /in?a=b HTTP/2\n> Host: hooks.example.com\n> x-github-event: push\n> \n" +
			"} [25 bytes data]\n" + pushBody},
		"curl --trace": {Trace, "== Info: Connected\n=> Send header, 77 bytes (0x4d)\n" +
			"0000: 50 4f 53 54 20 2f 69 6e 3f 61 3d 62 20 48 54 54 POST /in?a=b HTT\n" +
			"0010: 50 2f 31 2e 31 0d 0a 48 6f 73 74 3a 20 68 6f 6f P/1.1..Host: hoo\n" +
			"0020: 6b 73 2e 65 78 61 6d 70 6c 65 2e 63 6f 6d 0d 0a ks.example.com..\n" +
			"0030: 58 2d 47 69 74 48 75 62 2d 45 76 65 6e 74 3a 20 X-GitHub-Event: \n" +
			"0040: 70 75 73 68 0d 0a 0d 0a                         push....\n" +
			"=> Send data, 25 bytes (0x19)\n" +
			"0000: 7b 22 72 65 66 22 3a 22 72 65 66 73 2f 68 65 61 {\"ref\":\"refs/hea\n" +
			"0010: 64 73 2f 6d 61 69 6e 22 7d                      ds/main\"}\n" +
			"<= Recv header, 17 bytes (0x11)\n0000: 48 54 54 50 HTTP\n"},
		"curl": {Curl, "$ curl 'https://hooks.example.com/in?a=b' \\\n  -H 'X-GitHub-Event: push' \\\n  --data-raw '" + pushBody + "' --compressed"},
		"HAR": {HAR, `{"log": {"entries": [{"request": {"method": "POST", "url": "https://hooks.example.com/in?a=b", "headers": ` +
			`[{"name": "X-GitHub-Event", "value": "push"}], "postData": {"text": "{\"ref\":\"refs/heads/main\"}"}}}]}}`},
		"HAR in base64": {HAR, `{"request": {"method": "POST", "url": "https://hooks.example.com/in?a=b", "bodySize": 25, "headers": ` +
			`[{"name": "x-github-event", "value": "push"}], "postData": {"encoding": "base64", "text": "eyJyZWYiOiJyZWZzL2hlYWRzL21haW4ifQ=="}}}`},
		"a vector": {Vector, `{"id": "x", "provider": "github", "method": "POST", "url": "https://hooks.example.com/in?a=b",` +
			`"headers": [["X-GITHUB-EVENT", "push"]], "body_base64": "eyJyZWYiOiJyZWZzL2hlYWRzL21haW4ifQ==", "now": 1780000000}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := mustRead(t, test.text, Options{})
			r := c.Request
			if c.Format != test.format || r.Method != http.MethodPost || r.URL != "https://hooks.example.com/in?a=b" ||
				r.Header.Get("X-GitHub-Event") != "push" || string(r.Body) != pushBody || len(c.Notes) > 0 {
				t.Errorf("format %s, notes %q, request %+v", c.Format, c.Notes, r)
			}
		})
	}
}

// What a form has lost is said.
func TestNotes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, body, note string }{
		{"POST / HTTP/1.1\nContent-Length: 2\n\n{}\n", "{}", "1 byte follows after the 2 bytes"},
		{"POST / HTTP/1.1\nContent-Length: 9\n\n{}", "{}", "the body has 2 bytes, and Content-Length says 9"},
		{"> POST / HTTP/1.1\n> Content-Length: 2\n>\n{}\n< HTTP/1.1 200 OK\n<\nok", "{}", "1 byte follows"},
		{"POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n{}", "{}", "it is taken as it is"},
		{`{"request":{"method":"POST","url":"http://h/","postData":{"text":"\ufffd"}}}`, "\ufffd", "not UTF-8 are lost"},
		{`{"request":{"method":"POST","url":"http://h/","bodySize":7,"postData":{"text":"{}"}}}`, "{}", "had 7 bytes, and holds 2"},
		{
			`{"request":{"method":"POST","url":"http://h/","postData":{"params":[{"name":"a","value":"b c"}]}}}`,
			"a=b+c", "not its bytes",
		},
	} {
		c := mustRead(t, test.text, Options{})
		if string(c.Request.Body) != test.body || len(c.Notes) != 1 || !strings.Contains(c.Notes[0], test.note) {
			t.Errorf("%s\nbody %q, notes %q", test.text, c.Request.Body, c.Notes)
		}
		c = mustRead(t, test.text, Options{Body: []byte("given")})
		if string(c.Request.Body) != "given" || len(c.Notes) > 0 {
			t.Errorf("with a body given: %q, notes %q", c.Request.Body, c.Notes)
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	c := mustRead(t, "POST / HTTP/1.1\r\nx-sig: a\r\nX-Sig:b\r\nX-Long: one\r\n\t two\r\nDate: Thu, 28 May 2026 20:26:40 GMT\r\n\r\n", Options{})
	want := http.Header{"X-Sig": {"a", "b"}, "X-Long": {"one two"}, "Date": {"Thu, 28 May 2026 20:26:40 GMT"}}
	if diff := cmp.Diff(want, c.Request.Header); diff != "" {
		t.Error(diff)
	}
	if !c.Time.Equal(time.Unix(1780000000, 0)) || c.Request.URL != "/" || len(c.Request.Body) != 0 {
		t.Errorf("time %v, URL %q, body %q", c.Time, c.Request.URL, c.Request.Body)
	}
}

// One of several is chosen by its number or by what it is called.
func TestEntry(t *testing.T) {
	t.Parallel()
	const har = `{"log":{"entries":[{"request":{"method":"GET","url":"http://h/one"}},` +
		`{"startedDateTime":"2026-05-28T20:26:40.000Z","request":{"method":"POST","url":"http://h/two"}}]}}`
	for _, entry := range []string{"2", "two", "POST", "POST http://h/two"} {
		if c := mustRead(t, har, Options{Entry: entry}); c.Request.URL != "http://h/two" || c.Time.Unix() != 1780000000 {
			t.Errorf("--entry %s: %+v, %v", entry, c.Request, c.Time)
		}
	}
	for entry, want := range map[string]string{
		"": "1 GET http://h/one, 2 POST http://h/two", "3": "no entry 3, but 2 entries", "0": "no entry 0", "four": `has "four"`,
	} {
		_, err := Read([]byte(har), Options{Entry: entry})
		if text := told(err); !strings.Contains(text, want) {
			t.Errorf("--entry %s: %s", entry, text)
		}
	}
	const lines = `{"id":"a","provider":"github"}` + "\n" + `{"id":"a/b","provider":"stripe"}` + "\n"
	if c := mustRead(t, lines, Options{Entry: "a"}); c.Line.Provider != "github" {
		t.Errorf("line %+v", c.Line)
	}
	if _, err := Read([]byte(lines), Options{}); !strings.Contains(told(err), "--batch") {
		t.Error(err)
	}
}

// told is all that an error tells people.
func told(err error) string {
	if bad, ok := errors.AsType[*Error](err); ok {
		return bad.Message + " | " + bad.Hint
	}
	return "no *Error"
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"empty":            {" \n", "it is empty"},
		"anything":         {"hello", "not a request in a form"},
		"UTF-16":           {"\xff\xfeP\x00", "PowerShell"},
		"JSON":             {`{"ref":"main"}`, "not a request in a form"},
		"no header":        {"POST / HTTP/1.1\nwhat is this\n\n", `"what is this" is not a header`},
		"HAR of nothing":   {`{"log":{"entries":[]}}`, "none of its 0 entries"},
		"a file":           {"curl h -d @body.json", "opens no files"},
		"a variable":       {`curl h -H "X-Sig: $SIG"`, `"$SIG\""`},
		"a substitution":   {"curl h -d `date`", "shell replaces"},
		"a form":           {"curl h -F a=b", "boundary"},
		"an open quote":    {"curl h -d 'a", "not closed"},
		"an option":        {"curl h --frobnicate", `"--frobnicate" is not known`},
		"two URLs":         {"curl h i", "two URLs"},
		"no URL":           {"curl -d a", "no URL"},
		"no value":         {"curl h -d", "has no value"},
		"cmd":              {"curl \"h\" ^\n  -d ^\"a^\"", "Windows"},
		"-v without body":  {"> POST / HTTP/1.1\n> Content-Length: 2\n>\n< HTTP/1.1 200 OK\n<\nok", "curl --trace FILE"},
		"--trace-ascii":    {"=> Send header, 3 bytes (0x3)\n0000: POST / HTTP/1.1\n", "loses the bytes"},
		"too many headers": {"POST / HTTP/1.1\n" + strings.Repeat("a: b\n", maxHeaders+1) + "\n", "more than 1000 headers"},
		"a long line":      {"POST / HTTP/1.1\na: " + strings.Repeat("b", maxLine) + "\n\n", "longer than 64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Read([]byte(test.text), Options{})
			if text := told(err); !strings.Contains(text, test.want) {
				t.Errorf("%s", text)
			}
		})
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	type sent struct {
		method, url, body string
		header            http.Header
	}
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	for command, want := range map[string]sent{
		`curl h`:                                {"GET", "http://h", "", http.Header{}},
		`curl -I h`:                             {"HEAD", "http://h", "", http.Header{}},
		`curl -d a=1 -d b=2 h/x`:                {"POST", "http://h/x", "a=1&b=2", form},
		`curl -da=1 h -XPUT`:                    {"PUT", "http://h", "a=1", form},
		`curl h -G -d a=1`:                      {"GET", "http://h?a=1", "", http.Header{}},
		`curl 'h?b' -G -d a=1`:                  {"GET", "http://h?b&a=1", "", http.Header{}},
		`curl -sSLd x h | jq . # -d y`:          {"POST", "http://h", "x", form},
		`curl -sXPUT -sSd x h`:                  {"PUT", "http://h", "x", form},
		"curl h -" + strings.Repeat("s", 1<<20): {"GET", "http://h", "", http.Header{}},
		`curl h -d $'a\n\u00e9\x41\'\101'`:      {"POST", "http://h", "a\né" + `A'A`, form},
		`curl h -d "a\"\$\\b\n"`:                {"POST", "http://h", `a"$\b\n`, form},
		`curl h -d a\ b''c"d"`:                  {"POST", "http://h", `a bcd`, form},
		`curl h -d '{}' -H 'Content-Type:'`:     {"POST", "http://h", "{}", http.Header{}},
		`curl h --data-raw @a`:                  {"POST", "http://h", "@a", form},
		`curl h --data-urlencode 'a=b c&d'`:     {"POST", "http://h", "a=b%20c%26d", form},
		`curl h --json '{}' -u a:b -H 'X;'`: {"POST", "http://h", "{}", http.Header{
			"Content-Type": {"application/json"}, "Authorization": {"Basic YTpi"}, "X": {""},
		}},
		`curl.exe --request=POST --url h -o /dev/null -A me`: {"POST", "http://h", "", http.Header{"User-Agent": {"me"}}},
	} {
		r := mustRead(t, command, Options{}).Request
		got := sent{r.Method, r.URL, string(r.Body), r.Header}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(sent{})); diff != "" {
			t.Errorf("%s\n%s", command, diff)
		}
	}
	c := mustRead(t, "curl h -d @body.json", Options{Body: []byte("given")})
	if string(c.Request.Body) != "given" {
		t.Errorf("body %q", c.Request.Body)
	}
}

func TestParseLine(t *testing.T) {
	t.Parallel()
	line, err := ParseLine([]byte(`{"id":"a","provider":"p","url":"http://h/","secrets":["s"],"now":17.5,` +
		`"config":{"url":"https://public/","webhook_id":"w","other":[1],"certs":{"https://c":"PEM"},"jwks":{"https://j":{"keys":[]}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if line.Request.URL != "https://public/" || line.Settings["webhook_id"] != "w" || len(line.Settings) != 1 ||
		line.Certs["https://j"] != `{"keys":[]}` || line.Now.UnixMilli() != 17500 {
		t.Errorf("%+v", line)
	}
	if document, err := line.Fetch("https://c"); string(document) != "PEM" || err != nil {
		t.Errorf("%q, %v", document, err)
	}
	if _, err := line.Fetch("https://d"); err == nil {
		t.Error("a document that is not there")
	}
	for text, id := range map[string]string{
		`{"id":"a","provider":7}`: "a", `{"id":"a"}`: "a", `{`: "", `{"id":"a","provider":"p","body_base64":"?"}`: "a",
		`{"id":"a","provider":"p","now":1e300}`: "a", `{"id":"a","provider":"p","config":{"certs":1}}`: "a",
	} {
		if line, err := ParseLine([]byte(text)); err == nil || line.ID != id {
			t.Errorf("%s: %+v, %v", text, line, err)
		}
	}
}

// Whatever is read: there is a request or an error that says what is wrong, and
// nothing is made of what was not there.
func FuzzCapture(f *testing.F) {
	for _, seed := range []string{
		"POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}", ":method: PUT\nx: y\n\tz\n\nbody",
		"POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n2\n{}\n0\n\n",
		`{"log":{"entries":[{"request":{"method":"POST","url":"http://h/","headers":[{"name":"A","value":"b"}],"postData":{"text":"x"}}}]}}`,
		`{"id":"a","provider":"p","headers":[["a","b"]],"body_base64":"e30=","config":{"certs":{"a":"b"}},"now":1}`,
		`$ curl -X POST 'http://h' -H "A: b" -d $'\x41\u00e9' --data-urlencode a=b`, "> POST / HTTP/1.1\n> A: b\n>\nbody\n< HTTP/1.1 200\n",
		"=> Send header, 3 bytes (0x3)\n0000: 41 3a 62                 A:b\n=> Send data, 1 bytes (0x1)\n0000: 7b  {\n",
	} {
		f.Add([]byte(seed), "", "")
		f.Add([]byte(seed), "", "1")
	}
	for _, format := range Formats() {
		f.Add([]byte("POST / HTTP/1.1\n\n"), string(format), "")
	}
	f.Fuzz(func(t *testing.T, data []byte, format, entry string) {
		c, err := Read(data, Options{Format: Format(format), Entry: entry})
		switch bad, isError := errors.AsType[*Error](err); {
		case err != nil && (!isError || bad.Message == "" || c != nil):
			t.Fatalf("capture %v, error %#v", c, err)
		case err != nil:
			return
		}
		if c.Request == nil || c.Request.Header == nil || c.Format == Auto {
			t.Fatalf("half a capture: %+v", c)
		}
		if n := headerCount(c.Request.Header); n > maxHeaders {
			t.Fatalf("%d headers", n)
		}
		const growth = 3 // of percent-encoding
		if len(c.Request.Body) > growth*len(data) {
			t.Fatalf("%d bytes of body out of %d", len(c.Request.Body), len(data))
		}
		for name := range c.Request.Header {
			if strings.ContainsAny(name, "\r\n") {
				t.Fatalf("header %q", name)
			}
		}
	})
}
