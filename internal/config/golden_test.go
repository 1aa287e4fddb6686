package config

import (
	"errors"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what is reported into testdata")

// Secrets of the tests. No report may hold one, nor a text that has leaked in it.
const (
	githubSecret = "octocat-5f4dcc3b5aa765d61d83"
	appSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	leaked       = "hunter2"
)

// testEnv is a world with two secrets, the variables in more, and files, which
// are named as seen from the directory of the configuration.
func testEnv(t testing.TB, files, more map[string]string) Env {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{
		"GITHUB_SECRET": githubSecret, "APP_SECRET": appSecret, "PATH": "/usr/bin", "HOME": "/home/tenterhook",
	}
	maps.Copy(variables, more)
	return Env{
		LookupEnv: func(name string) (string, bool) {
			value, ok := variables[name]
			return value, ok
		},
		ReadFile: func(path string) ([]byte, error) {
			name := path
			if relative, err := filepath.Rel(dir, path); err == nil && filepath.IsAbs(path) {
				name = relative
			}
			if content, ok := files[name]; ok {
				return []byte(content), nil
			}
			if name == "unreadable" {
				return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
			}
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		},
		LookPath: func(file string) (string, error) {
			if strings.Contains(file, "missing") || strings.Contains(file, " ") {
				return "", &fs.PathError{Op: "stat", Path: file, Err: fs.ErrNotExist}
			}
			return file, nil
		},
	}
}

// Each file of testdata/problems holds a configuration and what is said about
// it. Besides, it may hold env, a list of NAME=VALUE, and files with secrets.
func TestProblems(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("there are no test cases", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := reportOn(t, archive)
			checkLeaks(t, got)
			last := len(archive.Files) - 1
			if archive.Files[last].Name != "want" {
				t.Fatal("the last file is not want")
			}
			if *update {
				archive.Files[last].Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(archive.Files[last].Data), got); diff != "" {
				t.Errorf("reported otherwise (-want +got); if that is meant, run the test with -update\n%s", diff)
			}
		})
	}
}

// reportOn loads the configuration in an archive and says what came of it.
func reportOn(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	files, variables := make(map[string]string), make(map[string]string)
	for _, f := range archive.Files {
		files[f.Name] = string(f.Data)
	}
	for line := range strings.Lines(files["env"]) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		variables[name] = value
	}
	config, err := Load("tenterhook.yaml", testEnv(t, files, variables))
	var problems Problems
	switch {
	case errors.As(err, &problems):
		for _, p := range problems {
			unreadable := strings.Contains(p.Message, "has no place in this file") // what it is in may be a secret
			if p.Message == "" || p.Line > 0 && p.Excerpt == "" && !unreadable {
				t.Errorf("a problem without message or excerpt: %+v", p)
			}
		}
		return problems.Report() + "\n"
	case err != nil:
		t.Fatalf("the error %v is not Problems", err)
	case len(config.Warnings) > 0:
		return "loaded, with warnings:\n\n" + config.Warnings.Report() + "\n"
	}
	return "loaded\n"
}

func checkLeaks(t *testing.T, report string) {
	t.Helper()
	for _, secret := range []string{leaked, githubSecret, appSecret, strings.TrimPrefix(appSecret, "whsec_")} {
		if strings.Contains(report, secret) {
			t.Errorf("the report holds the secret %q:\n%s", secret, report)
		}
	}
}

// Hints are part of what is promised: a mistake is told with what to write.
func TestEveryProblemHasAHint(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want := archive.Files[len(archive.Files)-1]
		for block := range strings.SplitSeq(strings.TrimSpace(string(want.Data)), "\n\n") {
			if strings.HasPrefix(block, "loaded") {
				continue
			}
			if !strings.Contains(block, "\n  hint: ") {
				t.Errorf("%s: no hint in\n%s", name, block)
			}
		}
	}
}
