package signature

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// GitHub is how github.com and GitHub Enterprise Server sign: X-Hub-Signature-256
// holds the HMAC-SHA256 of the body. The older X-Hub-Signature, with SHA-1, is
// not accepted. GitHub signs neither time nor delivery id, so a request can be
// sent again by whoever saw it: refuse to act twice on one [Result.DeliveryID].
//
// The subtype is the payload's action, such as "opened". Type and id come from
// headers, which are not signed.
var GitHub = mustNew(github())

// StandardWebhooks is Standard Webhooks 1.0.0 with symmetric keys: the headers
// webhook-id, webhook-timestamp and webhook-signature, of which only version v1
// counts. Keys are "whsec_" and base64. A request is refused when its time is
// more than five minutes from now, before or after.
var StandardWebhooks = mustNew(standardWebhooks())

// table is every scheme of this package, in the order of their names, compiled
// when the first is looked up.
var table = sync.OnceValue(func() []*Scheme {
	var all []*Scheme
	for _, rows := range [][]Spec{
		bodyRows(), timeRows(), standardRows(), requestRows(), publicRows(), tokenRows(), otherRows(),
	} {
		for _, row := range rows {
			switch row.Name {
			case GitHub.name:
				all = append(all, GitHub)
			case StandardWebhooks.name:
				all = append(all, StandardWebhooks)
			default:
				all = append(all, mustNew(row))
			}
		}
	}
	slices.SortFunc(all, func(a, b *Scheme) int { return strings.Compare(a.name, b.name) })
	return all
})

// Schemes returns the schemes that [Lookup] knows, in the order of their names.
// Package signature/extra has those that need more than the standard library.
func Schemes() []*Scheme { return slices.Clone(table()) }

// Lookup returns the scheme of that name, such as "stripe". It makes no difference
// between "-", "_" and neither.
func Lookup(name string) (*Scheme, bool) {
	name = fold(name)
	for _, s := range table() {
		if fold(s.name) == name {
			return s, true
		}
	}
	return nil, false
}

// fold returns a name without what makes no difference in it.
func fold(name string) string { return strings.ReplaceAll(strings.ReplaceAll(name, "-", ""), "_", "") }

// window is the tolerance of most providers that have one.
const window = 5 * time.Minute

func github() Spec {
	return Spec{
		Name: "github", Read: header("x-hub-signature-256", "sha256={sig}"), Superseded: "x-hub-signature",
		Type: "header:x-github-event", Subtype: "json:action", NoSubtype: []string{"push"}, ID: "header:x-github-delivery",
		JSONFrom: "form:payload?",
	}
}

func standardWebhooks() Spec { return standard("standard-webhooks", "webhook-", "json:type") }

// standard is a provider that signs as Standard Webhooks says, with headers that
// begin with prefix.
func standard(name, prefix, typ string) Spec { return standardID(name, prefix+"id", prefix, typ) }

// standardID is standard, with another name of the header with the id.
func standardID(name, id, prefix, typ string) Spec {
	return Spec{
		Name: name, MAC: "hmac-sha256 base64", Key: KeyWhsec, Sign: "{id}.{time}.{body}", Tolerance: window,
		Read: []Read{
			{From: id, Pattern: "{id}"}, {From: prefix + "timestamp", Pattern: "{time}"},
			{From: prefix + "signature", Sep: " ", Items: []string{"v1,{sig}"}},
		},
		Type: typ, ID: "header:" + id,
	}
}

// withText is spec with keys that are text.
func withText(spec Spec) Spec {
	spec.Key = KeyUTF8
	return spec
}

// header reads one place, most often a header.
func header(from, pattern string) []Read { return headers(from, pattern) }

// headers reads places in pairs: where, and the pattern.
func headers(pairs ...string) []Read {
	var reads []Read
	for i := 0; i+1 < len(pairs); i += 2 {
		reads = append(reads, Read{From: pairs[i], Pattern: pairs[i+1]})
	}
	return reads
}

// list reads one place that holds a list.
func list(from, sep string, items ...string) []Read {
	return []Read{{From: from, Sep: sep, Items: items}}
}

// mustNew is New for the rows of this package, which its tests compile.
func mustNew(spec Spec) *Scheme {
	s, err := New(spec)
	if err != nil {
		panic(err)
	}
	return s
}
