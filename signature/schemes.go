package signature

import (
	"slices"
	"time"
)

// GitHub is how github.com and GitHub Enterprise Server sign: X-Hub-Signature-256
// holds the HMAC-SHA256 of the body. The older X-Hub-Signature, with SHA-1, is
// not accepted. GitHub signs neither time nor delivery id, so a request can be
// sent again by whoever saw it: refuse to act twice on one [Result.DeliveryID].
//
// The subtype is the payload's action, such as "opened". Type and id come from
// headers, which are not signed.
var GitHub = mustNew(Spec{
	Name: "github", Read: header("x-hub-signature-256", "sha256={sig}"), Superseded: "x-hub-signature",
	Type: "header:x-github-event", Subtype: "json:action", NoSubtype: []string{"push"}, ID: "header:x-github-delivery",
})

// StandardWebhooks is Standard Webhooks 1.0.0 with symmetric keys: the headers
// webhook-id, webhook-timestamp and webhook-signature, of which only version v1
// counts. Keys are "whsec_" and base64. A request is refused when its time is
// more than five minutes from now, before or after.
var StandardWebhooks = mustNew(Spec{
	Name: "standard-webhooks", MAC: "hmac-sha256 base64", Key: KeyWhsec, Tolerance: 5 * time.Minute,
	Read: standardHeaders("webhook-"), Sign: "{id}.{time}.{body}",
	Type: "json:type", ID: "header:webhook-id",
})

// Schemes returns the schemes that [Lookup] knows, in the order of their names.
func Schemes() []*Scheme { return []*Scheme{GitHub, StandardWebhooks} }

// Lookup returns the scheme of that name.
func Lookup(name string) (*Scheme, bool) {
	schemes := Schemes()
	i := slices.IndexFunc(schemes, func(s *Scheme) bool { return s.name == name })
	if i < 0 {
		return nil, false
	}
	return schemes[i], true
}

// header reads one header.
func header(name, pattern string) []Read { return []Read{{From: name, Pattern: pattern}} }

// standardHeaders reads the three headers of Standard Webhooks, whose names
// differ between senders only in how they begin.
func standardHeaders(prefix string) []Read {
	return []Read{
		{From: prefix + "id", Pattern: "{id}"},
		{From: prefix + "timestamp", Pattern: "{time}"},
		{From: prefix + "signature", Sep: " ", Items: []string{"v1,{sig}"}},
	}
}

// mustNew is New for the rows of this package, which its tests compile.
func mustNew(spec Spec) *Scheme {
	s, err := New(spec)
	if err != nil {
		panic(err)
	}
	return s
}
