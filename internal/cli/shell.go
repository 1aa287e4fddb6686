package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// program is how a user calls this program from where we are.
func program() string {
	const name = "tenterhook"
	self, err := os.Executable()
	if err != nil {
		return name
	}
	if found, err := exec.LookPath(name); err == nil && sameFile(found, self) {
		return name
	}
	if dir, err := os.Getwd(); err == nil {
		if path, err := filepath.Rel(dir, self); err == nil && filepath.IsLocal(path) {
			if !strings.ContainsRune(path, filepath.Separator) {
				path = "./" + path // a bare name would be looked for in PATH
			}
			return quoted(path)
		}
	}
	return quoted(self)
}

func sameFile(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}

// quoted writes a word as a shell reads it.
func quoted(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("-_./:+,@%", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
