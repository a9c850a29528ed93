package simulate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

// DefaultProvisioning is from request to readiness, where nobody says how long.
const DefaultProvisioning = time.Minute

// maxSteps is how long a what-if may be: more than a year at five seconds.
const maxSteps = 10_000_000

// unnoticed is the longest evaluation interval with which it matters little that an
// alert waits for the next evaluation.
const unnoticed = 15 * time.Second

// WhatIf is usage as it was recorded, and the plant on which policies are played
// against it. The zero value of everything but Usage is what the configuration
// says.
type WhatIf struct {
	// Usage of the policy's first resource, in its unit.
	Usage plant.Trace
	// Start is the time of the first value. Zero: Usage has no dates, and
	// begins on a Monday at midnight.
	Start time.Time
	// CapacityPerReplica is what one replica holds in the resource's unit. 0:
	// the policy's number.
	CapacityPerReplica float64
	// RecordedCapacity is CapacityPerReplica of policies that have no number
	// of their own.
	RecordedCapacity float64
	// MeanReplicas scales the demand to this mean; 0 leaves it as it is.
	MeanReplicas float64
	// Provisioning is the time from request to readiness. 0: the first
	// target's provisioning_time, or DefaultProvisioning; negative is none.
	Provisioning time.Duration
	// Window over which usage is a mean; 0: 30 s.
	Window time.Duration
	// WarmUp is how much of the beginning is played and not counted.
	WarmUp time.Duration
	// ScaleUpFor and ScaleDownFor are how long the alerts must last.
	ScaleUpFor, ScaleDownFor time.Duration
}

// Played is what became of one policy.
type Played struct {
	plant.Result
	Policy   *config.Policy
	Demand   plant.Demand
	Interval time.Duration
	// Capacity of one replica, in the resource's unit.
	Capacity     float64
	Provisioning time.Duration
	// Requested and Ready replicas of every step of Demand.
	Requested, Ready []int32
	// Notes say where less is played than the configuration says.
	Notes []string

	options plant.Options
}

// Money is what so many replica-hours cost at the price of the first target;
// nil where that has none.
func (p *Played) Money(replicaHours float64) *float64 {
	price := p.Policy.Targets[0].CostPerHour
	if price == nil {
		return nil
	}
	cost := *price * replicaHours
	return &cost
}

// Clairvoyant is the cheapest that is never under capacity on the same demand,
// with the same provisioning time and bounds.
func (p *Played) Clairvoyant() plant.Result {
	o := p.options
	o.Interval = 0
	return plant.Optimum(p.Demand, o)
}

// PolicyNamed is a policy of c whose usage can be played.
func PolicyNamed(c *config.Config, name string) (*config.Policy, error) {
	var names []string
	for _, p := range c.Policies {
		if p.Name != name {
			names = append(names, p.Name)
			continue
		}
		if len(p.Resources) == 0 {
			return nil, fmt.Errorf("policy %q: %w", name, errNoResource)
		}
		return p, nil
	}
	there := "it has " + strings.Join(names, ", ")
	if len(names) == 0 {
		there = "it has none of its own"
	}
	return nil, fmt.Errorf("the configuration has no policy %q; %s", name, there)
}

// Play plays one policy of c.
func (w *WhatIf) Play(ctx context.Context, c *config.Config, name string) (*Played, error) {
	p, err := PolicyNamed(c, name)
	if err != nil {
		return nil, err
	}
	out := &Played{
		Policy:       p,
		Interval:     p.EvaluationInterval.Std(),
		Capacity:     cmp.Or(w.CapacityPerReplica, p.Resources[0].CapacityPerReplica.Number, w.RecordedCapacity),
		Provisioning: max(0, cmp.Or(w.Provisioning, p.Targets[0].ProvisioningTime.Std(), DefaultProvisioning)),
		Notes:        w.notes(c, p),
	}
	if out.Capacity == 0 {
		return nil, fmt.Errorf("policy %q: what one replica holds of %s is no number in the configuration; say it", name, p.Resources[0].Name)
	}
	if out.Demand, err = w.demand(out.Interval, out.Capacity); err != nil {
		return nil, err
	}
	a, err := NewAutoscaler(ctx, c, name, AutoscalerOptions{
		Start: w.start(), ScaleUpFor: w.ScaleUpFor, ScaleDownFor: w.ScaleDownFor, CapacityPerReplica: out.Capacity,
	})
	if err != nil {
		return nil, err
	}
	out.options = plant.Options{
		Interval: out.Interval, Window: w.Window, Delay: out.Provisioning,
		Min: p.Min, Max: p.Max, WarmUp: cmp.Or(w.WarmUp, -1),
	}
	if p.Min == 0 {
		out.options.Min = -1 // 0 is the plant's own bound
	}
	o := out.options
	out.Requested = make([]int32, len(out.Demand.Values))
	out.Ready = make([]int32, len(out.Demand.Values))
	o.Observe = func(step, requested, ready int) {
		out.Requested[step], out.Ready[step] = count(requested), count(ready)
	}
	out.Result = plant.Run(out.Demand, a, o)
	if err := a.Err(); err != nil {
		return nil, fmt.Errorf("policy %q: %w", name, err)
	}
	if out.Counted == 0 {
		return nil, errors.New("the warm-up is as long as the usage; nothing is left to count")
	}
	return out, nil
}

func count(n int) int32 { return int32(min(n, math.MaxInt32)) }

// start is when the first value counts from.
func (w *WhatIf) start() time.Time {
	if w.Start.IsZero() {
		return noDate
	}
	return w.Start
}

// demand is the usage in replicas, in steps that evaluations are made of.
func (w *WhatIf) demand(interval time.Duration, capacity float64) (plant.Demand, error) {
	if err := w.Usage.Validate(); err != nil {
		return plant.Demand{}, err
	}
	longest := min(plant.DefaultStep, max(w.Usage.Interval, time.Second))
	step := interval / ((interval + longest - 1) / longest)
	steps := float64(len(w.Usage.Values)) * float64(w.Usage.Interval) / float64(step)
	switch {
	case steps < 1:
		return plant.Demand{}, fmt.Errorf("the usage lasts less than %s", step)
	case steps > maxSteps:
		return plant.Demand{}, fmt.Errorf("the usage lasts %.0f days; more than %.0f cannot be played in steps of %s",
			steps*step.Hours()/24, maxSteps*step.Hours()/24, step)
	}
	scaled := w.Usage
	scaled.Values = make([]float64, len(w.Usage.Values))
	mean := w.Usage.Mean()
	for i, v := range w.Usage.Values {
		if w.MeanReplicas > 0 {
			v *= w.MeanReplicas / mean
		} else {
			v /= capacity
		}
		// What is whole but for rounding takes no replica more.
		if whole := math.Round(v); math.Abs(v-whole) <= 1e-9*whole {
			v = whole
		}
		scaled.Values[i] = v
	}
	if highest := slices.Max(scaled.Values); highest > math.MaxInt32 {
		return plant.Demand{}, fmt.Errorf("the usage takes %.3g replicas of %g", highest, capacity)
	}
	return plant.Prepare(scaled, plant.Shape{Step: step, Mean: scaled.Mean(), Cap: -1, OwnPace: true})
}

// notes say what of p is not played.
func (w *WhatIf) notes(c *config.Config, p *config.Policy) []string {
	var notes []string
	note := func(when bool, format string, args ...any) {
		if when {
			notes = append(notes, fmt.Sprintf(format, args...))
		}
	}
	first, target := p.Resources[0], p.Targets[0]
	note(p.Mode == policy.ModeOff, "the policy's mode is off; it is played as if it were on")
	note(len(p.Resources) > 1, "of %d resources only the first, %s, is played", len(p.Resources), first.Name)
	note(first.Usage.Predicted != "", "predicted usage is not played")
	note(len(p.Targets) > 1, "%d targets are played as one that is never full and never fails", len(p.Targets))
	note(len(p.Targets) > 1 && target.CostPerHour != nil, "all replicas cost what those of %s do", target.Name)
	note(len(p.Targets) == 1 && (target.Min > 0 || target.Max > 0), "the target's own min and max are not played")
	note(slices.ContainsFunc(p.Targets, func(t *config.Target) bool { return t.LossRatio > 0 }), "no replica is lost")
	note(slices.ContainsFunc(p.Targets, func(t *config.Target) bool { return t.Drain != nil }), "replicas go at once; drain is not played")
	for _, b := range c.BudgetRules() {
		note(slices.Contains(b.Members, p.Name), "budget %s is not played", b.Name)
	}
	note(len(p.Alerts.BlockUp)+len(p.Alerts.BlockDown) > 0, "alerts that block are not played")
	note(p.EvaluationInterval.Std() > unnoticed, "the policy and its alerts are evaluated every %s; the server also evaluates the policy when its alerts change", model.Duration(p.EvaluationInterval.Std()))
	note(c.Alertmanager != nil, "silences and inhibitions are not played")
	scheduled := len(p.Reservation.Schedules)+len(first.Reservation.Schedules) > 0
	note(scheduled && w.Start.IsZero(), "the usage has no dates; for the schedules it begins on a Monday at 00:00 UTC")
	learns := !p.Reservation.Objective.IsZero() || !first.Reservation.Objective.IsZero()
	note(learns, "the objective begins to learn with the first value, where the server reads the past at its start")
	return notes
}
