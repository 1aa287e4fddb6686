package egress

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
)

// An EarlyAnswerError is a 2xx from a server that had not been sent the whole
// request. It cannot have taken what it has not seen.
type EarlyAnswerError struct {
	Status int // what it answered, 200 to 299
}

// Error says what was answered when.
func (e *EarlyAnswerError) Error() string {
	return fmt.Sprintf("answered %d before the request was sent in full", e.Status)
}

// leavesAtOnce reports whether req is handed over in a single write, so that
// whoever answers it has all of it. That is the common case, and needs no
// watching.
func leavesAtOnce(req *http.Request) bool {
	if req.ContentLength < 0 {
		return false
	}
	const fixed = 256 // request line, Host, Content-Length, User-Agent
	size := fixed + len(req.URL.Host) + len(req.URL.RawPath) + 3*len(req.URL.Path) + len(req.URL.RawQuery)
	for name, values := range req.Header {
		for _, value := range values {
			size += len(name) + len(": \r\n") + len(value)
		}
	}
	return int64(size)+req.ContentLength <= writeBuffer
}

// sendInFull makes a request whose sending takes more than one write, and
// returns a 2xx only if all of them were done.
func sendInFull(ctx context.Context, t *http.Transport, req *http.Request) (*http.Response, error) {
	var u upload
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { u.set(uploading) },
		WroteRequest: func(info httptrace.WroteRequestInfo) { u.set(ended(info.Err)) },
	})
	resp, err := t.RoundTrip(req.WithContext(traced))
	if err != nil {
		return nil, err //nolint:wrapcheck // Do wraps it
	}
	if resp.StatusCode/100 != 2 {
		resp.Body = &uploadedBody{ReadCloser: resp.Body, upload: &u}
	} else if u.wait(ctx) != uploaded {
		_ = resp.Body.Close() // the answer is void, and so is what else it says
		return nil, &EarlyAnswerError{Status: resp.StatusCode}
	}
	return resp, nil
}

// uploadedBody is the body of an answer that may have come early.
type uploadedBody struct {
	io.ReadCloser

	upload *upload
}

// SentInFull reports whether the request that resp answers was sent in full, and
// waits for that until ctx ends. It is for those to whom an answer other than
// 2xx is good news; a 2xx is always sent in full.
func SentInFull(ctx context.Context, resp *http.Response) bool {
	b, ok := resp.Body.(*uploadedBody)
	return !ok || b.upload.wait(ctx) == uploaded
}

type uploadState int

const (
	uploading uploadState = iota // under way, or about to be
	uploaded                     // all of it was handed over
	broken                       // it never will be
)

func ended(err error) uploadState {
	if err != nil {
		return broken
	}
	return uploaded
}

// An upload follows the sending of a request, which another goroutine does, and
// does again on another connection if a kept one turns out to be closed.
type upload struct {
	mu      sync.Mutex
	state   uploadState
	changed chan struct{} // closed when the state changes; nil while nobody waits
}

func (u *upload) set(s uploadState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.state = s
	if u.changed != nil {
		close(u.changed)
		u.changed = nil
	}
}

// wait returns the state once the upload ended, or when ctx did.
func (u *upload) wait(ctx context.Context) uploadState {
	for {
		u.mu.Lock()
		state := u.state
		if state == uploading && u.changed == nil {
			u.changed = make(chan struct{})
		}
		changed := u.changed
		u.mu.Unlock()
		if state != uploading {
			return state
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return uploading
		}
	}
}
