package server

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/tenterhook/tenterhook/internal/ingest"
	"github.com/tenterhook/tenterhook/internal/secret"
	"github.com/tenterhook/tenterhook/signature"
)

// keepSecret writes the secret that a provider sent to a source, in its first
// handshake, into the file where the configuration looks for it, and takes it
// into use. It never replaces a file: then the error wraps [fs.ErrExist].
func (s *Server) keepSecret(source, path, value string) error {
	s.reload.Lock() // a reload would find the file half way
	defer s.reload.Unlock()
	running := s.running.Load()
	old, ok := running.sources[source]
	if !ok || old.Keep == nil {
		return fmt.Errorf("keep secret: %w", fs.ErrExist) // another handshake was first
	}
	keys, err := signature.NewKeys(value)
	if err == nil {
		err = old.Scheme.CheckKeys(keys)
	}
	if err == nil && (len(value) > secret.MaxSize || strings.ContainsFunc(value, isControl)) {
		err = errors.New("it has a form that no file of a secret has")
	}
	if err != nil {
		return fmt.Errorf("keep secret: %w", err)
	}
	if err := writeOnce(path, value+"\n"); err != nil {
		return fmt.Errorf("keep secret: %w", err)
	}
	renewed := *old
	renewed.Keys, renewed.Keep, renewed.Redact = keys, nil, secret.NewFinder(value)
	next := *running
	next.sources = maps.Clone(running.sources)
	next.sources[source] = &renewed
	s.running.Store(&next)
	s.ingest.Configure(next.edge())
	s.log.Info("secret kept", "source", source, "file", path)
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f } //nolint:mnd // DEL

// edge is what the public edge works by.
func (r *running) edge() *ingest.Config {
	return &ingest.Config{Sources: r.sources, Routes: r.routes, TrustedProxies: r.config.TrustedProxies}
}

// writeOnce writes a file for the eyes of this user that must not be there. It is
// there whole or not at all, whenever the power is cut.
func writeOnce(path, text string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil { // unlike a rename, it replaces nothing
		return err
	}
	return syncDir(filepath.Dir(path))
}
