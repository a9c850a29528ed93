package scaler

import (
	"context"
	"time"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/usage"
)

// Alerts is the book as the engine reads it. It is safe for concurrent use and
// never blocks on I/O.
type Alerts interface {
	// Counts returns how many alerts bear on the policy.
	Counts(policyName string) alerts.Counts
	// Holds names the alerts that block the policy and the silences that cover
	// its alerts. Where Counts has none of either it is not asked.
	Holds(policyName string) alerts.Holds
	// ReceivedAfter is when the oldest active alert of that direction was first
	// received, of those that were later than t; false where there is none.
	ReceivedAfter(policyName string, d policy.Direction, t time.Time) (time.Time, bool)
}

// Usage reads what the resources of one policy use. It answers every query,
// with a problem where it has no usable reading, and is safe for concurrent
// use.
type Usage interface {
	Read(ctx context.Context, now time.Time, queries []usage.Query) []policy.Usage
	// Loads is what each replica of a target carries, by the value of the
	// label; what is not known is not in it.
	Loads(ctx context.Context, now time.Time, expr, label string) (map[string]float64, error)
}

// Ledger is the engine's durable memory. It is safe for concurrent use.
type Ledger interface {
	// NewID returns an identifier that sorts after every earlier one.
	NewID(now time.Time) string
	// Commit writes durably before it returns.
	Commit(r ledger.Record) error
	// Enqueue writes within about a second, after everything enqueued or
	// committed before.
	Enqueue(r ledger.Record)
	// Histories and OpenActions are what the last run left.
	Histories() (map[string]policy.History, error)
	OpenActions() ([]ledger.Action, error)
	// Learnt is the state that was written last of what was learnt of a
	// resource; nil where none was.
	Learnt(policyName, resource string) ([]byte, error)
	// LastRequested is the number last asked of the target by anyone here.
	LastRequested(policyName, targetName string) (int, bool, error)
	// SetRequested records that someone else set it.
	SetRequested(policyName, targetName string, replicas int, at time.Time) error
	// SavePause and DeletePause are durable when they return. Pauses are all
	// that were saved and not deleted; the map is the caller's.
	SavePause(policyName string, p policy.Pause) error
	DeletePause(policyName string) error
	Pauses() (map[string]policy.Pause, error)
	// Err is why the ledger cannot be written at present; nil: it can.
	Err() error
}

// Forgetful is a Ledger of which nobody reads what it was given: of an engine
// that no other goes on after. What policies remember, and what was learnt, is
// not put together for it.
type Forgetful interface {
	Ledger
	// Forgets does nothing.
	Forgets()
}
