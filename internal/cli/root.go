package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tenterhook/tenterhook/internal/config"
)

// A process is what a command line runs in.
type process struct {
	args     []string // without the program's name
	in       io.Reader
	out, err io.Writer
	env      config.Env
}

// Main runs the command line of this process and returns its exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return int(run(ctx, process{
		args: os.Args[1:], in: os.Stdin, out: os.Stdout, err: os.Stderr, env: config.Env{LookupEnv: os.LookupEnv},
	}))
}

// run runs one command line.
func run(ctx context.Context, p process) exit {
	a := &app{ui: newUI(p.in, p.out, p.err, noColour(p.env)), env: p.env}
	// A command line that cannot be read asks for JSON all the same.
	a.ui.json = slices.Contains(p.args, "--json")
	root := newRoot(a)
	root.SetArgs(p.args)
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	if err := root.ExecuteContext(ctx); err != nil {
		return a.ui.fail(err)
	}
	return exitDone
}

// app is what all commands share. Each command's options embed it.
type app struct {
	ui     *ui
	env    config.Env
	config string // --config
}

// The groups that the list of commands is in.
const (
	groupRun   = "run"
	groupLook  = "look"
	groupSetUp = "set up"
)

// newRoot makes the whole tree of commands. This is the list of them: a command
// is a file of its own with a function newX, and a line here.
func newRoot(a *app) *cobra.Command {
	root := group(a, "tenterhook", "Receive, verify, keep, route, deliver, retry and replay webhooks",
		groupedUnder(groupRun,
			newServe(a),
			newDemo(a),
			newTrigger(a),
			newBench(a),
		),
		groupedUnder(groupLook,
			newEvents(a),
			newDeliveries(a),
			newVerify(a),
			newRoute(a),
			newReload(a),
		),
		groupedUnder(groupSetUp,
			newInit(a),
			newCheck(a),
			newDoctor(a),
			newVersion(a),
			newCompletion(a),
		),
	)
	root.AddGroup(
		&cobra.Group{ID: groupRun, Title: "Run"},
		&cobra.Group{ID: groupLook, Title: "Look and act"},
		&cobra.Group{ID: groupSetUp, Title: "Set up"},
	)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true // newCompletion has an example and exit codes
	flags := root.PersistentFlags()
	flags.StringVar(&a.config, "config", "", "configuration `FILE` (default $TENTERHOOK_CONFIG or ./tenterhook.yaml)")
	flags.BoolVar(&a.ui.json, "json", a.ui.json, "print data and errors as JSON")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError(seeHelp(cmd), "%w", err)
	})
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		_ = help(cmd.OutOrStdout(), cmd) // there is nowhere left to tell
	})
	return root
}

// group makes a command that only has commands below it. Its examples are the
// first of each of theirs.
func group(_ *app, use, short string, commands ...[]*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short,
		Args:                       cobra.ArbitraryArgs,
		SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	var examples []string
	for _, list := range commands {
		cmd.AddCommand(list...)
		for _, c := range list {
			first, _, _ := strings.Cut(c.Example, "\n")
			examples = append(examples, first)
		}
	}
	cmd.Example = strings.Join(examples, "\n")
	return exits(cmd)
}

// groupedUnder puts commands in a group of the root's list.
func groupedUnder(id string, commands ...*cobra.Command) []*cobra.Command {
	for _, c := range commands {
		c.GroupID = id
	}
	return commands
}

func unknownCommand(cmd *cobra.Command, name string) error {
	hint := seeHelp(cmd)
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		hint = "did you mean " + cmd.CommandPath() + " " + strings.Join(near, " or ") + "?"
	}
	return usageError(hint, "unknown command %q", cmd.CommandPath()+" "+name)
}

func seeHelp(cmd *cobra.Command) string { return "see " + cmd.CommandPath() + " --help" }

// arguments checks the number of arguments; most < 0 is any number.
func arguments(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return usageError("usage: "+cmd.UseLine()+"\n"+seeHelp(cmd), "%s takes other arguments than these %d",
				cmd.CommandPath(), len(args))
		}
		return nil
	}
}

// noColour reports whether the environment asks for text without colour.
func noColour(env config.Env) bool {
	return env.Getenv("NO_COLOR") != "" || env.Getenv("TERM") == "dumb"
}
