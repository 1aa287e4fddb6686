package capture

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// A Line is a line of JSON with a request and all that is needed to verify it.
type Line struct {
	ID       string
	Provider string
	Kind     string // "request" or "handshake"
	Secrets  []string
	Settings map[string]string // the texts of "config"
	Certs    map[string]string // certificates and key sets by the URL they are at
	Now      time.Time         // the receiver's; zero if the line does not say
	Request  *signature.Request
}

// KindHandshake is the kind of a line that is to be answered, not only verified.
const KindHandshake = "handshake"

// rawLine is a Line as it is written.
type rawLine struct {
	ID         string                     `json:"id"`
	Provider   string                     `json:"provider"`
	Kind       string                     `json:"kind"`
	Method     string                     `json:"method"`
	URL        string                     `json:"url"`
	Headers    [][2]string                `json:"headers"`
	BodyBase64 string                     `json:"body_base64"`
	Secrets    []string                   `json:"secrets"`
	Config     map[string]json.RawMessage `json:"config"`
	Now        json.Number                `json:"now"`
}

// ParseLine reads a line. If it cannot be read, the Line has what of it can be:
// its id.
func ParseLine(text []byte) (Line, error) {
	var raw rawLine
	if err := json.Unmarshal(text, &raw); err != nil {
		return Line{ID: idOf(text)}, fmt.Errorf("it is not a line of vectors: %w", err)
	}
	line := Line{
		ID: raw.ID, Provider: raw.Provider, Kind: raw.Kind, Secrets: raw.Secrets,
		Settings: map[string]string{}, Certs: map[string]string{},
	}
	if raw.Provider == "" {
		return line, errors.New("it names no provider")
	}
	body, err := base64.StdEncoding.DecodeString(raw.BodyBase64)
	if err != nil {
		return line, fmt.Errorf("body_base64: %w", err)
	}
	if raw.Now != "" {
		at, err := raw.Now.Float64()
		if err != nil || at < -maxUnix || at > maxUnix {
			return line, errors.New("now is not a time in seconds since 1970")
		}
		line.Now = time.UnixMilli(int64(at * 1000))
	}
	line.Request = &signature.Request{Method: raw.Method, URL: raw.URL, Header: make(http.Header, len(raw.Headers)), Body: body}
	for _, pair := range raw.Headers {
		name := textproto.CanonicalMIMEHeaderKey(pair[0])
		line.Request.Header[name] = append(line.Request.Header[name], pair[1])
	}
	for name, value := range raw.Config {
		if err := line.set(name, value); err != nil {
			return line, err
		}
	}
	return line, nil
}

// maxUnix is the year 9999.
const maxUnix = 253402300799

// set takes a value of "config". What is neither text nor known has no use.
func (l *Line) set(name string, value json.RawMessage) error {
	var text string
	isText := json.Unmarshal(value, &text) == nil
	switch {
	case name == "certs" || name == "jwks":
		var documents map[string]json.RawMessage
		if err := json.Unmarshal(value, &documents); err != nil {
			return fmt.Errorf("config.%s is not an object of URLs: %w", name, err)
		}
		for url, document := range documents {
			var text string
			if json.Unmarshal(document, &text) != nil {
				text = string(document)
			}
			l.Certs[url] = text
		}
	case !isText:
	case name == "url" && l.Kind != KindHandshake: // in a handshake, the query is what the sender adds to it
		l.Request.URL = text
	default:
		l.Settings[name] = text
	}
	return nil
}

// idOf finds the id of a line that cannot be read as a whole.
func idOf(text []byte) string {
	var probe struct {
		ID json.RawMessage `json:"id"`
	}
	var id string
	if json.Unmarshal(text, &probe) == nil && json.Unmarshal(probe.ID, &id) == nil {
		return id
	}
	return ""
}

// readVector reads one of the lines in data.
func readVector(data []byte, choice string) (*Capture, *Error) {
	var lines [][]byte
	for text := range bytes.Lines(bytes.TrimPrefix(data, []byte(markOfUTF8))) {
		if text = bytes.TrimSpace(text); len(text) > 0 {
			lines = append(lines, text)
		}
	}
	if len(lines) > 1 && json.Valid(data) { // one, over several lines
		lines = [][]byte{data}
	}
	if len(lines) > 1 && choice == "" {
		return nil, unreadable("--batch judges all of them; --entry N or --entry ID chooses one", "it has %d lines", len(lines))
	}
	text, problem := chooseOne(lines, choice, idOf)
	if problem != nil {
		return nil, problem
	}
	line, err := ParseLine(text)
	if err != nil {
		return nil, unreadable("", "%v", err)
	}
	return &Capture{Format: Vector, Request: line.Request, Time: line.Now, Line: &line}, nil
}

// Fetch returns the document of the line's own that is at url. It makes a Line
// the Fetcher of its scheme.
func (l *Line) Fetch(url string) ([]byte, error) {
	if document, ok := l.Certs[url]; ok {
		return []byte(document), nil
	}
	return nil, fmt.Errorf("the line holds no document for %q", clip(strings.ToValidUTF8(url, "?")))
}
