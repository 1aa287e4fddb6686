package signature_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// A vector is one request, and what must come of it. Those of class "must" are
// what any right verifier says; of "edge", "policy" and "policy-time", what this
// one says.
type vector struct {
	Scheme  string           `json:"scheme"`
	ID      string           `json:"id"`
	Class   string           `json:"class"`
	Method  string           `json:"method"`
	URL     string           `json:"url"`
	Headers [][2]string      `json:"headers"`
	Body    []byte           `json:"body_base64"`
	Secrets []string         `json:"secrets"`
	Now     int64            `json:"now"`
	Valid   bool             `json:"valid"`
	Reason  signature.Reason `json:"reason"`
	Note    string           `json:"note"`
}

func (v *vector) request() *signature.Request {
	r := &signature.Request{Method: v.Method, URL: v.URL, Header: http.Header{}, Body: v.Body}
	for _, h := range v.Headers {
		r.Header.Add(h[0], h[1])
	}
	return r
}

func readVectors(tb testing.TB, name string) []*vector {
	tb.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var vectors []*vector
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		v := new(vector)
		if err := json.Unmarshal(lines.Bytes(), v); err != nil {
			tb.Fatal(err)
		}
		vectors = append(vectors, v)
	}
	if err := lines.Err(); err != nil {
		tb.Fatal(err)
	}
	return vectors
}

func checkVector(t *testing.T, s *signature.Scheme, v *vector) {
	t.Helper()
	keys, err := signature.NewKeys(v.Secrets...)
	if err != nil && v.Reason != signature.ReasonNoKey {
		t.Fatal(err)
	}
	_, err = s.Verify(v.request(), keys, time.Unix(v.Now, 0))
	if got := reasonOf(t, err); got != v.Reason {
		t.Errorf("%s (%s): got %q, want %q: %v", v.Note, v.Class, got, v.Reason, err)
	}
}

// Every scheme has vectors, and every vector has a scheme.
func TestVectors(t *testing.T) {
	t.Parallel()
	valid := map[string]int{}
	for _, v := range readVectors(t, "vectors.jsonl") {
		if v.Valid {
			valid[v.Scheme]++
		}
		t.Run(v.ID, func(t *testing.T) {
			t.Parallel()
			s, ok := signature.Lookup(v.Scheme)
			if !ok {
				t.Fatalf("there is no scheme %q", v.Scheme)
			}
			checkVector(t, s, v)
		})
	}
	for _, s := range signature.Schemes() {
		if valid[s.Name()] == 0 {
			t.Errorf("scheme %q has no vector that it accepts", s.Name())
		}
	}
}

// rows are providers' schemes that use what the schemes of this package do not:
// other units, lists, numbered and optional headers, fields of the body, the URL.
func rows() []signature.Spec {
	one := func(from, pattern string) signature.Read { return signature.Read{From: from, Pattern: pattern} }
	return []signature.Spec{
		{
			Name: "stripe", Sign: "{time}.{body}", Tolerance: 5 * time.Minute,
			Read: []signature.Read{{From: "stripe-signature", Sep: ",", Items: []string{"t={time}", "v1={sig}"}}},
		},
		{
			Name: "slack", Sign: "v0:{time}:{body}", Tolerance: 5 * time.Minute,
			Read: []signature.Read{one("x-slack-request-timestamp", "{time}"), one("x-slack-signature", "v0={sig}")},
		},
		{
			Name: "twitch", Sign: "{id}{time}{body}", Time: signature.RFC3339, Tolerance: 10 * time.Minute,
			Read: []signature.Read{
				one("twitch-eventsub-message-id", "{id}"), one("twitch-eventsub-message-timestamp", "{time}"),
				one("twitch-eventsub-message-signature", "sha256={sig}"),
			},
		},
		{
			Name: "box", MAC: "hmac-sha256 base64", Sign: "{body}{time}", Time: signature.RFC3339, Tolerance: 10 * time.Minute,
			Read: []signature.Read{
				one("box-delivery-timestamp", "{time}"), one("box-signature-primary?", "{sig}"),
				one("box-signature-secondary?", "{sig}"),
			},
		},
		{
			Name: "square", MAC: "hmac-sha256 base64", Sign: "{url}{body}",
			Read: []signature.Read{one("x-square-hmacsha256-signature", "{sig}")},
		},
		{
			Name: "hubspot_v3", MAC: "hmac-sha256 base64", Sign: "{method}{url}{body}{time}",
			Time: signature.Milliseconds, Tolerance: 5 * time.Minute,
			Read: []signature.Read{one("x-hubspot-request-timestamp", "{time}"), one("x-hubspot-signature-v3", "{sig}")},
		},
		{Name: "docusign", MAC: "hmac-sha256 base64", Read: []signature.Read{one("x-docusign-signature-#", "{sig}")}},
		{
			Name: "linear", Time: signature.Milliseconds, Tolerance: time.Minute,
			Read: []signature.Read{one("linear-signature", "{sig}"), one("json:webhookTimestamp", "{time}")},
		},
		{
			Name: "mailgun", Sign: "{time}{nonce}", Tolerance: 15 * time.Minute,
			Read: []signature.Read{
				one("json:signature.timestamp", "{time}"), one("json:signature.token", "{nonce}"),
				one("json:signature.signature", "{sig}"),
			},
		},
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	schemes := map[string]*signature.Scheme{}
	for _, spec := range rows() {
		schemes[spec.Name] = newScheme(t, spec)
	}
	for _, v := range readVectors(t, "rows.jsonl") {
		t.Run(v.ID, func(t *testing.T) {
			t.Parallel()
			s := schemes[v.Scheme]
			if s == nil {
				t.Fatalf("there is no row %q", v.Scheme)
			}
			checkVector(t, s, v)
		})
	}
}

// What is signed here is what the provider signs: the headers of a valid vector
// come out of Sign as they are in it.
func TestSignMakesTheVectors(t *testing.T) {
	t.Parallel()
	schemes := map[string]*signature.Scheme{}
	for _, spec := range rows() {
		schemes[spec.Name] = newScheme(t, spec)
	}
	for _, s := range signature.Schemes() {
		schemes[s.Name()] = s
	}
	for _, v := range append(readVectors(t, "vectors.jsonl"), readVectors(t, "rows.jsonl")...) {
		if v.ID != v.Scheme+"/valid" && v.ID != "standardwebhooks/valid" || v.Scheme == "mailgun" {
			continue
		}
		t.Run(v.ID, func(t *testing.T) {
			t.Parallel()
			s, keys, given := schemes[v.Scheme], newKeys(t, v.Secrets...), v.request()
			result, err := s.Verify(given, keys, time.Unix(v.Now, 0))
			if err != nil {
				t.Fatal(err)
			}
			id := given.Header.Get("webhook-id") + given.Header.Get("twitch-eventsub-message-id")
			r := &signature.Request{Method: v.Method, URL: v.URL, Body: v.Body}
			if err := s.Sign(r, keys, signature.SignOptions{ID: id, Time: result.Time}); err != nil {
				t.Fatal(err)
			}
			for name, values := range r.Header {
				if got, want := values[0], given.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
}
