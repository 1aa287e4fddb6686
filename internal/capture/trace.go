package capture

import (
	"bytes"
	"encoding/hex"
	"regexp"
	"strings"
)

// readVerbose reads what curl -v printed. Lines that begin with "> " are the
// request's head. Curl does not print the body, so that what stands between them
// and the answer, without a mark, is taken for it, unless it is given apart.
func readVerbose(data []byte, bodyGiven bool) (*Capture, *Error) {
	var head bytes.Buffer
	var body []byte
	inHead, answered := false, false
	for line := range bytes.Lines(data) {
		mark := strings.TrimRight(string(line[:min(len(line), 2)]), "\r\n")
		switch {
		case mark == "> " || mark == ">":
			if !inHead && isRequestLine(line) { // a new one, as after a redirect
				head.Reset()
				body, answered = nil, false
			}
			inHead = true
			head.Write(bytes.TrimPrefix(line[1:], []byte(" ")))
		case mark == "< " || mark == "<":
			inHead, answered = false, true
		case mark == "* " || mark == "*" || mark == "{ " || mark == "} ":
			inHead = false
		case progressLine.Match(line):
		case head.Len() > 0 && !answered:
			inHead = false
			body = append(body, line...)
		}
	}
	if head.Len() == 0 {
		return nil, unreadable("run curl with -v and keep its standard error", "it has no line that begins with >")
	}
	if !bytes.HasSuffix(bytes.ReplaceAll(head.Bytes(), []byte("\r"), nil), []byte("\n\n")) {
		head.WriteString("\n\n")
	}
	if length, known := lengthIn(head.Bytes()); known && len(body) == 0 && length > 0 && !bodyGiven {
		return nil, unreadable("give it with --body FILE, or capture with curl --trace FILE, which has the bytes",
			"curl -v does not print the body that it sends, of %s", plural(length, "byte", "bytes"))
	}
	return readPart(head.Bytes(), body, Verbose)
}

// progressLine is how curl shows its progress, among all else on standard error.
var progressLine = regexp.MustCompile(`^(?:  % Total |  +Dload |[ \r]*\d+ +[0-9.kMG]+ .*[0-9-]:[0-9-]{2}:[0-9-]{2} )`)

func isRequestLine(line []byte) bool {
	text := strings.TrimSuffix(strings.TrimPrefix(string(line[1:]), " "), "\n")
	return requestLine.MatchString(text)
}

// readPart reads a request whose head and body were found apart.
func readPart(head, body []byte, format Format) (*Capture, *Error) {
	c, err := readHTTP(append(head[:len(head):len(head)], body...))
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
