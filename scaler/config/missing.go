package config

import (
	"slices"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// OnMissing is what follows from usage that stays unknown.
type OnMissing struct {
	Behavior policy.MissingBehavior `yaml:"behavior"`
	// After is how long usage must have been unknown without a break.
	After Duration `yaml:"after"`
	// Replicas of the behaviours static and current_if_higher; nil for the
	// others.
	Replicas *int `yaml:"replicas,omitempty"`
}

type rawOnMissing OnMissing

func defaultOnMissing() OnMissing {
	return OnMissing{Behavior: policy.MissingHold, After: Duration(3 * time.Minute)}
}

// UnmarshalYAML sets the defaults and decodes.
func (m *OnMissing) UnmarshalYAML(unmarshal func(any) error) error {
	*m = defaultOnMissing()
	return unmarshal((*rawOnMissing)(m))
}

// rules is m as package policy decides by it; nil, of a policy that reads no
// usage, holds.
func (m *OnMissing) rules() policy.OnMissing {
	if m == nil {
		return policy.OnMissing{}
	}
	out := policy.OnMissing{Behavior: m.Behavior, After: m.After.Std()}
	if m.Replicas != nil {
		out.Replicas = *m.Replicas
	}
	return out
}

func (v *validator) onMissing(p *Policy, path []any) {
	m := p.OnMissing
	if m == nil {
		return
	}
	if len(p.Resources) == 0 {
		v.Add("the policy has no resources whose usage could be missing; leave the key out", path...)
		return
	}
	v.whole(path, "replicas")
	v.positive(m.After, maxDuration, at(path, "after")...)
	if !slices.Contains(policy.MissingBehaviors, m.Behavior) {
		v.Addf(at(path, "behavior"), "%q is not a behavior; the behaviors are %s", m.Behavior, list(policy.MissingBehaviors))
		return
	}
	takesReplicas := m.Behavior == policy.MissingStatic || m.Behavior == policy.MissingCurrentIfHigher
	switch {
	case takesReplicas && m.Replicas == nil:
		v.Addf(at(path, "replicas"), "is missing; %s needs the number of replicas that there shall be while usage is unknown", m.Behavior)
	case takesReplicas && (*m.Replicas < p.Min || *m.Replicas > p.Max):
		v.Addf(at(path, "replicas"), "%d lies outside min %d and max %d of the policy", *m.Replicas, p.Min, p.Max)
	case !takesReplicas && m.Replicas != nil:
		v.Addf(at(path, "replicas"), "%s takes no replicas; leave the key out, or choose static or current_if_higher", m.Behavior)
	}
}
