package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const fileKindName = "file"

// fileKind is file:PATH, the content of a file without its last line break.
func fileKind() kind {
	return kind{
		name:    fileKindName,
		example: "file:PATH",
		check: func(path string) error {
			switch {
			case path == "":
				return errors.New("the path is missing")
			case strings.ContainsRune(path, 0):
				return errors.New("a path has no zero byte")
			}
			return nil
		},
		resolve: resolveFile,
	}
}

func resolveFile(_ context.Context, r *Resolver, path string) (string, error) {
	full := r.full(path)
	readFile := r.ReadFile
	if readFile == nil {
		readFile = readPrivate
	}
	content, err := readFile(full)
	if err != nil {
		return "", fileError(path, err)
	}
	// One line break is what editors and `echo` add. More than one is content.
	if line, ok := bytes.CutSuffix(content, []byte("\r\n")); ok {
		return string(line), nil
	}
	return string(bytes.TrimSuffix(content, []byte("\n"))), nil
}

func (r *Resolver) full(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(r.Dir, path)
}

func fileError(path string, err error) error {
	if known := (*Error)(nil); errors.As(err, &known) {
		return known
	}
	// The path is in the message; the operation and the whole path are noise.
	if wrapped := (*fs.PathError)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	e := &Error{Message: fmt.Sprintf("read the secret %q", "file:"+path), Err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(path, "~"):
		e.Hint = "~ is not expanded here; write the whole path"
	case errors.Is(err, fs.ErrNotExist):
		e.Hint = "a relative path starts at the directory of the configuration file"
	case errors.Is(err, fs.ErrPermission):
		e.Hint = "let the user that runs tenterhook read it"
	}
	return e
}

// readPrivate reads a regular file of at most MaxSize bytes that other users
// cannot read.
func readPrivate(path string) ([]byte, error) {
	// Looked at before it is opened: opening a pipe would wait for its writer.
	if info, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("look at the file: %w", err)
	} else if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the file: %w", err)
	}
	defer func() { _ = f.Close() }() // only read from: nothing is lost
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at the file: %w", err)
	}
	if exposed(path, info) {
		return nil, &Error{
			Message: fmt.Sprintf("the secret file %q can be read by other users (mode %04o)", path, info.Mode().Perm()),
			Hint:    "make it private: chmod 600 " + path,
		}
	}
	content, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	if len(content) > MaxSize {
		return nil, fmt.Errorf("larger than %d bytes", MaxSize)
	}
	return content, nil
}
