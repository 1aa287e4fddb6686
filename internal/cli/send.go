package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook"
	"github.com/tenterhook/tenterhook/internal/outbound"
	"github.com/tenterhook/tenterhook/internal/secret"
	"github.com/tenterhook/tenterhook/signature"
)

// schemeNone stands for no signature at all.
const schemeNone = "none"

type sendOptions struct {
	*app
	sendBody

	scheme, id                 string
	secrets, settings, headers []string
	maxTime, timeout           time.Duration
	retryAll                   bool
}

func newSend(a *app) *cobra.Command {
	o := sendOptions{app: a}
	cmd := &cobra.Command{
		Use:   "send URL (--status WORD | --message TEXT | --field K=V | --data DATA)...",
		Short: "Send one event, signed and retried, from a script",
		Long: "Send one event to URL and try again until it arrived, for at most --max-time: after 1 s, then twice as long\n" +
			"each time up to 30 s, with jitter, and as Retry-After asks. Only a 2xx is success. Tried again are 408, 425, 429,\n" +
			"5xx, and receivers that cannot be reached; other answers end it at once, unless --retry-all is given. Each\n" +
			"attempt carries the same id and the same bytes, and is signed anew.\n\n" +
			"--status, --message and --field make a JSON object, with the time in timestamp. --data sends what is given, to\n" +
			"the byte. Secrets are references, such as env:NAME or file:PATH, and so may URL be. A header with credentials\n" +
			"must be one: --header 'Authorization: env:NAME'.\n\n" +
			"URL may name any public host, with https. Besides, a literal address or localhost is permitted exactly, and\n" +
			"with --config FILE what its egress.allow lists.",
		Example: "tenterhook send \"$WEBHOOK_URL\" --status success --message \"Deploy completed\" --secret env:DEPLOY_SECRET\n" +
			"tenterhook send https://hooks.example.com/builds --type build.finished -f number=42 --secret file:hook.secret\n" +
			"ls | tenterhook send env:WEBHOOK_URL --data @- -H 'Content-Type: text/plain' --scheme github --secret env:HOOK_SECRET",
		Args: arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return runSend(cmd.Context(), o, args[0]) },
	}
	flags := cmd.Flags()
	o.flags(cmd)
	flags.StringArrayVar(&o.secrets, "secret", nil,
		"sign with the secret that `REF` refers to, such as env:NAME or file:PATH; may be given again while secrets change")
	flags.StringVar(&o.scheme, "scheme", signature.StandardWebhooks.Name(),
		"sign as the provider of this `NAME` does, such as github or stripe; none sends without a signature")
	flags.StringArrayVar(&o.settings, "setting", nil,
		"a setting that the scheme needs, as `NAME=VALUE`; of a secret one, VALUE is a reference; may be given again")
	flags.StringArrayVarP(&o.headers, "header", "H", nil, "send this header, as `'NAME: VALUE'`; may be given again")
	flags.StringVar(&o.id, "id", "", "send with this `ID`, by which the receiver knows what came before (default a new one)")
	flags.DurationVar(&o.maxTime, "max-time", tenterhook.DefaultMaxTime, "give up after this `DURATION`")
	flags.DurationVar(&o.timeout, "timeout", tenterhook.DefaultAttemptTimeout, "bound each attempt by this `DURATION`")
	flags.BoolVar(&o.retryAll, "retry-all", false, "try again whatever is answered, but for 2xx and 410")
	if err := cmd.RegisterFlagCompletionFunc("scheme", completeScheme); err != nil {
		panic(err) // for a flag that is not there, which every test would meet
	}
	return exits(cmd, exitConfig, exitUndelivered)
}

func completeScheme(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return append(knownProviders(), schemeNone), cobra.ShellCompDirectiveNoFileComp
}

func runSend(ctx context.Context, o sendOptions, address string) error {
	if o.maxTime <= 0 || o.timeout <= 0 {
		return usageError("", "--max-time and --timeout must be more than 0")
	}
	target, err := o.target(ctx, address)
	if err != nil {
		return err
	}
	body, err := o.body(o.ui)
	if err != nil {
		return err
	}
	opts, err := o.senderOptions(ctx, target)
	if err != nil {
		return err
	}
	if err := o.checkType(opts, target, body); err != nil {
		return err
	}
	attempts := 0
	opts.Attempted = func(a tenterhook.Attempt, wait time.Duration, again bool) {
		attempts++
		o.tellAttempt(attempts, a, wait, again)
	}
	sender, err := tenterhook.NewSender(opts)
	if err != nil {
		return sendFailure(o, tenterhook.SendResult{}, err)
	}
	defer sender.CloseIdleConnections()
	result, err := sender.Send(ctx, target.String(), &tenterhook.Event{DeliveryID: o.id, Type: o.typ, Body: body})
	if len(result.Attempts) > 0 {
		if err := printSent(o.ui, target.Host, result); err != nil {
			return err
		}
	}
	if err != nil {
		return sendFailure(o, result, err)
	}
	return nil
}

// target reads the URL, which may be a reference.
func (o sendOptions) target(ctx context.Context, address string) (*url.URL, error) {
	if ref, err := secret.Parse(address); err == nil {
		values, err := o.resolveAll(ctx, "", []secret.Ref{ref})
		if err != nil {
			return nil, err
		}
		address = strings.TrimSpace(values[0])
	}
	if address == "" {
		return nil, usageError("is the variable set that holds it?", "the URL is empty")
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usageError("write a whole one, such as https://hooks.example.com/deploy, or a reference, such as env:WEBHOOK_URL",
			"this is not the URL of a receiver")
	}
	return u, nil
}

// portOf returns the port of a URL, also if it does not write one.
func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// senderOptions are what the command line says of how to send.
func (o sendOptions) senderOptions(ctx context.Context, target *url.URL) (tenterhook.SenderOptions, error) {
	opts := tenterhook.SenderOptions{
		MaxTime: o.maxTime, AttemptTimeout: o.timeout, RetryAll: o.retryAll, Allow: outbound.Literal(target.Hostname()), Now: o.ui.now,
	}
	if o.config != "" {
		c, err := o.loadWithoutSecrets()
		if err != nil {
			return opts, err
		}
		for _, rule := range c.Egress.Allow {
			if rule.Port == 0 || strconv.Itoa(int(rule.Port)) == portOf(target) {
				opts.Allow = append(opts.Allow, rule.Prefix)
			}
		}
	}
	var err error
	if opts.Header, err = o.header(ctx); err != nil {
		return opts, err
	}
	if o.scheme == schemeNone {
		if opts.Unsigned = true; len(o.secrets) > 0 {
			return opts, usageError("", "--scheme none sends without a signature, and --secret is there to sign with")
		}
		return opts, nil
	}
	if opts.Scheme, err = o.signatureScheme(ctx); err != nil {
		return opts, err
	}
	opts.Keys, err = o.keys(ctx, opts.Scheme)
	return opts, err
}

func (o sendOptions) signatureScheme(ctx context.Context) (*signature.Scheme, error) {
	scheme, err := lookupScheme(o.scheme)
	if err != nil {
		return nil, err
	}
	settings, err := o.readSettings(ctx, scheme, o.settings)
	if err != nil {
		return nil, err
	}
	return scheme.With(signature.Options{Settings: settings})
}

// keys resolves --secret.
func (o sendOptions) keys(ctx context.Context, scheme *signature.Scheme) (signature.Keys, error) {
	if len(o.secrets) == 0 {
		if scheme.Keyless() && !scheme.Public() {
			return signature.Keys{}, nil
		}
		return signature.Keys{}, usageError("write --secret env:NAME or --secret file:PATH; --scheme none sends without a signature",
			"--secret is needed to sign with")
	}
	values, err := o.references(ctx, "--secret", o.secrets...)
	if err != nil {
		return signature.Keys{}, err
	}
	keys, err := signature.NewKeys(values...)
	if err != nil {
		return keys, usageError("", "--secret: %w", err)
	}
	if err := scheme.CheckKeys(keys); err != nil {
		hint := ""
		if bad, ok := errors.AsType[*signature.KeyError](err); ok {
			hint = bad.Hint
		}
		return keys, &failure{exit: exitConfig, err: fmt.Errorf("--secret: %w", err), hint: hint}
	}
	return keys, nil
}

// references returns the values that texts refer to. They are of the flag, or
// the argument, what.
func (a *app) references(ctx context.Context, what string, texts ...string) ([]string, error) {
	refs := make([]secret.Ref, len(texts))
	for i, text := range texts {
		ref, err := secret.Parse(text)
		if bad, ok := errors.AsType[*secret.Error](err); ok {
			return nil, unreadableReference(what, text, bad)
		}
		refs[i] = ref
	}
	return a.resolveAll(ctx, "", refs)
}

// unreadableReference is the error for a text that is no reference. The text is
// not shown, for it may be a secret; what stands before its colon is only shown
// if it is the name of a store of secrets.
func unreadableReference(what, text string, err *secret.Error) error {
	kind, _, _ := strings.Cut(text, ":")
	for store, read := range map[string]string{
		"gopass": "gopass show -o", "pass": "pass show", "vault": "vault kv get -field=secret", "op": "op read", "sops": "sops -d",
	} {
		if kind == store {
			return usageError("for now, hand it over in the environment: HOOK_SECRET=$("+read+" ...) tenterhook ... with env:HOOK_SECRET",
				"%s: this version cannot read references of the kind %q", what, kind+":")
		}
	}
	return usageError(err.Hint, "%s: %w", what, err)
}

// header reads --header. A value that reads like a reference is one.
func (o sendOptions) header(ctx context.Context) (http.Header, error) {
	header := make(http.Header)
	for _, line := range o.headers {
		name, value, ok := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		if !ok {
			return nil, usageError("write --header 'X-Team: payments'", "--header has no colon")
		}
		if _, err := secret.Parse(value); err == nil {
			values, err := o.references(ctx, "--header "+name, value)
			if err != nil {
				return nil, err
			}
			value = strings.TrimSpace(values[0])
		} else if credentialHeader(name) {
			return nil, usageError("other users can read command lines; write --header '"+name+": env:NAME', with the whole value in NAME",
				"--header %s holds a secret, and that is in the command line", name)
		}
		if err := outbound.CheckHeader(name, value); err != nil {
			return nil, usageError("", "--header: %w", err)
		}
		header.Add(name, value)
	}
	return header, nil
}

// credentialHeader reports whether the value of a header lets its bearer in.
func credentialHeader(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"authorization", "cookie", "secret", "token", "password", "credential", "api-key", "apikey"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// checkType refuses a --type that would not arrive: one that the scheme has in
// the body, which says something else.
func (o sendOptions) checkType(opts tenterhook.SenderOptions, target *url.URL, body []byte) error {
	if o.typ == "" || !o.hasData() {
		return nil
	}
	r := &signature.Request{Method: http.MethodPost, URL: target.String(), Header: http.Header{}, Body: body}
	if opts.Unsigned {
		return usageError("put it into the data", "--type: what is sent without a signature has the type in its data, if anywhere")
	}
	if err := opts.Scheme.Sign(r, opts.Keys, signature.SignOptions{ID: "probe", Time: o.ui.now(), Type: o.typ}); err != nil {
		return nil //nolint:nilerr // Send says what is wrong
	}
	if typ, subtype, _ := opts.Scheme.Identify(r); typ != o.typ && typ+"."+subtype != o.typ {
		return usageError("put it into the data; receivers will see "+fmt.Sprintf("%q", typ),
			"--type: %s has the type in the body, and the data does not say %q there", opts.Scheme.Name(), o.typ)
	}
	return nil
}
