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
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/tenterhook/tenterhook/scripts/npm"
)

// source has the payloads of github.com, not of GitHub Enterprise Server.
func source() npm.Member {
	return npm.Member{
		Package:   "@octokit/webhooks-examples",
		Version:   "7.6.1",
		Integrity: "sha512-De6U3XB6O3DtCa7bKgCMzTHdeopqqZ6SNivMYJnK65ierKL1AnNIA0tkRYCRS7lwGT792d+Ps1WbfHlso6MynQ==",
		Path:      "package/api.github.com/index.json",
	}
}

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
	index, err := source().Read(ctx, tarball)
	if err != nil {
		return err
	}
	archive, n, err := pack(index)
	if err != nil {
		return fmt.Errorf("pack %s: %w", source().Path, err)
	}
	const mode = 0o644 // a file of the repository
	if err := os.WriteFile(out, archive, mode); err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	fmt.Fprintf(os.Stderr, "%s: %d payloads of %s in %d bytes\n", out, n, source(), len(archive))
	return nil
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
