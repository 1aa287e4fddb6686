package capture

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The parts of a HAR file, version 1.2, that say what was sent.
type (
	harFile struct {
		Log     *harLog    `json:"log"`
		Entries []harEntry `json:"entries"`
		harEntry
	}
	harLog struct {
		Entries []harEntry `json:"entries"`
	}
	harEntry struct {
		Started time.Time   `json:"startedDateTime"` //nolint:tagliatelle // the format's name
		Request *harRequest `json:"request"`
	}
	harRequest struct {
		Method   string      `json:"method"`
		URL      string      `json:"url"`
		Headers  []harPair   `json:"headers"`
		PostData harPostData `json:"postData"` //nolint:tagliatelle // the format's name
		BodySize *int        `json:"bodySize"` //nolint:tagliatelle // the format's name
	}
	harPostData struct {
		Text     string    `json:"text"`
		Encoding string    `json:"encoding"` // not of the format, but written by some
		Params   []harPair `json:"params"`
	}
	harPair struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

// detectJSON tells a HAR file from a line of vectors by their keys.
func detectJSON(text []byte) Format {
	var probe map[string]json.RawMessage
	if json.NewDecoder(bytes.NewReader(text)).Decode(&probe) != nil {
		return Auto
	}
	for format, keys := range map[Format][]string{
		HAR:    {"log", "entries", "request", "postData"},
		Vector: {"body_base64", "provider"},
	} {
		for _, key := range keys {
			if _, ok := probe[key]; ok {
				return format
			}
		}
	}
	if _, ok := probe["httpVersion"]; ok {
		return HAR
	}
	return Auto
}

func readHAR(data []byte, choice string) (*Capture, *Error) {
	data = bytes.TrimPrefix(data, []byte(markOfUTF8))
	var file harFile
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, unreadable("", "it is not a HAR file: %v", err)
	}
	entries := file.Entries
	switch {
	case file.Log != nil:
		entries = file.Log.Entries
	case file.Request != nil:
		entries = []harEntry{file.harEntry}
	case entries == nil: // the request itself
		var request harRequest
		if err := json.Unmarshal(data, &request); err != nil || request.Method == "" {
			return nil, unreadable("", "it is JSON, and has neither entries nor a request")
		}
		entries = []harEntry{{Request: &request}}
	}
	e, err := chooseEntry(entries, choice)
	if err != nil {
		return nil, err
	}
	return e.capture()
}

// chooseEntry returns the entry that is meant: the only one, or the one that
// choice names by its number or by a part of its URL.
func chooseEntry(entries []harEntry, choice string) (harEntry, *Error) {
	return chooseOne(entries, choice, func(e harEntry) string {
		if e.Request == nil {
			return ""
		}
		return e.Request.Method + " " + e.Request.URL
	})
}

// chooseOne returns the item that is meant: the only one, or the one that choice
// names by its number from 1, or by a part of its label.
func chooseOne[T any](items []T, choice string, label func(T) string) (T, *Error) {
	const most = 5
	var none T
	var matching []int
	for i, item := range items {
		if choice != "" && label(item) == choice {
			return item, nil
		}
		if strings.Contains(label(item), choice) {
			matching = append(matching, i)
		}
	}
	if n, err := strconv.Atoi(choice); err == nil {
		if n < 1 || n > len(items) {
			return none, unreadable("", "there is no entry %d, but %s", n, plural(len(items), "entry", "entries"))
		}
		return items[n-1], nil
	}
	switch len(matching) {
	case 1:
		return items[matching[0]], nil
	case 0:
		return none, unreadable("", "none of its %s has %q", plural(len(items), "entry", "entries"), clip(choice))
	}
	lines := make([]string, 0, most+1)
	for _, i := range matching[:min(len(matching), most)] {
		lines = append(lines, fmt.Sprintf("%d %s", i+1, clip(label(items[i]))))
	}
	if len(matching) > most {
		lines = append(lines, "...")
	}
	return none, unreadable("choose one with --entry: "+strings.Join(lines, ", "), "it has %s, and one is to be verified",
		plural(len(matching), "entry that may be meant", "entries that may be meant"))
}

func (e harEntry) capture() (*Capture, *Error) {
	r := e.Request
	if r == nil {
		return nil, unreadable("", "the entry has no request")
	}
	m := newMessage()
	m.method, m.target = r.Method, r.URL
	for _, pair := range r.Headers {
		if strings.HasPrefix(pair.Name, ":") {
			continue // said by method and url as well
		}
		m.add(pair.Name, pair.Value)
	}
	body, notes, err := r.PostData.bytes()
	if err != nil {
		return nil, err
	}
	m.body = body
	if r.BodySize != nil && *r.BodySize >= 0 && *r.BodySize != len(body) {
		notes = append(notes, fmt.Sprintf("the HAR file says that the body had %s, and holds %d: it does not have the bytes that were sent",
			plural(*r.BodySize, "byte", "bytes"), len(body)))
	}
	c := &Capture{Format: HAR, Time: e.Started, Notes: notes, Request: m.request()}
	if c.Time.IsZero() {
		c.Time = dateOf(m.header)
	}
	return c, nil
}

// bytes returns the body, as far as a HAR file has it.
func (p harPostData) bytes() (body []byte, notes []string, err *Error) {
	switch {
	case p.Encoding == "base64":
		body, bad := base64.StdEncoding.DecodeString(p.Text)
		if bad != nil {
			return nil, nil, unreadable("", "postData.text is not base64, as postData.encoding says")
		}
		return body, nil, nil
	case p.Encoding != "":
		return nil, nil, unreadable("", "postData.encoding is %q, and only base64 is known", clip(p.Encoding))
	case p.Text == "" && len(p.Params) > 0:
		pairs := make([]string, len(p.Params))
		for i, param := range p.Params {
			pairs[i] = url.QueryEscape(param.Name) + "=" + url.QueryEscape(param.Value)
		}
		return []byte(strings.Join(pairs, "&")), []string{
			"the HAR file has the form's fields and not its bytes; they were put together again, perhaps otherwise than the sender did",
		}, nil
	case strings.ContainsRune(p.Text, utf8.RuneError):
		notes = append(notes, "the HAR file keeps text: bytes of the body that are not UTF-8 are lost, and were replaced by U+FFFD")
	}
	return []byte(p.Text), notes, nil
}

// dateOf returns the time of a Date header, or the zero time.
func dateOf(h http.Header) time.Time {
	t, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t
}
