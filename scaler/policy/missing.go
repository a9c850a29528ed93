package policy

import "time"

// MissingBehavior is what a policy does once usage was unknown for long.
type MissingBehavior string

// The behaviours.
const (
	// MissingHold keeps the count.
	MissingHold MissingBehavior = "hold"
	// MissingStatic goes to OnMissing.Replicas.
	MissingStatic MissingBehavior = "static"
	// MissingCurrentIfHigher goes to OnMissing.Replicas where that is more
	// than there are.
	MissingCurrentIfHigher MissingBehavior = "current_if_higher"
	// MissingAlertStep moves by what the alert alone is worth.
	MissingAlertStep MissingBehavior = "alert_step"
)

// MissingBehaviors is the closed list.
var MissingBehaviors = []MissingBehavior{MissingHold, MissingStatic, MissingCurrentIfHigher, MissingAlertStep}

// OnMissing is what follows from usage that stays unknown. The zero value
// holds.
type OnMissing struct {
	Behavior MissingBehavior
	// After is how long a resource must have been unknown without a break.
	After time.Duration
	// Replicas of MissingStatic and MissingCurrentIfHigher.
	Replicas int
}
