package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"
)

// receiver is the place events go. It answers 200 to everything, verifies
// nothing, and notes which event came when. A second listener takes requests and
// never answers.
type receiver struct {
	healthy net.Listener
	hanging net.Listener
	cancel  context.CancelFunc
	tasks   sync.WaitGroup

	mu       sync.Mutex
	run      uint32 // arrivals of other runs are not counted
	seen     map[stream]*bitset
	stuck    map[stream]*bitset // what is still to come of what was stuck
	arrivals arrivals
	held     chan struct{} // if not nil: what comes is neither counted nor answered, and hung up on when it is closed
	changed  chan struct{} // holds a token when something arrived
}

// A stream is the events of one sending connection at one destination.
type stream struct {
	lane       int // the destination, by the number that is its path
	connection uint16
}

// arrivals are what came in of one run.
type arrivals struct {
	Distinct   int64     `json:"distinct"`
	Duplicates int64     `json:"duplicates"`
	Strange    int64     `json:"strange"` // could not be read
	Last       int64     `json:"last"`    // when the last distinct one came, in nanoseconds since 1970
	EndToEnd   histogram `json:"end_to_end"`
	Stuck      int64     `json:"stuck"`      // still to come of what was stuck
	LastStuck  int64     `json:"last_stuck"` // when the last of these came
}

// addresses are where a receiver listens.
type addresses struct {
	Healthy string `json:"healthy"`
	Hanging string `json:"hanging"`
}

func newReceiver(ctx context.Context) (*receiver, error) {
	var lc net.ListenConfig
	r := &receiver{seen: map[stream]*bitset{}, changed: make(chan struct{}, 1)}
	ctx, r.cancel = context.WithCancel(ctx)
	for _, l := range []struct {
		to    *net.Listener
		serve func(context.Context, net.Conn)
	}{{&r.healthy, r.serve}, {&r.hanging, hang}} {
		listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open receiver: %w", err), r.close())
		}
		*l.to = listener
		r.tasks.Go(func() { r.accept(ctx, listener, l.serve) })
	}
	return r, nil
}

// accept serves each connection until ctx ends.
func (r *receiver) accept(ctx context.Context, l net.Listener, serve func(context.Context, net.Conn)) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return // closed
		}
		hangUp := context.AfterFunc(ctx, func() {
			_ = conn.Close() // what it would have said is not wanted any more
		})
		r.tasks.Go(func() {
			serve(ctx, conn)
			hangUp()
			_ = conn.Close() // the other end has gone, or misbehaves
		})
	}
}

func (r *receiver) close() error {
	r.cancel()
	for _, l := range []net.Listener{r.healthy, r.hanging} {
		if l != nil {
			_ = l.Close() // nothing waits there
		}
	}
	r.tasks.Wait()
	return nil
}

func (r *receiver) serve(ctx context.Context, conn net.Conn) {
	const buffer = 16 << 10
	ok := []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	m := message{in: bufio.NewReaderSize(conn, buffer)}
	for {
		if err := m.read(); err != nil {
			return
		}
		if held := r.holding(); held != nil {
			select {
			case <-held:
			case <-ctx.Done():
			}
			return
		}
		r.arrived(&m, time.Now())
		if _, err := conn.Write(ok); err != nil {
			return
		}
	}
}

// hang takes all that comes, and never answers.
func hang(_ context.Context, conn net.Conn) {
	for buffer := make([]byte, 4<<10); ; {
		if _, err := conn.Read(buffer); err != nil {
			return
		}
	}
}

// hold has the receiver take requests without an answer from now on, or answer
// again. What it took meanwhile it forgets.
func (r *receiver) hold(_ context.Context, on bool) (none, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held != nil {
		close(r.held)
		r.held = nil
	}
	if on {
		r.held = make(chan struct{})
	}
	return none{}, nil
}

func (r *receiver) holding() chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held
}

func (r *receiver) arrived(m *message, at time.Time) {
	s, err := readStamp(m.body)
	lane, laneErr := strconv.Atoi(string(bytes.TrimPrefix(m.path(), []byte{'/'})))
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err != nil || laneErr != nil:
		r.arrivals.Strange++
	case s.run == r.run:
		r.count(stream{lane, s.connection}, s, at)
	}
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

func (r *receiver) count(from stream, s stamp, at time.Time) {
	seen := r.seen[from]
	if seen == nil {
		seen = &bitset{}
		r.seen[from] = seen
	}
	if !seen.set(s.number) {
		r.arrivals.Duplicates++
		return
	}
	r.arrivals.Distinct++
	r.arrivals.Last = at.UnixNano()
	r.arrivals.EndToEnd.add(s.age(at))
	if missing := r.stuck[from]; missing != nil && missing.unset(s.number) {
		r.arrivals.Stuck--
		r.arrivals.LastStuck = at.UnixNano()
	}
}

// awaited is what to wait for, and how long.
type awaited struct {
	Distinct int64         `json:"distinct"` // so many events
	Stuck    bool          `json:"stuck"`    // all that were stuck
	Timeout  time.Duration `json:"timeout"`
}

func (r *receiver) actions() map[string]action {
	return map[string]action{
		"where": act(func(context.Context, none) (addresses, error) {
			return addresses{Healthy: r.healthy.Addr().String(), Hanging: r.hanging.Addr().String()}, nil
		}),
		"expect": act(func(_ context.Context, run uint32) (none, error) { return none{}, r.expect(run) }),
		"wait":   act(r.wait),
		"hold":   act(r.hold),
		"stuck":  act(r.markStuck),
	}
}

// expect forgets what came, and counts what comes of another run.
func (r *receiver) expect(run uint32) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run, r.seen, r.stuck, r.arrivals = run, map[stream]*bitset{}, nil, arrivals{}
	return nil
}

// wait returns what came once all of it is there, or the time is over.
func (r *receiver) wait(ctx context.Context, want awaited) (arrivals, error) {
	ctx, cancel := context.WithTimeout(ctx, want.Timeout)
	defer cancel()
	for {
		r.mu.Lock()
		if done := r.arrivals.Distinct >= want.Distinct && (!want.Stuck || r.arrivals.Stuck == 0); done || ctx.Err() != nil {
			a := r.arrivals
			a.EndToEnd = histogram{}
			a.EndToEnd.merge(&r.arrivals.EndToEnd)
			r.mu.Unlock()
			return a, nil
		}
		r.mu.Unlock()
		select {
		case <-r.changed:
		case <-ctx.Done():
		}
	}
}

// markStuck notes which events have not come yet to the first destination, of
// those that were accepted: the first so many of each connection.
func (r *receiver) markStuck(_ context.Context, accepted []int64) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stuck, r.arrivals.Stuck, r.arrivals.LastStuck = map[stream]*bitset{}, 0, 0
	for connection, n := range accepted {
		from := stream{0, uint16(connection)}
		missing := &bitset{}
		for number := range uint64(n) {
			if seen := r.seen[from]; seen == nil || !seen.has(number) {
				missing.set(number)
				r.arrivals.Stuck++
			}
		}
		r.stuck[from] = missing
	}
	return r.arrivals.Stuck, nil
}

// A bitset is a set of small numbers.
type bitset struct{ words []uint64 }

const wordBits = 64

func (b *bitset) has(n uint64) bool {
	return n/wordBits < uint64(len(b.words)) && b.words[n/wordBits]>>(n%wordBits)&1 == 1
}

// set adds n and reports whether it is new.
func (b *bitset) set(n uint64) bool {
	if b.has(n) {
		return false
	}
	if more := int(n/wordBits) + 1 - len(b.words); more > 0 {
		b.words = append(b.words, make([]uint64, more)...)
	}
	b.words[n/wordBits] |= 1 << (n % wordBits)
	return true
}

// unset removes n and reports whether it was there.
func (b *bitset) unset(n uint64) bool {
	if !b.has(n) {
		return false
	}
	b.words[n/wordBits] &^= 1 << (n % wordBits)
	return true
}
