package policy

import "time"

// History is what a policy must remember between decisions, and over a
// restart. It is small, serializes to JSON, and changes only through its
// methods.
type History struct {
	// Since is when the present unbroken run of usable observations began;
	// zero: there is none.
	Since time.Time `json:"since,omitzero"`
	// LastSeen is when the last usable observation was made.
	LastSeen time.Time `json:"last_seen,omitzero"`
	// Samples are the raw recommendations of the longest stabilization
	// window, oldest first, equal neighbours joined.
	Samples []Sample `json:"samples,omitempty"`
	// Moves are the changes of the policy's count that limits and cooldowns
	// look at, oldest first.
	Moves []Move `json:"moves,omitempty"`
}

// Sample is a recommendation that held from First to Last.
type Sample struct {
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Replicas int       `json:"replicas"`
}

// Move is one change of a policy's requested replicas that a platform
// accepted.
type Move struct {
	// ID joins the move to the decision behind it.
	ID string    `json:"id"`
	At time.Time `json:"at"`
	// Converged is when the replicas were ready; zero while they are not.
	Converged time.Time `json:"converged,omitzero"`
	// Failed is set where they were not ready in time or the targets lost
	// them: the move then spends no cooldown.
	Failed bool `json:"failed,omitempty"`
	From   int  `json:"from"`
	To     int  `json:"to"`
}
