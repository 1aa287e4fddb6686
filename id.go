package tenterhook

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"
)

// An ID names an event, a delivery or an attempt, as 128 bits that sort by time:
//
//	48 bits   milliseconds since 1970, as in a ULID
//	48 bits   random, increasing within a millisecond
//	16 bits   number of the delivery, from 1; 0 in an event's id
//	16 bits   number of the attempt, from 1; 0 in a delivery's id
//
// So an attempt's id says which delivery it belongs to, and a delivery's id
// which event, without a look-up; a store that is ordered by id keeps what
// belongs together side by side. The text form is a prefix (evt_, dlv_, att_)
// and the ULID encoding (Crockford base 32, 26 characters) of the 16 bytes.
//
// IDs are comparable. The zero ID names nothing.
type ID [16]byte

// Bounds that the layout of an [ID] sets.
const (
	MaxDeliveries = 1<<16 - 1 // deliveries of one event
	MaxAttempts   = 1<<16 - 1 // attempts of one delivery
)

const (
	prefixLen = len("evt_")
	textLen   = prefixLen + 26
	crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

// ErrID is returned, wrapped, by [ParseID] for a text that is not an id.
var ErrID = errors.New("not an id")

// IDs makes event ids. Ids of one IDs strictly increase, also when its clock
// stands still or steps back. The zero value is not ready; use [NewIDs]. An IDs
// may be used by several goroutines.
type IDs struct {
	now  func() time.Time
	mu   sync.Mutex
	last uint64 // milliseconds
	seq  uint64 // the 48 random bits last given out
}

// NewIDs returns a source of event ids that takes the time from now, or from
// [time.Now] if now is nil.
func NewIDs(now func() time.Time) *IDs {
	if now == nil {
		now = time.Now
	}
	return &IDs{now: now}
}

// New returns an event id that is greater than all that g returned before.
func (g *IDs) New() ID {
	const seqBits = 48
	g.mu.Lock()
	defer g.mu.Unlock()
	if ms := uint64(max(g.now().UnixMilli(), 0)); ms > g.last {
		g.last, g.seq = ms, randomBits()>>(64-seqBits+1) // top bit free: room to count up
	} else if g.seq++; g.seq>>seqBits != 0 {
		g.last, g.seq = g.last+1, 0
	}
	var id ID
	binary.BigEndian.PutUint64(id[0:8], g.last<<16|g.seq>>32)
	binary.BigEndian.PutUint32(id[8:12], uint32(g.seq))
	return id
}

// After has g return only ids that are greater than id, also when its clock is
// behind the one that made id.
func (g *IDs) After(id ID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	hi := binary.BigEndian.Uint64(id[0:8])
	last, seq := hi>>16, hi&0xffff<<32|uint64(binary.BigEndian.Uint32(id[8:12]))
	if last > g.last || last == g.last && seq > g.seq {
		g.last, g.seq = last, seq
	}
}

func randomBits() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return binary.BigEndian.Uint64(b[:])
}

// Event returns the id of the event that id belongs to.
func (id ID) Event() ID {
	clear(id[12:])
	return id
}

// Delivery returns the id of delivery n, 1 to [MaxDeliveries], of id's event.
// With n = 0 it returns the delivery that the attempt id belongs to.
func (id ID) Delivery(n int) ID {
	if n != 0 {
		binary.BigEndian.PutUint16(id[12:14], uint16(n))
	}
	clear(id[14:])
	return id
}

// Attempt returns the id of attempt n, 1 to [MaxAttempts], of id's delivery.
func (id ID) Attempt(n int) ID {
	binary.BigEndian.PutUint16(id[14:16], uint16(n))
	return id
}

// DeliveryNumber returns which delivery of its event id is or belongs to, from
// 1, or 0 for an event's id.
func (id ID) DeliveryNumber() int { return int(binary.BigEndian.Uint16(id[12:14])) }

// AttemptNumber returns which attempt of its delivery id is, from 1, or 0 for an
// event's or a delivery's id.
func (id ID) AttemptNumber() int { return int(binary.BigEndian.Uint16(id[14:16])) }

// Time returns when the event was accepted, to the millisecond, in UTC.
func (id ID) Time() time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[0:8]) >> 16)).UTC()
}

// IsZero reports whether id names nothing.
func (id ID) IsZero() bool { return id == ID{} }

// Compare returns -1, 0 or +1 as id was made before, is, or was made after other.
func (id ID) Compare(other ID) int {
	for i := range id {
		if id[i] != other[i] {
			if id[i] < other[i] {
				return -1
			}
			return 1
		}
	}
	return 0
}

// String returns the text form of id, or "" for the zero ID.
func (id ID) String() string {
	if id.IsZero() {
		return ""
	}
	return string(id.append(make([]byte, 0, textLen)))
}

// MarshalText implements [encoding.TextMarshaler].
func (id ID) MarshalText() ([]byte, error) {
	if id.IsZero() {
		return nil, nil
	}
	return id.append(make([]byte, 0, textLen)), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler]; see [ParseID].
func (id *ID) UnmarshalText(text []byte) error {
	parsed, err := ParseID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// prefix is the text before the ULID, which says what the id names.
func (id ID) prefix() string {
	switch {
	case id.AttemptNumber() != 0:
		return "att_"
	case id.DeliveryNumber() != 0:
		return "dlv_"
	}
	return "evt_"
}

func (id ID) append(b []byte) []byte {
	b = append(b, id.prefix()...)
	hi, lo := binary.BigEndian.Uint64(id[0:8]), binary.BigEndian.Uint64(id[8:16])
	for shift := 125; shift >= 0; shift -= 5 {
		b = append(b, crockford[shiftRight(hi, lo, shift)&31])
	}
	return b
}

// shiftRight returns the low 64 bits of the 128-bit number hi, lo shifted right.
func shiftRight(hi, lo uint64, by int) uint64 {
	if by >= 64 {
		return hi >> (by - 64)
	}
	return lo>>by | hi<<(64-by)
}

// ParseID reads the text form of an [ID]. It accepts lower case, and nothing
// else that [ID.String] does not write: the prefix must be the one that belongs
// to the id. The error wraps [ErrID].
func ParseID(text string) (ID, error) {
	var id ID
	if len(text) != textLen {
		return id, fmt.Errorf("%w: %q has %d characters, want %d, such as evt_01M844DZG062XY9EMGM4000000",
			ErrID, clip(text), len(text), textLen)
	}
	var hi, lo uint64
	for i := prefixLen; i < textLen; i++ {
		v := crockfordValue(text[i])
		if v < 0 || i == prefixLen && v > 7 {
			return id, fmt.Errorf("%w: %q is not a ULID", ErrID, text)
		}
		hi, lo = hi<<5|lo>>59, lo<<5|uint64(v)
	}
	binary.BigEndian.PutUint64(id[0:8], hi)
	binary.BigEndian.PutUint64(id[8:16], lo)
	if want := id.prefix(); id.IsZero() || text[:prefixLen] != want {
		return ID{}, fmt.Errorf("%w: %q does not begin with %q", ErrID, text, want)
	}
	return id, nil
}

func crockfordValue(c byte) int {
	if 'a' <= c && c <= 'z' {
		c -= 'a' - 'A'
	}
	for v := range len(crockford) {
		if crockford[v] == c {
			return v
		}
	}
	return -1
}

func clip(s string) string {
	const most = 40
	if len(s) > most {
		return s[:most]
	}
	return s
}
