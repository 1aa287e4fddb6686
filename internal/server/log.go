package server

import (
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/lmittmann/tint"

	"github.com/tenterhook/tenterhook/internal/config"
)

// NewLogger returns a logger that writes to w as c says; terminal reports
// whether w is one, for the format "auto". Lines reach a terminal at once, and
// anything else within a moment, several at a time, which is what makes a line
// for each request affordable. close writes what is left.
func NewLogger(w io.Writer, c config.Log, terminal bool) (log *slog.Logger, closeLog func()) {
	if c.Format == config.LogText || c.Format == config.LogAuto && terminal {
		return slog.New(tint.NewTextHandler(w, &tint.Options{Level: c.Level, TimeFormat: time.StampMilli, NoColor: !terminal})), func() {}
	}
	b := &logBuffer{to: w, stop: make(chan struct{})}
	b.worker.Go(b.loop)
	return slog.New(slog.NewJSONHandler(b, &slog.HandlerOptions{Level: c.Level})), b.close
}

const (
	logBufferSize = 64 << 10
	logDelay      = 100 * time.Millisecond
)

// logBuffer gathers lines and writes them together.
type logBuffer struct {
	to     io.Writer
	mu     sync.Mutex
	lines  []byte
	stop   chan struct{}
	worker sync.WaitGroup
}

// Write implements [io.Writer] for one line.
func (b *logBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, line...)
	if len(b.lines) >= logBufferSize {
		b.flush()
	}
	return len(line), nil
}

func (b *logBuffer) flush() {
	if len(b.lines) > 0 {
		_, _ = b.to.Write(b.lines) // a log that cannot be written must not stop the gateway
		b.lines = b.lines[:0]
	}
}

func (b *logBuffer) loop() {
	ticker := time.NewTicker(logDelay)
	defer ticker.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-ticker.C:
			b.mu.Lock()
			b.flush()
			b.mu.Unlock()
		}
	}
}

func (b *logBuffer) close() {
	close(b.stop)
	b.worker.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flush()
}
