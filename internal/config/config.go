// Package config reads tenterhook.yaml and says what is wrong with it.
//
// [Load] returns a [Config] in which everything is checked: names exist, filters
// are compiled, secrets are found and have the form their scheme wants. Or it
// returns [Problems]: every mistake, with its place, what is wrong and what to
// write instead. A file is used as a whole or not at all.
//
// The file goes three ways from text to values. YAML becomes a tree of nodes
// that know their places (yaml.go); nothing of YAML that can surprise or blow up
// is read: no anchors, no tags, no second document, no repeated key. One table
// of keys (table.go) says what each node is, and makes both the decoder and the
// JSON [Schema]. Then values are checked against one another and against the
// world outside (builder.go).
//
// Besides package secret, this is the only reader of the environment: [Env] is
// where it comes in.
package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/destination"
	"github.com/tenterhook/tenterhook/internal/route"
	bodyschema "github.com/tenterhook/tenterhook/internal/schema" // schema is that of the file itself
	"github.com/tenterhook/tenterhook/internal/secret"
	"github.com/tenterhook/tenterhook/signature"
)

// What holds if nothing says otherwise.
const (
	DefaultFile   = "tenterhook.yaml"
	DefaultListen = "127.0.0.1:8000"
	DefaultAdmin  = "127.0.0.1:8001"
	DefaultData   = "tenterhook-data"

	DefaultBodies   = 30 * day
	DefaultEvents   = 90 * day
	DefaultMaxBody  = 25 * mib // GitHub's own bound
	DefaultInFlight = 256 * mib

	defaultHTTPConcurrency    = 32
	defaultCommandConcurrency = 1
)

// A Config is a checked configuration file. It is complete: what the file does
// not say has its default.
type Config struct {
	Path         string              // the file, as it was named
	Listen       string              // address of the public listener
	Admin        string              // address of the private listener
	Data         string              // directory of the database; relative to the working directory if it is relative
	Sources      []Source            // in the order of the file
	Destinations []Destination       // in the order of the file
	Routes       []route.Route       // in the order of the file; From names all sources where the file names none
	Schemes      []*signature.Scheme // those that the file defines, in its order
	Egress       Egress
	Retention    Retention
	Limits       Limits
	Log          Log
	// TrustedProxies are the peers whose word on a request's origin is taken.
	TrustedProxies []netip.Prefix
	Warnings       Problems // what works, and may not be meant

	fingerprint string
}

// A Source is a place that a provider posts to.
type Source struct {
	Name         string
	Scheme       *signature.Scheme // nil for provider: none, which verifies nothing
	Provider     string            // as in the file
	Keys         signature.Keys    // at least one, unless Scheme is nil
	OnRedelivery tenterhook.OnRedelivery
	MaxBody      int64        // bytes
	SecretRefs   []secret.Ref // where Keys come from, in their order

	// SettingRefs are the references among the scheme's settings.
	SettingRefs []secret.Ref
	// PublicURL is the scheme and host that the provider posts to, without a
	// slash at the end, or the whole URL if it has a path. Empty is what a request
	// says.
	PublicURL string
	// Redact finds the source's secrets in what is to be stored.
	Redact secret.Finder
	// AwaitsSecret is the file that the provider's first handshake is to fill.
	// There are no Keys then.
	AwaitsSecret string
	// Schema is what bodies must match; nil takes any. FlagMismatch accepts what
	// does not match, and marks it. SchemaFrom says in words where it is from.
	Schema       *bodyschema.Set
	FlagMismatch bool
	SchemaFrom   []string

	// adapt returns Scheme with a Fetcher. It is a function, so that the settings
	// that it knows cannot be printed.
	adapt func(signature.Fetcher) (*signature.Scheme, error)
}

// WithFetcher returns Scheme as it fetches keys by URL.
func (s Source) WithFetcher(f signature.Fetcher) (*signature.Scheme, error) {
	if s.Scheme == nil {
		return nil, nil //nolint:nilnil // as Scheme is: provider none has no scheme
	}
	scheme, err := s.adapt(f)
	if err != nil {
		return nil, fmt.Errorf("source %q: %w", s.Name, err)
	}
	return scheme, nil
}

// A Destination is a place that events go to. Exactly one of HTTP and Command is
// set.
type Destination struct {
	Name        string
	HTTP        *destination.HTTPConfig
	Command     *destination.CommandConfig
	Concurrency int // attempts at a time, at least 1
	Retry       tenterhook.Backoff
	SecretRefs  []secret.Ref // every secret that HTTP holds
}

// Retention says how long things are kept. Bodies is at most Events.
type Retention struct{ Bodies, Events time.Duration }

// Limits bound what comes in.
type Limits struct {
	MaxBody  int64 // bytes of one body
	InFlight int64 // bytes of all bodies that are being received; at least MaxBody
}

// The forms of a log.
const (
	LogAuto = "auto" // LogText on a terminal, LogJSON elsewhere
	LogText = "text"
	LogJSON = "json"
)

// Log says what is logged, and how.
type Log struct {
	Format string // one of LogAuto, LogText and LogJSON
	Level  slog.Level
}

// Fingerprint identifies the bytes of the file, in hex. It says nothing about
// the values of secrets.
func (c *Config) Fingerprint() string { return c.fingerprint }

// Source returns the source of that name.
func (c *Config) Source(name string) (Source, bool) {
	for _, s := range c.Sources {
		if s.Name == name {
			return s, true
		}
	}
	return Source{}, false
}

// Destination returns the destination of that name.
func (c *Config) Destination(name string) (Destination, bool) {
	for _, d := range c.Destinations {
		if d.Name == name {
			return d, true
		}
	}
	return Destination{}, false
}

// Load reads and checks the file at path. The error is [Problems], and wraps
// [io/fs.ErrNotExist] if there is no such file.
func Load(path string, env Env) (*Config, error) {
	data, err := env.readConfig(path)
	if err != nil {
		return nil, Problems{unreadable(path, err)}
	}
	return Parse(path, data, env)
}

// Parse checks data as if it were the content of the file at path. The error is
// [Problems].
func Parse(path string, data []byte, env Env) (*Config, error) {
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, Problems{unreadable(path, err)}
	}
	d := &decoder{file: path, dir: dir}
	var file rawFile
	if root := d.parse(data); root != nil {
		file, _ = fileKind().read(d, root) // false only with a problem, which is looked at below
	}
	if d.source == nil || len(d.problems) > 0 && file.isEmpty() {
		return nil, d.problems.sorted()
	}
	config := newBuilder(d, env).build(file)
	if len(d.problems) > 0 {
		return nil, d.problems.sorted()
	}
	sum := sha256.Sum256(data)
	config.Path, config.Warnings, config.fingerprint = path, d.warnings.sorted(), hex.EncodeToString(sum[:])
	return config, nil
}
