package provider

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

// parse reads a provider's file. The format is described in the package comment.
func parse(name string, text []byte) (*Provider, error) {
	archive := txtar.Parse(text)
	p := &Provider{Name: name}
	if err := p.describe(string(archive.Comment)); err != nil {
		return nil, fmt.Errorf("read %s.txt: %w", name, err)
	}
	for _, file := range archive.Files {
		e, err := parseEvent(file.Name, file.Data)
		if err != nil {
			return nil, fmt.Errorf("read %s.txt: sample %q: %w", name, file.Name, err)
		}
		p.Events = append(p.Events, e)
	}
	return p, nil
}

// describe fills p from the lines at the top of the file.
func (p *Provider) describe(comment string) error {
	for line := range strings.Lines(comment) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		key, value, _ := strings.Cut(line, ":")
		if value = strings.TrimSpace(value); value == "" {
			return fmt.Errorf("line %q is not KEY: TEXT", line)
		}
		switch key {
		case "title":
			p.Title = value
		case "docs":
			p.Docs = value
		case "secret":
			p.Secret = value
		case "setup":
			p.Setup = append(p.Setup, value)
		case "setting":
			name, about, ok := strings.Cut(value, " ")
			if !ok {
				return fmt.Errorf("setting %q says nothing about itself", name)
			}
			p.Settings = append(p.Settings, Setting{Name: name, About: about})
		default:
			return fmt.Errorf("there is no key %q: write title, docs, secret, setup or setting", key)
		}
	}
	return nil
}

// parseEvent reads a sample: query, headers, an empty line, the body.
func parseEvent(typ string, text []byte) (Event, error) {
	e := Event{Type: typ}
	if line, rest, ok := bytes.Cut(text, []byte("\n")); ok && bytes.HasPrefix(line, []byte("?")) {
		e.Query, text = string(line[1:]), rest
	}
	head, body, ok := bytes.Cut(text, []byte("\n\n"))
	if !ok {
		return e, errors.New("no empty line ends the headers")
	}
	header, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(head, "\n\n"...)))).ReadMIMEHeader()
	if err != nil {
		return e, fmt.Errorf("read headers: %w", err)
	}
	e.Header = http.Header(header)
	e.Body, err = wireBody(e.Header.Get("Content-Type"), body)
	return e, err
}

// wireBody turns a body as it is written into one as it is sent.
func wireBody(contentType string, written []byte) ([]byte, error) {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, fmt.Errorf("read Content-Type: %w", err)
	}
	switch {
	case media == "application/json" || strings.HasSuffix(media, "+json"):
		var compact bytes.Buffer
		if err := json.Compact(&compact, written); err != nil {
			return nil, fmt.Errorf("read body: %w", err)
		}
		return compact.Bytes(), nil
	case media == "application/x-www-form-urlencoded":
		return encodeForm(string(written))
	default:
		return bytes.TrimSuffix(written, []byte("\n")), nil
	}
}

// encodeForm encodes one KEY=VALUE per line, in the order in which they are
// written.
func encodeForm(written string) ([]byte, error) {
	var fields []string
	for line := range strings.Lines(written) {
		if line = strings.TrimSuffix(line, "\n"); line == "" {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("read body: line %q is not KEY=VALUE", line)
		}
		fields = append(fields, url.QueryEscape(key)+"="+url.QueryEscape(value))
	}
	return []byte(strings.Join(fields, "&")), nil
}
