package config

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tenterhook/tenterhook/internal/destination"
	"github.com/tenterhook/tenterhook/signature"
	"github.com/tenterhook/tenterhook/signature/extra"
)

func (b *builder) destination(raw named[rawDestination]) {
	d := Destination{Name: raw.name, Retry: b.retry(raw.v.retry)}
	switch {
	case !raw.ok: // reported
	case raw.v.url.at == nil && raw.v.command.at == nil:
		b.reject(raw.at, fmt.Sprintf("the destination %q says nowhere to go", raw.name),
			"write url: https://host.example/hooks, or command: [./program, argument]")
	case raw.v.url.at != nil && raw.v.command.at != nil:
		b.reject(raw.v.command.at, fmt.Sprintf("the destination %q has a url and a command", raw.name),
			"make two destinations of it; a route may name both")
	case raw.v.url.at != nil:
		b.http(raw, &d)
	default:
		b.command(raw, &d)
	}
	b.config.Destinations = append(b.config.Destinations, d)
}

func (b *builder) http(raw named[rawDestination], d *Destination) {
	v := raw.v
	b.onlyFor(present(v.dir.at), "command")
	c := &destination.HTTPConfig{
		URL: v.url.v, Literal: true, Timeout: v.timeout.v, Headers: b.headers(v.headers, d),
	}
	d.HTTP, d.Concurrency = c, v.concurrency.or(defaultHTTPConcurrency)
	if v.timeout.ok && v.timeout.v > maxHTTPTimeout {
		b.reject(v.timeout.at, fmt.Sprintf("a request may not take longer than %s", showDuration(maxHTTPTimeout)),
			"let the receiver answer first and work after, or run a command")
	}
	if v.url.ok {
		b.plainHTTP(v.url)
	}
	before := len(b.problems)
	b.more(v.http, d)
	if signed := b.sign(raw, d); !signed || !v.url.ok || len(b.problems) > before {
		return
	}
	if err := c.Validate(); err != nil { // whatever else the package that sends knows
		b.reject(v.url.at, fmt.Sprintf("the destination %q cannot be used: %v", raw.name, err), "correct it")
	}
}

// plainHTTP refuses a URL without TLS that could never be reached.
func (b *builder) plainHTTP(g given[string]) {
	u, err := url.Parse(g.v)
	if err != nil || !strings.EqualFold(u.Scheme, "http") || len(b.config.Egress.Allow) > 0 {
		return
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil || strings.EqualFold(u.Hostname(), "localhost") {
		return
	}
	b.reject(g.at, "without TLS, only addresses that are written out or allowed are reached",
		"write https://, or allow the network that the host is in, such as egress: {allow: [10.20.0.0/16]}")
}

// sign reads how requests to a destination are signed. There is no default: a
// receiver that verifies nothing should be somebody's decision. It returns false
// after it reported a problem.
func (b *builder) sign(raw named[rawDestination], d *Destination) bool {
	g := raw.v.sign
	hint := strings.Replace(signHint, "env:NAME", "env:"+variable(raw.name, "_SECRET"), 1)
	switch {
	case g.at == nil:
		b.reject(raw.at, fmt.Sprintf("the destination %q does not say how requests are signed", raw.name), hint)
		return false
	case !g.ok, g.v.scheme.at != nil && !g.v.scheme.ok: // reported
		return false
	case g.v.mode != "":
		d.HTTP.Sign = g.v.mode
		return true
	}
	scheme := b.signer(g.v.scheme, d)
	if scheme == nil {
		return false
	}
	owner := secretOwner{
		node: g.at, name: fmt.Sprintf("the destination %q", raw.name), scheme: scheme, hint: hint,
	}
	keys, refs, _ := b.keys(owner, g.v.rawSecrets)
	d.HTTP.Keys, d.SecretRefs = keys, append(d.SecretRefs, refs...)
	if keys.Len() > 0 && scheme.Public() {
		return b.signsWith(raw, scheme, keys)
	}
	return keys.Len() > 0
}

// signer returns the scheme that signs, or nil after it reported a problem.
func (b *builder) signer(g given[string], d *Destination) *signature.Scheme {
	if !g.ok || g.v == destination.SignStandardWebhooks {
		d.HTTP.Sign = destination.SignStandardWebhooks
		return signature.StandardWebhooks
	}
	scheme, ok := b.schemes[g.v]
	if ok {
		b.usedSchemes[g.v] = true
	} else if scheme, ok = extra.Lookup(g.v); !ok {
		b.reject(g.at, fmt.Sprintf("there is no scheme %q", clip(g.v)),
			providerHint(g.v, append(providers(), slices.Sorted(maps.Keys(b.schemes))...)))
	}
	if scheme == nil { // reported
		return nil
	}
	for _, s := range scheme.Settings() {
		if !s.Optional {
			b.reject(g.at, fmt.Sprintf("the scheme %q needs a value for %q, which a destination cannot have", clip(g.v), s.Name),
				"write a scheme of your own below schemes:, with that value in it")
			return nil
		}
	}
	d.HTTP.Sign, d.HTTP.Scheme = destination.SignScheme, scheme
	if scheme == signature.StandardWebhooks {
		d.HTTP.Sign, d.HTTP.Scheme = destination.SignStandardWebhooks, nil
	}
	return scheme
}

// signsWith tries keys of a scheme whose receivers have public ones, which do
// not sign.
func (b *builder) signsWith(raw named[rawDestination], scheme *signature.Scheme, keys signature.Keys) bool {
	trial := signature.Request{Method: "POST", URL: raw.v.url.v, Header: make(http.Header), Body: []byte("{}")}
	err := scheme.Sign(&trial, keys, signature.SignOptions{ID: "evt_1", Time: time.Unix(1, 0)})
	if err != nil {
		b.reject(raw.v.sign.at, fmt.Sprintf("nothing can be signed with %s and this secret: %v", scheme.Name(), err),
			"give the private key; the public one is the receiver's")
	}
	return err == nil
}

// headers returns the headers of a destination with the secrets in them.
func (b *builder) headers(raw given[[]rawHeader], d *Destination) map[string]string {
	if len(raw.v) == 0 {
		return nil
	}
	headers := make(map[string]string, len(raw.v))
	for _, h := range raw.v {
		value := h.value
		if !h.ref.IsZero() {
			var ok bool
			if value, ok = b.resolve(h.at, h.ref); !ok {
				continue
			}
			if checkHeader(h.name, value) != nil {
				b.reject(h.at, fmt.Sprintf("the secret %q cannot be the value of a header", h.ref),
					"it holds a control character, or is too long")
			}
			d.SecretRefs = append(d.SecretRefs, h.ref)
		}
		headers[h.name] = value
	}
	return headers
}

func (b *builder) command(raw named[rawDestination], d *Destination) {
	v := raw.v
	b.onlyFor(append(present(v.sign.at, v.headers.at), v.http.nodes()...), "url")
	c := &destination.CommandConfig{
		Argv: words(v.command), Dir: b.path(v.dir.or(".")), Timeout: v.timeout.v,
		Path: b.env.Getenv("PATH"), Home: b.env.Getenv("HOME"),
	}
	d.Command, d.Concurrency = c, v.concurrency.or(defaultCommandConcurrency)
	if !v.command.ok || !b.program(v.command.v[0], c) {
		return
	}
	if err := c.Validate(); err != nil { // whatever else the package that runs it knows
		b.reject(v.command.at, fmt.Sprintf("the destination %q cannot be used: %v", raw.name, err), "correct it")
	}
}

// program checks the first word of a command, and makes it independent of where
// the command runs.
func (b *builder) program(first given[string], c *destination.CommandConfig) bool {
	written := first.v
	switch {
	case strings.TrimSpace(written) == "":
		b.reject(first.at, "the command names no program", "write command: [./program, argument]")
		return false
	case strings.HasPrefix(written, "~"):
		b.reject(first.at, "~ is not expanded here, for there is no shell", "write the whole path")
		return false
	case strings.HasPrefix(written, "./"), strings.HasPrefix(written, "../"):
		c.Argv[0] = b.path(written)
	case strings.HasPrefix(written, "/"), !strings.Contains(written, "/"): // whole, or looked for in PATH
	default:
		b.reject(first.at, fmt.Sprintf("%q is a relative path that does not say relative to what", clip(written)),
			fmt.Sprintf("write ./%s if it starts at the directory of this file, or the whole path", clip(written)))
		return false
	}
	err := b.env.lookPath(c.Argv[0])
	switch {
	case err != nil && strings.Contains(written, " "):
		b.reject(first.at, fmt.Sprintf("there is no program %q, and no shell that would split it into words",
			clip(written)),
			fmt.Sprintf("write command: [%s]", strings.Join(strings.Fields(clip(written)), ", ")))
		return false
	case err != nil:
		b.warn(first.at, fmt.Sprintf("the program %q cannot be run yet: %v", clip(written), cause(err)),
			"put it there, and make it executable: chmod +x FILE")
	}
	return true
}
