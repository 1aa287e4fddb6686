// Command crash finds out whether the gateway keeps its promises when it dies.
//
//	crash kill  --binary bin/tenterhook --rounds 300
//	crash power --binary bin/tenterhook --rounds 60      (root only)
//	crash full  --binary bin/tenterhook                  (root only)
//	crash eio   --binary bin/tenterhook --rounds 10      (needs strace)
//
// It runs the real binary under load, ends it at random moments, starts it again
// and goes on. "kill" ends the process with SIGKILL. "power" keeps the data on a
// file system of its own and cuts that off without a flush, as a power cut
// would, then mounts it again. "full" lets the disk fill up and then grows it:
// the server must say 503 meanwhile, and go on by itself. "eio" makes an fsync
// fail: the server must end by itself, with an error. At the end everything is
// given time to arrive, and then:
//
//   - every event that was answered with 2xx has been delivered;
//   - nothing was delivered that was not sent, and every byte is as it was sent;
//   - an event was delivered twice only where a crash lies between, and then with
//     the same webhook-id, and no more often than attempts can be in flight.
//
// The seed is printed, and --seed repeats a run as far as the kernel allows.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"time"
)

type options struct {
	mode    string
	binary  string
	rounds  int
	seed    uint64
	clients int
	dir     string
	verbose bool
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

func run() error {
	o := options{}
	if len(os.Args) < 2 || !slices.Contains([]string{"kill", "power", "full", "eio"}, os.Args[1]) { //nolint:mnd // the mode
		return errors.New("usage: crash kill|power|full|eio [flags]")
	}
	o.mode = os.Args[1]
	flags := flag.NewFlagSet("crash", flag.ExitOnError)
	flags.StringVar(&o.binary, "binary", "bin/tenterhook", "the binary to test")
	flags.IntVar(&o.rounds, "rounds", 300, "how often it is ended") //nolint:mnd // a default
	flags.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "seed of the moments at which it is ended")
	flags.IntVar(&o.clients, "clients", 16, "connections that send") //nolint:mnd // a default
	flags.StringVar(&o.dir, "dir", "", "directory to work in; empty is a temporary one")
	flags.BoolVar(&o.verbose, "v", false, "print each round, and what the server logs")
	if err := flags.Parse(os.Args[2:]); err != nil {
		return err
	}
	var err error
	if o.binary, err = filepath.Abs(o.binary); err != nil {
		return err
	}
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "tenterhook-crash-"); err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(o.dir) }() // left for the system to clean up
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return o.run(ctx)
}

// disk is where the server keeps its data.
type disk interface {
	// Dir is the data directory.
	Dir() string
	// Cut makes everything that was not flushed be lost, if it is that kind.
	Cut() error
	// Back makes the directory usable again after Cut, once the server is gone.
	Back(ctx context.Context) error
	// Close gives everything back.
	Close() error
}

func (o *options) run(ctx context.Context) error {
	if o.mode == "full" {
		o.rounds = 1
	}
	fmt.Printf("mode %s, rounds %d, seed %d\n", o.mode, o.rounds, o.seed)
	d, err := o.disk(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }() // the verdict is out
	h, err := newHarness(ctx, o, d)
	if err != nil {
		return err
	}
	defer h.close()
	random := rand.New(rand.NewPCG(o.seed, 0)) //nolint:gosec // it decides moments, not secrets
	if err := h.start(ctx); err != nil {
		return err
	}
	for round := range o.rounds {
		if err := o.fault(ctx, h, random); err != nil {
			return fmt.Errorf("round %d, seed %d: %w", round, o.seed, err)
		}
		if o.verbose {
			fmt.Printf("round %d: %s\n", round, h.ledger.summary())
		}
	}
	if err := h.drain(ctx); err != nil {
		return fmt.Errorf("seed %d: %w", o.seed, err)
	}
	fmt.Printf("seed %d: %s; waiting when it died %d\n", o.seed, h.ledger.summary(), h.alone)
	return errors.Join(h.ledger.check(), h.stopOrderly(ctx))
}

func (o *options) disk(ctx context.Context) (disk, error) {
	switch o.mode {
	case "power":
		return newImageDisk(ctx, o.dir)
	case "full":
		return newSmallDisk(ctx, o.dir)
	}
	return plainDisk(filepath.Join(o.dir, "data")), nil
}

// fault lets the server live for a while, and then does to it what the mode says.
func (o *options) fault(ctx context.Context, h *harness, random *rand.Rand) error {
	switch o.mode {
	case "full":
		return h.fill(ctx)
	case "eio":
		return h.failSync(ctx, random)
	}
	return h.round(ctx, random)
}
