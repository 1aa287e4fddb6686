package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/tenterhook/tenterhook/internal/api"
)

const (
	confirmTimeout = 10 * time.Second
	maxConfirms    = 4        // at a time
	maxConfirmed   = 64 << 10 // bytes of an answer that are read
)

var errConfirmTimeout = errors.New("no answer in time")

// A confirmer makes the requests by which a subscription is confirmed, such as
// that of Amazon SNS: its handshake names a URL, which the scheme has checked.
// They are few, and nobody waits for them.
type confirmer struct {
	do  func(ctx context.Context, r *http.Request) (*http.Response, error)
	log *slog.Logger
	now func() time.Time

	mu      sync.Mutex
	running int
	stop    context.CancelFunc
	ctx     context.Context //nolint:containedctx // of the goroutines that it owns, until close
	workers sync.WaitGroup
	last    map[string]api.Confirmation // by source
}

func newConfirmer(log *slog.Logger, do func(context.Context, *http.Request) (*http.Response, error)) *confirmer {
	c := &confirmer{do: do, log: log, now: time.Now, last: make(map[string]api.Confirmation)}
	c.ctx, c.stop = context.WithCancel(context.Background())
	return c
}

// confirm fetches url for a source, and returns at once. Beyond a few at a time
// it does nothing: the provider offers to confirm again.
func (c *confirmer) confirm(source, url string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil || c.running >= maxConfirms {
		c.log.Warn("subscription not confirmed: too many at a time; have the provider send the confirmation again", "source", source)
		return
	}
	c.running++
	c.workers.Go(func() { c.run(source, url) })
}

func (c *confirmer) run(source, url string) {
	host, status, err := c.fetch(url)
	done := api.Confirmation{At: api.Time{Time: c.now()}, Host: host, Status: status}
	if err != nil {
		done.Error = err.Error()
		c.log.Warn("subscription not confirmed", "source", source, "host", host, "status", status, "error", err)
	} else {
		c.log.Info("subscription confirmed", "source", source, "host", host, "status", status)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
	c.last[source] = done
}

// fetch returns what came of a GET. The URL holds a token, and is in no error.
func (c *confirmer) fetch(url string) (host string, status int, err error) {
	ctx, cancel := context.WithTimeoutCause(c.ctx, confirmTimeout, errConfirmTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil || req.URL.Scheme != "https" {
		return "", 0, errors.New("its URL is not one of https")
	}
	host = req.URL.Host
	resp, err := c.do(ctx, req)
	if err != nil {
		return host, 0, err
	}
	defer func() { _ = resp.Body.Close() }() // the status says it all
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxConfirmed))
	if resp.StatusCode/100 != 2 {
		return host, resp.StatusCode, fmt.Errorf("answered %d", resp.StatusCode)
	}
	return host, resp.StatusCode, nil
}

// confirmation returns what came of the last one of a source, or nil.
func (c *confirmer) confirmation(source string) *api.Confirmation {
	c.mu.Lock()
	defer c.mu.Unlock()
	if done, ok := c.last[source]; ok {
		return &done
	}
	return nil
}

// close ends what runs, and waits for it.
func (c *confirmer) close() {
	c.stop()
	c.mu.Lock()   // after it, nothing starts
	c.mu.Unlock() //nolint:staticcheck // see above
	c.workers.Wait()
}
