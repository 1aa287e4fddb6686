package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/tenterhook/tenterhook/internal/egress"
)

// A keyFetcher gets certificates and key sets for one command, each once: the
// search for why a request does not verify asks often.
type keyFetcher struct {
	ctx    context.Context //nolint:containedctx // it lives as long as the command
	client *egress.Client
	got    map[string]fetched
}

type fetched struct {
	body []byte
	err  error
}

func newKeyFetcher(ctx context.Context) *keyFetcher {
	return &keyFetcher{ctx: ctx, client: egress.New(egress.Options{}), got: map[string]fetched{}}
}

// Fetch returns what is at a URL, which the scheme has checked.
func (f *keyFetcher) Fetch(url string) ([]byte, error) {
	if got, ok := f.got[url]; ok {
		return got.body, got.err
	}
	const most = 16 // documents
	if len(f.got) == most {
		return nil, fmt.Errorf("get %q: more than %d keys are asked for", url, most)
	}
	body, err := f.get(url)
	f.got[url] = fetched{body, err}
	return body, err
}

func (f *keyFetcher) get(url string) ([]byte, error) {
	const timeout, most = 10 * time.Second, 1 << 20
	ctx, cancel := context.WithTimeout(f.ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("get key: %w", err)
	}
	resp, err := f.client.Do(ctx, req, egress.Permit{})
	if err != nil {
		return nil, fmt.Errorf("get key: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // what matters of it was read
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get key: the answer of %q is %d", url, resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return nil, fmt.Errorf("get key: %w", err)
	}
	return body, nil
}
