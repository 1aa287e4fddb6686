//go:build unix

package secret

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestSecretFileOnDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, mode fs.FileMode, content string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("private", 0o600, hidden+"\n")
	write("readonly", 0o400, hidden)
	write("group", 0o640, hidden)
	write("world", 0o604, hidden)
	write("large", 0o600, strings.Repeat("a", MaxSize+1))
	if err := os.Symlink("world", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	resolver := Resolver{Dir: dir}
	tests := []struct{ name, message, hint string }{
		{"private", "", ""},
		{"readonly", "", ""},
		{"group", "can be read by other users (mode 0640)", "chmod 600"},
		{"world", "can be read by other users (mode 0604)", "chmod 600"},
		{"link", "can be read by other users", "chmod 600"},
		{"large", "larger than 65536 bytes", ""},
		{"pipe", "not a regular file", ""},
		{".", "not a regular file", ""},
		{"missing", "no such file", "relative path"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := resolver.Resolve(t.Context(), Ref{kind: "file", arg: tt.name})
			if tt.message == "" {
				if err != nil || got != hidden {
					t.Fatalf("got %q, %v", got, err)
				}
				return
			}
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(e.Error(), tt.message) || !strings.Contains(e.Hint, tt.hint) {
				t.Fatalf("got %q, %v; want %q, hint %q", got, err, tt.message, tt.hint)
			}
		})
	}
}
