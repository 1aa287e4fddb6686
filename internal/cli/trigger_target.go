package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/tenterhook/tenterhook/internal/config"
	"github.com/tenterhook/tenterhook/internal/egress"
	"github.com/tenterhook/tenterhook/internal/provider"
	"github.com/tenterhook/tenterhook/internal/sample"
	"github.com/tenterhook/tenterhook/internal/secret"
	"github.com/tenterhook/tenterhook/signature"
)

// A triggerTarget is where samples go, and how they are signed.
type triggerTarget struct {
	url     *url.URL // where they are sent
	address string   // the URL that is signed, where one is
	scheme  *signature.Scheme
	keys    signature.Keys
	lent    bool // keys are the receiver's own
	lacking []signature.Setting
	client  *egress.Client
}

// target finds out where to send, and how to sign.
func (o triggerOptions) target(ctx context.Context, name string) (triggerTarget, error) {
	var t triggerTarget
	var err error
	switch {
	case (o.to == "") == (o.source == ""):
		return t, usageError("write --to URL for any receiver, --source NAME for a source of tenterhook.yaml",
			"either --to or --source says where to send")
	case o.source != "":
		t, err = o.sourceTarget(ctx, name)
	default:
		t, err = o.addressTarget(ctx, name)
	}
	if err != nil {
		return t, err
	}
	if t.scheme.Name() == nameSNS {
		return t, snsError()
	}
	if o.url != "" {
		if u, err := url.Parse(o.url); err != nil || u.Scheme == "" || u.Host == "" {
			return t, usageError("write the whole of it, such as https://hooks.example.com/webhook/twilio", "--url %q is not a URL", o.url)
		}
		t.address = o.url
	}
	return t, o.adapt(ctx, &t)
}

// nameSNS is the scheme whose keys are none that a receiver could be told.
const nameSNS = "aws_sns"

func snsError() error {
	return usageError("have it send one: aws sns publish --topic-arn ARN --message hello. In a Go test, the Fetcher of "+
		"signature.Options can know a certificate of your own",
		"only Amazon can sign messages of SNS: receivers fetch the certificate from a host of Amazon's, and take no other")
}

// addressTarget is a receiver at any URL.
func (o triggerOptions) addressTarget(ctx context.Context, name string) (triggerTarget, error) {
	if name == "" {
		return triggerTarget{}, usageError("tenterhook trigger --list lists providers", "which provider? None is named")
	}
	scheme, err := lookupScheme(name)
	if err != nil {
		return triggerTarget{}, err
	}
	if o.secret == "" && needsSecret(scheme) && scheme.Name() != nameSNS {
		return triggerTarget{}, lacksSecret(scheme)
	}
	to, err := url.Parse(o.to)
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		return triggerTarget{}, usageError("write a whole URL, such as http://localhost:8000/webhook/"+scheme.Name(),
			"--to is not the URL of a receiver")
	}
	t := triggerTarget{url: to, address: to.String(), scheme: scheme, client: egress.New(egress.Options{})}
	t.keys, err = o.keys(ctx)
	return t, err
}

// needsSecret reports whether something signs, or is shown.
func needsSecret(scheme *signature.Scheme) bool { return scheme.Public() || !scheme.Keyless() }

// lacksSecret is the error for a --to without a --secret.
func lacksSecret(scheme *signature.Scheme) error {
	if scheme.Public() {
		return privateKeyError(scheme, errNotTold)
	}
	hint := "write --secret env:NAME, or use --source"
	if p, ok := provider.Lookup(scheme.Name()); ok {
		hint += "; the secret is " + p.Secret
	}
	return usageError(hint, "--to needs --secret to sign with")
}

// sourceTarget is a source of the configuration file. A --secret stands in for
// the source's own.
func (o triggerOptions) sourceTarget(ctx context.Context, name string) (triggerTarget, error) {
	c, err := o.loadKnownSecrets() // of all secrets, only this source's is needed
	if err != nil {
		return triggerTarget{}, err
	}
	s, ok := c.Source(o.source)
	if !ok {
		names := make([]string, len(c.Sources))
		for i, s := range c.Sources {
			names[i] = s.Name
		}
		return triggerTarget{}, usageError("sources: "+joined(names), "no source is called %q", o.source)
	}
	if err := c.Override(config.Flags{}, o.env); err != nil {
		return triggerTarget{}, err
	}
	t := triggerTarget{
		url:    &url.URL{Scheme: "http", Host: dialable(c.Listen), Path: "/webhook/" + s.Name},
		client: egress.New(c.Egress.Options()),
	}
	t.address = t.url.String()
	if s.PublicURL != "" {
		t.address = publicURL(s.PublicURL, t.address)
	}
	if t.scheme, err = o.sourceScheme(s, name); err != nil {
		return t, err
	}
	dir := filepath.Dir(c.Path)
	if t.scheme == s.Scheme { // something stands in for settings that cannot be had here
		if _, err := o.resolveAll(ctx, dir, s.SettingRefs); err != nil {
			return t, err
		}
	}
	if o.secret != "" {
		t.keys, err = o.keys(ctx)
		return t, err
	}
	t.lent = true
	if len(s.SecretRefs) == 0 {
		if t.scheme.Public() {
			return t, privateKeyError(t.scheme, errNotTold)
		}
		return t, nil
	}
	t.keys, err = o.resolve(ctx, dir, s.SecretRefs...)
	return t, err
}

// sourceScheme is how to sign for a source: as its provider does, or as another
// one if there is a secret for that.
func (o triggerOptions) sourceScheme(s config.Source, name string) (*signature.Scheme, error) {
	if s.Scheme == nil && name == "" {
		return nil, usageError("name the provider to send as, such as: tenterhook trigger github push --source "+s.Name,
			"the source %q takes whatever is posted to it", s.Name)
	}
	if name == "" || name == s.Provider && s.Scheme != nil {
		return s.Scheme, nil
	}
	asked, err := lookupScheme(name)
	if err != nil {
		return nil, err
	}
	switch {
	case s.Scheme != nil && asked.Name() == s.Scheme.Name():
		return s.Scheme, nil // with its settings
	case o.secret == "" && needsSecret(asked):
		return nil, usageError("give a source of the provider "+asked.Name()+", or a secret to sign with",
			"source %q has the provider %q, whose secret does not sign as %s does", s.Name, s.Provider, asked.Name())
	}
	return asked, nil
}

// loadKnownSecrets reads the configuration file with those of its values that can
// be had here.
func (a *app) loadKnownSecrets() (*config.Config, error) {
	path := a.env.File(a.config)
	content, err := os.ReadFile(path)
	if err != nil {
		return config.Load(path, a.env) // says what is wrong, and what to do
	}
	env := a.withoutSecrets()
	standIn := env
	env.LookupEnv = func(name string) (string, bool) {
		if value, ok := a.env.LookupEnv(name); ok {
			return value, true
		}
		return standIn.LookupEnv(name)
	}
	env.ReadFile = func(path string) ([]byte, error) {
		if content, err := os.ReadFile(path); err == nil {
			return content, nil
		}
		return standIn.ReadFile(path)
	}
	return config.Parse(path, content, env)
}

// dialable turns an address to listen on into one to dial: a server that listens
// on all addresses is on the loopback one as well.
func dialable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// adapt gives the scheme what --setting says.
func (o triggerOptions) adapt(ctx context.Context, t *triggerTarget) error {
	settings, err := o.readSettings(ctx, t.scheme, o.settings)
	if err != nil {
		return err
	}
	if !t.lent && o.source == "" {
		for _, s := range t.scheme.Settings() {
			if _, ok := settings[s.Name]; !ok && !s.Optional {
				t.lacking = append(t.lacking, s)
			}
		}
	}
	if len(settings) == 0 {
		return nil
	}
	t.scheme, err = t.scheme.With(signature.Options{Settings: settings})
	return err
}

// keys resolves --secret.
func (o triggerOptions) keys(ctx context.Context) (signature.Keys, error) {
	if o.secret == "" {
		return signature.Keys{}, nil // for the providers that do not sign
	}
	ref, err := secret.Parse(o.secret)
	if bad, ok := errors.AsType[*secret.Error](err); ok {
		return signature.Keys{}, usageError(bad.Hint, "--secret: %w", err)
	}
	return o.resolve(ctx, "", ref)
}

// resolve returns the secrets that refs refer to. Files are relative to dir.
func (o triggerOptions) resolve(ctx context.Context, dir string, refs ...secret.Ref) (signature.Keys, error) {
	values, err := o.resolveAll(ctx, dir, refs)
	if err != nil {
		return signature.Keys{}, err
	}
	return signature.NewKeys(values...)
}

// An outgoing request, and what it is.
type outgoing struct {
	*signature.Request

	event, deliveryID string
}

// signed returns the event as the provider would send it now.
func (t triggerTarget) signed(e freshEvent, now time.Time) (outgoing, error) {
	r := outgoing{Request: requestOf(e.Event, t.address), event: e.name}
	if t.scheme.Name() == signature.GitHub.Name() && e.Header.Get("X-Github-Event") != "" {
		if err := sample.SignSHA1(r.Request, t.keys); err != nil {
			return r, err
		}
	}
	if err := t.scheme.Sign(r.Request, t.keys, t.options(e, now)); err != nil {
		return r, t.cannotSign(err)
	}
	r.deliveryID = t.identify(r.Request, now)
	return r, nil
}

func (t triggerTarget) options(e freshEvent, now time.Time) signature.SignOptions {
	return signature.SignOptions{ID: e.id, Time: now}
}

// identify returns the delivery id that a receiver would see.
func (t triggerTarget) identify(r *signature.Request, now time.Time) string {
	if result, err := t.scheme.Verify(r, t.keys, now); err == nil {
		return result.DeliveryID
	}
	_, _, id := t.scheme.Identify(r)
	return id
}

// cannotSign says what is missing to sign.
func (t triggerTarget) cannotSign(err error) error {
	switch {
	case len(t.lacking) > 0:
		return usageError(settingsHint(t.scheme), "%s needs a setting: %w", t.scheme.Name(), err)
	case t.scheme.Public() && t.lent:
		return privateKeyError(t.scheme, err)
	case t.scheme.Public():
		return usageError("the secret is a private key in PEM, of the algorithm that "+t.scheme.Name()+" signs with", "%w", err)
	}
	if bad, ok := errors.AsType[*signature.KeyError](err); ok {
		return &failure{exit: exitConfig, err: err, hint: bad.Hint}
	}
	return err
}

// destination is where r is sent: to the receiver, with the query that was signed.
func (t triggerTarget) destination(r *signature.Request) (*url.URL, error) {
	signed, err := url.Parse(r.URL)
	if err != nil {
		return nil, fmt.Errorf("read the signed URL: %w", err)
	}
	to := *t.url
	if signed.RawQuery != "" {
		to.RawQuery = signed.RawQuery
	}
	return &to, nil
}
