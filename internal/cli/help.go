package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// exitsKey is the annotation that holds a command's exit codes.
const exitsKey = "exits"

// exits says which exit codes a command has, apart from those that every one
// has: 0, 1 and 2.
func exits(cmd *cobra.Command, more ...exit) *cobra.Command {
	codes := append([]exit{exitDone, exitFailed, exitUsage}, more...)
	texts := make([]string, len(codes))
	for i, c := range codes {
		texts[i] = strconv.Itoa(int(c)) + " " + c.String()
	}
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[exitsKey] = strings.Join(texts, ", ")
	return cmd
}

// help prints the help of a command.
func help(w io.Writer, cmd *cobra.Command) error {
	var b strings.Builder
	about := cmd.Long
	if about == "" {
		about = cmd.Short + "."
	}
	fmt.Fprintf(&b, "%s\n\nUsage:\n  %s\n", strings.TrimSpace(about), usageLine(cmd))
	helpCommands(&b, cmd)
	if cmd.Example != "" {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", indented(cmd.Example))
	}
	if flags := cmd.LocalFlags(); flags.HasAvailableFlags() {
		fmt.Fprintf(&b, "\nFlags:\n%s", flags.FlagUsages())
	}
	if flags := cmd.InheritedFlags(); flags.HasAvailableFlags() {
		fmt.Fprintf(&b, "\nFlags of all commands:\n%s", flags.FlagUsages())
	}
	if codes := cmd.Annotations[exitsKey]; codes != "" {
		fmt.Fprintf(&b, "\nExit codes:\n  %s\n", codes)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func usageLine(cmd *cobra.Command) string {
	if cmd.HasAvailableSubCommands() {
		return cmd.CommandPath() + " COMMAND"
	}
	return cmd.UseLine()
}

// helpCommands lists the commands below cmd, by group where there are groups.
func helpCommands(b *strings.Builder, cmd *cobra.Command) {
	groups := cmd.Groups()
	list := func(title, id string) {
		first := true
		for _, c := range cmd.Commands() {
			if !c.IsAvailableCommand() || c.GroupID != id {
				continue
			}
			if first {
				fmt.Fprintf(b, "\n%s:\n", title)
				first = false
			}
			fmt.Fprintf(b, "  %-*s  %s\n", cmd.Commands()[0].NamePadding(), c.Name(), c.Short)
		}
	}
	for _, g := range groups {
		list(g.Title, g.ID)
	}
	title := "Commands"
	if len(groups) > 0 {
		title = "Other commands"
	}
	list(title, "")
}

func indented(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n  ")
}
