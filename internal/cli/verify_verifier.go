package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook/internal/capture"
	"github.com/tenterhook/tenterhook/internal/config"
	"github.com/tenterhook/tenterhook/internal/mismatch"
	"github.com/tenterhook/tenterhook/internal/secret"
	"github.com/tenterhook/tenterhook/signature"
)

// verifierOptions say how requests are to be verified.
type verifierOptions struct {
	provider, source string
	secrets          []string
	settings         []string
	tolerance        string
}

func (o *verifierOptions) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.provider, "provider", "", "verify as the provider of this `NAME` signs, such as github")
	flags.StringVar(&o.source, "source", "", "verify as the source of this `NAME` in the configuration file does")
	flags.StringArrayVar(&o.secrets, "secret", nil,
		"verify with the secret that `REF` refers to, such as env:NAME or file:PATH; may be given again")
	flags.StringArrayVar(&o.settings, "setting", nil,
		"a setting that the provider needs, as `NAME=VALUE`; of a secret one, VALUE is a reference; may be given again")
	flags.StringVar(&o.tolerance, "tolerance", "",
		"how far from now a request may be signed, as a `DURATION` such as 5m; off does not look at it")
	if err := cmd.RegisterFlagCompletionFunc("provider",
		func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return providerNames(), cobra.ShellCompDirectiveNoFileComp
		}); err != nil {
		panic(err) // for a flag that is not there, which every test would meet
	}
}

func providerNames() []string {
	schemes := signature.Schemes()
	names := make([]string, len(schemes))
	for i, s := range schemes {
		names[i] = s.Name()
	}
	return names
}

// A verifier is what verifies a request.
type verifier struct {
	source   string // its name, if it is one of the configuration
	public   string // its public_url
	scheme   *signature.Scheme
	settings map[string]string
	secrets  []string
	labels   []string // where the secrets come from, for people
	others   []mismatch.Receiver
}

func (r *verifier) provider() string { return r.scheme.Name() }

// keys returns the secrets as keys, which verify nothing if there are none or
// one is empty.
func (r *verifier) keys() signature.Keys {
	keys, err := signature.NewKeys(r.secrets...)
	if err != nil {
		return signature.Keys{}
	}
	return keys
}

// verifier finds out how to verify a request: by the flags, by the configuration,
// or by what a line of vectors says itself.
func (o verifyOptions) verifier(ctx context.Context, kept *capture.Capture) (*verifier, error) {
	r, err := o.baseVerifier(ctx, kept)
	if err != nil {
		return nil, err
	}
	if len(o.secrets) > 0 {
		r.labels = o.secrets
		refs := make([]secret.Ref, len(o.secrets))
		for i, text := range o.secrets {
			refs[i], err = secret.Parse(text)
			if bad, ok := errors.AsType[*secret.Error](err); ok {
				return nil, usageError(bad.Hint, "--secret: %w", err)
			}
			r.labels[i] = refs[i].String()
		}
		if r.secrets, err = o.resolveAll(ctx, "", refs); err != nil {
			return nil, err
		}
	}
	return r, o.adapt(ctx, r, kept)
}

func (o verifyOptions) baseVerifier(ctx context.Context, kept *capture.Capture) (*verifier, error) {
	r := &verifier{settings: map[string]string{}}
	name := o.provider
	switch {
	case o.source != "" && o.provider != "":
		return nil, usageError("a source names its provider", "--provider and --source say the same in two ways")
	case o.source != "":
		return o.sourceVerifier(ctx)
	case kept.Line != nil:
		name = cmp.Or(name, kept.Line.Provider)
		r.secrets, r.settings = kept.Line.Secrets, kept.Line.Settings
		r.labels = make([]string, len(r.secrets))
	case name == "":
		return nil, usageError(resembling(kept.Request), "--provider or --source says how the request is signed")
	}
	scheme, ok := signature.Lookup(name)
	if !ok {
		return nil, usageError(nearestProviders(name, kept.Request), "no provider is called %q", name)
	}
	r.scheme = scheme
	return r, nil
}

// resembling hints at the providers that a request looks like one of.
func resembling(r *signature.Request) string {
	const most = 6
	var names []string
	for _, s := range mismatch.Resembling(r) {
		if !mismatch.Reads(s, r) || len(names) == most {
			break
		}
		names = append(names, s.Name())
	}
	if len(names) == 0 {
		return "write --provider github, or --source NAME for a source of tenterhook.yaml"
	}
	return "its headers look like those of " + joined(names)
}

func nearestProviders(name string, r *signature.Request) string {
	var near []string
	for _, known := range providerNames() {
		if strings.Contains(known, name) || strings.Contains(name, known) {
			near = append(near, known)
		}
	}
	if len(near) > 0 {
		return "did you mean " + joined(near) + "?"
	}
	return resembling(r)
}

// sourceVerifier is a source of the configuration file.
func (o verifyOptions) sourceVerifier(ctx context.Context) (*verifier, error) {
	c, err := o.load()
	complete := err == nil // what others' secrets lack must not be in the way
	if !complete {
		if c, err = o.loadWithoutSecrets(); err != nil {
			return nil, err
		}
	}
	s, ok := c.Source(o.source)
	if !ok {
		names := make([]string, len(c.Sources))
		for i, s := range c.Sources {
			names[i] = s.Name
		}
		return nil, usageError("sources: "+joined(names), "no source is called %q", o.source)
	}
	if s.Scheme == nil {
		return nil, usageError("name the provider that signs with --provider", "the source %q verifies nothing", s.Name)
	}
	r := &verifier{source: s.Name, public: s.PublicURL, scheme: s.Scheme, settings: map[string]string{}}
	for _, ref := range s.SecretRefs {
		r.labels = append(r.labels, ref.String())
	}
	dir := filepath.Dir(c.Path)
	if len(o.secrets) == 0 {
		if r.secrets, err = o.resolveAll(ctx, dir, s.SecretRefs); err != nil {
			return nil, err
		}
	}
	r.others = o.otherReceivers(ctx, c, s.Name)
	return r, nil
}

// otherReceivers are the other sources whose secrets can be had.
func (o verifyOptions) otherReceivers(ctx context.Context, c *config.Config, name string) []mismatch.Receiver {
	var others []mismatch.Receiver
	for _, s := range c.Sources {
		if s.Name == name || s.Scheme == nil {
			continue
		}
		secrets, err := o.resolveAll(ctx, filepath.Dir(c.Path), s.SecretRefs)
		if err == nil && len(secrets) > 0 {
			others = append(others, mismatch.Receiver{Name: s.Name, Scheme: s.Scheme, Secrets: secrets})
		}
	}
	return others
}

// adapt gives the scheme its settings, its tolerance and a way to its keys.
func (o verifyOptions) adapt(ctx context.Context, r *verifier, kept *capture.Capture) error {
	tolerance, err := parseTolerance(o.tolerance)
	if err != nil {
		return err
	}
	if err := o.takeSettings(ctx, r); err != nil {
		return err
	}
	opts := signature.Options{Settings: known(r.scheme, r.settings), Tolerance: tolerance, Fetcher: newKeyFetcher(ctx)}
	if kept.Line != nil && len(kept.Line.Certs) > 0 {
		opts.Fetcher = kept.Line
	}
	adapted, err := r.scheme.With(opts)
	if err != nil {
		return usageError(settingsHint(r.scheme), "%w", err)
	}
	r.scheme = adapted
	return nil
}

// takeSettings takes --setting over what is there already.
func (o verifyOptions) takeSettings(ctx context.Context, r *verifier) error {
	settings, err := o.readSettings(ctx, r.scheme, o.settings)
	maps.Copy(r.settings, settings)
	return err
}

func settingOf(s *signature.Scheme, name string) (signature.Setting, bool) {
	for _, setting := range s.Settings() {
		if setting.Name == name {
			return setting, true
		}
	}
	return signature.Setting{}, false
}

// known returns those of settings that a scheme has.
func known(s *signature.Scheme, settings map[string]string) map[string]string {
	all := map[string]string{}
	for name, value := range settings {
		if _, ok := settingOf(s, name); ok {
			all[name] = value
		}
	}
	return all
}

func settingsHint(s *signature.Scheme) string {
	settings := s.Settings()
	lines := make([]string, 0, len(settings))
	for _, setting := range settings {
		value := "VALUE"
		if setting.Secret {
			value = "env:NAME"
		}
		lines = append(lines, fmt.Sprintf("--setting %s=%s (%s)", setting.Name, value, setting.About))
	}
	if len(lines) == 0 {
		return s.Name() + " has no settings"
	}
	return "write " + joined(lines)
}

func parseTolerance(text string) (time.Duration, error) {
	switch text {
	case "":
		return 0, nil
	case "off":
		return -1, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, usageError("write a duration such as 5m, or off", "--tolerance %q is not a duration", text)
	}
	return d, nil
}

// resolveAll returns the secrets that refs refer to. Files are relative to dir.
func (a *app) resolveAll(ctx context.Context, dir string, refs []secret.Ref) ([]string, error) {
	resolver := secret.Resolver{LookupEnv: a.env.LookupEnv, ReadFile: a.env.ReadFile, Dir: dir}
	values := make([]string, len(refs))
	for i, ref := range refs {
		value, err := resolver.Resolve(ctx, ref)
		if bad, ok := errors.AsType[*secret.Error](err); ok {
			return nil, &failure{exit: exitConfig, err: err, hint: bad.Hint}
		}
		if err != nil {
			return nil, err
		}
		values[i] = value
	}
	return values, nil
}
