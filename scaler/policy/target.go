package policy

import "time"

// Target is what placement knows of one of a policy's targets.
type Target struct {
	Name string
	// Min and Max bound this target's share; Max 0 means only the policy's
	// own maximum limits it.
	Min, Max int
	// CostPerHour is the price of one replica for an hour, in any currency;
	// nil where it is not known, which no budget on cost and no strategy by
	// cost accepts.
	CostPerHour *float64
	// Provisioning is how long a replica takes to become ready until that was
	// measured; 0 where nobody said.
	Provisioning time.Duration
	// Loss is the share of requested replicas that never became ready or were
	// lost until that was measured, 0 ≤ Loss ≤ 1.
	Loss float64
}

// Strategy says which target gets the next replica: the one with the least t,
// T = min t_i. Where two are equal, the one written first.
type Strategy string

// The strategies, by what t is.
const (
	// StrategyPriority: the order written.
	StrategyPriority Strategy = "priority"
	// StrategyLatency: the measured provisioning time.
	StrategyLatency Strategy = "latency"
	// StrategyLoss: the share of requested replicas that failed or were lost
	// within the last day.
	StrategyLoss Strategy = "loss"
	// StrategyCost: the price of a replica for an hour.
	StrategyCost Strategy = "cost"
	// StrategyBalance: the count, so that the targets stay even.
	StrategyBalance Strategy = "balance"
)

// Strategies is the closed list.
var Strategies = []Strategy{StrategyPriority, StrategyLatency, StrategyLoss, StrategyCost, StrategyBalance}
