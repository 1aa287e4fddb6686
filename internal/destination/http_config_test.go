package destination

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/internal/egress"
)

func TestHTTPConfig(t *testing.T) {
	t.Parallel()
	keys := testKeys(t, testSecret)
	many := make(map[string]string)
	for i := range 101 {
		many["X-"+strconv.Itoa(i)] = "x"
	}
	tests := map[string]struct {
		config HTTPConfig
		want   string // in the error; empty means it is fine
	}{
		"defaults":        {HTTPConfig{URL: "https://example.com/a?b=c", Keys: keys}, ""},
		"port, literal":   {HTTPConfig{URL: "HTTP://[2001:db8::1]:8080", Sign: SignNone}, ""},
		"empty":           {HTTPConfig{}, "url: is missing"},
		"no keys":         {HTTPConfig{URL: "https://example.com"}, "keys: "},
		"wrong key":       {HTTPConfig{URL: "https://example.com", Keys: testKeys(t, "hunter2hunter2")}, "keys: "},
		"unused keys":     {HTTPConfig{URL: "https://example.com", Sign: SignNone, Keys: keys}, "keys: not used"},
		"unknown signing": {HTTPConfig{URL: "https://example.com", Sign: "hmac"}, `sign: "hmac" is none of`},
		"timeout":         {HTTPConfig{URL: "https://example.com", Sign: SignNone, Timeout: -1}, "timeout: "},
		"file":            {HTTPConfig{URL: "file:///etc/passwd", Sign: SignNone}, "neither http nor https"},
		"space":           {HTTPConfig{URL: " http://example.com", Sign: SignNone}, "url: "},
		"one slash":       {HTTPConfig{URL: "http:/example.com", Sign: SignNone}, "has no host"},
		"backslashes":     {HTTPConfig{URL: `http:\\example.com`, Sign: SignNone}, "url: "},
		"opaque":          {HTTPConfig{URL: "http:example.com", Sign: SignNone}, "has no host"},
		"password":        {HTTPConfig{URL: "https://me:hunter2@example.com", Sign: SignNone}, "a user or a password"},
		"fragment":        {HTTPConfig{URL: "https://example.com/#a", Sign: SignNone}, "fragment"},
		"zone":            {HTTPConfig{URL: "http://[fe80::1%25eth0]/", Sign: SignNone}, "zone"},
		"IDN":             {HTTPConfig{URL: "https://exämple.com/", Sign: SignNone}, "not ASCII"},
		"port 0":          {HTTPConfig{URL: "https://example.com:0/", Sign: SignNone}, "not a port"},
		"port 65536":      {HTTPConfig{URL: "https://example.com:65536/", Sign: SignNone}, "not a port"},
		"control":         {HTTPConfig{URL: "https://example.com/hunter2\n", Sign: SignNone}, "url: "},
		"many headers":    {HTTPConfig{URL: "https://example.com", Sign: SignNone, Headers: many}, "more than 100"},
	}
	for _, name := range []string{
		"host", "Content-Length", "Transfer-Encoding", "Connection", "TE", "Trailer", "Upgrade", "Proxy-Authorization",
		"Webhook-Id", "webhook-anything", "X-Forwarded-For", "Expect", "A B", "A:", "", "Ä", "A\r\nB",
	} {
		tests["header "+name] = struct {
			config HTTPConfig
			want   string
		}{HTTPConfig{URL: "https://example.com", Sign: SignNone, Headers: map[string]string{name: "hunter2"}}, "headers: "}
	}
	for _, value := range []string{"hunter2\r\nB: c", "hunter2\x00", strings.Repeat("hunter2", 8<<10)} {
		tests[fmt.Sprintf("value %.9q", value)] = struct {
			config HTTPConfig
			want   string
		}{HTTPConfig{URL: "https://example.com", Sign: SignNone, Headers: map[string]string{"A": value}}, "the value of A"}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := NewHTTP("app", test.config, egress.New(egress.Options{}))
			if test.want == "" {
				if err != nil || h.config.Timeout != 20*time.Second || h.Name() != "app" {
					t.Errorf("%+v, %v", h, err)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), `destination "app": `) ||
				!strings.Contains(err.Error(), test.want) {
				t.Fatalf("error: %v, want %q", err, test.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error holds a secret: %v", err)
			}
		})
	}
}

func TestRedactURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://example.com/a":                  "https://example.com/a",
		"https://me:pw@example.com/a?token=x#pw": "https://example.com/a?[redacted]",
		"http://[::1":                            "",
	} {
		if got := RedactURL(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
