package policy_test

import (
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

func TestStabilization(t *testing.T) {
	slowDown := web(maxGap(2*time.Minute), goesDown(policy.Behavior{Stabilization: 5 * time.Minute}))
	slowUp := web(maxGap(2*time.Minute), goesUp(policy.Behavior{Stabilization: 3 * time.Minute}))

	recovered := watched(recommended(6, 10*time.Minute))
	recovered.Since = ago(2 * time.Minute)

	unusable := watched(recommended(6, 10*time.Minute))
	unusable.Since = time.Time{}

	tell(t, []story{
		{
			name:   "down goes to the highest recommendation of the window",
			policy: slowDown, sees: down(10, cpu(8)),
			history: watched(recommended(9, 20*time.Minute), recommended(7, 4*time.Minute), recommended(5, time.Minute)),
			desired: 9, reason: policy.ReasonStabilizing, // 9 was recommended until 4 minutes ago
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 10, Value: 2, Limit: 20},
				{Name: policy.StepRequirement, Replicas: 10, Subject: "cpu", Value: 4, Limit: 4},
				{Name: policy.StepDirection, Replicas: 10, Subject: "down", Value: 1},
				{Name: policy.StepRecommendation, Replicas: 4, Reason: policy.ReasonScaledDown, Value: 4, Limit: 4},
				{Name: policy.StepStabilization, Replicas: 9, Reason: policy.ReasonStabilizing, Subject: "down", Value: 9, Limit: 300},
				{Name: policy.StepCooldown, Replicas: 9, Subject: "down"},
				{Name: policy.StepMinMax, Replicas: 9, Value: 2, Limit: 20},
				{Name: policy.StepPlacement, Replicas: 9},
			},
		},
		{
			name:   "what lies before the window is forgotten",
			policy: slowDown, sees: down(10, cpu(8)),
			history: watched(recommended(9, 20*time.Minute), recommended(7, 6*time.Minute)),
			desired: 7, reason: policy.ReasonStabilizing,
		},
		{
			name:   "a window that agrees lets down go",
			policy: slowDown, sees: down(10, cpu(8)),
			history: watched(recommended(4, 5*time.Minute)),
			desired: 4, reason: policy.ReasonScaledDown,
		},
		{
			name:   "the present need counts too",
			policy: slowDown, sees: down(10, cpu(16)),
			history: watched(recommended(4, 5*time.Minute)),
			desired: 8, reason: policy.ReasonScaledDown,
		},
		{
			name:   "one peak in the window holds down altogether",
			policy: slowDown, sees: down(10, cpu(8)),
			history: watched(recommended(4, 20*time.Minute), recommended(12, 4*time.Minute), recommended(4, 3*time.Minute)),
			desired: 10, reason: policy.ReasonStabilizing,
		},
		{
			name:   "a window not yet observed from end to end holds, and says until when",
			policy: slowDown, sees: down(10, cpu(8)),
			history: watched(recommended(4, 4*time.Minute)),
			desired: 10, reason: policy.ReasonStabilizing,
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 10, Value: 2, Limit: 20},
				{Name: policy.StepRequirement, Replicas: 10, Subject: "cpu", Value: 4, Limit: 4},
				{Name: policy.StepDirection, Replicas: 10, Subject: "down", Value: 1},
				{Name: policy.StepRecommendation, Replicas: 4, Reason: policy.ReasonScaledDown, Value: 4, Limit: 4},
				{Name: policy.StepStabilization, Replicas: 10, Reason: policy.ReasonStabilizing, Subject: "down", Value: 4, Limit: 300, Until: in(time.Minute)},
			},
		},
		{
			name:   "a policy without a past waits for a whole window",
			policy: slowDown, sees: down(10, cpu(8)),
			desired: 10, reason: policy.ReasonStabilizing,
		},
		{
			name:   "a gap longer than may be breaks the window",
			policy: slowDown, sees: down(10, cpu(8)),
			history: policy.History{
				Since: ago(20 * time.Minute), LastSeen: ago(2*time.Minute + time.Second),
				Samples: []policy.Sample{{First: ago(20 * time.Minute), Last: ago(2*time.Minute + time.Second), Replicas: 4}},
			},
			desired: 10, reason: policy.ReasonStabilizing,
		},
		{
			name:   "a gap just as long as may be does not",
			policy: slowDown, sees: down(10, cpu(8)),
			history: policy.History{
				Since: ago(20 * time.Minute), LastSeen: ago(2 * time.Minute),
				Samples: []policy.Sample{{First: ago(20 * time.Minute), Last: ago(2 * time.Minute), Replicas: 4}},
			},
			desired: 4, reason: policy.ReasonScaledDown,
		},
		{
			name:   "after bad data a whole window passes before the first scale-down",
			policy: slowDown, sees: down(10, cpu(8)),
			history: recovered,
			desired: 10, reason: policy.ReasonStabilizing,
		},
		{
			name:   "right after bad data the window begins now",
			policy: slowDown, sees: down(10, cpu(8)),
			history: unusable,
			desired: 10, reason: policy.ReasonStabilizing,
		},
		{
			name:   "a down window does not delay up",
			policy: slowDown, sees: up(4, cpu(12)),
			desired: 6, reason: policy.ReasonScaledUp,
		},
		{
			name:   "up goes to the lowest recommendation of its window",
			policy: slowUp, sees: up(4, cpu(24)),
			history: watched(recommended(6, 20*time.Minute), recommended(9, time.Minute)),
			desired: 6, reason: policy.ReasonStabilizing,
		},
		{
			name:   "one dip in the window holds up altogether",
			policy: slowUp, sees: up(4, cpu(24)),
			history: watched(recommended(12, 20*time.Minute), recommended(3, 2*time.Minute), recommended(12, time.Minute)),
			desired: 4, reason: policy.ReasonStabilizing,
		},
		{
			name:   "a window that agrees lets up go",
			policy: slowUp, sees: up(4, cpu(24)),
			history: watched(recommended(12, 3*time.Minute)),
			desired: 12, reason: policy.ReasonScaledUp,
		},
		{
			name:   "an up window not yet observed from end to end holds",
			policy: slowUp, sees: up(4, cpu(24)),
			history: watched(recommended(12, 2*time.Minute)),
			desired: 4, reason: policy.ReasonStabilizing,
		},
		{
			name:   "up needs a recommendation all the time, not every resource",
			policy: slowUp, sees: up(4, cpu(24)),
			history: func() policy.History {
				h := watched(recommended(12, 3*time.Minute))
				h.Since = time.Time{}
				return h
			}(),
			desired: 12, reason: policy.ReasonScaledUp,
		},
		{
			name:   "at the minimum nobody waits for a window",
			policy: slowDown, sees: down(2, cpu(0)),
			desired: 2, reason: policy.ReasonAtMin,
		},
	})
}
