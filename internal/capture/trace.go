package capture

import (
	"bytes"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
)

// readVerbose reads what curl -v printed. Lines that begin with "> " are the
// request's head. Curl does not print the body, so that what stands between them
// and the answer, without a mark, is taken for it, unless it is given apart.
func readVerbose(data []byte, bodyGiven bool) (*Capture, *Error) {
	var v verbose
	for line := range bytes.Lines(data) {
		v.take(line)
	}
	if len(v.head) == 0 {
		return nil, unreadable("run curl with -v and keep its standard error", "it has no line that begins with >")
	}
	if !bytes.HasSuffix(bytes.ReplaceAll(v.head, []byte("\r"), nil), []byte("\n\n")) {
		v.head = append(v.head, "\n\n"...)
	}
	if length, known := lengthIn(v.head); known && len(v.body) == 0 && length > 0 && !bodyGiven {
		return nil, unreadable("give it with --body FILE, or capture with curl --trace FILE, which has the bytes",
			"curl -v does not print the body that it sends, of %s", plural(length, "byte", "bytes"))
	}
	return readPart(v.head, v.body, Verbose)
}

// verbose gathers a request from what curl -v prints.
type verbose struct {
	head, body       []byte
	inHead, answered bool
}

func (v *verbose) take(line []byte) {
	switch strings.TrimRight(string(line[:min(len(line), 2)]), "\r\n") {
	case "> ", ">":
		if !v.inHead && isRequestLine(line) { // a new one, as after a redirect
			*v = verbose{}
		}
		v.inHead = true
		v.head = append(v.head, bytes.TrimPrefix(line[1:], []byte(" "))...)
	case "< ", "<":
		v.inHead, v.answered = false, true
	case "* ", "*", "{ ", "} ":
		v.inHead = false
	default:
		if len(v.head) > 0 && !v.answered && !progressLine.Match(line) {
			v.inHead = false
			v.body = append(v.body, line...)
		}
	}
}

// progressLine is how curl shows its progress, among all else on standard error.
var progressLine = regexp.MustCompile(`^(?:  % Total |  +Dload |[ \r]*\d+ +[0-9.kMG]+ .*[0-9-]:[0-9-]{2}:[0-9-]{2} )`)

func isRequestLine(line []byte) bool {
	text := strings.TrimSuffix(strings.TrimPrefix(string(line[1:]), " "), "\n")
	return requestLine.MatchString(text)
}

// readPart reads a request whose head and body were found apart.
func readPart(head, body []byte, format Format) (*Capture, *Error) {
	c, err := readHTTP(slices.Concat(head, body))
	if err != nil {
		return nil, err
	}
	c.Format = format
	return c, nil
}

// lengthIn returns the Content-Length in the head of a request.
func lengthIn(head []byte) (int, bool) {
	m := newMessage()
	for line := range strings.Lines(string(head)) {
		if line = strings.TrimRight(line, "\r\n"); headerLine.MatchString(line) {
			_ = m.addHeader(line) // what is no header has no length
		}
	}
	return contentLength(m.header)
}

// readTrace reads what curl --trace wrote: each piece that was sent, in hex.
func readTrace(data []byte) (*Capture, *Error) {
	var head, body []byte
	var into *[]byte
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\r\n")
		switch marked := traceLine.MatchString(line); {
		case marked && strings.Contains(line, "=> Send header"):
			if len(body) > 0 || bytes.HasSuffix(head, []byte("\r\n\r\n")) { // a new request
				head, body = nil, nil
			}
			into = &head
		case marked && strings.Contains(line, "=> Send data"):
			into = &body
		case marked:
			into = nil
		case into != nil:
			piece, ok := traceBytes(line)
			if !ok {
				return nil, unreadable("capture with curl --trace FILE",
					"its line %q is not in hex; --trace-ascii loses the bytes", clip(line))
			}
			*into = append(*into, piece...)
		}
	}
	if len(head) == 0 {
		return nil, unreadable("", "it has no => Send header")
	}
	return readPart(head, body, Trace)
}

// traceBytes reads a line such as "0010: 48 6f 73 74 Host".
func traceBytes(line string) ([]byte, bool) {
	const perLine, width = 16, 3
	_, digits, ok := strings.Cut(line, ": ")
	if !ok {
		return nil, false
	}
	digits = digits[:min(len(digits), perLine*width)]
	var piece []byte
	for i := 0; i+width <= len(digits) && digits[i:i+width] != "   "; i += width {
		b, err := hex.DecodeString(digits[i : i+2])
		if err != nil || digits[i+2] != ' ' {
			return nil, false
		}
		piece = append(piece, b...)
	}
	return piece, len(piece) > 0
}
