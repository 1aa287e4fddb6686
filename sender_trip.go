package tenterhook

import (
	"context"
	"net/http/httptrace"
	"sync"
)

// A trip follows the sending of a request, which another goroutine does, and does
// again on another connection if a kept one turns out to be closed. Transports
// that are not net/http's may not report to it.
type trip struct {
	mu       sync.Mutex
	reported bool // the transport reports
	reached  bool // there was a connection, so bytes may have left
	sent     bool // all of the request was handed over to the connection
	broken   bool // it was not, and will not be
	changed  chan struct{}
}

func newTrip() *trip { return &trip{changed: make(chan struct{}, 1)} }

// watch returns ctx for a request that is to be followed.
func (t *trip) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { t.set(func() { t.reported = true }) },
		GotConn: func(httptrace.GotConnInfo) { t.set(func() { t.reached, t.sent, t.broken = true, false, false }) },
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			t.set(func() { t.sent, t.broken = info.Err == nil, info.Err != nil })
		},
	})
}

func (t *trip) set(change func()) {
	t.mu.Lock()
	change()
	t.mu.Unlock()
	select {
	case t.changed <- struct{}{}:
	default: // there is a sign already that something changed
	}
}

// mayHaveArrived reports whether bytes of the request may have left.
func (t *trip) mayHaveArrived() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reached || !t.reported
}

// sentInFull waits until the request was sent, and reports whether all of it was.
// Whoever answers before cannot have taken what it has not seen.
func (t *trip) sentInFull(ctx context.Context) bool {
	for {
		t.mu.Lock()
		sent, over := t.sent || !t.reported, t.broken
		t.mu.Unlock()
		switch {
		case sent:
			return true
		case over:
			return false
		}
		select {
		case <-t.changed:
		case <-ctx.Done():
			return false
		}
	}
}
