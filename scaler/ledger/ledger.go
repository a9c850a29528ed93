// Package ledger is Alertscaler's durable memory: what was decided, what was
// asked of which target and what came of it, which alerts were firing, and
// what a policy must remember over a restart.
//
// The embedded ledger is one bbolt file. It has one writer, the committer,
// which joins everything that waits for the disk into one transaction: a
// Commit returns once its record is synced, and records that were merely
// enqueued ride along.
package ledger

import (
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// ActionState is how far an action got.
type ActionState string

// The states, in the order an action passes through them. Intended and
// Accepted are open; the rest are final.
const (
	// Intended: written before the platform was called. Found at a start, it
	// is unknown whether the call was made.
	Intended ActionState = "intended"
	// Accepted: the platform took the request; replicas are not ready yet.
	Accepted ActionState = "accepted"
	// Converged: the replicas are ready.
	Converged ActionState = "converged"
	// Failed: the platform refused, or the replicas were not ready in time.
	Failed ActionState = "failed"
	// Superseded: another action or someone else changed the count before it
	// converged.
	Superseded ActionState = "superseded"
	// NoOp: the platform had that count already; nothing was asked of it.
	NoOp ActionState = "no_op"
	// NotApplied: found open at a start, and the target shows that the call
	// never reached the platform.
	NotApplied ActionState = "not_applied"
)

// Open reports whether the state is not final.
func (s ActionState) Open() bool { return s == Intended || s == Accepted }

// Action is one request to one target: an absolute number, never a delta.
type Action struct {
	// ID is one made by NewID; it belongs to one policy and target for ever.
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
	Victims []string    `json:"victims,omitempty"`
	State   ActionState `json:"state"`
	// Seen: the platform has shown the number.
	Seen bool `json:"seen,omitempty"`
	// Created when it was written, Accepted when the platform took it, Ended
	// when its state became final; zero until then.
	Created  time.Time `json:"created"`
	Accepted time.Time `json:"accepted,omitzero"`
	Ended    time.Time `json:"ended,omitzero"`
	// Error and ErrorKind of a failed action, ErrorKind of package target.
	Error     string `json:"error,omitempty"`
	ErrorKind string `json:"error_kind,omitempty"`
}

// Record is what is written together or not at all. Nil and empty parts are
// not written. It is encoded before Commit or Enqueue returns, so the caller
// may change it afterwards.
type Record struct {
	// Decision is stored as given; its ID must be set (see NewID).
	Decision *policy.Decision
	// Actions are stored by ID: writing one again replaces it.
	Actions []Action
	// Histories by policy replace what was stored.
	Histories map[string]policy.History
	// Learnt replaces what was stored of these resources; without a State it
	// is forgotten.
	Learnt []Learnt
}

// Learnt is what was learnt of one resource of a policy, as its learner wrote
// it down.
type Learnt struct {
	Policy, Resource string
	State            []byte
}

// Query selects decisions or actions, newest first.
type Query struct {
	// Policy selects one policy; empty selects all.
	Policy string
	// Since excludes everything older; zero excludes nothing.
	Since time.Time
	// Limit is the most to return; 0 means 100.
	Limit int
}
