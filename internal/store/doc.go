// Package store keeps events, deliveries and attempts in SQL.
//
// # What it promises
//
// When [SQLite.Accept] returns without an error, the event and its deliveries
// have been committed and fsynced. When the done function given to
// [SQLite.Record] is called without an error, so has the attempt. A store that
// cannot promise this does not open, and one that no longer can, such as after
// a failed fsync, fails for good: see [SQLite.Failed].
//
// # How
//
// One goroutine writes. It takes whatever has gathered while the last
// transaction was committed, puts it all into one transaction, and pays one
// fsync for it. So the cost of durability is shared by everything that waits,
// and an event waits for two commits at the most, and a millisecond when many
// come at once. The results of attempts, for which nobody waits, may be 10 ms
// late, to share a transaction with an event. Readers have connections of their
// own, which cannot write.
//
// Deliveries that come due are reported right after the commit and before the
// next transaction begins, in commit order ([SQLite.Subscribe]). That order is
// what lets the delivery engine keep a queue in memory without ever sending
// twice what it reads back from the database.
//
// Events are not updated; deliveries are small and carry no payload; attempts
// are only appended. What is finished leaves the indexes that are read on the
// hot path, so that it does not grow with what is stored.
package store
