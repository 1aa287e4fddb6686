package deliver

import (
	"sync"
	"time"
)

// maxSleep bounds how long the agenda trusts its timer: the wall clock, by which
// deliveries are due, may be set meanwhile.
const maxSleep = time.Minute

// An alarm is when a queue wants to be looked at.
type alarm struct {
	at    int64 // microseconds since 1970
	place int   // in the agenda; -1 if not in it
	queue *queue
}

func (a *alarm) before(other *alarm) bool { return a.at < other.at }
func (a *alarm) placed(i int)             { a.place = i }

// An agenda wakes queues at their due times, all with one timer.
type agenda struct {
	now    func() time.Time
	poke   chan struct{} // holds one token when the first alarm has changed
	mu     sync.Mutex
	alarms heap[*alarm]
}

func newAgenda(now func() time.Time) *agenda {
	return &agenda{now: now, poke: make(chan struct{}, 1)}
}

// set moves al to at.
func (a *agenda) set(al *alarm, at int64) {
	a.mu.Lock()
	if al.place >= 0 {
		a.alarms.remove(al.place)
	}
	al.at = at
	a.alarms.push(al)
	first := al.place == 0
	a.mu.Unlock()
	if first {
		select {
		case a.poke <- struct{}{}:
		default: // a token is there already
		}
	}
}

// next takes out an alarm that is due. If there is none, it returns how long to
// wait for the first one, or 0 if there are no alarms at all.
func (a *agenda) next() (*queue, time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.alarms) == 0 {
		return nil, 0
	}
	if wait := a.alarms[0].at - a.now().UnixMicro(); wait > 0 {
		return nil, time.Duration(min(wait, maxSleep.Microseconds())) * time.Microsecond
	}
	return a.alarms.remove(0).queue, 0
}

// run rings the alarms until stop is closed.
func (a *agenda) run(stop <-chan struct{}) {
	timer := time.NewTimer(maxSleep)
	defer timer.Stop()
	for {
		q, wait := a.next()
		if q != nil {
			q.ring()
			continue
		}
		var ring <-chan time.Time
		if wait > 0 {
			timer.Reset(wait)
			ring = timer.C
		}
		select {
		case <-ring:
		case <-a.poke:
		case <-stop:
			return
		}
	}
}
