package server

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// A subscriber answers confirmations.
type subscriber struct {
	mu     sync.Mutex
	asked  []string
	status int
	hang   bool
}

func (s *subscriber) do(ctx context.Context, r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.asked = append(s.asked, r.Method+" "+r.URL.String())
	status, hang := s.status, s.hang
	s.mu.Unlock()
	if hang {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("<ConfirmSubscriptionResponse/>"))}, nil
}

const confirmURL = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37"

func TestConfirm(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		url    string
		status int
		asked  int
		err    string
	}{
		"confirmed": {url: confirmURL, status: 200, asked: 1},
		"refused":   {url: confirmURL, status: 403, asked: 1, err: "answered 403"},
		"redirect":  {url: confirmURL, status: 302, asked: 1, err: "answered 302"},
		"plain":     {url: "http://sns.eu-west-1.amazonaws.com/", err: "its URL is not one of https"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			s := &subscriber{status: c.status}
			confirms := newConfirmer(slog.New(slog.NewTextHandler(&log, nil)), s.do)
			confirms.confirm("alarms", c.url)
			synctest.Wait()
			got := confirms.confirmation("alarms")
			if got == nil || got.Error != c.err || len(s.asked) != c.asked || got.Status != c.status && c.asked > 0 {
				t.Errorf("%s: %+v after %q", name, got, s.asked)
			}
			if c.asked > 0 && s.asked[0] != "GET "+confirmURL {
				t.Errorf("%s: asked %q", name, s.asked)
			}
			if strings.Contains(log.String(), "2336412f37") {
				t.Errorf("%s: the log holds the token: %s", name, &log)
			}
			confirms.close()
		})
	}
}

func TestConfirmIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &subscriber{hang: true}
		confirms := newConfirmer(slog.New(slog.DiscardHandler), s.do)
		for range 100 {
			confirms.confirm("alarms", confirmURL)
		}
		synctest.Wait()
		if len(s.asked) != maxConfirms {
			t.Errorf("%d at a time, want %d", len(s.asked), maxConfirms)
		}
		confirms.close() // ends those that hang
		if got := confirms.confirmation("alarms"); got == nil || !strings.Contains(got.Error, context.Canceled.Error()) {
			t.Errorf("%+v, want it ended", got)
		}
		confirms.confirm("alarms", confirmURL)
		synctest.Wait()
		if len(s.asked) != maxConfirms {
			t.Error("one starts after the end")
		}
	})
}

func TestConfirmTakesItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &subscriber{hang: true}
		confirms := newConfirmer(slog.New(slog.DiscardHandler), s.do)
		defer confirms.close()
		confirms.confirm("alarms", confirmURL)
		confirms.workers.Wait() // the clock goes on by itself
		if got := confirms.confirmation("alarms"); got == nil || got.Error != errConfirmTimeout.Error() {
			t.Errorf("%+v, want %v", got, errConfirmTimeout)
		}
	})
}
