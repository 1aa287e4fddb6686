// Command fetch-samples rebuilds internal/sample/github.txt.gz from the npm
// package that holds GitHub's sample payloads:
//
//	go generate ./internal/sample
//
// It needs npm and the network. The version and the digest of the package are
// pinned below: to take a newer one, write both here, run it, and give the test
// in internal/sample the new counts and digest. What is written depends on
// nothing but the package and the Go release, so that anybody can check it.
//
// The archive is gzip over one line per payload, in the order of the package:
// the event, a tab, the action (empty for events that have none), a tab, and
// the payload as compact JSON. Compact JSON holds no line breaks and no tabs.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// The package, as `npm view @octokit/webhooks-examples@7.6.1 dist.integrity`
// printed it when this was written.
const (
	packageName = "@octokit/webhooks-examples"
	version     = "7.6.1"
	integrity   = "sha512-De6U3XB6O3DtCa7bKgCMzTHdeopqqZ6SNivMYJnK65ierKL1AnNIA0tkRYCRS7lwGT792d+Ps1WbfHlso6MynQ=="
	member      = "package/api.github.com/index.json" // the payloads of github.com, not of GitHub Enterprise Server
)

const maxMember = 64 << 20 // bytes; the member has 4.3 MB

func main() {
	out := flag.String("o", "github.txt.gz", "write the archive to `FILE`")
	tarball := flag.String("tarball", "", "read the package from `FILE` instead of fetching it with npm")
	flag.Parse()
	if err := run(context.Background(), *tarball, *out); err != nil {
		fmt.Fprintln(os.Stderr, "fetch-samples:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, tarball, out string) error {
	data, err := readPackage(ctx, tarball)
	if err != nil {
		return err
	}
	if err := checkIntegrity(data); err != nil {
		return err
	}
	index, err := extract(data)
	if err != nil {
		return fmt.Errorf("read %s: %w", member, err)
	}
	archive, n, err := pack(index)
	if err != nil {
		return fmt.Errorf("pack %s: %w", member, err)
	}
	const mode = 0o644 // a file of the repository
	if err := os.WriteFile(out, archive, mode); err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	fmt.Fprintf(os.Stderr, "%s: %d payloads of %s@%s in %d bytes\n", out, n, packageName, version, len(archive))
	return nil
}

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
	dir, err := os.MkdirTemp("", "fetch-samples-")
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

// extract returns the index of payloads out of the package.
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
			index, err := io.ReadAll(io.LimitReader(files, maxMember))
			if err != nil {
				return nil, fmt.Errorf("unpack: %w", err)
			}
			return index, nil
		}
	}
}

// pack turns the index into the archive, and says how many payloads it holds.
func pack(index []byte) ([]byte, int, error) {
	var events []struct {
		Name     string            `json:"name"`
		Examples []json.RawMessage `json:"examples"`
	}
	if err := json.Unmarshal(index, &events); err != nil {
		return nil, 0, fmt.Errorf("decode: %w", err)
	}
	var archive, line bytes.Buffer
	zip, err := gzip.NewWriterLevel(&archive, gzip.BestCompression)
	if err != nil {
		return nil, 0, fmt.Errorf("compress: %w", err)
	}
	n := 0
	for _, event := range events {
		for _, example := range event.Examples {
			var head struct {
				Action string `json:"action"`
			}
			if err := json.Unmarshal(example, &head); err != nil {
				return nil, 0, fmt.Errorf("decode a payload of %q: %w", event.Name, err)
			}
			line.Reset()
			fmt.Fprintf(&line, "%s\t%s\t", event.Name, head.Action)
			if err := json.Compact(&line, example); err != nil {
				return nil, 0, fmt.Errorf("compact a payload of %q: %w", event.Name, err)
			}
			line.WriteByte('\n')
			if _, err := zip.Write(line.Bytes()); err != nil {
				return nil, 0, fmt.Errorf("compress: %w", err)
			}
			n++
		}
	}
	if err := zip.Close(); err != nil {
		return nil, 0, fmt.Errorf("compress: %w", err)
	}
	return archive.Bytes(), n, nil
}
