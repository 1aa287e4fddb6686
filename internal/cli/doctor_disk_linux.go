package cli

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// fileSystem names the kind of file system that Linux numbers, if it is one that
// the checks know or many have.
func fileSystem(s *unix.Statfs_t) string {
	const ( // not in package unix
		cephMagic = 0x00c36400
		zfsMagic  = 0x2fc12fc1
	)
	magic := uint32(s.Type)
	switch magic {
	case unix.EXT4_SUPER_MAGIC: // ext2 and ext3 have it too
		return "ext4"
	case unix.XFS_SUPER_MAGIC:
		return "xfs"
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs"
	case unix.F2FS_SUPER_MAGIC:
		return "f2fs"
	case zfsMagic:
		return "zfs"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlay"
	case unix.TMPFS_MAGIC:
		return "tmpfs"
	case unix.RAMFS_MAGIC:
		return "ramfs"
	case unix.NFS_SUPER_MAGIC:
		return "nfs"
	case unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC:
		return "smb"
	case unix.AFS_SUPER_MAGIC:
		return "afs"
	case unix.V9FS_MAGIC:
		return "9p"
	case cephMagic:
		return "ceph"
	case unix.FUSE_SUPER_MAGIC:
		return "fuse"
	}
	return fmt.Sprintf("0x%x", magic)
}
