package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook/internal/provider"
	"github.com/tenterhook/tenterhook/signature"
	"github.com/tenterhook/tenterhook/signature/extra"
)

// triggerTimeout bounds one request and its answer.
const triggerTimeout = 30 * time.Second

type triggerOptions struct {
	*app

	to, source, secret, url string
	set, settings           []string
	deliveryID              string
	tamper                  string
	count                   int
	list                    bool
}

func newTrigger(a *app) *cobra.Command {
	o := triggerOptions{app: a}
	cmd := &cobra.Command{
		Use:   "trigger PROVIDER [EVENT] (--to URL | --source NAME)",
		Short: "Send a provider's sample event, signed as the provider signs",
		Long: "Send a sample event of a provider, with its headers and its signature, and print the answer. Those of GitHub\n" +
			"are real, one per EVENT[.ACTION]; those of others are short, after the shapes that they document.\n\n" +
			"--source takes address and secret from the configuration file. --set changes the payload before it is\n" +
			"signed: PATH is as in head_commit.id or commits.0.message, or the name of a form's field; VALUE is JSON, or\n" +
			"else text. Where the provider signs with a private key, --secret is one, in PEM.\n\n" +
			"--tamper tests whether a receiver refuses what it must: it passes, exit 0, if it answers 4xx, or to a\n" +
			"replay that it is a duplicate; it fails, exit 4, if it accepts the request.\n" +
			"  body       a letter of the body is changed after it was signed\n" +
			"  secret     it is signed with another secret\n" +
			"  timestamp  it was rightly signed a month ago\n" +
			"  header     it has no signature\n" +
			"  replay     it is sent twice, the same to the letter",
		Example: "tenterhook trigger github push --source github --set ref=refs/heads/main\n" +
			"tenterhook trigger stripe --to http://localhost:8000/webhook/stripe --secret env:STRIPE_WEBHOOK_SECRET\n" +
			"tenterhook trigger stripe --source stripe --tamper body\n" +
			"tenterhook trigger discord --source discord --secret file:discord-private.pem\n" +
			"tenterhook trigger --list; tenterhook trigger stripe --list",
		Args: arguments(0, 2), //nolint:mnd // PROVIDER and EVENT
		RunE: func(cmd *cobra.Command, args []string) error {
			args = append(args, "", "")
			return runTrigger(cmd.Context(), o, args[0], args[1])
		},
		ValidArgsFunction: completeTrigger,
	}
	flags := cmd.Flags()
	flags.StringVar(&o.to, "to", "", "send to this `URL`; needs --secret")
	flags.StringVar(&o.source, "source", "", "send to the source of this `NAME` in the configuration file")
	flags.StringVar(&o.secret, "secret", "", "sign with the secret that `REF` refers to, such as env:NAME or file:PATH")
	flags.StringVar(&o.url, "url", "", "sign this `URL`, where the provider signs one (default the source's public_url, or --to)")
	flags.StringArrayVar(&o.settings, "setting", nil,
		"a setting that the provider needs, as `NAME=VALUE`; of a secret one, VALUE is a reference; may be given again")
	flags.StringArrayVar(&o.set, "set", nil, "set a value of the payload, as `PATH=VALUE`; may be given again")
	flags.StringVar(&o.deliveryID, "delivery-id", "", "send with this `ID` instead of a new one each time, as a redelivery does")
	flags.StringVar(&o.tamper, "tamper", "", "spoil the request in this `WAY`, which the receiver must refuse: "+joined(tamperings()))
	flags.IntVar(&o.count, "count", 1, "send `N` times, one after the other")
	flags.BoolVar(&o.list, "list", false, "list the providers, or a provider's events, and send nothing")
	completeWith(cmd, "tamper", tamperings()...)
	return exits(cmd, exitConfig, exitUndelivered, exitUnreachable)
}

// completeTrigger completes a provider, and then one of its events.
func completeTrigger(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var words []string
	switch len(args) {
	case 0:
		words = knownProviders()
	case 1:
		if scheme, err := lookupScheme(args[0]); err == nil {
			words = eventNames(scheme)
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

func runTrigger(ctx context.Context, o triggerOptions, name, event string) error {
	switch {
	case o.list && name != "":
		return listEvents(o.ui, name)
	case o.list || name == "" && o.source == "" && o.to == "":
		return listProviders(o.ui)
	case o.count < 1:
		return usageError("", "--count is %d, and must be at least 1", o.count)
	case o.tamper != "" && !slices.Contains(tamperings(), o.tamper):
		return usageError("ways to tamper: "+joined(tamperings()), "--tamper %q is none", o.tamper)
	}
	t, err := o.target(ctx, name)
	if err != nil {
		return err
	}
	s, err := findSample(t.scheme, event)
	if err != nil {
		return err
	}
	if err := s.set(o.set); err != nil {
		return err
	}
	if o.tamper != "" {
		return o.tamperWith(ctx, t, s)
	}
	return o.send(ctx, t, s)
}

// send sends the sample as often as it was asked for.
func (o triggerOptions) send(ctx context.Context, t triggerTarget, s eventSample) error {
	refused := 0
	var last triggered
	for range o.count {
		r, err := t.signed(s.fresh(o.deliveryID), o.ui.now())
		if err != nil {
			return err
		}
		if last, err = t.send(ctx, r); err != nil {
			return err
		}
		if err := last.print(o.ui); err != nil {
			return err
		}
		if !last.accepted() {
			refused++
		}
	}
	if refused > 0 {
		return notAccepted(last, t.scheme, refused, o.count)
	}
	if id := last.eventID(); id != "" {
		o.ui.hint("tenterhook events explain %s", id)
	}
	return nil
}

func notAccepted(last triggered, scheme *signature.Scheme, refused, of int) error {
	return &failure{
		exit: exitUndelivered,
		err:  fmt.Errorf("%d of %d not accepted, the last with %d %s", refused, of, last.Status, http.StatusText(last.Status)),
		hint: last.hint(scheme),
	}
}

// knownProviders returns the names of all schemes.
func knownProviders() []string {
	schemes := extra.Schemes()
	names := make([]string, len(schemes))
	for i, s := range schemes {
		names[i] = s.Name()
	}
	return names
}

// lookupScheme returns the scheme of a provider.
func lookupScheme(name string) (*signature.Scheme, error) {
	scheme, ok := extra.Lookup(name)
	if !ok {
		return nil, unknownProvider(name, knownProviders())
	}
	return scheme, nil
}

// unknownProvider is the error for a name that is none of known. There are too
// many to list them.
func unknownProvider(name string, known []string) error {
	hint := "tenterhook trigger --list lists them"
	if near := provider.Near(name, known); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, ", ") + "? " + hint
	}
	return usageError(hint, "no provider is called %q", name)
}

// listed is a provider as it is listed.
type listed struct {
	Provider string   `json:"provider"`
	Title    string   `json:"title"`
	Events   []string `json:"events,omitempty"`
}

func listProviders(u *ui) error {
	all := make([]listed, 0, len(extra.Schemes()))
	for _, scheme := range extra.Schemes() {
		l := listed{Provider: scheme.Name(), Title: scheme.Name(), Events: eventNames(scheme)}
		if p, ok := provider.Lookup(l.Provider); ok {
			l.Title = p.Title
		}
		all = append(all, l)
	}
	if u.json {
		return u.data(all)
	}
	rows := make([][]span, len(all))
	for i, l := range all {
		rows[i] = []span{text("%s", l.Provider), text("%s", l.Title)}
	}
	return u.table([]string{"PROVIDER", ""}, rows)
}

func listEvents(u *ui, name string) error {
	scheme, err := lookupScheme(name)
	if err != nil {
		return err
	}
	names := eventNames(scheme)
	if u.json {
		return u.data(names)
	}
	for _, name := range names {
		if err := u.line(text("%s", name)); err != nil {
			return err
		}
	}
	return nil
}

// privateKeyError says why a secret of the configuration cannot sign.
func privateKeyError(scheme *signature.Scheme, cause error) error {
	return usageError("to test a receiver, make a pair of keys (docs/testing.md shows how), give the receiver the public one, and "+
		"--secret file:KEY.pem the private one",
		"%s signs with a private key, which only it has; the receiver's secret is the public key: %w", scheme.Name(), cause)
}

var errNotTold = errors.New("no private key is given")
