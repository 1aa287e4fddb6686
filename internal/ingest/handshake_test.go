package ingest_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/tenterhook/tenterhook/internal/ingest"
	"github.com/tenterhook/tenterhook/signature"
)

// request sends a request of any method to the source github.
func (e *edge) request(t *testing.T, method, query, body string, header map[string]string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, e.server.URL+"/webhook/github"+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

// scheme returns a scheme of the library with settings.
func scheme(t *testing.T, name string, settings map[string]string) *signature.Scheme {
	t.Helper()
	known, ok := signature.Lookup(name)
	if !ok {
		t.Fatalf("there is no scheme %s", name)
	}
	adapted, err := known.With(signature.Options{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	return adapted
}

func TestHandshakeIsAnswered(t *testing.T) {
	t.Parallel()
	e := setup(t, ingest.Options{})
	e.configure(t, func(s *ingest.Source) { s.Scheme = scheme(t, "meta", map[string]string{"verify_token": secret}) })
	const query = "?hub.mode=subscribe&hub.challenge=%3Cscript%3E&hub.verify_token="
	resp, body := e.request(t, http.MethodGet, query+"It%27s+a+Secret+to+Everybody", "", nil)
	if resp.StatusCode != http.StatusOK || body != "<script>" {
		t.Errorf("%d %q, want the challenge", resp.StatusCode, body)
	}
	if resp.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("a browser may take it for a page: %v", resp.Header)
	}
	if o := <-e.seen; !o.Handshake || o.Reason != "" || o.Event != nil {
		t.Errorf("observed %+v", o)
	}
	resp, body = e.request(t, http.MethodGet, query+"guess", "", nil)
	if resp.StatusCode != http.StatusForbidden || body != "" || len(e.events) != 0 || len(e.rejected) != 1 {
		t.Errorf("a wrong token: %d %q, %d on record", resp.StatusCode, body, len(e.rejected))
	}
	if o := <-e.seen; !o.Handshake || o.Reason != string(signature.ReasonHandshake) || strings.Contains(o.Detail, secret) {
		t.Errorf("observed %+v", o)
	}
}

func TestSecretOfAHandshakeIsKeptOnce(t *testing.T) {
	t.Parallel()
	const sent = "a-secret-of-asana-0123"
	for name, c := range map[string]struct {
		keep   func(string) error
		status int
		reason string
	}{
		"kept":      {keep: func(string) error { return nil }, status: http.StatusOK},
		"there":     {keep: func(string) error { return fmt.Errorf("keep: %w", fs.ErrExist) }, status: http.StatusUnauthorized, reason: ingest.ReasonUnexpectedSecret},
		"no place":  {status: http.StatusUnauthorized, reason: ingest.ReasonUnexpectedSecret},
		"disk full": {keep: func(string) error { return errors.New("no space") }, status: http.StatusServiceUnavailable, reason: ingest.ReasonSecretNotKept},
	} {
		e := setup(t, ingest.Options{})
		kept := ""
		e.configure(t, func(s *ingest.Source) {
			s.Scheme, s.Keys = scheme(t, "asana", nil), signature.Keys{}
			if c.keep != nil {
				s.Keep = func(secret string) error {
					kept = secret
					return c.keep(secret)
				}
			}
		})
		resp, _ := e.request(t, http.MethodPost, "", "", map[string]string{"X-Hook-Secret": sent})
		o := <-e.seen
		if resp.StatusCode != c.status || o.Reason != c.reason || strings.Contains(o.Detail, sent) {
			t.Errorf("%s: %d, %+v", name, resp.StatusCode, o)
		}
		if echoed := resp.Header.Get("X-Hook-Secret") == sent; echoed != (c.reason == "") {
			t.Errorf("%s: answered with %v", name, resp.Header)
		}
		if c.keep != nil && kept != sent {
			t.Errorf("%s: kept %q", name, kept)
		}
	}
}

// nowhere has no keys.
type nowhere struct{}

func (nowhere) Fetch(string) ([]byte, error) { return nil, errors.New("no route") }

func TestKeyThatCannotBeFetchedIsAskedToBeRetried(t *testing.T) {
	t.Parallel()
	fetched, err := signature.New(signature.Spec{
		Name: "bank", Read: []signature.Read{{From: "x-sig", Pattern: "{sig}"}}, MAC: "ed25519 hex",
		KeyURL: "https://keys.bank.example/key", KeyHosts: `keys\.bank\.example`,
	})
	if err != nil {
		t.Fatal(err)
	}
	if fetched, err = fetched.With(signature.Options{Fetcher: nowhere{}}); err != nil {
		t.Fatal(err)
	}
	e := setup(t, ingest.Options{})
	e.configure(t, func(s *ingest.Source) { s.Scheme, s.Keys = fetched, signature.Keys{} })
	resp, _ := e.request(t, http.MethodPost, "", "{}", map[string]string{"X-Sig": strings.Repeat("ab", 64)})
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	if len(e.rejected) != 1 || e.rejected[0].Reason != "key_unavailable" || len(e.events) != 0 {
		t.Errorf("on record %+v", e.rejected)
	}
}

// Providers that mind get the answer they want.
func TestAnswersAsTheProviderWants(t *testing.T) {
	t.Parallel()
	asked, err := signature.New(signature.Spec{
		Name: "picky", Read: []signature.Read{{From: "x-hub-signature-256", Pattern: "sha256={sig}"}},
		Accepted: signature.Reply{Status: http.StatusAccepted, Body: []byte("success"), Header: http.Header{"X-Own": {"a"}}},
		Refused:  signature.Reply{Status: http.StatusForbidden, Body: []byte("failure")},
	})
	if err != nil {
		t.Fatal(err)
	}
	e := setup(t, ingest.Options{})
	e.configure(t, func(s *ingest.Source) { s.Scheme = asked })
	resp, body := e.request(t, http.MethodPost, "", "{}", push("{}"))
	if resp.StatusCode != http.StatusAccepted || body != "success" || resp.Header.Get("X-Own") != "a" || len(e.events) != 1 {
		t.Errorf("accepted: %d %q %v", resp.StatusCode, body, resp.Header)
	}
	resp, body = e.request(t, http.MethodPost, "", "{}", push("other"))
	if resp.StatusCode != http.StatusForbidden || body != "failure" || e.rejected[0].Status != http.StatusForbidden {
		t.Errorf("refused: %d %q %+v", resp.StatusCode, body, e.rejected)
	}
}
