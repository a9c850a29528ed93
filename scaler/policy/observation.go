package policy

import (
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy/objective"
)

// Observation is what is known at one instant. Everything in it was read, not
// assumed: what could not be read carries its Problem.
type Observation struct {
	// Up and Down count the active alerts that ask for either direction.
	Up, Down int
	// Pause is set while an operator has paused the policy.
	Pause *Pause
	// Silences cover alerts that would speak for the policy.
	Silences []Pause
	// BlockUp and BlockDown name the active alerts that forbid a direction.
	BlockUp, BlockDown []string
	// Foreign are changes of the count that someone else made since the last
	// observation.
	Foreign []ForeignChange
	// FleetHold is set while this policy may not scale down because of what
	// the others want.
	FleetHold *FleetHold
	// Budgets are the limits that this policy shares with others.
	Budgets []Room
	// Targets in the order of Policy.Targets.
	Targets []TargetState
	// Usage by resource, in any order.
	Usage []Usage
}

// TargetState is one target as its platform reports it.
type TargetState struct {
	Name string
	// Requested is the count the platform was last asked for, Ready how many
	// of them serve.
	Requested, Ready int
	// Min and Max are the platform's own bounds where it has them; Max 0 is
	// none.
	Min, Max int
	// BackoffUpUntil and BackoffDownUntil are set while the target is not to be
	// asked for more, or for fewer.
	BackoffUpUntil, BackoffDownUntil time.Time
	// Stuck is how many of the requested replicas are not expected to become
	// ready any more, because they had their time or the platform gave them up.
	// StuckBy is the kind of error that it gave them up with, if it did.
	Stuck   int
	StuckBy string
	// Protected is how many of the requested replicas must not be taken away,
	// because they are busy or because nobody knows whether they are.
	// ProtectedBy says it in words.
	Protected   int
	ProtectedBy string
	// Error is set where the target could not be read; the counts are then
	// the last ones known and support no decision.
	Error string
}

// Usage is one resource's reading.
type Usage struct {
	Resource string
	// Value is the absolute sum over all replicas, in the resource's unit.
	Value float64
	// Predicted is what Value is expected to be one provisioning time ahead;
	// it counts for going up alone. 0 where nothing is predicted.
	Predicted float64
	// Learnt is what an objective is to keep free; nil where nothing was learnt
	// yet.
	Learnt *objective.Reading
	// CapacityPerReplica is what one replica holds, in the same unit; > 0.
	CapacityPerReplica float64
	// Age of the sample behind Value; 0 where it cannot be told.
	Age time.Duration
	// Problem is set where the reading must not be used; Value and
	// CapacityPerReplica are then meaningless, except that with
	// ProblemLowCoverage and a CapacityPerReplica above 0 they are a lower
	// bound, since those who do not report use something too.
	Problem Problem
	// Detail says in words what the Problem was.
	Detail string
}

// Problem is why a reading is not to be used. The empty string is none.
type Problem string

// The closed list of problems.
const (
	// ProblemMissing: the query returned no series.
	ProblemMissing Problem = "missing"
	// ProblemAmbiguous: the query returned more than one series.
	ProblemAmbiguous Problem = "ambiguous"
	// ProblemNotFinite: the value is NaN or infinite, or negative.
	ProblemNotFinite Problem = "not_finite"
	// ProblemStale: the newest sample is older than max_staleness.
	ProblemStale Problem = "stale"
	// ProblemLowCoverage: too few of the ready replicas report.
	ProblemLowCoverage Problem = "low_coverage"
	// ProblemNoCapacity: what one replica holds is unknown or not positive.
	ProblemNoCapacity Problem = "no_capacity"
	// ProblemUnavailable: the question could not be asked or was refused.
	ProblemUnavailable Problem = "unavailable"
)

// Problems is the closed list, for metrics that must exist before their
// first event.
var Problems = []Problem{
	ProblemMissing, ProblemAmbiguous, ProblemNotFinite, ProblemStale,
	ProblemLowCoverage, ProblemNoCapacity, ProblemUnavailable,
}
