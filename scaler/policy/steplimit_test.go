package policy_test

import (
	"math"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

func TestStepLimitUp(t *testing.T) {
	limited := func(replicas int, ratio float64) policy.Policy {
		return web(bounds(0, 100), goesUp(policy.Behavior{Step: policy.StepLimit{Replicas: replicas, Ratio: ratio, Per: time.Minute}}))
	}
	tell(t, []story{
		{
			name:   "a number of replicas",
			policy: limited(4, 0), sees: up(6, cpu(40)),
			desired: 10, reason: policy.ReasonStepLimited,
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 6, Value: 0, Limit: 100},
				{Name: policy.StepRequirement, Replicas: 6, Subject: "cpu", Value: 20, Limit: 20},
				{Name: policy.StepDirection, Replicas: 6, Subject: "up", Value: 1},
				{Name: policy.StepRecommendation, Replicas: 20, Reason: policy.ReasonScaledUp, Value: 20, Limit: 20},
				{Name: policy.StepStepLimit, Replicas: 10, Reason: policy.ReasonStepLimited, Value: 6, Limit: 10},
				{Name: policy.StepCooldown, Replicas: 10, Subject: "up"},
				{Name: policy.StepMinMax, Replicas: 10, Value: 0, Limit: 100},
				{Name: policy.StepPlacement, Replicas: 10},
			},
		},
		{
			name:   "a ratio of the count",
			policy: limited(0, 1), sees: up(6, cpu(40)),
			desired: 12, reason: policy.ReasonStepLimited,
		},
		{
			name:   "the larger of the two: the number",
			policy: limited(4, 1), sees: up(3, cpu(40)),
			desired: 7, reason: policy.ReasonStepLimited,
		},
		{
			name:   "the larger of the two: the ratio",
			policy: limited(4, 1), sees: up(9, cpu(40)),
			desired: 18, reason: policy.ReasonStepLimited,
		},
		{
			name:   "a ratio is rounded up",
			policy: limited(0, 0.1), sees: up(11, cpu(40)),
			desired: 13, reason: policy.ReasonStepLimited,
		},
		{
			name:   "a ratio that comes to a whole number is that number",
			policy: limited(0, 0.1), sees: up(30, cpu(200)),
			desired: 33, reason: policy.ReasonStepLimited,
		},
		{
			name:   "a ratio of few is still one replica",
			policy: limited(0, 0.1), sees: up(1, cpu(40)),
			desired: 2, reason: policy.ReasonStepLimited,
		},
		{
			name:   "a ratio of none is still one replica",
			policy: limited(0, 1), sees: up(0, cpu(40)),
			desired: 1, reason: policy.ReasonStepLimited,
		},
		{
			name:   "what needs less than the limit is not limited",
			policy: limited(4, 0), sees: up(6, cpu(20)),
			desired: 10, reason: policy.ReasonScaledUp,
		},
		{
			name:   "moves within the period have used it up in part",
			policy: limited(4, 0), sees: up(9, cpu(40)),
			history: moves(converged(6, 9, 30*time.Second)),
			desired: 10, reason: policy.ReasonStepLimited,
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 9, Value: 0, Limit: 100},
				{Name: policy.StepRequirement, Replicas: 9, Subject: "cpu", Value: 20, Limit: 20},
				{Name: policy.StepDirection, Replicas: 9, Subject: "up", Value: 1},
				{Name: policy.StepRecommendation, Replicas: 20, Reason: policy.ReasonScaledUp, Value: 20, Limit: 20},
				{Name: policy.StepStepLimit, Replicas: 10, Reason: policy.ReasonStepLimited, Value: 6, Limit: 10},
				{Name: policy.StepCooldown, Replicas: 10, Subject: "up"},
				{Name: policy.StepMinMax, Replicas: 10, Value: 0, Limit: 100},
				{Name: policy.StepPlacement, Replicas: 10},
			},
		},
		{
			name:   "moves within the period have used it up altogether, until the first of them is old",
			policy: limited(4, 0), sees: up(10, cpu(40)),
			history: moves(converged(6, 8, 30*time.Second), converged(8, 10, 15*time.Second)),
			desired: 10, reason: policy.ReasonStepLimited,
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 10, Value: 0, Limit: 100},
				{Name: policy.StepRequirement, Replicas: 10, Subject: "cpu", Value: 20, Limit: 20},
				{Name: policy.StepDirection, Replicas: 10, Subject: "up", Value: 1},
				{Name: policy.StepRecommendation, Replicas: 20, Reason: policy.ReasonScaledUp, Value: 20, Limit: 20},
				{Name: policy.StepStepLimit, Replicas: 10, Reason: policy.ReasonStepLimited, Value: 6, Limit: 10, Until: in(30 * time.Second)},
			},
		},
		{
			name:   "the ratio is of the count at the start of the period",
			policy: limited(0, 1), sees: up(8, cpu(60)),
			history: moves(converged(6, 8, 30*time.Second)),
			desired: 12, reason: policy.ReasonStepLimited,
		},
		{
			name:   "a move exactly as old as the period is over",
			policy: limited(4, 0), sees: up(10, cpu(40)),
			history: moves(converged(6, 10, time.Minute)),
			desired: 14, reason: policy.ReasonStepLimited,
		},
		{
			name:   "a move downwards within the period may be taken back on top",
			policy: limited(4, 0), sees: up(6, cpu(40)),
			history: moves(converged(8, 6, 30*time.Second)),
			desired: 12, reason: policy.ReasonStepLimited,
		},
		{
			name:   "a move that failed was asked of the platform all the same",
			policy: limited(4, 0), sees: up(10, cpu(40)),
			history: moves(failed(6, 10, 30*time.Second)),
			desired: 10, reason: policy.ReasonStepLimited,
		},
		{
			name:   "a failed move downwards makes no room: it may have been undone",
			policy: limited(4, 0), sees: up(6, cpu(40)),
			history: moves(failed(16, 6, 30*time.Second)),
			desired: 10, reason: policy.ReasonStepLimited,
		},
		{
			name:   "someone else took everything away: the count of the period starts at none",
			policy: limited(4, 0), sees: up(0, cpu(40)),
			history: moves(converged(2, 6, 30*time.Second)),
			desired: 4, reason: policy.ReasonStepLimited,
		},
		{
			name:   "a period without a size limits nothing",
			policy: limited(0, 0), sees: up(6, cpu(40)),
			desired: 20, reason: policy.ReasonScaledUp,
		},
		{
			name:   "a limit beyond every number limits nothing",
			policy: limited(math.MaxInt, 1e300), sees: up(6, cpu(40)),
			desired: 20, reason: policy.ReasonScaledUp,
		},
	})
}

func TestStepLimitDown(t *testing.T) {
	limited := func(replicas int, ratio float64) policy.Policy {
		return web(bounds(0, 100), goesDown(policy.Behavior{Step: policy.StepLimit{Replicas: replicas, Ratio: ratio, Per: time.Minute}}))
	}
	tell(t, []story{
		{
			name:   "a number of replicas",
			policy: limited(3, 0), sees: down(20, cpu(10)),
			desired: 17, reason: policy.ReasonStepLimited,
		},
		{
			name:   "a ratio, rounded up",
			policy: limited(0, 0.1), sees: down(25, cpu(10)),
			desired: 22, reason: policy.ReasonStepLimited,
		},
		{
			name:   "moves within the period have used it up, until they are old",
			policy: limited(3, 0), sees: down(17, cpu(10)),
			history: moves(converged(20, 17, 20*time.Second)),
			desired: 17, reason: policy.ReasonStepLimited,
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 17, Value: 0, Limit: 100},
				{Name: policy.StepRequirement, Replicas: 17, Subject: "cpu", Value: 5, Limit: 5},
				{Name: policy.StepDirection, Replicas: 17, Subject: "down", Value: 1},
				{Name: policy.StepRecommendation, Replicas: 5, Reason: policy.ReasonScaledDown, Value: 5, Limit: 5},
				{Name: policy.StepStepLimit, Replicas: 17, Reason: policy.ReasonStepLimited, Value: 20, Limit: 17, Until: in(40 * time.Second)},
			},
		},
		{
			name:   "a failed move upwards makes no room: it may have been undone",
			policy: limited(3, 0), sees: down(20, cpu(10)),
			history: moves(failed(20, 40, 30*time.Second)),
			desired: 17, reason: policy.ReasonStepLimited,
		},
		{
			name:   "the limit does not go below none",
			policy: limited(30, 0), sees: down(20, cpu(0)),
			desired: 0, reason: policy.ReasonScaledDown,
		},
		{
			name:   "an up limit does not limit down",
			policy: web(goesUp(policy.Behavior{Step: policy.StepLimit{Replicas: 1, Per: time.Minute}})), sees: down(18, cpu(20)),
			desired: 10, reason: policy.ReasonScaledDown,
		},
	})
}
