package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/rules"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/target/install"
	"github.com/alertscaler/alertscaler/scaler/thresholds"
)

// registerRules adds rules generate: scaling alerts with exactly the
// thresholds of the policies, so that the two cannot drift.
func registerRules(app *kingpin.Application, commands map[string]command) {
	group := app.Command("rules", "Work with Prometheus rules.")
	cmd := group.Command("generate", "Write scaling alerts with the thresholds of the policies. What is written with --source=process is loaded instead of process.scale.yml; what is written without, beside process.rules.yml and scale.rules.yml.")
	file := cmd.Flag("config.file", "Configuration file of the server.").Default("alertscaler.yml").String()
	out := cmd.Flag("output.file", "Where to write; standard output by default.").String()
	sources := cmd.Flag("source", "A shipped source whose rules go into the group of the alerts, so that no alert waits for its sample: "+
		strings.Join(rules.Sources(), ", ")+". Load none of its files then. Repeatable.").Enums(rules.Sources()...)
	var interval, upFor, downFor model.Duration
	durationFlag(cmd.Flag("interval", "How often the rules are evaluated.").Default("5s"), &interval)
	durationFlag(cmd.Flag("scale-up.for", "How long a need for more must last.").Default("0s"), &upFor)
	downGiven := false
	durationFlag(cmd.Flag("scale-down.for", "How long fewer replicas must suffice; 2m by default, and 0s for policies with an objective, which learn how long to hold.").
		IsSetByUser(&downGiven), &downFor)
	commands[cmd.FullCommand()] = func(_ context.Context, stdout io.Writer) error {
		if interval == 0 {
			return errors.New("--interval: rules cannot be evaluated every 0s; write it as 5s or 1m")
		}
		c, err := config.LoadFile(*file, install.Registry())
		if errors.As(err, new(*os.PathError)) {
			return err
		}
		if err != nil {
			return failure{err}
		}
		lasts := thresholds.Durations{Up: time.Duration(upFor), Down: defaultDownFor}
		if downGiven {
			lasts.Down, lasts.DownObjective = time.Duration(downFor), time.Duration(downFor)
		}
		all, err := thresholds.Of(c, lasts)
		if err != nil {
			return failure{err}
		}
		generate := func(w io.Writer) error {
			return rules.Generate(w, all, rules.Options{Interval: time.Duration(interval), Sources: *sources})
		}
		if *out == "" {
			return generate(stdout)
		}
		return writeFile(*out, generate)
	}
}

// defaultDownFor is how long fewer replicas must suffice where nobody says
// otherwise.
const defaultDownFor = 2 * time.Minute

// writeFile writes through a temporary file, so that nobody ever loads
// half of one.
func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name + ".tmp")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	err = write(f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
