package cli

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tenterhook/tenterhook/internal/config"
	"github.com/tenterhook/tenterhook/internal/server"
)

// A machine is what the doctor needs to know of the one it runs on. Tests bring
// their own.
type machine struct {
	// disk looks at the file system that dir is on.
	disk func(dir string) (disk, error)
	// files is how many files a process may have open.
	files func() (uint64, error)
	// sync is the median time to have some bytes in dir on disk.
	sync func(ctx context.Context, dir string) (time.Duration, error)
	// store opens a store in dir, and says which SQLite it is.
	store func(ctx context.Context, dir string) (version string, err error)
}

// A disk is a file system.
type disk struct {
	kind  string // such as ext4; empty if it is not known
	free  uint64 // bytes that we may still write
	total uint64 // bytes
}

func thisMachine() machine {
	return machine{disk: lookAtDisk, files: openFiles, sync: timeSync, store: tryStore}
}

func lookAtDisk(dir string) (disk, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return disk{}, fmt.Errorf("look at the file system of %q: %w", dir, err)
	}
	size := uint64(s.Bsize)
	free := uint64(s.Bavail) * size //nolint:unconvert // its type differs by system
	return disk{kind: fileSystem(&s), free: free, total: s.Blocks * size}, nil
}

func openFiles() (uint64, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("read the limit of open files: %w", err)
	}
	return uint64(limit.Cur), nil //nolint:unconvert // its type differs by system
}

// timeSync is the median time to append a page to a file and have it on disk,
// which is what a commit of the store waits for.
func timeSync(ctx context.Context, dir string) (_ time.Duration, err error) {
	const times, page = 21, 8 << 10
	f, err := os.CreateTemp(dir, "sync-")
	if err != nil {
		return 0, fmt.Errorf("time the disk: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }() // its directory is removed as a whole
	took := make([]time.Duration, 0, times)
	for range times {
		start := time.Now()
		if _, err := f.Write(make([]byte, page)); err != nil {
			return 0, fmt.Errorf("time the disk: %w", err)
		}
		if err := f.Sync(); err != nil {
			return 0, fmt.Errorf("time the disk: %w", err)
		}
		took = append(took, time.Since(start))
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
	}
	slices.Sort(took)
	return took[times/2], nil
}

// tryStore opens the store as the server does, which reads back all that
// durability rests on, and closes it.
func tryStore(ctx context.Context, dir string) (version string, err error) {
	s, err := server.New(ctx, server.Options{Config: &config.Config{Data: dir, Listen: loopback(), Admin: loopback()}})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, closeUnused(s)) }()
	db, err := sql.Open("sqlite", ":memory:") // the store's driver
	if err != nil {
		return "", fmt.Errorf("read SQLite's version: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return "", fmt.Errorf("read SQLite's version: %w", err)
	}
	return version, nil
}

// closeUnused gives back what a server opened that never ran.
func closeUnused(s *server.Server) error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return s.Run(ctx)
}
