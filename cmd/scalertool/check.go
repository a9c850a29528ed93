package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

// registerCheck adds check config: the server's own loader on files.
func registerCheck(app *kingpin.Application, commands map[string]command) {
	check := app.Command("check", "Check files for validity.")
	cfg := check.Command("config", "Check configuration files as the server would load them: with the files they name, and the clients that are built of them. Nothing is dialed.")
	files := cfg.Arg("file", "Configuration files.").Required().Strings()
	syntaxOnly := cfg.Flag("syntax-only", "Leave out files with credentials and certificates, and clients, which may be on the server's host alone.").Bool()
	commands[cfg.FullCommand()] = func(_ context.Context, stdout io.Writer) error {
		return checkConfig(stdout, *files, *syntaxOnly)
	}
}

func checkConfig(stdout io.Writer, files []string, syntaxOnly bool) error {
	var bad []error
	for _, f := range files {
		c, err := config.LoadFile(f, install.Registry())
		if err == nil && !syntaxOnly {
			err = c.CheckStart()
		}
		switch {
		case errors.As(err, new(*os.PathError)):
			return err
		case err != nil:
			fmt.Fprintf(stdout, "%s: FAILED\n", f)
			bad = append(bad, err)
		default:
			fmt.Fprintf(stdout, "%s: SUCCESS, %d policies\n", f, len(c.Policies))
			for _, p := range c.Policies {
				fmt.Fprintf(stdout, "  %s: %d..%d replicas, %d resources, %d targets, mode %s\n",
					p.Name, p.Min, p.Max, len(p.Resources), len(p.Targets), p.Mode)
			}
			for _, b := range c.BudgetRules() {
				members := b.Members
				if len(c.Discovery) > 0 {
					members = append(members, "what is discovered")
				}
				fmt.Fprintf(stdout, "  budget %s: %s together at most%s\n", b.Name, strings.Join(members, ", "), limitsOf(b.Budget))
			}
			for _, t := range c.Templates {
				fmt.Fprintf(stdout, "  template %s: %s replicas, %d resources, mode %s\n", t.Name, boundsOf(t), len(t.Resources), t.Mode)
			}
			for _, d := range c.Discovery {
				fmt.Fprintf(stdout, "  discovery %s: %s every %s\n", d.Name, d.Platform.Platform(), model.Duration(d.RefreshInterval))
			}
		}
	}
	if len(bad) > 0 {
		return failure{fmt.Errorf("%d of %d files are not valid\n%w", len(bad), len(files), errors.Join(bad...))}
	}
	return nil
}

// boundsOf are a template's bounds in words.
func boundsOf(t *config.Template) string {
	if t.Max == 0 {
		return fmt.Sprintf("at least %d", t.Min)
	}
	return fmt.Sprintf("%d..%d", t.Min, t.Max)
}

// limitsOf are a budget's limits in words, each after a space.
func limitsOf(b policy.Budget) string {
	var out string
	if b.MaxReplicas > 0 {
		out = fmt.Sprintf(" %d replicas", b.MaxReplicas)
	}
	if b.MaxCostPerHour > 0 {
		if out != "" {
			out += " and"
		}
		out += fmt.Sprintf(" %g an hour", b.MaxCostPerHour)
	}
	return out
}
