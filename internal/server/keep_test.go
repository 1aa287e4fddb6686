package server

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestWriteOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "secret")
	if err := writeOnce(path, "first\n"); err != nil {
		t.Fatal(err)
	}
	if err := writeOnce(path, "second\n"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second time: %v, want it to exist", err)
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != "first\n" {
		t.Errorf("%q, %v", text, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if err := writeOnce(filepath.Join(dir, "none", "secret"), "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in no directory: %v", err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), link); err != nil {
		t.Fatal(err)
	}
	if err := writeOnce(link, "x"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("through a link: %v, want a refusal", err)
	}
}
