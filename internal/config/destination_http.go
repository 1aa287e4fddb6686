package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tenterhook/tenterhook/internal/destination"
	"github.com/tenterhook/tenterhook/internal/egress"
	"github.com/tenterhook/tenterhook/internal/secret"
)

// The raw types of what only a destination with a url has.
type (
	rawHTTP struct {
		method, contentType, cloudEvents, handshake given[string]

		success     given[[]given[destination.StatusRange]]
		passHeaders given[[]given[string]]
		auth        given[rawAuth]
		tls         given[rawTLS]
	}
	rawAuth struct {
		basic  given[rawBasic]
		bearer given[secret.Ref]
		oauth2 given[rawOAuth2]
	}
	rawBasic struct {
		user     given[string]
		password given[secret.Ref]
	}
	rawOAuth2 struct {
		tokenURL, clientID, audience given[string]
		clientSecret                 given[secret.Ref]
		scopes                       given[[]given[string]]
	}
	rawTLS struct {
		ca        given[string]
		cert, key given[secret.Ref]
	}
)

// nodes returns the values that only a destination with a url has.
func (h rawHTTP) nodes() []*node {
	return present(h.method.at, h.contentType.at, h.cloudEvents.at, h.handshake.at, h.success.at, h.passHeaders.at,
		h.auth.at, h.tls.at)
}

func httpFields() []field[rawDestination] {
	return []field[rawDestination]{
		key("method", "How requests are made. Default POST.", word(http.MethodPost, http.MethodPut, http.MethodPatch),
			func(d *rawDestination) *given[string] { return &d.http.method }),
		key("content_type", "Content-Type of requests. Default the event's own.",
			line(), func(d *rawDestination) *given[string] { return &d.http.contentType }),
		key("success", "Statuses that mean that an event was taken, such as [200, 202, 409] or 2xx. Default 2xx.",
			oneOrMore(statuses()), func(d *rawDestination) *given[[]given[destination.StatusRange]] { return &d.http.success }),
		key("pass_headers", "Headers that are sent as they came with the event, such as X-GitHub-*.",
			oneOrMore(line()), func(d *rawDestination) *given[[]given[string]] { return &d.http.passHeaders }),
		key("auth", "How requests say who sends them, besides the signature: one of basic, bearer and oauth2.",
			authKind(), func(d *rawDestination) *given[rawAuth] { return &d.http.auth }),
		key("tls", "Who is trusted at the other end, and the certificate that is shown there.",
			tlsKind(), func(d *rawDestination) *given[rawTLS] { return &d.http.tls }),
		key("cloudevents", "Sends CloudEvents 1.0: binary puts attributes into headers, structured makes one JSON object.",
			word(destination.CloudEventsBinary, destination.CloudEventsStructured),
			func(d *rawDestination) *given[string] { return &d.http.cloudEvents }),
		key("handshake", "The name by which the receiver is asked for its consent first, as CloudEvents has it.",
			line(), func(d *rawDestination) *given[string] { return &d.http.handshake }),
	}
}

func authKind() kind[rawAuth] {
	basic := object(nil,
		key("user", "The user.", line(), func(b *rawBasic) *given[string] { return &b.user }),
		key("password", "Where the password is: env:NAME or file:PATH.",
			secretRef(), func(b *rawBasic) *given[secret.Ref] { return &b.password }),
	)
	oauth2 := object(nil,
		key("token_url", "Where tokens are asked for, by the client credentials grant.",
			target(), func(o *rawOAuth2) *given[string] { return &o.tokenURL }),
		key("client_id", "The id of the client.", line(), func(o *rawOAuth2) *given[string] { return &o.clientID }),
		key("client_secret", "Where the client's secret is: env:NAME or file:PATH.",
			secretRef(), func(o *rawOAuth2) *given[secret.Ref] { return &o.clientSecret }),
		key("scopes", "The scopes that are asked for. Default none.",
			oneOrMore(line()), func(o *rawOAuth2) *given[[]given[string]] { return &o.scopes }),
		key("audience", "The audience that is asked for. Default none.",
			line(), func(o *rawOAuth2) *given[string] { return &o.audience }),
	)
	return object(nil,
		key("basic", "A user and a password.", basic, func(a *rawAuth) *given[rawBasic] { return &a.basic }),
		key("bearer", "Where a token is that does not expire: env:NAME or file:PATH.",
			secretRef(), func(a *rawAuth) *given[secret.Ref] { return &a.bearer }),
		key("oauth2", "Tokens of an OAuth 2.0 server.", oauth2, func(a *rawAuth) *given[rawOAuth2] { return &a.oauth2 }),
	)
}

func tlsKind() kind[rawTLS] {
	return object(nil,
		key("ca", "The file with the certificates (PEM) that are trusted instead of the system's.",
			line(), func(t *rawTLS) *given[string] { return &t.ca }),
		key("cert", "Where the client's certificate (PEM) is: file:PATH or env:NAME.",
			secretRef(), func(t *rawTLS) *given[secret.Ref] { return &t.cert }),
		key("key", "Where the private key (PEM) of the certificate is: file:PATH or env:NAME.",
			secretRef(), func(t *rawTLS) *given[secret.Ref] { return &t.key }),
	)
}

// statuses is one status, a range such as 200-204, or a class such as 2xx.
func statuses() kind[destination.StatusRange] {
	described := schema{"type": []string{"string", "integer"}}
	return scalarKind(described, anyScalar, func(text string) (destination.StatusRange, *complaint) {
		const perClass = 100
		first, last, isRange := strings.Cut(text, "-")
		if class, ok := strings.CutSuffix(text, "xx"); ok {
			first, last, isRange = class+"00", class+"99", true
		}
		if !isRange {
			last = first
		}
		from, err := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err != nil || err2 != nil || from < 2*perClass || to < from || to >= 6*perClass {
			return destination.StatusRange{}, &complaint{
				message: fmt.Sprintf("%q is not a status", clip(text)),
				hint:    "write a number from 200 to 599, a range such as 200-204, or a class such as 2xx",
			}
		}
		return destination.StatusRange{First: from, Last: to}, nil
	})
}

// more reads what else a destination with a url has.
func (b *builder) more(raw rawHTTP, d *Destination) {
	c := d.HTTP
	c.Method, c.ContentType = raw.method.v, raw.contentType.v
	c.CloudEvents, c.Handshake = raw.cloudEvents.v, raw.handshake.v
	for _, r := range raw.success.v {
		c.Success = append(c.Success, r.v)
	}
	c.PassHeaders = words(raw.passHeaders)
	if raw.auth.ok {
		b.auth(raw.auth, d)
	}
	if raw.tls.ok {
		b.tls(raw.tls.v, d)
	}
}

func (b *builder) auth(g given[rawAuth], d *Destination) {
	raw, into := g.v, &d.HTTP.Auth
	if given := present(raw.basic.at, raw.bearer.at, raw.oauth2.at); len(given) != 1 {
		b.reject(g.at, "auth is one of basic, bearer and oauth2", "write one of them, such as auth: {bearer: env:NAME}")
		return
	}
	switch {
	case raw.basic.at != nil:
		v := raw.basic.v
		if b.needs(raw.basic.at, raw.basic.ok, "basic", map[string]*node{"user": v.user.at, "password": v.password.at}) {
			into.Basic = &destination.Basic{User: v.user.v, Password: b.secretOf(v.password, d)}
		}
	case raw.bearer.at != nil:
		into.Bearer = b.secretOf(raw.bearer, d)
	default:
		v := raw.oauth2.v
		if b.needs(raw.oauth2.at, raw.oauth2.ok, "oauth2", map[string]*node{
			"token_url": v.tokenURL.at, "client_id": v.clientID.at, "client_secret": v.clientSecret.at,
		}) {
			into.OAuth2 = &destination.OAuth2{
				TokenURL: v.tokenURL.v, ClientID: v.clientID.v, ClientSecret: b.secretOf(v.clientSecret, d),
				Scopes: words(v.scopes), Audience: v.audience.v,
			}
			if v.tokenURL.ok {
				b.plainHTTP(v.tokenURL)
			}
		}
	}
}

// needs reports the keys of a mapping that are not there.
func (b *builder) needs(at *node, ok bool, what string, keys map[string]*node) bool {
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		if ok && keys[name] == nil {
			b.reject(at, fmt.Sprintf("%s has no %s", what, name), fmt.Sprintf("write %s: below it", name))
			ok = false
		}
	}
	return ok
}

// secretOf returns the value of a reference of a destination, or "" after a
// problem was reported.
func (b *builder) secretOf(g given[secret.Ref], d *Destination) string {
	if !g.ok {
		return ""
	}
	value, ok := b.resolve(g.at, g.v)
	if !ok {
		return ""
	}
	d.SecretRefs = append(d.SecretRefs, g.v)
	return value
}

func (b *builder) tls(raw rawTLS, d *Destination) {
	own := &egress.TLS{}
	if raw.ca.ok {
		pem, err := b.env.ReadFile(b.path(raw.ca.v))
		own.RootCAs = x509.NewCertPool()
		switch {
		case err != nil:
			b.reject(raw.ca.at, fmt.Sprintf("the file %q cannot be read: %v", clip(raw.ca.v), cause(err)),
				"name a file with certificates in PEM")
		case !own.RootCAs.AppendCertsFromPEM(pem):
			b.reject(raw.ca.at, fmt.Sprintf("there is no certificate in the file %q", clip(raw.ca.v)),
				"it must hold -----BEGIN CERTIFICATE-----")
		}
	}
	switch {
	case raw.cert.at == nil && raw.key.at == nil:
	case raw.cert.at == nil || raw.key.at == nil:
		at := present(raw.cert.at, raw.key.at)[0]
		b.reject(at, "a certificate needs its private key, and a key its certificate",
			"write tls: {cert: file:client.pem, key: file:client.key}")
	case raw.cert.ok && raw.key.ok:
		cert, key := b.secretOf(raw.cert, d), b.secretOf(raw.key, d)
		if cert == "" || key == "" {
			break // reported
		}
		pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
		if err != nil {
			b.reject(raw.cert.at, "the certificate and the key cannot be used: "+strings.TrimPrefix(err.Error(), "tls: "),
				"both are PEM, and belong together")
		}
		own.Certificates = []tls.Certificate{pair}
	}
	d.HTTP.TLS = own
}
