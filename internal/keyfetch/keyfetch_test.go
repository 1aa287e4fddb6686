package keyfetch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tenterhook/tenterhook/internal/keyfetch"
)

// A provider answers as a test tells it to.
type provider struct {
	mu     sync.Mutex
	asked  []string
	status int
	body   []byte
	err    error
	hold   chan struct{}
}

func (p *provider) Do(_ context.Context, r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	p.asked = append(p.asked, r.URL.String())
	status, body, err, hold := p.status, p.body, p.err, p.hold
	p.mu.Unlock()
	if hold != nil {
		<-hold
	}
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader(body))}, nil
}

func (p *provider) set(status int, body string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status, p.body, p.err = status, []byte(body), err
}

func (p *provider) times() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked)
}

const cert = "https://keys.example/cert"

func TestKeysAreKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &provider{status: 200, body: []byte("one")}
		f := keyfetch.New(p, nil)
		want := func(step, want string, times int) {
			t.Helper()
			got, err := f.Fetch(cert)
			if string(got) != want || (err == nil) != (want != "") || p.times() != times {
				t.Errorf("%s: %q, %v after %d questions; want %q after %d", step, got, err, p.times(), want, times)
			}
		}
		want("first", "one", 1)
		p.set(200, "two", nil)
		time.Sleep(59 * time.Minute)
		want("within the hour", "one", 1)
		time.Sleep(2 * time.Minute)
		want("after it", "two", 2)
		p.set(503, "", nil)
		time.Sleep(61 * time.Minute)
		want("when it cannot be had again", "two", 3)
		want("at once again", "two", 3)
		time.Sleep(5 * time.Hour)
		want("when it is too old", "", 4)
		want("a failure is remembered", "", 4)
		time.Sleep(31 * time.Second)
		p.set(200, "three", nil)
		want("and forgotten", "three", 5)
	})
}

func TestOneFetchAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &provider{status: 200, body: []byte("key"), hold: make(chan struct{})}
		f := keyfetch.New(p, nil)
		var waiting sync.WaitGroup
		for range 100 {
			waiting.Go(func() {
				if got, err := f.Fetch(cert); string(got) != "key" || err != nil {
					t.Errorf("%q, %v", got, err)
				}
			})
		}
		synctest.Wait()
		close(p.hold)
		waiting.Wait()
		if p.times() != 1 {
			t.Errorf("asked %d times, want once", p.times())
		}
	})
}

// A stranger who names other URLs all the time neither makes many requests nor
// drives out a key that is in use.
func TestStrangersAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &provider{status: 200, body: []byte("key")}
		f := keyfetch.New(p, nil)
		busy := 0
		for i := range 1000 {
			if _, err := f.Fetch(fmt.Sprintf("%s?%d", cert, i)); errors.Is(err, keyfetch.ErrBusy) {
				busy++
			}
		}
		if p.times() != 20 || busy != 980 {
			t.Errorf("asked %d times, refused %d; want 20 and 980", p.times(), busy)
		}
		time.Sleep(time.Minute)
		if _, err := f.Fetch(cert); err != nil {
			t.Fatal(err)
		}
		for i := range 300 {
			time.Sleep(time.Second)
			_, _ = f.Fetch(fmt.Sprintf("%s?x%d", cert, i)) // what comes of it does not matter
			before := p.times()
			if _, err := f.Fetch(cert); err != nil || p.times() != before {
				t.Fatalf("the key that is in use was driven out: %v", err)
			}
		}
	})
}

func TestRefusesWhatIsNoKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		url    string
		status int
		body   string
		err    error
		asked  int
	}{
		"plain":     {url: "http://keys.example/cert", status: 200},
		"no URL":    {url: "https://%zz", status: 200},
		"user":      {url: "https://a:b@keys.example/", status: 200},
		"redirect":  {url: cert, status: 302, asked: 1},
		"too large": {url: cert, status: 200, body: strings.Repeat("k", 256<<10+1), asked: 1},
		"network":   {url: cert, err: errors.New("no route"), asked: 1},
	} {
		p := &provider{status: c.status, body: []byte(c.body), err: c.err}
		if body, err := keyfetch.New(p, nil).Fetch(c.url); err == nil || body != nil || p.times() != c.asked {
			t.Errorf("%s: %d bytes, %v, asked %d times", name, len(body), err, p.times())
		}
	}
}
