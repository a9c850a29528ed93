package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/alertscaler/alertscaler/scaler/budget"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// shop is several policies that share a budget, decided one after the other in
// any order and again and again, as the engine does it.
type shop struct {
	budget   policy.Budget
	scenes   []scene
	holdings []budget.Holding
}

func shops() *rapid.Generator[*shop] {
	return rapid.Custom(func(t *rapid.T) *shop {
		s := &shop{budget: policy.Budget{Name: "shop"}}
		mins, minCost := 0, 0.0
		for range rapid.IntRange(2, 4).Draw(t, "policies") {
			sc := scenes().Draw(t, "scene")
			sc.policy.Name = string(rune('a' + len(s.scenes)))
			sc.policy.Priority = rapid.IntRange(0, 2).Draw(t, "priority")
			sc.policy.Mode = policy.ModeOn
			dearest := 0.0
			for i := range sc.policy.Targets {
				price := rapid.SampledFrom([]float64{0, 0.1, 0.25, 1}).Draw(t, "price")
				sc.policy.Targets[i].CostPerHour = &price
				dearest = max(dearest, price)
				sc.sees.Targets[i].Error = ""
			}
			h := budget.Holding{Policy: sc.policy.Name, Priority: sc.policy.Priority, Min: sc.policy.Min, Max: sc.policy.Max, MinCostPerHour: float64(sc.policy.Min) * dearest}
			mins += h.Min
			minCost += h.MinCostPerHour
			s.scenes, s.holdings = append(s.scenes, sc), append(s.holdings, h)
			s.count(len(s.scenes) - 1)
		}
		if rapid.Bool().Draw(t, "replicas are limited") {
			s.budget.MaxReplicas = max(1, mins+rapid.IntRange(0, 30).Draw(t, "replicas to share"))
		}
		if rapid.Bool().Draw(t, "cost is limited") {
			s.budget.MaxCostPerHour = minCost + rapid.Float64Range(0.1, 10).Draw(t, "cost to share")
		}
		return s
	})
}

func (s *shop) count(i int) {
	sc, h := &s.scenes[i], &s.holdings[i]
	h.Replicas, h.CostPerHour = 0, sc.policy.Cost(sc.sees.Targets)
	for _, target := range sc.sees.Targets {
		h.Replicas += target.Requested
	}
}

func (s *shop) sum() (replicas int, cost float64) {
	for _, h := range s.holdings {
		replicas += h.Replicas
		cost += h.CostPerHour
	}
	return replicas, cost
}

// decide lets the i-th policy decide, and carries it out.
func (s *shop) decide(i int) policy.Decision {
	sc, h := &s.scenes[i], &s.holdings[i]
	sc.sees.Budgets = []policy.Room{budget.NewShares(s.budget, s.holdings).Room(i)}
	d := sc.decide()
	h.Wants, h.WantsCostPerHour = 0, 0
	for _, c := range d.Cuts {
		h.Wants += c.Replicas
		h.WantsCostPerHour += c.CostPerHour
	}
	if d.Act {
		for k, p := range d.Placements {
			sc.sees.Targets[k].Requested = p.To
		}
	}
	s.count(i)
	return d
}

// However policies ask, no budget is exceeded by what they are given; and what
// is over it already only shrinks.
func TestBudgetsAreNeverExceeded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := shops().Draw(t, "shop")
		for range rapid.IntRange(1, 8).Draw(t, "rounds") {
			i := rapid.IntRange(0, len(s.scenes)-1).Draw(t, "who")
			before, costBefore := s.sum()
			d := s.decide(i)
			after, costAfter := s.sum()
			if m := s.budget.MaxReplicas; m > 0 && after > max(m, before) {
				t.Fatalf("%d replicas were %d, of %d: %s", after, before, m, d.Explain())
			}
			// Replicas that move from one target to another may cost more
			// only within the budget.
			if m := s.budget.MaxCostPerHour; m > 0 && costAfter > max(m, costBefore)+1e-6 {
				t.Fatalf("a cost of %g was %g, of %g: %s", costAfter, costBefore, m, d.Explain())
			}
		}
	})
}

// Who is of higher priority and was cut gets what becomes free.
func TestHigherPriorityGoesFirst(t *testing.T) {
	s := &shop{budget: policy.Budget{Name: "shop", MaxReplicas: 20}}
	for i, name := range []string{"batch", "web"} {
		p := web(bounds(1, 20))
		p.Name, p.Priority = name, i
		s.scenes = append(s.scenes, scene{policy: p, sees: up(8, cpu(26))})
		s.holdings = append(s.holdings, budget.Holding{Policy: name, Priority: i, Min: 1, Max: 20, Replicas: 8})
	}
	if d := s.decide(1); d.Desired != 12 || d.Reason != policy.ReasonBudgetLimited || !cmp.Equal(d.Cuts, []policy.Cut{{Budget: "shop", Replicas: 1, By: []string{"batch"}}}) {
		t.Fatalf("web: %s, cuts %+v", d.Explain(), d.Cuts)
	}
	if d := s.decide(0); d.Desired != 8 || d.Reason != policy.ReasonBudgetLimited || !cmp.Equal(d.Cuts[0].By, []string{"web"}) {
		t.Errorf("batch: %s, cuts %+v", d.Explain(), d.Cuts)
	}
	// Two become free: the first is web's.
	s.scenes[0].sees.Targets[0].Requested = 6
	s.count(0)
	if d := s.decide(0); d.Desired != 7 {
		t.Errorf("batch takes what web leaves: %s", d.Explain())
	}
	if d := s.decide(1); d.Desired != 13 {
		t.Errorf("web: %s", d.Explain())
	}
}
