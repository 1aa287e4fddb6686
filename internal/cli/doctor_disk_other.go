//go:build !linux

package cli

import "golang.org/x/sys/unix"

// fileSystem would name the kind of file system; only Linux numbers them.
func fileSystem(*unix.Statfs_t) string { return "" }
