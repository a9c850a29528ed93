package budget

import "github.com/alertscaler/alertscaler/scaler/policy"

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
	// Expected is set where nobody knows what it wants, because it has not
	// decided yet, and Wants are the most that it may.
	Expected bool
}

// Lacks takes in what the named budget cut from the policy's last decision.
func (h *Holding) Lacks(budget string, cuts []policy.Cut) {
	h.Wants, h.WantsCostPerHour, h.Expected = 0, 0, false
	for _, c := range cuts {
		if c.Budget == budget {
			h.Wants += c.Replicas
			h.WantsCostPerHour += c.CostPerHour
		}
	}
}

// claims reports whether the policy lacks something, or is taken to.
func (h *Holding) claims() bool { return h.Wants > 0 || h.WantsCostPerHour > 0 }

// expect takes the policy to want all that it can get.
func (h *Holding) expect(dearest float64) {
	h.Wants = max(0, h.Max-h.Replicas)
	h.WantsCostPerHour, h.Expected = float64(h.Wants)*dearest, true
}

// holds takes in what the policy has while its decision is carried out. Of
// targets that cannot be read nobody knows, so it stays what it was taken to
// be.
func (h *Holding) holds(p *policy.Policy, o *policy.Observation, d *policy.Decision) {
	for i := range o.Targets {
		if o.Targets[i].Error != "" {
			return
		}
	}
	h.Replicas, h.CostPerHour = d.Current, p.Cost(o.Targets)
	if d.Act {
		h.Replicas, h.CostPerHour = max(d.Current, d.Desired), max(h.CostPerHour, costAfter(p, d))
	}
}

// leavesMore reports whether a policy leaves more to those of lower priority
// than before.
func leavesMore(was, is *Holding) bool {
	return max(is.Replicas, is.Min)+is.Wants < max(was.Replicas, was.Min)+was.Wants ||
		max(is.CostPerHour, is.MinCostPerHour)+is.WantsCostPerHour < max(was.CostPerHour, was.MinCostPerHour)+was.WantsCostPerHour
}

// holdingOf is what a policy is taken to hold before its first decision: what
// its targets were last known to have or asked for or, where one is not known,
// the most that there can be. What it lacked it lacks still.
func holdingOf(m *Member, budget string) Holding {
	p := m.Rules
	h := Holding{
		Policy: p.Name, Priority: p.Priority, Min: p.Min, Max: p.Max,
		MinCostPerHour: p.MinCostPerHour(), Replicas: p.Max,
	}
	cost, n, known := 0.0, 0, true
	for _, t := range p.Targets {
		price := 0.0
		if t.CostPerHour != nil {
			price = *t.CostPerHour
		}
		if r := m.History.Of(t.Name).Requested; r != nil {
			has := max(*r, m.Asked[t.Name])
			n += has
			cost += float64(has) * price
		} else {
			known = false
		}
	}
	h.CostPerHour = float64(p.Max) * dearest(p)
	if known {
		h.Replicas, h.CostPerHour = n, cost
	}
	h.Lacks(budget, claims(p.Mode, m.History.Cuts))
	return h
}

// claims are the cuts that others must make up for: who only decides in shadow
// takes nothing from anybody.
func claims(m policy.Mode, cuts []policy.Cut) []policy.Cut {
	if m == policy.ModeOff {
		return nil
	}
	return cuts
}

// dearest is the highest price of a replica for an hour.
func dearest(p *policy.Policy) float64 {
	price := 0.0
	for _, t := range p.Targets {
		if t.CostPerHour != nil {
			price = max(price, *t.CostPerHour)
		}
	}
	return price
}

// costAfter is what the policy costs once the decision is carried out.
func costAfter(p *policy.Policy, d *policy.Decision) float64 {
	cost := 0.0
	for i, placed := range d.Placements {
		if i < len(p.Targets) && p.Targets[i].CostPerHour != nil {
			cost += float64(max(placed.From, placed.To)) * *p.Targets[i].CostPerHour
		}
	}
	return cost
}
