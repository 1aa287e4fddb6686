package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/tenterhook/tenterhook/internal/destination"
	"github.com/tenterhook/tenterhook/signature"
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
	if signed := b.sign(raw, d); !signed || !v.url.ok {
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
	d.HTTP.Sign = g.v.scheme.or(destination.SignStandardWebhooks)
	owner := secretOwner{
		node: g.at, name: fmt.Sprintf("the destination %q", raw.name), scheme: signature.StandardWebhooks, hint: hint,
	}
	keys, refs, _ := b.keys(owner, g.v.rawSecrets)
	d.HTTP.Keys, d.SecretRefs = keys, append(d.SecretRefs, refs...)
	return keys.Len() > 0
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
	b.onlyFor(present(v.sign.at, v.headers.at), "url")
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
