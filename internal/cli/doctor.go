package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook/internal/api"
	"github.com/tenterhook/tenterhook/internal/config"
)

type doctorOptions struct {
	*app

	server  serverOptions
	machine machine
}

func newDoctor(a *app) *cobra.Command {
	o := doctorOptions{app: a, machine: thisMachine()}
	cmd := &cobra.Command{
		Use: "doctor", Short: "Look for what could make a promise false on this machine, and say how to mend it",
		Long: "Look for what could make a promise false: the configuration and its secrets, the data directory and its\n" +
			"disk, SQLite's settings as they read back, limits, the clock, and, if a server runs, what waits and what was\n" +
			"refused.\n\n" +
			"Run it as the user and in the environment of the server. It changes nothing; to measure the disk it writes a\n" +
			"small directory beside the database, and removes it. Warnings do not make it fail, problems do.",
		Example: "tenterhook doctor\ntenterhook doctor --config /etc/tenterhook.yaml --data /var/lib/tenterhook\n" +
			"tenterhook doctor --json | jq '.findings[] | select(.status != \"ok\")'",
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runDoctor(cmd.Context(), o) },
	}
	o.server.flags(cmd)
	return exits(cmd)
}

// A health says how grave a finding is.
type health string

const (
	healthy   health = "ok"
	doubtful  health = "warning" // may be meant, or may become a problem
	unhealthy health = "problem" // a promise does not hold
)

func (h health) mood() mood {
	switch h {
	case healthy:
		return good
	case doubtful:
		return waiting
	case unhealthy:
	}
	return bad
}

// A finding is what a check has found.
type finding struct {
	Check   string `json:"check"`
	Status  health `json:"status"`
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}

func fine(format string, args ...any) finding {
	return finding{Status: healthy, Message: fmt.Sprintf(format, args...)}
}

func warning(fix, format string, args ...any) finding {
	return finding{Status: doubtful, Message: fmt.Sprintf(format, args...), Fix: fix}
}

func problem(fix, format string, args ...any) finding {
	return finding{Status: unhealthy, Message: fmt.Sprintf(format, args...), Fix: fix}
}

// An examination is what the checks look at.
type examination struct {
	doctorOptions

	config    *config.Config // with the defaults, if there is none that can be read
	configErr error          // why not
	url       string         // of the server's private listener
	client    *api.Client    // nil if no server answers, or not to us
}

// A check looks at one thing. It finds nothing if there is nothing to look at.
type check struct {
	name string
	run  func(context.Context, *examination) []finding
}

// checks lists all checks, in an order in which the first cause comes first.
func checks() []check {
	return []check{
		{"configuration", checkConfiguration},
		{"secrets", checkSecrets},
		{"listeners", checkListeners},
		{"body limit", checkBodyLimit},
		{"data directory", checkDataDirectory},
		{"token", checkToken},
		{"file system", checkFileSystem},
		{"free space", checkSpace},
		{"disk sync", checkSync},
		{"store", checkStore},
		{"open files", checkOpenFiles},
		{"clock", checkClock},
		{"server", checkServer},
		{"waiting", checkWaiting},
		{"dead", checkDead},
		{"sources", checkSources},
	}
}

// A diagnosis is what the doctor says as JSON.
type diagnosis struct {
	OK       bool      `json:"ok"` // there is no problem
	Warnings int       `json:"warnings"`
	Problems int       `json:"problems"`
	Findings []finding `json:"findings"`
}

func runDoctor(ctx context.Context, o doctorOptions) error {
	x := examine(o)
	d := diagnosis{Findings: []finding{}}
	for _, c := range checks() {
		for _, f := range c.run(ctx, x) {
			f.Check = c.name
			d.add(f)
			if err := printFinding(o.ui, f); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	d.OK = d.Problems == 0
	if err := printDiagnosis(o.ui, d); err != nil || d.OK {
		return err
	}
	return &failure{exit: exitFailed, err: fmt.Errorf("%s found", count(d.Problems, "problem", "problems")), told: true}
}

func (d *diagnosis) add(f finding) {
	d.Findings = append(d.Findings, f)
	switch f.Status {
	case doubtful:
		d.Warnings++
	case unhealthy:
		d.Problems++
	case healthy:
	}
}

// examine finds out what is to be looked at. What goes wrong is for the checks
// to tell.
func examine(o doctorOptions) *examination {
	x := &examination{doctorOptions: o}
	x.config, x.configErr = o.loadWithoutSecrets()
	if x.configErr != nil {
		x.config = &config.Config{Listen: config.DefaultListen, Admin: config.DefaultAdmin, Data: config.DefaultData}
	}
	if err := x.config.Override(config.Flags{Data: o.server.data}, o.env); err != nil && x.configErr == nil {
		x.configErr = err
	}
	x.url = strings.TrimSuffix(cmp.Or(o.server.url, "http://"+dialable(x.config.Admin)), "/")
	return x
}

func printFinding(u *ui, f finding) error {
	if u.json {
		return nil
	}
	const statusWidth, checkWidth = 9, 16 // of the longest, and a gap
	indent := strings.Repeat(" ", statusWidth+checkWidth)
	message, more, _ := strings.Cut(f.Message, "\n")
	err := u.line(span{f.Status.mood(), fmt.Sprintf("%-*s", statusWidth, f.Status)},
		text("%-*s", checkWidth, f.Check), text("%s", message))
	if err == nil && more != "" {
		err = u.block(more, indent)
	}
	if err != nil || f.Fix == "" {
		return err
	}
	return u.line(text("%s", indent), span{faint, "fix: "}, text("%s", f.Fix))
}

func printDiagnosis(u *ui, d diagnosis) error {
	if u.json {
		return u.data(d)
	}
	if err := u.line(); err != nil {
		return err
	}
	summary := span{good, "no problem"}
	if d.Problems > 0 {
		summary = span{bad, count(d.Problems, "problem", "problems")}
	}
	warnings := span{plainText, "no warning"}
	if d.Warnings > 0 {
		warnings = span{waiting, count(d.Warnings, "warning", "warnings")}
	}
	return u.line(summary, text(", "), warnings, text(", %d ok", len(d.Findings)-d.Problems-d.Warnings))
}
