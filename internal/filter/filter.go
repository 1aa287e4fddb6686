// Package filter runs the jq programs of a configuration: the `when` of a
// route, its `transform`, and every other value that is taken from an event.
//
// A [Program] is compiled once and run on each event. Its input is the payload
// as [Decode] reads it, and $event holds what else is known about the event. It
// sees nothing else: no environment, no files, no other inputs, no clock and no
// time zone, so that the same event gives the same answer on every attempt and
// on every machine. What would break that is refused by [Compile].
//
// Programs come from the operator, payloads come from strangers. So a program
// is trusted not to be malicious, but must not be led astray by a payload:
//
//   - It is stopped after [Timeout], or after a fixed number of steps.
//   - The clock cannot be read within one step. The steps whose work can grow
//     faster than the payload, or without it, are given a limit of their own
//     (sorting, searching, regular expressions, "x" * n, and others), beyond
//     which they are an error. Regular expressions must be literals.
//   - Payload, program and output have a size that they may not exceed.
//   - A panic inside the interpreter is an error of that run.
//
// Memory cannot be capped within a process: a program that builds large values
// by itself can use what it can build within the deadline.
package filter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/itchyny/gojq"
)

// Limits of programs and of what they read and write.
const (
	Timeout    = 50 * time.Millisecond // for one run, not counting long pauses of the machine
	MaxProgram = 4 << 10               // bytes of a program's source
	MaxOutput  = 1 << 20               // bytes that [Program.JSON] returns
)

// ErrTimeout is returned when a program was stopped: it ran for longer than
// [Timeout], or for too many steps.
var ErrTimeout = errors.New("the program ran for too long")

// A SyntaxError says why a text is not a program that may be run.
type SyntaxError struct {
	Offset  int    // of the byte in the source at which the mistake is, from 0
	Message string // what is wrong, and what to write instead if that is known
}

// Error returns the message and the place.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s (at byte %d)", e.Message, e.Offset)
}

// An Event is what a program sees as $event.
type Event struct {
	ID         string         // $event.id
	Type       string         // $event.type
	Source     string         // $event.source
	Tenant     string         // $event.tenant
	Headers    map[string]any // $event.headers: from the name in lower case to the first value, a string
	ReceivedAt time.Time      // $event.received_at: RFC 3339 in UTC, to the second, as jq's fromdate reads it

	BodyBound      bool   // $event.body_bound: a signature covers the body
	SchemaMismatch string // $event.schema_mismatch: how the body differs from the schema, or null
}

func (e *Event) value() map[string]any {
	headers := e.Headers
	if headers == nil {
		headers = map[string]any{}
	}
	var mismatch any
	if e.SchemaMismatch != "" {
		mismatch = e.SchemaMismatch
	}
	return map[string]any{
		"id":              e.ID,
		"type":            e.Type,
		"source":          e.Source,
		"tenant":          e.Tenant,
		"headers":         headers,
		"received_at":     e.ReceivedAt.UTC().Format(time.RFC3339[:len("2006-01-02T15:04:05")] + "Z"),
		"body_bound":      e.BodyBound,
		"schema_mismatch": mismatch,
	}
}

// A Program is a compiled jq program. It may be used by several goroutines.
type Program struct {
	source    string
	code      *gojq.Code
	usesEvent bool
}

// Compile makes a program from jq source. The error is a [*SyntaxError].
func Compile(source string) (p *Program, err error) {
	defer func() {
		if r := recover(); r != nil { // a reload must not end the process
			p, err = nil, &SyntaxError{0, clip(fmt.Sprintf("the jq compiler panicked: %v", r))}
		}
	}()
	if len(source) > MaxProgram {
		return nil, &SyntaxError{MaxProgram, fmt.Sprintf("program has %d bytes, more than %d", len(source), MaxProgram)}
	}
	query, err := gojq.Parse(source)
	if err != nil {
		return nil, parseError(source, err)
	}
	limits := &limiter{source: source}
	limits.program(query)
	if limits.err != nil {
		return nil, limits.err
	}
	options := limits.functions()
	if limits.usesEvent {
		options = append(options, gojq.WithVariables([]string{"$event"}))
	}
	code, err := gojq.Compile(query, options...)
	if err != nil {
		return nil, compileError(source, err)
	}
	return &Program{source: source, code: code, usesEvent: limits.usesEvent}, nil
}

// String returns the source of p.
func (p *Program) String() string { return p.source }

// UsesEvent reports whether p mentions $event. If it does not, the [Event] that
// it is run with may be empty.
func (p *Program) UsesEvent() bool { return p.usesEvent }

// Test reports whether the first output of p is neither false nor null, which
// is what jq takes for true. A program without output is false. The payload is
// from [Decode], or nil, and is not changed. The error is [ErrTimeout], the
// error of ctx, or what the program failed with on this payload.
func (p *Program) Test(ctx context.Context, payload any, ev Event) (truth bool, err error) {
	v, ok, err := p.first(ctx, payload, ev)
	return ok && v != nil && v != false, err
}

// Value returns the output of p, which is an error unless there is exactly one.
// It may share parts with the payload, and must not be changed. Errors are as
// in [Program.Test].
func (p *Program) Value(ctx context.Context, payload any, ev Event) (v any, err error) {
	defer recovered(&err)
	it := p.start(ctx, payload, ev)
	v, ok, err := next(it)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errors.New("the program gave no output")
	}
	_, more, err := next(it)
	if err != nil {
		return nil, err
	}
	if more {
		return nil, errors.New("the program gave more than one output")
	}
	return v, nil
}

// JSON returns the output of p as compact JSON of at most [MaxOutput] bytes,
// without a newline. Keys are sorted and HTML is not escaped. Errors are as in
// [Program.Value].
func (p *Program) JSON(ctx context.Context, payload any, ev Event) (text []byte, err error) {
	defer recovered(&err)
	v, err := p.Value(ctx, payload, ev)
	if err != nil {
		return nil, err
	}
	if err := within(v, valueWeight*MaxOutput); err != nil {
		return nil, fmt.Errorf("encode output: %w", err)
	}
	text, err = gojq.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode output: %w", err)
	}
	if len(text) > MaxOutput {
		return nil, fmt.Errorf("output has %d bytes, more than %d", len(text), MaxOutput)
	}
	return text, nil
}

// first returns the first output of p, if there is one.
func (p *Program) first(ctx context.Context, payload any, ev Event) (v any, ok bool, err error) {
	defer recovered(&err)
	return next(p.start(ctx, payload, ev))
}

func (p *Program) start(ctx context.Context, payload any, ev Event) gojq.Iter {
	m := newMeter(ctx)
	if p.usesEvent {
		return p.code.RunWithContext(m, payload, ev.value())
	}
	return p.code.RunWithContext(m, payload)
}

func next(it gojq.Iter) (v any, ok bool, err error) {
	v, ok = it.Next()
	failure, failed := v.(error)
	switch {
	case !failed:
		return v, ok, nil
	case errors.Is(failure, ErrTimeout), errors.Is(failure, context.Canceled),
		errors.Is(failure, context.DeadlineExceeded):
		return nil, false, failure
	}
	return nil, false, errors.New(clip(failure.Error()))
}

// recovered turns a panic of the interpreter into an error: a bug there must
// cost one filter on one event, not the process.
func recovered(err *error) {
	if r := recover(); r != nil { //nolint:revive // it is what run defers
		*err = errors.New(clip(fmt.Sprintf("the jq interpreter panicked: %v", r)))
	}
}
