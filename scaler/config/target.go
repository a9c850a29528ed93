package config

import (
	"github.com/alertscaler/alertscaler/scaler/drain"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// Target is one entry of a policy's targets: its own keys and exactly one
// platform's.
type Target struct {
	Name string `yaml:"name"`
	Min  int    `yaml:"min,omitempty"`
	Max  int    `yaml:"max,omitempty"`
	// CostPerHour is the price of one replica for an hour; nil where it is
	// not known.
	CostPerHour *float64 `yaml:"cost_per_hour,omitempty"`
	// ProvisioningTime is how long a replica takes to become ready, until
	// that was measured.
	ProvisioningTime Duration `yaml:"provisioning_time,omitempty"`
	// LossRatio is the share of requested replicas that fail or are lost,
	// until that was measured.
	LossRatio float64 `yaml:"loss_ratio,omitempty"`
	// Victims says which replicas go first; nil: the platform chooses.
	Victims *Victims `yaml:"victims,omitempty"`
	// Drain is called before a replica goes; nil: nothing is.
	Drain *drain.Config `yaml:"drain,omitempty"`
	// Platform is the platform's own configuration.
	Platform target.Config `yaml:"-"`

	// platforms holds the platform keys as written until the registry is at
	// hand to decode them.
	platforms map[string]deferred
}

// ownKeys are a target's own keys alone.
type ownKeys Target

// rawTarget is how a target is written. What is not its own key must be a
// platform's.
type rawTarget struct {
	Own       ownKeys             `yaml:",inline"`
	Platforms map[string]deferred `yaml:",inline"`
}

// UnmarshalYAML decodes the target's own keys and keeps the platform's.
func (t *Target) UnmarshalYAML(unmarshal func(any) error) error {
	var raw rawTarget
	if err := unmarshal(&raw); err != nil {
		return err
	}
	*t = Target(raw.Own)
	t.platforms = raw.Platforms
	return nil
}

// MarshalYAML renders the target as it is written.
func (t *Target) MarshalYAML() (any, error) {
	return struct {
		Own      ownKeys                  `yaml:",inline"`
		Platform map[string]target.Config `yaml:",inline"`
	}{ownKeys(*t), map[string]target.Config{t.Platform.Platform(): t.Platform}}, nil
}

// rules is the target as package policy decides by it.
func (t *Target) rules() policy.Target {
	return policy.Target{
		Name: t.Name, Min: t.Min, Max: t.Max,
		CostPerHour: t.CostPerHour, Provisioning: t.ProvisioningTime.Std(), Loss: t.LossRatio,
	}
}
