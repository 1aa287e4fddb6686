package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// A receiver is the service that the demo delivers to. It verifies what it gets,
// as every receiver should, and can be taken down.
type receiver struct {
	address string // it keeps this through being down
	keys    signature.Keys

	http    *http.Server
	serving sync.WaitGroup

	mu      sync.Mutex
	got     map[string][][]byte // bodies that were verified, by webhook-id
	refused []string            // why others were not
}

// newReceiver starts a receiver on a free port.
func newReceiver(ctx context.Context, keys signature.Keys) (*receiver, error) {
	r := &receiver{address: loopback(), keys: keys, got: map[string][][]byte{}}
	return r, r.up(ctx)
}

// up opens the port, which may take a moment: what else uses it has to let go.
func (r *receiver) up(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	const pause = 20 * time.Millisecond
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", r.address)
	for errors.Is(err, syscall.EADDRINUSE) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("start the service: %w", err)
		case <-ticker.C:
		}
		l, err = lc.Listen(ctx, "tcp", r.address)
	}
	if err != nil {
		return fmt.Errorf("start the service: %w", err)
	}
	r.address = l.Addr().String()
	h := &http.Server{Handler: r, ReadHeaderTimeout: demoPatience}
	r.http = h
	r.serving.Go(func() {
		_ = h.Serve(l) // it ends when it is closed; until then nothing is missed that an attempt does not tell
	})
	return nil
}

// down closes the port and every connection.
func (r *receiver) down() error {
	if r.http == nil {
		return nil
	}
	err := r.http.Close()
	r.serving.Wait()
	r.http = nil
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("stop the service: %w", err)
	}
	return nil
}

// ServeHTTP implements [http.Handler].
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxPayload))
	if err != nil {
		http.Error(w, "unreadable", http.StatusBadRequest)
		return
	}
	signed := signature.Request{Method: req.Method, URL: req.URL.String(), Header: req.Header, Body: body}
	result, err := signature.StandardWebhooks.Verify(&signed, r.keys, time.Now())
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.refused = append(r.refused, err.Error())
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	r.got[result.DeliveryID] = append(r.got[result.DeliveryID], body)
	w.WriteHeader(http.StatusNoContent)
}

// bodies returns what came, and was verified, under a webhook-id.
func (r *receiver) bodies(id string) [][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got[id])
}

// requests returns how many were verified, and why others were refused.
func (r *receiver) requests() (verified int, refused []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, bodies := range r.got {
		verified += len(bodies)
	}
	return verified, slices.Clone(r.refused)
}
