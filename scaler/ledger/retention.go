package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-kit/log/level"
	"github.com/oklog/ulid/v2"
	"go.etcd.io/bbolt"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

const (
	pruneInterval = time.Minute
	// historyInterval is longer, as every history must be read for it.
	historyInterval = time.Hour
	// pruneBatch bounds how long one transaction of the pruner keeps others
	// from the file.
	pruneBatch = 500
)

// runPruner removes what is too old or too much, for as long as the ledger is
// open. Its transactions are small, and the committer's come in between.
func (l *Ledger) runPruner() {
	defer close(l.pruner)
	records, histories := time.NewTicker(pruneInterval), time.NewTicker(historyInterval)
	defer records.Stop()
	defer histories.Stop()
	prune := l.pruneRecords
	for {
		if err := prune(l.opts.Now()); err != nil {
			level.Error(l.logger).Log("msg", "old records of the ledger cannot be removed", "err", err)
		}
		select {
		case <-records.C:
			prune = l.pruneRecords
		case <-histories.C:
			prune = l.pruneHistories
		case <-l.closing:
			return
		}
	}
}

// cutoff is the age limit; the beginning of time where everything is kept.
func (l *Ledger) cutoff(now time.Time) time.Time {
	if l.opts.Retention < 0 {
		return time.Time{}
	}
	return now.Add(-l.opts.Retention)
}

// pruneRecords removes decisions and ended actions from before now minus the
// retention, and the oldest decisions where there are too many.
func (l *Ledger) pruneRecords(now time.Time) error {
	cutoff := l.cutoff(now)
	for _, step := range []func(*bbolt.Tx, time.Time) (int, error){l.pruneDecisions, pruneActions} {
		for full := true; full; {
			select {
			case <-l.closing:
				return nil
			default:
			}
			removed, err := l.pruneOnce(step, cutoff)
			if err != nil {
				return err
			}
			l.metrics.pruned.Add(float64(removed))
			full = removed == pruneBatch
		}
	}
	return nil
}

// pruneOnce is one transaction of a step. The file is not touched where there
// is nothing to remove.
func (l *Ledger) pruneOnce(step func(*bbolt.Tx, time.Time) (int, error), cutoff time.Time) (removed int, err error) {
	err = l.transact(func() error {
		tx, err := l.db.Begin(true)
		if err != nil {
			return err
		}
		// After a commit this does nothing.
		defer func() { _ = tx.Rollback() }()
		if removed, err = step(tx, cutoff); err != nil || removed == 0 {
			return err
		}
		return tx.Commit()
	})
	return removed, err
}

// pruneDecisions removes from the old end of the bucket.
func (l *Ledger) pruneDecisions(tx *bbolt.Tx, cutoff time.Time) (int, error) {
	b, index := bucket(tx, bucketDecisions), bucket(tx, bucketDecisionsByPolicy)
	excess := 0
	if l.opts.MaxDecisions > 0 {
		excess = int(b.Sequence()) - l.opts.MaxDecisions
	}
	removed, err := removeOldest(b, index, func(id ulid.ULID, removed int) verdict {
		if id.Time() >= timestamp(cutoff) && removed >= excess {
			return stop
		}
		return remove
	})
	if err == nil && removed > 0 {
		err = b.SetSequence(b.Sequence() - uint64(removed))
	}
	return removed, err
}

// pruneActions leaves open actions alone, whatever their age: somebody still
// has to settle them.
func pruneActions(tx *bbolt.Tx, cutoff time.Time) (int, error) {
	open := bucket(tx, bucketActionsOpen)
	return removeOldest(bucket(tx, bucketActions), bucket(tx, bucketActionsByPolicy), func(id ulid.ULID, _ int) verdict {
		if id.Time() >= timestamp(cutoff) {
			return stop
		}
		if key, _ := open.Cursor().Seek(id[:]); bytes.Equal(key, id[:]) {
			return keep
		}
		return remove
	})
}

// verdict is what to do with one record.
type verdict int

const (
	stop verdict = iota
	keep
	remove
)

// removeOldest walks a bucket from its old end and removes at most pruneBatch
// records that judge condemns, and their place in the index.
func removeOldest(b, index *bbolt.Bucket, judge func(id ulid.ULID, removed int) verdict) (int, error) {
	// bbolt's cursors do not survive deletes: collect first.
	var condemned []ulid.ULID
	policies := map[ulid.ULID]string{}
	c := b.Cursor()
walk:
	for key, value := c.First(); key != nil && len(condemned) < pruneBatch; key, value = c.Next() {
		id, ok := keyID(key)
		if !ok {
			return 0, fmt.Errorf("%w: %q is not an ID", ErrDamaged, key)
		}
		switch judge(id, len(condemned)) {
		case stop:
			break walk
		case keep:
			continue
		case remove:
		}
		var owner struct {
			Policy string `json:"policy"`
		}
		if err := json.Unmarshal(value, &owner); err != nil {
			return 0, fmt.Errorf("decode %s: %w", id, err)
		}
		condemned = append(condemned, id)
		policies[id] = owner.Policy
	}
	for _, id := range condemned {
		if err := index.Delete(indexKey(policies[id], id)); err != nil {
			return 0, fmt.Errorf("remove %s from its index: %w", id, err)
		}
		if err := b.Delete(id[:]); err != nil {
			return 0, fmt.Errorf("remove %s: %w", id, err)
		}
	}
	return len(condemned), nil
}

// pruneHistories removes those of policies that are gone: nothing was added
// to them for the retention, which is longer than any window or cooldown.
func (l *Ledger) pruneHistories(now time.Time) error {
	cutoff := l.cutoff(now)
	// Found without keeping writers out, and removed only where still so.
	condemned := map[string][]byte{}
	err := l.view(func(tx *bbolt.Tx) error {
		return bucket(tx, bucketHistories).ForEach(func(name, value []byte) error {
			var h policy.History
			if err := json.Unmarshal(value, &h); err != nil {
				return fmt.Errorf("decode history of policy %q: %w", name, err)
			}
			if lastUse(h).Before(cutoff) {
				condemned[string(name)] = bytes.Clone(value)
			}
			return nil
		})
	})
	if err != nil || len(condemned) == 0 {
		return err
	}
	removed := 0
	err = l.update(func(tx *bbolt.Tx) error {
		b := bucket(tx, bucketHistories)
		for name, value := range condemned {
			if !bytes.Equal(b.Get([]byte(name)), value) {
				continue
			}
			if err := b.Delete([]byte(name)); err != nil {
				return fmt.Errorf("remove history of policy %q: %w", name, err)
			}
			if err := removeLearnt(tx, name); err != nil {
				return err
			}
			removed++
		}
		return nil
	})
	if err != nil {
		return err
	}
	l.metrics.pruned.Add(float64(removed))
	return nil
}

// lastUse is the latest time that a history speaks of.
func lastUse(h policy.History) time.Time {
	last := h.Observed
	if h.LastSeen.After(last) {
		last = h.LastSeen
	}
	if n := len(h.Samples); n > 0 && h.Samples[n-1].Last.After(last) {
		last = h.Samples[n-1].Last
	}
	if n := len(h.Moves); n > 0 {
		for _, t := range []time.Time{h.Moves[n-1].At, h.Moves[n-1].Converged} {
			if t.After(last) {
				last = t
			}
		}
	}
	return last
}
