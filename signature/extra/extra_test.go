package extra_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/signature"
	"github.com/tenterhook/tenterhook/signature/extra"
)

// The vectors of these schemes are with all the others.
func TestVectors(t *testing.T) {
	t.Parallel()
	for _, row := range extra.Rows() {
		data, err := os.ReadFile(filepath.Join("..", "testdata", "vectors", row.Name+".jsonl"))
		if err != nil {
			t.Fatalf("scheme %q has no vectors: %v", row.Name, err)
		}
		for line := range bytes.Lines(data) {
			var v struct {
				ID         string      `json:"id"`
				Method     string      `json:"method"`
				URL        string      `json:"url"`
				Headers    [][2]string `json:"headers"`
				Body       []byte      `json:"body_base64"`
				Secrets    []string    `json:"secrets"`
				Now        int64       `json:"now"`
				Valid      bool        `json:"valid"`
				Note, Type string
			}
			if err := json.Unmarshal(line, &v); err != nil {
				t.Fatal(err)
			}
			r := &signature.Request{Method: v.Method, URL: v.URL, Header: http.Header{}, Body: v.Body}
			for _, h := range v.Headers {
				r.Header.Add(h[0], h[1])
			}
			s, ok := extra.Lookup(row.Name)
			if !ok {
				t.Fatalf("scheme %q is not found", row.Name)
			}
			keys, _ := signature.NewKeys(v.Secrets...) // without keys, Verify is to refuse
			if _, err := s.Verify(r, keys, time.Unix(v.Now, 0)); (err == nil) != v.Valid {
				t.Errorf("%s, %s: valid is %t, want %t: %v", v.ID, v.Note, err == nil, v.Valid, err)
			}
		}
	}
}

func TestLookupFindsAll(t *testing.T) {
	t.Parallel()
	for _, s := range extra.Schemes() {
		if found, ok := extra.Lookup(s.Name()); !ok || found != s {
			t.Errorf("%q is not found", s.Name())
		}
	}
	if n := len(extra.Schemes()); n != len(signature.Schemes())+len(extra.Rows()) {
		t.Errorf("there are %d schemes", n)
	}
	if _, ok := extra.Lookup("nobody"); ok {
		t.Error("nobody is found")
	}
}
