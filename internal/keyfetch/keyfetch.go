// Package keyfetch gets the certificates and key sets that some providers sign
// with, from the URLs that their schemes allow.
//
// Requests wait for what it fetches, and strangers can make it fetch: a request
// names the URL of its certificate before anything of it is verified. So all is
// bounded: the time and the size of an answer, how many fetches run and how many
// start in a second, and what is remembered, of what was there and of what was
// not. Requests that need the same URL at the same time share one fetch.
//
// What was fetched is kept for an hour, and if it cannot be fetched again then,
// for some hours more: a provider's trouble with its certificates should not
// become one with its events.
package keyfetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Bounds, and how long things are kept.
const (
	maxSize    = 256 << 10 // bytes of a certificate chain or a key set
	timeout    = 5 * time.Second
	fresh      = time.Hour        // how long a key is used without a question
	stale      = 6 * time.Hour    // how long if it cannot be had again
	missing    = 30 * time.Second // how long a failure is remembered
	maxEntries = 128              // of keys, and as many of failures
	perSecond  = 5                // fetches, on the average
	burst      = 20
)

// ErrBusy means that too many keys were asked for in a short time.
var ErrBusy = errors.New("too many keys are being fetched")

// A Doer makes one HTTP request, and does not follow redirects.
type Doer interface {
	Do(ctx context.Context, r *http.Request) (*http.Response, error)
}

// A Fetcher fetches keys and remembers them. It may be used by many goroutines.
type Fetcher struct {
	client Doer
	now    func() time.Time
	starts *rate.Limiter

	mu       sync.Mutex
	keys     map[string]*entry
	failures map[string]*entry
	running  map[string]*call
}

// An entry is what came of a fetch.
type entry struct {
	body []byte
	err  error
	at   time.Time // when it was fetched
	used time.Time
}

// A call is a fetch that is under way.
type call struct {
	done chan struct{}
	body []byte
	err  error
}

// New returns a Fetcher that asks client. A nil now is time.Now.
func New(client Doer, now func() time.Time) *Fetcher {
	if now == nil {
		now = time.Now
	}
	return &Fetcher{
		client: client, now: now, starts: rate.NewLimiter(perSecond, burst),
		keys: make(map[string]*entry), failures: make(map[string]*entry), running: make(map[string]*call),
	}
}

// Fetch returns the body of a GET of address, or an error if it cannot be had
// now. It implements signature.Fetcher.
func (f *Fetcher) Fetch(address string) ([]byte, error) {
	body, c, mine := f.look(address)
	if c == nil {
		return body, nil
	}
	if !mine {
		<-c.done // it is bounded
		return c.body, c.err
	}
	body, err := f.get(address)
	f.settle(address, c, body, err)
	return c.body, c.err
}

// look returns the key if it is known, or else the call that will bring it, and
// whether that is the caller's to make.
func (f *Fetcher) look(address string) (body []byte, c *call, mine bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if e, ok := f.keys[address]; ok {
		e.used = now
		if now.Sub(e.at) < fresh {
			return e.body, nil, false
		}
	}
	if e, ok := f.failures[address]; ok && now.Sub(e.at) < missing {
		e.used = now
		if old, ok := f.keys[address]; ok && now.Sub(old.at) < stale {
			return old.body, nil, false
		}
		return nil, ended(nil, e.err), false
	}
	if c, ok := f.running[address]; ok {
		return nil, c, false
	}
	if !f.starts.AllowN(now, 1) {
		if old, ok := f.keys[address]; ok && now.Sub(old.at) < stale {
			return old.body, nil, false
		}
		return nil, ended(nil, ErrBusy), false
	}
	c = &call{done: make(chan struct{})}
	f.running[address] = c
	return nil, c, true
}

// ended is a call that has its result.
func ended(body []byte, err error) *call {
	c := &call{done: make(chan struct{}), body: body, err: err}
	close(c.done)
	return c
}

// settle keeps what came of a fetch, and tells those who wait for it.
func (f *Fetcher) settle(address string, c *call, body []byte, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	e := &entry{body: body, err: err, at: now, used: now}
	c.body, c.err = body, err
	if err == nil {
		delete(f.failures, address)
		remember(f.keys, address, e)
	} else {
		remember(f.failures, address, e)
		if old, ok := f.keys[address]; ok && now.Sub(old.at) < stale {
			c.body, c.err = old.body, nil
		}
	}
	delete(f.running, address)
	close(c.done)
}

// remember adds an entry, in place of the one that was not used for the longest
// time if there are too many.
func remember(entries map[string]*entry, address string, e *entry) {
	if _, known := entries[address]; !known && len(entries) >= maxEntries {
		oldest := ""
		for other, o := range entries {
			if oldest == "" || o.used.Before(entries[oldest].used) {
				oldest = other
			}
		}
		delete(entries, oldest)
	}
	entries[address] = e
}

var errTimeout = errors.New("no answer in time")

// get fetches address.
func (f *Fetcher) get(address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, errors.New("fetch key: its URL is not one of https")
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), timeout, errTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("fetch key: its URL cannot be used")
	}
	resp, err := f.client.Do(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("fetch key: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // only read from: nothing is lost
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch key from %s: answered %d", u.Host, resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("fetch key from %s: %w", u.Host, err)
	case len(body) > maxSize:
		return nil, fmt.Errorf("fetch key from %s: it is larger than %d bytes", u.Host, maxSize)
	}
	return body, nil
}
