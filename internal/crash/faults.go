package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// smallDisk is a file system in memory that has room for a few hundred events,
// until it is grown.
type smallDisk struct{ plainDisk }

func newSmallDisk(ctx context.Context, dir string) (*smallDisk, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("mounting a file system takes root")
	}
	d := &smallDisk{plainDisk(filepath.Join(dir, "small"))}
	const private = 0o700
	if err := os.MkdirAll(d.Dir(), private); err != nil {
		return nil, err
	}
	return d, command(ctx, "mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", d.Dir())
}

func (d *smallDisk) grow(ctx context.Context) error {
	return command(ctx, "mount", "-o", "remount,size=512m", d.Dir())
}

func (d *smallDisk) Close() error { return command(context.Background(), "umount", d.Dir()) }

// fill sends until the disk is full and has been for a while, makes room, and
// sees that the server goes on by itself.
func (h *harness) fill(ctx context.Context) error {
	const shed, more = 200, 200
	if err := h.until(ctx, "events are refused", func() bool { return h.ledger.refusals() >= shed }); err != nil {
		return err
	}
	fmt.Printf("full after %d events; %d were told to come again\n", h.ledger.acknowledged(), h.ledger.refusals())
	small, ok := h.disk.(*smallDisk)
	if !ok {
		return errors.New("this disk cannot be filled")
	}
	if err := small.grow(ctx); err != nil {
		return err
	}
	before := h.ledger.acknowledged()
	return h.until(ctx, "events are taken again", func() bool { return h.ledger.acknowledged() > before+more })
}

// failSync runs the server under strace, which makes one fsync fail. The server
// must end by itself, and say so. Then it is started anew, without strace.
func (h *harness) failSync(ctx context.Context, random *rand.Rand) error {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return fmt.Errorf("strace is not installed: %w", err)
	}
	h.pause()
	if err := h.stopOrderly(ctx); err != nil {
		return err
	}
	const earliest, latest = 20, 200 // fsyncs from the start
	when := strconv.Itoa(earliest + random.IntN(latest-earliest))
	h.tracer = []string{
		strace, "-f", "-qq", "-o", os.DevNull,
		"-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO:when=" + when,
	}
	err = h.start(ctx)
	h.tracer = nil
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- h.server.Wait() }()
	select {
	case err = <-ended:
	case <-time.After(startWithin):
		return fmt.Errorf("an fsync failed and the server did not end within %v", startWithin)
	}
	h.ledger.crash()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		return fmt.Errorf("an fsync failed and the server ended with %w, want exit code 1", err)
	}
	h.pause()
	return h.start(ctx)
}

func (h *harness) until(ctx context.Context, what string, done func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond) //nolint:mnd // what another process does can only be polled
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waited %v until %s: %w", startWithin, what, ctx.Err())
		}
	}
	return nil
}
