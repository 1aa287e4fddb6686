package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // to check the database
)

const (
	secret      = "crash-test-secret-of-32-characters"
	startWithin = 30 * time.Second
	drainWithin = 3 * time.Minute
	longestLife = 1500 * time.Millisecond
)

// harness runs the server, sends to it, and takes what it delivers.
type harness struct {
	opts   *options
	disk   disk
	ledger *ledger

	config   string
	url      string
	admin    string
	receiver *http.Server
	client   *http.Client

	server  *exec.Cmd
	tracer  []string    // a command line before the server's; empty is none
	closed  atomic.Bool // the receiver takes nothing
	senders sync.WaitGroup
	stop    context.CancelFunc
	serial  atomic.Int64
	alone   int // acknowledged events that only the server knew of when it died
}

func newHarness(ctx context.Context, o *options, d disk) (*harness, error) {
	h := &harness{opts: o, disk: d, ledger: newLedger()}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h.receiver = &http.Server{Handler: http.HandlerFunc(h.receive), ReadHeaderTimeout: startWithin}
	go func() { _ = h.receiver.Serve(listener) }() // ended by close
	public, private, err := freePorts(ctx)
	if err != nil {
		return nil, err
	}
	h.url, h.admin = "http://"+public+"/webhook/github", "http://"+private
	h.client = &http.Client{Timeout: startWithin, Transport: &http.Transport{MaxIdleConnsPerHost: o.clients}}
	h.config = filepath.Join(o.dir, "tenterhook.yaml")
	text := fmt.Sprintf(`
listen: %s
admin: %s
sources:
  github: {provider: github, secret: "insecure-literal:%s"}
destinations:
  app: {url: "http://%s/", sign: none, retry: {schedule: [0s, 100ms, 100ms, 100ms, 1s, 1s, 1s, 1s, 1s, 5s, 5s, 5s]}}
routes:
  - {from: github, types: [push], when: '.ref == "refs/heads/main"', to: [app]}
`, public, private, secret, listener.Addr())
	const ownerOnly = 0o600
	return h, os.WriteFile(h.config, []byte(text), ownerOnly)
}

func freePorts(ctx context.Context) (a, b string, err error) {
	var lc net.ListenConfig
	first, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	second, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", errors.Join(err, first.Close())
	}
	return first.Addr().String(), second.Addr().String(), errors.Join(first.Close(), second.Close())
}

func (h *harness) close() {
	h.pause()
	if h.server != nil {
		_ = h.server.Process.Kill() // it may have ended by itself
		_ = h.server.Wait()
	}
	_ = h.receiver.Close()
}

// start starts the server, waits until it takes events, and begins to send.
func (h *harness) start(ctx context.Context) error {
	line := append(slices.Clone(h.tracer), h.opts.binary, "serve", "--config", h.config, "--data", h.disk.Dir())
	h.server = exec.CommandContext(ctx, line[0], line[1:]...)
	if h.opts.verbose {
		h.server.Stderr = os.Stderr
	}
	if err := h.server.Start(); err != nil {
		return fmt.Errorf("start server: %w", err)
	}
	deadline := time.Now().Add(startWithin)
	for !h.isReady(ctx) {
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("the server was not ready within %v", startWithin)
		}
		time.Sleep(5 * time.Millisecond) //nolint:mnd // a process's start can only be polled
	}
	h.load(ctx)
	return nil
}

func (h *harness) isReady(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.admin+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := h.client.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close() // only the status matters
	return response.StatusCode == http.StatusOK
}

// round lets the server live for a while, ends it, and starts it again. In every
// other round, about, the receiver takes nothing: what is acknowledged is then
// known to the server alone when that dies.
func (h *harness) round(ctx context.Context, random *rand.Rand) error {
	h.closed.Store(random.IntN(2) == 0)
	select {
	case <-time.After(time.Duration(random.Int64N(int64(longestLife)))):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := h.disk.Cut(); err != nil {
		return fmt.Errorf("cut: %w", err)
	}
	h.ledger.crash()
	if err := h.server.Process.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill: %w", err)
	}
	_ = h.server.Wait() // killed
	h.pause()
	if err := h.disk.Back(ctx); err != nil {
		return fmt.Errorf("bring the disk back: %w", err)
	}
	h.alone += h.ledger.unarrived()
	h.closed.Store(false)
	return h.start(ctx)
}

// load sends from several connections until pause.
func (h *harness) load(ctx context.Context) {
	ctx, h.stop = context.WithCancel(ctx)
	for range h.opts.clients {
		h.senders.Go(func() {
			for ctx.Err() == nil {
				h.sendOne(ctx)
			}
		})
	}
}

func (h *harness) pause() {
	if h.stop != nil {
		h.stop()
		h.senders.Wait()
	}
}

func (h *harness) sendOne(ctx context.Context) {
	n := h.serial.Add(1)
	id := fmt.Sprintf("%016x", n)
	const most = 3000 // so that rows of many sizes are written
	body := fmt.Appendf(nil, `{"ref":"refs/heads/main","n":%d,"pad":%q}`, n, bytes.Repeat([]byte("x"), int(n*7919%most)))
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write(body) // never fails
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Github-Event", "push")
	request.Header.Set("X-Github-Delivery", id)
	request.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	h.ledger.send(id, body)
	response, err := h.client.Do(request)
	if err != nil {
		h.ledger.count(&h.ledger.unheard)
		return
	}
	defer func() { _ = response.Body.Close() }() // read below
	var answer struct {
		ID string `json:"id"`
	}
	switch {
	case response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != "":
		h.ledger.count(&h.ledger.refused)
		return
	case response.StatusCode/100 != 2: //nolint:mnd // 2xx
		h.ledger.wrong(fmt.Errorf("%s was answered with %s", id, response.Status))
		return
	}
	_ = json.NewDecoder(response.Body).Decode(&answer) // 2xx counts, whatever follows
	h.ledger.ack(id, answer.ID)
}

// receive is the destination.
func (h *harness) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // cut off by the crash: it did not arrive
	}
	if h.closed.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var payload struct {
		N int64 `json:"n"`
	}
	if err := json.Unmarshal(body, &payload); err != nil {
		payload.N = -1
	}
	h.ledger.arrive(fmt.Sprintf("%016x", payload.N), r.Header.Get("Webhook-Id"), body)
	w.WriteHeader(http.StatusOK)
}

// stopOrderly ends the server in an orderly way and checks its database.
func (h *harness) stopOrderly(ctx context.Context) error {
	if err := h.server.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop server: %w", err)
	}
	err := h.server.Wait()
	h.server = nil
	if err != nil {
		return fmt.Errorf("stop server: %w", err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(h.disk.Dir(), "tenterhook.db")+"?_pragma=cache_size(-262144)")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // only read
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&verdict); err != nil {
		return fmt.Errorf("integrity check: %w", err)
	}
	fmt.Println("integrity_check", verdict)
	if verdict != "ok" {
		return fmt.Errorf("integrity check: %s", verdict)
	}
	return nil
}

// drain waits until everything acknowledged has arrived.
func (h *harness) drain(ctx context.Context) error {
	h.pause()
	timeout := time.NewTimer(drainWithin)
	defer timeout.Stop()
	for {
		if h.ledger.unarrived() == 0 {
			return nil
		}
		select {
		case <-h.ledger.news:
		case <-timeout.C:
			return nil // the verdict says what is missing
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
