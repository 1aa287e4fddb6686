package capture

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// readHTTP reads the bytes of a request. Line ends are CRLF or LF; the request
// line may be missing, as when somebody copied the headers only.
func readHTTP(data []byte) (*Capture, *Error) {
	m := newMessage()
	rest := bytes.TrimLeft(bytes.TrimPrefix(data, []byte(markOfUTF8)), blankAtStart)
	if line, after, err := nextLine(rest); err == nil && requestLine.MatchString(line) {
		parts := strings.Fields(line)
		m.method, m.target = parts[0], parts[1]
		rest = after
	}
	rest, err := m.readHeaders(rest)
	if err != nil {
		return nil, err
	}
	c := &Capture{Format: HTTP, Time: dateOf(m.header)}
	c.Notes = m.readBody(rest)
	c.Request, c.Rest = m.request(), m.rest
	return c, nil
}

// nextLine takes a line off data, without its end.
func nextLine(data []byte) (line string, rest []byte, err *Error) {
	end := bytes.IndexByte(data, '\n')
	if end < 0 {
		end = len(data)
	} else {
		rest = data[end+1:]
	}
	if end > maxLine {
		return "", nil, unreadable("", "a line before the body is longer than %d KiB", maxLine>>10)
	}
	return string(bytes.TrimSuffix(data[:end], []byte("\r"))), rest, nil
}

// readHeaders reads up to the empty line and returns what follows it.
func (m *message) readHeaders(data []byte) ([]byte, *Error) {
	var pending string // a line that the next one may go on
	n := 0
	flush := func() *Error {
		if pending == "" {
			return nil
		}
		n++
		if n > maxHeaders {
			return unreadable("", "the request has more than %d headers", maxHeaders)
		}
		return m.addHeader(pending)
	}
	for len(data) > 0 {
		line, rest, err := nextLine(data)
		if err != nil {
			return nil, err
		}
		data = rest
		if pending != "" && (strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")) && strings.TrimSpace(line) != "" {
			pending += " " + strings.TrimSpace(line)
			if len(pending) > maxLine {
				return nil, unreadable("", "a header is longer than %d KiB", maxLine>>10)
			}
			continue
		}
		if err := flush(); err != nil {
			return nil, err
		}
		if pending = line; line == "" {
			return data, nil
		}
	}
	return nil, flush()
}

// readBody takes the body out of what follows the headers, and says what of it
// is in doubt.
func (m *message) readBody(rest []byte) (notes []string) {
	if strings.EqualFold(m.header.Get("Transfer-Encoding"), "chunked") {
		if body, ok := dechunk(rest); ok {
			m.body = body
			return nil
		}
		notes = append(notes, "the headers say that the body is chunked, and it is not any more; it is taken as it is")
	}
	m.body = rest
	length, known := contentLength(m.header)
	switch {
	case !known || length == len(rest):
	case length < len(rest):
		m.body, m.rest = rest[:length], rest[length:]
		notes = append(notes, fmt.Sprintf("%s after the %s that Content-Length says; left out",
			plural(len(rest)-length, "byte follows", "bytes follow"), plural(length, "byte", "bytes")))
	default:
		notes = append(notes, fmt.Sprintf("the body has %s, and Content-Length says %d: it was cut short or rewritten",
			plural(len(rest), "byte", "bytes"), length))
	}
	return notes
}

func contentLength(h http.Header) (int, bool) {
	n, err := strconv.ParseUint(h.Get("Content-Length"), 10, 31)
	return int(n), err == nil
}

// dechunk decodes a body in chunks, RFC 9112 section 7.1. Trailers are not of
// interest.
func dechunk(data []byte) ([]byte, bool) {
	var body []byte
	for {
		line, rest, err := nextLine(data)
		if err != nil {
			return nil, false
		}
		size, _, _ := strings.Cut(line, ";")
		n, bad := strconv.ParseUint(strings.TrimSpace(size), 16, 31)
		if bad != nil || n > uint64(len(rest)) {
			return nil, false
		}
		if n == 0 {
			return body, true
		}
		body = append(body, rest[:n]...)
		rest = rest[n:]
		switch {
		case bytes.HasPrefix(rest, []byte("\r\n")):
			data = rest[2:]
		case bytes.HasPrefix(rest, []byte("\n")):
			data = rest[1:]
		default:
			return nil, false
		}
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
