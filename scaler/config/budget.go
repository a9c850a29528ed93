package config

import (
	"fmt"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// Budget is a limit that several policies share.
type Budget struct {
	Name string `yaml:"name"`
	// Policies are matchers on the labels name and scale_target of policies,
	// all of which must match.
	Policies Matchers `yaml:"policies"`
	// MaxReplicas and MaxCostPerHour bound what the policies have together; 0
	// is no limit.
	MaxReplicas    int     `yaml:"max_replicas,omitempty"`
	MaxCostPerHour float64 `yaml:"max_cost_per_hour,omitempty"`
}

// BudgetRule is a budget as package policy decides by it, with the names of
// the policies that share it, in the order written.
type BudgetRule struct {
	policy.Budget
	Members []string
}

// BudgetRules returns the budgets in the order written; c was loaded.
func (c *Config) BudgetRules() []BudgetRule {
	out := make([]BudgetRule, 0, len(c.Budgets))
	for _, b := range c.Budgets {
		rule := BudgetRule{Budget: policy.Budget{
			Name: b.Name, MaxReplicas: b.MaxReplicas, MaxCostPerHour: b.MaxCostPerHour,
		}}
		for _, p := range b.members(c) {
			rule.Members = append(rule.Members, p.Name)
		}
		out = append(out, rule)
	}
	return out
}

// The labels by which a budget names its policies.
const (
	labelName        = "name"
	labelScaleTarget = "scale_target"
)

// members are the policies that share b.
func (b *Budget) members(c *Config) []*Policy {
	var out []*Policy
	for _, p := range c.Policies {
		if b.takes(p) {
			out = append(out, p)
		}
	}
	return out
}

func (b *Budget) takes(p *Policy) bool {
	for _, m := range b.Policies {
		value := p.Name
		if m.Name == labelScaleTarget {
			value = p.ScaleTarget
		}
		if !m.Matches(value) {
			return false
		}
	}
	return len(b.Policies) > 0
}

func (v *validator) budgets(c *Config) {
	seen := make(map[string]bool, len(c.Budgets))
	for i, b := range c.Budgets {
		path := []any{"budgets", i}
		if b == nil {
			v.Add("the budget is empty", path...)
			c.Budgets[i] = &Budget{}
			continue
		}
		v.name(b.Name, path)
		if seen[b.Name] && b.Name != "" {
			v.Addf(at(path, "name"), "%q is the name of a budget already; names are unique", b.Name)
		}
		seen[b.Name] = true
		if v.limits(b, path) && v.selects(b, path) {
			// What is discovered may be the first that it matches.
			if members := b.members(c); len(members) > 0 || len(c.Discovery) == 0 {
				v.fits(b, members, path)
			}
		}
	}
}

// limits checks what a budget bounds by itself.
func (v *validator) limits(b *Budget, path []any) bool {
	before := len(v.Errs)
	v.whole(path, "max_replicas")
	if b.MaxReplicas < 0 || b.MaxReplicas > maxBudgetReplicas {
		v.Addf(at(path, "max_replicas"), "%d is not a number of replicas above 0 and at most %d", b.MaxReplicas, maxBudgetReplicas)
	}
	if !finite(b.MaxCostPerHour, 0, maxCost) {
		v.Addf(at(path, "max_cost_per_hour"), "%g is not a finite price above 0 and at most %g", b.MaxCostPerHour, float64(maxCost))
	}
	if b.MaxReplicas == 0 && b.MaxCostPerHour == 0 {
		v.Add("the budget limits nothing; set max_replicas or max_cost_per_hour above 0", path...)
	}
	return len(v.Errs) == before
}

// selects checks how a budget names its policies.
func (v *validator) selects(b *Budget, path []any) bool {
	path = at(path, "policies")
	if len(b.Policies) == 0 {
		v.Add(`is missing; name the policies by matchers such as ['name=~"shop-.*"']`, path...)
		return false
	}
	for _, m := range b.Policies {
		if m.Name != labelName && m.Name != labelScaleTarget {
			v.Addf(path, "%s matches on label %q; policies have the labels %s and %s", m, m.Name, labelName, labelScaleTarget)
			return false
		}
	}
	return true
}

// fits refuses a budget that even the least its members may have exceeds.
func (v *validator) fits(b *Budget, members []*Policy, path []any) {
	if len(members) == 0 {
		v.Addf(at(path, "policies"), "no policy matches %s; a budget over unknown policies limits nothing", b.Policies)
		return
	}
	least, cost := 0, 0.0
	var lacking []string
	for _, p := range members {
		least = plus(least, p.least())
		cost += p.leastCost()
		for _, name := range unpriced(p) {
			lacking = append(lacking, fmt.Sprintf("target %s of policy %q", name, p.Name))
		}
	}
	if b.MaxReplicas > 0 && least > b.MaxReplicas {
		v.Addf(at(path, "max_replicas"), "the min of its policies add up to %d, above %d", least, b.MaxReplicas)
	}
	switch {
	case b.MaxCostPerHour == 0:
	case len(lacking) > 0:
		v.Addf(at(path, "max_cost_per_hour"), "a limit on cost needs cost_per_hour on every target of its policies; it is missing on %s", list(lacking))
	case cost > b.MaxCostPerHour*(1+1e-9):
		v.Addf(at(path, "max_cost_per_hour"), "the min of its policies cost at least %.6g an hour, above %g", cost, b.MaxCostPerHour)
	}
}

// least is how many replicas p has at least: its min, or those of its targets
// where they add up to more.
func (p *Policy) least() int {
	targets := 0
	for _, t := range p.Targets {
		targets = plus(targets, t.Min)
	}
	return max(p.Min, targets)
}

// leastCost is what the least of p costs for an hour where it is placed the
// cheapest way; a target whose cost is unknown counts nothing.
func (p *Policy) leastCost() float64 {
	rules := policy.Policy{Min: p.Min, Targets: make([]policy.Target, len(p.Targets))}
	for i, t := range p.Targets {
		rules.Targets[i] = t.rules()
	}
	return rules.MinCostPerHour()
}
