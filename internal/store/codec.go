package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/textproto"
	"slices"
	"time"

	"github.com/tenterhook/tenterhook"
)

// How states and outcomes are stored. The order matters: the partial index on
// what waits is "state <= 2". Numbers are never reused.
func states() []tenterhook.State {
	return []tenterhook.State{
		tenterhook.StatePending, tenterhook.StateRetrying, tenterhook.StateHeld,
		tenterhook.StateDelivered, tenterhook.StateDead, tenterhook.StateCancelled,
	}
}

func outcomes() []tenterhook.Outcome {
	return []tenterhook.Outcome{
		tenterhook.OutcomeSuccess, tenterhook.OutcomeRetry, tenterhook.OutcomeRefused, tenterhook.OutcomeUnknown,
	}
}

func code[T comparable](list []T, v T) (int64, error) {
	i := slices.Index(list, v)
	if i < 0 {
		return 0, fmt.Errorf("no code for %v", v)
	}
	return int64(i), nil
}

func decode[T any](list []T, code int64) (T, error) {
	if code < 0 || code >= int64(len(list)) {
		var zero T
		return zero, fmt.Errorf("unknown code %d for %T", code, zero)
	}
	return list[code], nil
}

// shardOf spreads destinations over 256 shards, the unit of ownership.
func shardOf(destination string) int64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(destination)) // never fails
	return int64(h.Sum32() & 0xff)
}

// micros is the stored form of a time; zero is no time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func idOf(b []byte) (id tenterhook.ID, err error) {
	if len(b) != len(id) {
		return id, fmt.Errorf("stored id has %d bytes, want %d", len(b), len(id))
	}
	return tenterhook.ID(b), nil
}

// encodeHeader writes a header as it goes over the wire, which keeps every byte
// that a value may have.
func encodeHeader(h http.Header) []byte {
	var size int
	names := make([]string, 0, len(h))
	for name, values := range h {
		names = append(names, name)
		for _, v := range values {
			size += len(name) + len(v) + len(": \n")
		}
	}
	slices.Sort(names)
	b := make([]byte, 0, size)
	for _, name := range names {
		for _, v := range h[name] {
			b = append(b, name...)
			b = append(b, ": "...)
			b = append(b, v...)
			b = append(b, '\n')
		}
	}
	return b
}

func decodeHeader(b []byte) http.Header {
	h := make(http.Header)
	for line := range bytes.Lines(b) {
		name, value, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(": "))
		if ok {
			key := textproto.CanonicalMIMEHeaderKey(string(name))
			h[key] = append(h[key], string(value))
		}
	}
	return h
}

func encodeDecisions(ds []tenterhook.Decision) (string, error) {
	if len(ds) == 0 {
		return "", nil
	}
	b, err := json.Marshal(ds)
	if err != nil {
		return "", fmt.Errorf("encode decisions: %w", err)
	}
	return string(b), nil
}

func decodeDecisions(text string) (ds []tenterhook.Decision, err error) {
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &ds); err != nil {
		return nil, fmt.Errorf("decode decisions: %w", err)
	}
	return ds, nil
}

// encodeMarks returns nothing for most events.
func encodeMarks(m tenterhook.Marks) (string, error) {
	if m.IsZero() {
		return "", nil
	}
	b, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("encode marks: %w", err)
	}
	return string(b), nil
}

func decodeMarks(text string) (m tenterhook.Marks, err error) {
	if text == "" {
		return m, nil
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return m, fmt.Errorf("decode marks: %w", err)
	}
	return m, nil
}
