// Package deliver is the engine that sends deliveries to their destinations:
// at least once, later again if that failed, many at a time, and none of them
// held up by another destination.
//
// # Queues
//
// Every destination has a queue of its own, with its own lock, concurrency and
// breaker. Deliveries wait in the order of their key, which is the time when
// they are due and then their id. Memory holds the first of them only, up to a
// horizon: the last key of which everything before is in memory. What is due
// later stays in the store and is read page by page ([Store].Pending) when
// memory runs low. With nothing left in the store the horizon is infinite, and
// the store is not read at all: deliveries come by [Engine.Offer] and go. When
// memory has grown to twice the window, it is cut back to one window and the
// horizon is lowered. So a backlog of millions costs no more than a small one.
//
// Bodies are held for waiting deliveries only as far as one budget for the whole
// engine allows; the others are read back when their turn comes. A queue may use
// as much of the budget as is still free, so that one destination that hangs
// leaves room for the others.
//
// # Never twice at a time
//
// A delivery is known from the moment it is in memory until the record of its
// attempt is committed, and what is known is never taken from a page. A page
// shows the store as it was at some moment of the read. Therefore, while a page
// is being read, committed records, offers and cancellations are put aside, in
// order, and applied after the page has been merged: a row that the page shows
// as waiting, but which was sent meanwhile, is still known then. An offer for
// which there is no room aside is left to the store, and the horizon is not
// raised to its key or beyond.
//
// Offers come from the store's writer after the commit and before the next one,
// so what an offer says is what the store holds. For a delivery that waits, it
// replaces what is in memory. For one in flight it means, if the delivery was
// cancelled, that it was set off again: the attempt in flight becomes the first
// one of the new round. Otherwise a page was faster than the offer, and the
// offer is ignored.
//
// # Attempts
//
// A worker makes an attempt, hands the record to the store, and takes the next
// delivery at once: the slot does not wait for the commit, though records that
// are not committed yet are bounded. Workers are shared by all queues and exist
// only while there is work, but for a few that keep their grown stacks. One
// timer serves the due times of all queues. So an idle destination costs one
// small struct, and no goroutine.
//
// A success ends a delivery as delivered and a refusal as dead. After anything
// else the destination's backoff says when to try again, or that the delivery is
// dead. A panic in a destination is an attempt that failed. An attempt that is
// cut off by [Engine.Stop] has the outcome unknown, does not count against the
// backoff, and is due at once after the next start.
//
// # Breaker
//
// After ten failures in a row without a success a destination is down. Then one
// attempt is made at a time, as a probe, with waits that double from 1 to 30
// seconds; the deliveries that wait keep their attempts. After a success the
// concurrency doubles with each batch of successes until it is whole again.
package deliver
