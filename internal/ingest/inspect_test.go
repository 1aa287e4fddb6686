package ingest_test

import (
	"bytes"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/ingest"
	"github.com/tenterhook/tenterhook/internal/route"
	"github.com/tenterhook/tenterhook/signature"
)

// stars replaces the secret of these tests by asterisks.
type stars struct{}

func (stars) Redact(text []byte) ([]byte, bool) {
	return bytes.ReplaceAll(text, []byte(secret), bytes.Repeat([]byte("*"), len(secret))), bytes.Contains(text, []byte(secret))
}

func (s stars) RedactString(text string) (string, bool) {
	clean, found := s.Redact([]byte(text))
	return string(clean), found
}

// hasRef is a schema that wants a ref in pushes.
type hasRef struct{}

func (hasRef) Check(typ string, header http.Header, body []byte) error {
	if typ == "push" && header.Get("X-Github-Event") == "push" && !bytes.Contains(body, []byte(`"ref"`)) {
		return errors.New(`/: want "ref", not ` + string(body))
	}
	return nil
}

// configure gives the edge one source as change makes it.
func (e *edge) configure(t *testing.T, change func(*ingest.Source)) {
	t.Helper()
	keys, err := signature.NewKeys(secret)
	if err != nil {
		t.Fatal(err)
	}
	routes, err := route.New([]route.Route{{Name: "all", From: []string{"github"}, To: []string{"app"}}})
	if err != nil {
		t.Fatal(err)
	}
	source := &ingest.Source{Name: "github", Scheme: signature.GitHub, Keys: keys, MaxBody: maxBody, Redact: stars{}}
	change(source)
	e.handler.Configure(&ingest.Config{Routes: routes, Sources: map[string]*ingest.Source{"github": source}})
}

func push(body string) map[string]string {
	return map[string]string{"X-Hub-Signature-256": sign([]byte(body)), "X-GitHub-Event": "push"}
}

func TestSchemaRefusesAndFlags(t *testing.T) {
	t.Parallel()
	const right, wrong = `{"ref":"x"}`, `{"fer":"` + secret + `"}`
	e := setup(t, ingest.Options{})
	e.configure(t, func(s *ingest.Source) { s.Schema = hasRef{} })
	if status, answer := e.post(t, "github", []byte(right), push(right)); status != http.StatusOK {
		t.Errorf("what matches: %d %s", status, answer)
	}
	status, answer := e.post(t, "github", []byte(wrong), push(wrong))
	if status != http.StatusUnprocessableEntity || strings.Contains(answer, "ref") || len(e.events) != 1 {
		t.Errorf("what does not match: %d %s, %d events", status, answer, len(e.events))
	}
	if r := e.rejected[0]; r.Reason != ingest.ReasonSchemaMismatch || !strings.HasPrefix(r.Detail, `/: want "ref", not {"fer":"***`) ||
		strings.Contains(r.Detail, secret) {
		t.Errorf("on record: %+v", r)
	}
	e.post(t, "github", []byte(wrong), map[string]string{"X-GitHub-Event": "push"})
	if r := e.rejected[1]; r.Reason != "missing_signature" {
		t.Errorf("what is not signed is checked: %+v", r)
	}
	e.configure(t, func(s *ingest.Source) { s.Schema, s.FlagMismatch = hasRef{}, true })
	if status, answer := e.post(t, "github", []byte(wrong), push(wrong)); status != http.StatusOK {
		t.Errorf("flagged: %d %s", status, answer)
	}
	if m := e.events[1].Marks.SchemaMismatch; !strings.HasPrefix(m, `/: want "ref"`) || strings.Contains(m, secret) || len(e.ds[1]) != 1 {
		t.Errorf("flagged: %q, %d deliveries", m, len(e.ds[1]))
	}
}

func TestSecretIsNotKept(t *testing.T) {
	t.Parallel()
	const plain, leaking = `{"ref":"x"}`, `{"ref":"x","config":{"secret":"` + secret + `"}}`
	hidden := strings.Repeat("*", len(secret))
	for name, c := range map[string]struct {
		body   string
		header map[string]string
		change func(*ingest.Source)
		want   tenterhook.Marks
		kept   string // the header as it is kept
	}{
		"nowhere":   {body: plain},
		"header":    {body: plain, header: map[string]string{"X-Token": "Bearer " + secret}, want: tenterhook.Marks{Redacted: []string{"header X-Token"}, Leaked: true}, kept: "Bearer " + hidden},
		"by design": {body: plain, header: map[string]string{"X-Token": secret}, change: func(s *ingest.Source) { s.TokenHeader = "X-Token" }, kept: hidden},
		"body":      {body: leaking, want: tenterhook.Marks{Redacted: []string{"body"}, Leaked: true}},
		"body by design": {body: leaking, change: func(s *ingest.Source) { s.TokenInBody = true },
			want: tenterhook.Marks{Redacted: []string{"body"}}},
		"both": {body: leaking, header: map[string]string{"X-Token": secret, "X-A": secret}, kept: hidden,
			want: tenterhook.Marks{Redacted: []string{"header X-A", "header X-Token", "body"}, Leaked: true}},
	} {
		e := setup(t, ingest.Options{})
		if c.change == nil {
			c.change = func(*ingest.Source) {}
		}
		e.configure(t, c.change)
		header := push(c.body)
		maps.Copy(header, c.header)
		if status, answer := e.post(t, "github", []byte(c.body), header); status != http.StatusOK {
			t.Fatalf("%s: %d %s", name, status, answer)
		}
		got := e.events[0]
		if diff := cmp.Diff(c.want, got.Marks); diff != "" {
			t.Errorf("%s: marks (-want +got)\n%s", name, diff)
		}
		if want := strings.ReplaceAll(c.body, secret, hidden); string(got.Body) != want {
			t.Errorf("%s: body %s, want %s", name, got.Body, want)
		}
		if got := got.Header.Get("X-Token"); got != c.kept {
			t.Errorf("%s: X-Token: %q, want %q", name, got, c.kept)
		}
		for name, values := range got.Header {
			if slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, secret) }) {
				t.Errorf("the secret is kept in %s", name)
			}
		}
	}
}

func TestUnsignedBodyIsMarked(t *testing.T) {
	t.Parallel()
	e := setup(t, ingest.Options{})
	e.post(t, "open", []byte("{}"), nil)
	body := []byte(`{}`)
	e.post(t, "github", body, map[string]string{"X-Hub-Signature-256": sign(body)})
	if !e.events[0].Marks.Unbound || !e.events[1].Marks.IsZero() {
		t.Errorf("marks %+v and %+v", e.events[0].Marks, e.events[1].Marks)
	}
}

func TestOtherMethods(t *testing.T) {
	t.Parallel()
	e := setup(t, ingest.Options{})
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete, "BREW"} {
		request, err := http.NewRequestWithContext(t.Context(), method, e.server.URL+"/webhook/github", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		o := <-e.seen
		if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != http.MethodPost ||
			o.Reason != ingest.ReasonMethod || !o.Known {
			t.Errorf("%s: %d, Allow %q, %+v", method, response.StatusCode, response.Header.Get("Allow"), o)
		}
	}
	if len(e.rejected) != 6 || len(e.events) != 0 {
		t.Errorf("%d rejections, %d events", len(e.rejected), len(e.events))
	}
}
