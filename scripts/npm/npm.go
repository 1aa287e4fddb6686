// Package npm takes one file out of one version of a package of npm's, whose
// digest is pinned, so that what was reviewed is what is used. It is for the
// programs that make the repository's data.
package npm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// A Member is a file of a package.
type Member struct {
	Package   string // such as "@octokit/webhooks-examples"
	Version   string // exactly
	Integrity string // as `npm view PACKAGE@VERSION dist.integrity` printed it
	Path      string // in the package, beginning with "package/"
}

// String returns PACKAGE@VERSION.
func (m Member) String() string { return m.Package + "@" + m.Version }

const maxMember = 64 << 20 // bytes of a file

// Read returns the bytes of the member. The package is fetched with the program
// npm, or read from a file that is named tarball, if that is not empty.
func (m Member) Read(ctx context.Context, tarball string) ([]byte, error) {
	data, err := m.read(ctx, tarball)
	if err != nil {
		return nil, err
	}
	sum := sha512.Sum512(data)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != m.Integrity {
		return nil, fmt.Errorf("the package is %s, want %s: it is not the one that was reviewed", got, m.Integrity)
	}
	text, err := m.extract(data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", m.Path, err)
	}
	return text, nil
}

// read returns the bytes of the file, or, if file is empty, of what npm fetches.
func (m Member) read(ctx context.Context, file string) ([]byte, error) {
	if file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read package: %w", err)
		}
		return data, nil
	}
	dir, err := os.MkdirTemp("", "npm-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the package: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary directory left over does no harm
	cmd := exec.CommandContext(ctx, "npm", "pack", "--silent", "--pack-destination", dir, m.String())
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("fetch %s with npm: %w", m, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil {
		return nil, fmt.Errorf("find the package: %w", err)
	}
	if len(files) != 1 {
		return nil, fmt.Errorf("npm left %d packages, want 1", len(files))
	}
	return m.read(ctx, files[0])
}

// extract returns the member out of the package.
func (m Member) extract(data []byte) ([]byte, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("open package: %w", err)
	}
	files := tar.NewReader(unzipped)
	for {
		header, err := files.Next()
		if err != nil {
			return nil, fmt.Errorf("look for the file in the package: %w", err)
		}
		if header.Name == m.Path {
			text, err := io.ReadAll(io.LimitReader(files, maxMember))
			if err != nil {
				return nil, fmt.Errorf("unpack: %w", err)
			}
			return text, nil
		}
	}
}
