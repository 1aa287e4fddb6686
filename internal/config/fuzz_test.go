package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// Whatever the file holds: loading ends, and either there is a configuration or
// problems that say where and what, and no secret.
func FuzzLoad(f *testing.F) {
	names, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data)
	}
	full, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full)
	f.Add([]byte(strings.Repeat("[", 10000)))
	f.Add([]byte("a: &a [*a, *a]\n"))
	env := fullEnv(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		config, err := Parse("f", data, env)
		var problems Problems
		switch {
		case err == nil && config == nil, err != nil && config != nil:
			t.Fatalf("config %v and error %v", config, err)
		case err == nil:
			problems = config.Warnings
		case !errors.As(err, &problems) || len(problems) == 0:
			t.Fatalf("the error %v names no problem", err)
		}
		lines := strings.Count(string(data), "\n") + 1
		for _, p := range problems {
			if p.Message == "" || p.Hint == "" || p.Line > lines || p.Line > 0 && p.Col < 1 {
				t.Errorf("a problem that helps nobody: %+v", p)
			}
		}
		if report := problems.Report(); strings.Contains(report, githubSecret) || strings.Contains(report, appSecret) {
			t.Errorf("the report holds a secret:\n%s", report)
		}
	})
}

// A secret that was written out is never in a report, however it is written and
// whatever else is wrong.
func FuzzLeak(f *testing.F) {
	for _, around := range []string{
		"secret: ", "secret: '", "secret: \"", "secret: |\n  ", "secret:\n  - ", "secret: [", "secret: {a: ",
		"secret: !", "secret: &x ",
		"{secret: ", "a: {secret: [", "secrets:\n- ", "secret:\n\n\n  ", "\"secret\": ", "headers: {Authorization: ",
		"? secret\n: ",
	} {
		f.Add(around, "\n")
		f.Add("sources:\n  a:\n    provider: github\n    "+around, ", b: c}\n")
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		const word = "zqxjkvbzqxjkvb"
		if !belowSecret(before) {
			t.Skip()
		}
		_, err := Parse("f", []byte(before+word+after), testEnv(t, nil, nil))
		var problems Problems
		if errors.As(err, &problems) && strings.Contains(problems.Report(), word) {
			t.Errorf("the report holds the secret:\n%s", problems.Report())
		}
	})
}

// belowSecret reports whether what follows a text is plainly the value of a key
// for secrets.
func belowSecret(before string) bool {
	line := before[strings.LastIndex(before, "\n")+1:]
	return strings.HasSuffix(line, "secret: ") && strings.Trim(line, " {") == "secret:"
}
