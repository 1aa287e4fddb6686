package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/secret"
	"github.com/tenterhook/tenterhook/signature"
)

// A builder makes a Config of a file that was read, checking values against one
// another and against the world outside. What had a problem is left out; then
// the Config is not used.
type builder struct {
	*decoder

	env     Env
	secrets secret.Resolver
	config  *Config

	publicBase  string                       // public_url of the file
	schemes     map[string]*signature.Scheme // of the file; nil for those with a problem
	usedSchemes map[string]bool
}

func newBuilder(d *decoder, env Env) *builder {
	return &builder{
		decoder: d,
		env:     env,
		secrets: secret.Resolver{LookupEnv: env.LookupEnv, ReadFile: env.ReadFile, Dir: d.dir},
		config:  &Config{},

		schemes: make(map[string]*signature.Scheme), usedSchemes: make(map[string]bool),
	}
}

// isEmpty reports whether nothing of the file was read.
func (f rawFile) isEmpty() bool {
	return f.sources.at == nil && f.destinations.at == nil && f.routes.at == nil
}

func (b *builder) build(f rawFile) *Config {
	b.listeners(f)
	if f.data.ok {
		b.config.Data = b.path(f.data.v)
	} else {
		b.config.Data = DefaultData
	}
	b.limits(f.limits.v)
	b.retention(f.retention.v)
	b.egress(f.egress.v)
	b.log(f.log.v)
	b.proxies(f)
	for _, s := range f.schemes.v {
		b.defineScheme(s)
	}
	for _, s := range f.sources.v {
		b.source(s)
	}
	for _, d := range f.destinations.v {
		b.destination(d)
	}
	b.routes(f)
	for _, s := range f.schemes.v {
		if !b.usedSchemes[s.name] {
			b.warn(s.at, fmt.Sprintf("no source has the provider %q", s.name), "write provider: "+s.name+" in a source")
		}
	}
	return b.config
}

// path returns a path of the file as seen from the working directory.
func (b *builder) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(b.dir, p)
}

func (b *builder) listeners(f rawFile) {
	b.config.Listen, b.config.Admin = f.listen.or(DefaultListen), f.admin.or(DefaultAdmin)
	if sameListener(b.config.Listen, b.config.Admin) {
		at := f.admin.at
		if at == nil {
			at = f.listen.at
		}
		b.reject(at, sameListenerMessage, sameListenerHint)
	}
	if f.admin.ok && !onThisMachine(f.admin.v) {
		b.warn(f.admin.at, "the API and the dashboard can be reached from other machines, without TLS",
			"write 127.0.0.1 and a port, or put a proxy with TLS before it")
	}
}

// onThisMachine reports whether only this machine can reach an address.
func onThisMachine(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (b *builder) limits(l rawLimits) {
	b.config.Limits = Limits{MaxBody: l.maxBody.or(DefaultMaxBody), InFlight: l.inFlight.or(DefaultInFlight)}
	if b.config.Limits.MaxBody <= b.config.Limits.InFlight {
		return
	}
	at := l.inFlight.at
	if at == nil {
		at = l.maxBody.at
	}
	b.reject(at, fmt.Sprintf("in_flight (%s) is less than max_body (%s), so the largest bodies would never be accepted",
		showSize(b.config.Limits.InFlight), showSize(b.config.Limits.MaxBody)), "raise in_flight, or lower max_body")
}

func (b *builder) retention(r rawRetention) {
	b.config.Retention = Retention{Bodies: r.bodies.or(DefaultBodies), Events: r.events.or(DefaultEvents)}
	if b.config.Retention.Bodies <= b.config.Retention.Events {
		return
	}
	at := r.bodies.at
	if at == nil { // events is shorter than the default of bodies, so bodies go with them
		b.config.Retention.Bodies = b.config.Retention.Events
		return
	}
	b.reject(at, fmt.Sprintf("bodies are kept longer (%s) than their events (%s)",
		showDuration(b.config.Retention.Bodies), showDuration(b.config.Retention.Events)),
		"raise events, or lower bodies")
}

// proxies keeps what is known of the way that requests take.
func (b *builder) proxies(f rawFile) {
	b.publicBase = f.publicURL.v
	for _, trusted := range f.trustedProxies.v {
		if !trusted.ok {
			continue
		}
		b.config.TrustedProxies = append(b.config.TrustedProxies, trusted.v)
		if trusted.v.Bits() == 0 {
			b.warn(trusted.at, "this believes what anyone says of where a request comes from",
				"name the addresses of the proxies, such as 10.0.0.5/32")
		}
	}
}

func (b *builder) log(l rawLog) {
	b.config.Log = Log{Format: l.format.or(LogAuto)}
	// The table accepts only names of levels, so this does not fail.
	_ = b.config.Log.Level.UnmarshalText([]byte(l.level.or(slog.LevelInfo.String())))
}

// retry returns when a delivery is tried again. The body has to be there still
// at the last attempt.
func (b *builder) retry(r given[rawRetry]) tenterhook.Backoff {
	backoff := tenterhook.Backoff{NoJitter: r.v.jitter.or(jitterFull) == jitterNone}
	var total time.Duration
	for _, wait := range r.v.schedule.v {
		backoff.Schedule = append(backoff.Schedule, wait.v)
		total += wait.v
	}
	if kept := b.config.Retention.Bodies; r.v.schedule.ok && total > kept {
		b.reject(r.v.schedule.at, fmt.Sprintf("the schedule spans %s, but bodies are kept for %s only",
			showDuration(total), showDuration(kept)), "shorten the schedule, or raise retention: {bodies: ...}")
	}
	return backoff.WithDefaults()
}

// words returns the values of a list that could be read.
func words(list given[[]given[string]]) []string {
	var all []string
	for _, item := range list.v {
		if item.ok {
			all = append(all, item.v)
		}
	}
	return all
}

// unknownName reports the name of something that is not defined.
func (b *builder) unknownName(n *node, what string, name string, defined []string) {
	hint := didYouMean(name, defined, "the "+what+"s are %s")
	if hint == "" {
		hint = fmt.Sprintf("define it below %ss:", what)
	}
	b.reject(n, fmt.Sprintf("there is no %s %q", what, clip(name)), hint)
}

// variable returns the name of an environment variable for the secret of
// something, as hints write it.
func variable(name, suffix string) string {
	return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) + suffix
}
