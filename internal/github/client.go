// Package github speaks GitHub's API, as far as the gateway and its commands need
// it. It works with github.com and with GitHub Enterprise Server.
//
// It opens no connection: whoever makes a [Client] says how requests go out, and
// so which addresses they may reach. A request is checked against the published
// limits before it is sent. What GitHub refuses comes back as an [*Error], which
// says whether and when the same request may succeed.
package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// DefaultAPI is the address of github.com's API. That of a GitHub Enterprise
	// Server is https://HOST/api/v3.
	DefaultAPI = "https://api.github.com"
	// Version is the version of the API that is spoken, by the date that GitHub
	// names it with.
	Version = "2022-11-28"

	maxAnswer = 64 << 10 // bytes of an answer that are read
)

// A Doer makes requests, as package egress does: it follows no redirects, and
// ends with ctx.
type Doer interface {
	// Do sends req. The caller closes the answer's body.
	Do(ctx context.Context, req *http.Request) (*http.Response, error)
}

// DoFunc is a function that is a [Doer].
type DoFunc func(ctx context.Context, req *http.Request) (*http.Response, error)

// Do calls f.
func (f DoFunc) Do(ctx context.Context, req *http.Request) (*http.Response, error) {
	return f(ctx, req)
}

// Options are what a [Client] is told.
type Options struct {
	API   string           // the address of the API; empty is [DefaultAPI]
	Token string           // a personal access token, or one of an App's installation
	Doer  Doer             // how requests go out
	Now   func() time.Time // nil is [time.Now]
}

// A Client makes requests to one API with one token. It may be used by several
// goroutines. However it is printed, it does not show the token.
type Client struct {
	api   *url.URL
	token func() string // behind a function, so that no verb of package fmt shows it
	doer  Doer
	now   func() time.Time
}

// NewClient returns a client as o says.
func NewClient(o Options) (*Client, error) {
	if o.API == "" {
		o.API = DefaultAPI
	}
	api, err := url.Parse(strings.TrimSuffix(o.API, "/"))
	if err != nil || api.Host == "" || api.Scheme != "https" && api.Scheme != "http" ||
		api.User != nil || api.RawQuery != "" || api.Fragment != "" {
		return nil, errors.New("the API's address is not a URL such as https://github.example.com/api/v3")
	}
	o.Token = strings.TrimSpace(o.Token)
	if o.Token == "" || strings.ContainsFunc(o.Token, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return nil, errors.New("the token is empty, or has characters that no token has")
	}
	if o.Doer == nil {
		return nil, errors.New("nothing is there to send requests with")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Client{api: api, token: func() string { return o.Token }, doer: o.Doer, now: o.Now}, nil
}

// post posts body to the path below the API. What is not 2xx is an [*Error].
func (c *Client) post(ctx context.Context, path string, body any) error {
	content, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.api.String()+path, bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.Header = http.Header{
		"Accept": {"application/vnd.github+json"}, "Content-Type": {"application/json"}, "User-Agent": {"tenterhook"},
		"Authorization": {"Bearer " + c.token()}, "X-Github-Api-Version": {Version},
	}
	resp, err := c.doer.Do(ctx, req)
	if err != nil {
		return err //nolint:wrapcheck // the Doer says which request to whom
	}
	defer func() { _ = resp.Body.Close() }() // what matters of it was read
	if resp.StatusCode/100 == 2 {
		return nil
	}
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // the status decides; this is for people
	return c.refusal(resp, answer)
}
