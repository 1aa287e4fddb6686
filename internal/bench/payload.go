package bench

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A push of GitHub's, cut down to what fits in 1 KiB. Its fields have the names,
// the order and the types of the real one, with fewer of them.
const (
	pushHead = `{"ref":"refs/heads/main","before":"6113728f27ae82c7b1a177c8d03f9e96e0adf246","after":"` + noStamp +
		`","repository":{"id":186853002,"node_id":"MDEwOlJlcG9zaXRvcnkxODY4NTMwMDI=","name":"hello-world",` +
		`"full_name":"octo-org/hello-world","private":false,"html_url":"https://github.com/octo-org/hello-world",` +
		`"default_branch":"main"},"pusher":{"name":"evan","email":"evan@example.com"},` +
		`"sender":{"login":"evan","id":21031067,"type":"User"},"created":false,"deleted":false,"forced":false,"commits":[`
	pushCommit = `{"id":"%040x","message":"%s","timestamp":"2026-03-02T10:%02d:12Z",` +
		`"author":{"name":"evan","email":"evan@example.com"},"added":[],"removed":[],"modified":["src/page%d.go"]}`
	pushTail = `]}`

	filler = "Fix the order in which hooks are torn down. "
)

// push returns the body of a push of exactly size bytes, still without a stamp.
func push(size int) ([]byte, error) {
	var commits []string
	left := size - len(pushHead) - len(pushTail)
	for n := 1; ; n++ {
		empty := fmt.Sprintf(pushCommit, n, "", n%60, n)
		words := left - len(empty)
		if words < 0 {
			return nil, fmt.Errorf("no push of %d bytes: the smallest has %d", size, len(pushHead)+len(empty)+len(pushTail))
		}
		// Commits have a short message, except for the last one, which takes what
		// is left over.
		if next := len(empty) + 2*len(filler); words > len(filler)+next {
			commit := fmt.Sprintf(pushCommit, n, filler, n%60, n)
			commits = append(commits, commit)
			left -= len(commit) + len(",")
			continue
		}
		message := strings.Repeat(filler, words/len(filler)+1)[:words]
		commits = append(commits, fmt.Sprintf(pushCommit, n, message, n%60, n))
		return []byte(pushHead + strings.Join(commits, ",") + pushTail), nil
	}
}

// A stamp says which event a payload is. It stands where GitHub has the commit
// after the push, and looks like one: 40 hexadecimal digits.
type stamp struct {
	run        uint32 // which load it belongs to
	connection uint16 // which connection of the load sent it
	number     uint64 // of the event on its connection, from 0, below 2^48
	sent       int64  // when, in nanoseconds since 1970
}

const (
	stampLen   = 40
	noStamp    = "0000000000000000000000000000000000000000"
	stampAfter = `"after":"`
	numberBits = 48
	// stampWithin is how far from its beginning a payload's stamp may be.
	stampWithin = 256
)

var errNoStamp = errors.New("the payload is not one of ours")

// write writes s over the 40 bytes at to.
func (s stamp) write(to []byte) {
	var raw [stampLen / 2]byte
	binary.BigEndian.PutUint32(raw[0:], s.run)
	binary.BigEndian.PutUint64(raw[4:], uint64(s.connection)<<numberBits|s.number)
	binary.BigEndian.PutUint64(raw[12:], uint64(s.sent))
	hex.Encode(to, raw[:])
}

// readStamp finds the stamp of a payload.
func readStamp(body []byte) (stamp, error) {
	at, ok := stampPlace(body)
	if !ok {
		return stamp{}, errNoStamp
	}
	var raw [stampLen / 2]byte
	if _, err := hex.Decode(raw[:], body[at:at+stampLen]); err != nil {
		return stamp{}, errNoStamp
	}
	number := binary.BigEndian.Uint64(raw[4:])
	return stamp{
		run:        binary.BigEndian.Uint32(raw[0:]),
		connection: uint16(number >> numberBits),
		number:     number & (1<<numberBits - 1),
		sent:       int64(binary.BigEndian.Uint64(raw[12:])),
	}, nil
}

// age is how long before at the event was sent.
func (s stamp) age(at time.Time) time.Duration { return time.Duration(at.UnixNano() - s.sent) }

// stampPlace returns where in body its stamp begins.
func stampPlace(body []byte) (int, bool) {
	at := bytes.Index(body[:min(len(body), stampWithin)], []byte(stampAfter))
	at += len(stampAfter)
	return at, at >= len(stampAfter) && at+stampLen <= len(body)
}
