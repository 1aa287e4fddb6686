package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tenterhook/tenterhook/internal/server"
)

// othersMay are the permissions of others than the owner.
const othersMay = 0o077

func checkDataDirectory(_ context.Context, x *examination) []finding {
	data := x.config.Data
	info, err := os.Stat(data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []finding{fine("%s is made at the first start, for its owner only", data)}
	case err != nil:
		return []finding{problem("run this, and the server, as a user that may", "%s: %s", data, err)}
	case !info.IsDir():
		return []finding{problem("name another with --data DIR, or remove the file", "%s is not a directory", data)}
	case info.Mode().Perm()&othersMay != 0:
		return []finding{problem("chmod 700 "+quoted(data),
			"%s may be entered by other users (%04o): it holds every event and the token", data, info.Mode().Perm())}
	}
	return []finding{fine("%s is its owner's only (%04o)", data, info.Mode().Perm())}
}

func checkToken(_ context.Context, x *examination) []finding {
	path := server.TokenPath(x.config.Data)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []finding{fine("%s is made at the first start", path)}
	case err != nil:
		return []finding{problem("run this as the user of the server", "%s: %s", path, err)}
	case info.Mode().Perm()&othersMay != 0:
		return []finding{problem(
			"chmod 600 "+quoted(path)+"; if it may have been read, remove it and restart: a new one is made",
			"%s may be read by other users (%04o)", path, info.Mode().Perm())}
	}
	if _, err := readToken(path); err != nil {
		return []finding{problem("remove it and restart: a new one is made", "%s", err)}
	}
	return []finding{fine("%s is its owner's only (%04o)", path, info.Mode().Perm())}
}

// nearest is the data directory, or where it is to be made.
func (x *examination) nearest() string {
	dir, err := filepath.Abs(x.config.Data)
	if err != nil {
		return x.config.Data
	}
	for {
		info, err := os.Stat(dir)
		if err == nil && info.IsDir() || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

func checkFileSystem(_ context.Context, x *examination) []finding {
	d, err := x.machine.disk(x.nearest())
	if err != nil {
		return []finding{problem("", "%s", err)}
	}
	const local = "name a directory on a disk of this machine with --data DIR"
	switch d.kind {
	case "tmpfs", "ramfs":
		return []finding{warning(local, "%s is memory: a restart of the machine loses every event", d.kind)}
	case "overlay":
		return []finding{warning("mount a volume for the data directory",
			"overlay is a container's own layer: every event goes when the container is removed")}
	case "nfs", "smb", "afs", "9p", "ceph", "fuse":
		return []finding{warning(local,
			"%s may not keep locks and flushed writes as a disk does: the database may be damaged, or lose events", d.kind)}
	case "":
		return nil
	}
	return []finding{fine("%s", d.kind)}
}

func checkSpace(_ context.Context, x *examination) []finding {
	const (
		few    = 100 << 20 // bytes
		little = 1 << 30
		fix    = "make room, or shorten retention: {bodies: ..., events: ...}"
	)
	d, err := x.machine.disk(x.nearest())
	if err != nil {
		return nil // told already
	}
	free := bytesText(int64(d.free))
	switch {
	case d.free < few:
		return []finding{problem(fix, "%s: when it is full, events are refused", free)}
	case d.free < little:
		return []finding{warning(fix, "%s of %s", free, bytesText(int64(d.total)))}
	}
	return []finding{fine("%s of %s", free, bytesText(int64(d.total)))}
}

// inScratch does something in a directory that is on the same file system as the
// data, and is removed after. Inside of the data directory rather than beside
// it: that may be where another file system is mounted.
func (x *examination) inScratch(do func(dir string) finding) []finding {
	scratch, err := os.MkdirTemp(x.nearest(), ".tenterhook-doctor-")
	if err != nil {
		return []finding{problem("run this as the user of the server; that user needs to write there", "%s", err)}
	}
	f := do(scratch)
	if err := os.RemoveAll(scratch); err != nil {
		return []finding{f, warning("remove it", "%s", err)}
	}
	return []finding{f}
}

func checkSync(ctx context.Context, x *examination) []finding {
	const (
		incredible = 20 * time.Microsecond
		slow       = 25 * time.Millisecond
	)
	return x.inScratch(func(dir string) finding {
		took, err := x.machine.sync(ctx, dir)
		d, diskErr := x.machine.disk(dir)
		switch {
		case err != nil:
			return problem("the disk may be full or failing: see dmesg", "%s", err)
		case took < incredible && diskErr == nil && d.kind != "tmpfs" && d.kind != "ramfs":
			return warning("ask who runs the disk whether a flush is passed on; look for libeatmydata and cache=unsafe",
				"8 KiB are flushed in %s: faster than a disk is, so that it may lie about it", length(took))
		case took > slow:
			return warning("a faster disk; those that are made for databases flush in less than a millisecond",
				"8 KiB are flushed in %s, which every sender waits for", length(took))
		}
		return fine("8 KiB are flushed in %s (median)", length(took))
	})
}

func checkStore(ctx context.Context, x *examination) []finding {
	return x.inScratch(func(dir string) finding {
		version, err := x.machine.store(ctx, dir)
		if err != nil {
			return problem("name a directory on a disk of this machine with --data DIR", "no store can be opened here: %s", err)
		}
		return fine("SQLite %s writes a log (WAL) and flushes each commit (synchronous=FULL), read back", version)
	})
}

func checkOpenFiles(_ context.Context, x *examination) []finding {
	const (
		few   = 1024
		fewer = 256
		fix   = "LimitNOFILE=65536 in the systemd unit, or ulimit -n 65536 before the start"
	)
	limit, err := x.machine.files()
	message := fmt.Sprintf("%d may be open at a time", limit)
	switch {
	case err != nil:
		return []finding{warning("", "%s", err)}
	case limit < fewer:
		return []finding{problem(fix, "%s: connections are refused under load", message)}
	case limit < few:
		return []finding{warning(fix, "%s: connections may be refused under load", message)}
	}
	return []finding{fine("%s", message)}
}
