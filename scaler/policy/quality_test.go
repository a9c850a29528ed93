package policy_test

import (
	"math"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// Every problem, alone: nothing goes up on it and nothing goes down.
func TestNothingMovesOnUnknownUsage(t *testing.T) {
	var stories []story
	for _, problem := range policy.Problems {
		stories = append(stories,
			story{
				name:   string(problem) + " and an up alert",
				policy: web(), sees: up(4, unknown("cpu", problem)),
				desired: 4, reason: policy.ReasonMissingData,
			},
			story{
				name:   string(problem) + " and a down alert",
				policy: web(), sees: down(4, unknown("cpu", problem)),
				desired: 4, reason: policy.ReasonMissingData,
			})
	}
	tell(t, stories)
}

// Every problem beside a good resource: up goes ahead on what is known, down
// does not.
func TestOneBadResourceAllowsUpAndForbidsDown(t *testing.T) {
	p := web(needs(policy.Resource{Name: "cpu"}, policy.Resource{Name: "memory"}))
	var stories []story
	for _, problem := range policy.Problems {
		stories = append(stories,
			story{
				name:   string(problem) + " and another resource that needs more",
				policy: p, sees: up(4, cpu(12), unknown("memory", problem)),
				desired: 6, reason: policy.ReasonScaledUp,
			},
			story{
				name:   string(problem) + " and another resource that is content",
				policy: p, sees: up(6, cpu(12), unknown("memory", problem)),
				desired: 6, reason: policy.ReasonMissingData,
			},
			story{
				name:   string(problem) + " and another resource that needs less",
				policy: p, sees: down(9, cpu(12), unknown("memory", problem)),
				desired: 9, reason: policy.ReasonMissingData,
				steps: []policy.Step{
					{Name: policy.StepBounds, Replicas: 9, Value: 2, Limit: 20},
					{Name: policy.StepRequirement, Replicas: 9, Subject: "cpu", Value: 6, Limit: 6},
					{Name: policy.StepQuality, Replicas: 9, Subject: "memory", Reason: policy.ReasonMissingData, Detail: string(problem)},
					{Name: policy.StepDirection, Replicas: 9, Subject: "down", Value: 1},
					{Name: policy.StepQuality, Replicas: 9, Subject: "down", Reason: policy.ReasonMissingData},
				},
			})
	}
	tell(t, stories)
}

// What the observer let through is looked at again.
func TestNumbersThatAreNone(t *testing.T) {
	for _, c := range []struct {
		name            string
		value, capacity float64
		want            policy.Problem
	}{
		{"usage is NaN", math.NaN(), 2, policy.ProblemNotFinite},
		{"usage is infinite", math.Inf(1), 2, policy.ProblemNotFinite},
		{"usage is minus infinite", math.Inf(-1), 2, policy.ProblemNotFinite},
		{"usage is negative", -0.1, 2, policy.ProblemNotFinite},
		{"capacity is 0", 4, 0, policy.ProblemNoCapacity},
		{"capacity is negative", 4, -2, policy.ProblemNoCapacity},
		{"capacity is NaN", 4, math.NaN(), policy.ProblemNoCapacity},
		{"capacity is infinite", 4, math.Inf(1), policy.ProblemNoCapacity},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, o := range []policy.Observation{up(8, uses("cpu", c.value, c.capacity)), down(8, uses("cpu", c.value, c.capacity))} {
				d := policy.Decide(web(), o, policy.History{}, now)
				if d.Desired != 8 || d.Reason != policy.ReasonMissingData || d.Requirements[0].Problem != c.want {
					t.Errorf("%s: got %d (%s), problem %q, want problem %q", d.Direction, d.Desired, d.Reason, d.Requirements[0].Problem, c.want)
				}
				if d.Recommendation != nil {
					t.Errorf("%s: a recommendation of %d came out of it", d.Direction, *d.Recommendation)
				}
			}
		})
	}
}

func TestUsageThatDoesNotFitTheResources(t *testing.T) {
	tell(t, []story{
		{
			name:   "a resource that was not observed is missing, not 0",
			policy: web(), sees: down(8),
			desired: 8, reason: policy.ReasonMissingData,
		},
		{
			name:   "two readings of one resource are ambiguous, whichever comes first",
			policy: web(), sees: down(8, cpu(2), cpu(14)),
			desired: 8, reason: policy.ReasonMissingData,
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 8, Value: 2, Limit: 20},
				{Name: policy.StepQuality, Replicas: 8, Subject: "cpu", Reason: policy.ReasonMissingData, Detail: "ambiguous"},
				{Name: policy.StepDirection, Replicas: 8, Subject: "down", Value: 1},
				{Name: policy.StepQuality, Replicas: 8, Subject: "down", Reason: policy.ReasonMissingData},
			},
		},
		{
			name:   "a reading that no resource asks for is ignored",
			policy: web(), sees: down(8, cpu(12), unknown("disk", policy.ProblemStale)),
			desired: 6, reason: policy.ReasonScaledDown,
		},
	})
}

// With no replicas nobody reports usage.
func TestScaleFromZero(t *testing.T) {
	zero := web(bounds(0, 20))
	tell(t, []story{
		{
			name:   "unknown usage: the alert alone takes one step",
			policy: zero, sees: up(0, unknown("cpu", policy.ProblemMissing)),
			desired: 1, reason: policy.ReasonFallback,
			steps: []policy.Step{
				{Name: policy.StepBounds, Limit: 20},
				{Name: policy.StepQuality, Subject: "cpu", Reason: policy.ReasonMissingData, Detail: "missing"},
				{Name: policy.StepDirection, Subject: "up", Value: 1},
				{Name: policy.StepRecommendation, Replicas: 1, Subject: "up", Reason: policy.ReasonFallback},
				{Name: policy.StepCooldown, Replicas: 1, Subject: "up", Limit: 60},
				{Name: policy.StepMinMax, Replicas: 1, Limit: 20},
				{Name: policy.StepPlacement, Replicas: 1},
			},
		},
		{
			name:    "the step is the policy's alert_step",
			policy:  web(bounds(0, 20), steps(policy.Amount{Replicas: 3}, policy.Amount{})),
			sees:    up(0, unknown("cpu", policy.ProblemMissing)),
			desired: 3, reason: policy.ReasonFallback,
		},
		{
			name:    "a percentage of nothing is still one replica",
			policy:  web(bounds(0, 20), steps(policy.Amount{Percent: 50}, policy.Amount{})),
			sees:    up(0, unknown("cpu", policy.ProblemMissing)),
			desired: 1, reason: policy.ReasonFallback,
		},
		{
			name:    "a backlog that can be read says how many",
			policy:  web(bounds(0, 20), needs(policy.Resource{Name: "cpu"}, policy.Resource{Name: "backlog"})),
			sees:    up(0, unknown("cpu", policy.ProblemMissing), uses("backlog", 500, 100)),
			desired: 5, reason: policy.ReasonScaledUp,
		},
		{
			name:    "an empty backlog does not outweigh an alert and a cpu that nobody can report",
			policy:  web(bounds(0, 20), needs(policy.Resource{Name: "cpu"}, policy.Resource{Name: "backlog"})),
			sees:    up(0, unknown("cpu", policy.ProblemMissing), uses("backlog", 0, 100)),
			desired: 1, reason: policy.ReasonFallback,
		},
		{
			name:   "known usage of nothing at all needs nothing",
			policy: zero, sees: up(0, cpu(0)),
			desired: 0, reason: policy.ReasonSatisfied,
		},
		{
			name:   "the step out of zero does not wait for the last replica to leave",
			policy: zero, sees: up(0, unknown("cpu", policy.ProblemMissing)),
			history: moves(converging(1, 0, 0)),
			desired: 1, reason: policy.ReasonFallback,
		},
		{
			name:   "with one replica the usage is waited for",
			policy: zero, sees: up(1, unknown("cpu", policy.ProblemMissing)),
			history: moves(converging(0, 1, 0)),
			desired: 1, reason: policy.ReasonMissingData,
		},
		{
			name:   "mode off takes no step out of zero",
			policy: web(bounds(0, 20), mode(policy.ModeOff)), sees: up(0, unknown("cpu", policy.ProblemMissing)),
			desired: 1, reason: policy.ReasonShadow, waits: true,
		},
	})
}
