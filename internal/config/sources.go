package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/secret"
	"github.com/tenterhook/tenterhook/signature"
	"github.com/tenterhook/tenterhook/signature/extra"
)

// The providers that are not the name of a scheme.
const (
	providerHMAC = "hmac" // the scheme is described in the file
	providerNone = "none" // there is no scheme
)

// weakSecret is the length in bytes below which a secret is likely to be
// guessed. Providers that make secrets make longer ones.
const weakSecret = 16

func (b *builder) source(raw named[rawSource]) {
	s := raw.v
	source := Source{
		Name: raw.name, Provider: s.provider.v,
		OnRedelivery: s.onRedelivery.or(tenterhook.RedeliveryHeal),
		MaxBody:      s.maxBody.or(b.config.Limits.MaxBody),
	}
	if s.maxBody.ok && s.maxBody.v > b.config.Limits.InFlight {
		b.reject(s.maxBody.at,
			fmt.Sprintf("this is more than limits.in_flight (%s), so the largest bodies would never be accepted",
				showSize(b.config.Limits.InFlight)), "raise limits: {in_flight: ...}, or lower this")
	}
	if raw.ok {
		if base := b.scheme(raw); base != nil {
			b.adapt(&source, raw, base)
		}
		b.publicURL(&source, raw)
		b.bodySchema(&source, raw)
	}
	b.config.Sources = append(b.config.Sources, source)
}

// adapt gives a source's scheme what the file says for it, and its keys.
func (b *builder) adapt(source *Source, raw named[rawSource], base *signature.Scheme) {
	set, secrets, ok := b.settings(source, raw, base)
	if !ok {
		return
	}
	tolerance := raw.v.tolerance.v
	source.adapt = func(f signature.Fetcher) (*signature.Scheme, error) {
		return base.With(signature.Options{Settings: set, Tolerance: tolerance, Fetcher: f})
	}
	var err error
	if source.Scheme, err = source.adapt(nil); err != nil {
		at := raw.v.provider.at
		if raw.v.tolerance.ok {
			at = raw.v.tolerance.at
		}
		message := strings.TrimPrefix(err.Error(), fmt.Sprintf("adapt scheme %s: ", base.Name()))
		b.reject(at, fmt.Sprintf("this cannot be set for %s: %s", source.Provider, message), "remove it")
		return
	}
	values := b.sourceKeys(source, raw)
	if !source.Scheme.Public() { // a public key may well stand in a request
		secrets = append(secrets, values...)
	}
	source.Redact = secret.NewFinder(secrets...)
}

// sourceKeys resolves the secrets of a source, and returns them.
func (b *builder) sourceKeys(source *Source, raw named[rawSource]) []string {
	s := raw.v
	none := len(s.rawSecrets.nodes()) == 0
	if none && source.Scheme.Keyless() {
		return nil
	}
	if path, ok := b.awaits(source, s); ok {
		source.AwaitsSecret, source.SecretRefs = path, []secret.Ref{s.one.v}
		b.warn(s.one.at, fmt.Sprintf("%q is not there: the source %q refuses events until %s sends its secret, "+
			"which is then kept in it", s.one.v, raw.name, source.Provider),
			"create the webhook at the provider while the server runs")
		return nil
	}
	owner := secretOwner{
		node: raw.at, name: fmt.Sprintf("the source %q", raw.name), scheme: source.Scheme,
		hint: fmt.Sprintf("write secret: env:%s, or file:PATH; provider: none accepts unsigned requests",
			variable(raw.name, "_WEBHOOK_SECRET")),
	}
	var values []string
	source.Keys, source.SecretRefs, values = b.keys(owner, s.rawSecrets)
	return values
}

// awaits returns the file that a source's first handshake is to fill: its one
// secret is a file that is not there, and the provider sends the secret itself.
func (b *builder) awaits(source *Source, s rawSource) (path string, ok bool) {
	if !s.one.ok || !source.Scheme.SendsSecret() {
		return "", false
	}
	path, isFile := b.secrets.File(s.one.v)
	if !isFile {
		return "", false
	}
	_, err := b.secrets.Resolve(context.Background(), s.one.v) // nothing to cancel: it is a file
	return path, errors.Is(err, fs.ErrNotExist)
}

// publicURL finds out where the provider posts to.
func (b *builder) publicURL(source *Source, raw named[rawSource]) {
	source.PublicURL = raw.v.publicURL.or(b.publicBase)
	if source.PublicURL == "" && source.Scheme != nil && source.Scheme.SignsURL() && len(b.config.TrustedProxies) == 0 &&
		onThisMachine(b.config.Listen) {
		b.warn(raw.v.provider.at, fmt.Sprintf("%s signs the URL, and %s is hardly the one that it posts to",
			source.Provider, b.config.Listen),
			"write public_url: and what is configured at the provider, such as https://hooks.example.com")
	}
}

// scheme returns how requests to a source are signed, or nil if they are not, or
// after it reported a problem.
func (b *builder) scheme(raw named[rawSource]) *signature.Scheme {
	s := raw.v
	if s.provider.at == nil {
		b.reject(raw.at, fmt.Sprintf("the source %q has no provider", raw.name),
			"write provider: and who posts here, such as github; "+listProviders)
		return nil
	}
	if !s.provider.ok {
		return nil
	}
	if s.provider.v != providerHMAC {
		b.onlyFor(s.hmacKeys(), "provider: hmac")
	}
	switch s.provider.v {
	case providerNone:
		b.onlyFor(present(s.settings.at, s.tolerance.at), "a provider that signs")
		for _, g := range s.rawSecrets.nodes() {
			b.reject(g, "provider: none verifies nothing, so a secret would have no use",
				"remove the secret, or name the provider that signs")
		}
		b.warn(s.provider.at, fmt.Sprintf("anyone who can reach this machine can post events to the source %q",
			raw.name),
			"name the provider that signs, and a secret")
		return nil
	case providerHMAC:
		return b.hmac(raw)
	}
	if scheme, ok := b.schemes[s.provider.v]; ok {
		b.usedSchemes[s.provider.v] = true
		return scheme // nil if it had a problem, which was reported
	}
	scheme, ok := extra.Lookup(s.provider.v)
	if !ok {
		b.reject(s.provider.at, fmt.Sprintf("there is no provider %q", clip(s.provider.v)),
			providerHint(s.provider.v, append(providers(), slices.Sorted(maps.Keys(b.schemes))...)))
	}
	return scheme
}

// listProviders says where all providers are listed: there are too many for a
// message.
const listProviders = "tenterhook trigger --list lists them"

// providers lists what provider: may be.
func providers() []string {
	var names []string
	for _, scheme := range extra.Schemes() {
		names = append(names, scheme.Name())
	}
	return append(names, providerHMAC, providerNone)
}

// providerHint names the providers that text may be meant for.
func providerHint(text string, all []string) string {
	const most = 5
	var near []string
	if word, ok := nearest(text, all); ok {
		near = append(near, word)
	}
	plain := plainWord(text)
	for _, name := range all {
		related := len(plain) > 2 && strings.HasPrefix(plainWord(name), plain)
		if related && !slices.Contains(near, name) && len(near) < most {
			near = append(near, name)
		}
	}
	switch len(near) {
	case 0:
		return listProviders + "; hmac describes any that signs the body in a header, and schemes: all others"
	case 1:
		return fmt.Sprintf("did you mean %q?", near[0])
	}
	return "did you mean one of " + strings.Join(near, ", ") + "?"
}

// hmac returns the scheme that the keys of a source describe.
func (b *builder) hmac(raw named[rawSource]) *signature.Scheme {
	s := raw.v
	if s.header.at == nil {
		b.reject(raw.at, fmt.Sprintf("the source %q does not say which header holds the signature", raw.name),
			"write header: and its name, such as X-Signature")
		return nil
	}
	// Each option is tried by itself first, so that its own place is reported.
	const some = "X-Signature"
	for _, part := range []struct {
		given[string]

		options signature.HMACOptions
	}{
		{s.header, signature.HMACOptions{Header: s.header.v}},
		{s.prefix, signature.HMACOptions{Header: some, Prefix: s.prefix.v}},
		{s.typeHeader, signature.HMACOptions{Header: some, TypeHeader: s.typeHeader.v}},
		{s.idHeader, signature.HMACOptions{Header: some, IDHeader: s.idHeader.v}},
	} {
		if _, err := signature.HMAC(part.options); part.ok && err != nil {
			b.reject(part.at, strings.TrimPrefix(err.Error(), "hmac scheme: "),
				"a header has letters, digits and -, such as "+some)
			return nil
		}
	}
	if !s.header.ok {
		return nil
	}
	scheme, err := signature.HMAC(signature.HMACOptions{
		Header: s.header.v, Algorithm: s.algorithm.v, Encoding: s.encoding.v, Prefix: s.prefix.v,
		TypeHeader: s.typeHeader.v, IDHeader: s.idHeader.v,
	})
	if err != nil {
		b.reject(s.provider.at, err.Error(), "correct what it names")
		return nil
	}
	return scheme
}

// hmacKeys returns the values that only provider: hmac has.
func (s rawSource) hmacKeys() []*node {
	return present(s.header.at, s.algorithm.at, s.encoding.at, s.prefix.at, s.typeHeader.at, s.idHeader.at)
}

func (s rawSecrets) nodes() []*node { return present(s.one.at, s.many.at) }

// present returns the nodes that the file has.
func present(nodes ...*node) []*node {
	var all []*node
	for _, n := range nodes {
		if n != nil {
			all = append(all, n)
		}
	}
	return all
}

// onlyFor reports keys that have a meaning only beside another.
func (b *builder) onlyFor(nodes []*node, other string) {
	for _, n := range nodes {
		name := n.path[strings.LastIndex(n.path, ".")+1:]
		b.reject(n, fmt.Sprintf("%q has a meaning only with %s", name, other), "remove it")
	}
}

// A secretOwner is what has secrets.
type secretOwner struct {
	node   *node  // where it is reported that there are none
	name   string // for messages
	scheme *signature.Scheme
	hint   string // what to write if there are none
}

// keys resolves the secrets of something, and checks that its scheme can use
// them.
func (b *builder) keys(owner secretOwner, raw rawSecrets) (keys signature.Keys, refs []secret.Ref, values []string) {
	all := raw.many.v
	switch {
	case raw.one.at == nil && raw.many.at == nil:
		b.reject(owner.node, owner.name+" has no secret", owner.hint)
		return signature.Keys{}, nil, nil
	case raw.one.at != nil && raw.many.at != nil:
		b.reject(raw.many.at, "there is a secret and a list of secrets",
			"put all of them in the list, the current one first")
		return signature.Keys{}, nil, nil
	case raw.one.at != nil:
		all = []given[secret.Ref]{raw.one}
	}
	for _, g := range all {
		if !g.ok {
			continue
		}
		value, ok := b.resolve(g.at, g.v)
		if ok && b.checkKey(g, value, owner) {
			values, refs = append(values, value), append(refs, g.v)
		}
	}
	if len(values) < len(all) || len(all) == 0 {
		return signature.Keys{}, nil, nil // reported, one by one
	}
	keys, err := signature.NewKeys(values...)
	if err != nil {
		b.reject(raw.many.at, err.Error(), "keep the current ones")
	}
	return keys, refs, values
}

// resolve returns the value of a reference.
func (b *builder) resolve(n *node, ref secret.Ref) (string, bool) {
	// Nothing to cancel: what is resolved here is the environment and the disk.
	value, err := b.secrets.Resolve(context.Background(), ref)
	if err != nil {
		b.rejectSecret(n, err)
	}
	return value, err == nil
}

// checkKey reports whether the scheme can use a secret.
func (b *builder) checkKey(g given[secret.Ref], value string, owner secretOwner) bool {
	if b.env.WithoutSecrets {
		return true
	}
	keys, err := signature.NewKeys(value)
	if err == nil {
		err = owner.scheme.CheckKeys(keys)
	}
	if err != nil {
		message, hint := err.Error(), ""
		if known := (*signature.KeyError)(nil); errors.As(err, &known) {
			message, hint = known.Problem, known.Hint
		}
		b.reject(g.at, fmt.Sprintf("the secret %q cannot be used with %s: %s", g.v, owner.scheme.Name(), message), hint)
		return false
	}
	if len(value) < weakSecret {
		b.warn(g.at, fmt.Sprintf("the secret %q is shorter than %d bytes, and may be guessed", g.v, weakSecret),
			"make one with: openssl rand -hex 32")
	}
	return true
}
