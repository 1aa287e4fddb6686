//go:build unix

package secret

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// exposed reports whether other users may read a file that is ours to protect.
// Files of another owner, and files on a read-only mount, are as an
// orchestrator put them there (Kubernetes and Docker mount secrets readable to
// all, inside a container that has no other users), and we could not change
// their mode.
func exposed(path string, info fs.FileInfo) bool {
	const othersRead = 0o044
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || info.Mode().Perm()&othersRead == 0 {
		return false
	}
	ours := int(stat.Uid) == os.Geteuid()
	return ours && !errors.Is(unix.Access(path, unix.W_OK), unix.EROFS)
}
