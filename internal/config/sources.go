package config

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/secret"
	"github.com/tenterhook/tenterhook/signature"
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
		source.Scheme = b.scheme(raw)
		if source.Scheme != nil {
			owner := secretOwner{
				node: raw.at, name: fmt.Sprintf("the source %q", raw.name), scheme: source.Scheme,
				hint: fmt.Sprintf("write secret: env:%s, or file:PATH; provider: none accepts unsigned requests",
					variable(raw.name, "_WEBHOOK_SECRET")),
			}
			source.Keys, source.SecretRefs = b.keys(owner, s.rawSecrets)
		}
	}
	b.config.Sources = append(b.config.Sources, source)
}

// scheme returns how requests to a source are signed, or nil if they are not, or
// after it reported a problem.
func (b *builder) scheme(raw named[rawSource]) *signature.Scheme {
	s := raw.v
	if s.provider.at == nil {
		b.reject(raw.at, fmt.Sprintf("the source %q has no provider", raw.name),
			"write provider: and one of "+strings.Join(providers(), ", "))
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
	scheme, ok := signature.Lookup(s.provider.v)
	if !ok {
		b.reject(s.provider.at, fmt.Sprintf("there is no provider %q", clip(s.provider.v)),
			didYouMean(s.provider.v, providers(),
				"write one of %s; hmac describes any that signs the body in a header"))
	}
	return scheme
}

// providers lists what provider: may be.
func providers() []string {
	var names []string
	for _, scheme := range signature.Schemes() {
		names = append(names, scheme.Name())
	}
	return append(names, providerHMAC, providerNone)
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
func (b *builder) keys(owner secretOwner, raw rawSecrets) (signature.Keys, []secret.Ref) {
	all := raw.many.v
	switch {
	case raw.one.at == nil && raw.many.at == nil:
		b.reject(owner.node, owner.name+" has no secret", owner.hint)
		return signature.Keys{}, nil
	case raw.one.at != nil && raw.many.at != nil:
		b.reject(raw.many.at, "there is a secret and a list of secrets",
			"put all of them in the list, the current one first")
		return signature.Keys{}, nil
	case raw.one.at != nil:
		all = []given[secret.Ref]{raw.one}
	}
	var (
		values []string
		refs   []secret.Ref
	)
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
		return signature.Keys{}, nil // reported, one by one
	}
	keys, err := signature.NewKeys(values...)
	if err != nil {
		b.reject(raw.many.at, err.Error(), "keep the current ones")
	}
	return keys, refs
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
