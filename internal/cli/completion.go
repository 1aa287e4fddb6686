package cli

import (
	"github.com/spf13/cobra"
)

type completionOptions struct {
	*app
	shell string
}

func newCompletion(a *app) *cobra.Command {
	o := completionOptions{app: a}
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return exits(&cobra.Command{
		Use: "completion SHELL", Short: "Print a script that completes commands in a shell",
		Long:    "Print a script that completes commands, flags and their values in bash, zsh, fish or powershell.",
		Example: "source <(tenterhook completion bash)\ntenterhook completion fish > ~/.config/fish/completions/tenterhook.fish",
		Args:    arguments(1, 1), ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.shell = args[0]
			return runCompletion(cmd.Root(), o)
		},
	})
}

func runCompletion(root *cobra.Command, o completionOptions) error {
	const withDescriptions = true
	switch o.shell {
	case "bash":
		return root.GenBashCompletionV2(o.ui.out, withDescriptions)
	case "zsh":
		return root.GenZshCompletion(o.ui.out)
	case "fish":
		return root.GenFishCompletion(o.ui.out, withDescriptions)
	case "powershell":
		return root.GenPowerShellCompletionWithDesc(o.ui.out)
	}
	return usageError("shells: bash, zsh, fish, powershell", "no completion for %q", o.shell)
}
