package ingest

import (
	"net/http"
	"net/netip"
	"strings"
)

// An origin is where a request comes from, and what it was sent to.
type origin struct {
	peer   string // IP address of the sender, as far as it is known
	scheme string // http or https
	host   string // with the port, if there is one
}

// maxHops bounds how many proxies a request is followed back through.
const maxHops = 16

// originOf returns what r says of its origin, and believes what proxies add to
// it only if they are trusted. Each of them has to remove or replace what a
// sender wrote into these headers, but for X-Forwarded-For and Forwarded, which
// grow at the end.
func originOf(r *http.Request, trusted []netip.Prefix) origin {
	o := origin{peer: peer(r), scheme: "http", host: r.Host}
	if r.TLS != nil {
		o.scheme = "https"
	}
	if !isTrusted(o.peer, trusted) {
		return o
	}
	if forwarded := r.Header["Forwarded"]; len(forwarded) > 0 && !hasForwardedHeaders(r.Header) {
		o.followForwarded(items(forwarded), trusted)
		return o
	}
	hops := o.followPeers(items(r.Header["X-Forwarded-For"]), trusted)
	if scheme := strings.ToLower(item(items(r.Header["X-Forwarded-Proto"]), hops)); scheme == "http" || scheme == "https" {
		o.scheme = scheme
	}
	if host := item(items(r.Header["X-Forwarded-Host"]), hops); validHost(host) {
		o.host = host
	}
	return o
}

func hasForwardedHeaders(h http.Header) bool {
	return len(h["X-Forwarded-For"]) > 0 || len(h["X-Forwarded-Proto"]) > 0 || len(h["X-Forwarded-Host"]) > 0
}

// followPeers goes back through a list of peers, of which each but the first was
// added by the one after it, as long as they are trusted. It returns how many
// proxies there were, at least one.
func (o *origin) followPeers(peers []string, trusted []netip.Prefix) (hops int) {
	for hops = 1; hops <= len(peers) && hops <= maxHops; hops++ {
		addr, ok := parsePeer(peers[len(peers)-hops])
		if !ok {
			break // such as "unknown": what is before it cannot be known
		}
		o.peer = addr.String()
		if !isTrusted(o.peer, trusted) {
			break
		}
	}
	return hops
}

// followForwarded is the same for the header Forwarded of RFC 7239.
func (o *origin) followForwarded(elements []string, trusted []netip.Prefix) {
	for hops := 1; hops <= len(elements) && hops <= maxHops; hops++ {
		element := elements[len(elements)-hops]
		if scheme := strings.ToLower(parameter(element, "proto")); scheme == "http" || scheme == "https" {
			o.scheme = scheme
		}
		if host := parameter(element, "host"); validHost(host) {
			o.host = host
		}
		addr, ok := parsePeer(parameter(element, "for"))
		if !ok {
			return
		}
		if o.peer = addr.String(); !isTrusted(o.peer, trusted) {
			return
		}
	}
}

// items splits the values of a header into what is between commas.
func items(values []string) []string {
	var all []string
	for _, value := range values {
		for one := range strings.SplitSeq(value, ",") {
			all = append(all, strings.TrimSpace(one))
		}
	}
	return all
}

// item returns what the proxy that is hops away wrote into a list to which each
// adds, or the first if there are fewer: most proxies do not add but replace.
func item(list []string, hops int) string {
	if len(list) == 0 {
		return ""
	}
	return list[max(len(list)-hops, 0)]
}

// parameter returns the value of name in a forwarded-element.
func parameter(element, name string) string {
	for pair := range strings.SplitSeq(element, ";") {
		key, value, _ := strings.Cut(pair, "=")
		if strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}

// parsePeer reads an address with or without a port and brackets.
func parsePeer(text string) (netip.Addr, bool) {
	if with, err := netip.ParseAddrPort(text); err == nil {
		return with.Addr().Unmap().WithZone(""), true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return addr.Unmap().WithZone(""), err == nil
}

func isTrusted(peer string, trusted []netip.Prefix) bool {
	if len(trusted) == 0 {
		return false
	}
	addr, ok := parsePeer(peer)
	if !ok {
		return false
	}
	for _, prefix := range trusted {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// validHost reports whether text can be the host of a URL.
func validHost(text string) bool {
	for i := range len(text) {
		c := text[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte(".-_:[]", c) < 0 {
			return false
		}
	}
	const longest = 255
	return text != "" && len(text) <= longest
}

// urlOf returns the URL that the sender used, as far as it is known.
func urlOf(r *http.Request, o *origin, source *Source) string {
	uri := r.RequestURI
	if !strings.HasPrefix(uri, "/") { // in absolute form, or made by a test
		uri = r.URL.RequestURI()
	}
	if source.PublicURL == "" {
		return o.scheme + "://" + o.host + uri
	}
	_, rest, _ := strings.Cut(source.PublicURL, "://")
	if !strings.Contains(rest, "/") {
		return source.PublicURL + uri
	}
	// It is the whole URL, but for what the sender adds to it.
	if _, query, ok := strings.Cut(uri, "?"); ok {
		return source.PublicURL + "?" + query
	}
	return source.PublicURL
}
