package tenterhook

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// linesPerSecond bounds what strangers can have written to the log.
const linesPerSecond = 10

// A rejectionLog writes rejections to the program's log, for those who did not
// ask for them in another way.
type rejectionLog struct {
	now func() time.Time

	mu     sync.Mutex
	second int64 // the one that lines counts in
	lines  int
}

func (l *rejectionLog) write(ctx context.Context, r Rejection) {
	if !l.room() {
		return
	}
	slog.Default().LogAttrs(ctx, slog.LevelWarn, "webhook refused",
		slog.String("source", r.Source), slog.Int("status", r.Status), slog.String("reason", r.Reason),
		slog.String("detail", r.Detail), slog.Int64("bytes", r.Size), slog.String("peer", r.Peer),
		slog.String("delivery_id", r.DeliveryID))
}

func (l *rejectionLog) room() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if second := l.now().Unix(); second != l.second {
		l.second, l.lines = second, 0
	}
	l.lines++
	return l.lines <= linesPerSecond
}
