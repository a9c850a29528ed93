// Scalertool is the operator's tool for Alertscaler, as amtool is for
// Alertmanager. It exits with 0 where all is well, 1 where what was checked is
// not, and 2 where it could not run.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // images from scratch have no time zones of their own

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitCannot = 2
)

// failure is an error that says that what was checked is not well, as opposed
// to a tool that could not run.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// command is what a subcommand does once the flags are parsed.
type command func(ctx context.Context, stdout io.Writer) error

func run(args []string, stdout, stderr io.Writer) int {
	app := kingpin.New("scalertool", "The operator's tool for Alertscaler.")
	app.Version(version.Print("scalertool"))
	app.HelpFlag.Short('h')
	app.UsageWriter(stdout)
	app.ErrorWriter(stderr)
	ended := false
	app.Terminate(func(int) { ended = true })

	commands := make(map[string]command)
	registerCheck(app, commands)
	registerStatus(app, commands)
	registerExplain(app, commands)
	registerPause(app, commands)
	registerRetry(app, commands)
	registerRules(app, commands)
	registerTest(app, commands)
	registerSimulate(app, commands)
	registerLedger(app, commands)

	name, err := app.Parse(args)
	if ended { // help or version
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(stderr, "scalertool: %s, try --help\n", err)
		return exitCannot
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := commands[name](ctx, stdout); err != nil {
		fmt.Fprintf(stderr, "scalertool: %s\n", err)
		if _, ok := errors.AsType[failure](err); ok {
			return exitFailed
		}
		return exitCannot
	}
	return exitOK
}
