package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

const defaultLimit = 100

// Decisions returns what q selects, newest first.
func (l *Ledger) Decisions(q Query) ([]policy.Decision, error) {
	ds, err := list(l, q, bucketDecisions, bucketDecisionsByPolicy, func(d *policy.Decision) time.Time { return d.Time })
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	return ds, nil
}

// Actions returns what q selects, newest first.
func (l *Ledger) Actions(q Query) ([]Action, error) {
	as, err := list(l, q, bucketActions, bucketActionsByPolicy, func(a *Action) time.Time { return a.Created })
	if err != nil {
		return nil, fmt.Errorf("read actions: %w", err)
	}
	return as, nil
}

// list walks one bucket backwards, or one policy's part of its index.
func list[T any](l *Ledger, q Query, values, index string, made func(*T) time.Time) ([]T, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	var found []T
	err := l.view(func(tx *bbolt.Tx) error {
		// A record is never older than its ID, so the first ID that is too
		// old ends the walk.
		var since uint64
		if !q.Since.IsZero() {
			since = timestamp(q.Since)
		}
		for id := range newest(tx, q.Policy, values, index) {
			if len(found) == limit || id.Time() < since {
				return nil
			}
			v, err := get[T](tx, values, id)
			if err != nil {
				return err
			}
			if made(&v).Before(q.Since) {
				continue
			}
			found = append(found, v)
		}
		return nil
	})
	return found, err
}

// OpenActions returns the actions whose state is not final, oldest first. It
// reads those alone.
func (l *Ledger) OpenActions() ([]Action, error) {
	var open []Action
	err := l.view(func(tx *bbolt.Tx) error {
		return bucket(tx, bucketActionsOpen).ForEach(func(key, _ []byte) error {
			id, _ := keyID(key)
			a, err := get[Action](tx, bucketActions, id)
			open = append(open, a)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read open actions: %w", err)
	}
	return open, nil
}

// Histories returns what every policy has to remember, by policy.
func (l *Ledger) Histories() (map[string]policy.History, error) {
	all := map[string]policy.History{}
	err := l.view(func(tx *bbolt.Tx) error {
		return bucket(tx, bucketHistories).ForEach(func(name, value []byte) error {
			var h policy.History
			if err := json.Unmarshal(value, &h); err != nil {
				return fmt.Errorf("decode history of policy %q: %w", name, err)
			}
			all[string(name)] = h
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read histories: %w", err)
	}
	return all, nil
}
