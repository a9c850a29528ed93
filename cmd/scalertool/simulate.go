package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/simulate"
	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

// whatIf is the flags of simulate.
type whatIf struct {
	file, against, policy, output *string

	input, from, to *string
	maxGap          model.Duration

	capacity, mean       *float64
	provisioning         *string
	window, warmUp       model.Duration
	upFor, downFor, step model.Duration
	downGiven            bool
	plot                 *string
}

// registerSimulate adds simulate: what a policy would have done.
func registerSimulate(app *kingpin.Application, commands map[string]command) {
	cmd := app.Command("simulate", "Play a policy against usage that was recorded, and say what it would have cost and how often it would have been under capacity.")
	w := &whatIf{output: outputFlag(cmd)}
	w.file = cmd.Flag("config.file", "Configuration file of the server.").Default("alertscaler.yml").String()
	w.policy = cmd.Flag("policy", "Name of the policy.").Required().String()
	w.against = cmd.Flag("against", "Another configuration file, with a policy of the same name, to be played beside it.").PlaceHolder("FILE").String()
	w.input = cmd.Flag("input", "Rows of timestamp_seconds,value: usage of the policy's first resource, in its unit.").PlaceHolder("FILE").String()
	w.from = cmd.Flag("from", "Read usage from the configuration's Prometheus from this time on, written as 2026-01-05T08:00:00Z, or as 7d for seven days ago.").PlaceHolder("TIME").String()
	w.to = cmd.Flag("to", "Until when; now by default.").PlaceHolder("TIME").String()
	durationFlag(cmd.Flag("step", "Time between two samples from Prometheus; the evaluation interval by default."), &w.step)
	durationFlag(cmd.Flag("max-gap", "Interpolate where Prometheus has no usage for up to this long.").Default("5m"), &w.maxGap)
	w.capacity = floatFlag(cmd.Flag("capacity-per-replica", "What one replica holds, in the resource's unit, in place of the policy's."))
	w.mean = floatFlag(cmd.Flag("mean-replicas", "Scale the usage so that it takes this many replicas on average."))
	w.provisioning = cmd.Flag("provisioning", "From request to readiness of a replica; by default the first target's provisioning_time, or else 60s.").PlaceHolder("60s").String()
	durationFlag(cmd.Flag("window", "Usage is the mean of this long before an evaluation.").Default("30s"), &w.window)
	durationFlag(cmd.Flag("warm-up", "Play this much of the beginning without counting it.").Default("0s"), &w.warmUp)
	durationFlag(cmd.Flag("scale-up.for", "How long a need for more must last, as with rules generate.").Default("0s"), &w.upFor)
	durationFlag(cmd.Flag("scale-down.for", "How long fewer replicas must suffice; as with rules generate 2m by default, and 0s with an objective.").IsSetByUser(&w.downGiven), &w.downFor)
	w.plot = cmd.Flag("plot", "Draw demand, requested and ready replicas over time into this file, as SVG.").PlaceHolder("FILE.svg").String()
	commands[cmd.FullCommand()] = w.run
}

func (w *whatIf) run(ctx context.Context, stdout io.Writer) error {
	// Evaluations leave only garbage. Collecting it less often costs tens of
	// megabytes and saves a tenth of the processor time.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	scenario, err := w.scenario()
	if err != nil {
		return err
	}
	files := []string{*w.file}
	if *w.against != "" {
		files = append(files, *w.against)
	}
	configs := make([]*config.Config, len(files))
	for i, f := range files {
		if configs[i], err = loadPolicy(f, *w.policy); err != nil {
			return err
		}
	}
	report := simulation{Policy: *w.policy}
	if err := w.readUsage(ctx, configs[0], scenario, &report); err != nil {
		return err
	}
	played := make([]*simulate.Played, len(files))
	for i, c := range configs {
		if *w.input != "" && scenario.CapacityPerReplica == 0 {
			if err := capacityKnown(files[i], c, *w.policy); err != nil {
				return err
			}
		}
		s := *scenario
		if p, err := simulate.PolicyNamed(c, *w.policy); err == nil && !w.downGiven && !p.Learns() {
			s.ScaleDownFor = defaultDownFor
		}
		if played[i], err = s.Play(ctx, c, *w.policy); err != nil {
			if ctx.Err() != nil {
				return err
			}
			return failure{fmt.Errorf("%s: %w", files[i], err)}
		}
	}
	report.fill(files, played)
	if *w.plot != "" {
		if err := w.draw(scenario.Start, files, played); err != nil {
			return err
		}
	}
	if *w.output == "json" {
		return printJSON(stdout, report)
	}
	return report.print(stdout)
}

// scenario is what the flags say by themselves.
func (w *whatIf) scenario() (*simulate.WhatIf, error) {
	switch {
	case *w.input == "" && *w.from == "":
		return nil, errors.New("say what usage to play: --input=FILE, or --from=TIME to ask Prometheus")
	case *w.input != "" && (*w.from != "" || *w.to != ""):
		return nil, errors.New("--input and --from or --to exclude each other: usage comes from a file or from Prometheus")
	case !(*w.capacity >= 0) || !(*w.capacity <= 1e300):
		return nil, fmt.Errorf("--capacity-per-replica=%g is not a number above 0", *w.capacity)
	case !(*w.mean >= 0) || *w.mean > 1e6:
		return nil, fmt.Errorf("--mean-replicas=%g is not a number above 0 and of at most 1000000", *w.mean)
	}
	s := &simulate.WhatIf{
		CapacityPerReplica: *w.capacity, MeanReplicas: *w.mean,
		Window: time.Duration(w.window), WarmUp: time.Duration(w.warmUp),
		ScaleUpFor: time.Duration(w.upFor), ScaleDownFor: time.Duration(w.downFor),
	}
	if *w.provisioning != "" {
		d, err := parseDuration("provisioning", *w.provisioning)
		if err != nil {
			return nil, err
		}
		if s.Provisioning = time.Duration(d); d == 0 {
			s.Provisioning = -1 // none, and not what is configured
		}
	}
	return s, nil
}

// loadPolicy loads a configuration that has the policy, with usage to play.
func loadPolicy(file, name string) (*config.Config, error) {
	c, err := config.LoadFile(file, install.Registry())
	if errors.As(err, new(*os.PathError)) {
		return nil, err
	}
	if err == nil {
		if _, err = simulate.PolicyNamed(c, name); err != nil {
			err = fmt.Errorf("%s: %w", file, err)
		}
	}
	if err != nil {
		return nil, failure{err}
	}
	return c, nil
}

// capacityKnown reports what makes demand in replicas of rows impossible.
func capacityKnown(file string, c *config.Config, name string) error {
	p, err := simulate.PolicyNamed(c, name)
	if err != nil {
		return failure{err}
	}
	r := p.Resources[0]
	switch capacity := r.CapacityPerReplica; {
	case capacity.PromQL != "":
		return failure{fmt.Errorf("%s: policy %q has PromQL for what one replica holds of %s, which rows of a file do not answer; give --capacity-per-replica", file, name, r.Name)}
	case capacity.Number == 0:
		return failure{fmt.Errorf("%s: policy %q takes what one replica holds of %s from the recorded series, which rows of a file do not have; give --capacity-per-replica", file, name, r.Name)}
	}
	return nil
}

// readUsage fills in what is played.
func (w *whatIf) readUsage(ctx context.Context, c *config.Config, s *simulate.WhatIf, report *simulation) error {
	if *w.input != "" {
		f, err := os.Open(*w.input)
		if err != nil {
			return err
		}
		defer f.Close()
		s.Usage, err = plant.ReadCSV(f)
		if err != nil {
			return failure{fmt.Errorf("%s: %w", *w.input, err)}
		}
		s.Usage.Name = *w.input
		s.Start = dated(s.Usage.First)
		report.Input = *w.input
	} else {
		recorded, err := w.history(ctx, c)
		if err != nil {
			return err
		}
		s.Usage, s.Start = recorded.Trace, recorded.Start
		s.RecordedCapacity = recorded.Capacity
		report.Input = c.Prometheus.URL.Shown()
		report.Notes = recorded.Notes
	}
	report.Samples = len(s.Usage.Values)
	report.SampleSeconds = s.Usage.Interval.Seconds()
	if !s.Start.IsZero() {
		from := s.Start.UTC()
		to := from.Add(time.Duration(len(s.Usage.Values)) * s.Usage.Interval)
		report.From, report.To = &from, &to
	}
	return nil
}

// dated is a timestamp as a time, where it can be one: the clocks of computers
// were not this far in 1980, and what is not meant as a time counts from 0.
func dated(timestamp float64) time.Time {
	if timestamp < 315_532_800 || timestamp > 1e11 {
		return time.Time{}
	}
	return time.Unix(0, 0).Add(time.Duration(timestamp * float64(time.Second))).UTC()
}

// draw writes the plot.
func (w *whatIf) draw(start time.Time, files []string, played []*simulate.Played) error {
	var panels []simulate.Panel
	for i, p := range played {
		panels = append(panels, simulate.Panel{
			Title: fmt.Sprintf("%s: under capacity %s of the time, cost ÷ need %.3f", files[i], percent(p.Under), p.Cost), Played: p,
		})
	}
	title := fmt.Sprintf("%s, %s in replicas", *w.policy, played[0].Policy.Resources[0].Name)
	if err := writeFile(*w.plot, func(to io.Writer) error {
		return simulate.Plot(to, title, start, panels...)
	}); err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	return nil
}

// samePlant reports whether all that is played has the same demand.
func samePlant(played []*simulate.Played) bool {
	return !slices.ContainsFunc(played, func(p *simulate.Played) bool {
		first := played[0]
		return p.Capacity != first.Capacity || p.Provisioning != first.Provisioning || p.Policy.Min != first.Policy.Min || p.Policy.Max != first.Policy.Max
	})
}
