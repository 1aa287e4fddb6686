// Package bench measures the gateway on the machine it runs on.
//
// Three processes share the machine, as they would in life: one that sends what
// GitHub sends, the gateway, and one that receives. All are this program, started
// again in another role ([Roles], [Child]); the parent tells them what to do in
// lines of JSON, starts each of them itself, and ends no other process. All talk
// over loopback. The gateway is the real one: internal/server, configured by a
// file, with its log written to a file and one fsync per commit.
//
// # What is measured
//
// A trial is one load on one freshly started gateway. Sender and receiver are
// kept as cheap as can be (prebuilt requests, no net/http), because what they use
// of the processor the gateway does not get; what they use is shown. A request is
// new in its payload, delivery id and signatures, so nothing can be remembered
// from the one before.
//
// The payload carries when it was sent, to the nanosecond, and its number. So the
// receiver knows how long each event took from end to end, and whether one is
// missing or came twice. A trial in which an accepted event does not arrive is an
// error, not a figure. [Figures] says what each number means.
//
// # The ceiling
//
// Every case is also measured on a store that keeps nothing but what waits, with
// the same code before and behind it. That is what this machine could do if
// durability were free, and the ratio says what durability costs. The two take
// turns, so that a machine that changes its mind about its speed spoils both.
//
// Figures are medians over the runs, and ratios are medians of the ratios of each
// run. Percentiles are over every single event of a run, to less than 1 %.
package bench
