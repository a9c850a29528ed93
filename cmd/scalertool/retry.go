package main

import (
	"context"
	"fmt"
	"io"

	"github.com/alecthomas/kingpin/v2"
)

// registerRetry adds retry, which a server allows with
// --web.enable-admin-api.
func registerRetry(app *kingpin.Application, commands map[string]command) {
	retry := app.Command("retry", "Have a policy ask its targets again that are left alone after a failure, or that someone else keeps changing. The server must run with --web.enable-admin-api.")
	client := newClient(retry)
	name := retry.Arg("policy", "The policy that is to try again.").Required().String()
	commands[retry.FullCommand()] = func(ctx context.Context, stdout io.Writer) error {
		path, err := policyPath(*name, "/retry")
		if err != nil {
			return err
		}
		var answer struct {
			Held bool `json:"held"`
		}
		if err := client.post(ctx, path, nil, &answer); err != nil {
			return err
		}
		said := "tries again"
		if !answer.Held {
			said = "was not held by a backoff or a contest"
		}
		_, err = fmt.Fprintf(stdout, "%s %s\n", *name, said)
		return err
	}
}
