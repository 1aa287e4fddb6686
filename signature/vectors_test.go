package signature_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// A vector is one request, and what must come of it. Those of class "must" are
// what any right verifier says; of "edge", "policy" and "policy-time", what this
// one says. docs/signatures.md describes the format.
type vector struct {
	ID         string                     `json:"id"`
	Provider   string                     `json:"provider"`
	Variant    string                     `json:"variant"`
	Kind       string                     `json:"kind"`
	Class      string                     `json:"class"`
	Method     string                     `json:"method"`
	URL        string                     `json:"url"`
	Headers    [][2]string                `json:"headers"`
	Body       []byte                     `json:"body_base64"`
	Secrets    []string                   `json:"secrets"`
	Config     map[string]json.RawMessage `json:"config"`
	Now        int64                      `json:"now"`
	Valid      bool                       `json:"valid"`
	Type       *string                    `json:"type"`
	DeliveryID *string                    `json:"delivery_id"`
	Expect     *struct {
		Status      int               `json:"status"`
		ContentType string            `json:"content_type"`
		Body        *string           `json:"body"`
		JSON        any               `json:"json"`
		Headers     map[string]string `json:"headers"`
	} `json:"expect"`
	Note string `json:"note"`
}

func (v *vector) request() *signature.Request {
	r := &signature.Request{Method: v.Method, URL: v.URL, Header: http.Header{}, Body: v.Body}
	for _, h := range v.Headers {
		r.Header.Add(h[0], h[1])
	}
	if public, ok := v.setting("url"); ok && v.Kind != "handshake" {
		r.URL = public
	}
	return r
}

func (v *vector) setting(name string) (string, bool) {
	var text string
	err := json.Unmarshal(v.Config[name], &text)
	return text, err == nil
}

// fetched is what a receiver's Fetcher would get.
type fetched map[string]json.RawMessage

func (f fetched) Fetch(url string) ([]byte, error) {
	raw, ok := f[url]
	if !ok {
		return nil, errors.New("there is nothing at this address")
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []byte(text), nil
	}
	return raw, nil
}

// scheme returns the scheme with the settings of the vector.
func (v *vector) scheme(tb testing.TB) *signature.Scheme {
	tb.Helper()
	s, ok := signature.Lookup(v.Provider)
	if !ok {
		tb.Skipf("scheme %q is not of this package", v.Provider)
	}
	opts := signature.Options{Settings: map[string]string{}}
	for _, setting := range s.Settings() {
		if value, ok := v.setting(setting.Name); ok {
			opts.Settings[setting.Name] = value
		}
	}
	for _, name := range []string{"certs", "jwks"} {
		if raw, ok := v.Config[name]; ok {
			got := make(fetched)
			if err := json.Unmarshal(raw, &got); err != nil {
				tb.Fatal(err)
			}
			opts.Fetcher = got
		}
	}
	s, err := s.With(opts)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

var vectorsFlag = flag.String("vectors", "testdata/vectors", "the `directory` of the vectors")

// allVectors are those of the directory.
var allVectors = sync.OnceValues(func() ([]*vector, error) {
	files, err := filepath.Glob(filepath.Join(*vectorsFlag, "*.jsonl"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no vectors: %w", err)
	}
	var vectors []*vector
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(data) {
			v := new(vector)
			if err := json.Unmarshal(line, v); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			vectors = append(vectors, v)
		}
	}
	return vectors, nil
})

func readVectors(tb testing.TB) []*vector {
	tb.Helper()
	vectors, err := allVectors()
	if err != nil {
		tb.Fatal(err)
	}
	return vectors
}

// Every vector has the verdict that it must have.
func TestVectors(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t) {
		t.Run(v.ID, func(t *testing.T) {
			t.Parallel()
			if v.Kind == "handshake" {
				checkHandshake(t, v)
				return
			}
			checkRequest(t, v)
		})
	}
}

func checkRequest(t *testing.T, v *vector) {
	t.Helper()
	keys, _ := signature.NewKeys(v.Secrets...) // without keys, Verify is to refuse, or to fetch them
	result, err := v.scheme(t).Verify(v.request(), keys, time.Unix(v.Now, 0))
	if (err == nil) != v.Valid {
		t.Errorf("%s, %s: valid is %t, want %t: %v", v.Class, v.Note, err == nil, v.Valid, err)
	}
	if err != nil {
		return
	}
	if v.Type != nil && result.Type != *v.Type && !strings.ContainsFunc(*v.Type, func(r rune) bool { return r > '~' }) {
		t.Errorf("type %q, want %q", result.Type, *v.Type)
	}
	if v.DeliveryID != nil && result.DeliveryID != *v.DeliveryID {
		t.Errorf("delivery id %q, want %q", result.DeliveryID, *v.DeliveryID)
	}
	if result.BodyBound && v.Variant == "unbound_body_changed" {
		t.Error("the body was changed, and is said to be bound")
	}
}

func checkHandshake(t *testing.T, v *vector) {
	t.Helper()
	keys, _ := signature.NewKeys(v.Secrets...) // many handshakes need none
	s := v.scheme(t)
	reply, ok, err := s.Handshake(v.request(), keys, time.Unix(v.Now, 0))
	if !ok { // a signed request that is answered as any event is
		_, err = s.Verify(v.request(), keys, time.Unix(v.Now, 0))
		if reply = s.Accepted(); err != nil {
			reply = s.Refused()
		}
		reply.Status = cmp.Or(reply.Status, map[bool]int{true: http.StatusOK, false: http.StatusUnauthorized}[err == nil])
	}
	if (err == nil) != v.Valid {
		t.Errorf("%s: granted is %t, want %t: %v", v.Note, err == nil, v.Valid, err)
	}
	if reply.Status != v.Expect.Status {
		t.Errorf("status %d, want %d", reply.Status, v.Expect.Status)
	}
	if want := v.Expect.Body; want != nil && string(reply.Body) != *want {
		t.Errorf("body %q, want %q", reply.Body, *want)
	}
	if want := v.Expect.ContentType; want != "" && !strings.HasPrefix(reply.Header.Get("Content-Type"), want) {
		t.Errorf("content type %q, want %q", reply.Header.Get("Content-Type"), want)
	}
	for name, want := range v.Expect.Headers {
		if got := reply.Header.Get(name); got != want {
			t.Errorf("header %s is %q, want %q", name, got, want)
		}
	}
	if v.Expect.JSON != nil {
		var got any
		if err := json.Unmarshal(reply.Body, &got); err != nil {
			t.Fatal(err)
		}
		gotText, _ := json.Marshal(got)
		wantText, _ := json.Marshal(v.Expect.JSON)
		if string(gotText) != string(wantText) {
			t.Errorf("answer %s, want %s", gotText, wantText)
		}
	}
}

// Every scheme has vectors that it accepts, and others that it refuses.
func TestEverySchemeHasVectors(t *testing.T) {
	t.Parallel()
	type verdicts struct{ accepted, refused int }
	seen := make(map[string]*verdicts)
	for _, v := range readVectors(t) {
		s, ok := signature.Lookup(v.Provider)
		if !ok {
			continue
		}
		if seen[s.Name()] == nil {
			seen[s.Name()] = new(verdicts)
		}
		if v.Valid {
			seen[s.Name()].accepted++
		} else {
			seen[s.Name()].refused++
		}
	}
	for _, s := range signature.Schemes() {
		if n := seen[s.Name()]; n == nil || n.accepted == 0 || n.refused == 0 {
			t.Errorf("scheme %q lacks vectors: testdata/vectors/%s.jsonl must hold some that it accepts and some that it refuses",
				s.Name(), s.Name())
		}
	}
}
