package mismatch

import (
	"iter"
	"net"
	"net/url"
	"slices"
	"strings"
)

// urlChanges are the addresses that the sender may have used, where what the
// receiver sees is what a proxy made of it.
func urlChanges(c *Case) iter.Seq[change] {
	return func(yield func(change) bool) {
		if !c.Scheme.SignsURL() {
			return
		}
		u, err := url.Parse(c.Request.URL)
		if err != nil {
			return
		}
		for _, other := range urlsNear(u, c.Request.Header) {
			if !yield(change{
				with: "with the URL " + shown(other),
				do: "The provider signs the URL that it was told. Set public_url (or --url) to that, or have the proxy pass " +
					"scheme, host and path on as they came.",
				request: withURL(c.Request, other),
			}) {
				return
			}
		}
	}
}

// shown returns a URL without user and password.
func shown(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	return u.Redacted()
}

// A getter is an http.Header.
type getter interface{ Get(name string) string }

// urlsNear returns URLs that differ from u in what proxies change, those with
// the fewest differences first.
func urlsNear(u *url.URL, h getter) []string {
	schemes := unique(u.Scheme, strings.ToLower(first(h.Get("X-Forwarded-Proto"))), "https", "http")
	hosts := hostsNear(u, h)
	paths := pathsNear(u, h)
	queries := unique(u.RawQuery, "", strings.ReplaceAll(u.RawQuery, "+", "%20"), strings.ReplaceAll(u.RawQuery, "%20", "+"),
		u.Query().Encode(), unescaped(u.RawQuery))
	for _, header := range originalPaths() {
		if original, err := url.Parse(h.Get(header)); err == nil {
			queries = unique(append(queries, original.RawQuery)...)
		}
	}
	type candidate struct {
		text     string
		distance int
	}
	var all []candidate
	for s, scheme := range schemes {
		for i, host := range hosts {
			for p, path := range paths {
				for q, query := range queries {
					text := scheme + "://" + host + path
					if query != "" {
						text += "?" + query
					}
					distance := differs(s) + differs(i) + differs(p) + differs(q)
					if distance > 0 {
						all = append(all, candidate{text, distance})
					}
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return a.distance - b.distance })
	texts := make([]string, 0, len(all))
	for _, one := range all {
		texts = append(texts, one.text)
	}
	return texts
}

// differs is 1 for a place in a list that is not its first.
func differs(place int) int { return min(place, 1) }

// hostsNear returns the hosts that the request may have been sent to, with and
// without a port.
func hostsNear(u *url.URL, h getter) []string {
	name, port := u.Hostname(), u.Port()
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	forwarded := first(h.Get("X-Forwarded-Host"))
	hosts := []string{u.Host, name, name + ":443", name + ":80", strings.ToLower(u.Host), forwarded}
	for _, header := range []string{"X-Original-Host", "Host"} {
		hosts = append(hosts, h.Get(header))
	}
	for part := range strings.FieldsFuncSeq(h.Get("Forwarded"), func(r rune) bool { return r == ';' || r == ',' || r == ' ' }) {
		if host, ok := strings.CutPrefix(strings.ToLower(part), "host="); ok {
			hosts = append(hosts, strings.Trim(host, `"`))
		}
	}
	if forwardedPort := first(h.Get("X-Forwarded-Port")); forwardedPort != "" {
		hosts = append(hosts, net.JoinHostPort(name, forwardedPort))
	}
	for _, usual := range []string{"8000", "8080", "8443", "3000", "5000"} {
		if port == "" {
			hosts = append(hosts, name+":"+usual)
		}
	}
	return slices.DeleteFunc(unique(hosts...), func(host string) bool { return host == "" })
}

// originalPaths are headers in which proxies write the path, and perhaps the
// query, that they were asked for.
func originalPaths() []string {
	return []string{"X-Original-Uri", "X-Original-Url", "X-Rewrite-Url", "X-Forwarded-Uri", "X-Forwarded-Path"}
}

// pathsNear returns the paths that the request may have been sent to.
func pathsNear(u *url.URL, h getter) []string {
	path := u.EscapedPath()
	paths := []string{path}
	if bare, ok := strings.CutSuffix(path, "/"); ok {
		paths = append(paths, bare)
	} else {
		paths = append(paths, path+"/")
	}
	for _, header := range originalPaths() {
		if original, err := url.Parse(h.Get(header)); err == nil && original.Path != "" {
			paths = append(paths, original.EscapedPath())
		}
	}
	if prefix := strings.TrimSuffix(h.Get("X-Forwarded-Prefix"), "/"); prefix != "" {
		paths = append(paths, prefix+path)
	}
	const most = 3 // segments that a proxy may have put before it
	rest := path
	for range most {
		i := strings.IndexByte(strings.TrimPrefix(rest, "/"), '/')
		if i < 0 {
			break
		}
		rest = rest[i+1:]
		paths = append(paths, rest)
	}
	return unique(append(paths, u.Path, "")...)
}

func first(list string) string {
	one, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(one)
}

// unique returns texts without repetitions, in their order.
func unique(texts ...string) []string {
	var all []string
	for _, text := range texts {
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}
