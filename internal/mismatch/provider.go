package mismatch

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/tenterhook/tenterhook/signature"
)

// otherProviders are the other schemes of the table, those first whose name is
// in the request.
func otherProviders(c *Case) iter.Seq[change] {
	return func(yield func(change) bool) {
		for _, s := range Resembling(c.Request) {
			if s.Name() == c.Scheme.Name() {
				continue
			}
			if needed(s, c.Settings) {
				adapted, err := s.With(signature.Options{Settings: chosen(s, c.Settings)})
				if err != nil {
					continue
				}
				s = adapted
			}
			if !yield(change{
				with: "as the provider " + s.Name(), scheme: s,
				do: "The request is signed as " + s.Name() + " signs: write provider: " + s.Name() + " (or --provider " + s.Name() + ").",
			}) {
				return
			}
		}
	}
}

// needed reports whether a scheme has settings that are given.
func needed(s *signature.Scheme, settings map[string]string) bool {
	return len(chosen(s, settings)) > 0
}

// chosen returns those of settings that a scheme knows.
func chosen(s *signature.Scheme, settings map[string]string) map[string]string {
	known := map[string]string{}
	for _, setting := range s.Settings() {
		if value, ok := settings[setting.Name]; ok {
			known[setting.Name] = value
		}
	}
	return known
}

// Resembling returns all schemes, in the order in which a request resembles
// theirs: first those that find their signature in it, and among these the ones
// whose name is in its headers.
func Resembling(r *signature.Request) []*signature.Scheme {
	text := headerText(r)
	rank := map[*signature.Scheme]int{}
	schemes := slices.Clone(signature.Schemes())
	for _, s := range schemes {
		for _, good := range []bool{
			Reads(s, r), strings.Contains(text, plainName(s.Name())),
			s == signature.StandardWebhooks, // which many others do as well
		} {
			rank[s] <<= 1
			if !good {
				rank[s]++
			}
		}
	}
	slices.SortStableFunc(schemes, func(a, b *signature.Scheme) int { return rank[a] - rank[b] })
	return schemes
}

// Reads reports whether a scheme finds in a request what it looks for, so that
// only the secret can tell.
func Reads(s *signature.Scheme, r *signature.Request) bool {
	_, err := timeless(s).Verify(r, nobodys(), time.Time{})
	return err != nil && refusal(err).Reason == signature.ReasonSignatureMismatch
}

// headerText is the names and values of the headers, to look for names in.
func headerText(r *signature.Request) string {
	var b strings.Builder
	for name, values := range r.Header {
		b.WriteString(name + ":" + strings.Join(values, ",") + "\n")
	}
	return plainName(b.String())
}

// plainName leaves out what names are written with or without.
func plainName(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(text), "-", ""), "_", "")
}
