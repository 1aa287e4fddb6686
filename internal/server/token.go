package server

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// TokenFile is the file in the data directory that holds the admin token.
const TokenFile = "admin.token"

// adminToken reads the admin token, or makes one at the first start.
func adminToken(dir string) (string, error) {
	path := filepath.Join(dir, TokenFile)
	text, err := os.ReadFile(path)
	if err == nil {
		token := strings.TrimSpace(string(text))
		if token == "" {
			return "", fmt.Errorf("admin token: %s is empty; remove it to have a new one made", path)
		}
		return token, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read admin token: %w", err)
	}
	const private, ownerOnly = 0o700, 0o600
	if err := os.MkdirAll(dir, private); err != nil {
		return "", fmt.Errorf("make data directory: %w", err)
	}
	token := "thk_" + rand.Text()
	if err := writeDurably(path, token+"\n", ownerOnly); err != nil {
		return "", fmt.Errorf("write admin token: %w", err)
	}
	return token, nil
}

// writeDurably writes a file that is there whole, or not at all, whenever the
// power is cut.
func writeDurably(path, text string, mode fs.FileMode) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir has the names in a directory survive a power cut.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// TokenPath returns where the admin token of a data directory is.
func TokenPath(dir string) string { return filepath.Join(dir, TokenFile) }
