package config

import (
	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// Policy is one entry of policies.
type Policy struct {
	Name string `yaml:"name"`
	// ScaleTarget is the value of the scale_target label by which alerts and
	// recorded series speak of this policy; its name by default.
	ScaleTarget string `yaml:"scale_target,omitempty"`
	PolicyRules `yaml:",inline"`
	Targets     []*Target `yaml:"targets"`
	// Discovery is the name of the discovery that the policy comes from; empty
	// for those of the file.
	Discovery string `yaml:"-"`
}

// PolicyRules are what a policy and a template have in common: matchers, bounds,
// resources and behaviour.
type PolicyRules struct {
	Mode policy.Mode `yaml:"mode,omitempty"`
	// EvaluationInterval is how often the policy is evaluated; the global one
	// by default. It is never nil once the configuration was loaded.
	EvaluationInterval *Duration `yaml:"evaluation_interval,omitempty"`
	Alerts             Alerts    `yaml:"alerts,omitempty"`
	Min                int       `yaml:"min"`
	// Max of a policy is at least 1. That of a template may be 0: the labels of
	// what is discovered say it.
	Max int `yaml:"max,omitempty"`
	// Priority says who goes first where a budget is short; more is sooner.
	Priority    int         `yaml:"priority"`
	AlertStep   AlertStep   `yaml:"alert_step"`
	Resources   []*Resource `yaml:"resources,omitempty"`
	Reservation Reservation `yaml:"reservation,omitempty"`
	ScaleUp     Behavior    `yaml:"scale_up"`
	ScaleDown   Behavior    `yaml:"scale_down"`
	// OnMissing is what follows from usage that stays unknown; nil where no
	// usage is read.
	OnMissing *OnMissing `yaml:"on_missing,omitempty"`
	// ProvisioningTimeout is how long requested replicas may take to become
	// ready before the action counts as failed.
	ProvisioningTimeout Duration `yaml:"provisioning_timeout"`
	// Strategy says which target gets the next replica, and which loses one.
	Strategy policy.Strategy `yaml:"strategy"`
}

// defaultRules are those that depend on nothing else.
func defaultRules() PolicyRules {
	return PolicyRules{
		Min:                 1,
		AlertStep:           AlertStep{Up: Amount{Replicas: 1}, Down: Amount{Replicas: 1}},
		ProvisioningTimeout: defaultProvisioningTimeout,
		Strategy:            policy.StrategyPriority,
	}
}

// Alerts says which alerts speak for a policy, as Alertmanager matchers.
type Alerts struct {
	// Those of a template may be none: what is discovered gets the default.
	Up   Matchers `yaml:"up,omitempty"`
	Down Matchers `yaml:"down,omitempty"`
	// BlockUp and BlockDown match the alerts during which there is no
	// scale-up and no scale-down; none match no alert.
	BlockUp   Matchers `yaml:"block_up,omitempty"`
	BlockDown Matchers `yaml:"block_down,omitempty"`
}

// AlertStep is how far an alert alone moves a policy without resources.
type AlertStep struct {
	Up   Amount `yaml:"up"`
	Down Amount `yaml:"down"`
}

// Resource is one thing replicas consume.
type Resource struct {
	Name string `yaml:"name"`
	// Usage is where usage is read; unset means the shipped series of the
	// policy.
	Usage Usage `yaml:"usage,omitempty"`
	// CapacityPerReplica is a number or PromQL; unset means the shipped
	// capacity series.
	CapacityPerReplica Capacity    `yaml:"capacity_per_replica,omitempty"`
	Reservation        Reservation `yaml:"reservation,omitempty"`
	// MinCoverage is the share of the ready replicas that must report; unset
	// means 0.8 for shipped series and no check for others.
	MinCoverage *float64 `yaml:"min_coverage,omitempty"`
}

// Behavior is how one direction moves. Unset fields get the direction's
// defaults.
type Behavior struct {
	Tolerance     *float64  `yaml:"tolerance,omitempty"`
	Stabilization *Duration `yaml:"stabilization,omitempty"`
	Cooldown      *Duration `yaml:"cooldown,omitempty"`
	Step          *Step     `yaml:"step,omitempty"`
}

// Step limits how far one direction moves within a period.
type Step struct {
	Replicas int      `yaml:"replicas,omitempty"`
	Ratio    float64  `yaml:"ratio,omitempty"`
	Per      Duration `yaml:"per,omitempty"`
}

type rawPolicy Policy

// UnmarshalYAML sets the defaults and decodes.
func (p *Policy) UnmarshalYAML(unmarshal func(any) error) error {
	*p = Policy{PolicyRules: defaultRules()}
	return unmarshal((*rawPolicy)(p))
}

// setDefaults fills in what depends on other values.
func (p *Policy) setDefaults(g *Global) {
	if p.Mode == "" {
		p.Mode = g.Mode
	}
	if p.EvaluationInterval == nil {
		interval := g.EvaluationInterval
		p.EvaluationInterval = &interval
	}
	if p.ScaleTarget == "" {
		p.ScaleTarget = p.Name
	}
	if p.Alerts.Up == nil {
		p.Alerts.Up = defaultMatchers(policy.Up, p.ScaleTarget)
	}
	if p.Alerts.Down == nil {
		p.Alerts.Down = defaultMatchers(policy.Down, p.ScaleTarget)
	}
	up, down := resourceBehaviors()
	switch {
	case len(p.Resources) == 0:
		up, down = alertBehaviors()
	case p.Learns():
		up, down = objectiveBehaviors()
	}
	if p.OnMissing == nil && len(p.Resources) > 0 {
		hold := defaultOnMissing()
		p.OnMissing = &hold
	}
	p.ScaleUp.setDefaults(up)
	p.ScaleDown.setDefaults(down)
}

// Learns reports whether what any resource keeps free is learnt.
func (p *Policy) Learns() bool {
	learns := !p.Reservation.Objective.IsZero()
	for _, r := range p.Resources {
		learns = learns || r != nil && !r.Reservation.Objective.IsZero()
	}
	return learns
}

func defaultMatchers(d policy.Direction, scaleTarget string) Matchers {
	return Matchers{
		{Type: labels.MatchEqual, Name: "scale", Value: string(d)},
		{Type: labels.MatchEqual, Name: "scale_target", Value: scaleTarget},
	}
}

// Rules is the policy, one of a configuration that was loaded, as package
// policy decides by it.
func (c *Config) Rules(p *Policy) policy.Policy {
	out := policy.Policy{
		Name:        p.Name,
		Mode:        p.Mode,
		Priority:    p.Priority,
		Min:         p.Min,
		Max:         p.Max,
		AlertStep:   policy.AlertStep{Up: policy.Amount(p.AlertStep.Up), Down: policy.Amount(p.AlertStep.Down)},
		Reservation: p.Reservation.rules(),
		ScaleUp:     p.ScaleUp.rules(),
		ScaleDown:   p.ScaleDown.rules(),
		OnMissing:   p.OnMissing.rules(),
		Strategy:    p.Strategy,
	}
	if c.Prometheus != nil {
		// A gap longer than a sample may be old is a time about which nothing
		// is known. A slow evaluation interval is no gap.
		out.MaxGap = max(c.Prometheus.MaxStaleness.Std(), 2*p.EvaluationInterval.Std())
	}
	for _, r := range p.Resources {
		out.Resources = append(out.Resources, policy.Resource{Name: r.Name, Reservation: r.Reservation.rules()})
	}
	for _, t := range p.Targets {
		out.Targets = append(out.Targets, t.rules())
	}
	return out
}
