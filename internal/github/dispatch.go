package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// The published limits of a repository_dispatch.
const (
	MaxEventType   = 100        // characters of the event's type
	MaxPayloadKeys = 10         // keys of the client payload, at its top
	MaxPayload     = 64<<10 - 1 // bytes of it
)

// A Dispatch starts the workflows of a repository that run on
// repository_dispatch, of that type.
type Dispatch struct {
	Repository string          // as OWNER/REPO
	EventType  string          // what the workflows listen for
	Payload    json.RawMessage // a JSON object, github.event.client_payload in a workflow; nil is none
}

// repository is what GitHub takes as the name of an owner and of a repository.
const repository = `^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?/[A-Za-z0-9._-]{1,100}$`

// Validate reports why GitHub would refuse d, as far as it can be told from here.
func (d Dispatch) Validate() error {
	_, name, _ := strings.Cut(d.Repository, "/")
	switch n := utf8.RuneCountInString(d.EventType); {
	case !regexp.MustCompile(repository).MatchString(d.Repository) || name == "." || name == "..":
		return fmt.Errorf("%q is not a repository, such as octo-org/hello-world", d.Repository)
	case n == 0:
		return errors.New("the event's type is empty")
	case n > MaxEventType:
		return fmt.Errorf("the event's type has %d characters, and at most %d are taken", n, MaxEventType)
	case !utf8.ValidString(d.EventType):
		return errors.New("the event's type is not UTF-8")
	case d.Payload == nil:
		return nil
	}
	return validatePayload(d.Payload)
}

func validatePayload(payload json.RawMessage) error {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(payload, &keys); err != nil || keys == nil {
		return errors.New("the client payload is not a JSON object")
	}
	if n := len(keys); n > MaxPayloadKeys {
		return fmt.Errorf("the client payload has %d keys at its top, and at most %d are taken; put them into an object below one key",
			n, MaxPayloadKeys)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, payload); err != nil {
		return fmt.Errorf("the client payload: %w", err)
	}
	if n := compact.Len(); n > MaxPayload {
		return fmt.Errorf("the client payload has %d bytes, and at most %d are taken", n, MaxPayload)
	}
	return nil
}

// Dispatch sends d. GitHub answers before it looks for workflows, so nil says
// that the event was taken, and not that there is a workflow which it starts. The
// error is that of [Dispatch.Validate], an [*Error], or the Doer's.
func (c *Client) Dispatch(ctx context.Context, d Dispatch) error {
	if err := d.Validate(); err != nil {
		return err
	}
	body := struct {
		EventType string          `json:"event_type"`
		Payload   json.RawMessage `json:"client_payload,omitempty"`
	}{d.EventType, d.Payload}
	return c.post(ctx, "/repos/"+d.Repository+"/dispatches", body)
}
