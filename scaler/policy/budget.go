package policy

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
	// that want more themselves or, where there are none, those that hold
	// the most.
	Rivals []string
	// Victims are the policies that were cut so that this one may have more.
	Victims []string
}
