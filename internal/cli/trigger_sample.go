package cli

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/tenterhook/tenterhook/internal/provider"
	"github.com/tenterhook/tenterhook/internal/sample"
	"github.com/tenterhook/tenterhook/signature"
)

// An eventSample is an event that a provider could send.
type eventSample struct {
	provider.Event

	scheme *signature.Scheme
	github *sample.Payload // nil unless it is one of GitHub's own
}

// A freshEvent is a sample with an id of its own.
type freshEvent struct {
	provider.Event

	name string // as the user would write it
	id   string // the delivery's
}

// eventNames returns the events that there are samples of.
func eventNames(scheme *signature.Scheme) []string {
	if scheme.Name() == signature.GitHub.Name() {
		return sampleNames()
	}
	p, ok := provider.Lookup(scheme.Name())
	if !ok {
		return []string{general().Type}
	}
	names := make([]string, len(p.Events))
	for i, e := range p.Events {
		names[i] = e.Type
	}
	return names
}

func sampleNames() []string {
	events := sample.Events()
	names := make([]string, len(events))
	for i, name := range events {
		names[i] = name.String()
	}
	return names
}

// general is the sample for schemes that there is none of, such as those that a
// configuration file describes.
func general() provider.Event {
	return provider.Event{
		Type:   "test",
		Header: http.Header{"Content-Type": {"application/json"}, "User-Agent": {"tenterhook"}},
		Body:   []byte(`{"id":"evt_0000000000000000","type":"test","data":{"message":"Sent by tenterhook trigger"}}`),
	}
}

// findSample returns the sample that is named. Without a name it is the first one,
// but for GitHub, which has many.
func findSample(scheme *signature.Scheme, name string) (eventSample, error) {
	if scheme.Name() == signature.GitHub.Name() {
		return findGitHubSample(scheme, name)
	}
	p, ok := provider.Lookup(scheme.Name())
	if !ok {
		p = &provider.Provider{Name: scheme.Name(), Events: []provider.Event{general()}}
	}
	e, ok := p.Event(name)
	if !ok {
		names := eventNames(scheme)
		hint := "events: " + joined(names)
		if near := provider.Near(name, names); len(near) > 0 {
			hint = "did you mean " + strings.Join(near, ", ") + "?"
		}
		return eventSample{}, usageError(hint, "no sample of the event %q of %s", name, scheme.Name())
	}
	return eventSample{Event: e, scheme: scheme}, nil
}

// findGitHubSample returns the payload that EVENT[.ACTION] names.
func findGitHubSample(scheme *signature.Scheme, name string) (eventSample, error) {
	const list = "tenterhook trigger github --list shows what there is"
	if name == "" {
		return eventSample{}, usageError(list, "which event? None is named")
	}
	n := sample.ParseName(name)
	payload, err := sample.GitHub(n.Event, n.Action)
	if unknown, ok := errors.AsType[*sample.UnknownError](err); ok && len(unknown.Near) > 0 {
		near := make([]string, len(unknown.Near))
		for i, name := range unknown.Near {
			near[i] = name.String()
		}
		return eventSample{}, usageError("did you mean "+strings.Join(near, ", ")+"? "+list, "%w", err)
	}
	if err != nil {
		return eventSample{}, usageError(list, "%w", err)
	}
	e := provider.Event{Type: payload.String(), Header: payload.Header(""), Body: payload.Body}
	return eventSample{Event: e, scheme: scheme, github: &payload}, nil
}

// set sets each PATH=VALUE in the body. A value that is JSON is set as it is, any
// other as text.
func (s *eventSample) set(assignments []string) error {
	for _, assignment := range assignments {
		path, value, ok := strings.Cut(assignment, "=")
		if !ok || path == "" {
			return usageError("write PATH=VALUE, such as --set ref=refs/heads/main", "--set %q sets nothing", assignment)
		}
		if err := s.setValue(path, value); err != nil {
			return usageError("a path is names and numbers with dots between, such as commits.0.message",
				"--set %q: %w", assignment, err)
		}
	}
	if s.github != nil {
		s.github.Body, s.github.Action = s.Body, gjson.GetBytes(s.Body, "action").String()
		s.Type = s.github.String()
	}
	return nil
}

var errNoFields = errors.New("the payload is neither JSON nor a form")

func (s *eventSample) setValue(path, value string) (err error) {
	media, _, err := mime.ParseMediaType(s.Header.Get("Content-Type"))
	switch {
	case err == nil && media == "application/x-www-form-urlencoded":
		s.Body = setField(s.Body, path, value)
		return nil
	case !json.Valid(s.Body):
		return errNoFields
	}
	if raw := new(bytes.Buffer); json.Compact(raw, []byte(value)) == nil {
		s.Body, err = sjson.SetRawBytes(s.Body, path, raw.Bytes())
	} else {
		s.Body, err = sjson.SetBytes(s.Body, path, strings.ToValidUTF8(value, "\uFFFD"))
	}
	return err
}

// setField sets a field of a form, in its place if it is there.
func setField(form []byte, name, value string) []byte {
	field := url.QueryEscape(name) + "=" + url.QueryEscape(value)
	pairs := strings.Split(string(form), "&")
	i := slices.IndexFunc(pairs, func(pair string) bool {
		key, _, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(key)
		return err == nil && key == name
	})
	if i < 0 {
		return []byte(strings.Join(append(pairs, field), "&"))
	}
	pairs[i] = field
	return []byte(strings.Join(pairs, "&"))
}

// fresh returns the event with that id or, if it is empty, with a new one.
func (s *eventSample) fresh(id string) freshEvent {
	if s.github != nil {
		id = cmp.Or(id, sample.NewDeliveryID())
		e := s.Event
		e.Header = s.github.Header(id)
		return freshEvent{Event: e, name: s.Type, id: id}
	}
	identify := func(e provider.Event) string {
		_, _, id := s.scheme.Identify(requestOf(e, "https://hooks.example.com/"))
		return id
	}
	old := identify(s.Event)
	switch {
	case id != "":
		return freshEvent{Event: s.WithID(old, id), name: s.Type, id: id}
	case old == "":
		return freshEvent{Event: s.Renew(""), name: s.Type, id: "msg_" + rand.Text()}
	}
	e := s.Renew(old)
	return freshEvent{Event: e, name: s.Type, id: identify(e)}
}

// requestOf is e as it is posted to an address, not signed yet.
func requestOf(e provider.Event, address string) *signature.Request {
	if u, err := url.Parse(address); err == nil && e.Query != "" {
		u.RawQuery = strings.Trim(u.RawQuery+"&"+e.Query, "&")
		address = u.String()
	}
	return &signature.Request{Method: http.MethodPost, URL: address, Header: e.Header, Body: e.Body}
}
