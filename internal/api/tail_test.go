package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/internal/store"
)

// pipeWriter is a response whose reader takes one write at a time.
type pipeWriter struct {
	header http.Header
	writes chan string
}

func (w pipeWriter) Header() http.Header { return w.header }
func (w pipeWriter) WriteHeader(int)     {}
func (w pipeWriter) Flush()              {}
func (w pipeWriter) Write(b []byte) (int, error) {
	w.writes <- string(b)
	return len(b), nil
}

// watch serves a tail into a pipeWriter until ctx ends or the feed is closed.
func watch(ctx context.Context, w *world) (<-chan string, <-chan struct{}) {
	writes, ended := make(chan string), make(chan struct{})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/events/tail", nil)
	if err != nil {
		panic(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	go func() {
		defer close(ended)
		api.New(w.options()).ServeHTTP(pipeWriter{header: http.Header{}, writes: writes}, req)
	}()
	return writes, ended
}

func TestTailBeats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{store: filled(), feed: &api.Feed{}}
		ctx, cancel := context.WithCancel(t.Context())
		writes, ended := watch(ctx, w)
		<-writes // the greeting
		began := time.Now()
		if beat := <-writes; !strings.HasPrefix(beat, ":") {
			t.Errorf("first write is %q, want a comment", beat)
		}
		if after := time.Since(began); after != 15*time.Second {
			t.Errorf("heartbeat came after %v", after)
		}
		cancel()
		<-ended
		if w.feed.Watched() {
			t.Error("feed still has a watcher")
		}
	})
}

func TestTailTellsOfMissedEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{store: filled(), feed: &api.Feed{}}
		writes, ended := watch(t.Context(), w)
		<-writes // the greeting
		synctest.Wait()
		const published = 300 // more than wait for a slow caller
		ids := tenterhook.NewIDs(nil)
		for range published {
			w.feed.Publish(store.EventRow{Event: tenterhook.Event{ID: ids.New()}}) // never waits
		}
		events, missed := 0, 0
		w.feed.Close()
		for open := true; open; {
			select {
			case frame := <-writes:
				var count int
				if _, err := fmt.Sscanf(frame, "event: missed\ndata: {\"count\":%d}", &count); err == nil {
					missed += count
				} else {
					events++
				}
			case <-ended:
				open = false
			}
		}
		if missed == 0 || events+missed != published {
			t.Errorf("tail brought %d events and told of %d missed ones, of %d", events, missed, published)
		}
		w.feed.Publish(store.EventRow{}) // to nobody: no panic on a closed feed
	})
}
