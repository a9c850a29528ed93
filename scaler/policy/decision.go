package policy

import "time"

// Reason is why a decision came out as it did: the step that decided the
// final number. It is a metric label, a log value and an API field.
type Reason string

// The closed list of reasons.
const (
	// ReasonScaledUp and ReasonScaledDown: moved as far as was recommended.
	ReasonScaledUp   Reason = "scaled_up"
	ReasonScaledDown Reason = "scaled_down"
	// ReasonNoAlert: nothing fires for this policy.
	ReasonNoAlert Reason = "no_alert"
	// ReasonSatisfied: an alert fires and the count already suffices.
	ReasonSatisfied Reason = "satisfied"
	// ReasonWithinTolerance: the difference is too small to move for.
	ReasonWithinTolerance Reason = "within_tolerance"
	// ReasonStabilizing: the stabilization window held or reduced the move.
	ReasonStabilizing Reason = "stabilizing"
	// ReasonCoolingDown: the last action is too recent.
	ReasonCoolingDown Reason = "cooling_down"
	// ReasonStepLimited: the step limit held or reduced the move.
	ReasonStepLimited Reason = "step_limited"
	// ReasonAtMax and ReasonAtMin: a bound held or reduced the move.
	ReasonAtMax Reason = "at_max"
	ReasonAtMin Reason = "at_min"
	// ReasonBelowMin and ReasonAboveMax: a count outside the bounds was
	// corrected.
	ReasonBelowMin Reason = "below_min"
	ReasonAboveMax Reason = "above_max"
	// ReasonBudgetLimited: a shared budget held or reduced the move.
	ReasonBudgetLimited Reason = "budget_limited"
	// ReasonPaused: an operator or a silence paused the policy.
	ReasonPaused Reason = "paused"
	// ReasonShadow: the move is decided and the mode forbids it.
	ReasonShadow Reason = "shadow"
	// ReasonBlocked: a blocking alert forbids the direction, too many policies
	// want to scale down at once, or the replicas that would go are busy.
	ReasonBlocked Reason = "blocked"
	// ReasonMissingData: usage is unknown, so the count is held.
	ReasonMissingData Reason = "missing_data"
	// ReasonFallback: usage was unknown for long and on_missing decided.
	ReasonFallback Reason = "fallback"
	// ReasonConverging: the last action must converge first, or the replicas
	// that are to go are being drained.
	ReasonConverging Reason = "converging"
	// ReasonTargetBackoff: no target can be asked now.
	ReasonTargetBackoff Reason = "target_backoff"
	// ReasonTargetFailed: a target could not be read or refused the move.
	ReasonTargetFailed Reason = "target_failed"
	// ReasonNotRecorded: the ledger did not take the intention, so no target
	// was asked.
	ReasonNotRecorded Reason = "not_recorded"
	// ReasonInternalError: the evaluation ended in a mistake of the program,
	// so the count is held.
	ReasonInternalError Reason = "internal_error"
	// ReasonNotLeader: another replica of Alertscaler acts.
	ReasonNotLeader Reason = "not_leader"
)

// Reasons is the closed list in the order above, for metrics that must exist
// before their first event.
var Reasons = []Reason{
	ReasonScaledUp, ReasonScaledDown, ReasonNoAlert, ReasonSatisfied,
	ReasonWithinTolerance, ReasonStabilizing, ReasonCoolingDown,
	ReasonStepLimited, ReasonAtMax, ReasonAtMin, ReasonBelowMin,
	ReasonAboveMax, ReasonBudgetLimited, ReasonPaused, ReasonShadow,
	ReasonBlocked, ReasonMissingData, ReasonFallback, ReasonConverging,
	ReasonTargetBackoff, ReasonTargetFailed,
	ReasonNotRecorded,
	ReasonInternalError,
	ReasonNotLeader,
}

// StepName names one step of the decision.
type StepName string

// The steps in the order they are taken. A bound already reached is noted
// before the limits that would have held as well.
const (
	StepTarget         StepName = "target"
	StepForeign        StepName = "foreign_change"
	StepPause          StepName = "pause"
	StepBounds         StepName = "bounds"
	StepQuality        StepName = "data_quality"
	StepRequirement    StepName = "requirement"
	StepDirection      StepName = "direction"
	StepGate           StepName = "gate"
	StepMissing        StepName = "on_missing"
	StepRecommendation StepName = "recommendation"
	StepTolerance      StepName = "tolerance"
	StepStabilization  StepName = "stabilization"
	StepStepLimit      StepName = "step_limit"
	StepCooldown       StepName = "cooldown"
	StepFleetGuard     StepName = "fleet_guard"
	StepBudget         StepName = "budget"
	StepMinMax         StepName = "min_max"
	StepPlacement      StepName = "placement"
	StepVictims        StepName = "victims"
	StepDrain          StepName = "drain"
	StepMovedOn        StepName = "moved_on"
	StepFailover       StepName = "failover"
	StepMode           StepName = "mode"
	StepLedger         StepName = "ledger"
	StepInternal       StepName = "internal"
)

// Step is one line of a decision: what was looked at, the number it left and,
// where it held or changed the number, why. String and the JSON form render
// it in words; the fields stay numbers so that deciding does not format.
type Step struct {
	Name StepName
	// Replicas is the count this step leaves.
	Replicas int
	// Reason is set where this step held or changed the count.
	Reason Reason
	// Subject is what the step speaks of: a resource, a target, a direction.
	Subject string
	// Value is what was measured and Limit what it was held against; their
	// meaning is the step's (usage and capacity, ratio and tolerance, ...).
	Value, Limit float64
	// Until is when a hold ends of itself, where that is known.
	Until time.Time
	// Detail is extra text given by the observer, such as a data problem.
	Detail string
}

// Placement is one target's share of a decision.
type Placement struct {
	Target string `json:"target"`
	From   int    `json:"from"`
	To     int    `json:"to"`
}

// Decision is the answer for one policy at one instant.
type Decision struct {
	// ID is given by the ledger: decisions sort by it in the order made.
	ID     string    `json:"id,omitempty"`
	Policy string    `json:"policy"`
	Time   time.Time `json:"time"`
	Mode   Mode      `json:"mode"`
	// Direction is where the active alerts point.
	Direction Direction `json:"direction"`
	// Current is what is requested of all targets together, Ready how many of
	// them serve.
	Current int `json:"current"`
	Ready   int `json:"ready"`
	// Recommendation is the raw need before any limit; nil where no resource
	// could say.
	Recommendation *int `json:"recommendation,omitempty"`
	// Needs is Recommendation for either direction.
	Needs Needs `json:"needs,omitzero"`
	// WantsDown is set where fewer replicas would do, whatever held it.
	WantsDown bool `json:"wants_down,omitempty"`
	// Desired is the count after every limit. In shadow mode it is what would
	// have been asked for.
	Desired int    `json:"desired"`
	Reason  Reason `json:"reason"`
	// Act is true where the targets are to be asked for Placements.
	Act          bool          `json:"act"`
	Requirements []Requirement `json:"requirements,omitempty"`
	Placements   []Placement   `json:"placements,omitempty"`
	// Cuts are what budgets took.
	Cuts  []Cut  `json:"cuts,omitempty"`
	Steps []Step `json:"steps"`
}
