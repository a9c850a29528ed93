package policy

import (
	"cmp"
	"slices"
)

// Holding is one policy's part in a budget.
type Holding struct {
	Policy   string
	Priority int
	// Min and MinCostPerHour are what is kept for it whoever wants more, Max
	// the most it can ever have.
	Min            int
	MinCostPerHour float64
	Max            int
	// Replicas and CostPerHour are what it has, requests under way included.
	// Of a policy that is not known it is the most it can have.
	Replicas    int
	CostPerHour float64
	// Wants and WantsCostPerHour are what it would take beyond that and was
	// not given.
	Wants            int
	WantsCostPerHour float64
}

// Lacks takes in what the named budget cut from the policy's last decision.
func (h *Holding) Lacks(budget string, cuts []Cut) {
	h.Wants, h.WantsCostPerHour = 0, 0
	for _, c := range cuts {
		if c.Budget == budget {
			h.Wants += c.Replicas
			h.WantsCostPerHour += c.CostPerHour
		}
	}
}

// Room is what the i-th policy may have of the budget: what the others leave.
// Each policy's minimum is kept for it, and what policies of higher priority
// want and lack is left for them; among equals, who asks first is served
// first. The order of the holdings is irrelevant.
//
// Where every policy stays within its Room, or has what it had, the budget is
// never exceeded.
func (b Budget) Room(holdings []Holding, i int) Room {
	me := &holdings[i]
	r := Room{Budget: b.Name}
	var (
		held, claimed         int
		heldCost, claimedCost float64
	)
	for j := range holdings {
		h := &holdings[j]
		if j == i {
			continue
		}
		held += max(h.Replicas, h.Min)
		heldCost += max(h.CostPerHour, h.MinCostPerHour)
		if h.Priority > me.Priority {
			claimed += h.Wants
			claimedCost += h.WantsCostPerHour
		}
	}
	tight := false
	if b.MaxReplicas > 0 {
		n := left(b.MaxReplicas-held, claimed, me.Min)
		r.Replicas = &n
		tight = n < me.Max
	}
	if b.MaxCostPerHour > 0 {
		c := left(b.MaxCostPerHour-heldCost, claimedCost, me.MinCostPerHour)
		r.CostPerHour = &c
		tight = true
	}
	if tight {
		r.Rivals, r.Claimed = rivals(holdings, i)
		r.Victims = victims(holdings, i)
	}
	return r
}

// left is what remains of free after the claims, and never less than the
// minimum as far as there is anything.
func left[N int | float64](free, claimed, minimum N) N {
	return max(0, free-claimed, min(free, minimum))
}

// maxNamed is how many holders are named where nobody has a claim.
const maxNamed = 3

// rivals are those in whose favour the i-th policy gets no more: who claims it
// or, where nobody does, who has it.
func rivals(holdings []Holding, i int) (who []string, claimed bool) {
	me := &holdings[i]
	var claim, hold []*Holding
	for j := range holdings {
		h := &holdings[j]
		switch {
		case j == i:
		case h.Priority > me.Priority && (h.Wants > 0 || h.WantsCostPerHour > 0):
			claim = append(claim, h)
		case h.Replicas > 0:
			hold = append(hold, h)
		}
	}
	if len(claim) > 0 {
		slices.SortFunc(claim, func(a, b *Holding) int {
			return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.Policy, b.Policy))
		})
		return names(claim), true
	}
	slices.SortFunc(hold, func(a, b *Holding) int {
		return cmp.Or(cmp.Compare(b.CostPerHour, a.CostPerHour), cmp.Compare(b.Replicas, a.Replicas), cmp.Compare(a.Policy, b.Policy))
	})
	return names(hold[:min(len(hold), maxNamed)]), false
}

// victims are those of lower priority that lack something.
func victims(holdings []Holding, i int) []string {
	var lack []*Holding
	for j := range holdings {
		h := &holdings[j]
		if h.Priority < holdings[i].Priority && (h.Wants > 0 || h.WantsCostPerHour > 0) {
			lack = append(lack, h)
		}
	}
	slices.SortFunc(lack, func(a, b *Holding) int { return cmp.Compare(a.Policy, b.Policy) })
	return names(lack)
}

func names(holdings []*Holding) []string {
	if len(holdings) == 0 {
		return nil
	}
	out := make([]string, len(holdings))
	for i, h := range holdings {
		out[i] = h.Policy
	}
	return out
}
