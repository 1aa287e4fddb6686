package mismatch

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tenterhook/tenterhook/internal/capture"
	"github.com/tenterhook/tenterhook/signature"
)

// valid returns a case that verifies for each scheme that has one among the test
// vectors.
func valid(t *testing.T) map[string]Case {
	t.Helper()
	files, err := filepath.Glob("../../signature/testdata/vectors/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatal("no vectors", err)
	}
	cases := map[string]Case{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for text := range bytes.Lines(content) {
			line, err := capture.ParseLine(text)
			if err != nil {
				t.Fatal(err)
			}
			if _, known := cases[line.Provider]; !known && line.Kind == "request" {
				if c, ok := caseOf(t, &line); ok {
					cases[line.Provider] = c
				}
			}
		}
	}
	return cases
}

func caseOf(t *testing.T, line *capture.Line) (Case, bool) {
	t.Helper()
	s, ok := signature.Lookup(line.Provider)
	if !ok {
		return Case{}, false
	}
	settings := chosen(s, line.Settings)
	s, err := s.With(signature.Options{Settings: settings, Fetcher: line})
	if err != nil {
		t.Fatal(err)
	}
	c := Case{Scheme: s, Settings: settings, Request: line.Request, Secrets: line.Secrets, Now: line.Now}
	result, err := s.Verify(c.Request, keysOf(c.Secrets...), c.Now)
	return c, err == nil && result.BodyBound && len(c.Request.Body) > 0
}

// What goes wrong most often is found out for every scheme.
func TestEveryScheme(t *testing.T) {
	t.Parallel()
	for name, c := range valid(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			damaged := c
			damaged.Request = withBody(c.Request, suffixed(c.Request.Body, "\n"))
			check(t, damaged, "body_newline")

			if len(c.Secrets) == 0 {
				return
			}
			damaged = c
			damaged.Secrets = []string{"\"" + c.Secrets[0] + "\" "}
			check(t, damaged, "secret")

			damaged = c
			damaged.Now = c.Now.Add(1000 * time.Hour)
			check(t, damaged, "time")
		})
	}
}

// check explains c, unless the scheme does not mind the damage.
func check(t *testing.T, c Case, name string) {
	t.Helper()
	if _, err := c.Scheme.Verify(c.Request, keysOf(c.Secrets...), c.Now); err == nil {
		return
	}
	report := Explain(t.Context(), c)
	for _, cause := range report.Causes {
		if strings.HasPrefix(cause.Name, name) {
			return
		}
	}
	t.Errorf("%s is not found in %d tries: %+v, %q", name, report.Tried, report.Causes, report.Doubts)
}
