package mismatch

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/tenterhook/tenterhook/signature"
)

// doubts are what is odd about a request that nothing has made verify. They are
// no proof.
func doubts(c *Case) []string {
	r := c.Request
	h := r.Header
	var all []string
	add := func(when bool, format string, args ...any) {
		if when {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	length, err := strconv.Atoi(h.Get("Content-Length"))
	gzipped := bytes.HasPrefix(r.Body, []byte{0x1f, 0x8b})
	add(err == nil && length > 0 && len(r.Body) == 0, "the body is lost: Content-Length says %d bytes, and there is none", length)
	add(err == nil && length > len(r.Body) && len(r.Body) > 0,
		"the body has %d bytes, and Content-Length says %d: what is missing cannot be guessed", len(r.Body), length)
	add(strings.Contains(h.Get("Content-Encoding"), "gzip") && !gzipped,
		"the headers say that the body is compressed, and it is not any more: if the sender signed the compressed bytes, they are lost")
	add(bytes.Contains(r.Body, []byte("\ufffd")),
		"the body has U+FFFD in it, which stands for bytes that a program could not read as text: these bytes are lost")
	add(bytes.Contains(r.Body, []byte(`"[redacted]"`)) || bytes.Contains(r.Body, []byte("***")), "something in the body was blacked out")
	for _, name := range signingHeaders(h) {
		add(len(h[name]) > 1, "the header %s is there %d times", name, len(h[name]))
	}
	add(c.Scheme.SignsURL(), "%s signs the URL, and the receiver may know it by another than %s: give the one that the provider was told",
		c.Scheme.Name(), shown(r.URL))
	if names := settingNames(c.Scheme); len(names) > 0 {
		add(true, "%s has settings of the receiver's account, and one may be wrong: %s", c.Scheme.Name(), strings.Join(names, ", "))
	}
	return append(all, unlike(c)...)
}

func settingNames(s *signature.Scheme) []string {
	settings := s.Settings()
	names := make([]string, len(settings))
	for i, setting := range settings {
		names[i] = setting.Name
	}
	return names
}

// unlike says which other schemes find their signature in a request that the
// scheme does not find its own in.
func unlike(c *Case) []string {
	const most = 5
	_, err := timeless(c.Scheme).Verify(c.Request, keysOf(c.Secrets...), c.Now)
	switch refusal(err).Reason {
	case signature.ReasonMissingSignature, signature.ReasonMissingValue, signature.ReasonMalformedSignature,
		signature.ReasonTimestampMissing, signature.ReasonUnsupportedVersion:
	default:
		return nil
	}
	var names []string
	for _, s := range Resembling(c.Request) {
		if s.Name() != c.Scheme.Name() && Reads(s, c.Request) {
			names = append(names, s.Name())
		}
	}
	if len(names) == 0 {
		return []string{"no provider that is known finds a signature in it: its headers may have been lost on the way"}
	}
	if len(names) > most {
		names = append(names[:most], "...")
	}
	return []string{"its headers are like those of " + strings.Join(names, ", ") + "; with their secret it may verify as one of these"}
}
