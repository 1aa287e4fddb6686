package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A ledger knows what was sent, what was acknowledged and what arrived.
type ledger struct {
	mu       sync.Mutex
	sent     map[string][sha256.Size]byte // body by provider's delivery id
	acked    map[string]string            // event id by provider's delivery id
	arrived  map[string][]arrival         // by provider's delivery id
	missing  int                          // acknowledged and not arrived
	crashes  []time.Time
	refused  int
	unheard  int // requests that ended without an answer
	problems []error
	news     chan struct{} // holds a token when something arrived
}

// arrival is one request at the receiver.
type arrival struct {
	at      time.Time
	eventID string
}

func newLedger() *ledger {
	return &ledger{
		sent: make(map[string][sha256.Size]byte), acked: make(map[string]string), arrived: make(map[string][]arrival),
		news: make(chan struct{}, 1),
	}
}

func (l *ledger) send(id string, body []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent[id] = sha256.Sum256(body)
}

func (l *ledger) ack(id, event string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked[id] = event
	if len(l.arrived[id]) == 0 {
		l.missing++
	}
}

func (l *ledger) crash() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.crashes = append(l.crashes, time.Now())
}

func (l *ledger) count(n *int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*n++
}

// wrong takes down what must not happen.
func (l *ledger) wrong(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.problems = append(l.problems, err)
}

// refusals returns how many requests were told to come again.
func (l *ledger) refusals() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refused
}

// acknowledged returns how many requests were.
func (l *ledger) acknowledged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

// arrive takes down a delivery, and at once what is wrong with it.
func (l *ledger) arrive(id, event string, body []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	want, ok := l.sent[id]
	switch {
	case !ok:
		l.problems = append(l.problems, fmt.Errorf("%s (%s) arrived and was never sent", id, event))
	case want != sha256.Sum256(body):
		l.problems = append(l.problems, fmt.Errorf("%s (%s) arrived with other bytes", id, event))
	}
	before := l.arrived[id]
	if len(before) > 0 && before[0].eventID != event {
		l.problems = append(l.problems, fmt.Errorf("%s arrived as %s and as %s", id, before[0].eventID, event))
	}
	if _, acked := l.acked[id]; acked && len(before) == 0 {
		l.missing--
	}
	l.arrived[id] = append(before, arrival{time.Now(), event})
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// unarrived returns how many acknowledged events have not arrived.
func (l *ledger) unarrived() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.missing
}

// example returns an acknowledged event that has not arrived.
func (l *ledger) example() string {
	for id, event := range l.acked {
		if len(l.arrived[id]) == 0 {
			return event
		}
	}
	return ""
}

// repeats returns how many arrivals were not the first of their event.
func (l *ledger) repeats() (n int) {
	for _, as := range l.arrived {
		n += len(as) - 1
	}
	return n
}

func (l *ledger) summary() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("crashes %d, sent %d, acknowledged %d, refused %d, without answer %d, arrived %d, lost %d, repeated %d",
		len(l.crashes), len(l.sent), len(l.acked), l.refused, l.unheard, len(l.arrived), l.missing, l.repeats())
}

// maxInFlight is how many attempts can be on their way, or answered and not yet
// committed, when the server dies.
const maxInFlight = 32 + 512

// check is the verdict, after everything had time to arrive.
func (l *ledger) check() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	errs := l.problems
	if l.missing > 0 {
		errs = append(errs, fmt.Errorf("lost: %d acknowledged events never arrived, such as %s", l.missing, l.example()))
	}
	for id, as := range l.arrived {
		for i := 1; i < len(as); i++ {
			if !l.crashBetween(as[i-1].at, as[i].at) {
				errs = append(errs, fmt.Errorf("%s (%s) arrived twice without a crash between", id, as[i].eventID))
			}
		}
		if event, ok := l.acked[id]; ok && len(as) > 0 && as[0].eventID != event {
			errs = append(errs, fmt.Errorf("%s was acknowledged as %s and arrived as %s", id, event, as[0].eventID))
		}
	}
	if n := l.repeats(); n > maxInFlight*len(l.crashes) {
		errs = append(errs, fmt.Errorf("%d repeats are more than %d crashes explain", n, len(l.crashes)))
	}
	return errors.Join(errs...)
}

func (l *ledger) crashBetween(from, to time.Time) bool {
	const slack = 50 * time.Millisecond // between the kill and the note of it
	for _, at := range l.crashes {
		if at.After(from.Add(-slack)) && at.Before(to.Add(slack)) {
			return true
		}
	}
	return false
}
