package action

import (
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// State is how far an action got.
type State string

// The states, in the order an action passes through them. Intended and
// Accepted are open; the rest are final.
const (
	// Intended: written before the platform was called. Found at a start, it
	// is unknown whether the call was made.
	Intended State = "intended"
	// Accepted: the platform took the request; replicas are not ready yet.
	Accepted State = "accepted"
	// Converged: the replicas are ready.
	Converged State = "converged"
	// Failed: the platform refused, or the replicas were not ready in time.
	Failed State = "failed"
	// Superseded: another action or someone else changed the count before it
	// converged.
	Superseded State = "superseded"
	// NoOp: the platform had that count already; nothing was asked of it.
	NoOp State = "no_op"
	// NotApplied: the call was never made. Either replicas that should have
	// gone elsewhere stayed, or the action was found open at a start and the
	// target shows that the call never reached the platform.
	NotApplied State = "not_applied"
)

// Open reports whether the state is not final.
func (s State) Open() bool { return s == Intended || s == Accepted }

// Action is one request to one target: an absolute number, never a delta.
type Action struct {
	// ID is one made by the ledger; it belongs to one policy and target for
	// ever, and sorts after every earlier one.
	ID string `json:"id"`
	// Decision is the ID of the decision behind it.
	Decision  string           `json:"decision"`
	Policy    string           `json:"policy"`
	Target    string           `json:"target"`
	Direction policy.Direction `json:"direction"`
	Reason    policy.Reason    `json:"reason"`
	From      int              `json:"from"`
	To        int              `json:"to"`
	// Victims names the replicas that are to go, where they were chosen.
	Victims []string `json:"victims,omitempty"`
	State   State    `json:"state"`
	// Seen: the platform has shown the number.
	Seen bool `json:"seen,omitempty"`
	// Created when it was written, Accepted when the platform took it, Ended
	// when its state became final; zero until then.
	Created  time.Time `json:"created"`
	Accepted time.Time `json:"accepted,omitzero"`
	Ended    time.Time `json:"ended,omitzero"`
	// Error and ErrorKind of a failed action: a kind of package target, or
	// NotConverged.
	Error     string `json:"error,omitempty"`
	ErrorKind string `json:"error_kind,omitempty"`
}

// NotConverged is the ErrorKind of an action whose replicas were not ready in
// time.
const NotConverged = "not_converged"

// rise is by how many replicas the action goes up; 0 for one that goes down.
func (a *Action) rise() int { return max(0, a.To-a.From) }

// asked is since when the replicas have had their time.
func (a *Action) asked() time.Time {
	if a.Accepted.IsZero() {
		return a.Created
	}
	return a.Accepted
}

// Clamp brings the times of an open action back to now, where a clock that was
// ahead has written them, and returns by how much the latest was ahead.
func (a *Action) Clamp(now time.Time) (by time.Duration) {
	for _, t := range []*time.Time{&a.Created, &a.Accepted} {
		if ahead := t.Sub(now); !t.IsZero() && ahead > 0 {
			by = max(by, ahead)
			*t = now
		}
	}
	return by
}

// shift moves the times of an open action along with a correction of the
// clock.
func (a *Action) shift(d time.Duration) {
	for _, t := range []*time.Time{&a.Created, &a.Accepted} {
		if !t.IsZero() {
			*t = t.Add(d)
		}
	}
}

// DirectionOf is where a change of the count goes.
func DirectionOf(from, to int) policy.Direction {
	if to > from {
		return policy.Up
	}
	return policy.Down
}
