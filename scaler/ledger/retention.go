package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
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
	// pruneShare is the most of what there is that one pass removes for its
	// age, where that is more than pruneLeast. A clock that is wrong cannot
	// take everything with it, and the pace is still a hundred times what
	// records come in at.
	pruneShare = 100
	pruneLeast = 100
	// historyLeast is the same for histories.
	historyLeast = 10
)

// runPruner removes what is too old or too much, for as long as the ledger is
// open. Its transactions are small, and the committer's come in between.
func (l *Ledger) runPruner() {
	defer close(l.pruner)
	records, histories := time.NewTicker(pruneInterval), time.NewTicker(historyInterval)
	defer records.Stop()
	defer histories.Stop()
	var steady steadiness
	prune := l.pruneRecords
	for {
		now := l.opts.Now()
		byAge, jumped := steady.look(now, time.Now())
		if jumped != 0 {
			level.Warn(l.logger).Log("msg", "the clock was set: nothing is removed from the ledger for its age until it has run steadily for a while", "by", jumped.Round(time.Second), "for", steadyFor)
		}
		if err := prune(now, byAge); err != nil {
			level.Error(l.logger).Log("msg", "old records of the ledger cannot be removed", "err", err)
		}
		select {
		case <-records.C:
			prune = l.pruneRecords
		case <-histories.C:
			prune = l.pruneHistories
		case <-l.closing:
			return
		case <-l.broken:
			return
		}
	}
}

const (
	// steadyFor is how long the clock must have run steadily before anything
	// is removed for its age. A machine may start with any time of day.
	steadyFor = 15 * time.Minute
	// steadyWithin is how far the clock may run from the monotonic one and
	// still be steady.
	steadyWithin = time.Minute
)

// steadiness tells whether the clock runs as the monotonic one does.
type steadiness struct {
	// wall is the clock's time at mono, since when it has run steadily.
	wall, mono time.Time
	// trusted is by how much the clock was ahead of mono when it had last run
	// steadily for long enough.
	trusted time.Duration
	proven  bool
}

// look compares both clocks. Steady: what the clock says may be relied upon.
// Jumped is by how much it was set since the last look; 0: it was not.
func (s *steadiness) look(wall, mono time.Time) (steady bool, jumped time.Duration) {
	wall = wall.Round(0) // compared by the time of day
	if s.mono.IsZero() {
		s.wall, s.mono = wall, mono
		return false, 0
	}
	ran := mono.Sub(s.mono)
	if off := wall.Sub(s.wall) - ran; off.Abs() > steadyWithin {
		s.trusted -= off
		s.wall, s.mono, jumped = wall, mono, off
		ran = 0
	}
	switch {
	case ran >= steadyFor:
		s.trusted, s.proven = 0, true
	case s.proven && s.trusted.Abs() <= steadyWithin:
		// It was set back to what it had been.
	default:
		return false, jumped
	}
	return true, jumped
}

// cutoff is the age limit; the beginning of time where everything is kept.
func (l *Ledger) cutoff(now time.Time) time.Time {
	if l.opts.Retention < 0 {
		return time.Time{}
	}
	return now.Add(-l.opts.Retention)
}

// pruneRecords removes decisions and ended actions from before now minus the
// retention, unless the clock may be wrong, and the oldest decisions where
// there are too many. For their age it removes no more than a share.
func (l *Ledger) pruneRecords(now time.Time, byAge bool) error {
	limits := pruneLimits{now: now, cutoff: l.cutoff(now)}
	if !byAge {
		limits.cutoff = time.Time{}
	}
	for _, step := range []pruneStep{l.pruneDecisions, pruneActions} {
		limits.left = -1
		for full := true; full; {
			select {
			case <-l.closing:
				return nil
			default:
			}
			removed, bad, err := l.pruneOnce(step, &limits)
			if err != nil {
				return err
			}
			l.metrics.pruned.Add(float64(removed))
			if err := l.setAside(bad); err != nil {
				return err
			}
			full = removed == pruneBatch
		}
	}
	return nil
}

// pruneLimits are what one pass may remove.
type pruneLimits struct {
	now, cutoff time.Time
	// left is how many more may go for their age; -1: not worked out yet.
	left int
}

func (p *pruneLimits) begin(records int) {
	if p.left < 0 {
		p.left = max(pruneLeast, records/pruneShare)
	}
}

// old reports whether a record may go for its age. Where its ID is later than
// now, because the clock was ahead once, its own time counts.
func (p *pruneLimits) old(id ulid.ULID, own func() time.Time) bool {
	if p.left <= 0 {
		return false
	}
	if id.Time() > timestamp(p.now) {
		return own().Before(p.cutoff)
	}
	return id.Time() < timestamp(p.cutoff)
}

// pruneStep is one transaction's work.
type pruneStep func(*bbolt.Tx, *pruneLimits) (removed int, bad []badRecord, err error)

// pruneOnce is one transaction of a step. The file is not touched where there
// is nothing to remove.
func (l *Ledger) pruneOnce(step pruneStep, limits *pruneLimits) (removed int, bad []badRecord, err error) {
	err = l.transact(func() error {
		tx, err := l.db.Begin(true)
		if err != nil {
			return err
		}
		// After a commit this does nothing.
		defer func() { _ = tx.Rollback() }()
		if removed, bad, err = step(tx, limits); err != nil || removed == 0 {
			return err
		}
		return tx.Commit()
	})
	return removed, bad, err
}

// pruneDecisions removes from the old end of the bucket.
func (l *Ledger) pruneDecisions(tx *bbolt.Tx, limits *pruneLimits) (int, []badRecord, error) {
	b := bucket(tx, bucketDecisions)
	limits.begin(int(b.Sequence()))
	excess := 0
	if l.opts.MaxDecisions > 0 {
		excess = int(b.Sequence()) - l.opts.MaxDecisions
	}
	removed, bad, err := removeOldest(tx, bucketDecisions, bucketDecisionsByPolicy, func(id ulid.ULID, own func() time.Time, removed int) verdict {
		switch {
		case removed < excess:
			return remove
		case limits.old(id, own):
			limits.left--
			return remove
		}
		return stop
	})
	if err == nil && removed > 0 {
		err = b.SetSequence(b.Sequence() - uint64(removed))
	}
	return removed, bad, err
}

// pruneActions leaves open actions alone, whatever their age: somebody still
// has to settle them.
func pruneActions(tx *bbolt.Tx, limits *pruneLimits) (int, []badRecord, error) {
	limits.begin(int(bucket(tx, bucketDecisions).Sequence()))
	open := bucket(tx, bucketActionsOpen)
	return removeOldest(tx, bucketActions, bucketActionsByPolicy, func(id ulid.ULID, own func() time.Time, _ int) verdict {
		if !limits.old(id, own) {
			return stop
		}
		if key, _ := open.Cursor().Seek(id[:]); bytes.Equal(key, id[:]) {
			return keep
		}
		limits.left--
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

// owned is what decisions and actions tell of themselves.
type owned struct {
	Policy  string    `json:"policy"`
	Time    time.Time `json:"time"`
	Created time.Time `json:"created"`
}

func (o *owned) at() time.Time {
	if o.Created.After(o.Time) {
		return o.Created
	}
	return o.Time
}

// removeOldest walks a bucket from its old end and removes at most pruneBatch
// records that judge condemns, and their place in the index. Those that are not
// what was written are bad, and stay.
func removeOldest(tx *bbolt.Tx, name, indexName string, judge func(id ulid.ULID, own func() time.Time, removed int) verdict) (int, []badRecord, error) {
	// bbolt's cursors do not survive deletes: collect first.
	var condemned []ulid.ULID
	var bad []badRecord
	policies := map[ulid.ULID]string{}
	b, index := bucket(tx, name), bucket(tx, indexName)
	c := b.Cursor()
walk:
	for key, value := c.First(); key != nil && len(condemned) < pruneBatch; key, value = c.Next() {
		id, ok := keyID(key)
		var o owned
		var reason error
		read := sync.OnceFunc(func() { reason = decode(name, key, value, &o) })
		own := func() time.Time { read(); return o.at() }
		switch {
		case !ok:
			reason = errNotAnID
		default:
			switch judge(id, own, len(condemned)) {
			case stop:
				break walk
			case keep:
				continue
			case remove:
			}
			read()
		}
		if reason != nil {
			bad = append(bad, badRecord{name, bytes.Clone(key), bytes.Clone(value), reason})
			continue
		}
		condemned = append(condemned, id)
		policies[id] = o.Policy
	}
	for _, id := range condemned {
		if err := index.Delete(indexKey(policies[id], id)); err != nil {
			return 0, bad, fmt.Errorf("remove %s from its index: %w", id, err)
		}
		if err := b.Delete(id[:]); err != nil {
			return 0, bad, fmt.Errorf("remove %s: %w", id, err)
		}
	}
	return len(condemned), bad, nil
}

var errNotAnID = errors.New("its key is not an ID")

// pruneHistories removes those of policies that are gone: nothing was added
// to them for the retention, which is longer than any window or cooldown.
func (l *Ledger) pruneHistories(now time.Time, byAge bool) error {
	if !byAge {
		return nil
	}
	cutoff := l.cutoff(now)
	// Found without keeping writers out, and removed only where still so.
	condemned := map[string][]byte{}
	var bad []badRecord
	err := l.view(func(tx *bbolt.Tx) error {
		total := 0
		err := bucket(tx, bucketHistories).ForEach(func(name, value []byte) error {
			total++
			var h policy.History
			switch err := decode(bucketHistories, name, value, &h); {
			case err != nil:
				bad = append(bad, badRecord{bucketHistories, bytes.Clone(name), bytes.Clone(value), err})
			case lastUse(h).Before(cutoff):
				condemned[string(name)] = bytes.Clone(value)
			}
			return nil
		})
		share := max(historyLeast, total/pruneShare)
		for name := range condemned {
			if len(condemned) <= share {
				break
			}
			delete(condemned, name)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := l.setAside(bad); err != nil || len(condemned) == 0 {
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
