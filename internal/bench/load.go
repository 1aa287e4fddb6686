package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// answerPatience bounds how long the load goes on after it should have ended.
const answerPatience = 60 * time.Second

// load is the provider: it sends what GitHub sends, over connections that stay
// open.
type load struct{}

// A loadSpec says what to send. Without a rate each connection sends its next
// event as soon as the one before was answered; with one, events are sent when
// they are due, by whichever connection is free.
type loadSpec struct {
	Address     string        `json:"address"` // of the gateway's public listener
	Path        string        `json:"path"`
	Secret      string        `json:"secret"`
	Event       string        `json:"event"` // as in X-GitHub-Event
	Run         uint32        `json:"run"`   // marks the events
	Connections int           `json:"connections"`
	Size        int           `json:"size"`     // bytes of a payload
	Events      int64         `json:"events"`   // how many to send; 0 is as many as fit in the time
	Duration    time.Duration `json:"duration"` // how long to send; 0 is until all events are sent
	Rate        int           `json:"rate"`     // events a second; 0 is as many as are answered
}

// A loadResult is what came of a load.
type loadResult struct {
	Accepted int64     `json:"accepted"` // answered with 200
	ByConn   []int64   `json:"by_conn"`  // of these, by connection; its first so many events
	Failed   int64     `json:"failed"`   // connections that ended early: by an error, or another answer
	Failure  string    `json:"failure"`  // the first of them
	First    int64     `json:"first"`    // when the first event was sent, in nanoseconds since 1970
	Last     int64     `json:"last"`     // when the last was answered
	Accept   histogram `json:"accept"`   // from when an event was due to be sent to its answer
}

func (l *load) actions() map[string]action { return map[string]action{"run": act(l.run)} }

func (l *load) close() error { return nil }

// run sends what spec says and returns when all is answered. A connection that
// fails sends nothing more; that is told in the result.
func (l *load) run(ctx context.Context, spec loadSpec) (loadResult, error) {
	ctx, cancel := context.WithTimeout(ctx, spec.Duration+answerPatience)
	defer cancel()
	if spec.Events > 0 && spec.Duration == 0 {
		ctx = context.WithoutCancel(ctx) // however long it takes; a child ends with its parent
	}
	lines := make([]*line, 0, spec.Connections)
	defer func() {
		for _, l := range lines {
			l.hangUp()
		}
	}()
	for i := range spec.Connections {
		l, err := dial(ctx, spec, i)
		if err != nil {
			return loadResult{}, err
		}
		lines = append(lines, l)
	}
	var sending sync.WaitGroup
	begin := time.Now()
	due := spec.due(ctx, begin, &sending)
	for _, l := range lines {
		sending.Go(func() { l.send(spec.Run, due) })
	}
	sending.Wait()
	r := loadResult{First: begin.UnixNano()}
	for _, l := range lines {
		r.add(l)
	}
	return r, nil
}

func (r *loadResult) add(l *line) {
	r.Accepted += int64(l.accepted)
	r.ByConn = append(r.ByConn, int64(l.accepted))
	r.Last = max(r.Last, l.last)
	r.Accept.merge(&l.accept)
	if l.err != nil {
		r.Failed++
		if r.Failure == "" {
			r.Failure = l.err.Error()
		}
	}
}

// due returns a function for all connections, which says when the next event was
// due, once it is, or that there is none.
func (s loadSpec) due(ctx context.Context, begin time.Time, tasks *sync.WaitGroup) func() (time.Time, bool) {
	if s.Rate == 0 {
		var sent atomic.Int64
		end := begin.Add(s.Duration)
		return func() (time.Time, bool) {
			now := time.Now()
			more := (s.Duration == 0 || now.Before(end)) && (s.Events == 0 || sent.Add(1) <= s.Events)
			return now, more
		}
	}
	total := s.Events
	if total == 0 {
		total = int64(s.Duration.Seconds() * float64(s.Rate))
	}
	clock := make(chan time.Time, total)
	tasks.Go(func() { s.tick(ctx, begin, total, clock) })
	return func() (time.Time, bool) {
		at, ok := <-clock
		return at, ok
	}
}

// tick sends the time whenever an event is due. It is the time at which the timer
// woke us: waiting for a free connection counts as part of the answer's time, the
// timer's own lateness does not.
func (s loadSpec) tick(ctx context.Context, begin time.Time, total int64, clock chan<- time.Time) {
	defer close(clock)
	interval := time.Second / time.Duration(s.Rate)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := range total {
		timer.Reset(time.Until(begin.Add(time.Duration(n) * interval)))
		select {
		case <-timer.C:
			clock <- time.Now()
		case <-ctx.Done():
			return
		}
	}
}

// A line is one connection that sends.
type line struct {
	number   uint16
	conn     net.Conn
	hangUp   func()
	in       message
	request  *template
	accepted uint64
	last     int64
	accept   histogram
	err      error
}

func dial(ctx context.Context, spec loadSpec, number int) (*line, error) {
	t, err := newTemplate(templateSpec{
		host: spec.Address, path: spec.Path, event: spec.Event, secret: spec.Secret, size: spec.Size,
	})
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", spec.Address)
	if err != nil {
		return nil, fmt.Errorf("connect to the gateway: %w", err)
	}
	stop := context.AfterFunc(ctx, func() {
		_ = conn.Close() // send then ends with an error
	})
	l := &line{number: uint16(number), conn: conn, in: message{in: bufio.NewReader(conn)}, request: t}
	l.hangUp = func() {
		stop()
		_ = conn.Close() // everything is answered, or it failed before
	}
	return l, nil
}

// send sends events as they are due, until there are none or one fails.
func (l *line) send(run uint32, due func() (time.Time, bool)) {
	for {
		at, more := due()
		if !more {
			return
		}
		s := stamp{run: run, connection: l.number, number: l.accepted, sent: at.UnixNano()}
		if _, err := l.conn.Write(l.request.fill(s)); err != nil {
			l.err = fmt.Errorf("send event: %w", err)
			return
		}
		if err := l.in.read(); err != nil {
			l.err = fmt.Errorf("read answer: %w", err)
			return
		}
		now := time.Now()
		if l.in.status() != 200 {
			l.err = errors.New("the gateway answered: " + string(l.in.start))
			return
		}
		l.accepted++
		l.last = now.UnixNano()
		l.accept.add(now.Sub(at))
	}
}
