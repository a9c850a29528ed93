package scaler

import (
	"math"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// shared is what policies decide about together: their budgets, and whether
// too many want to scale down at once. A decision is made while it is held, so
// that two cannot take the same room.
type shared struct {
	mu      sync.Mutex // guards everything below
	budgets []*sharedBudget
	// of are the budgets that each policy has a part in.
	of    map[string][]*sharedBudget
	fleet fleet
	woken woken
}

// woken are the policies that an alert has woken and that may want more than
// they have said, until somebody asks.
type woken struct {
	mu    sync.Mutex // guards units
	units map[*unit]bool
}

func (w *woken) add(u *unit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.units == nil {
		w.units = make(map[*unit]bool)
	}
	w.units[u] = true
}

func (w *woken) take() map[*unit]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	units := w.units
	w.units = nil
	return units
}

// sharedBudget is one budget with the part that each of its policies has.
type sharedBudget struct {
	rule   policy.Budget
	shares *policy.Shares
	// members are beside the shares, and fixed with the configuration.
	members []member
	// index finds a policy among the shares.
	index map[string]int
}

// member is what a budget must know of one of its policies while that is being
// evaluated.
type member struct {
	unit *unit
	// shadow policies take nothing from anybody.
	shadow bool
	// dearest is the highest price of a replica for an hour.
	dearest float64
}

// configure takes over the budgets and the fleet of a configuration; what is
// held already stays known. The caller holds e.mu.
func (s *shared) configure(c *config.Config, units map[string]*unit, setups map[string]*setup) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.of
	s.budgets, s.of = nil, make(map[string][]*sharedBudget)
	for _, r := range c.BudgetRules() {
		b := &sharedBudget{rule: r.Budget, index: make(map[string]int, len(r.Members))}
		holdings := make([]policy.Holding, 0, len(r.Members))
		for _, name := range r.Members {
			h := holdingOf(units[name], &setups[name].rules, r.Name)
			for _, old := range before[name] {
				o := old.shares.At(old.index[name])
				h.Replicas, h.CostPerHour = o.Replicas, o.CostPerHour
			}
			b.index[name] = len(holdings)
			holdings = append(holdings, h)
			b.members = append(b.members, member{units[name], setups[name].rules.Mode == policy.ModeOff, dearest(&setups[name].rules)})
			s.of[name] = append(s.of[name], b)
		}
		b.shares = policy.NewShares(r.Budget, holdings)
		s.budgets = append(s.budgets, b)
	}
	for u := range s.woken.take() {
		if units[u.name] == u {
			s.woken.add(u)
		}
	}
	s.fleet.configure(c.Global.FleetGuard, units, setups)
}

// holdingOf is what u is taken to hold before its first decision: what its
// targets were last known to have or asked for or, where one is not known, the
// most that there can be. What it lacked it lacks still.
func holdingOf(u *unit, p *policy.Policy, budget string) policy.Holding {
	h := policy.Holding{
		Policy: p.Name, Priority: p.Priority, Min: p.Min, Max: p.Max,
		MinCostPerHour: p.MinCostPerHour(), Replicas: p.Max,
	}
	cost, n, known := 0.0, 0, true
	v := u.view.Load()
	memory := &v.history
	for _, t := range p.Targets {
		price := 0.0
		if t.CostPerHour != nil {
			price = *t.CostPerHour
		}
		if m := memory.Of(t.Name).Requested; m != nil {
			has := *m
			for i := range v.open {
				if a := &v.open[i]; a.Target == t.Name {
					has = max(has, a.To)
				}
			}
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
	h.Lacks(budget, claims(p.Mode, memory.Cuts))
	return h
}

// rooms are what u's policy may have of its budgets. They are worked out only
// where they may be needed: where nothing can rise, no budget is in the way.
func (s *shared) rooms(u *unit, o *policy.Observation) []policy.Room {
	budgets := s.of[u.name]
	if len(budgets) == 0 || !canRise(&u.setup.rules, o) {
		return nil
	}
	s.expectClaims()
	rooms := make([]policy.Room, len(budgets))
	for i, b := range budgets {
		rooms[i] = b.shares.Room(b.index[u.name])
	}
	return rooms
}

func canRise(p *policy.Policy, o *policy.Observation) bool {
	switch p.OnMissing.Behavior {
	case policy.MissingStatic, policy.MissingCurrentIfHigher:
		return true // without any alert, and as far as the known resources need
	case policy.MissingHold, policy.MissingAlertStep:
	}
	if o.Up > 0 {
		return true
	}
	n := 0
	for i := range o.Targets {
		if o.Targets[i].Stuck > 0 {
			return true
		}
		n += o.Targets[i].Requested
	}
	lowest, _ := p.Bounds(o.Targets)
	return n < lowest
}

// expectClaims takes policies that an alert has just woken, and that have not
// decided yet, to want all they can get: what they want is not known, and must
// not be given away meanwhile to those of lower priority.
func (s *shared) expectClaims() {
	for u := range s.woken.take() {
		for _, b := range s.of[u.name] {
			i := b.index[u.name]
			// One of the same name may have come after it.
			m := &b.members[i]
			if m.unit != u || m.shadow || u.woken.Load() == u.decided.Load() || u.engine.opts.Alerts.Counts(u.name).Up == 0 {
				continue
			}
			h := b.shares.At(i)
			h.Wants = max(0, h.Max-h.Replicas)
			h.WantsCostPerHour, h.Expected = float64(h.Wants)*m.dearest, true
			b.shares.Set(i, h)
		}
	}
}

func dearest(p *policy.Policy) float64 {
	price := 0.0
	for _, t := range p.Targets {
		if t.CostPerHour != nil {
			price = max(price, *t.CostPerHour)
		}
	}
	return price
}

// decided takes in what u's policy holds and wants by now, and wakes those who
// may have waited for its decision.
func (s *shared) decided(u *unit, woken int64, o *policy.Observation, d *policy.Decision) {
	first := u.decided.Swap(woken) != woken
	for _, b := range s.of[u.name] {
		i := b.index[u.name]
		was := b.shares.At(i)
		h := was
		holds(&h, &u.setup.rules, o, d)
		h.Lacks(b.rule.Name, claims(d.Mode, d.Cuts))
		b.shares.Set(i, h)
		if first && leavesMore(&was, &h) {
			b.wakeBelow(i)
		}
	}
	if u.setup.rules.Mode == policy.ModeOn {
		s.fleet.set(u.name, u.history.DownSince)
	}
}

// leavesMore reports whether a policy leaves more to those of lower priority
// than before.
func leavesMore(was, is *policy.Holding) bool {
	return max(is.Replicas, is.Min)+is.Wants < max(was.Replicas, was.Min)+was.Wants ||
		max(is.CostPerHour, is.MinCostPerHour)+is.WantsCostPerHour < max(was.CostPerHour, was.MinCostPerHour)+was.WantsCostPerHour
}

// refused takes in what of a decision came to nothing.
func (s *shared) refused(u *unit, o *policy.Observation, d *policy.Decision) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.of[u.name] {
		i := b.index[u.name]
		h := b.shares.At(i)
		holds(&h, &u.setup.rules, o, d)
		b.shares.Set(i, h)
	}
}

// claims are the cuts that others must make up for: who only decides in shadow
// takes nothing from anybody.
func claims(m policy.Mode, cuts []policy.Cut) []policy.Cut {
	if m == policy.ModeOff {
		return nil
	}
	return cuts
}

// holds is what a policy has while its decision is carried out.
// Of targets that cannot be read nobody knows, so it stays what it was taken
// to be.
func holds(h *policy.Holding, p *policy.Policy, o *policy.Observation, d *policy.Decision) {
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

// wakeBelow evaluates those of lower priority than the i-th policy that lack
// something.
func (b *sharedBudget) wakeBelow(i int) {
	for _, j := range b.shares.Lacking(i) {
		b.members[j].unit.runner.wake()
	}
}

// budgetSums are one budget's limits and what is held of them.
type budgetSums struct {
	rule     policy.Budget
	replicas int
	cost     float64
}

func (s *shared) sums() []budgetSums {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]budgetSums, len(s.budgets))
	for i, b := range s.budgets {
		out[i].rule = b.rule
		out[i].replicas, out[i].cost = b.shares.Held()
	}
	return out
}

// collect renders the budgets. Nothing is locked while it sends: whoever reads
// may take its time.
func (s *shared) collect(ch chan<- prometheus.Metric) {
	limit := func(x float64) float64 {
		if x == 0 {
			return math.Inf(1)
		}
		return x
	}
	for _, b := range s.sums() {
		emit := func(d *prometheus.Desc, value float64, kind string) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, b.rule.Name, kind)
		}
		emit(descBudget, float64(b.replicas), "held")
		emit(descBudget, limit(float64(b.rule.MaxReplicas)), "max")
		emit(descBudgetCost, b.cost, "held")
		emit(descBudgetCost, limit(b.rule.MaxCostPerHour), "max")
	}
}

// status is u's part in each of its budgets.
func (s *shared) status(name string) []policy.BudgetStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []policy.BudgetStatus
	for _, b := range s.of[name] {
		i := b.index[name]
		h := b.shares.At(i)
		st := policy.BudgetStatus{
			Name: b.rule.Name, MaxReplicas: b.rule.MaxReplicas, MaxCostPerHour: b.rule.MaxCostPerHour,
			Replicas: h.Replicas, CostPerHour: h.CostPerHour, Lacks: h.Wants, LacksCostPerHour: h.WantsCostPerHour,
		}
		st.HeldReplicas, st.HeldCostPerHour = b.shares.Held()
		if h.Wants > 0 || h.WantsCostPerHour > 0 {
			room := b.shares.Room(i)
			st.Rivals, st.Victims, st.MoreRivals, st.MoreVictims = room.Rivals, room.Victims, room.MoreRivals, room.MoreVictims
		}
		out = append(out, st)
	}
	return out
}
