package policy

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
func (h *Holding) Lacks(budget string, cuts []Cut) {
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

// Room is what the i-th policy may have of the budget; see Shares.Room.
func (b Budget) Room(holdings []Holding, i int) Room {
	return NewShares(b, holdings).Room(i)
}
