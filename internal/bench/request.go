package bench

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // GitHub sends an HMAC-SHA1 as well
	"crypto/sha256"
	"encoding/hex"
	"hash"
	mathrand "math/rand/v2"
	"net/http"
	"strconv"
)

// A template is a request as GitHub sends it, written out once. For each use only
// four places in it change: the payload's stamp, the delivery id, and the two
// signatures. It is for one goroutine.
type template struct {
	bytes  []byte // head and body, ready to be sent
	fields []headerField
	body   []byte // the end of bytes
	places struct{ stamp, delivery, sha1, sha256 []byte }
	old    hash.Hash // HMAC-SHA1
	mac    hash.Hash // HMAC-SHA256
	random *mathrand.ChaCha8
	sum    [sha256.Size]byte
}

type headerField struct{ name, value string }

// The forms of what changes, as wide as they will be.
const (
	noUUID   = "00000000-0000-4000-8000-000000000000"
	noSHA1   = noStamp
	noSHA256 = "0000000000000000000000000000000000000000000000000000000000000000"
)

// templateSpec says what a template is for.
type templateSpec struct {
	host, path string
	event      string // as in X-GitHub-Event
	secret     string
	size       int // bytes of the body
}

// newTemplate writes the request that spec describes.
func newTemplate(spec templateSpec) (*template, error) {
	body, err := push(spec.size)
	if err != nil {
		return nil, err
	}
	t := &template{
		old: hmac.New(sha1.New, []byte(spec.secret)),
		mac: hmac.New(sha256.New, []byte(spec.secret)),
	}
	var seed [32]byte
	_, _ = rand.Read(seed[:]) // never fails: crypto/rand aborts the program instead
	t.random = mathrand.NewChaCha8(seed)
	t.fields = []headerField{
		{"Host", spec.host},
		{"User-Agent", "GitHub-Hookshot/f3b6d3a"},
		{"Accept", "*/*"},
		{"Content-Type", "application/json"},
		{"X-GitHub-Delivery", noUUID},
		{"X-GitHub-Event", spec.event},
		{"X-GitHub-Hook-ID", "109948940"},
		{"X-GitHub-Hook-Installation-Target-ID", "186853002"},
		{"X-GitHub-Hook-Installation-Target-Type", "repository"},
		{"X-Hub-Signature", "sha1=" + noSHA1},
		{"X-Hub-Signature-256", "sha256=" + noSHA256},
		{"Content-Length", strconv.Itoa(len(body))},
	}
	values := make(map[string][2]int, len(t.fields)) // where they are
	t.bytes = append(t.bytes, "POST "+spec.path+" HTTP/1.1\r\n"...)
	for _, f := range t.fields {
		t.bytes = append(t.bytes, f.name+": "...)
		begin := len(t.bytes)
		t.bytes = append(t.bytes, f.value...)
		values[f.name] = [2]int{begin, len(t.bytes)}
		t.bytes = append(t.bytes, "\r\n"...)
	}
	t.bytes = append(t.bytes, "\r\n"...)
	t.bytes = append(t.bytes, body...)

	place := func(name, prefix string) []byte { return t.bytes[values[name][0]+len(prefix) : values[name][1]] }
	t.places.delivery = place("X-GitHub-Delivery", "")
	t.places.sha1 = place("X-Hub-Signature", "sha1=")
	t.places.sha256 = place("X-Hub-Signature-256", "sha256=")
	t.body = t.bytes[len(t.bytes)-len(body):]
	at, ok := stampPlace(t.body)
	if !ok {
		return nil, errNoStamp
	}
	t.places.stamp = t.body[at : at+stampLen]
	return t, nil
}

// fill makes the template the request for the event s: with a delivery id of its
// own, and signed. The result is good until the next call.
func (t *template) fill(s stamp) []byte {
	s.write(t.places.stamp)
	t.writeUUID()
	hex.Encode(t.places.sha1, t.sign(t.old))
	hex.Encode(t.places.sha256, t.sign(t.mac))
	return t.bytes
}

func (t *template) sign(mac hash.Hash) []byte {
	mac.Reset()
	_, _ = mac.Write(t.body) // never fails
	return mac.Sum(t.sum[:0])
}

// writeUUID writes a random UUID, version 4.
func (t *template) writeUUID() {
	var raw [16]byte
	_, _ = t.random.Read(raw[:]) // never fails
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	to := t.places.delivery
	hex.Encode(to[0:], raw[0:4])
	hex.Encode(to[9:], raw[4:6])
	hex.Encode(to[14:], raw[6:8])
	hex.Encode(to[19:], raw[8:10])
	hex.Encode(to[24:], raw[10:16])
}

// header returns a copy of the header, as the gateway keeps it.
func (t *template) header() http.Header {
	h := make(http.Header, len(t.fields))
	for _, f := range t.fields {
		h.Set(f.name, f.value)
	}
	h.Del("Host")
	h.Del("Content-Length")
	h.Set("X-GitHub-Delivery", string(t.places.delivery))
	h.Set("X-Hub-Signature", "sha1="+string(t.places.sha1))
	h.Set("X-Hub-Signature-256", "sha256="+string(t.places.sha256))
	return h
}
