package budget

import (
	"sync"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// Pool is what policies share: their budgets, and whether too many want to
// scale down at once. Its zero value is a pool without policies. All methods
// are safe for concurrent use.
type Pool struct {
	mu       sync.Mutex // guards everything below up to woken
	accounts []*account
	// of are the accounts that each policy has a part in.
	of    map[string][]*account
	fleet fleet

	woken woken
}

// Rule is a budget with the names of its policies.
type Rule struct {
	policy.Budget
	Members []string
}

// Member is what a Pool must know of a policy.
type Member struct {
	Rules *policy.Policy
	// History is what the policy remembers, and Asked the largest number that
	// was asked of each target and is not settled. They are read by Configure
	// alone.
	History *policy.History
	Asked   map[string]int
	// Undecided reports whether an alert wants more than the policy has decided
	// upon. It is called while nobody can decide: it must not block, nor call
	// the Pool.
	Undecided func() bool
}

// account is one budget with the part that each of its policies has.
type account struct {
	rule   policy.Budget
	shares *Shares
	// members are beside the shares, and fixed with the configuration.
	members []member
	// index finds a policy among the shares.
	index map[string]int
}

// member is what a budget must know of one of its policies beside its share.
type member struct {
	name string
	// shadow policies take nothing from anybody.
	shadow bool
	// dearest is the highest price of a replica for an hour.
	dearest   float64
	undecided func() bool
}

// woken are the policies that an alert has woken and that may want more than
// they have said, until somebody asks.
type woken struct {
	mu    sync.Mutex // guards names
	names map[string]bool
}

func (w *woken) add(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.names == nil {
		w.names = make(map[string]bool)
	}
	w.names[name] = true
}

func (w *woken) take() map[string]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := w.names
	w.names = nil
	return names
}

// Configure takes over the policies of a configuration and their budgets, whose
// members are all among them; what is held already stays known. Of a fleet, no
// larger share than fleetGuard scales down at once; 1: any may.
func (p *Pool) Configure(rules []Rule, fleetGuard float64, members map[string]Member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.of
	p.accounts, p.of = nil, make(map[string][]*account)
	for _, r := range rules {
		a := &account{rule: r.Budget, index: make(map[string]int, len(r.Members))}
		holdings := make([]Holding, 0, len(r.Members))
		for _, name := range r.Members {
			m := members[name]
			h := holdingOf(&m, r.Name)
			for _, old := range before[name] {
				o := old.shares.At(old.index[name])
				h.Replicas, h.CostPerHour = o.Replicas, o.CostPerHour
			}
			a.index[name] = len(holdings)
			holdings = append(holdings, h)
			a.members = append(a.members, member{name, m.Rules.Mode == policy.ModeOff, dearest(m.Rules), m.Undecided})
			p.of[name] = append(p.of[name], a)
		}
		a.shares = NewShares(r.Budget, holdings)
		p.accounts = append(p.accounts, a)
	}
	for name := range p.woken.take() {
		if _, stays := members[name]; stays {
			p.woken.add(name)
		}
	}
	p.fleet.configure(fleetGuard, members)
}

// Woken notes that an alert has woken the policy. Until it has decided it is
// taken to want all that it can get, so that those of lower priority take
// nothing of that meanwhile. It waits for nobody's decision.
func (p *Pool) Woken(name string) { p.woken.add(name) }

// expectClaims takes policies that an alert has just woken, and that have not
// decided yet, to want all they can get: what they want is not known, and must
// not be given away meanwhile to those of lower priority.
func (p *Pool) expectClaims() {
	for name := range p.woken.take() {
		for _, a := range p.of[name] {
			i := a.index[name]
			if m := &a.members[i]; !m.shadow && m.undecided() {
				h := a.shares.At(i)
				h.expect(m.dearest)
				a.shares.Set(i, h)
			}
		}
	}
}

// Refused takes in what of a decision came to nothing: d is what is left of it.
func (p *Pool) Refused(rules *policy.Policy, o *policy.Observation, d *policy.Decision) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.of[rules.Name] {
		i := a.index[rules.Name]
		h := a.shares.At(i)
		h.holds(rules, o, d)
		a.shares.Set(i, h)
	}
}

// Sum is one budget, and what all its policies have of it together.
type Sum struct {
	policy.Budget
	Replicas    int
	CostPerHour float64
}

// Sums are those of every budget, in the order of the configuration.
func (p *Pool) Sums() []Sum {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Sum, len(p.accounts))
	for i, a := range p.accounts {
		out[i].Budget = a.rule
		out[i].Replicas, out[i].CostPerHour = a.shares.Held()
	}
	return out
}

// Part is what one policy has of one budget.
type Part struct {
	Sum
	Holding Holding
	// Room is worked out where the policy lacks something; else it is zero.
	Room policy.Room
}

// Parts are those of the named policy, in the order of the budgets.
func (p *Pool) Parts(name string) []Part {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Part
	for _, a := range p.of[name] {
		i := a.index[name]
		part := Part{Sum: Sum{Budget: a.rule}, Holding: a.shares.At(i)}
		part.Replicas, part.CostPerHour = a.shares.Held()
		if part.Holding.claims() {
			part.Room = a.shares.Room(i)
		}
		out = append(out, part)
	}
	return out
}
