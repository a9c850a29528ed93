package config

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/yamlfile"
)

// Extension is a configuration to which policies are added that are in no
// file. What it was made of is not touched.
type Extension struct {
	merged  Config
	names   map[string]string // of policies, and where each comes from
	owners  map[string]string // of things, by their identity
	budgets []budgetUse
}

// budgetUse is the least that the policies of a budget take of it.
type budgetUse struct {
	*Budget
	replicas int
	cost     float64
}

// Extend begins an extension of c, which was loaded.
func (c *Config) Extend() *Extension {
	e := &Extension{
		merged: *c,
		names:  make(map[string]string, len(c.Policies)),
		owners: make(map[string]string, len(c.Policies)),
	}
	e.merged.Policies = slices.Clone(c.Policies)
	v := &validator{Checker: yamlfile.Checker{Root: &yaml.Node{}}}
	for _, p := range c.Policies {
		e.names[p.Name] = "a configured policy"
		v.owners(p, nil, e.owners)
	}
	for _, b := range c.Budgets {
		use := budgetUse{Budget: b}
		for _, p := range b.members(c) {
			use.replicas, use.cost = plus(use.replicas, p.least()), use.cost+p.leastCost()
		}
		e.budgets = append(e.budgets, use)
	}
	return e
}

// Add sets the defaults of p, checks it as if it stood in the file behind all
// others, and adds a copy of it. Where it may not be added the error is
// yamlfile.Errors, whose keys are a policy's, and nothing has changed. The targets of p
// have their Platform.
func (e *Extension) Add(p *Policy) error {
	p = p.clone()
	v := &validator{Checker: yamlfile.Checker{Root: &yaml.Node{}}, platforms: target.NewRegistry()}
	v.policy(&e.merged, p, nil)
	if from, ok := e.names[p.Name]; ok {
		v.Addf([]any{"name"}, "%q is the name of %s already; names are unique", p.Name, from)
	}
	for i := range e.budgets {
		v.shares(&e.budgets[i], p)
	}
	if len(v.Errs) == 0 {
		v.owners(p, nil, e.owners)
	}
	if len(v.Errs) > 0 {
		return v.Errs
	}
	e.names[p.Name] = "a discovered policy"
	e.merged.Policies = append(e.merged.Policies, p)
	for i := range e.budgets {
		if b := &e.budgets[i]; b.takes(p) {
			b.replicas, b.cost = plus(b.replicas, p.least()), b.cost+p.leastCost()
		}
	}
	return nil
}

// shares refuses what a budget has no room for, or cannot price.
func (v *validator) shares(b *budgetUse, p *Policy) {
	if !b.takes(p) {
		return
	}
	if n := plus(b.replicas, p.least()); b.MaxReplicas > 0 && n > b.MaxReplicas {
		v.Addf([]any{"min"}, "the min of the policies of budget %q would add up to %d, above its max_replicas %d", b.Name, n, b.MaxReplicas)
	}
	switch cost := b.cost + p.leastCost(); {
	case b.MaxCostPerHour == 0:
	case len(unpriced(p)) > 0:
		v.Addf([]any{"cost_per_hour"}, "is missing; budget %q limits the cost, which needs the price of a replica for an hour", b.Name)
	case cost > b.MaxCostPerHour*(1+1e-9):
		v.Addf([]any{"min"}, "the min of the policies of budget %q would cost at least %.6g an hour, above its max_cost_per_hour %g", b.Name, cost, b.MaxCostPerHour)
	}
}

// Config returns the configuration with all that was added. The extension is
// used no more.
func (e *Extension) Config() *Config { return &e.merged }
