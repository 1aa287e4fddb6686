package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tenterhook/tenterhook/internal/capture"
	"github.com/tenterhook/tenterhook/signature"
)

// reasonUnreadable is said of a line that is no request.
const reasonUnreadable = "unreadable"

// A lineVerdict is what --batch says of a line.
type lineVerdict struct {
	ID     string `json:"id"`
	Valid  bool   `json:"valid"`
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"` // of what cannot be judged
	*answer
}

// runVerifyBatch judges every line of a file.
func runVerifyBatch(o verifyOptions) error {
	f, err := o.open(o.file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read from: nothing is lost
	const first = 64 << 10
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, first), capture.MaxSize)
	unreadable := 0
	j := judge{clock: o.ui.now, schemes: map[string]*signature.Scheme{}}
	for lines.Scan() {
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		v := j.line(text)
		if v.Reason == reasonUnreadable {
			unreadable++
		}
		if err := o.ui.record(v); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read capture: %w", err)
	}
	if unreadable > 0 {
		return fmt.Errorf("%s could not be read", count(unreadable, "line", "lines"))
	}
	return nil
}

// A judge verifies lines. It remembers the schemes that they name, and nil for
// a name that none has.
type judge struct {
	clock   func() time.Time
	schemes map[string]*signature.Scheme
}

// line verifies one line, by nothing but what it says itself.
func (j judge) line(text []byte) lineVerdict {
	line, err := capture.ParseLine(text)
	v := lineVerdict{ID: line.ID}
	if err != nil {
		v.Reason, v.Detail = reasonUnreadable, err.Error()
		return v
	}
	scheme := j.lookup(line.Provider)
	if scheme == nil {
		v.Reason, v.Detail = string(signature.ReasonNoScheme), fmt.Sprintf("no provider is called %q", line.Provider)
		return v
	}
	now := line.Now
	if now.IsZero() {
		now = j.clock()
	}
	opts := signature.Options{Settings: known(scheme, line.Settings)}
	if len(line.Certs) > 0 {
		opts.Fetcher = &line
	}
	adapted, err := scheme.With(opts)
	if err != nil {
		adapted = scheme // without what it needs, it refuses
	}
	keys := (&verifier{secrets: line.Secrets}).keys()
	if line.Kind == capture.KindHandshake {
		v.answer, err = shakeHands(adapted, line.Request, keys, now)
	} else {
		_, err = adapted.Verify(line.Request, keys, now)
	}
	v.Valid = err == nil
	if refusal, ok := errors.AsType[*signature.Error](err); ok {
		v.Reason = string(refusal.Reason)
	}
	return v
}

// lookup returns the scheme of that name, or nil.
func (j judge) lookup(name string) *signature.Scheme {
	scheme, known := j.schemes[name]
	if !known {
		scheme, _ = signature.Lookup(name)
		j.schemes[name] = scheme
	}
	return scheme
}

// shakeHands returns how a handshake is answered. What is none is answered as an
// event.
func shakeHands(s *signature.Scheme, r *signature.Request, keys signature.Keys, now time.Time) (*answer, error) {
	reply, ok, err := s.Handshake(r, keys, now)
	if ok {
		return answerOf(reply), err
	}
	if _, err = s.Verify(r, keys, now); err != nil {
		reply = s.Refused()
		reply.Status = cmp.Or(reply.Status, http.StatusUnauthorized)
		return answerOf(reply), err
	}
	reply = s.Accepted()
	reply.Status = cmp.Or(reply.Status, http.StatusOK)
	return answerOf(reply), nil
}
