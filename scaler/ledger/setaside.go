package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
	"unicode/utf8"

	"github.com/go-kit/log/level"
	"go.etcd.io/bbolt"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// sideSuffix names the file beside the ledger that keeps what was set aside,
// one JSON object a line.
const sideSuffix = ".set-aside.jsonl"

// lostFor is how long policies that remember nothing are careful after
// something was lost; see Cautious.
const lostFor = 24 * time.Hour

// maxSetAsideLogged bounds the lines of the log about one look at the ledger.
const maxSetAsideLogged = 20

// asideRecord is how a record is kept in the side file.
type asideRecord struct {
	Time   time.Time `json:"time"`
	Bucket string    `json:"bucket"`
	Key    []byte    `json:"key"`
	// Name is the key where it is text.
	Name  string `json:"name,omitempty"`
	Value []byte `json:"value"`
	Error string `json:"error"`
}

// keepAside appends records to the side file, durably.
func keepAside(file string, bad []badRecord, now time.Time) (err error) {
	side := file + sideSuffix
	f, err := os.OpenFile(side, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	for _, b := range bad {
		r := asideRecord{Time: now, Bucket: b.bucket, Key: b.key, Name: nameOf(b), Value: b.value, Error: b.reason.Error()}
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("encode what is set aside: %w", err)
		}
	}
	if _, err := f.Write(lines.Bytes()); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return syncDir(filepath.Dir(file))
}

// nameOf is a record's key in words.
func nameOf(b badRecord) string {
	if id, ok := keyID(b.key); ok && (b.bucket == bucketDecisions || b.bucket == bucketActions || isIndex(b.bucket)) {
		return string(bytes.TrimRight(b.key[:len(b.key)-len(id)], "\x00")) + " " + id.String()
	}
	if text := bytes.ReplaceAll(b.key, []byte{0}, []byte{'/'}); utf8.Valid(text) {
		return string(text)
	}
	return ""
}

// matters reports whether what was decided next could depend on the record.
// Decisions and what is learnt are for people and for comfort.
func (b badRecord) matters(tx *bbolt.Tx) bool {
	switch b.bucket {
	case bucketDecisions, bucketDecisionsByPolicy, bucketActionsByPolicy, bucketLearnt:
		return false
	case bucketActions:
		// An action that is over is history.
		return bucket(tx, bucketActionsOpen).Get(b.key) != nil
	}
	return true
}

// setAside takes records that are not what was written out of the ledger, and
// keeps them in the side file. Where one of them could have mattered to the
// next decision, every policy is made careful: what was lost must not be
// guessed.
func (l *Ledger) setAside(bad []badRecord) error {
	if len(bad) == 0 {
		return nil
	}
	now := l.opts.Now()
	if err := keepAside(l.file, bad, now); err != nil {
		return fmt.Errorf("%d damaged records cannot be set aside, so they stay: %w", len(bad), err)
	}
	careful, indexes := false, false
	var paused []string
	err := l.update(func(tx *bbolt.Tx) error {
		careful, indexes, paused = false, false, nil
		left := make(leftovers)
		for _, b := range bad {
			careful = careful || b.matters(tx)
			indexes = indexes || isIndex(b.bucket)
			again, err := takeOut(tx, b, now, left)
			if err != nil {
				return fmt.Errorf("take a damaged record out of bucket %q: %w", b.bucket, err)
			}
			if again {
				paused = append(paused, string(b.key))
			}
		}
		if err := left.clear(tx); err != nil {
			return err
		}
		if indexes {
			if err := rebuildIndexes(tx); err != nil {
				return err
			}
		}
		if !careful {
			return nil
		}
		return distrust(tx, now)
	})
	if err != nil {
		return err
	}
	l.logSetAside(bad, careful, paused)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range bad {
		l.report.SetAside[b.bucket]++
	}
	l.report.SideFile = l.file + sideSuffix
	l.report.Careful = l.report.Careful || careful
	return nil
}

// leftovers are the keys of records that were taken out, by the bucket in which
// something is left of them. What follows from all of them takes one walk.
type leftovers map[string][][]byte

// takeOut removes one record, and puts in its place what is known without it.
// Again is true where a policy stays paused.
func takeOut(tx *bbolt.Tx, b badRecord, now time.Time, left leftovers) (again bool, err error) {
	in := bucket(tx, b.bucket)
	if current := in.Get(b.key); !bytes.Equal(current, b.value) {
		return false, nil // It was written anew meanwhile.
	}
	if err := in.Delete(b.key); err != nil {
		return false, err
	}
	also := func(name string) { left[name] = append(left[name], b.key) }
	switch b.bucket {
	case bucketDecisions:
		also(bucketDecisionsByPolicy)
		if n := in.Sequence(); n > 0 {
			return false, in.SetSequence(n - 1)
		}
	case bucketActions:
		also(bucketActionsByPolicy)
		return false, bucket(tx, bucketActionsOpen).Delete(b.key)
	case bucketRequested:
		also(bucketRequested)
	case bucketPauses:
		return pauseAgain(tx, b.key, now)
	}
	return false, nil
}

// clear removes from the indexes what was taken out, and works out the counts
// last requested.
func (left leftovers) clear(tx *bbolt.Tx) error {
	for _, name := range []string{bucketDecisionsByPolicy, bucketActionsByPolicy} {
		if err := dropFromIndex(tx, name, left[name]); err != nil {
			return err
		}
	}
	if len(left[bucketRequested]) == 0 {
		return nil
	}
	return recount(tx)
}

// dropFromIndex removes where an index has one of the IDs. Whose they were is
// not known.
func dropFromIndex(tx *bbolt.Tx, name string, ids [][]byte) error {
	if len(ids) == 0 {
		return nil
	}
	gone := make(map[string]bool, len(ids))
	for _, id := range ids {
		gone[string(id)] = true
	}
	var keys [][]byte
	err := bucket(tx, name).ForEach(func(key, _ []byte) error {
		if id, ok := keyID(key); ok && gone[string(id[:])] {
			keys = append(keys, bytes.Clone(key))
		}
		return nil
	})
	for _, key := range keys {
		err = errors.Join(err, bucket(tx, name).Delete(key))
	}
	return err
}

// lostPause is the comment of a pause whose own cannot be read.
const lostPause = "the pause that somebody had set could not be read any more; resume the policy if it is over"

// pauseAgain keeps a policy paused whose pause was lost: until when is not
// known, and somebody had the target in hand.
func pauseAgain(tx *bbolt.Tx, name []byte, now time.Time) (bool, error) {
	if !couldBeName(name) {
		return false, nil
	}
	value, err := json.Marshal(policy.Pause{Since: now, By: "alertscaler", Comment: lostPause})
	if err != nil {
		return false, err
	}
	return true, put(tx, bucketPauses, name, value)
}

func couldBeName(name []byte) bool {
	return utf8.Valid(name) && checkName("policy name", string(name)) == nil
}

// decodes reads a value, or reports that it is not what was written, which
// others set aside.
func decodes(name string, key, value []byte, v any) bool { return decode(name, key, value, v) == nil }

// recount works out the counts last requested that are missing, from the
// actions that are left.
func recount(tx *bbolt.Tx) error {
	counts := make(map[string]Requested)
	b := bucket(tx, bucketActions)
	err := b.ForEach(func(key, value []byte) error {
		var a Action
		if !decodes(bucketActions, key, value, &a) {
			return nil
		}
		name := string(targetKey(a.Policy, a.Target))
		if next, changed := counts[name].After(a); changed {
			counts[name] = next
		}
		return nil
	})
	if err != nil {
		return err
	}
	for name, r := range counts {
		if bucket(tx, bucketRequested).Get([]byte(name)) == nil && r.Known {
			if err := putRequested(tx, []byte(name), r); err != nil {
				return err
			}
		}
	}
	return nil
}

// rebuildIndexes makes the indexes from what they are of, and counts the
// decisions.
func rebuildIndexes(tx *bbolt.Tx) error {
	for _, name := range []string{bucketDecisionsByPolicy, bucketActionsByPolicy, bucketActionsOpen} {
		if bucket(tx, name) != nil {
			if err := tx.DeleteBucket([]byte(name)); err != nil {
				return err
			}
		}
		if _, err := tx.CreateBucket([]byte(name)); err != nil {
			return err
		}
	}
	var n uint64
	err := bucket(tx, bucketDecisions).ForEach(func(key, value []byte) error {
		n++
		var owner struct {
			Policy string `json:"policy"`
		}
		if id, ok := keyID(key); ok && decodes(bucketDecisions, key, value, &owner) {
			return put(tx, bucketDecisionsByPolicy, indexKey(owner.Policy, id), nil)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := bucket(tx, bucketDecisions).SetSequence(n); err != nil {
		return err
	}
	return bucket(tx, bucketActions).ForEach(func(key, value []byte) error {
		var a Action
		id, ok := keyID(key)
		if !ok || !decodes(bucketActions, key, value, &a) {
			return nil
		}
		if err := put(tx, bucketActionsByPolicy, indexKey(a.Policy, id), nil); err != nil {
			return err
		}
		if a.State.Open() {
			return put(tx, bucketActionsOpen, key, nil)
		}
		return nil
	})
}

// distrust makes every policy careful, those that remember something here and
// the others by Cautious.
func distrust(tx *bbolt.Tx, now time.Time) error {
	changed := make(map[string][]byte)
	err := bucket(tx, bucketHistories).ForEach(func(key, value []byte) error {
		var h policy.History
		if !decodes(bucketHistories, key, value, &h) {
			return nil
		}
		h.Distrust(now)
		text, err := json.Marshal(h)
		if err != nil {
			return fmt.Errorf("encode history of policy %q: %w", key, err)
		}
		changed[string(key)] = text
		return nil
	})
	if err != nil {
		return err
	}
	for name, text := range changed {
		if err := put(tx, bucketHistories, []byte(name), text); err != nil {
			return err
		}
	}
	return bucket(tx, bucketMeta).Put([]byte(keyLost), []byte(now.UTC().Format(time.RFC3339)))
}

// Cautious reports whether something was lost lately that policies remembered.
// Those of which the ledger has no history may have had one: they should begin
// carefully, see policy.History.Distrust. Those that have one are careful by
// themselves.
func (l *Ledger) Cautious() bool { return l.cautious }

func readCautious(tx *bbolt.Tx, now time.Time) bool {
	at, err := time.Parse(time.RFC3339, string(bucket(tx, bucketMeta).Get([]byte(keyLost))))
	return err == nil && now.Sub(at) < lostFor
}

func (l *Ledger) logSetAside(bad []badRecord, careful bool, paused []string) {
	side := l.file + sideSuffix
	for i, b := range bad {
		l.metrics.setAside.WithLabelValues(b.bucket).Inc()
		if i < maxSetAsideLogged {
			level.Error(l.logger).Log("msg", "a record of the ledger is damaged and was set aside", "bucket", b.bucket, "record", nameOf(b), "kept_in", side, "err", b.reason)
		}
	}
	if n := len(bad) - maxSetAsideLogged; n > 0 {
		level.Error(l.logger).Log("msg", "more records of the ledger are damaged and were set aside", "records", n, "kept_in", side)
	}
	for _, name := range paused {
		level.Error(l.logger).Log("msg", "the pause of a policy could not be read: it stays paused until somebody resumes it", "policy", name, "kept_in", side)
	}
	if careful {
		level.Warn(l.logger).Log("msg", "what policies remembered is no longer complete: none scales down before a full stabilization window and a cooldown have passed")
	}
}
