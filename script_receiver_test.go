package tenterhook_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tenterhook/tenterhook/signature"
)

// A receiver records the requests it gets, and can misbehave.
type receiver struct {
	server *httptest.Server

	mu       sync.Mutex
	requests []received
	changed  chan struct{} // closed and made anew with each request
	down     bool          // connections are cut
	released chan struct{} // what hangs waits for it; nil if nothing hangs
	status   int           // what is answered ...
	left     int           // ... to so many requests; less than 0 is all
}

// received is one request. Requests that were cut off are not among them.
type received struct {
	header http.Header
	body   []byte
	status int // as answered; 0 if it hangs
}

// newReceiver starts a receiver. It has to be closed.
func newReceiver() *receiver {
	r := &receiver{changed: make(chan struct{}), status: http.StatusOK, left: -1}
	r.server = httptest.NewServer(r)
	return r
}

func (r *receiver) close() {
	r.release()
	r.server.Close()
}

// ServeHTTP implements [http.Handler].
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // cuts the connection
	}
	status, released, ok := r.take(received{header: req.Header.Clone(), body: body})
	if !ok {
		panic(http.ErrAbortHandler)
	}
	if released != nil {
		select {
		case <-released:
		case <-req.Context().Done():
			return
		}
	}
	w.WriteHeader(status)
}

// take records a request, and returns what to answer, when, and whether at all.
func (r *receiver) take(got received) (status int, released <-chan struct{}, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return 0, nil, false
	}
	status = http.StatusOK
	if r.left != 0 {
		status = r.status
		r.left = max(r.left-1, -1)
	}
	if r.released == nil {
		got.status = status
	}
	r.requests = append(r.requests, got)
	close(r.changed)
	r.changed = make(chan struct{})
	return status, r.released, true
}

// hang has it answer nothing until it is released.
func (r *receiver) hang() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.released == nil {
		r.released = make(chan struct{})
	}
}

func (r *receiver) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.released != nil {
		close(r.released)
		r.released = nil
	}
}

func (r *receiver) setDown(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
}

// answer has the next n requests, or all if n is less than 0, answered so.
func (r *receiver) answer(status, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status, r.left = status, n
}

// wait returns the requests once there are n of them, or those that there are
// when the timeout is over.
func (r *receiver) wait(n int, timeout time.Duration) []received {
	over := time.NewTimer(timeout)
	defer over.Stop()
	for {
		r.mu.Lock()
		got, changed := r.requests, r.changed
		r.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-changed:
		case <-over.C:
			return got
		}
	}
}

func sum(body []byte) string {
	digest := sha256.Sum256(body)
	return hex.EncodeToString(digest[:])
}

func receiverCommand(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	exactly(ts, args, 1, 4)
	s := sessionOf(ts)
	if len(args) == 1 {
		r := newReceiver()
		ts.Defer(r.close)
		s.receivers[args[0]] = r
		ts.Setenv(strings.ToUpper(args[0])+"_URL", r.server.URL)
		return
	}
	r := receiverOf(ts, args[0])
	switch args[1] {
	case "hang":
		r.hang()
	case "release":
		r.release()
	case "down", "up":
		r.setDown(args[1] == "down")
	case "answer":
		exactly(ts, args, 3, 4)
		n := -1
		if len(args) == 4 {
			n = number(ts, args[3])
		}
		r.answer(number(ts, args[2]), n)
	default:
		ts.Fatalf("a receiver cannot %s", args[1])
	}
}

func receiverOf(ts *testscript.TestScript, name string) *receiver {
	r, ok := sessionOf(ts).receivers[name]
	if !ok {
		ts.Fatalf("there is no receiver %s", name)
	}
	return r
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}

func receivedCommand(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg)
	only := len(args) > 0 && args[0] == "-only"
	if only {
		args = args[1:]
	}
	exactly(ts, args, 2, 2)
	name, n := args[0], number(ts, args[1])
	got := receiverOf(ts, name).wait(n, patience)
	for i, request := range got {
		_, err := fmt.Fprintf(ts.Stdout(), "%d %d %s %s\n", i+1, request.status, sum(request.body), request.header.Get("Webhook-Id"))
		ts.Check(err)
		file := ts.MkAbs(fmt.Sprintf("%s.%d", name, i+1))
		ts.Check(os.WriteFile(file+".body", request.body, 0o644))
		var header bytes.Buffer
		ts.Check(request.header.Write(&header))
		text := strings.ReplaceAll(header.String(), "\r\n", "\n")
		ts.Check(os.WriteFile(file+".header", []byte(text), 0o644))
	}
	if len(got) < n || only && len(got) > n {
		ts.Fatalf("%s received %d requests, %d are wanted", name, len(got), n)
	}
}

func verifiedCommand(ts *testscript.TestScript, neg bool, args []string) {
	exactly(ts, args, 4, 4)
	got := receiverOf(ts, args[0]).wait(number(ts, args[1]), patience)
	scheme, ok := signature.Lookup(args[2])
	if !ok || len(got) < number(ts, args[1]) {
		ts.Fatalf("no such scheme or request")
	}
	keys, err := signature.NewKeys(ts.Getenv(args[3]))
	ts.Check(err)
	request := got[number(ts, args[1])-1]
	_, err = scheme.Verify(&signature.Request{
		Method: http.MethodPost, URL: "/", Header: request.header, Body: request.body,
	}, keys, time.Now())
	if (err != nil) != neg {
		ts.Fatalf("verify: %v", err)
	}
}
