package policy_test

import (
	"math"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// A policy without resources acts on alerts alone.
func TestAlertStep(t *testing.T) {
	paced := worker(goesUp(policy.Behavior{Cooldown: time.Minute}), goesDown(policy.Behavior{Cooldown: 5 * time.Minute}))
	quarter := worker(steps(policy.Amount{Percent: 25}, policy.Amount{Percent: 25}))
	tell(t, []story{
		{
			name:   "up by one",
			policy: worker(), sees: up(4),
			desired: 5, reason: policy.ReasonScaledUp,
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 4, Limit: 20},
				{Name: policy.StepDirection, Replicas: 4, Subject: "up", Value: 1},
				{Name: policy.StepRecommendation, Replicas: 5, Reason: policy.ReasonScaledUp, Subject: "up"},
				{Name: policy.StepCooldown, Replicas: 5, Subject: "up"},
				{Name: policy.StepMinMax, Replicas: 5, Limit: 20},
				{Name: policy.StepPlacement, Replicas: 5},
			},
		},
		{
			name:   "down by one",
			policy: worker(), sees: down(4),
			desired: 3, reason: policy.ReasonScaledDown,
		},
		{
			name:   "no alert, no step",
			policy: worker(), sees: quiet(4),
			desired: 4, reason: policy.ReasonNoAlert,
		},
		{
			name:   "three alerts are one step",
			policy: worker(), sees: policy.Observation{Up: 3, Targets: one(4)},
			desired: 5, reason: policy.ReasonScaledUp,
		},
		{
			name:   "up wins over down",
			policy: worker(), sees: policy.Observation{Up: 1, Down: 2, Targets: one(4)},
			desired: 5, reason: policy.ReasonScaledUp,
		},
		{
			name:   "usage that nobody asked for is ignored",
			policy: worker(), sees: up(4, cpu(40)),
			desired: 5, reason: policy.ReasonScaledUp,
		},
		{
			name:   "a step of several replicas",
			policy: worker(steps(policy.Amount{Replicas: 3}, policy.Amount{Replicas: 2})), sees: up(4),
			desired: 7, reason: policy.ReasonScaledUp,
		},
		{
			name:   "each direction has its own step",
			policy: worker(steps(policy.Amount{Replicas: 3}, policy.Amount{Replicas: 2})), sees: down(4),
			desired: 2, reason: policy.ReasonScaledDown,
		},
		{
			name:   "a quarter of 10, away from zero, is 3: up",
			policy: quarter, sees: up(10),
			desired: 13, reason: policy.ReasonScaledUp,
		},
		{
			name:   "a quarter of 10, away from zero, is 3: down",
			policy: quarter, sees: down(10),
			desired: 7, reason: policy.ReasonScaledDown,
		},
		{
			name:   "a percentage of one is one: down to nothing",
			policy: quarter, sees: down(1),
			desired: 0, reason: policy.ReasonScaledDown,
		},
		{
			name:   "a step without a size is one replica",
			policy: worker(steps(policy.Amount{}, policy.Amount{})), sees: up(4),
			desired: 5, reason: policy.ReasonScaledUp,
		},
		{
			name:   "a step past the maximum is cut",
			policy: worker(steps(policy.Amount{Replicas: 8}, policy.Amount{})), sees: up(15),
			desired: 20, reason: policy.ReasonAtMax,
		},
		{
			name:   "a step past the minimum is cut",
			policy: worker(bounds(2, 20), steps(policy.Amount{}, policy.Amount{Replicas: 8})), sees: down(5),
			desired: 2, reason: policy.ReasonAtMin,
		},
		{
			name:   "a step past every number is cut",
			policy: worker(steps(policy.Amount{Replicas: math.MaxInt}, policy.Amount{})), sees: up(15),
			desired: 20, reason: policy.ReasonAtMax,
		},
		{
			name:   "a percentage past every number is cut",
			policy: worker(steps(policy.Amount{Percent: 1e300}, policy.Amount{})), sees: up(15),
			desired: 20, reason: policy.ReasonAtMax,
		},
		{
			name:   "at the maximum there is no more, whatever cools down",
			policy: paced, sees: up(20),
			history: moves(converging(19, 20, time.Second)),
			desired: 20, reason: policy.ReasonAtMax,
		},
		{
			name:   "with nothing there is no less",
			policy: worker(), sees: down(0),
			desired: 0, reason: policy.ReasonAtMin,
		},
		{
			name:   "from nothing up by one",
			policy: worker(), sees: up(0),
			desired: 1, reason: policy.ReasonScaledUp,
		},
		{
			name:   "one step a cooldown",
			policy: paced, sees: up(5),
			history: moves(converged(4, 5, 40*time.Second)),
			desired: 5, reason: policy.ReasonCoolingDown,
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 5, Limit: 20},
				{Name: policy.StepDirection, Replicas: 5, Subject: "up", Value: 1},
				{Name: policy.StepRecommendation, Replicas: 6, Reason: policy.ReasonScaledUp, Subject: "up"},
				{Name: policy.StepCooldown, Replicas: 5, Reason: policy.ReasonCoolingDown, Subject: "up", Limit: 60, Until: in(20 * time.Second)},
			},
		},
		{
			name:   "the next step after the cooldown",
			policy: paced, sees: up(5),
			history: moves(converged(4, 5, time.Minute)),
			desired: 6, reason: policy.ReasonScaledUp,
		},
		{
			name:   "no step before the last one has converged, even without a cooldown",
			policy: worker(), sees: up(5),
			history: moves(converging(4, 5, time.Hour)),
			desired: 5, reason: policy.ReasonConverging,
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 5, Limit: 20},
				{Name: policy.StepDirection, Replicas: 5, Subject: "up", Value: 1},
				{Name: policy.StepCooldown, Replicas: 5, Reason: policy.ReasonConverging, Subject: "up"},
			},
		},
		{
			name:   "no step down before an up has converged",
			policy: paced, sees: down(5),
			history: moves(converging(4, 5, time.Hour)),
			desired: 5, reason: policy.ReasonConverging,
		},
		{
			name:   "up does not wait for a down that has not converged",
			policy: paced, sees: up(4),
			history: moves(converging(5, 4, time.Second)),
			desired: 5, reason: policy.ReasonScaledUp,
		},
		{
			name:   "up does not wait for the cooldown of a down",
			policy: paced, sees: up(4),
			history: moves(converged(5, 4, time.Second)),
			desired: 5, reason: policy.ReasonScaledUp,
		},
		{
			name:   "down waits for the cooldown of an up",
			policy: paced, sees: down(5),
			history: moves(converged(4, 5, 2*time.Minute)),
			desired: 5, reason: policy.ReasonCoolingDown,
		},
		{
			name:   "a step that failed spends nothing",
			policy: paced, sees: up(4),
			history: moves(failed(4, 5, time.Second)),
			desired: 5, reason: policy.ReasonScaledUp,
		},
		{
			name:   "mode off takes no step",
			policy: worker(mode(policy.ModeOff)), sees: up(4),
			desired: 5, reason: policy.ReasonShadow, waits: true,
		},
		{
			name:   "mode only_scale_up takes no step down",
			policy: worker(mode(policy.ModeOnlyScaleUp)), sees: down(4),
			desired: 3, reason: policy.ReasonShadow, waits: true,
		},
	})
}
