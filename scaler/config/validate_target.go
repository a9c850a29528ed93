package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

func (v *validator) targets(c *Config, p *Policy, path []any) {
	if len(p.Targets) == 0 {
		v.Addf(at(path, "targets"), "the policy has no target; name at least one with one of %v", v.platforms.Names())
	}
	seen := make(map[string]bool, len(p.Targets))
	for i, t := range p.Targets {
		path := at(path, "targets", i)
		if t == nil {
			v.Add("the target is empty", path...)
			p.Targets[i] = &Target{}
			continue
		}
		v.name(t.Name, path)
		if seen[t.Name] && t.Name != "" {
			v.Addf(at(path, "name"), "%q is a target of this policy already; names are unique", t.Name)
		}
		seen[t.Name] = true
		v.whole(path, "min", "max")
		v.replicas(t.Min, 0, at(path, "min")...)
		v.replicas(t.Max, 0, at(path, "max")...)
		if t.Min >= 0 && t.Max > 0 && t.Min > t.Max {
			v.Addf(at(path, "min"), "min %d and max %d are not bounds; 0 ≤ min ≤ max, and no max means the policy's", t.Min, t.Max)
		}
		v.estimates(t, path)
		v.platform(t, path)
		v.victims(c, t, path)
	}
}

// estimates checks what strategies go by until it was measured.
func (v *validator) estimates(t *Target, path []any) {
	if c := t.CostPerHour; c != nil && !finite(*c, 0, MaxPrice) {
		v.Addf(at(path, "cost_per_hour"), "%g is not a finite price of at least 0 and at most %g", *c, float64(MaxPrice))
	}
	if !(t.LossRatio >= 0 && t.LossRatio <= 1) {
		v.Addf(at(path, "loss_ratio"), "%g is not a share from 0 to 1", t.LossRatio)
	}
}

// targetBounds refuses bounds of the targets that those of the policy cannot
// be kept with.
func (v *validator) targetBounds(p *Policy, path []any) {
	lowest, highest, bounded := 0, 0, len(p.Targets) > 0
	for _, t := range p.Targets {
		lowest = plus(lowest, t.Min)
		highest = plus(highest, t.Max)
		bounded = bounded && t.Max > 0
	}
	if lowest > p.Max && p.Max > 0 {
		v.Addf(at(path, "targets"), "their min add up to %d, above max %d of the policy", lowest, p.Max)
	}
	if bounded && highest < p.Min {
		v.Addf(at(path, "targets"), "their max add up to %d, below min %d of the policy", highest, p.Min)
	}
}

// plus adds numbers of replicas of at least 0 without overflow.
func plus(a, b int) int {
	if b > math.MaxInt-a {
		return math.MaxInt
	}
	return a + max(b, 0)
}

// strategy refuses one that goes by what no target gives.
func (v *validator) strategy(p *Policy, path []any) {
	path = at(path, "strategy")
	switch p.Strategy {
	case policy.StrategyCost:
		if lacking := unpriced(p); len(lacking) > 0 {
			v.Addf(path, "cost needs cost_per_hour on every target; it is missing on %s", list(lacking))
		}
	case policy.StrategyLatency:
		known := func(t *Target) bool { return t.ProvisioningTime > 0 }
		if len(p.Targets) > 1 && !slices.ContainsFunc(p.Targets, known) {
			v.Add("latency needs provisioning_time on at least one target; one without counts as the slowest until it was measured", path...)
		}
	default:
		if !slices.Contains(policy.Strategies, p.Strategy) {
			v.Addf(path, "%q is not a strategy; the strategies are %s", p.Strategy, list(policy.Strategies))
		}
	}
}

// unpriced names the targets whose cost nobody knows.
func unpriced(p *Policy) []string {
	var out []string
	for _, t := range p.Targets {
		if t.CostPerHour == nil {
			out = append(out, strconv.Quote(t.Name))
		}
	}
	return out
}

// platform decodes and validates the one platform of a target.
func (v *validator) platform(t *Target, path []any) {
	if t.Platform != nil {
		return // It was discovered, and not written.
	}
	if len(t.platforms) != 1 {
		v.Addf(path, "a target has exactly one platform, this one has %d; the platforms are %v", len(t.platforms), v.platforms.Names())
		return
	}
	for name, d := range t.platforms {
		path := at(path, name)
		cfg, err := v.platforms.New(name)
		if err != nil {
			v.Addf(path, "unknown key or platform %q; a target has name, min, max, cost_per_hour, provisioning_time, loss_ratio, victims, drain and one of %v", name, v.platforms.Names())
			return
		}
		if !v.decodePlatform(d, cfg, path) {
			return
		}
		t.Platform = cfg
	}
}

// owners refuses two policies, or two targets of one, that own the same thing.
func (v *validator) owners(p *Policy, path []any, owners map[string]string) {
	for i, t := range p.Targets {
		if t == nil || t.Platform == nil {
			continue
		}
		id := t.Platform.Identity()
		if id == "" {
			continue
		}
		if owner, ok := owners[id]; ok {
			v.Addf(at(path, "targets", i), "%s is owned by %s already; two owners would fight over it", id, owner)
			continue
		}
		owners[id] = fmt.Sprintf("target %q of policy %q", t.Name, p.Name)
	}
}
