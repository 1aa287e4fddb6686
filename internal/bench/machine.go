package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Machine is where figures come from: they compare only with figures from
// another one like it.
type Machine struct {
	CPU         string  `json:"cpu"`          // the processor's name; empty if it is not known
	Cores       int     `json:"cores"`        // that this program may use
	MemoryBytes int64   `json:"memory_bytes"` // 0 if it is not known
	Kernel      string  `json:"kernel"`
	Go          string  `json:"go"`         // the version that the program was built with
	Filesystem  string  `json:"filesystem"` // that the data is on
	SyncMS      float64 `json:"sync_ms"`    // to append 8 KiB to a file and have it on disk; median
	SyncP99MS   float64 `json:"sync_p99_ms"`
}

// machine looks at this machine, with dir for its disk.
func machine(ctx context.Context, dir string) (Machine, error) {
	m := Machine{Cores: runtime.GOMAXPROCS(0), Go: runtime.Version()}
	m.CPU = procValue("/proc/cpuinfo", "model name")
	if kib, _, _ := strings.Cut(procValue("/proc/meminfo", "MemTotal"), " "); kib != "" {
		m.MemoryBytes = procKiB(kib)
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err == nil {
		m.Kernel = unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:])
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		return m, fmt.Errorf("look at %s: %w", dir, err)
	}
	m.Filesystem = filesystem(int64(disk.Type)) //nolint:unconvert // its width differs by system
	took, err := syncTimes(ctx, dir)
	m.SyncMS, m.SyncP99MS = milliseconds(took.quantile(0.5)), milliseconds(took.quantile(0.99))
	return m, err
}

// filesystem names the kinds of file system that Linux numbers.
func filesystem(magic int64) string {
	switch uint32(magic) {
	case unix.EXT4_SUPER_MAGIC:
		return "ext4"
	case unix.XFS_SUPER_MAGIC:
		return "xfs"
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlay"
	case unix.TMPFS_MAGIC:
		return inMemory
	}
	return fmt.Sprintf("0x%x", uint32(magic))
}

// inMemory is the file system on which durability costs nothing, and is none.
const inMemory = "tmpfs"

// syncTimes are the times to append a page to a file in dir durably.
func syncTimes(ctx context.Context, dir string) (took histogram, err error) {
	const times, page = 300, 8 << 10
	f, err := os.CreateTemp(dir, "sync-")
	if err != nil {
		return took, fmt.Errorf("time the disk: %w", err)
	}
	defer func() {
		_ = f.Close()           // only its time mattered
		_ = os.Remove(f.Name()) // with its directory at the latest
	}()
	for range times {
		start := time.Now()
		if _, err := f.Write(make([]byte, page)); err != nil {
			return took, fmt.Errorf("time the disk: %w", err)
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			return took, fmt.Errorf("time the disk: %w", err)
		}
		took.add(time.Since(start))
		if ctx.Err() != nil {
			return took, context.Cause(ctx)
		}
	}
	return took, nil
}

// freeBytes is how much the disk of dir still takes.
func freeBytes(dir string) (int64, error) {
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		return 0, fmt.Errorf("look at %s: %w", dir, err)
	}
	return int64(disk.Bavail) * int64(disk.Bsize), nil //nolint:unconvert // their widths differ by system
}

// usage is what a process has used.
type usage struct {
	CPU  time.Duration `json:"cpu"`  // user and system, since it began
	RSS  int64         `json:"rss"`  // bytes in memory now; 0 if that is not known
	Peak int64         `json:"peak"` // bytes in memory at most since the last reset; 0 if that is not known
}

// ownUsage is what this process has used.
func ownUsage() (usage, error) {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		return usage{}, fmt.Errorf("read own usage: %w", err)
	}
	return usage{
		CPU:  time.Duration(r.Utime.Nano() + r.Stime.Nano()),
		RSS:  procKiB(procValue("/proc/self/status", "VmRSS")),
		Peak: procKiB(procValue("/proc/self/status", "VmHWM")),
	}, nil
}

// resetPeak makes the peak of memory that of now.
func resetPeak() error {
	const resetHighWater = "5"
	if err := os.WriteFile("/proc/self/clear_refs", []byte(resetHighWater), 0); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("reset peak memory: %w", err)
	}
	return nil
}

// procValue returns the value of the first line "name: value" of a file of the
// kernel's, or "" if there is none, as on other systems.
func procValue(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// procKiB reads a size such as "1234 kB", in bytes.
func procKiB(text string) int64 {
	kib, err := strconv.ParseInt(strings.TrimSuffix(text, " kB"), 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}

// databaseBytes is the size of the database in dir, with what is left of its log;
// 0 if there is none.
func databaseBytes(dir string) (int64, error) {
	total := int64(0)
	for _, name := range []string{"tenterhook.db", "tenterhook.db-wal"} {
		info, err := os.Stat(filepath.Join(dir, name))
		switch {
		case os.IsNotExist(err):
		case err != nil:
			return 0, fmt.Errorf("size of the database: %w", err)
		default:
			total += info.Size()
		}
	}
	return total, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
