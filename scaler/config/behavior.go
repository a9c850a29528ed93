package config

import (
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

const defaultProvisioningTimeout = Duration(15 * time.Minute)

// resourceBehaviors are the defaults of a policy that knows its usage: up at
// once and by as much as doubling, down late and little by little.
func resourceBehaviors() (up, down policy.Behavior) {
	up = policy.Behavior{
		Tolerance: 0.1,
		Step:      policy.StepLimit{Replicas: 4, Ratio: 1, Per: 15 * time.Second},
	}
	down = policy.Behavior{
		Tolerance:     0.1,
		Stabilization: 5 * time.Minute,
		Cooldown:      5 * time.Minute,
		Step:          policy.StepLimit{Ratio: 0.1, Per: time.Minute},
	}
	return up, down
}

// objectiveBehaviors are the defaults of a policy that learns what to keep
// free. How long to hold on to replicas is part of what is learnt, and what
// paced a move besides would be a margin that nobody calibrated: only what is
// too little to be worth a move is left alone on the way down.
func objectiveBehaviors() (up, down policy.Behavior) {
	up = policy.Behavior{Step: policy.StepLimit{Replicas: 4, Ratio: 1, Per: 15 * time.Second}}
	down = policy.Behavior{Tolerance: 0.1}
	return up, down
}

// alertBehaviors are the defaults of a policy that acts on alerts alone: the
// cooldown is all that paces it.
func alertBehaviors() (up, down policy.Behavior) {
	return policy.Behavior{Cooldown: time.Minute}, policy.Behavior{Cooldown: 5 * time.Minute}
}

// setDefaults fills in what was not written.
func (b *Behavior) setDefaults(d policy.Behavior) {
	if b.Tolerance == nil {
		b.Tolerance = &d.Tolerance
	}
	if b.Stabilization == nil {
		v := Duration(d.Stabilization)
		b.Stabilization = &v
	}
	if b.Cooldown == nil {
		v := Duration(d.Cooldown)
		b.Cooldown = &v
	}
	if b.Step == nil {
		b.Step = &Step{Replicas: d.Step.Replicas, Ratio: d.Step.Ratio, Per: Duration(d.Step.Per)}
	}
}

// rules is the behaviour as package policy decides by it; defaults are set.
func (b *Behavior) rules() policy.Behavior {
	return policy.Behavior{
		Tolerance:     *b.Tolerance,
		Stabilization: b.Stabilization.Std(),
		Cooldown:      b.Cooldown.Std(),
		Step:          policy.StepLimit{Replicas: b.Step.Replicas, Ratio: b.Step.Ratio, Per: b.Step.Per.Std()},
	}
}
