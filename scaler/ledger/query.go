package ledger

import (
	"bytes"
	"fmt"
	"time"

	"github.com/go-kit/log/level"
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

// list walks one bucket backwards, or one policy's part of its index. What is
// not what was written is left out, and set aside.
func list[T any](l *Ledger, q Query, values, index string, made func(*T) time.Time) ([]T, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	var found []T
	var damaged []badRecord
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
			v, bad := get[T](tx, values, id)
			switch {
			case bad == nil && !made(&v).Before(q.Since):
				found = append(found, v)
			case bad != nil && bad.value != nil:
				damaged = append(damaged, *bad)
			}
		}
		return nil
	})
	if err == nil && len(damaged) > 0 {
		if err := l.setAside(damaged); err != nil {
			level.Error(l.logger).Log("msg", "damaged records of the ledger are left out", "records", len(damaged), "err", err)
		}
	}
	return found, err
}

// OpenActions returns the actions whose state is not final, oldest first. It
// reads those alone.
func (l *Ledger) OpenActions() ([]Action, error) {
	var open []Action
	read := func() (damaged []badRecord, err error) {
		open = nil
		err = l.view(func(tx *bbolt.Tx) error {
			return bucket(tx, bucketActionsOpen).ForEach(func(key, value []byte) error {
				id, _ := keyID(key)
				a, bad := get[Action](tx, bucketActions, id)
				switch {
				case bad == nil:
					open = append(open, a)
				case bad.value != nil:
					damaged = append(damaged, *bad)
				default:
					damaged = append(damaged, badRecord{bucketActionsOpen, bytes.Clone(key), bytes.Clone(value), bad.reason})
				}
				return nil
			})
		})
		return damaged, err
	}
	damaged, err := read()
	if err == nil && len(damaged) > 0 {
		if err = l.setAside(damaged); err == nil {
			_, err = read()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read open actions: %w", err)
	}
	return open, nil
}

// Histories returns what every policy has to remember, by policy.
func (l *Ledger) Histories() (map[string]policy.History, error) {
	names, values, err := all[policy.History](l, bucketHistories)
	if err != nil {
		return nil, fmt.Errorf("read histories: %w", err)
	}
	return byName(names, values), nil
}

func byName[T any](names []string, values []T) map[string]T {
	m := make(map[string]T, len(names))
	for i, name := range names {
		m[name] = values[i]
	}
	return m
}
