package policy_test

import (
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// fleet is a policy over an owned pool of at most 4 replicas and, behind it, a
// rented one that can be empty.
func fleet(changes ...func(*policy.Policy)) policy.Policy {
	return web(append([]func(*policy.Policy){
		bounds(0, 20),
		targets(policy.Target{Name: "owned", Max: 4}, policy.Target{Name: "rented", Max: 10}),
	}, changes...)...)
}

// runs is a target as observed.
func runs(name string, replicas int) policy.TargetState {
	return policy.TargetState{Name: name, Requested: replicas, Ready: replicas}
}

// backedOff is a target that is not to be asked for another d.
func backedOff(t policy.TargetState, d time.Duration) policy.TargetState {
	t.BackoffUpUntil, t.BackoffDownUntil = in(d), in(d)
	return t
}

func TestPlacement(t *testing.T) {
	more := func(cores float64, ts ...policy.TargetState) policy.Observation {
		return policy.Observation{Up: 1, Targets: ts, Usage: []policy.Usage{cpu(cores)}}
	}
	less := func(cores float64, ts ...policy.TargetState) policy.Observation {
		return policy.Observation{Down: 1, Targets: ts, Usage: []policy.Usage{cpu(cores)}}
	}
	tell(t, []story{
		{
			name:   "more goes to the first target while it has room",
			policy: fleet(), sees: more(8, runs("owned", 2), runs("rented", 0)),
			desired: 4, reason: policy.ReasonScaledUp,
			places: []policy.Placement{{Target: "owned", From: 2, To: 4}, {Target: "rented", From: 0, To: 0}},
		},
		{
			name:   "the remainder goes to the next",
			policy: fleet(), sees: more(14, runs("owned", 2), runs("rented", 0)),
			desired: 7, reason: policy.ReasonScaledUp,
			places: []policy.Placement{{Target: "owned", From: 2, To: 4}, {Target: "rented", From: 0, To: 3}},
		},
		{
			name:   "the targets together are a maximum",
			policy: fleet(), sees: more(60, runs("owned", 2), runs("rented", 0)),
			desired: 14, reason: policy.ReasonAtMax,
			places: []policy.Placement{{Target: "owned", From: 2, To: 4}, {Target: "rented", From: 0, To: 10}},
		},
		{
			name:    "one target without a maximum of its own leaves the policy's",
			policy:  fleet(targets(policy.Target{Name: "owned", Max: 4}, policy.Target{Name: "rented"})),
			sees:    more(60, runs("owned", 2), runs("rented", 0)),
			desired: 20, reason: policy.ReasonAtMax,
			places: []policy.Placement{{Target: "owned", From: 2, To: 4}, {Target: "rented", From: 0, To: 16}},
		},
		{
			name:    "the platform's own maximum counts",
			policy:  fleet(),
			sees:    more(14, runs("owned", 2), policy.TargetState{Name: "rented", Max: 2}),
			desired: 6, reason: policy.ReasonAtMax,
			places: []policy.Placement{{Target: "owned", From: 2, To: 4}, {Target: "rented", From: 0, To: 2}},
		},
		{
			name:   "less is taken from the last target first",
			policy: fleet(), sees: less(12, runs("owned", 4), runs("rented", 6)),
			desired: 6, reason: policy.ReasonScaledDown,
			places: []policy.Placement{{Target: "owned", From: 4, To: 4}, {Target: "rented", From: 6, To: 2}},
		},
		{
			name:    "what the last cannot give, the one before gives",
			policy:  fleet(targets(policy.Target{Name: "owned"}, policy.Target{Name: "rented", Min: 1})),
			sees:    less(4, runs("owned", 4), runs("rented", 3)),
			desired: 2, reason: policy.ReasonScaledDown,
			places: []policy.Placement{{Target: "owned", From: 4, To: 1}, {Target: "rented", From: 3, To: 1}},
		},
		{
			name:    "the targets' minimums together are a minimum",
			policy:  fleet(targets(policy.Target{Name: "owned", Min: 2}, policy.Target{Name: "rented", Min: 1})),
			sees:    less(0, runs("owned", 4), runs("rented", 3)),
			desired: 3, reason: policy.ReasonAtMin,
			places: []policy.Placement{{Target: "owned", From: 4, To: 2}, {Target: "rented", From: 3, To: 1}},
		},
		{
			name:   "a target that is backed off is passed over",
			policy: fleet(), sees: more(8, backedOff(runs("owned", 2), time.Minute), runs("rented", 0)),
			desired: 4, reason: policy.ReasonScaledUp,
			places: []policy.Placement{{Target: "owned", From: 2, To: 2}, {Target: "rented", From: 0, To: 2}},
		},
		{
			name:   "a backoff that just ended is none",
			policy: fleet(), sees: more(8, backedOff(runs("owned", 2), 0), runs("rented", 0)),
			desired: 4, reason: policy.ReasonScaledUp,
			places: []policy.Placement{{Target: "owned", From: 2, To: 4}, {Target: "rented", From: 0, To: 0}},
		},
		{
			name:   "what only a target in backoff could take is not asked for",
			policy: fleet(), sees: more(14, runs("owned", 2), backedOff(runs("rented", 0), time.Minute)),
			desired: 4, reason: policy.ReasonTargetBackoff,
			places: []policy.Placement{{Target: "owned", From: 2, To: 4}, {Target: "rented", From: 0, To: 0}},
		},
		{
			name:   "all targets are backed off: nothing is asked for until the first may be",
			policy: fleet(), sees: more(8, backedOff(runs("owned", 2), 5*time.Minute), backedOff(runs("rented", 1), time.Minute)),
			desired: 3, reason: policy.ReasonTargetBackoff,
			steps: []policy.Step{
				{Name: policy.StepBounds, Replicas: 3, Limit: 14},
				{Name: policy.StepRequirement, Replicas: 3, Subject: "cpu", Value: 4, Limit: 4},
				{Name: policy.StepDirection, Replicas: 3, Subject: "up", Value: 1},
				{Name: policy.StepRecommendation, Replicas: 4, Reason: policy.ReasonScaledUp, Value: 4, Limit: 4},
				{Name: policy.StepCooldown, Replicas: 4, Subject: "up"},
				{Name: policy.StepMinMax, Replicas: 4, Limit: 14},
				{Name: policy.StepPlacement, Replicas: 3, Reason: policy.ReasonTargetBackoff, Value: 1, Until: in(time.Minute)},
			},
		},
		{
			name:   "less is not taken from a target in backoff",
			policy: fleet(), sees: less(2, runs("owned", 4), backedOff(runs("rented", 6), time.Minute)),
			desired: 6, reason: policy.ReasonTargetBackoff,
			places: []policy.Placement{{Target: "owned", From: 4, To: 0}, {Target: "rented", From: 6, To: 6}},
		},
		{
			name:    "a correction of the bounds asks only targets that may be asked, and comes nearer",
			policy:  fleet(bounds(8, 20)),
			sees:    policy.Observation{Targets: []policy.TargetState{runs("owned", 2), backedOff(runs("rented", 0), time.Minute)}},
			desired: 4, reason: policy.ReasonTargetBackoff,
			places: []policy.Placement{{Target: "owned", From: 2, To: 4}, {Target: "rented", From: 0, To: 0}},
		},
		{
			name:    "more goes first to a target below its own minimum",
			policy:  fleet(targets(policy.Target{Name: "owned"}, policy.Target{Name: "rented", Min: 2})),
			sees:    more(12, runs("owned", 3), runs("rented", 0)),
			desired: 6, reason: policy.ReasonScaledUp,
			places: []policy.Placement{{Target: "owned", From: 3, To: 4}, {Target: "rented", From: 0, To: 2}},
		},
		{
			name:   "less is taken first from a target above its own maximum",
			policy: fleet(), sees: less(14, runs("owned", 6), runs("rented", 4)),
			desired: 7, reason: policy.ReasonScaledDown,
			places: []policy.Placement{{Target: "owned", From: 6, To: 4}, {Target: "rented", From: 4, To: 3}},
		},
		{
			name:    "one target that cannot be read holds all",
			policy:  fleet(),
			sees:    more(14, runs("owned", 2), policy.TargetState{Name: "rented", Error: "503"}),
			desired: 2, reason: policy.ReasonTargetFailed,
		},
		{
			name:   "shadow places as well, and asks nobody",
			policy: fleet(mode(policy.ModeOff)), sees: more(14, runs("owned", 2), runs("rented", 0)),
			desired: 7, reason: policy.ReasonShadow, waits: true,
			places: []policy.Placement{{Target: "owned", From: 2, To: 4}, {Target: "rented", From: 0, To: 3}},
		},
	})
}

func TestEffectiveBounds(t *testing.T) {
	for _, c := range []struct {
		name            string
		policy          policy.Policy
		targets         []policy.TargetState
		lowest, highest int
	}{
		{"the policy's", web(), one(4), 2, 20},
		{"before a target was ever read", web(), nil, 2, 20},
		{"the platform's maximum", web(), []policy.TargetState{{Max: 5}}, 2, 5},
		{"the platform's minimum", web(), []policy.TargetState{{Min: 5}}, 5, 20},
		{"a platform wider than the policy", web(), []policy.TargetState{{Min: 1, Max: 100}}, 2, 20},
		{"the target's, narrower than the platform's", web(targets(policy.Target{Min: 3, Max: 6})), []policy.TargetState{{Min: 1, Max: 100}}, 3, 6},
		{"all targets together", fleet(), []policy.TargetState{{}, {}}, 0, 14},
		{"one target without a maximum", fleet(targets(policy.Target{Max: 4}, policy.Target{})), []policy.TargetState{{}, {}}, 0, 20},
		{"the maximum wins over the policy's minimum", web(), []policy.TargetState{{Max: 1}}, 1, 1},
		{"the maximum wins over the target's own minimum", fleet(targets(policy.Target{Min: 3}, policy.Target{})), []policy.TargetState{{Max: 2}, {}}, 2, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			lowest, highest := c.policy.Bounds(c.targets)
			if lowest != c.lowest || highest != c.highest {
				t.Errorf("got %d..%d, want %d..%d", lowest, highest, c.lowest, c.highest)
			}
		})
	}
}
