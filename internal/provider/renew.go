package provider

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"math/big"
	"regexp"
	"strings"
)

// Renew returns e with another id wherever it has this one, in the query, headers
// and body. A receiver takes a second request with the same id for a repetition
// of the first, so whoever sends a sample twice renews it.
//
// The new id has the form of the old one: a UUID becomes a UUID, a number another
// of as many digits, and any other id keeps how it begins, such as "evt_".
func (e Event) Renew(id string) Event {
	if id == "" {
		return e.clone()
	}
	return e.WithID(id, freshID(id))
}

// WithID returns e with the id fresh wherever it has id.
func (e Event) WithID(id, fresh string) Event {
	renewed := e.clone()
	if id == "" {
		return renewed
	}
	renewed.Query = strings.ReplaceAll(e.Query, id, fresh)
	for _, values := range renewed.Header {
		for i, value := range values {
			values[i] = strings.ReplaceAll(value, id, fresh)
		}
	}
	renewed.Body = bytes.ReplaceAll(renewed.Body, []byte(id), []byte(fresh))
	return renewed
}

// The characters that ids are drawn from. Letters are those of ULIDs, which are
// letters of other ids too.
const (
	digits  = "0123456789"
	letters = "ABCDEFGHJKMNPQRSTVWXYZ"
	hexes   = "ABCDEF"
)

var (
	uuidForm = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	hexForm  = regexp.MustCompile(`^[0-9A-Fa-f-]+$`)
)

// freshID returns a new id of the form of id.
func freshID(id string) string {
	if uuidForm.MatchString(id) {
		return newUUID(id != strings.ToLower(id))
	}
	start := stem(id)
	capitals := letters
	if hexForm.MatchString(id[start:]) {
		capitals = hexes
	}
	fresh := []byte(id)
	for i := start; i < len(fresh); i++ {
		switch c := fresh[i]; {
		case i == start && c == '0': // as ULIDs begin for some thousand years to come
		case i == start && '1' <= c && c <= '9':
			fresh[i] = draw(digits[1:]) // a number does not begin with 0
		case '0' <= c && c <= '9':
			fresh[i] = draw(digits)
		case 'A' <= c && c <= 'Z':
			fresh[i] = draw(capitals)
		case 'a' <= c && c <= 'z':
			fresh[i] = draw(strings.ToLower(capitals))
		}
	}
	return string(fresh)
}

// stem returns how long the beginning of id is that says what it is the id of:
// what is before the last "_" or the first digit, unless little is left then.
func stem(id string) int {
	const enough = 10
	if i := strings.LastIndexByte(id, '_') + 1; i > 0 && len(id)-i >= enough {
		return i
	}
	if i := strings.IndexAny(id, digits); i > 0 && len(id)-i >= enough {
		return i
	}
	return 0
}

// draw returns one of the characters.
func draw(characters string) byte {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(len(characters))))
	if err != nil {
		panic("provider: " + err.Error()) // never: crypto/rand aborts the program instead
	}
	return characters[i.Int64()]
}

// newUUID returns a random UUID.
func newUUID(upper bool) string {
	var b [16]byte
	_, _ = rand.Read(b[:])  // never fails: crypto/rand aborts the program instead
	b[6] = b[6]&0x0f | 0x40 // version 4: random
	b[8] = b[8]&0x3f | 0x80 // the variant of RFC 9562
	id := fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
	if upper {
		return strings.ToUpper(id)
	}
	return id
}
