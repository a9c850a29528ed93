package policy

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Budget is a limit that several policies share.
type Budget struct {
	Name string
	// MaxReplicas bounds the replicas of all its policies together; 0: it
	// does not.
	MaxReplicas int
	// MaxCostPerHour bounds what they cost; 0: it does not.
	MaxCostPerHour float64
}

// Room is what one policy may take of one budget.
type Room struct {
	Budget string
	// Replicas and CostPerHour are the most that the policy may have, what it
	// has included; nil: the budget sets no such limit.
	Replicas    *int
	CostPerHour *float64
	// Rivals are the policies that leave no more: those of higher priority
	// that want more themselves or, where Claimed is false, those that hold
	// the most.
	Rivals  []string
	Claimed bool
	// Victims are the policies that were cut so that this one may have more.
	Victims []string
	// MoreRivals and MoreVictims are how many others there are that are not
	// named.
	MoreRivals, MoreVictims int
}

// why says who leaves no more.
func (r *Room) why() string {
	switch {
	case len(r.Rivals) == 0:
		return ""
	case r.Claimed:
		return "in favour of " + named(r.Rivals, r.MoreRivals)
	}
	return "the rest is held by " + named(r.Rivals, r.MoreRivals)
}

// expense says who lacks what this policy may have.
func (r *Room) expense() string {
	if len(r.Victims) == 0 {
		return ""
	}
	return "at the expense of " + named(r.Victims, r.MoreVictims)
}

func named(names []string, more int) string {
	text := strings.Join(names, ", ")
	if more > 0 {
		text += " and " + plural(count(more), "other")
	}
	return text
}

// Cut is what a budget took from one decision.
type Cut struct {
	Budget string `json:"budget"`
	// Replicas and CostPerHour were wanted and not given.
	Replicas    int     `json:"replicas,omitempty"`
	CostPerHour float64 `json:"cost_per_hour,omitempty"`
	// By are the policies in whose favour, or who hold the rest.
	By []string `json:"by,omitempty"`
	// More is how many of these are not named.
	More int `json:"more,omitempty"`
}

// budget keeps a move up within what the policy may have of its budgets. What
// runs already is never taken away.
func (d *decider) budget() bool {
	if d.out.Desired <= d.out.Current {
		return true
	}
	for i := range d.o.Budgets {
		r := &d.o.Budgets[i]
		if r.Replicas == nil {
			// What money is short of is known once the targets are.
			if r.CostPerHour != nil && len(r.Victims) > 0 {
				d.note(Step{Name: StepBudget, Subject: r.Budget, Limit: *r.CostPerHour, Detail: r.expense()})
			}
			continue
		}
		s := Step{Name: StepBudget, Subject: r.Budget, Limit: float64(*r.Replicas), Detail: r.expense()}
		allowed := max(d.out.Current, min(d.out.Desired, *r.Replicas))
		if allowed < d.out.Desired {
			s.Value, s.Detail = float64(d.out.Desired-allowed), r.why()
			d.out.Cuts = append(d.out.Cuts, Cut{Budget: r.Budget, Replicas: d.out.Desired - allowed, By: r.Rivals, More: r.MoreRivals})
		}
		if !d.limit(allowed, s, ReasonBudgetLimited) {
			return false
		}
	}
	return true
}

// purse is the tightest budget on cost, and what it leaves for more; nil where
// there is none.
func purse(p *Policy, o *Observation) (*Room, float64) {
	var tightest *Room
	left := math.Inf(1)
	for i := range o.Budgets {
		r := &o.Budgets[i]
		if r.CostPerHour == nil {
			continue
		}
		if l := max(0, *r.CostPerHour-p.Cost(o.Targets)); l < left {
			tightest, left = r, l
		}
	}
	return tightest, left
}

// Cost is what the targets' requested replicas cost for an hour. A price that
// is not known counts as nothing; configuration sees to it that no budget
// depends on one.
func (p *Policy) Cost(targets []TargetState) float64 {
	cost := 0.0
	for i := range targets {
		if i < len(p.Targets) && p.Targets[i].CostPerHour != nil {
			cost += float64(targets[i].Requested) * *p.Targets[i].CostPerHour
		}
	}
	return cost
}

// MinCostPerHour is the least that the policy's minimum can cost for an hour:
// the targets' own minimums, and the rest where it is cheapest.
func (p *Policy) MinCostPerHour() float64 {
	cost, rest := 0.0, p.Min
	byPrice := make([]Target, 0, len(p.Targets))
	for _, t := range p.Targets {
		if t.CostPerHour == nil {
			t.CostPerHour = new(float64)
		}
		cost += float64(t.Min) * *t.CostPerHour
		rest -= t.Min
		byPrice = append(byPrice, t)
	}
	slices.SortStableFunc(byPrice, func(a, b Target) int { return cmp.Compare(*a.CostPerHour, *b.CostPerHour) })
	for _, t := range byPrice {
		n := max(0, rest)
		if t.Max > 0 {
			n = min(n, t.Max-t.Min)
		}
		cost += float64(n) * *t.CostPerHour
		rest -= n
	}
	return cost
}
