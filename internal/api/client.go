package api

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

	"github.com/tenterhook/tenterhook"
)

// ErrUnreachable is returned, wrapped, by every method of a [Client] that got no
// answer of the server.
var ErrUnreachable = errors.New("cannot reach the server")

const (
	// requestTimeout bounds a request whose answer is not a stream. A replay of
	// many events takes the longest.
	requestTimeout = 5 * time.Minute
	maxAnswer      = 256 << 20 // bytes of JSON
	maxProblem     = 1 << 20
)

// A Client calls the API. Each method is one operation and returns, apart from
// [ErrUnreachable], a [*Problem] for an error that the server answered with. A
// Client may be used by several goroutines.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// NewClient returns a client of the server at baseURL, such as
// http://127.0.0.1:8001, which shows token. If hc is nil, requests are made
// directly, whatever proxies there are.
func NewClient(baseURL, token string, hc *http.Client) (*Client, error) {
	u, err := url.Parse(baseURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("server %q is not a URL such as http://127.0.0.1:8001", baseURL)
	}
	if hc == nil {
		hc = &http.Client{Transport: &http.Transport{}}
	}
	own := *hc
	// The token must not follow a redirect to somewhere else.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{base: strings.TrimSuffix(u.String(), "/"), token: token, http: &own}, nil
}

// ListEvents returns a page of the events that q chooses.
func (c *Client) ListEvents(ctx context.Context, q EventQuery) (Page[Event], error) {
	return get[Page[Event]](ctx, c, "/events", q.values())
}

// GetEvent returns all that is on record about an event.
func (c *Client) GetEvent(ctx context.Context, id tenterhook.ID) (EventDetail, error) {
	return get[EventDetail](ctx, c, "/events/"+id.String(), nil)
}

// GetEventBody writes an event's body to w, byte for byte.
func (c *Client) GetEventBody(ctx context.Context, id tenterhook.ID, w io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	answer, err := c.send(ctx, http.MethodGet, "/events/"+id.String()+"/body", nil, nil)
	if err != nil {
		return err
	}
	defer closeBody(answer)
	if _, err := io.Copy(w, answer.Body); err != nil {
		return fmt.Errorf("read body of %s: %w", id, err)
	}
	return nil
}

// ExplainEvent says why each route did or did not take an event.
func (c *Client) ExplainEvent(ctx context.Context, id tenterhook.ID) (Explanation, error) {
	return get[Explanation](ctx, c, "/events/"+id.String()+"/explain", nil)
}

// ReplayEvent sends an event again.
func (c *Client) ReplayEvent(ctx context.Context, id tenterhook.ID, r ReplayRequest) (ReplayResult, error) {
	return post[ReplayResult](ctx, c, "/events/"+id.String()+"/replay", r)
}

// ReplayEvents sends many events again.
func (c *Client) ReplayEvents(ctx context.Context, r ReplayManyRequest) (ReplayManyResult, error) {
	return post[ReplayManyResult](ctx, c, "/events/replay", r)
}

// ListDeliveries returns a page of the deliveries that q chooses.
func (c *Client) ListDeliveries(ctx context.Context, q DeliveryQuery) (Page[Delivery], error) {
	return get[Page[Delivery]](ctx, c, "/deliveries", q.values())
}

// GetDelivery returns a delivery and its attempts.
func (c *Client) GetDelivery(ctx context.Context, id tenterhook.ID) (DeliveryDetail, error) {
	return get[DeliveryDetail](ctx, c, "/deliveries/"+id.String(), nil)
}

// RetryDelivery tries a finished delivery again, now.
func (c *Client) RetryDelivery(ctx context.Context, id tenterhook.ID) (Delivery, error) {
	return post[Delivery](ctx, c, "/deliveries/"+id.String()+"/retry", nil)
}

// CancelDelivery stops a delivery that is not finished.
func (c *Client) CancelDelivery(ctx context.Context, id tenterhook.ID) (Delivery, error) {
	return post[Delivery](ctx, c, "/deliveries/"+id.String()+"/cancel", nil)
}

// ListRejections returns the newest refused requests.
func (c *Client) ListRejections(ctx context.Context, q RejectionQuery) (List[Rejection], error) {
	return get[List[Rejection]](ctx, c, "/rejections", q.values())
}

// GetStats counts what is in the store.
func (c *Client) GetStats(ctx context.Context) (Stats, error) {
	return get[Stats](ctx, c, "/stats", nil)
}

// GetVersion says which version runs.
func (c *Client) GetVersion(ctx context.Context) (Version, error) {
	return get[Version](ctx, c, "/version", nil)
}

// ListSources returns the sources of the running configuration.
func (c *Client) ListSources(ctx context.Context) (List[Source], error) {
	return get[List[Source]](ctx, c, "/sources", nil)
}

// ListDestinations returns the destinations of the running configuration and
// what waits for them.
func (c *Client) ListDestinations(ctx context.Context) (List[Destination], error) {
	return get[List[Destination]](ctx, c, "/destinations", nil)
}

// ListRoutes returns the routes of the running configuration.
func (c *Client) ListRoutes(ctx context.Context) (List[Route], error) {
	return get[List[Route]](ctx, c, "/routes", nil)
}

// TestRoutes says what routes would make of an event.
func (c *Client) TestRoutes(ctx context.Context, t RouteTest) (RouteTestResult, error) {
	return post[RouteTestResult](ctx, c, "/routes/test", t)
}

// Reload makes the server read its configuration file again.
func (c *Client) Reload(ctx context.Context) (Reloaded, error) {
	return post[Reloaded](ctx, c, "/reload", nil)
}

func get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	return call[T](ctx, c, http.MethodGet, path, query, nil)
}

func post[T any](ctx context.Context, c *Client, path string, in any) (T, error) {
	return call[T](ctx, c, http.MethodPost, path, nil, in)
}

// call makes a request and reads its answer as JSON.
func call[T any](ctx context.Context, c *Client, method, path string, query url.Values, in any) (T, error) {
	var out T
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	answer, err := c.send(ctx, method, path, query, in)
	if err != nil {
		return out, err
	}
	defer closeBody(answer)
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode(&out); err != nil {
		return out, fmt.Errorf("read answer to %s %s: %w", method, path, err)
	}
	return out, nil
}

// send makes a request. Without an error, the status is 200 and the caller
// closes the answer's body.
func (c *Client) send(ctx context.Context, method, path string, query url.Values, in any) (*http.Response, error) {
	target := c.base + Prefix + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	var content bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&content).Encode(in); err != nil {
			return nil, fmt.Errorf("write request %s %s: %w", method, path, err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, target, &content)
	if err != nil {
		return nil, fmt.Errorf("make request %s %s: %w", method, path, err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if answer.StatusCode != http.StatusOK {
		defer closeBody(answer)
		return nil, readProblem(answer)
	}
	return answer, nil
}

// unreachable says where the server was looked for and why it was not found.
func (c *Client) unreachable(err error) error {
	if known, ok := errors.AsType[*url.Error](err); ok {
		err = known.Err // without the method and the whole address again
	}
	return fmt.Errorf("%w at %s: %w", ErrUnreachable, c.base, err)
}

// readProblem returns the error that an answer stands for, also if it comes from
// something else than our handler.
func readProblem(answer *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxProblem))
	p := &Problem{}
	if err == nil && json.Unmarshal(text, p) == nil && p.Code != "" {
		return p
	}
	return newProblem(answer.StatusCode, CodeInternal,
		fmt.Sprintf("the server answered %s and not as Tenterhook does: %q", answer.Status, clipText(text)),
		"is there a Tenterhook server at this address?")
}

func clipText(b []byte) string {
	const most = 200
	return string(bytes.ToValidUTF8(b[:min(len(b), most)], nil))
}

func closeBody(r *http.Response) {
	_ = r.Body.Close() // it was read as far as it matters
}
