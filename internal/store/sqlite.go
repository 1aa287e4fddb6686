package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"
)

// File names inside the data directory.
const (
	databaseFile = "tenterhook.db"
	lockFile     = "lock"
)

// minVersion is the first SQLite without the WAL-reset bug, which could corrupt
// a database that is written and checkpointed by different connections.
const minVersion = "3.51.3"

// Sizes of SQLite's own memory and files.
const (
	pageSize        = 8192
	writerCacheKiB  = 8 << 10
	readerCacheKiB  = 2 << 10
	readConnections = 4
	checkpointEvery = 200 * time.Millisecond
	checkpointPages = 1024 // do not bother below 8 MiB
)

// Options of a store. The zero value is ready to use.
type Options struct {
	Logger *slog.Logger     // nil discards
	Now    func() time.Time // nil is time.Now

	// DedupeWindow is how long a source and delivery id are remembered, at the
	// least. Zero is 4 days.
	DedupeWindow time.Duration
	// RejectionRing is how many rejections are kept. Zero is 10,000.
	RejectionRing int64

	pragmas []string      // tests: run after ours, to weaken them
	full    func(*writer) // tests: called before each try while the disk is full
	runLen  int           // tests: delivery ids in a run; zero is dedupeRunLen
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.DedupeWindow == 0 {
		o.DedupeWindow = 4 * 24 * time.Hour
	}
	if o.RejectionRing == 0 {
		o.RejectionRing = 10_000
	}
	if o.runLen == 0 {
		o.runLen = dedupeRunLen
	}
	return o
}

// SQLite is a store in one SQLite file, for one process. Its methods may be
// called by several goroutines.
type SQLite struct {
	opts Options
	log  *slog.Logger
	path string
	lock *os.File

	writeDB *sql.DB // one connection, held by the writer
	readDB  *sql.DB

	queue       *queue
	checkpoints chan chan error
	subscriber  atomic.Pointer[Subscriber]
	counts      *counts
	commits     atomic.Int64

	failed  chan struct{}
	failure error // set before failed is closed

	stop    context.CancelFunc
	workers sync.WaitGroup
}

// Open opens the store in dir, which it makes if it is not there. It takes the
// directory's lock, brings the schema up to date, and reads back the settings
// that durability rests on. It returns an error if another process has the
// lock, if a newer version of the program wrote the store, or if SQLite would
// not fsync each commit.
func Open(ctx context.Context, dir string, opts Options) (*SQLite, error) {
	opts = opts.withDefaults()
	_, _ = sqlite.Fdatasync(true) // as durable as fsync, and faster; where there is no such call, fsync it is
	lock, err := lockDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open event store: %w", err)
	}
	s := &SQLite{
		opts:        opts,
		log:         opts.Logger,
		path:        filepath.Join(dir, databaseFile),
		lock:        lock,
		queue:       newQueue(),
		checkpoints: make(chan chan error),
		failed:      make(chan struct{}),
		counts:      newCounts(),
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open event store %q: %w", s.path, err), s.closeFiles())
	}
	return s, nil
}

func (s *SQLite) open(ctx context.Context) error {
	s.writeDB = sql.OpenDB(s.connector(writerCacheKiB,
		"synchronous(FULL)", "fullfsync(ON)", "wal_autocheckpoint(0)", "journal_size_limit(67108864)"))
	s.writeDB.SetMaxOpenConns(1)
	s.readDB = sql.OpenDB(s.connector(readerCacheKiB, "query_only(ON)"))
	s.readDB.SetMaxOpenConns(readConnections)
	s.readDB.SetMaxIdleConns(readConnections)

	conn, err := s.writeDB.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if err := s.prepare(ctx, conn); err != nil {
		return errors.Join(err, conn.Close())
	}
	ready := make(chan error, 1)
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.workers.Go(func() {
		err := conn.Raw(func(raw any) error {
			connection, ok := raw.(driver.Conn)
			if !ok {
				ready <- errDriver
				return nil
			}
			w := newWriter(connection)
			w.counts = s.counts
			err := s.load(w)
			ready <- err
			if err == nil {
				s.run(w)
			}
			w.close()
			return nil
		})
		_ = errors.Join(err, conn.Close()) // the work was reported write by write
	})
	if err := <-ready; err != nil {
		stop()
		s.workers.Wait()
		return err
	}
	s.workers.Go(func() { s.checkpointLoop(background) })
	return nil
}

// connector returns connections with pragmas, in the driver's notation.
func (s *SQLite) connector(cacheKiB int, pragmas ...string) driver.Connector {
	values := url.Values{"_journal_mode": {"WAL"}} // applied after the pragmas, or page_size would come too late
	for _, p := range append([]string{
		fmt.Sprintf("page_size(%d)", pageSize), // of a new file only
		"busy_timeout(10000)",
		fmt.Sprintf("cache_size(-%d)", cacheKiB),
		"temp_store(MEMORY)",
		"mmap_size(0)",
		"trusted_schema(OFF)",
	}, pragmas...) {
		values.Add("_pragma", p)
	}
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: s.path}).EscapedPath(), RawQuery: values.Encode()}).String()
	c, err := sqlite.NewConnector(dsn)
	if err != nil {
		return brokenConnector{err}
	}
	return c
}

// brokenConnector reports at connect time why there is no connector.
type brokenConnector struct{ err error }

func (c brokenConnector) Connect(context.Context) (driver.Conn, error) { return nil, c.err }
func (c brokenConnector) Driver() driver.Driver                        { return nil }

// prepare checks what durability rests on and brings the schema up to date.
func (s *SQLite) prepare(ctx context.Context, conn *sql.Conn) error {
	for _, p := range s.opts.pragmas {
		if _, err := conn.ExecContext(ctx, "PRAGMA "+p); err != nil {
			return fmt.Errorf("pragma %s: %w", p, err)
		}
	}
	if err := checkDurability(ctx, conn); err != nil {
		return err
	}
	return migrate(ctx, conn, s.opts.Now)
}

// ErrNotDurable means that SQLite would not keep what it was told to keep.
var ErrNotDurable = errors.New("refusing to start: acknowledged events could be lost at a power cut")

// checkDurability reads back what the connection really uses.
func checkDurability(ctx context.Context, conn *sql.Conn) error {
	var version, journal string
	var synchronous int
	row := conn.QueryRowContext(ctx, "SELECT sqlite_version()")
	if err := row.Scan(&version); err != nil {
		return fmt.Errorf("read SQLite's version: %w", err)
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal); err != nil {
		return fmt.Errorf("read journal_mode: %w", err)
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&synchronous); err != nil {
		return fmt.Errorf("read synchronous: %w", err)
	}
	const full = 2
	switch {
	case !versionAtLeast(version, minVersion):
		return fmt.Errorf("%w: SQLite %s can corrupt its log, %s or later cannot", ErrNotDurable, version, minVersion)
	case !strings.EqualFold(journal, "wal"):
		return fmt.Errorf("%w: journal_mode is %q, not WAL; does the file system lack shared memory?", ErrNotDurable, journal)
	case synchronous < full:
		return fmt.Errorf("%w: synchronous is %d, want %d (FULL)", ErrNotDurable, synchronous, full)
	}
	return nil
}

func versionAtLeast(have, want string) bool {
	var h, w [3]int
	_, errHave := fmt.Sscanf(have, "%d.%d.%d", &h[0], &h[1], &h[2])
	_, errWant := fmt.Sscanf(want, "%d.%d.%d", &w[0], &w[1], &w[2])
	if errHave != nil || errWant != nil {
		return false
	}
	for i := range h {
		if h[i] != w[i] {
			return h[i] > w[i]
		}
	}
	return true
}

// ErrLocked means that another process uses the data directory.
var ErrLocked = errors.New("another process uses this data directory")

// lockDir makes dir and takes its lock, which the system drops with the process.
func lockDir(dir string) (*os.File, error) {
	const private, ownerOnly = 0o700, 0o600
	if err := os.MkdirAll(dir, private); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	if err := syncDir(filepath.Dir(filepath.Clean(dir))); err != nil { // or the directory itself could be lost
		return nil, fmt.Errorf("make data directory durable: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, ownerOnly)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	// Made here, the database is readable by its owner alone, and so is its log.
	db, err := os.OpenFile(filepath.Join(dir, databaseFile), os.O_RDWR|os.O_CREATE, ownerOnly)
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("make database: %w", err), f.Close())
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close() // nothing was written
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s", ErrLocked, dir)
		}
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return f, nil
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Failed is closed when the store can promise nothing any more. The process
// should stop acknowledging and end; what was acknowledged is on disk. Err then
// says why.
func (s *SQLite) Failed() <-chan struct{} { return s.failed }

// Err returns why the store failed, or nil while it has not.
func (s *SQLite) Err() error {
	select {
	case <-s.failed:
		return s.failure
	default:
		return nil
	}
}

// Subscribe has sub told of committed changes from now on.
func (s *SQLite) Subscribe(sub Subscriber) { s.subscriber.Store(&sub) }

// Commits returns how many transactions were committed since Open.
func (s *SQLite) Commits() int64 { return s.commits.Load() }

// Close commits what waits, folds the log into the database and closes it.
// Writes that come later fail with ErrClosed.
func (s *SQLite) Close() error {
	s.queue.close(ErrClosed)
	s.stop()
	s.workers.Wait()
	if err := s.closeFiles(); err != nil {
		return fmt.Errorf("close event store: %w", err)
	}
	return nil
}

func (s *SQLite) closeFiles() error {
	var errs []error
	if s.readDB != nil {
		errs = append(errs, s.readDB.Close())
	}
	if s.writeDB != nil { // the last connection to close checkpoints the log
		errs = append(errs, s.writeDB.Close())
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

// checkpointLoop keeps the log short. Most of the copying is done here, beside
// the writer; the writer then copies the rest itself, between two transactions,
// because only a log that is copied whole is begun anew.
func (s *SQLite) checkpointLoop(ctx context.Context) {
	ticker := time.NewTicker(checkpointEvery)
	defer ticker.Stop()
	last := int64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		commits := s.commits.Load()
		if commits == last {
			continue
		}
		last = commits
		pages, err := s.passiveCheckpoint(ctx)
		if err == nil && pages >= checkpointPages {
			done := make(chan error, 1)
			select {
			case s.checkpoints <- done:
				err = <-done
			case <-s.failed:
			case <-ctx.Done():
			}
		}
		if err != nil && ctx.Err() == nil {
			s.log.Warn("checkpoint", "error", err)
		}
	}
}

// passiveCheckpoint copies what it can and returns how many pages the log has.
func (s *SQLite) passiveCheckpoint(ctx context.Context) (pages int, err error) {
	if info, err := os.Stat(s.path + "-wal"); err == nil && info.Size() < checkpointPages*pageSize {
		return 0, nil
	}
	var busy, copied int
	err = s.readDB.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &pages, &copied)
	if err != nil {
		return 0, fmt.Errorf("beside the writer: %w", err)
	}
	return pages, nil
}

// checkpoint copies the rest of the log on the writer's connection.
func (s *SQLite) checkpoint(w *writer) error {
	const query = "PRAGMA wal_checkpoint(PASSIVE)"
	if err := w.query(query, func([]driver.Value) error { return nil }); err != nil {
		return fmt.Errorf("on the writer: %w", err)
	}
	return nil
}
