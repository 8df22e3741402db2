package cmd

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/gatehouse-portal/gatehouse/backend/config"
)

// help is `gatehouse help`, with or without a command.
type help struct {
	Command []string `arg:"" optional:"" help:"The command to explain, such as: keys rotate"`
}

// Run prints the help of the command.
func (h help) Run(parser *kong.Kong) error {
	_, err := parser.Parse(append(h.Command, "--help"))
	if err != nil {
		return misuse(err.Error())
	}
	return nil
}

// printHelp is the help of kong, with the settings below the list of commands.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return err
	}
	if ctx.Selected() == nil || len(ctx.Args) > 0 && ctx.Args[0] == "--help" {
		printSettings(ctx.Stdout)
	}
	return nil
}

// settingsWidth is how wide the explanations of settings are printed.
const settingsWidth = 76

// printSettings lists the environment variables, as text that fits a terminal.
func printSettings(w io.Writer) {
	fmt.Fprint(w, "\nSettings, read from the environment:\n")
	for _, s := range config.Settings() {
		fmt.Fprintf(w, "  %s", s.Name)
		if s.Default != "" {
			fmt.Fprintf(w, "  (%s)", s.Default)
		}
		fmt.Fprintln(w)
		for _, line := range wrap(s.Text, settingsWidth) {
			fmt.Fprintf(w, "      %s\n", line)
		}
	}
	fmt.Fprint(w, "\nExit status: 0 done, 1 failed, 2 used wrongly.\n")
}

// wrap breaks a text at its spaces into lines of at most width bytes, longer
// words alone on theirs.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
