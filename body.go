package tenterhook

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

var (
	errTooLarge = errors.New("body is too large")
	errBusy     = errors.New("too many bytes of request bodies are in memory")
	errConsumed = errors.New("a handler before this one has read the body; it must not, or must put it back byte for byte")
)

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

// add makes the share n bytes larger, if there is room.
func (s *share) add(n int) bool {
	if s.budget.used.Add(int64(n)) > s.budget.limit {
		s.budget.used.Add(-int64(n))
		return false
	}
	s.bytes += int64(n)
	return true
}

func (s *share) release() { s.budget.used.Add(-s.bytes) }

// A chargedReader charges what is read through it to a share. So memory is taken
// by bytes that came, and not by a Content-Length that only announces them.
type chargedReader struct {
	io.Reader

	share *share
}

// Read implements [io.Reader].
func (c chargedReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if !c.share.add(n) {
		return n, errBusy
	}
	return n, err
}

// readBody reads the body whole. It returns what it has also with an error:
// errTooLarge beyond limit bytes, errBusy if the budget has no room, errConsumed
// if somebody else was here before, or one that says how the body was cut off.
func readBody(w http.ResponseWriter, req *http.Request, limit int64, held *share) ([]byte, error) {
	if req.ContentLength > limit {
		return nil, fmt.Errorf("%w: %d bytes are announced, at most %d are taken", errTooLarge, req.ContentLength, limit)
	}
	if req.Body == nil { // only without a server, as in a test
		return nil, nil
	}
	in := http.MaxBytesReader(w, req.Body, limit) // has the connection closed beyond limit
	body, err := io.ReadAll(chargedReader{in, held})
	switch tooLarge := (*http.MaxBytesError)(nil); {
	case errors.As(err, &tooLarge):
		return body, fmt.Errorf("%w: at most %d bytes are taken", errTooLarge, limit)
	case errors.Is(err, errBusy):
		return body, errBusy
	case errors.Is(err, http.ErrBodyReadAfterClose):
		return body, errConsumed
	case err != nil:
		return body, fmt.Errorf("body cut off after %d bytes: %w", len(body), err)
	case len(body) == 0 && req.ContentLength > 0:
		// A body that is cut off ends with an error, and not like this.
		return body, errConsumed
	}
	return body, nil
}
