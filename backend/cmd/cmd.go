package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/gatehouse-portal/gatehouse/backend/config"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

// The exit statuses.
const (
	exitDone   = 0
	exitFailed = 1
	exitMisuse = 2
)

// commands is the command line. A new command is a line here and a file.
type commands struct {
	Serve   serve    `cmd:"" default:"withargs" help:"Serve the portal and the API until told to stop. What gatehouse does without a command."`
	Check   check    `cmd:"" help:"Make the checks of a start and print every mistake at once, without serving. It asks the database, the mail server and a running server, and changes nothing. Status 1 if one fails."`
	Ready   ready    `cmd:"" help:"Ask the server of these settings whether it is ready, as the health check of a container does. Status 1 if not."`
	Demo    demoData `cmd:"" help:"Fill an empty store with teams, people, tokens and thirty days of calls, to look around in. Only for a public URL on this machine."`
	Migrate migrate  `cmd:"" help:"Bring the database to the version of this program. A start does it too."`
	Backup  backup   `cmd:"" help:"Copy the SQLite database to a new file, also while it is served, between the requests."`
	Prune   prune    `cmd:"" help:"Remove what is past the retention of the catalogue. A server does it every hour."`
	Keys    struct {
		Init   keysInit   `cmd:"" help:"Make the key file. It never replaces one."`
		Save   keysSave   `cmd:"" help:"Write the keys of a running server to a new file, when its own file is lost."`
		Rotate keysRotate `cmd:"" help:"Add a pepper to the key file, and give every node the file before it is used. Tokens are then re-keyed at their next use; nobody notices."`
	} `cmd:"" help:"Make and change the key file."`
	Admin struct {
		Grant        adminGrant        `cmd:"" help:"Make a person a platform admin, who sees all teams."`
		PlatformTeam adminPlatformTeam `cmd:"" name:"platform-team" help:"Mark the operator's own team, whose tokens alone may hold platform abilities."`
	} `cmd:"" help:"Appoint the platform's own people."`
	Audit struct {
		Verify auditVerify `cmd:"" help:"Verify an export of audit events, without a server and without trusting one."`
	} `cmd:"" help:"Verify audit events."`
	Version version `cmd:"" help:"Print the version of this program."`
	Help    help    `cmd:"" help:"Explain a command, or list them with the settings."`
}

// shell is what a command knows of where it runs.
type shell struct {
	environ  []string
	in       io.Reader
	out, err io.Writer
	terminal bool // err is read by a person
}

// Main runs a command line without the program's name and returns the exit
// status.
func Main(args []string) int {
	sh := &shell{
		environ: os.Environ(), in: os.Stdin, out: os.Stdout, err: os.Stderr,
		terminal: term.IsTerminal(int(os.Stderr.Fd())),
	}
	return run(context.Background(), args, sh)
}

func run(ctx context.Context, args []string, sh *shell) int {
	parser, err := newParser(sh)
	if err != nil {
		return fail(sh, err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(sh.err, "gatehouse: %v\nTry: gatehouse help\n", err)
		return exitMisuse
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	if err := parsed.Run(sh, parser); err != nil {
		return fail(sh, err)
	}
	return exitDone
}

func newParser(sh *shell) (*kong.Kong, error) {
	return kong.New(&commands{},
		kong.Name("gatehouse"),
		kong.Description("A developer portal: partners make, rotate and revoke their API tokens, and see what each one did."),
		kong.Writers(sh.out, sh.err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Help(printHelp),
	)
}

// errSilent is a failure that was told already.
var errSilent = errors.New("failed")

// misuse is an error of whoever wrote the command line.
type misuse string

func (m misuse) Error() string { return string(m) }

// fail tells an error and returns the exit status.
func fail(sh *shell, err error) int {
	var wrong misuse
	switch {
	case errors.Is(err, errSilent):
	case errors.As(err, &wrong):
		fmt.Fprintf(sh.err, "gatehouse: %s\n", wrong)
		return exitMisuse
	default:
		for _, s := range sentences(err) {
			fmt.Fprintf(sh.err, "gatehouse: %s\n", s)
		}
	}
	return exitFailed
}

// sentences is an error as an operator reads it: one for each mistake.
func sentences(err error) []string {
	var wrong config.Mistakes
	if errors.As(err, &wrong) {
		list := make([]string, len(wrong))
		for i, m := range wrong {
			list[i] = m.String()
		}
		return list
	}
	var refusal *portal.Error
	if errors.As(err, &refusal) && refusal.Kind != portal.Busy { // what the store says of itself is more exact
		text := refusal.Detail
		for _, f := range refusal.Fields {
			text += " " + f.Detail
		}
		return []string{strings.TrimSpace(text + " " + refusal.Fix)}
	}
	return []string{err.Error()}
}
