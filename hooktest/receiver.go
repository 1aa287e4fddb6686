package hooktest

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// patience bounds [Receiver.Wait]. It is waited for only when a test fails.
const patience = 30 * time.Second

// maxBody bounds what of one request is kept in memory.
const maxBody = 64 << 20

// Received is one request as it came.
type Received struct {
	At     time.Time // when its header had come
	Method string
	URL    string // whole, as http://127.0.0.1:PORT/hooks?a=b
	Host   string // the header Host
	Header http.Header
	Body   []byte
	// Cut says why there is no more of the body, if it ended before its end or was
	// not read; then the request was not answered, or not because of what it holds.
	Cut error
	// Conn is the number of the connection, from 1. Requests with the same one came
	// over the same connection.
	Conn int

	// Result is what the signature says, if [Receiver.Verify] was called before.
	Result signature.Result
	// Refused says why the signature was refused. It is a [*signature.Error].
	Refused error
}

// A Receiver is an HTTP server on a free port of the loopback interface that
// keeps the requests it gets, and answers 200 unless told otherwise. It may be
// used by several goroutines.
type Receiver struct {
	t      TB
	url    string
	server *http.Server
	stop   context.CancelFunc // of the context of every request
	ended  sync.WaitGroup     // the server, its connections and the requests
	once   sync.Once

	mu       sync.Mutex
	requests []Received
	changed  chan struct{} // closed and made anew with each request
	next     []Answer      // for the requests to come, one each ...
	always   Answer        // ... and for those that follow
	scheme   *signature.Scheme
	keys     signature.Keys
	conns    int
}

// NewReceiver starts a receiver, which stops when the test ends.
func NewReceiver(t TB) *Receiver {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r := &Receiver{t: t, stop: stop, changed: make(chan struct{}), always: Status(http.StatusOK)}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		stop()
		t.Fatalf("hooktest: start receiver: %v", err)
		return nil
	}
	r.url = "http://" + listener.Addr().String()
	r.server = &http.Server{
		Handler:           http.HandlerFunc(r.serve),
		ReadHeaderTimeout: patience,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       r.connected,
		ConnState:         r.connChanged,
	}
	r.ended.Go(func() {
		_ = r.server.Serve(listener) // it ends when it is closed
	})
	t.Cleanup(r.Close)
	return r
}

// URL is the receiver's address without a path: http://127.0.0.1:PORT.
func (r *Receiver) URL() string { return r.url }

// Close cuts all connections, and returns when nothing of the receiver runs any
// more. The requests are still there. It may be called before the test ends, to
// be a receiver that is down.
func (r *Receiver) Close() {
	r.once.Do(func() {
		r.stop()
		_ = r.server.Close() // what was open is closed, whatever it says
	})
	r.ended.Wait()
}

// Verify has the requests that come from now on verified: what is not signed by
// one of keys is answered with 401, whatever else it would be answered with, and
// [Received.Refused] says why.
func (r *Receiver) Verify(scheme *signature.Scheme, keys signature.Keys) {
	r.t.Helper()
	if err := scheme.CheckKeys(keys); err != nil {
		r.t.Fatalf("hooktest: verify: %v", err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.scheme, r.keys = scheme, keys
}

// Next has the next requests answered so, one each, after those that Next was
// told before.
func (r *Receiver) Next(answers ...Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next = append(r.next, answers...)
}

// Always has all requests answered so that are not [Receiver.Next]'s.
func (r *Receiver) Always(answer Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.always = answer
}

// Requests returns the requests that have come, in the order in which they were
// read. What they hold must not be changed.
func (r *Receiver) Requests() []Received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// Wait returns the requests once there are n of them, or more. They may not have
// been answered yet. If there are fewer after 30 seconds the test fails, so it
// must be called by the test's own goroutine; [Receiver.WaitContext] need not.
func (r *Receiver) Wait(n int) []Received {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	got, err := r.WaitContext(ctx, n)
	if err != nil {
		r.t.Fatalf("hooktest: %d requests came, %d are wanted: %v", len(got), n, err)
	}
	return got
}

// WaitContext returns the requests once there are n of them, or more, or those
// that there are when ctx ends, with the cause of that.
func (r *Receiver) WaitContext(ctx context.Context, n int) ([]Received, error) {
	for {
		r.mu.Lock()
		got, changed := slices.Clone(r.requests), r.changed
		r.mu.Unlock()
		if len(got) >= n {
			return got, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return got, context.Cause(ctx)
		}
	}
}

// connKey is the key under which the context of a connection has its number.
type connKey struct{}

func (r *Receiver) connected(ctx context.Context, _ net.Conn) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns++
	return context.WithValue(ctx, connKey{}, r.conns)
}

// connChanged counts connections, for Close to wait for their goroutines. The
// server reports a new one before Serve can return. One that is taken over is
// closed by the request that took it, which is counted by itself.
func (r *Receiver) connChanged(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		r.ended.Add(1)
	case http.StateClosed, http.StateHijacked:
		r.ended.Done()
	case http.StateActive, http.StateIdle:
	}
}

func (r *Receiver) serve(w http.ResponseWriter, req *http.Request) {
	r.ended.Add(1)
	defer r.ended.Done()
	answer := r.answer()
	got := Received{
		At: time.Now(), Method: req.Method, URL: r.url + req.URL.RequestURI(), Host: req.Host, Header: req.Header.Clone(),
	}
	got.Conn, _ = req.Context().Value(connKey{}).(int)
	got.Body, got.Cut = readUpTo(w, req, answer.reads)
	refused := r.record(&got)
	switch {
	case refused:
		answerEmpty(w, http.StatusUnauthorized, nil)
	case got.Cut != nil && !errors.Is(got.Cut, errNotRead):
		cut() // the sender has left
	default:
		answer.do(w, req)
	}
}

// answer takes what the next request is answered with.
func (r *Receiver) answer() Answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.next) == 0 {
		return r.always
	}
	answer := r.next[0]
	r.next = r.next[1:]
	return answer
}

// record keeps a request, and reports whether its signature is refused.
func (r *Receiver) record(got *Received) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.scheme != nil && got.Cut == nil {
		signed := &signature.Request{Method: got.Method, URL: got.URL, Header: got.Header, Body: got.Body}
		got.Result, got.Refused = r.scheme.Verify(signed, r.keys, got.At)
	}
	r.requests = append(r.requests, *got)
	close(r.changed)
	r.changed = make(chan struct{})
	return got.Refused != nil
}

// errNotRead is why the body of a request is not whole that the receiver itself
// did not want to read further.
var errNotRead = errors.New("the receiver was told not to read on")

// readUpTo reads the body, or only its first bytes if most is not negative.
func readUpTo(w http.ResponseWriter, req *http.Request, most int64) ([]byte, error) {
	if most < 0 {
		return io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, most))
	if err == nil && int64(len(body)) == most {
		err = errNotRead
	}
	return body, err
}

// answerEmpty answers without a body.
func answerEmpty(w http.ResponseWriter, status int, header http.Header) {
	maps.Copy(w.Header(), header.Clone())
	w.WriteHeader(status)
}
