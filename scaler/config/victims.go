package config

import (
	"github.com/alertscaler/alertscaler/scaler/target"
)

// Victims says which replicas of a target go first: those with the least load.
type Victims struct {
	// Query is PromQL for the load of each replica, in any unit: one series a
	// replica.
	Query string `yaml:"query"`
	// Label of these series that names the replica; empty: the platform's
	// usual one.
	Label string `yaml:"label,omitempty"`
	// ProtectAbove keeps every replica whose load is greater; nil: none is kept
	// for its load.
	ProtectAbove *float64 `yaml:"protect_above,omitempty"`
}

// victims checks what needs a platform whose replicas can be told apart.
func (v *validator) victims(c *Config, t *Target, path []any) {
	if t.Victims != nil {
		v.choosable(t, at(path, "victims"))
		path := at(path, "victims")
		switch {
		case t.Victims.Query == "":
			v.Add("is missing; write PromQL for the load of each replica", at(path, "query")...)
		case c.Prometheus == nil:
			v.Add("the load is read from Prometheus; set prometheus.url", at(path, "query")...)
		default:
			v.promql(t.Victims.Query, at(path, "query"))
		}
		if p := t.Victims.ProtectAbove; p != nil && !finite(*p, 0, maxAmount) {
			v.Addf(at(path, "protect_above"), "%g is not a finite load of at least 0 and at most %g", *p, float64(maxAmount))
		}
	}
	if t.Drain != nil {
		v.choosable(t, at(path, "drain"))
		t.Drain.SetDirectory(v.dir)
		if err := t.Drain.Validate(); err != nil {
			v.field(err, at(path, "drain"))
		}
	}
}

// choosable refuses a platform whose replicas cannot be told apart.
func (v *validator) choosable(t *Target, path []any) {
	if t.Platform == nil {
		return // which is an error of its own
	}
	if c, ok := t.Platform.(target.VictimsConfig); !ok || !c.ChoosesVictims() {
		v.Addf(path, "nobody can choose which replicas of this %s go; that works with %v, and of kubernetes with Deployments, ReplicaSets and StatefulSets", t.Platform.Platform(), v.choosers())
	}
}

// choosers are the platforms that can be told which replicas to lose.
func (v *validator) choosers() []string {
	var out []string
	for _, name := range v.platforms.Names() {
		if cfg, err := v.platforms.New(name); err == nil {
			if _, ok := cfg.(target.VictimsConfig); ok {
				out = append(out, name)
			}
		}
	}
	return out
}
