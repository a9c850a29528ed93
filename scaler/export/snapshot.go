package export

import (
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// Policy is what is shown of one policy: as its last evaluation left it, and as
// of now where that is said. What it points to is only read.
type Policy struct {
	Name  string
	Rules *policy.Policy
	// Targets are in the order of Rules.
	Targets []Target
	// Budgets are the names of those that the policy has a part in.
	Budgets []string
	// Last is the newest decision; nil before the first evaluation.
	Last    *policy.Decision
	History *policy.History
	// Learnt is by resource; what has no objective, or was not learnt of yet,
	// is not in it.
	Learnt map[string]Learnt
	// At is when all this was so.
	At     time.Time
	Paused bool
	// Counts are those of now.
	Counts *Counters
}

// Target is one of a policy's targets as last read.
type Target struct {
	Name string
	// Known is set where the last reading succeeded: Requested and Ready are
	// from it. Failed is set where it did not; before the first neither is.
	Known, Failed    bool
	Requested, Ready int
	// Drains is set where somebody is asked before a replica goes, and Draining
	// is how many were asked about and have not gone.
	Drains   bool
	Draining int
}

// Learnt is how far the learning of one resource has come.
type Learnt struct {
	// Observations is how many samples it has learnt from. Counted is set once
	// the replicas that were ready are known of one of them; until then nobody
	// knows UnderCapacity, the share of the time that there was too little, and
	// LostDemand, that of the demand that found no capacity, from 0 to 1.
	Observations              int64
	Counted                   bool
	UnderCapacity, LostDemand float64
}

// Budget is one budget, and what its policies have of it together.
type Budget struct {
	policy.Budget
	Replicas    int
	CostPerHour float64
}

// safe reports whether the last evaluation could read all it needed, and end.
func (p *Policy) safe() bool {
	if p.Last == nil || p.Last.Reason == policy.ReasonInternalError || p.Last.Reason == policy.ReasonNotRecorded {
		return false
	}
	for i := range p.Targets {
		if p.Targets[i].Failed {
			return false
		}
	}
	for i := range p.Last.Requirements {
		if p.Last.Requirements[i].Problem != "" {
			return false
		}
	}
	return true
}

// requirement is what the last decision says of a resource; nil where it says
// nothing.
func (p *Policy) requirement(resource string) *policy.Requirement {
	if p.Last == nil {
		return nil
	}
	for i := range p.Last.Requirements {
		if p.Last.Requirements[i].Resource == resource {
			return &p.Last.Requirements[i]
		}
	}
	return nil
}

// cut is what the budget took from the last decision.
func (p *Policy) cut(budget string) float64 {
	if p.Last == nil {
		return 0
	}
	n := 0
	for _, c := range p.Last.Cuts {
		if c.Budget == budget {
			n += max(1, c.Replicas)
		}
	}
	return float64(n)
}
