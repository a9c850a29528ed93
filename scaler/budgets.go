package scaler

import (
	"github.com/alertscaler/alertscaler/scaler/budget"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/status"
)

// share gives the pool the policies of a configuration, and their budgets. The
// caller holds e.mu, and has a unit for each of next.
func (e *Engine) share(c *config.Config, next map[string]*setup) {
	var rules []budget.Rule
	for _, r := range c.BudgetRules() {
		rules = append(rules, budget.Rule(r))
	}
	members := make(map[string]budget.Member, len(next))
	for name, s := range next {
		u := e.units[name]
		v := u.view.Load()
		members[name] = budget.Member{
			Rules: &s.rules, History: &v.history, Asked: v.asked(),
			Undecided: func() bool {
				return u.woken.Load() != u.decided.Load() && e.opts.Alerts.Counts(name).Up > 0
			},
		}
	}
	e.pool.Configure(rules, c.Global.FleetGuard, members)
}

// asked is the largest number that was asked of each target and is not settled.
func (v *view) asked() map[string]int {
	if len(v.open) == 0 {
		return nil
	}
	asked := make(map[string]int, len(v.open))
	for i := range v.open {
		a := &v.open[i]
		asked[a.Target] = max(asked[a.Target], a.To)
	}
	return asked
}

// wakeAll evaluates policies that may have more by what another has decided.
func (e *Engine) wakeAll(policies []string) {
	if len(policies) == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, name := range policies {
		if u := e.units[name]; u != nil {
			u.runner.wake()
		}
	}
}

// partsOf is the policy's part in each of its budgets.
func (e *Engine) partsOf(name string) []status.Budget {
	var out []status.Budget
	for _, p := range e.pool.Parts(name) {
		h, room := &p.Holding, &p.Room
		out = append(out, status.Budget{
			Name: p.Name, MaxReplicas: p.MaxReplicas, MaxCostPerHour: p.MaxCostPerHour,
			HeldReplicas: p.Replicas, HeldCostPerHour: p.CostPerHour,
			Replicas: h.Replicas, CostPerHour: h.CostPerHour, Lacks: h.Wants, LacksCostPerHour: h.WantsCostPerHour,
			Rivals: room.Rivals, Victims: room.Victims, MoreRivals: room.MoreRivals, MoreVictims: room.MoreVictims,
		})
	}
	return out
}
