package signature

import (
	"crypto/sha1" //nolint:gosec // what a provider signs with
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"strconv"
	"strings"
)

// A valueFilter changes a value of a template: {body|sha256|hex}.
type valueFilter struct {
	name          string
	apply         func([]byte) []byte
	collisionFree bool // nobody finds two values that it makes one of
}

func findFilter(name string) (valueFilter, bool) {
	for _, f := range []valueFilter{
		{"sha1", func(b []byte) []byte { s := sha1.Sum(b); return s[:] }, false}, //nolint:gosec // see the import
		{"sha256", func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }, true},
		{"sha512", func(b []byte) []byte { s := sha512.Sum512(b); return s[:] }, true},
		{"hex", func(b []byte) []byte { return hex.AppendEncode(nil, b) }, true},
		{"base64", func(b []byte) []byte { return base64.StdEncoding.AppendEncode(nil, b) }, true},
		{"base64url", func(b []byte) []byte { return base64.RawURLEncoding.AppendEncode(nil, b) }, true},
		{"crc32", func(b []byte) []byte { return strconv.AppendUint(nil, uint64(crc32.ChecksumIEEE(b)), decimal) }, false},
		{"lower", func(b []byte) []byte { return []byte(strings.ToLower(string(b))) }, false},
		{"hubspot", decodeHubSpot, false},
		{"json", func(b []byte) []byte { return appendQuoted(nil, string(b)) }, false},
	} {
		if f.name == name {
			return f, true
		}
	}
	return valueFilter{}, false
}

const decimal = 10

// decodeHubSpot undoes the escapes that HubSpot's third version of signatures
// undoes in a URL before it signs it, and leaves the others alone.
func decodeHubSpot(url []byte) []byte {
	return []byte(strings.NewReplacer(
		"%3A", ":", "%3a", ":", "%2F", "/", "%2f", "/", "%3F", "?", "%3f", "?", "%40", "@", "%21", "!", "%24", "$",
		"%27", "'", "%28", "(", "%29", ")", "%2A", "*", "%2a", "*", "%2C", ",", "%2c", ",", "%3B", ";", "%3b", ";",
	).Replace(string(url)))
}
