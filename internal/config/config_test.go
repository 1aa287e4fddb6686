package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/destination"
	"github.com/tenterhook/tenterhook/internal/egress"
	"github.com/tenterhook/tenterhook/internal/filter"
	"github.com/tenterhook/tenterhook/internal/route"
	"github.com/tenterhook/tenterhook/signature"
	"github.com/tenterhook/tenterhook/signature/extra"
)

const small = `
sources:
  github: {provider: github, secret: env:GITHUB_SECRET}
destinations:
  app: {url: "http://127.0.0.1:3000/hooks", sign: {secret: env:APP_SECRET}}
  deploy: {command: [./deploy.sh]}
routes:
  - to: [app, deploy]
`

// fullEnv is a world in which testdata/full.yaml loads.
func fullEnv(t testing.TB) Env {
	t.Helper()
	text, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return testEnv(t, map[string]string{"testdata/full.yaml": string(text),
		"testdata/old-secret": "an-older-and-long-secret\n", "testdata/invoice.json": `{"required": ["id"]}`,
		"testdata/any.json": `{"type": "object"}`, "testdata/ca.pem": certificate(t, 0)},
		map[string]string{"CLIENT_CERT": certificate(t, 0), "CLIENT_KEY": certificate(t, 1),
			"APP_AUTHORIZATION": "Bearer " + leaked, "PROXY_AUTHORIZATION": "Basic " + leaked})
}

func load(t *testing.T, path, text string) *Config {
	t.Helper()
	config, err := Parse(path, []byte(text), testEnv(t, nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func abs(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadFull(t *testing.T) {
	t.Parallel()
	got, err := Load("testdata/full.yaml", fullEnv(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Warnings) > 0 {
		t.Errorf("warnings:\n%s", got.Warnings.Report())
	}
	plain := *got
	plain.Sources, plain.Destinations, plain.Routes, plain.Schemes, plain.fingerprint = nil, nil, nil, nil, ""
	if refs := fmt.Sprint(plain.Egress.SecretRefs); refs != "[env:PROXY_AUTHORIZATION]" {
		t.Errorf("egress has the secrets %s", refs)
	}
	plain.Egress.SecretRefs = nil
	want := Config{
		Path: "testdata/full.yaml", Listen: "0.0.0.0:9000", Admin: "[::1]:9001", Data: abs(t, "testdata/events"),
		Egress: Egress{
			Allow: []egress.Rule{
				{Prefix: netip.MustParsePrefix("10.20.0.0/16")}, {Prefix: netip.MustParsePrefix("fd00::/8"), Port: 443},
			},
			Ports: []uint16{9443}, Proxy: &url.URL{Scheme: "http", Host: "proxy.example:3128"},
			ProxyAuthorization: "Basic " + leaked,
		},
		Retention: Retention{Bodies: 7 * day, Events: 14 * day},
		Limits:    Limits{MaxBody: 10 * mib, InFlight: 64 * mib},
		Log:       Log{Format: LogJSON, Level: slog.LevelDebug},

		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.5/32"), netip.MustParsePrefix("fd00::5/128")},
	}
	prefixes := cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
	if diff := cmp.Diff(want, plain, cmp.AllowUnexported(Config{}), prefixes); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	fullSources(t, got)
	fullDestinations(t, got)
	fullHTTP(t, got)
	fullRoutes(t, got)
}

func fullSources(t *testing.T, c *Config) {
	t.Helper()
	github, _ := c.Source("github")
	if github.Scheme.Name() != signature.GitHub.Name() || github.Keys.Len() != 2 || github.MaxBody != 5*mib ||
		github.OnRedelivery != tenterhook.RedeliveryProcess {
		t.Errorf("github: %+v", github)
	}
	if refs := fmt.Sprint(github.SecretRefs); refs != "[env:GITHUB_SECRET file:old-secret]" {
		t.Errorf("github has the secrets %s", refs)
	}
	shop, _ := c.Source("shop")
	if shop.Provider != "hmac" || shop.Scheme == nil || shop.MaxBody != 10*mib ||
		shop.OnRedelivery != tenterhook.RedeliveryHeal {
		t.Errorf("shop: %+v", shop)
	}
	stripe, _ := c.Source("stripe")
	if stripe.Scheme.Tolerance() != 10*time.Minute || stripe.PublicURL != "https://hooks.example.com/in/stripe" ||
		!stripe.FlagMismatch || fmt.Sprint(stripe.SchemaFrom) != "[invoice.*: invoice.json *: ./any.json]" {
		t.Errorf("stripe: %+v", stripe)
	}
	if err := stripe.Schema.Check("invoice.paid", nil, []byte("{}")); err == nil {
		t.Error("an invoice without id matches")
	}
	if err := stripe.Schema.Check("other", nil, []byte("{}")); err != nil {
		t.Errorf("what is no invoice does not match: %v", err)
	}
	meta, _ := c.Source("meta")
	if refs := fmt.Sprint(meta.SettingRefs); refs != "[env:GITHUB_SECRET]" || meta.PublicURL != "https://hooks.example.com" {
		t.Errorf("meta: %+v", meta)
	}
	if shown := fmt.Sprintf("%+v %#v", meta, meta); strings.Contains(shown, githubSecret) {
		t.Errorf("a source shows its secrets: %s", shown)
	}
	if acme, _ := c.Source("acme"); acme.Scheme.Tolerance() != 0 || acme.Scheme.Name() != "acme" {
		t.Errorf("acme: %+v", acme)
	}
	if bank, _ := c.Source("bank"); bank.Keys.Len() != 0 || !bank.Scheme.Keyless() {
		t.Errorf("bank: %+v", bank)
	}
	if _, ok := c.Source("nobody"); ok {
		t.Error("there is a source that the file does not have")
	}
}

func fullDestinations(t *testing.T, c *Config) {
	t.Helper()
	app, _ := c.Destination("app")
	if app.HTTP == nil || app.Command != nil {
		t.Fatalf("app: %+v", app)
	}
	h := *app.HTTP
	if h.URL != "https://app.example/hooks?a=b" || h.Sign != destination.SignStandardWebhooks || h.Keys.Len() != 1 ||
		!h.Literal || h.Timeout != 90*time.Second || app.Concurrency != 4 {
		t.Errorf("app: %+v, %+v", app, h)
	}
	headers := map[string]string{"X-Team": "web", "Authorization": "Bearer " + leaked}
	if diff := cmp.Diff(headers, h.Headers); diff != "" {
		t.Errorf("headers: -want +got\n%s", diff)
	}
	retry := tenterhook.Backoff{Schedule: []time.Duration{0, 1500 * time.Millisecond, 90 * time.Minute, 2 * day},
		NoJitter: true}
	if diff := cmp.Diff(retry, app.Retry); diff != "" {
		t.Errorf("retry: -want +got\n%s", diff)
	}
	if refs := fmt.Sprint(app.SecretRefs); refs != "[env:APP_AUTHORIZATION env:APP_SECRET]" {
		t.Errorf("app has the secrets %s", refs)
	}
	if keys, _ := c.Destination("keys"); keys.HTTP.Keys.Len() != 2 || keys.Concurrency != 32 {
		t.Errorf("keys: %+v", keys)
	}
	relay, _ := c.Destination("relay")
	if relay.HTTP.Sign != destination.SignPassthrough || relay.HTTP.Keys.Len() != 0 {
		t.Errorf("relay: %+v", relay)
	}
	deploy, _ := c.Destination("deploy")
	want := &destination.CommandConfig{
		Argv: []string{abs(t, "testdata/deploy.sh"), "--port", "8080"}, Dir: abs(t, "testdata/work"),
		Timeout: 5 * time.Minute,
		Path:    "/usr/bin", Home: "/home/tenterhook",
	}
	if diff := cmp.Diff(want, deploy.Command); diff != "" || deploy.HTTP != nil || deploy.Concurrency != 1 {
		t.Errorf("deploy: %+v, -want +got\n%s", deploy, diff)
	}
	if diff := cmp.Diff(tenterhook.DefaultSchedule(), deploy.Retry.Schedule); diff != "" || deploy.Retry.NoJitter {
		t.Errorf("deploy is not retried as by default: %s", diff)
	}
}

func fullHTTP(t *testing.T, c *Config) {
	t.Helper()
	partner, _ := c.Destination("partner")
	h := partner.HTTP
	if h.Sign != destination.SignScheme || h.Scheme.Name() != "stripe" || h.Method != http.MethodPut ||
		h.ContentType != "application/json" || fmt.Sprint(h.PassHeaders) != "[X-GitHub-* X-Request-Id]" ||
		fmt.Sprint(h.Success) != "[{200 200} {202 204} {400 499}]" {
		t.Errorf("partner: %+v", h)
	}
	if basic := h.Auth.Basic; basic == nil || basic.User != "me" || basic.Password != "Bearer "+leaked {
		t.Errorf("partner's auth: %+v", basic)
	}
	if own := h.TLS; own == nil || own.RootCAs == nil || len(own.Certificates) != 1 {
		t.Errorf("partner's TLS: %+v", own)
	}
	if refs := fmt.Sprint(partner.SecretRefs); refs != "[env:APP_AUTHORIZATION env:CLIENT_CERT env:CLIENT_KEY env:GITHUB_SECRET]" {
		t.Errorf("partner has the secrets %s", refs)
	}
	bus, _ := c.Destination("bus")
	want := &destination.OAuth2{
		TokenURL: "https://login.example/token", ClientID: "me", ClientSecret: "Bearer " + leaked,
		Scopes: []string{"hooks.write", "hooks.read"}, Audience: "bus",
	}
	if diff := cmp.Diff(want, bus.HTTP.Auth.OAuth2); diff != "" {
		t.Errorf("bus: -want +got\n%s", diff)
	}
	if bus.HTTP.CloudEvents != destination.CloudEventsStructured || bus.HTTP.Handshake != "tenterhook.example" {
		t.Errorf("bus: %+v", bus.HTTP)
	}
	if token, _ := c.Destination("token"); token.HTTP.Auth.Bearer != "Bearer "+leaked {
		t.Errorf("token: %+v", token.HTTP)
	}
}

func fullRoutes(t *testing.T, c *Config) {
	t.Helper()
	want := []route.Route{
		{Name: "main", From: []string{"github"}, Types: []string{"push", "pull_request.*"}, To: []string{"app",
			"deploy"}},
		{Name: "route-2", From: []string{"shop", "github"}, Types: []string{"order.paid"}, To: []string{"relay"}},
		{Name: "route-3", From: []string{"github", "shop", "meta", "stripe", "acme", "bank"}, To: []string{"keys", "partner", "bus", "token"}},
	}
	programs := cmp.Comparer(func(_, _ *filter.Program) bool { return true })
	if diff := cmp.Diff(want, c.Routes, programs); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if when := c.Routes[0].When.String(); when != `.ref == "refs/heads/main"` {
		t.Errorf("when is %q", when)
	}
	if c.Routes[1].When != nil || c.Routes[1].Transform.String() != "{id: $event.id, total: .total}\n" {
		t.Errorf("route-2: %+v", c.Routes[1])
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c := load(t, "tenterhook.yaml", small)
	got := fmt.Sprintln(c.Listen, c.Admin, c.Data, c.Limits, c.Retention, c.Log, c.Egress.Allow)
	want := "127.0.0.1:8000 127.0.0.1:8001 tenterhook-data {26214400 268435456} {720h0m0s 2160h0m0s} {auto INFO} []\n"
	if got != want {
		t.Errorf("defaults are %s want %s", got, want)
	}
	if deploy := c.Destinations[1].Command; deploy.Argv[0] != abs(t, "deploy.sh") || deploy.Dir != abs(t, ".") {
		t.Errorf("the command is %+v; it belongs to the directory of the file", deploy)
	}
}

// What shortens the life of events shortens that of bodies with it.
func TestRetentionOfEventsAlone(t *testing.T) {
	t.Parallel()
	c := load(t, "tenterhook.yaml", small+"retention: {events: 10d}\n")
	if c.Retention != (Retention{10 * day, 10 * day}) {
		t.Errorf("retention is %v", c.Retention)
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	a, b, c := load(t, "a.yaml", small), load(t, "b.yaml", small), load(t, "a.yaml", small+"# more\n")
	if a.Fingerprint() != b.Fingerprint() || a.Fingerprint() == c.Fingerprint() || len(a.Fingerprint()) != 64 {
		t.Errorf("fingerprints %s, %s, %s: want the first two alike", a.Fingerprint(), b.Fingerprint(), c.Fingerprint())
	}
}

// Windows writes line breaks and a mark at the beginning that mean nothing.
func TestLineBreaks(t *testing.T) {
	t.Parallel()
	text := "\uFEFF" + strings.ReplaceAll(small+"  - {to: nowhere}\n", "\n", "\r\n")
	_, err := Parse("tenterhook.yaml", []byte(text), testEnv(t, nil, nil))
	want := `tenterhook.yaml:9:10: there is no destination "nowhere"`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestUnreadableFile(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, message, hint string }{
		{"none.yaml", "none.yaml: read configuration: file does not exist", "tenterhook init"},
		{"unreadable", "unreadable: read configuration: permission denied", ""},
	}
	for _, tt := range tests {
		_, err := Load(tt.name, testEnv(t, nil, nil))
		var problems Problems
		if !errors.As(err, &problems) || err.Error() != tt.message || !strings.Contains(problems[0].Hint, tt.hint) {
			t.Errorf("Load(%q): %v, want %q with hint %q", tt.name, err, tt.message, tt.hint)
		}
	}
	if _, err := Load("none.yaml", testEnv(t, nil, nil)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file is not told by errors.Is: %v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml"), Env{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("on disk: %v", err)
	}
}

func TestRefusedBytes(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"not UTF-8", "a: ä\nb: \xff\n", "f:2:4: byte 0xff is not UTF-8"},
		{"zero byte", "a: \x00\n", "f:1:4: the character U+0000 has no place in this file"},
		{"invisible line break", "a: ä\u2028b", "f:1:5: the character U+2028 has no place in this file"},
		{"too large", strings.Repeat("#\n", maxFile/2+1), "f: the file is larger than 1048576 bytes"},
		{"too many words", strings.Repeat("- a\n", maxTokens/2+1), "f:30001:1: the file has more than 60000 words"},
		{"too deep", strings.Repeat("- ", 1000) + "a", "f:1:49: lists and mappings are nested too deeply"},
		{"too deep, indented", nested(100), "f:25:25: lists and mappings are nested too deeply"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("f", []byte(tt.text), Env{})
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// nested returns mappings within one another, one per line.
func nested(depth int) string {
	var text strings.Builder
	for i := range depth {
		text.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return text.String()
}

func TestManyProblemsAreBounded(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&text, "key%d: x\n", i)
	}
	_, err := Parse("f", []byte(text.String()), Env{})
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != maxProblems {
		t.Errorf("%d problems are reported, want %d", len(problems), maxProblems)
	}
	if !slices.IsSortedFunc(problems, func(a, b Problem) int { return a.Line - b.Line }) {
		t.Error("they are not in order")
	}
}

func TestOverride(t *testing.T) {
	t.Parallel()
	const text = "listen: 127.0.0.1:1\nadmin: 127.0.0.1:2\ndata: /three\n"
	tests := []struct {
		name      string
		variables map[string]string
		flags     Flags
		want      string // listen, admin and data, or the error
	}{
		{"file", nil, Flags{}, "127.0.0.1:1 127.0.0.1:2 /three"},
		{"environment", map[string]string{EnvListen: ":11", EnvAdmin: ":12", EnvData: "env"}, Flags{}, ":11 :12 env"},
		{"empty environment", map[string]string{EnvListen: "", EnvData: ""}, Flags{}, "127.0.0.1:1 127.0.0.1:2 /three"},
		{"flags", map[string]string{EnvListen: ":11", EnvData: "env"}, Flags{":21", ":22", "flag"}, ":21 :22 flag"},
		{"mixed", map[string]string{EnvListen: ":11"}, Flags{Data: "flag"}, ":11 127.0.0.1:2 flag"},
		{"bad flag", nil, Flags{Listen: "nowhere"}, `--listen: "nowhere" is not an address to listen on`},
		{"bad environment", map[string]string{EnvAdmin: "x"}, Flags{},
			`TENTERHOOK_ADMIN: "x" is not an address to listen on`},
		{"same", nil, Flags{Listen: "127.0.0.1:2"}, "f: " + sameListenerMessage},
		{"any free port", nil, Flags{Listen: "127.0.0.1:0", Admin: "127.0.0.1:0"}, "127.0.0.1:0 127.0.0.1:0 /three"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := load(t, "f", text)
			err := c.Override(tt.flags, testEnv(t, nil, tt.variables))
			got := fmt.Sprint(c.Listen, " ", c.Admin, " ", c.Data)
			if err != nil {
				if got != "127.0.0.1:1 127.0.0.1:2 /three" {
					t.Errorf("an error left %s behind", got)
				}
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	set := testEnv(t, nil, map[string]string{EnvConfig: "/etc/th.yaml"})
	for _, tt := range []struct {
		env        Env
		flag, want string
	}{{set, "flag.yaml", "flag.yaml"}, {set, "", "/etc/th.yaml"}, {testEnv(t, nil, nil), "", "tenterhook.yaml"}} {
		if got := tt.env.File(tt.flag); got != tt.want {
			t.Errorf("File(%q) = %q, want %q", tt.flag, got, tt.want)
		}
	}
}

// The schema knows exactly the keys that testdata/full.yaml has, and that file
// loads: so the schema and the decoder agree, and every key is tried.
func TestSchema(t *testing.T) {
	t.Parallel()
	var s map[string]any
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	if s["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
		t.Errorf("$schema is %v", s["$schema"])
	}
	inSchema := make(map[string]bool)
	schemaKeys(t, s, "", inSchema)

	env := fullEnv(t)
	text, err := env.ReadFile("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	inFile := make(map[string]bool)
	fileKeys((&decoder{file: "f"}).parse(text), "", inFile)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(inSchema)), slices.Sorted(maps.Keys(inFile))); diff != "" {
		t.Errorf("-schema +testdata/full.yaml\n%s", diff)
	}
}

// schemaKeys collects the paths of all keys in a schema. Every one has a
// description, and nothing else may be beside them.
func schemaKeys(t *testing.T, s map[string]any, path string, into map[string]bool) {
	t.Helper()
	if properties, ok := s["properties"].(map[string]any); ok {
		if s["additionalProperties"] != false {
			t.Errorf("%s: other keys are allowed", path)
		}
		for name, property := range properties {
			p, _ := property.(map[string]any)
			if description, _ := p["description"].(string); !strings.HasSuffix(description, ".") {
				t.Errorf("%s: the description %q is not a sentence", join(path, name), description)
			}
			into[join(path, name)] = true
			schemaKeys(t, p, join(path, name), into)
		}
	}
	if values, ok := s["additionalProperties"].(map[string]any); ok && s["propertyNames"] != nil {
		schemaKeys(t, values, join(path, "*"), into)
	}
	if items, ok := s["items"].(map[string]any); ok {
		schemaKeys(t, items, path, into)
	}
	if choices, ok := s["oneOf"].([]any); ok {
		for _, choice := range choices {
			c, _ := choice.(map[string]any)
			schemaKeys(t, c, path, into)
		}
	}
}

// fileKeys collects the paths of all keys in a file, with * for names.
func fileKeys(n *node, path string, into map[string]bool) {
	for _, item := range n.items {
		fileKeys(item, path, into)
	}
	switch path[strings.LastIndex(path, ".")+1:] {
	case "headers", "settings", "read", "bind", "claims", "require", "schema":
		return // the names below are free
	}
	for _, e := range n.entries {
		key := join(path, e.key.text)
		if path == "sources" || path == "destinations" || path == "schemes" {
			key = join(path, "*")
		} else {
			into[key] = true
		}
		fileKeys(e.value, key, into)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	words := []string{"secret", "secrets", "on_redelivery", "to", "types", "url"}
	for text, want := range map[string]string{
		"secert": "secret", "secretes": "secrets", "onRedelivery": "on_redelivery", "on-redelivery": "on_redelivery",
		"type": "types", "Url": "url", "ur": "url", "x": "", "": "", "frobnicate": "", "too": "to",
		strings.Repeat("a", 1000): "",
	} {
		if got, _ := nearest(text, words); got != want {
			t.Errorf("nearest(%q) = %q, want %q", text, got, want)
		}
	}
}

// What a setting holds is shown in no excerpt if it may be secret.
func TestSecretSettingsAreHidden(t *testing.T) {
	t.Parallel()
	for _, scheme := range extra.Schemes() {
		for _, s := range scheme.Settings() {
			if s.Secret && !holdsSecrets(s.Name) {
				t.Errorf("%s: excerpts would show the setting %q: name it in holdsSecrets", scheme.Name(), s.Name)
			}
		}
	}
}
