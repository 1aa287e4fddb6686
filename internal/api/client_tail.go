package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxFrame bounds a line of a tail.
const maxFrame = 1 << 20

// errSilent is why a tail is given up that not even heartbeats come from.
var errSilent = errors.New("the server went silent")

// A TailHandler is told what a tail brings. An error of it ends the tail.
type TailHandler struct {
	// Event is called for each event.
	Event func(Event) error
	// Missed is called with the number of events that were left out because they
	// were not read fast enough. It may be nil.
	Missed func(count int64) error
}

// TailEvents passes on events as the server accepts them, until ctx ends, which
// is no error, h returns an error, which it returns, or the server goes away,
// which is [ErrUnreachable].
func (c *Client) TailEvents(ctx context.Context, q TailQuery, h TailHandler) error {
	query := url.Values{}
	set(query, "source", q.Source)
	set(query, "type", q.Type)
	watched, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	const silence = 3 * heartbeat
	alarm := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer alarm.Stop()

	answer, err := c.send(watched, http.MethodGet, "/events/tail", query, nil)
	if err == nil {
		defer closeBody(answer)
		err = readTail(answer.Body, func() { alarm.Reset(silence) }, h)
	}
	var read *readError
	switch {
	case ctx.Err() != nil:
		return nil
	case errors.Is(context.Cause(watched), errSilent):
		return c.unreachable(errSilent)
	case errors.As(err, &read):
		return c.unreachable(read.err)
	}
	return err
}

// readError is an error of the connection, not of a handler.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// readTail reads server-sent events, and calls alive for each line.
func readTail(r io.Reader, alive func(), h TailHandler) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxFrame)
	var name, data string
	for lines.Scan() {
		alive()
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case lines.Text() == "":
			if err := h.dispatch(name, data); err != nil {
				return err
			}
			name, data = "", ""
		case field == "event":
			name = value
		case field == "data":
			data += value
		}
	}
	if err := lines.Err(); err != nil {
		return &readError{err}
	}
	return &readError{errors.New("the server ended the stream")}
}

func (h TailHandler) dispatch(name, data string) error {
	switch name {
	case tailEvent:
		var e Event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return fmt.Errorf("read event of tail: %w", err)
		}
		return h.Event(e)
	case tailMissed:
		var m Missed
		if err := json.Unmarshal([]byte(data), &m); err != nil {
			return fmt.Errorf("read count of tail: %w", err)
		}
		if h.Missed != nil {
			return h.Missed(m.Count)
		}
	}
	return nil // a comment, or a kind that a later version knows
}
