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
		Long: "Write a commented tenterhook.yaml for a provider, and say what to do at the provider and here. A file that is\n" +
			"there already is left as it is.\n\n" +
			"PROVIDER is one of more than 200 that tenterhook trigger --list lists, or hmac for any other that signs the\n" +
			"body with an HMAC in a header.",
		Example: "tenterhook init github\ntenterhook init stripe\ntenterhook init --provider standard-webhooks --config gateway.yaml",
		Args:    arguments(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.provider = args[0]
			}
			return runInit(o)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return starterNames(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().StringVar(&o.provider, "provider", "github", "who sends webhooks, such as github, stripe, standard-webhooks or hmac")
	completeWith(cmd, "provider", starterNames()...)
	return exits(cmd)
}

// starterNames returns the providers that there is a file to begin with for.
func starterNames() []string { return append(knownProviders(), providerHMAC) }

// initialized is what init says as JSON.
type initialized struct {
	File      string   `json:"file"`
	Provider  string   `json:"provider"`
	Source    string   `json:"source"`
	Path      string   `json:"path"`             // of the URL that the provider posts to
	Variables []string `json:"variables"`        // of the environment, that the file refers to
	Secret    string   `json:"secret,omitempty"` // what it is and where it is found
	Steps     []string `json:"steps,omitempty"`  // at the provider
	Docs      string   `json:"docs,omitempty"`   // the provider's own page
}

func runInit(o initOptions) error {
	chosen, err := findStarter(o.provider)
	if err != nil {
		return err
	}
	path := cmp.Or(o.config, "tenterhook.yaml")
	if err := writeNew(path, chosen.file()); err != nil {
		return err
	}
	if o.ui.json {
		return o.ui.data(initialized{
			File: path, Provider: chosen.provider, Source: chosen.source, Path: "/webhook/" + chosen.source,
			Variables: append(chosen.variables(), appVariable), Secret: chosen.about, Steps: chosen.steps, Docs: chosen.docs,
		})
	}
	if err := o.ui.line(text("wrote %s", path)); err != nil {
		return err
	}
	o.ui.say("%s", chosen.next())
	return nil
}

// file returns the configuration file to begin with.
func (s starter) file() string {
	return strings.NewReplacer(
		"{{source}}", s.source, "{{post}}", s.post(), "{{provider}}", s.provider, "{{keys}}", s.keys(),
		"{{types}}", s.types, "{{when}}", s.when,
	).Replace(initTemplate)
}

// post is the comment beside the source's name, which begins where others do.
func (s starter) post() string {
	const column = 36
	return strings.Repeat(" ", max(column-len(s.source), 1)) + "# POST http://HOST:8000/webhook/" + s.source
}

// next says what to do once the file is there.
func (s starter) next() string {
	steps := []string{s.exports(), "tenterhook check", "tenterhook serve"}
	steps = append(steps, s.steps...)
	if s.trigger != "" {
		steps = append(steps, "to try it without the provider: "+s.trigger)
	}
	var b strings.Builder
	b.WriteString("\nNext:\n")
	for i, step := range steps {
		const indent = "     "
		fmt.Fprintf(&b, "%3d. %s\n", i+1, strings.ReplaceAll(step, "\n", "\n"+indent))
	}
	if s.docs != "" {
		fmt.Fprintf(&b, "\n%s says more: %s\n", brief(s.title), s.docs)
	}
	return strings.TrimSuffix(b.String(), "\n")
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
