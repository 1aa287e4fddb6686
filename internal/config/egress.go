package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/tenterhook/tenterhook/internal/egress"
	"github.com/tenterhook/tenterhook/internal/secret"
)

// Egress says what may be reached besides public addresses, and how.
type Egress struct {
	Allow              []egress.Rule
	Ports              []uint16     // of public addresses, besides the usual ones
	Proxy              *url.URL     // nil for none
	ProxyAuthorization string       // empty for none
	SecretRefs         []secret.Ref // where ProxyAuthorization comes from
}

// Options returns e for a client.
func (e Egress) Options() egress.Options {
	return egress.Options{
		Allow: e.Allow, Ports: e.Ports, Proxy: e.Proxy, ProxyAuthorization: e.ProxyAuthorization,
	}
}

type rawEgress struct {
	allow              given[[]given[egress.Rule]]
	ports              given[[]given[int]]
	proxy              given[*url.URL]
	proxyAuthorization given[secret.Ref]
}

func egressKind() kind[rawEgress] {
	const highest = 1<<16 - 1
	return object(nil,
		key("allow", "Private ranges that may be reached, in CIDR, with a port after a colon if only that one. "+
			"Default none. An address or localhost that a url names may always be reached.",
			oneOrMore(allowed()), func(e *rawEgress) *given[[]given[egress.Rule]] { return &e.allow }),
		key("ports", "Ports of public addresses that may be reached, besides 443 and 8443 and those that a url names.",
			oneOrMore(integer(1, highest)), func(e *rawEgress) *given[[]given[int]] { return &e.ports }),
		key("proxy", "URL of an HTTP proxy that all requests go through. Addresses are judged before it is asked.",
			proxyURL(), func(e *rawEgress) *given[*url.URL] { return &e.proxy }),
		key("proxy_authorization", "What the proxy gets as Proxy-Authorization: env:NAME or file:PATH.",
			secretRef(), func(e *rawEgress) *given[secret.Ref] { return &e.proxyAuthorization }),
	)
}

// allowed is a range of addresses in CIDR notation, with or without a port.
func allowed() kind[egress.Rule] {
	return textKind(schema{"pattern": `^[0-9A-Fa-f.:]+/[0-9]{1,3}(:[0-9]{1,5})?$`}, parseAllowed)
}

func parseAllowed(text string) (egress.Rule, *complaint) {
	rule, err := egress.ParseRule(text)
	if err == nil {
		return rule, nil
	}
	c := &complaint{
		message: fmt.Sprintf("%q is not a range of addresses", clip(text)),
		hint:    "write it as CIDR, such as 10.0.0.0/8, or with a port, such as 10.0.0.0/8:443",
	}
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		c.hint = "write " + netip.PrefixFrom(addr, addr.BitLen()).String() + " for this address alone"
	}
	if prefix, err := netip.ParsePrefix(text); err == nil {
		c.message = fmt.Sprintf("%q has bits set beyond its length", text)
		c.hint = fmt.Sprintf("write %s for the range, or %s for the address alone", prefix.Masked(),
			netip.PrefixFrom(prefix.Addr(), prefix.Addr().BitLen()))
	}
	return egress.Rule{}, c
}

// proxyURL is where a proxy is. What is wrong with it is said without the text,
// which may hold a password.
func proxyURL() kind[*url.URL] {
	return textKind(schema{"format": "uri", "pattern": "^https?://"}, func(text string) (*url.URL, *complaint) {
		const wanted = "write it like http://proxy.example:3128"
		if _, c := parseTarget(text); c != nil {
			c.hint = wanted
			if strings.Contains(text, "@") {
				c.hint = "write proxy_authorization: env:NAME, which holds Basic and the base64 of USER:PASSWORD"
			}
			return nil, c
		}
		u, err := url.Parse(text)
		if err != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
			return nil, &complaint{message: "the URL of a proxy has no path and no query", hint: wanted}
		}
		return u, nil
	})
}

func (b *builder) egress(e rawEgress) {
	into := &b.config.Egress
	for _, allowed := range e.allow.v {
		if !allowed.ok {
			continue
		}
		into.Allow = append(into.Allow, allowed.v)
		if allowed.v.Prefix.Bits() == 0 {
			b.warn(allowed.at, "this allows every address, private networks and cloud metadata included",
				"name the ranges that are meant, such as 10.20.0.0/16")
		}
	}
	for _, port := range e.ports.v {
		if port.ok {
			into.Ports = append(into.Ports, uint16(port.v))
		}
	}
	into.Proxy = e.proxy.v
	if !e.proxyAuthorization.ok {
		return
	}
	if e.proxy.at == nil {
		b.onlyFor(present(e.proxyAuthorization.at), "proxy")
		return
	}
	value, ok := b.resolve(e.proxyAuthorization.at, e.proxyAuthorization.v)
	if !ok {
		return
	}
	if checkHeader("Authorization", value) != nil {
		b.reject(e.proxyAuthorization.at, "the secret cannot be the value of a header",
			"it holds a control character, or is too long")
	}
	into.ProxyAuthorization, into.SecretRefs = value, []secret.Ref{e.proxyAuthorization.v}
}
