package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook/internal/config"
)

type checkOptions struct {
	*app
	schema bool
}

func newCheck(a *app) *cobra.Command {
	o := checkOptions{app: a}
	cmd := &cobra.Command{
		Use: "check", Short: "Check the configuration",
		Long: "Check the configuration file: every mistake is reported with its file, line and column, what is wrong and\n" +
			"what to write instead. Secrets are resolved, and not shown.",
		Example: "tenterhook check\ntenterhook check --config /etc/tenterhook.yaml --json\n" +
			"tenterhook check --schema > tenterhook.schema.json",
		Args: arguments(0, 0),
		RunE: func(*cobra.Command, []string) error { return runCheck(o) },
	}
	cmd.Flags().BoolVar(&o.schema, "schema", false, "print the JSON Schema of the file, for editors, and check nothing")
	return exits(cmd, exitConfig)
}

// checked is what check says as JSON.
type checked struct {
	File     string           `json:"file"`
	Valid    bool             `json:"valid"`
	Problems []config.Problem `json:"problems"`
	Warnings []config.Problem `json:"warnings"`
}

func runCheck(o checkOptions) error {
	if o.schema {
		return o.ui.write(o.ui.out, string(config.Schema()))
	}
	c, err := o.load()
	if o.ui.json {
		return checkJSON(o, c, err)
	}
	if err != nil {
		return err
	}
	for _, w := range c.Warnings {
		o.ui.tell(span{waiting, "warning: "}, text("%s", w.Report()))
	}
	return o.ui.line(span{good, "ok "}, text("%s: %s, %s, %s", c.Path, count(len(c.Sources), "source", "sources"),
		count(len(c.Destinations), "destination", "destinations"), count(len(c.Routes), "route", "routes")))
}

// checkJSON prints the mistakes as data: they are what was asked for.
func checkJSON(o checkOptions, c *config.Config, err error) error {
	out := checked{Valid: err == nil, Problems: []config.Problem{}, Warnings: []config.Problem{}}
	var problems config.Problems
	switch {
	case errors.As(err, &problems):
		out.Problems = problems
		if len(problems) > 0 {
			out.File = problems[0].File
		}
	case err != nil:
		return err
	default:
		out.File = c.Path
		out.Warnings = append(out.Warnings, c.Warnings...)
	}
	if written := o.ui.data(out); written != nil || err == nil {
		return written
	}
	return &failure{exit: exitConfig, err: err, told: true}
}
