package hooktest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// An Answer is what a [Receiver] does with a request: good or bad manners. The
// functions that return one say which there are; [Handler] makes one of your
// own.
type Answer struct {
	do    func(http.ResponseWriter, *http.Request)
	reads int64 // bytes of the request's body before it answers; less than 0 is all
}

const readsAll = -1

// Handler answers as h does. The body of the request is read already. h must
// return when the context of the request ends.
func Handler(h http.Handler) Answer { return Answer{do: h.ServeHTTP, reads: readsAll} }

func answerFunc(f func(http.ResponseWriter, *http.Request)) Answer {
	return Answer{do: f, reads: readsAll}
}

// Status answers with that status and no body.
func Status(code int) Answer {
	return answerFunc(func(w http.ResponseWriter, _ *http.Request) { answerEmpty(w, code, nil) })
}

// RetryAfter answers 429 and asks to wait so long, in whole seconds, rounded up.
func RetryAfter(wait time.Duration) Answer {
	seconds := int64((wait + time.Second - 1) / time.Second)
	header := http.Header{"Retry-After": {strconv.FormatInt(seconds, 10)}}
	return answerFunc(func(w http.ResponseWriter, _ *http.Request) { answerEmpty(w, http.StatusTooManyRequests, header) })
}

// Redirect answers with a status such as 307, and a Location.
func Redirect(code int, location string) Answer {
	header := http.Header{"Location": {location}}
	return answerFunc(func(w http.ResponseWriter, _ *http.Request) { answerEmpty(w, code, header) })
}

// Slow waits before it answers like then.
func Slow(wait time.Duration, then Answer) Answer {
	return Answer{reads: then.reads, do: func(w http.ResponseWriter, req *http.Request) {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
			then.do(w, req)
		case <-req.Context().Done():
			cut()
		}
	}}
}

// Until answers like then once released is closed, or something is sent on it: a
// slow receiver of a test that does not wait for a clock.
func Until(released <-chan struct{}, then Answer) Answer {
	return Answer{reads: then.reads, do: func(w http.ResponseWriter, req *http.Request) {
		select {
		case <-released:
			then.do(w, req)
		case <-req.Context().Done():
			cut()
		}
	}}
}

// Hang never answers. It lasts until the sender gives up, or the test ends.
func Hang() Answer {
	return answerFunc(func(_ http.ResponseWriter, req *http.Request) {
		<-req.Context().Done()
		cut()
	})
}

// Reset cuts the connection without an answer, once the request was read.
func Reset() Answer {
	return answerFunc(func(w http.ResponseWriter, _ *http.Request) { reset(w) })
}

// ResetReading cuts the connection after the first bytes of the request's body,
// while the sender may still be sending. What was read is recorded. Bodies that
// are shorter are cut off as well.
func ResetReading(after int) Answer {
	return Answer{reads: int64(max(after, 0)), do: func(w http.ResponseWriter, _ *http.Request) { reset(w) }}
}

// ResetAnswering answers 200 with a body, and cuts the connection in the middle
// of it.
func ResetAnswering() Answer {
	return answerFunc(func(w http.ResponseWriter, _ *http.Request) {
		const half = `{"status":`
		w.Header().Set("Content-Length", strconv.Itoa(2*len(half)))
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, half)            // cutting it off is the point
		_ = http.NewResponseController(w).Flush() // as above
		reset(w)
	})
}

// Drip answers 200 and a small body one byte at a time, status line and header
// included, each after a pause.
func Drip(pause time.Duration) Answer {
	return answerFunc(func(w http.ResponseWriter, req *http.Request) {
		conn, err := hijack(w)
		if err != nil {
			cut()
		}
		defer func() { _ = conn.Close() }() // nothing is left to be lost
		ticker := time.NewTicker(max(pause, 1))
		defer ticker.Stop()
		const body = `{"status":"ok"}`
		for _, b := range []byte(fmt.Sprintf("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)) {
			select {
			case <-ticker.C:
			case <-req.Context().Done():
				return
			}
			if _, err := conn.Write([]byte{b}); err != nil {
				return // the sender gave up
			}
		}
	})
}

// Endless answers 200 and a body that does not end before the sender has enough
// of it.
func Endless() Answer {
	return answerFunc(func(w http.ResponseWriter, req *http.Request) {
		block := make([]byte, 32<<10)
		for i := range block {
			block[i] = 'x'
		}
		w.WriteHeader(http.StatusOK)
		for req.Context().Err() == nil {
			if _, err := w.Write(block); err != nil {
				break
			}
		}
		cut()
	})
}

// cut ends the request and its connection without an answer. A handler that
// returns would answer 200.
func cut() { panic(http.ErrAbortHandler) }

func hijack(w http.ResponseWriter) (net.Conn, error) {
	conn, _, err := http.NewResponseController(w).Hijack()
	return conn, err
}

// reset closes the connection so that the sender sees a reset, and not an end.
func reset(w http.ResponseWriter) {
	conn, err := hijack(w)
	if err != nil {
		cut()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it the end is an orderly one, which is a test that tests less
	}
	_ = conn.Close() // as above
}
