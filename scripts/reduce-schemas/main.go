// Command reduce-schemas rebuilds internal/schema/github.json.gz from the npm
// package that holds GitHub's own OpenAPI description of its webhooks:
//
//	go generate ./internal/schema
//
// It needs npm and the network. The version and the digest of the package are
// pinned in package.go: to take a newer one, write both there, run it, and give
// the test in internal/schema the new counts. What is written depends on nothing
// but the package and the Go release, so that anybody can check it.
//
// The description says much that a receiver has no use for, some of which is not
// so. What is kept of it is written at [policy]. With -measure the program writes
// what GitHub's sample payloads say to it: how many disagree with the description
// as it stands and with what is kept, and about what.
//
// The archive is gzip over one JSON object. Its "types" say which schema an event
// has, its "schemas" hold these and what they refer to; a $ref is the name of a
// schema.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

func main() {
	var opts options
	flag.StringVar(&opts.out, "o", "github.json.gz", "write the archive to `FILE`")
	flag.StringVar(&opts.measure, "measure", "", "write what the sample payloads say to the description to `FILE`")
	flag.StringVar(&opts.tarball, "tarball", "", "read the package from `FILE` instead of fetching it with npm")
	flag.Parse()
	if err := run(context.Background(), opts); err != nil {
		fmt.Fprintln(os.Stderr, "reduce-schemas:", err)
		os.Exit(1)
	}
}

type options struct{ out, measure, tarball string }

const fileMode = 0o644 // a file of the repository

func run(ctx context.Context, opts options) error {
	text, err := source().Read(ctx, opts.tarball)
	if err != nil {
		return err
	}
	var d description
	if err := json.Unmarshal(text, &d); err != nil {
		return fmt.Errorf("decode %s: %w", source().Path, err)
	}
	kept, err := reduce(&d, policy{})
	if err != nil {
		return fmt.Errorf("reduce %s: %w", source().Path, err)
	}
	if opts.measure != "" {
		if err := measure(&d, opts.measure); err != nil {
			return fmt.Errorf("measure: %w", err)
		}
	}
	packed, unpacked, err := pack(kept)
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	if err := os.WriteFile(opts.out, packed, fileMode); err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	fmt.Fprintf(os.Stderr, "%s: %d types, %d schemas of %s; %d bytes, %d unpacked\n",
		opts.out, len(kept.Types), len(kept.Schemas), source(), len(packed), unpacked)
	return nil
}

// pack compresses a. Maps are written in the order of their keys.
func pack(a *archive) (packed []byte, unpacked int, err error) {
	text, err := json.Marshal(a)
	if err != nil {
		return nil, 0, fmt.Errorf("encode: %w", err)
	}
	var b bytes.Buffer
	zip, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, 0, fmt.Errorf("compress: %w", err)
	}
	if _, err := zip.Write(text); err != nil {
		return nil, 0, fmt.Errorf("compress: %w", err)
	}
	if err := zip.Close(); err != nil {
		return nil, 0, fmt.Errorf("compress: %w", err)
	}
	return b.Bytes(), len(text), nil
}
