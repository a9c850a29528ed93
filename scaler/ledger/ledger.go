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

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// Action is one request to one target, as package action judges it.
type Action = action.Action

// ActionState is how far an action got.
type ActionState = action.State

// The states of an action. Intended and Accepted are open; the rest are final.
const (
	Intended   = action.Intended
	Accepted   = action.Accepted
	Converged  = action.Converged
	Failed     = action.Failed
	Superseded = action.Superseded
	NoOp       = action.NoOp
	NotApplied = action.NotApplied
)

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
