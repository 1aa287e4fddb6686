package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// plainDisk is a directory that only the process can lose.
type plainDisk string

func (d plainDisk) Dir() string              { return string(d) }
func (plainDisk) Cut() error                 { return nil }
func (plainDisk) Back(context.Context) error { return nil }
func (plainDisk) Close() error               { return nil }

// imageDisk is an ext4 file system in a file. Cutting it off without a flush
// loses what a power cut would lose.
type imageDisk struct {
	image, mount string
}

const imageSize = 2 << 30

func newImageDisk(ctx context.Context, dir string) (*imageDisk, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("mounting a file system takes root")
	}
	d := &imageDisk{image: filepath.Join(dir, "disk.img"), mount: filepath.Join(dir, "mnt")}
	const private = 0o700
	if err := os.MkdirAll(d.mount, private); err != nil {
		return nil, err
	}
	f, err := os.Create(d.image)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Truncate(imageSize), f.Close()); err != nil {
		return nil, err
	}
	if err := command(ctx, "mkfs.ext4", "-q", "-F", d.image); err != nil {
		return nil, err
	}
	return d, command(ctx, "mount", "-o", "loop", d.image, d.mount)
}

func (d *imageDisk) Dir() string { return filepath.Join(d.mount, "data") }

// Cut shuts the file system down without writing its log.
func (d *imageDisk) Cut() error {
	f, err := os.Open(d.mount)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only the call matters

	const shutdown = 0x8004587d // _IOR('X', 125, __u32): FS_IOC_SHUTDOWN
	withoutFlush := uint32(2)   //nolint:mnd // FS_SHUTDOWN_FLAGS_NOLOGFLUSH

	_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), shutdown,
		uintptr(unsafe.Pointer(&withoutFlush))) //nolint:gosec // how an ioctl takes its argument
	if errno != 0 {
		return fmt.Errorf("shut the file system down: %w", errno)
	}
	return nil
}

func (d *imageDisk) Back(ctx context.Context) error {
	if err := command(ctx, "umount", d.mount); err != nil {
		return err
	}
	return command(ctx, "mount", "-o", "loop", d.image, d.mount)
}

func (d *imageDisk) Close() error {
	return command(context.Background(), "umount", d.mount)
}

func command(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}
