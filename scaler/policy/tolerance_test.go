package policy_test

import (
	"testing"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

func TestTolerance(t *testing.T) {
	ten := web(goesUp(policy.Behavior{Tolerance: 0.1}), goesDown(policy.Behavior{Tolerance: 0.1}))
	tell(t, []story{
		{
			name:   "up within tolerance holds",
			policy: ten, sees: up(10, cpu(21)),
			desired: 10, reason: policy.ReasonWithinTolerance,
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 10, Value: 2, Limit: 20},
				{Name: policy.StepRequirement, Replicas: 10, Subject: "cpu", Value: 10.5, Limit: 11},
				{Name: policy.StepDirection, Replicas: 10, Subject: "up", Value: 1},
				{Name: policy.StepRecommendation, Replicas: 11, Reason: policy.ReasonScaledUp, Value: 10.5, Limit: 11},
				{Name: policy.StepTolerance, Replicas: 10, Reason: policy.ReasonWithinTolerance, Value: 1.05, Limit: 0.1},
			},
		},
		{
			name:   "up exactly at the edge holds",
			policy: ten, sees: up(10, cpu(22)),
			desired: 10, reason: policy.ReasonWithinTolerance,
		},
		{
			name:   "up beyond the edge moves",
			policy: ten, sees: up(10, cpu(22.01)),
			desired: 12, reason: policy.ReasonScaledUp,
		},
		{
			name:   "down within tolerance holds",
			policy: ten, sees: down(20, cpu(38)),
			desired: 20, reason: policy.ReasonWithinTolerance,
		},
		{
			name:   "down exactly at the edge holds",
			policy: ten, sees: down(20, cpu(36)),
			desired: 20, reason: policy.ReasonWithinTolerance,
		},
		{
			name:   "down beyond the edge moves",
			policy: ten, sees: down(20, cpu(35.9)),
			desired: 18, reason: policy.ReasonScaledDown,
		},
		{
			name:   "the tolerance is of the need, not of its rounding: 2.1 replicas on 2",
			policy: ten, sees: up(2, cpu(4.2)),
			desired: 2, reason: policy.ReasonWithinTolerance,
		},
		{
			name:   "of a predicted need too: 2.1 replicas on 2",
			policy: ten, sees: up(2, policy.Usage{Resource: "cpu", Value: 3.9, Predicted: 4.2, CapacityPerReplica: 2}),
			desired: 2, reason: policy.ReasonWithinTolerance,
		},
		{
			name:   "each direction has its own: up tolerates nothing",
			policy: web(goesDown(policy.Behavior{Tolerance: 0.5})), sees: up(10, cpu(20.1)),
			desired: 11, reason: policy.ReasonScaledUp,
		},
		{
			name:   "each direction has its own: down tolerates half",
			policy: web(goesDown(policy.Behavior{Tolerance: 0.5})), sees: down(10, cpu(10)),
			desired: 10, reason: policy.ReasonWithinTolerance,
		},
		{
			name:   "from nothing there is no share to tolerate",
			policy: web(bounds(0, 20), goesUp(policy.Behavior{Tolerance: 0.9})), sees: up(0, cpu(0.1)),
			desired: 1, reason: policy.ReasonScaledUp,
		},
	})
}
