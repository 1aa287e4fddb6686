package mismatch

import (
	"iter"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/tenterhook/tenterhook/signature"
)

// ofSigning are the names of headers that may have to do with a signature.
var ofSigning = regexp.MustCompile(`(?i)sign|sig$|hmac|digest|auth|token|hash|timestamp|webhook|event|time`)

// signingHeaders returns the names of the headers that may have to do with the
// signature, in order.
func signingHeaders(h http.Header) []string {
	var names []string
	for name := range h {
		if ofSigning.MatchString(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// oldGitHubHeader is X-Hub-Signature, with SHA-1, which GitHub and what imitates
// it sent before X-Hub-Signature-256.
func oldGitHubHeader(c *Case) iter.Seq[change] {
	return func(yield func(change) bool) {
		old, err := signature.HMAC(signature.HMACOptions{Header: "X-Hub-Signature", Algorithm: signature.SHA1, Prefix: "sha1="})
		if err != nil || c.Request.Header.Get("X-Hub-Signature") == "" {
			return
		}
		yield(change{
			with: "by its header X-Hub-Signature, which is made with SHA-1",
			do: "The secret and the body are right. Pass X-Hub-Signature-256 on as well; if the sender makes only the old header, " +
				"declare it: provider: hmac, header: X-Hub-Signature, algorithm: sha1, prefix: sha1=.",
			scheme: old,
		})
	}
}

// repeatedHeaders are requests in which a header that is there twice, or was
// joined from two, is there once.
func repeatedHeaders(c *Case) iter.Seq[change] {
	const do = "Something between sender and receiver adds the header a second time. Have it set the header instead of adding it."
	return func(yield func(change) bool) {
		for _, name := range signingHeaders(c.Request.Header) {
			values := c.Request.Header[name]
			if len(values) == 1 {
				values = strings.Split(values[0], ",")
			}
			if len(values) < 2 {
				continue
			}
			for _, one := range []struct{ which, value string }{
				{"the first", values[0]}, {"the last", values[len(values)-1]},
				{"all, joined with commas,", strings.Join(values, ",")},
			} {
				with := "with " + one.which + " of the values of " + name
				if !yield(change{with: with, do: do, request: withHeader(c.Request, func(h http.Header) {
					h.Set(name, strings.TrimSpace(one.value))
				})}) {
					return
				}
			}
		}
	}
}

// renamedHeaders are requests whose headers were captured as a CGI program sees
// them.
func renamedHeaders(c *Case) iter.Seq[change] {
	return func(yield func(change) bool) {
		yield(change{
			with: "with its headers' names written with - instead of _",
			do:   "The capture has the names of variables (HTTP_X_...). Give the receiver the headers themselves.",
			request: withHeader(c.Request, func(h http.Header) {
				for name, values := range h {
					if strings.Contains(name, "_") {
						plain := strings.ReplaceAll(strings.TrimPrefix(strings.ToUpper(name), "HTTP_"), "_", "-")
						delete(h, name)
						h[http.CanonicalHeaderKey(plain)] = values
					}
				}
			}),
		})
	}
}

// headerValues are requests in which the value of one header is spelled
// otherwise.
func headerValues(c *Case) iter.Seq[change] {
	const do = "Pass headers on as they are: something between sender and receiver, or in the capture, has changed this one."
	edits := []struct {
		with string
		of   func(string) string
	}{
		{"without the quotes around the value of", func(v string) string { return strings.Trim(v, `"' `) }},
		{"with percent escapes decoded in", func(v string) string { plain, _ := url.PathUnescape(v); return plain }},
		{"with + for each space in", func(v string) string { return strings.ReplaceAll(v, " ", "+") }},
		{"without the prefix of", func(v string) string { return v[strings.IndexAny(v, "=, ")+1:] }},
		{"with the prefix sha256= in", func(v string) string { return "sha256=" + v }},
		{"with the prefix sha1= in", func(v string) string { return "sha1=" + v }},
		{"with the prefix v1= in", func(v string) string { return "v1=" + v }},
		{"with the prefix v0= in", func(v string) string { return "v0=" + v }},
		{"with the prefix v1, in", func(v string) string { return "v1," + v }},
		{"in small letters, with", strings.ToLower},
		{"without the word before", func(v string) string { return v[strings.IndexByte(v, ' ')+1:] }},
	}
	return func(yield func(change) bool) {
		for _, name := range signingHeaders(c.Request.Header) {
			values := c.Request.Header[name]
			if len(values) != 1 {
				continue
			}
			for _, edit := range edits {
				if !yield(change{with: edit.with + " the header " + name, do: do, request: withHeader(c.Request, func(h http.Header) {
					h[name] = []string{edit.of(values[0])}
				})}) {
					return
				}
			}
		}
	}
}

// unixTime is a number of seconds or of milliseconds in this century.
var unixTime = regexp.MustCompile(`\b1[0-9]{9}(?:[0-9]{3})?\b`)

// timestampUnits are requests whose timestamp is in seconds instead of
// milliseconds, or the other way round.
func timestampUnits(c *Case) iter.Seq[change] {
	return func(yield func(change) bool) {
		for _, name := range signingHeaders(c.Request.Header) {
			changed := withHeader(c.Request, func(h http.Header) {
				values := slices.Clone(h[name])
				for i, value := range values {
					values[i] = unixTime.ReplaceAllStringFunc(value, otherUnit)
				}
				h[name] = values
			})
			if !yield(change{
				with: "with the timestamp in " + name + " in the other unit, seconds or milliseconds",
				do:   "Pass the timestamp on as it came: something converts it. It is signed as text.", request: changed,
			}) {
				return
			}
		}
	}
}

func otherUnit(text string) string {
	const digits = 10
	if len(text) > digits {
		return text[:digits]
	}
	return text + "000"
}

// methodChanges are requests with other methods: a redirect makes a GET of a
// POST.
func methodChanges(c *Case) iter.Seq[change] {
	return func(yield func(change) bool) {
		for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodPut} {
			changed := *c.Request
			changed.Method = method
			if !yield(change{
				with: "with the method " + method, request: &changed,
				do: "The scheme signs the method. Give the sender the final address, so that nothing redirects the request.",
			}) {
				return
			}
		}
	}
}
