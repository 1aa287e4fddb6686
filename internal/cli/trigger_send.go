package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/tenterhook/tenterhook/internal/egress"
	"github.com/tenterhook/tenterhook/signature"
)

// triggered is one sample that was sent, and its answer.
type triggered struct {
	Provider   string `json:"provider"`
	Event      string `json:"event"`
	DeliveryID string `json:"delivery_id"`
	URL        string `json:"url"`
	Bytes      int    `json:"bytes"` // of the payload
	Status     int    `json:"status"`
	Answer     string `json:"answer"` // the beginning of the answer's body

	// What follows is there only if the request was tampered with.
	Tamper string `json:"tamper,omitempty"`
	Passed *bool  `json:"passed,omitempty"` // the receiver did what it must
	Note   string `json:"note,omitempty"`   // why

	event     string // the id that a gateway gave the event
	duplicate bool   // the answer says that the event was there already
}

// The headers in which a gateway says what became of an event where the provider
// wants the body to be another.
const (
	headerEvent     = "Tenterhook-Event"
	headerDuplicate = "Tenterhook-Duplicate"
)

// send sends the request once and returns the answer, whatever it is.
func (t triggerTarget) send(ctx context.Context, r outgoing) (triggered, error) {
	done := triggered{Provider: t.scheme.Name(), Event: r.event, DeliveryID: r.deliveryID, Bytes: len(r.Body)}
	to, err := t.destination(r.Request)
	if err != nil {
		return done, err
	}
	done.URL = t.url.Redacted() // without the query, in which a token may be
	timeout := fmt.Errorf("no answer within %s", triggerTimeout)
	limited, cancel := context.WithTimeoutCause(ctx, triggerTimeout, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(limited, r.Method, to.String(), bytes.NewReader(r.Body))
	if err != nil {
		return done, fmt.Errorf("make request: %w", err)
	}
	req.Header = r.Header
	resp, err := t.client.Do(limited, req, egress.PermitLiteral(t.url))
	if err != nil {
		return done, unreachable(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }() // what matters of it was read
	const most = 64 << 10
	answer, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return done, unreachable(ctx, fmt.Errorf("read answer: %w", err))
	}
	done.Status, done.Answer = resp.StatusCode, string(answer)
	done.event, done.duplicate = resp.Header.Get(headerEvent), resp.Header.Get(headerDuplicate) == "true"
	if gjson.ValidBytes(answer) {
		if id := gjson.GetBytes(answer, "id").String(); done.event == "" {
			done.event = id
		}
		done.duplicate = done.duplicate || gjson.GetBytes(answer, "duplicate").Bool()
	}
	return done, nil
}

// unreachable says why nothing was answered.
func unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	hint := "is it running, and does it listen there?"
	if _, blocked := errors.AsType[*egress.BlockedError](err); blocked {
		hint = "without https, or inside of a private network, write the address itself: http://ADDRESS:PORT/..."
	}
	return &failure{exit: exitUnreachable, err: err, hint: hint}
}

func (d triggered) accepted() bool { return d.Status >= 200 && d.Status <= 299 }

// refused reports whether the receiver looked at the request and did not want it.
// Other answers of 4xx say that it was not looked at.
func (d triggered) refused() bool {
	switch d.Status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge,
		http.StatusTooManyRequests:
		return false
	}
	return d.Status >= 400 && d.Status <= 499
}

// eventID is the id that a gateway gave the event, or "".
func (d triggered) eventID() string {
	if !strings.HasPrefix(d.event, "evt_") {
		return ""
	}
	return d.event
}

func (d triggered) print(u *ui) error {
	if u.json {
		return u.record(d)
	}
	what := fmt.Sprintf("%s, %s", d.Event, bytesText(int64(d.Bytes)))
	if d.Tamper != "" {
		what += ", " + spoilt(d.Tamper)
	}
	if d.DeliveryID != "" {
		what += ", as " + d.DeliveryID
	}
	u.say("sent %s to %s", what, d.URL)
	mood := good
	if ok := d.accepted(); d.Passed == nil && !ok || d.Passed != nil && !*d.Passed {
		mood = bad
	}
	answer := strings.TrimSuffix(" "+strings.TrimSpace(d.Answer), " ")
	if err := u.line(span{mood, strconv.Itoa(d.Status)}, text("%s", answer)); err != nil || d.Passed == nil {
		return err
	}
	verdict := span{good, "passed"}
	if !*d.Passed {
		verdict = span{bad, "failed"}
	}
	return u.line(verdict, text(": %s", d.Note))
}

// hint says what to do about an answer that is not 2xx.
func (d triggered) hint(scheme *signature.Scheme) string {
	switch {
	case d.Status == http.StatusNotFound:
		return "the path of a source is /webhook/NAME"
	case !d.refused():
		return ""
	case scheme.SignsURL():
		return "the receiver has another secret, or takes another URL for its own: compare --secret, and --url with its public_url"
	case scheme.Public():
		return "the receiver has another public key: compare it with the private key that --secret refers to"
	case d.Status == http.StatusUnauthorized:
		return "the receiver signs with another secret: compare --secret, or the configuration, with what it was started with"
	}
	return ""
}
