package deliver

import (
	"bytes"
	"math"
	"sync/atomic"
	"time"

	"github.com/tenterhook/tenterhook"
)

// A key is a delivery's place in the order of its queue. Its time has the
// store's precision, so that keys in memory and in the store are the same.
type key struct {
	at int64 // when it is due, in microseconds since 1970
	id tenterhook.ID
}

func keyOf(d *tenterhook.Delivery) key { return key{at: d.NextAt.UnixMicro(), id: d.ID} }

// lowest and infinite return keys before and after those of all deliveries.
func lowest() key   { return key{at: time.Time{}.UnixMicro()} }
func infinite() key { return key{at: math.MaxInt64} }

func (k *key) less(other *key) bool {
	if k.at != other.at {
		return k.at < other.at
	}
	return bytes.Compare(k.id[:], other.id[:]) < 0
}

func (k *key) isInfinite() bool { return k.at == math.MaxInt64 }

func (k *key) cursor() Cursor { return Cursor{NextAt: time.UnixMicro(k.at).UTC(), ID: k.id} }

// A phase is where a known delivery is on its way.
type phase uint8

const (
	waiting   phase = iota // in the heap, or about to be
	inFlight               // a worker has it; d belongs to the worker
	recording              // the attempt is over, its record is not committed yet
)

// An item is a known delivery. The lock of its queue guards it, but for d while
// it is in flight.
type item struct {
	key
	phase   phase
	place   int               // in the heap
	dropped bool              // it was cancelled while an attempt was in flight or being recorded
	again   *item             // what it was offered as after its record was committed, if that is not processed yet
	event   *tenterhook.Event // nil if it must be read
	cost    int64             // what event takes of the budget for bodies
	d       tenterhook.Delivery
}

func (it *item) before(other *item) bool { return it.key.less(&other.key) }
func (it *item) placed(i int)            { it.place = i }

// newItem returns d as an item of q without its event. The last error is not
// kept: it is of no use here, and may be long.
func (q *queue) newItem(d *tenterhook.Delivery) *item {
	it := &item{key: keyOf(d), d: *d}
	it.d.Destination, it.d.LastError = q.name, ""
	return it
}

// eventOverhead is about what an event takes in memory besides its body.
const eventOverhead = 2 << 10

// A budget bounds the bytes of event bodies that are held for waiting deliveries.
type budget struct {
	size int64
	used atomic.Int64
}

// hold keeps event in it if the budget allows: a queue may use as much as is
// still free, so that there is always room for a queue that uses less.
func (q *queue) hold(it *item, event *tenterhook.Event) {
	if event == nil {
		return
	}
	b, cost := &q.engine.bodies, int64(len(event.Body))+eventOverhead
	if used := b.used.Add(cost) - cost; q.bodies+cost > b.size-used {
		b.used.Add(-cost)
		return
	}
	q.bodies += cost
	it.event, it.cost = event, cost
}

// release lets go of the event that it holds, if any.
func (q *queue) release(it *item) {
	q.engine.bodies.used.Add(-it.cost)
	q.bodies -= it.cost
	it.event, it.cost = nil, 0
}
