package github

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tenterhook/tenterhook/internal/outbound"
)

// maxWait bounds what is believed of how long to wait. Limits are per hour.
const maxWait = 24 * time.Hour

// A Limit is a bound on how many requests are taken.
type Limit string

// The limits of GitHub's API.
const (
	LimitNone      Limit = ""          // none was met
	LimitPrimary   Limit = "primary"   // so many requests an hour
	LimitSecondary Limit = "secondary" // too many at a time, or too much at once
)

// An Error is an answer that is not 2xx.
type Error struct {
	Status     int
	Message    string        // what GitHub says, with what is wrong with which field
	RequestID  string        // by which GitHub's support finds it
	Limit      Limit         // which limit was met
	RetryAfter time.Duration // when to try again, if a limit was met
	Scopes     string        // what the token needs, if GitHub says so
}

// Error says what was answered.
func (e *Error) Error() string {
	text := "GitHub answered " + strings.TrimSpace(strconv.Itoa(e.Status)+" "+http.StatusText(e.Status))
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Limit != LimitNone {
		text += fmt.Sprintf(" (%s rate limit; try again in %v)", e.Limit, e.RetryAfter.Round(time.Second))
	}
	return text
}

// Temporary reports whether the same request may succeed later.
func (e *Error) Temporary() bool { return e.Limit != LimitNone || e.Status >= 500 }

// Hint says what to do about it.
func (e *Error) Hint() string {
	switch {
	case e.Limit == LimitPrimary:
		return "the token has used its requests of this hour; another user's or an App's has its own"
	case e.Limit == LimitSecondary:
		return "send fewer requests at a time"
	case e.Status == http.StatusUnauthorized:
		return "the token is not valid: it may have expired or been revoked"
	case e.Status == http.StatusForbidden && e.Scopes != "":
		return "the token needs: " + e.Scopes
	case e.Status == http.StatusForbidden:
		return "the token needs write access to the repository's contents, and, with SAML, to be authorized for the organization"
	case e.Status == http.StatusNotFound:
		return "is OWNER/REPO right, and may the token see it? GitHub says the same for both"
	case e.Status/100 == 3:
		return "the repository was renamed or moved; use its new name"
	case e.Status >= 500:
		return "GitHub may have taken it all the same; https://www.githubstatus.com says how it is"
	}
	return ""
}

// refusal reads an answer that is not 2xx.
func (c *Client) refusal(resp *http.Response, answer []byte) error {
	e := &Error{
		Status: resp.StatusCode, Message: message(answer), RequestID: resp.Header.Get("X-Github-Request-Id"),
		Scopes: resp.Header.Get("X-Accepted-Github-Permissions"),
	}
	if e.Status != http.StatusForbidden && e.Status != http.StatusTooManyRequests {
		return e
	}
	// As GitHub asks of its clients: wait for Retry-After; else, if nothing remains,
	// until the reset; else, at a secondary limit, at least a minute.
	after := outbound.RetryAfter(resp.Header.Get("Retry-After"), c.now(), maxWait)
	remaining := resp.Header.Get("X-Ratelimit-Remaining")
	secondary := strings.Contains(strings.ToLower(e.Message), "secondary rate limit")
	switch {
	case after > 0:
		e.Limit, e.RetryAfter = LimitSecondary, after
	case remaining == "0":
		e.Limit, e.RetryAfter = LimitPrimary, c.untilReset(resp.Header.Get("X-Ratelimit-Reset"))
		if secondary {
			e.Limit = LimitSecondary
		}
	case secondary || e.Status == http.StatusTooManyRequests:
		e.Limit, e.RetryAfter = LimitSecondary, time.Minute
	}
	return e
}

// untilReset is how long it takes until a time in seconds since 1970.
func (c *Client) untilReset(text string) time.Duration {
	at, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Minute
	}
	return min(max(time.Unix(at, 0).Sub(c.now()), time.Second), maxWait)
}

// message is what an answer says of what is wrong.
func message(answer []byte) string {
	var said struct {
		Message string            `json:"message"`
		Errors  []json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(answer, &said) != nil {
		return ""
	}
	texts := []string{strings.TrimSuffix(said.Message, ".")}
	for _, raw := range said.Errors {
		var one struct {
			Field   string `json:"field"`
			Code    string `json:"code"`
			Message string `json:"message"`
		}
		var plain string
		switch {
		case json.Unmarshal(raw, &plain) == nil:
		case json.Unmarshal(raw, &one) == nil:
			if plain = one.Message; plain == "" {
				plain = strings.TrimSpace(one.Field + " " + one.Code)
			}
		}
		if plain != "" {
			texts = append(texts, plain)
		}
	}
	return strings.Join(texts, "; ")
}
