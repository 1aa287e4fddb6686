package egress

import (
	"context"
	"errors"
	"sync"
)

// errNoSlot is the cause of a dial that waited for its turn in vain.
var errNoSlot = errors.New("too many connections are open")

// shareOf is the part of the free connections that one host may have.
const shareOf = 8

// slots bound how many connections there are, in all and for each host. A host
// may have as many as an eighth of those that are free, but always one: whatever
// thousands of hosts that hang hold on to, there is one left for the next.
type slots struct {
	max, perHost int

	mu      sync.Mutex
	used    int
	hosts   map[string]*hostSlots
	starved []*waiter // those whose host has none, first come first served
}

type hostSlots struct {
	used    int
	waiting []*waiter // for one of the host's own to become free
}

type waiter struct {
	host    string
	granted chan struct{}
	gone    bool // nobody waits any more
}

func newSlots(most, perHost int) *slots {
	return &slots{max: most, perHost: perHost, hosts: make(map[string]*hostSlots)}
}

// take waits until host may have one more connection. Each one that was taken is
// given back by release. If there is none left at all, it calls scarce first,
// which is to close those that are not in use.
func (s *slots) take(ctx context.Context, host string, scarce func()) error {
	s.mu.Lock()
	h := s.hosts[host]
	if h == nil {
		h = new(hostSlots)
		s.hosts[host] = h
	}
	if s.mayHave(h) {
		s.grant(h)
		s.mu.Unlock()
		return nil
	}
	w := &waiter{host: host, granted: make(chan struct{})}
	starved := h.used == 0
	if starved {
		s.starved = append(s.starved, w)
	} else {
		h.waiting = append(h.waiting, w)
	}
	s.mu.Unlock()
	if starved {
		scarce()
	}

	select {
	case <-w.granted:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-w.granted: // meanwhile
		return nil
	default:
		w.gone = true
		s.forget(host)
		return errNoSlot
	}
}

// release gives back a connection of host, to whom it helps most.
func (s *slots) release(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hosts[host]
	s.used--
	h.used--
	for s.used < s.max {
		w := first(&s.starved)
		if w == nil {
			break
		}
		s.admit(w)
	}
	for s.mayHave(h) {
		w := first(&h.waiting)
		if w == nil {
			break
		}
		s.admit(w)
	}
	s.forget(host)
}

func (s *slots) mayHave(h *hostSlots) bool {
	free := s.max - s.used
	return free > 0 && h.used < min(max(free/shareOf, 1), s.perHost)
}

func (s *slots) grant(h *hostSlots) {
	s.used++
	h.used++
}

func (s *slots) admit(w *waiter) {
	h := s.hosts[w.host]
	if h == nil { // others of the same host gave up
		h = new(hostSlots)
		s.hosts[w.host] = h
	}
	s.grant(h)
	close(w.granted)
}

// forget drops what is known about a host without connections.
func (s *slots) forget(host string) {
	if h := s.hosts[host]; h != nil && h.used == 0 && len(h.waiting) == 0 {
		delete(s.hosts, host)
	}
}

// first takes the first of a queue that still waits.
func first(queue *[]*waiter) *waiter {
	for len(*queue) > 0 {
		w := (*queue)[0]
		*queue = (*queue)[1:]
		if !w.gone {
			return w
		}
	}
	return nil
}
