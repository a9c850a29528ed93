package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/rules"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

// registerRules adds rules generate: scaling alerts with exactly the
// thresholds of the policies, so that the two cannot drift.
func registerRules(app *kingpin.Application, commands map[string]command) {
	group := app.Command("rules", "Work with Prometheus rules.")
	cmd := group.Command("generate", "Write scaling alerts with the thresholds of the policies, to be loaded instead of rules/scale.alerts.yml.")
	file := cmd.Flag("config.file", "Configuration file of the server.").Default("alertscaler.yml").String()
	out := cmd.Flag("output.file", "Where to write; standard output by default.").String()
	var upFor, downFor model.Duration
	durationFlag(cmd.Flag("scale-up.for", "How long a need for more must last.").Default("0s"), &upFor)
	downGiven := false
	durationFlag(cmd.Flag("scale-down.for", "How long fewer replicas must suffice; 2m by default, and 0s for policies with an objective, which learn how long to hold.").
		IsSetByUser(&downGiven), &downFor)
	commands[cmd.FullCommand()] = func(_ context.Context, stdout io.Writer) error {
		c, err := config.LoadFile(*file, install.Registry())
		if errors.As(err, new(*os.PathError)) {
			return err
		}
		if err != nil {
			return failure{err}
		}
		lasts := durations{up: time.Duration(upFor), down: defaultDownFor}
		if downGiven {
			lasts.down, lasts.downObjective = time.Duration(downFor), time.Duration(downFor)
		}
		thresholds, err := thresholdsOf(c, lasts)
		if err != nil {
			return failure{err}
		}
		if *out == "" {
			return rules.Generate(stdout, thresholds, rules.Options{})
		}
		return writeFile(*out, func(w io.Writer) error { return rules.Generate(w, thresholds, rules.Options{}) })
	}
}

// defaultDownFor is how long fewer replicas must suffice where nobody says
// otherwise.
const defaultDownFor = 2 * time.Minute

// durations are how long needs must last. Of a policy with an objective the
// time to hold on to replicas is part of what it learns, and what was waited
// here as well would come on top.
type durations struct{ up, down, downObjective time.Duration }

// thresholdsOf is what the alerts must know of the policies. Policies without
// resources have nothing to generate.
func thresholdsOf(c *config.Config, lasts durations) ([]rules.PolicyThresholds, error) {
	var out []rules.PolicyThresholds
	for _, p := range c.Policies {
		if len(p.Resources) == 0 {
			continue
		}
		alertLabels, err := labelsFor(p)
		if err != nil {
			return nil, err
		}
		t := rules.PolicyThresholds{
			Policy: p.Name, ScaleTarget: alertLabels, Min: p.Min, Max: p.Max,
			ScaleUpFor: lasts.up, ScaleDownFor: lasts.down,
		}
		for _, r := range p.Resources {
			rt := rules.ResourceThresholds{
				Name: r.Name, UsageExpr: r.Usage.Present, PredictedExpr: r.Usage.Predicted, CapacityPerReplica: r.CapacityPerReplica.PromQL,
				Ratio:     max(r.Reservation.Ratio, p.Reservation.Ratio),
				Threshold: max(r.Reservation.Threshold, p.Reservation.Threshold),
				Replicas:  max(r.Reservation.Replicas, p.Reservation.Replicas),
				Scheduled: len(r.Reservation.Schedules)+len(p.Reservation.Schedules) > 0,
				Objective: max(r.Reservation.Objective, p.Reservation.Objective) > 0,
			}
			if rt.Objective {
				t.ScaleDownFor = lasts.downObjective
			}
			if n := r.CapacityPerReplica.Number; n > 0 {
				rt.CapacityPerReplica = strconv.FormatFloat(n, 'g', -1, 64)
			}
			t.Resources = append(t.Resources, rt)
		}
		out = append(out, t)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no policy has resources, so there is nothing to generate; alerts for the others are yours to write")
	}
	return out, nil
}

// labelsFor are labels that both of the policy's matcher lists accept, taken
// from their equality matchers.
func labelsFor(p *config.Policy) (map[string]string, error) {
	out := map[string]string{"scale_target": p.ScaleTarget}
	for _, ms := range []config.Matchers{p.Alerts.Up, p.Alerts.Down} {
		for _, m := range ms {
			// scale_target also selects the series that the rules read: a
			// matcher that wants another one is refused below.
			if m.Type == labels.MatchEqual && m.Name != "scale" && m.Name != "scale_target" {
				out[m.Name] = m.Value
			}
		}
	}
	for scale, ms := range map[string]config.Matchers{"up": p.Alerts.Up, "down": p.Alerts.Down} {
		for _, m := range ms {
			value := out[m.Name]
			if m.Name == "scale" {
				value = scale
			}
			if !m.Matches(value) {
				return nil, fmt.Errorf("policy %q: no labels are known that its matcher %s accepts; generated alerts would not reach it", p.Name, m)
			}
		}
	}
	return out, nil
}

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
