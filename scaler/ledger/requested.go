package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// Requested is the count a target was last asked for. It is kept apart from
// the actions so that retention does not lose it. The zero value knows nothing.
type Requested struct {
	Replicas int `json:"replicas"`
	// Known is false where the only request ever made was refused.
	Known bool      `json:"known"`
	At    time.Time `json:"at,omitzero"`
	// Action is the newest action that was looked at; an update of an older
	// one changes nothing any more.
	Action string `json:"action,omitempty"`
	// Foreign: someone else set the count after that action.
	Foreign bool `json:"foreign,omitempty"`
	// Before is what held before an action that may yet turn out never to
	// have been applied.
	Before *Requested `json:"before,omitempty"`
}

// After is what holds after a became as it is now, and whether that differs. R
// is not changed.
//
// An intended action counts at once: its decision is durable, and where its
// platform dies with the server the number has to come from here. If it then
// proves not to have been applied, or was refused, what held before returns.
func (r Requested) After(a Action) (Requested, bool) {
	if a.ID < r.Action || a.ID == r.Action && r.Foreign {
		return r, false
	}
	switch {
	case a.State == Intended:
		if a.ID == r.Action {
			return r, false
		}
		before := r
		before.Before = nil
		return Requested{Replicas: a.To, Known: true, At: a.Created, Action: a.ID, Before: &before}, true
	case a.State == NotApplied, a.State == Failed && a.Accepted.IsZero():
		if a.ID != r.Action || r.Before == nil {
			return r, false
		}
		back := *r.Before
		back.Action = a.ID
		return back, true
	default:
		at := a.Accepted
		if at.IsZero() {
			at = a.Created
		}
		return Requested{Replicas: a.To, Known: true, At: at, Action: a.ID}, true
	}
}

// AfterForeign is what holds after someone else set the count at that time. R is
// not changed.
func (r Requested) AfterForeign(replicas int, at time.Time) Requested {
	return Requested{Replicas: replicas, Known: true, At: at, Action: r.Action, Foreign: true}
}

// applyRequested keeps the count last requested in step with a.
func applyRequested(tx *bbolt.Tx, a Action) error {
	key := targetKey(a.Policy, a.Target)
	// What cannot be read is replaced: it must not fail every transaction
	// from now on.
	r, _ := getRequested(tx, key)
	if next, changed := r.After(a); changed {
		return putRequested(tx, key, next)
	}
	return nil
}

type requestedWrite struct {
	key      []byte
	replicas int
	at       time.Time
}

func (w *requestedWrite) size() int { return len(w.key) + 64 }

func (w *requestedWrite) apply(tx *bbolt.Tx) error {
	r, _ := getRequested(tx, w.key) // unreadable: replaced
	return putRequested(tx, w.key, r.AfterForeign(w.replicas, w.at))
}

func getRequested(tx *bbolt.Tx, key []byte) (Requested, error) {
	var r Requested
	value := bucket(tx, bucketRequested).Get(key)
	if value == nil {
		return r, nil
	}
	if err := decode(bucketRequested, key, value, &r); err != nil {
		return Requested{}, fmt.Errorf("decode the count last requested under %q: %w", key, err)
	}
	return r, nil
}

func putRequested(tx *bbolt.Tx, key []byte, r Requested) error {
	value, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode the count last requested under %q: %w", key, err)
	}
	if err := put(tx, bucketRequested, key, value); err != nil {
		return fmt.Errorf("store the count last requested under %q: %w", key, err)
	}
	return nil
}

// SetRequested records that a target's count was set by someone else: it
// replaces what the actions so far have said, and is durable when it returns.
func (l *Ledger) SetRequested(policy, target string, replicas int, at time.Time) error {
	if err := checkTarget(policy, target); err != nil {
		return err
	}
	w := &requestedWrite{key: targetKey(policy, target), replicas: replicas, at: at}
	return l.commitPatiently(encoded{writes: []write{w}})
}

// LastRequested returns the count that a target was last asked for, by an
// action that the platform accepted or may have accepted, or by someone else
// (SetRequested). It outlives retention. False: nothing is known.
func (l *Ledger) LastRequested(policy, target string) (int, bool, error) {
	if err := checkTarget(policy, target); err != nil {
		return 0, false, err
	}
	var r Requested
	err := l.view(func(tx *bbolt.Tx) (err error) {
		r, err = getRequested(tx, targetKey(policy, target))
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("read the count last requested of %s/%s: %w", policy, target, err)
	}
	return r.Replicas, r.Known, nil
}

func checkTarget(policy, target string) error {
	if err := checkName("policy name", policy); err != nil {
		return err
	}
	return checkName("target name", target)
}
