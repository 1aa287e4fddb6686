package ingest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

var (
	errTooLarge = errors.New("body is larger than the source allows")
	errBusy     = errors.New("too many bytes of request bodies in memory")
)

// firstRead is how much memory a request gets before it has sent anything, so
// that a large Content-Length alone costs nothing.
const firstRead = 64 << 10

// budget bounds the bytes of request bodies in memory.
type budget struct {
	limit int64
	used  atomic.Int64
}

// hold returns an empty share of the budget.
func (b *budget) hold() *share { return &share{budget: b} }

// A share is what one request holds of a budget.
type share struct {
	budget *budget
	bytes  int64
}

// grow makes the share n bytes large, if there is room.
func (s *share) grow(n int64) bool {
	more := n - s.bytes
	if more <= 0 {
		return true
	}
	if s.budget.used.Add(more) > s.budget.limit {
		s.budget.used.Add(-more)
		return false
	}
	s.bytes = n
	return true
}

func (s *share) release() { s.budget.used.Add(-s.bytes) }

// readBody reads the body whole, in memory that grows with what has arrived. It
// returns what it has also with an error: errTooLarge beyond limit bytes,
// errBusy if the budget has no room, or one that says how the body was cut off.
func readBody(w http.ResponseWriter, r *http.Request, limit int64, held *share) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, fmt.Errorf("%w: %d bytes announced, at most %d are taken", errTooLarge, r.ContentLength, limit)
	}
	known := r.ContentLength >= 0
	size := int64(firstRead)
	if known {
		size = min(size, r.ContentLength)
	}
	if !held.grow(size) {
		return nil, errBusy
	}
	in := http.MaxBytesReader(w, r.Body, limit) // has the connection closed beyond limit
	body := make([]byte, 0, size)
	for {
		if int64(len(body)) == r.ContentLength {
			return body, nil
		}
		if len(body) == cap(body) {
			size = min(2*size, limit+1) //nolint:mnd // doubling keeps copying linear
			if known {
				size = min(size, r.ContentLength)
			}
			if !held.grow(size) {
				return body, errBusy
			}
			body = append(make([]byte, 0, size), body...)
		}
		n, err := in.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch tooLarge := (*http.MaxBytesError)(nil); {
		case errors.As(err, &tooLarge):
			return body, fmt.Errorf("%w: at most %d bytes are taken", errTooLarge, limit)
		case errors.Is(err, io.EOF) && (!known || int64(len(body)) == r.ContentLength):
			return body, nil
		case err != nil:
			return body, fmt.Errorf("body cut off after %d bytes: %w", len(body), err)
		}
	}
}
