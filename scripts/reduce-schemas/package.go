package main

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

// The package, as `npm view @octokit/openapi-webhooks@12.1.0 dist.integrity`
// printed it when this was written.
const (
	packageName = "@octokit/openapi-webhooks"
	version     = "12.1.0"
	integrity   = "sha512-Z5eDsLCUNbx1zHpZb1LNQirADqdMTvWJQ/deahi0ws+tWWnwHXB+Pr4jfmM9OrETS9Y5iW8ZRu1fdbudObhLrg=="
	// The description of GitHub Enterprise Cloud: that of github.com, word for
	// word, and 21 webhooks more.
	member = "package/generated/ghec.json"
)

const maxMember = 64 << 20 // bytes; the member has 4.9 MB

// readPackage returns the bytes of the file, or, if file is empty, of what npm
// fetches.
func readPackage(ctx context.Context, file string) ([]byte, error) {
	if file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read package: %w", err)
		}
		return data, nil
	}
	dir, err := os.MkdirTemp("", "reduce-schemas-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the package: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary directory left over does no harm
	cmd := exec.CommandContext(ctx, "npm", "pack", "--silent", "--pack-destination", dir, packageName+"@"+version)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("fetch %s@%s with npm: %w", packageName, version, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil {
		return nil, fmt.Errorf("find the package: %w", err)
	}
	if len(files) != 1 {
		return nil, fmt.Errorf("npm left %d packages, want 1", len(files))
	}
	return readPackage(ctx, files[0])
}

// checkIntegrity compares the package with the digest that is pinned above.
func checkIntegrity(data []byte) error {
	sum := sha512.Sum512(data)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != integrity {
		return fmt.Errorf("the package is %s, want %s: it is not the one that was reviewed", got, integrity)
	}
	return nil
}

// extract returns the description out of the package.
func extract(data []byte) ([]byte, error) {
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
		if header.Name == member {
			text, err := io.ReadAll(io.LimitReader(files, maxMember))
			if err != nil {
				return nil, fmt.Errorf("unpack: %w", err)
			}
			return text, nil
		}
	}
}
