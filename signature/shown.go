package signature

import (
	"net/http"
	"slices"
)

// TokenHeader returns the header in which requests show the secret itself, in
// canonical form. It is empty if [Scheme.Bearer] is false, or if the secret is
// elsewhere, such as in the body.
func (s *Scheme) TokenHeader() string {
	if s == nil || s.mac == nil || !s.Bearer() {
		return ""
	}
	for i := range s.reads {
		if r := &s.reads[i]; r.from.kind == fromHeader && r.has(slotSig) {
			return http.CanonicalHeaderKey(r.from.name)
		}
	}
	return ""
}

// SendsSecret reports whether the provider chooses the secret, and sends it in
// its first handshake: see [Reply.Secret].
func (s *Scheme) SendsSecret() bool {
	return s != nil && slices.ContainsFunc(s.handshakes, func(h shake) bool { return h.secret })
}
