package config

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/destination"
	"github.com/tenterhook/tenterhook/internal/filter"
	"github.com/tenterhook/tenterhook/internal/secret"
	"github.com/tenterhook/tenterhook/signature"
)

// Bounds of values in the file.
const (
	maxSchedule    = 64       // attempts of a delivery
	maxWait        = 30 * day // before an attempt
	maxConcurrency = 1024     // attempts at a time, to one destination
	maxBodyLimit   = 256 * mib
	maxInFlight    = 64 * gib
	minTimeout     = 100 * time.Millisecond
	maxTimeout     = day              // of a command
	maxHTTPTimeout = 10 * time.Minute // of a request
	minEvents      = 3 * day          // redeliveries are recognised for as long
	maxRetention   = 3650 * day
)

// The raw types are the file as it is written, with places. They are checked
// against one another afterwards, see builder.
type (
	rawFile struct {
		listen, admin, data given[string]

		sources      given[[]named[rawSource]]
		destinations given[[]named[rawDestination]]
		routes       given[[]given[rawRoute]]
		egress       given[rawEgress]
		retention    given[rawRetention]
		limits       given[rawLimits]
		log          given[rawLog]

		publicURL      given[string]
		trustedProxies given[[]given[netip.Prefix]]
		schemes        given[[]named[rawScheme]]
	}
	rawSecrets struct {
		one  given[secret.Ref]
		many given[[]given[secret.Ref]]
	}
	rawSource struct {
		rawSecrets

		provider     given[string]
		onRedelivery given[tenterhook.OnRedelivery]
		maxBody      given[int64]
		settings     given[[]rawSetting]
		tolerance    given[time.Duration]
		publicURL    given[string]
		schema       given[rawSchema]
		onMismatch   given[string]

		// for provider: hmac
		header, prefix, typeHeader, idHeader given[string]
		algorithm                            given[signature.Algorithm]
		encoding                             given[signature.Encoding]
	}
	rawDestination struct {
		timeout     given[time.Duration]
		concurrency given[int]
		retry       given[rawRetry]

		url     given[string]
		sign    given[rawSign]
		headers given[[]rawHeader]
		http    rawHTTP // the rest that only a url has

		command given[[]given[string]]
		dir     given[string]
	}
	rawSign struct {
		rawSecrets

		mode   string // none or passthrough; empty if there is a scheme
		scheme given[string]
	}
	rawRetry struct {
		schedule given[[]given[time.Duration]]
		jitter   given[string]
	}
	rawRoute struct {
		name            given[string]
		from, types, to given[[]given[string]]
		when, transform given[*filter.Program]
	}
	rawRetention struct{ bodies, events given[time.Duration] }
	rawLimits    struct{ maxBody, inFlight given[int64] }
	rawLog       struct{ format, level given[string] }
)

// fileKind is the table of all keys of the file. The decoder and the schema are
// both made of it.
func fileKind() kind[rawFile] {
	return object(adviseFile,
		key("listen", "Address of the public listener, HOST:PORT. Default 127.0.0.1:8000.",
			address(), func(f *rawFile) *given[string] { return &f.listen }),
		key("admin", "Address of the private listener: API, dashboard, metrics. Default 127.0.0.1:8001.",
			address(), func(f *rawFile) *given[string] { return &f.admin }),
		key("data", "Directory of the database. A relative path starts at the directory of this file. "+
			"Default tenterhook-data in the working directory.",
			line(), func(f *rawFile) *given[string] { return &f.data }),
		key("sources", "Places that providers post to, each at /webhook/NAME.",
			names("source", sourceKind()), func(f *rawFile) *given[[]named[rawSource]] { return &f.sources }),
		key("destinations", "Places that events go to.",
			names("destination", destinationKind()),
			func(f *rawFile) *given[[]named[rawDestination]] { return &f.destinations }),
		key("routes", "Which events go where. An event goes to every destination of every route that matches it, once.",
			listOf(routeKind()), func(f *rawFile) *given[[]given[rawRoute]] { return &f.routes }),
		key("egress", "Which addresses may be reached.",
			egressKind(), func(f *rawFile) *given[rawEgress] { return &f.egress }),
		key("retention", "How long things are kept.",
			retentionKind(), func(f *rawFile) *given[rawRetention] { return &f.retention }),
		key("limits", "Bounds for what comes in.",
			limitsKind(), func(f *rawFile) *given[rawLimits] { return &f.limits }),
		key("log", "What is logged, and how.",
			logKind(), func(f *rawFile) *given[rawLog] { return &f.log }),
		key("public_url", "What providers post to, such as https://hooks.example.com, for those that sign the URL. "+
			"Default what the request says.",
			publicURL(), func(f *rawFile) *given[string] { return &f.publicURL }),
		key("trusted_proxies", "Proxies, in CIDR, whose X-Forwarded-* or Forwarded headers are believed. Default none.",
			oneOrMore(network()), func(f *rawFile) *given[[]given[netip.Prefix]] { return &f.trustedProxies }),
		key("schemes", "Ways to sign that the program does not know, each a provider of its name.",
			names("scheme", schemeKind()), func(f *rawFile) *given[[]named[rawScheme]] { return &f.schemes }),
	)
}

// adviseFile explains why the store has no settings.
func adviseFile(key, value *node) *advised {
	if key.text != "store" {
		return nil
	}
	for _, e := range value.entries {
		if e.key.text == "synchronous" {
			return &advised{
				message: "durability cannot be weakened: a 2xx to a sender means that the event is on stable " +
					"storage, so the store always runs with synchronous=FULL",
				hint: "remove store.synchronous",
			}
		}
	}
	return &advised{
		message: "the store has no settings in this file",
		hint:    "remove it; data: DIR says where the database is",
	}
}

func sourceKind() kind[rawSource] {
	headerName := line
	return object(nil,
		must(key("provider", "Who posts here, and so how requests are signed: github, standard-webhooks, ...; "+
			"hmac for a signature that the keys below describe; none to accept unsigned requests.",
			line(), func(s *rawSource) *given[string] { return &s.provider })),
		key("secret", "Where the secret is: env:NAME or file:PATH.",
			secretRef(), func(s *rawSource) *given[secret.Ref] { return &s.one }),
		key("secrets",
			"Where the secrets are, instead of secret, while one replaces another. Any of them may have signed.",
			listOf(secretRef()), func(s *rawSource) *given[[]given[secret.Ref]] { return &s.many }),
		key("on_redelivery",
			"What a second request with the same delivery id does. heal (default) tries again what is dead; "+
				"process makes a new event; ignore counts it.",
			word(tenterhook.RedeliveryHeal, tenterhook.RedeliveryProcess, tenterhook.RedeliveryIgnore),
			func(s *rawSource) *given[tenterhook.OnRedelivery] { return &s.onRedelivery }),
		key("max_body", "Largest body, such as 5MiB. Default limits.max_body.",
			size(1, maxBodyLimit), func(s *rawSource) *given[int64] { return &s.maxBody }),
		key("settings", "What the provider's scheme needs besides secrets, such as {webhook_id: ...}. "+
			"A value such as env:NAME is looked up.",
			settingsKind(), func(s *rawSource) *given[[]rawSetting] { return &s.settings }),
		key("tolerance", "How far a signed time may be from now, such as 10m, or off. Default the provider's own.",
			toleranceKind(), func(s *rawSource) *given[time.Duration] { return &s.tolerance }),
		key("public_url", "What this provider posts to: scheme and host, or the whole URL if the path differs. "+
			"Default the public_url of the file.",
			publicURL(), func(s *rawSource) *given[string] { return &s.publicURL }),
		key("schema", "The JSON Schema that bodies must match: builtin, a FILE, or {TYPE: FILE}. Default none.",
			bodySchemaKind(), func(s *rawSource) *given[rawSchema] { return &s.schema }),
		key("on_mismatch", "What is done with a body that does not match. reject (default) answers 422; "+
			"flag accepts and marks it.",
			word(mismatchReject, mismatchFlag), func(s *rawSource) *given[string] { return &s.onMismatch }),
		key("header", "provider hmac: the header that holds the signature.",
			headerName(), func(s *rawSource) *given[string] { return &s.header }),
		key("algorithm", "provider hmac: the hash function. Default sha256.",
			word(signature.SHA1, signature.SHA256, signature.SHA512),
			func(s *rawSource) *given[signature.Algorithm] { return &s.algorithm }),
		key("encoding", "provider hmac: how the signature is written. Default hex.",
			word(signature.Hex, signature.Base64, signature.Base64URL),
			func(s *rawSource) *given[signature.Encoding] { return &s.encoding }),
		key("prefix", "provider hmac: what is before the signature in the header, such as sha256=. Default nothing.",
			line(), func(s *rawSource) *given[string] { return &s.prefix }),
		key("type_header", "provider hmac: the header that holds the event's type. Default none.",
			headerName(), func(s *rawSource) *given[string] { return &s.typeHeader }),
		key("id_header",
			"provider hmac: the header that holds the delivery's id. Default none: no redelivery is recognised.",
			headerName(), func(s *rawSource) *given[string] { return &s.idHeader }),
	)
}

func destinationKind() kind[rawDestination] {
	return object(adviseDestination, append([]field[rawDestination]{
		key("url", "Where requests are posted to.",
			target(), func(d *rawDestination) *given[string] { return &d.url }),
		key("sign", "How requests are signed. none: not. passthrough: with the provider's own headers.",
			signKind(), func(d *rawDestination) *given[rawSign] { return &d.sign }),
		key("headers", "Further headers of each request. A value such as env:NAME is looked up.",
			headersKind(), func(d *rawDestination) *given[[]rawHeader] { return &d.headers }),
		key("command",
			"A program and its arguments, instead of url. The body is on its standard input. There is no shell.",
			listOf(argument()), func(d *rawDestination) *given[[]given[string]] { return &d.command }),
		key("dir", "Working directory of the command. Default the directory of this file.",
			line(), func(d *rawDestination) *given[string] { return &d.dir }),
		key("timeout", "How long one attempt may take. Default 20s for a url, 1m for a command.",
			duration(minTimeout, maxTimeout), func(d *rawDestination) *given[time.Duration] { return &d.timeout }),
		key("concurrency", "How many attempts run at a time. Default 32 for a url, 1 for a command.",
			integer(1, maxConcurrency), func(d *rawDestination) *given[int] { return &d.concurrency }),
		key("retry", "When a delivery that failed is tried again.",
			retryKind(), func(d *rawDestination) *given[rawRetry] { return &d.retry }),
	}, httpFields()...)...)
}

// adviseDestination tells where the secret of a destination belongs.
func adviseDestination(key, _ *node) *advised {
	switch key.text {
	case "secret", "secrets", "scheme":
		return &advised{message: fmt.Sprintf("%q belongs to sign", key.text), hint: signHint, meant: "sign"}
	}
	return nil
}

const signHint = "write sign: {scheme: standard-webhooks, secret: env:NAME}, or sign: none, or sign: passthrough"

// signKind is a word, or a scheme and its secret.
func signKind() kind[rawSign] {
	modes := word(destination.SignNone, destination.SignPassthrough)
	scheme := object(nil,
		key("scheme", "How requests are signed: standard-webhooks (default), any other provider's way, or one of schemes.",
			line(), func(s *rawSign) *given[string] { return &s.scheme }),
		key("secret", "Where the secret is: env:NAME or file:PATH.",
			secretRef(), func(s *rawSign) *given[secret.Ref] { return &s.one }),
		key("secrets", "Where the secrets are, instead of secret, while one replaces another. Each signs.",
			listOf(secretRef()), func(s *rawSign) *given[[]given[secret.Ref]] { return &s.many }),
	)
	read := func(d *decoder, n *node) (sign rawSign, ok bool) {
		if n.shape != scalar {
			return scheme.read(d, n)
		}
		if n.text == destination.SignStandardWebhooks {
			d.reject(n, "a signature needs a secret", signHint)
			return sign, false
		}
		sign.mode, ok = modes.read(d, n)
		return sign, ok
	}
	return kind[rawSign]{schema: schema{"oneOf": []schema{modes.schema, scheme.schema}}, read: read}
}

func retryKind() kind[rawRetry] {
	waits := listOf(duration(0, maxWait))
	schedule := kind[[]given[time.Duration]]{
		schema: waits.schema.with("maxItems", maxSchedule),
		read: func(d *decoder, n *node) ([]given[time.Duration], bool) {
			all, ok := waits.read(d, n)
			if len(all) > maxSchedule {
				d.reject(n, fmt.Sprintf("the schedule has %d attempts, more than %d", len(all), maxSchedule),
					"make the waits longer instead")
				return nil, false
			}
			return all, ok
		},
	}
	return object(nil,
		key("schedule", "The wait before each attempt, such as [0, 5s, 5m, 1h]. "+
			"Default 0, 5s, 30s, 5m, 30m, 2h, 5h, 10h, 14h, 20h, 24h.",
			schedule, func(r *rawRetry) *given[[]given[time.Duration]] { return &r.schedule }),
		key("jitter", "full (default) draws each wait between zero and the planned one; none waits as planned.",
			word(jitterFull, jitterNone), func(r *rawRetry) *given[string] { return &r.jitter }),
	)
}

// What is done with a body that does not match the schema.
const (
	mismatchReject = "reject"
	mismatchFlag   = "flag"
)

// The ways to spread waits.
const (
	jitterFull = "full"
	jitterNone = "none"
)

func routeKind() kind[rawRoute] {
	return object(nil,
		key("name", "How the route is called. Default route-N, counted from 1.",
			name("route"), func(r *rawRoute) *given[string] { return &r.name }),
		key("from", "The sources. Default all.",
			oneOrMore(reference()), func(r *rawRoute) *given[[]given[string]] { return &r.from }),
		key("types",
			"The types of events, such as push or pull_request.*. A type stands for what is below it too. Default all.",
			oneOrMore(typePattern()), func(r *rawRoute) *given[[]given[string]] { return &r.types }),
		key("when",
			"A condition in jq over the payload. $event has id, type, source, tenant, headers and received_at.",
			program(), func(r *rawRoute) *given[*filter.Program] { return &r.when }),
		must(key("to", "The destinations.",
			oneOrMore(reference()), func(r *rawRoute) *given[[]given[string]] { return &r.to })),
		key("transform", "What is sent instead of the body, in jq over the payload.",
			program(), func(r *rawRoute) *given[*filter.Program] { return &r.transform }),
	)
}

func retentionKind() kind[rawRetention] {
	return object(nil,
		key("bodies", "How long bodies are kept. Default 30d.",
			duration(time.Hour, maxRetention), func(r *rawRetention) *given[time.Duration] { return &r.bodies }),
		key("events", "How long events, deliveries and attempts are kept. Default 90d.",
			duration(minEvents, maxRetention), func(r *rawRetention) *given[time.Duration] { return &r.events }),
	)
}

func limitsKind() kind[rawLimits] {
	return object(nil,
		key("max_body", "Largest body of a request. Default 25MiB.",
			size(1, maxBodyLimit), func(l *rawLimits) *given[int64] { return &l.maxBody }),
		key("in_flight",
			"Bytes of bodies that are received at a time; beyond, requests are answered 503. Default 256MiB.",
			size(mib, maxInFlight), func(l *rawLimits) *given[int64] { return &l.inFlight }),
	)
}

func logKind() kind[rawLog] {
	return object(nil,
		key("format", "text, json, or auto (default): text on a terminal, JSON elsewhere.",
			word(LogAuto, LogText, LogJSON), func(l *rawLog) *given[string] { return &l.format }),
		key("level", "The least level. Default info.",
			word("debug", "info", "warn", "error"), func(l *rawLog) *given[string] { return &l.level }),
	)
}
