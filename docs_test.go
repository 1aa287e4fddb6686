package tenterhook_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/internal/config"
	"github.com/tenterhook/tenterhook/internal/sample"
)

// The documentation of what can be listed is complete, and lists nothing that is
// gone: what is in backquotes in the first column of its tables is compared with
// what the program says of itself.

// firstColumn returns what is in backquotes in the first column of the tables in
// a document whose header begins with one of heads.
func firstColumn(t *testing.T, path string, heads ...string) []string {
	t.Helper()
	quoted := regexp.MustCompile("`([^`]+)`")
	var all []string
	inTable := false
	for line := range strings.Lines(document(t, path)) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			inTable = false
			continue
		}
		if slices.Contains(heads, strings.TrimSpace(cells[1])) {
			inTable = true
		}
		for _, found := range quoted.FindAllStringSubmatch(cells[1], -1) {
			if inTable {
				all = append(all, found[1])
			}
		}
	}
	return all
}

func document(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sameLists compares what a document lists with what there is.
func sameLists(t *testing.T, path, what string, listed, there []string) {
	t.Helper()
	if len(there) == 0 {
		t.Errorf("there is no %s at all", what)
	}
	for _, name := range there {
		if !slices.Contains(listed, name) {
			t.Errorf("%s does not list the %s `%s`", path, what, name)
		}
	}
	for _, name := range listed {
		if !slices.Contains(there, name) {
			t.Errorf("%s lists the %s `%s`, which there is not", path, what, name)
		}
	}
}

func TestEveryKeyIsDocumented(t *testing.T) {
	t.Parallel()
	const path = "docs/configuration.md"
	var root map[string]any
	if err := json.Unmarshal(config.Schema(), &root); err != nil {
		t.Fatal(err)
	}
	keys := make(map[string]bool)
	keysOf(root, "", keys)
	listed := firstColumn(t, path, "key")
	listed = append(listed, "destinations.NAME.retry") // in the text below
	sameLists(t, path, "key", listed, slices.Collect(maps.Keys(keys)))
}

// keysOf gathers the paths of all keys that a schema has and that hold a value
// of their own.
func keysOf(schema map[string]any, path string, into map[string]bool) {
	join := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	properties, _ := schema["properties"].(map[string]any)
	for name, of := range properties {
		inner, _ := of.(map[string]any)
		before := len(into)
		keysOf(inner, join(name), into)
		// A mapping is described by what is in it, but for what can be a word as well.
		if len(into) == before || strings.Count(path, ".") > 0 {
			into[join(name)] = true
		}
	}
	if of, ok := schema["additionalProperties"].(map[string]any); ok && of["type"] == "object" {
		keysOf(of, join("NAME"), into)
	}
	if of, ok := schema["items"].(map[string]any); ok {
		keysOf(of, path+"[]", into)
	}
	choices, _ := schema["oneOf"].([]any)
	for _, choice := range choices {
		inner, _ := choice.(map[string]any)
		keysOf(inner, path, into)
	}
}

// Every example in the documentation that is a whole file is one that loads.
func TestDocumentedConfigurationsLoad(t *testing.T) {
	t.Parallel()
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	const secret = "whsec_Y2FuYXJ5LWFwcC1zZWNyZXQtMDEyMzQ1Njc4OWFi"
	env := config.Env{
		LookupEnv: func(string) (string, bool) { return secret, true },
		ReadFile:  func(string) ([]byte, error) { return []byte(secret), nil },
		LookPath:  func(file string) (string, error) { return file, nil },
	}
	paths, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	loaded := 0
	for _, path := range append(paths, "README.md") {
		for _, block := range blocks.FindAllStringSubmatch(document(t, path), -1) {
			if !regexp.MustCompile(`(?m)^sources:`).MatchString(block[1]) {
				continue
			}
			loaded++
			file := strings.ReplaceAll(block[1], ":PORT", ":3000")
			c, err := config.Parse("tenterhook.yaml", []byte(file), env)
			if err != nil {
				t.Errorf("%s: %v", path, err)
			} else if part := !strings.Contains(block[1], "\nroutes:"); len(c.Warnings) > 0 && !part && path != "docs/design.md" {
				t.Errorf("%s: %v", path, c.Warnings)
			}
		}
	}
	if loaded < 2 {
		t.Errorf("%d examples found", loaded)
	}
}

// syncBuffer is a buffer for several goroutines.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) Bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.text.Bytes())
}

// eventfulGateway runs a gateway to which everything has happened that shows in
// a metric or a field of the log.
func eventfulGateway(t *testing.T) (*gateway, *syncBuffer) {
	t.Helper()
	app := newReceiver()
	t.Cleanup(app.close)
	log := &syncBuffer{}
	g := newLoggingGateway(t, `
sources:
  github: {provider: github, secret: env:GITHUB_WEBHOOK_SECRET, schema: builtin, on_mismatch: flag}
  dropbox: {provider: dropbox, secret: env:GITHUB_WEBHOOK_SECRET}
destinations:
  app: {url: "`+app.server.URL+`", sign: none}
  dead: {url: "http://127.0.0.1:1/", sign: none, retry: {schedule: [0]}}
  waits: {url: "http://127.0.0.1:1/", sign: none, retry: {schedule: [0, 1h], jitter: none}}
routes:
  - {from: github, to: [app, dead, waits]}
`, slog.New(slog.NewJSONHandler(log, nil)))
	p := sample.Payload{Name: sample.Name{Event: "push"}, Body: []byte(`{"ref": "refs/heads/main"}`)}
	for range 2 {
		req, err := p.Request(t.Context(), g.url+"/webhook/github", g.keys, "72d3162e-cc78-11e3-81ab-4c9367dc0958")
		if err != nil {
			t.Fatal(err)
		}
		g.send(t, req)
	}
	status, _, err := fetch(t.Context(), http.MethodPost, g.url+"/webhook/github", "", strings.NewReader("{}"))
	if err != nil || status != http.StatusUnauthorized {
		t.Fatalf("unsigned: %d, %v", status, err)
	}
	status, answer, err := fetch(t.Context(), http.MethodGet, g.url+"/webhook/dropbox?challenge=abc", "", nil)
	if err != nil || status != http.StatusOK || answer != "abc" {
		t.Fatalf("handshake: %d %q, %v", status, answer, err)
	}
	err = poll(t.Context(), func(ctx context.Context) error {
		if n := bytes.Count(log.Bytes(), []byte(`"msg":"attempt"`)); n < 3 {
			return fmt.Errorf("%d attempts are in the log", n)
		}
		stats, err := g.client.GetStats(ctx)
		for _, d := range stats.Destinations {
			if d.Destination == "dead" && d.Dead == 1 {
				return err
			}
		}
		return errors.Join(err, errors.New("no delivery is dead"))
	})
	if err != nil {
		t.Fatal(err)
	}
	return g, log
}

func TestMetricsAndLogFieldsAreDocumented(t *testing.T) {
	t.Parallel()
	const path = "docs/operations.md"
	g, log := eventfulGateway(t)
	_, text, err := fetch(t.Context(), http.MethodGet, g.admin+"/metrics", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	var served []string
	for _, found := range regexp.MustCompile(`(?m)^# TYPE (tenterhook_\w+) `).FindAllStringSubmatch(text, -1) {
		served = append(served, found[1])
	}
	sameLists(t, path, "metric", firstColumn(t, path, "metric"), served)

	fields := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(log.Bytes()))
	for lines.Scan() {
		var line map[string]any
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line["msg"] == "request" || line["msg"] == "attempt" {
			for field := range line {
				fields[field] = true
			}
		}
	}
	for _, everywhere := range []string{"time", "level", "msg"} {
		delete(fields, everywhere)
	}
	sameLists(t, path, "field", firstColumn(t, path, "field"), slices.Collect(maps.Keys(fields)))
}

func TestEveryOperationIsDocumented(t *testing.T) {
	t.Parallel()
	const path = "docs/api.md"
	handler := api.New(api.Options{Feed: &api.Feed{}})
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	var document struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	var operations []string
	for path, methods := range document.Paths {
		for method := range methods {
			operations = append(operations, strings.ToUpper(method)+" "+path)
		}
	}
	sameLists(t, path, "operation", firstColumn(t, path, "operation"), operations)
}

func TestCodesAndReasonsAreDocumented(t *testing.T) {
	t.Parallel()
	sameLists(t, "docs/api.md", "code", firstColumn(t, "docs/api.md", "code"), constants(t, "internal/api", "Code"))
	reasons := append(constants(t, "signature", "Reason"), constants(t, "internal/ingest", "Reason")...)
	sameLists(t, "docs/operations.md", "reason", firstColumn(t, "docs/operations.md", "reason"), reasons)
}

// constants returns the values of a package's text constants whose names begin
// with a prefix.
func constants(t *testing.T, pkg, prefix string) []string {
	t.Helper()
	var values []string
	for _, s := range sources(t) {
		if s.pkg() != pkg || s.isTest() {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || !strings.HasPrefix(spec.Names[0].Name, prefix) || len(spec.Values) == 0 {
				return true
			}
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
				value, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, value)
			}
			return true
		})
	}
	return values
}

// Every link within the documentation leads somewhere.
func TestDocumentationLinks(t *testing.T) {
	t.Parallel()
	var paths []string
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*.md", "examples/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	for _, path := range paths {
		for _, found := range link.FindAllStringSubmatch(document(t, path), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), filepath.FromSlash(found[1]))); err != nil {
				t.Errorf("%s: a link leads nowhere: %v", path, err)
			}
		}
	}
}

// Each example is listed, explains the variables it needs, and is tried by a script.
func TestExamplesAreComplete(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("examples/*/tenterhook.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no examples", err)
	}
	list, script := document(t, "examples/README.md"), document(t, "testdata/script/examples.txtar")
	for _, file := range files {
		dir := filepath.Dir(file)
		name := filepath.Base(dir)
		if !strings.Contains(list, "]("+name+")") {
			t.Errorf("examples/README.md does not list %s", name)
		}
		if !strings.Contains(script, "examples/"+name+"\n") {
			t.Errorf("examples.txtar does not try %s", name)
		}
		readme := document(t, filepath.Join(dir, "README.md"))
		for _, found := range regexp.MustCompile(`env:(\w+)`).FindAllStringSubmatch(document(t, file), -1) {
			if !strings.Contains(readme, "export "+found[1]+"=") {
				t.Errorf("%s: the README does not say to set %s", dir, found[1])
			}
		}
	}
}
