package cli

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

//go:embed init.yaml
var initTemplate string

type initOptions struct {
	*app
	provider string
}

func newInit(a *app) *cobra.Command {
	o := initOptions{app: a}
	cmd := &cobra.Command{
		Use: "init [PROVIDER]", Short: "Write a commented configuration file to begin with",
		Long: "Write a commented tenterhook.yaml for a provider, and say what to do next. A file that is there already is\n" +
			"left as it is.",
		Example: "tenterhook init github\ntenterhook init --provider standard-webhooks --config gateway.yaml",
		Args:    arguments(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.provider = args[0]
			}
			return runInit(o)
		},
	}
	names := make([]string, 0, len(starters()))
	for _, s := range starters() {
		names = append(names, s.provider)
	}
	cmd.Flags().StringVar(&o.provider, "provider", "github", "who sends webhooks: "+joined(names))
	completeWith(cmd, "provider", names...)
	return exits(cmd)
}

// A starter is what is special about a provider in the file to begin with.
type starter struct {
	provider string
	source   string // the source's name
	variable string // the environment variable of its secret
	extra    string // lines of the source
	types    string // of the route
	when     string // of the route, with its comment
	secret   string // command that makes a secret
	next     string // what to do at the provider
}

func starters() []starter {
	const hex = "openssl rand -hex 32"
	return []starter{
		{
			provider: "github", source: "github", variable: "GITHUB_WEBHOOK_SECRET", types: "[push]", secret: hex,
			when: `    when: .ref == "refs/heads/main"      # jq over the payload; leave out to take all` + "\n",
			next: "in the repository's Settings, Webhooks: payload URL http://HOST:8000/webhook/github, content type\n" +
				"     application/json, and the same secret",
		},
		{
			provider: "standard-webhooks", source: "app", variable: "APP_WEBHOOK_SECRET", types: `["*"]`,
			secret: `echo "whsec_$(openssl rand -base64 32)"`,
			next:   "have the sender post to http://HOST:8000/webhook/app with the same secret",
		},
		{
			provider: "hmac", source: "app", variable: "APP_WEBHOOK_SECRET", types: `["*"]`, secret: hex,
			extra: "    header: X-Signature               # where the signature is\n" +
				"    algorithm: sha256                 # sha1, sha256 or sha512\n" +
				"    encoding: hex                     # hex, base64 or base64url\n",
			next: "have the sender post to http://HOST:8000/webhook/app with the same secret",
		},
	}
}

func runInit(o initOptions) error {
	var chosen *starter
	for _, s := range starters() {
		if s.provider == o.provider {
			chosen = &s
		}
	}
	if chosen == nil {
		return usageError("for another provider, begin with --provider hmac", "no configuration to begin with for %q", o.provider)
	}
	path := cmp.Or(o.config, "tenterhook.yaml")
	if err := writeNew(path, chosen.file()); err != nil {
		return err
	}
	if o.ui.json {
		return o.ui.data(map[string]string{"file": path})
	}
	if err := o.ui.line(text("wrote %s", path)); err != nil {
		return err
	}
	o.ui.say("\nNext:\n  1. export %s=\"$(%s)\"\n     export APP_SECRET=\"$(echo whsec_$(openssl rand -base64 32))\"\n"+
		"  2. tenterhook check\n  3. tenterhook serve\n  4. %s",
		chosen.variable, chosen.secret, chosen.next)
	return nil
}

// file returns the configuration file to begin with.
func (s starter) file() string {
	return strings.NewReplacer(
		"{{source}}", s.source, "{{provider}}", s.provider, "{{variable}}", s.variable,
		"{{extra}}", s.extra, "{{types}}", s.types, "{{when}}", s.when,
	).Replace(initTemplate)
}

// writeNew writes a file that must not be there.
func writeNew(path, content string) (err error) {
	const readable = 0o644 // it holds references to secrets, never secrets
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, readable)
	if errors.Is(err, fs.ErrExist) {
		return withHint(fmt.Errorf("%q is there already", path), "name another file with --config FILE, or remove this one")
	}
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.WriteString(content); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}
