package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/tenterhook/tenterhook"
)

// interrupted is the error of an attempt that was cut off by [Engine.Stop].
const interrupted = "interrupted: the server was stopped"

// A job is an item whose turn it is.
type job struct {
	item  *item
	lane  *Lane
	probe bool // the destination was down
}

// work makes attempts as long as there are any to make.
func (q *queue) work(ctx context.Context) {
	j, ok := q.begin()
	for ok {
		j, ok = q.attempt(ctx, j)
	}
}

// begin is how a worker that was called takes its first job.
func (q *queue) begin() (job, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.calling = false
	return q.take(q.engine.micros())
}

// take takes the first item out of the heap if it may be tried now.
func (q *queue) take(now int64) (job, bool) {
	defer q.kick(now)
	if at, ok := q.nextStart(); !ok || at > now {
		return job{}, false
	}
	it := q.waiting.remove(0)
	it.phase = inFlight
	q.running++
	q.engine.busy.Add(1)
	return job{item: it, lane: q.lane, probe: q.breaker.down}, true
}

// attempt makes the attempt of j, hands it to the store, and takes the next job.
func (q *queue) attempt(ctx context.Context, j job) (job, bool) {
	e, it := q.engine, j.item
	event, err := q.event(ctx, it)
	if err != nil && !errors.Is(err, ErrNoEvent) {
		return q.postpone(it, err)
	}
	start := e.opts.Now()
	var a tenterhook.Attempt
	if err == nil {
		a = q.deliver(ctx, j.lane.Destination, event, &it.d)
	} else {
		a = tenterhook.Attempt{Outcome: tenterhook.OutcomeRefused, Error: ErrNoEvent.Error()}
	}
	end := e.opts.Now()
	a.ID = it.id.Attempt(it.d.Attempts + 1)
	a.StartedAt, a.Duration = start.UTC().Truncate(time.Microsecond), max(end.Sub(start), 0)
	late := time.Duration(max(start.UnixMicro()-it.at, 0)) * time.Microsecond
	cut := judge(ctx, &a)

	next, more := q.finish(j, &a, cut, end)
	d := it.d // when the record is committed, it may go on its way at once
	e.store.Record(a, d, func(err error) { q.recorded(it, err) })
	e.report(Observation{Attempt: a, Delivery: d, Event: event, Late: late})
	return next, more
}

// judge makes the outcome one of the known ones, and reports whether the attempt
// was cut off by the end of ctx.
func judge(ctx context.Context, a *tenterhook.Attempt) (cut bool) {
	switch a.Outcome {
	case tenterhook.OutcomeSuccess, tenterhook.OutcomeRefused:
		return false
	case tenterhook.OutcomeRetry:
	default:
		a.Outcome = tenterhook.OutcomeUnknown
	}
	if ctx.Err() == nil {
		return false
	}
	a.Outcome, a.Error = tenterhook.OutcomeUnknown, interrupted
	return true
}

// event returns the event of it, from memory or from the store.
func (q *queue) event(ctx context.Context, it *item) (*tenterhook.Event, error) {
	if it.event != nil {
		return it.event, nil
	}
	event, err := q.engine.store.Event(ctx, it.id.Event())
	if err == nil && event.Body == nil {
		return nil, ErrNoEvent
	}
	return event, err
}

// deliver calls the destination. A panic there is an attempt that failed.
func (q *queue) deliver(
	ctx context.Context, to Destination, e *tenterhook.Event, d *tenterhook.Delivery,
) (a tenterhook.Attempt) {
	defer func() {
		if p := recover(); p != nil {
			q.engine.log.Error("destination panicked", slog.String("destination", q.name),
				slog.String("delivery", d.ID.String()), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			a = tenterhook.Attempt{Outcome: tenterhook.OutcomeRetry, Error: fmt.Sprintf("panic: %v", p)}
		}
	}()
	return to.Deliver(ctx, e, d)
}

// finish moves the delivery of j after the attempt a, and takes the next job.
func (q *queue) finish(j job, a *tenterhook.Attempt, cut bool, end time.Time) (job, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	it, now := j.item, end.UnixMicro()
	q.running--
	q.recording++
	q.release(it)
	if it.again != nil {
		it.d.Round = it.again.d.Round
		q.release(it.again)
		it.again = nil
	}
	it.phase = recording
	move(&it.d, a, cut, j.lane.Backoff, end, q.engine.opts.Random)
	it.key = keyOf(&it.d)
	if !cut {
		q.learn(j, a, now)
	}
	return q.take(now)
}

// move says where a delivery stands after the attempt a. An attempt that was cut
// off leaves it due as it was and does not count against the backoff.
func move(
	d *tenterhook.Delivery, a *tenterhook.Attempt, cut bool,
	backoff tenterhook.Backoff, end time.Time, random func() float64,
) {
	d.Attempts++
	d.LastStatus, d.LastError = a.Status, a.Error
	state := tenterhook.StateDead
	switch {
	case a.Outcome == tenterhook.OutcomeSuccess:
		d.Round++
		state = tenterhook.StateDelivered
	case a.Outcome == tenterhook.OutcomeRefused:
		d.Round++
	case d.Attempts >= tenterhook.MaxAttempts:
	case cut:
		state = tenterhook.StateRetrying
	default:
		d.Round++
		if wait, again := backoff.Next(d.Round, a.RetryAfter, random); again {
			state = tenterhook.StateRetrying
			d.NextAt = end.Add(wait).UTC().Truncate(time.Microsecond)
		}
	}
	if state != d.State {
		d.State, d.UpdatedAt = state, end.UTC().Truncate(time.Microsecond)
	}
}

// learn tells the breaker what came of an attempt. A refusal says nothing: it is
// ours, or about this one delivery.
func (q *queue) learn(j job, a *tenterhook.Attempt, now int64) {
	switch a.Outcome {
	case tenterhook.OutcomeSuccess:
		if q.breaker.success(q.lane.Concurrency) {
			q.engine.log.Info("destination is back", slog.String("destination", q.name))
		}
	case tenterhook.OutcomeRefused:
	default:
		if q.breaker.failure(now, j.probe, q.engine.opts.Random) {
			q.engine.log.Warn("destination is down", slog.String("destination", q.name),
				slog.String("error", a.Error))
			q.trim()
		}
	}
}

// postpone puts back an item whose event could not be read: no attempt was made.
func (q *queue) postpone(it *item, err error) (job, bool) {
	if !errors.Is(err, context.Canceled) {
		q.engine.log.Error("read event", slog.String("destination", q.name),
			slog.String("delivery", it.id.String()), slog.Any("error", err))
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	defer q.engine.leave()
	now := q.engine.micros()
	q.running--
	q.notBefore = now + faultPause.Microseconds()
	it.phase = recording // nothing was, but it goes back the same way
	q.apply(it)
	return q.take(now)
}
