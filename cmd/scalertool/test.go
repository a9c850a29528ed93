package main

import (
	"context"
	"errors"
	"io"

	"github.com/alecthomas/kingpin/v2"

	"github.com/alertscaler/alertscaler/scaler/simulate"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

// registerTest adds test: unit tests of policies.
func registerTest(app *kingpin.Application, commands map[string]command) {
	cmd := app.Command("test", "Run unit tests of policies: the server's own engine on a simulated clock.")
	files := cmd.Arg("file", "Files of policy tests.").Required().Strings()
	only := regexpFlag(cmd.Flag("run", "Run the tests whose name matches this regular expression."))
	commands[cmd.FullCommand()] = func(ctx context.Context, stdout io.Writer) error {
		err := simulate.TestFiles(ctx, stdout, *files, *only, install.Registry())
		if errors.Is(err, simulate.ErrFailed) {
			return failure{err}
		}
		return err
	}
}
