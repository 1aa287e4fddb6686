package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxBody bounds what a message that says so may have.
const maxBody = 32 << 20

var errFraming = errors.New("message without Content-Length")

// A message reads HTTP/1.1 messages, requests or answers, as little of them as
// must be: the first line, the length and the body. Its slices are good until the
// next read.
type message struct {
	in    *bufio.Reader
	start []byte
	body  []byte
}

// read reads the next message. The error is [io.EOF] if there is none.
func (m *message) read() error {
	line, err := m.line()
	if err != nil {
		return err
	}
	m.start = append(m.start[:0], line...)
	length := -1
	for {
		line, err := m.line()
		if err != nil {
			return fmt.Errorf("read head: %w", unexpected(err))
		}
		if len(line) == 0 {
			break
		}
		if value, ok := headerValue(line, "Content-Length:"); ok {
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 || length > maxBody {
				return errFraming
			}
		}
	}
	if length < 0 {
		return errFraming
	}
	if cap(m.body) < length {
		m.body = make([]byte, length)
	}
	m.body = m.body[:length]
	if _, err := io.ReadFull(m.in, m.body); err != nil {
		return fmt.Errorf("read body: %w", unexpected(err))
	}
	return nil
}

// line returns the next line without its end.
func (m *message) line() ([]byte, error) {
	line, err := m.in.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

func headerValue(line []byte, name string) ([]byte, bool) {
	if len(line) < len(name) || !bytes.EqualFold(line[:len(name)], []byte(name)) {
		return nil, false
	}
	return bytes.TrimSpace(line[len(name):]), true
}

// status is the status of an answer, or 0 if the message is none.
func (m *message) status() int {
	const least = len("HTTP/1.1 200")
	if len(m.start) < least {
		return 0
	}
	status, err := strconv.Atoi(string(m.start[least-3 : least]))
	if err != nil {
		return 0
	}
	return status
}

// path is the path of a request, or nil if the message is none.
func (m *message) path() []byte {
	_, rest, _ := bytes.Cut(m.start, []byte{' '})
	path, _, ok := bytes.Cut(rest, []byte{' '})
	if !ok {
		return nil
	}
	return path
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
