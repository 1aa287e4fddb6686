package capture

import (
	"bytes"
	"fmt"
	"net/http"
	"net/textproto"
	"regexp"
	"strings"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// MaxSize bounds the bytes of a capture. It is room for the largest webhook
// there is, in base64, and what is around it.
const MaxSize = 64 << 20

const (
	maxHeaders = 1000     // of one request
	maxLine    = 64 << 10 // bytes of a line before the body
)

// A Format is a form in which requests are kept.
type Format string

// The formats.
const (
	Auto    Format = ""           // whichever it is
	HTTP    Format = "http"       // the bytes of HTTP/1.1, or what looks like them
	HAR     Format = "har"        // a HAR file, or one entry of it
	Curl    Format = "curl"       // a curl command
	Verbose Format = "curl-v"     // what curl -v printed, with the body
	Trace   Format = "curl-trace" // what curl --trace wrote
	Vector  Format = "vector"     // a line of JSON, as --batch reads
)

// Formats returns all formats but Auto.
func Formats() []Format { return []Format{HTTP, HAR, Curl, Verbose, Trace, Vector} }

// Options say how to read a capture. The zero value finds out.
type Options struct {
	Format Format
	// Entry chooses one of several requests: its number from 1, or a part of its
	// URL or, for vectors, its id.
	Entry string
	// Body stands in for the body of the capture, unless it is nil.
	Body []byte
}

// A Capture is a request that was kept. Its URL may lack the scheme or the host
// if the form does not have them.
type Capture struct {
	Format  Format
	Request *signature.Request
	Time    time.Time // when it was sent, if the form says so
	Notes   []string  // what the form has lost, or may have
	// Rest is what follows the body that Content-Length says, if anything does.
	Rest []byte
	// Line is what else a line of vectors says. It is nil for other formats.
	Line *Line
}

// An Error says why a capture cannot be read.
type Error struct {
	Message string
	Hint    string // what to do about it; may be empty
}

// Error returns the message.
func (e *Error) Error() string { return "read capture: " + e.Message }

func unreadable(hint, format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...), Hint: hint}
}

// Read reads the request in data. The error is an [*Error].
func Read(data []byte, opts Options) (*Capture, error) {
	c, err := read(data, opts)
	if err != nil {
		return nil, err
	}
	if opts.Body != nil {
		c.Request.Body, c.Rest, c.Notes = opts.Body, nil, nil // all notes are about the body
	}
	if n := headerCount(c.Request.Header); n > maxHeaders {
		return nil, unreadable("", "the request has %d headers, and at most %d are read", n, maxHeaders)
	}
	return c, nil
}

func read(data []byte, opts Options) (*Capture, *Error) {
	if len(data) > MaxSize {
		return nil, unreadable("cut out the one request", "it is larger than %d MiB", MaxSize>>20)
	}
	if opts.Format == Auto {
		opts.Format = Detect(data)
	}
	switch opts.Format {
	case HTTP:
		return readHTTP(data)
	case HAR:
		return readHAR(data, opts.Entry)
	case Curl:
		return readCommand(data, opts.Body != nil)
	case Verbose:
		return readVerbose(data, opts.Body != nil)
	case Trace:
		return readTrace(data)
	case Vector:
		return readVector(data, opts.Entry)
	case Auto:
		return nil, unknownForm(data)
	}
	return nil, unreadable("formats: "+formatList(), "no format is called %q", string(opts.Format))
}

func formatList() string {
	names := make([]string, 0, len(Formats()))
	for _, f := range Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

func unknownForm(data []byte) *Error {
	const forms = "it may be the bytes of an HTTP request, a HAR file, a curl command, the output of curl -v, or a line of vectors; " +
		"--format says which"
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return unreadable(forms, "it is empty")
	case bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")):
		return unreadable("write the file with the program's own option, such as curl --output, or in bash",
			"it is UTF-16, as PowerShell's > writes it, and the bytes of the request are lost")
	}
	return unreadable(forms, "this is not a request in a form that is known")
}

// The first lines of the forms that are not JSON.
var (
	requestLine = regexp.MustCompile(`^[A-Z]{3,16} [!-~]+(?: HTTP/[0-9.]{1,3})?\r?$`)
	headerLine  = regexp.MustCompile("^:?[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}:")
	commandLine = regexp.MustCompile(`^(?:[$%#] *)?curl(?:\.exe)?[ \t\\]`)
	verboseLine = regexp.MustCompile(`^(?:[*<>{}] |>\r?$)`)
	traceLine   = regexp.MustCompile(`^(?:[0-9:.]{8,20} )?(?:== Info:|=> Send |<= Recv )`)
)

const (
	markOfUTF8   = "\xef\xbb\xbf"
	blankAtStart = " \t\r\n"
)

// Detect returns the format of data, or Auto if it is none that is known.
func Detect(data []byte) Format {
	text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte(markOfUTF8)), blankAtStart)
	first, _, _ := bytes.Cut(text[:min(len(text), maxLine)], []byte("\n"))
	switch {
	case bytes.HasPrefix(text, []byte("{")):
		return detectJSON(text)
	case commandLine.Match(first):
		return Curl
	case traceLine.Match(first):
		return Trace
	case verboseLine.Match(first):
		return Verbose
	case requestLine.Match(first), headerLine.Match(first):
		return HTTP
	}
	return Auto
}

// A message is a request whose parts are gathered one by one.
type message struct {
	method, target string
	scheme, host   string // of HTTP/2's pseudo-headers
	header         http.Header
	body, rest     []byte
}

// addHeader adds a line such as "Name: value".
func (m *message) addHeader(line string) *Error {
	if pseudo, ok := strings.CutPrefix(line, ":"); ok {
		name, value, _ := strings.Cut(pseudo, ":")
		m.setPseudo(name, strings.TrimSpace(value))
		return nil
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok || !headerLine.MatchString(line) {
		return unreadable("a header is NAME: VALUE, and an empty line is before the body", "%q is not a header", clip(line))
	}
	m.add(name, value)
	return nil
}

func (m *message) add(name, value string) {
	name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
	m.header[name] = append(m.header[name], strings.TrimSpace(value))
}

func (m *message) setPseudo(name, value string) {
	switch name {
	case "method":
		m.method = value
	case "path":
		m.target = value
	case "scheme":
		m.scheme = value
	case "authority":
		m.host = value
	}
}

// request returns the request. Its URL is absolute if the host is known.
func (m *message) request() *signature.Request {
	if m.method == "" {
		m.method = http.MethodPost
	}
	return &signature.Request{Method: m.method, URL: m.url(), Header: m.header, Body: m.body}
}

// url puts the URL together. A webhook whose scheme is not known was sent to
// https: the receiver mostly sees http because a proxy is before it.
func (m *message) url() string {
	if strings.Contains(m.target, "://") {
		return m.target
	}
	host := m.host
	if host == "" {
		host = m.header.Get("Host")
	}
	target := m.target
	if host == "" {
		return target
	}
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	scheme := m.scheme
	if scheme == "" {
		scheme = "https"
	}
	return scheme + "://" + host + target
}

func newMessage() *message { return &message{header: http.Header{}} }

func headerCount(h http.Header) int {
	n := 0
	for _, values := range h {
		n += len(values)
	}
	return n
}

// clip bounds text from outside for use in a message.
func clip(text string) string {
	const most = 64
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}
