// Package thresholds turns a configuration's policies into what the alerts that
// are generated for them must know.
package thresholds

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/alertscaler/alertscaler/rules"
	"github.com/alertscaler/alertscaler/scaler/config"
)

// Durations are how long needs must last. Of a policy with an objective the
// time to hold on to replicas is part of what it learns, and what was waited
// here as well would come on top.
type Durations struct{ Up, Down, DownObjective time.Duration }

// Of is what the alerts must know of the policies of c, which was loaded.
// Policies without resources have nothing to generate; that all are without is
// an error, and so are matchers that no generated alert would satisfy.
func Of(c *config.Config, lasts Durations) ([]rules.PolicyThresholds, error) {
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
			ScaleUpFor: lasts.Up, ScaleDownFor: lasts.Down,
		}
		if p.Learns() {
			t.ScaleDownFor = lasts.DownObjective
		}
		for _, r := range p.Resources {
			t.Resources = append(t.Resources, Resource(p, r))
		}
		out = append(out, t)
	}
	if len(out) == 0 {
		return nil, errors.New("no policy has resources, so there is nothing to generate; alerts for the others are yours to write")
	}
	return out, nil
}

// Resource is what the alerts must know of one resource of p.
func Resource(p *config.Policy, r *config.Resource) rules.ResourceThresholds {
	t := rules.ResourceThresholds{
		Name: r.Name, UsageExpr: r.Usage.Present, PredictedExpr: r.Usage.Predicted, CapacityPerReplica: r.CapacityPerReplica.PromQL,
		Ratio:     max(r.Reservation.Ratio, p.Reservation.Ratio),
		Threshold: max(r.Reservation.Threshold, p.Reservation.Threshold),
		Replicas:  max(r.Reservation.Replicas, p.Reservation.Replicas),
		Scheduled: len(r.Reservation.Schedules)+len(p.Reservation.Schedules) > 0,
		Objective: !r.Reservation.Objective.IsZero() || !p.Reservation.Objective.IsZero(),
	}
	if n := r.CapacityPerReplica.Number; n > 0 {
		t.CapacityPerReplica = strconv.FormatFloat(n, 'g', -1, 64)
	}
	return t
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
