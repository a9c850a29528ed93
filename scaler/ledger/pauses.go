package ledger

import (
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// pauseWrite sets a policy's pause, or removes it where there is no value.
type pauseWrite struct {
	policy string
	value  []byte
}

func (w *pauseWrite) size() int { return len(w.policy) + len(w.value) }

func (w *pauseWrite) apply(tx *bbolt.Tx) error {
	b := bucket(tx, bucketPauses)
	if w.value == nil {
		if err := b.Delete([]byte(w.policy)); err != nil {
			return fmt.Errorf("remove the pause of policy %q: %w", w.policy, err)
		}
		return nil
	}
	if err := b.Put([]byte(w.policy), w.value); err != nil {
		return fmt.Errorf("store the pause of policy %q: %w", w.policy, err)
	}
	return nil
}

// SavePause stores the pause of a policy in place of the one it had; it is
// durable when it returns. Pauses outlive retention.
func (l *Ledger) SavePause(policyName string, p policy.Pause) error {
	if err := checkName("policy name", policyName); err != nil {
		return err
	}
	value, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode the pause of policy %q: %w", policyName, err)
	}
	value = seal(bucketPauses, []byte(policyName), value)
	return l.commit(encoded{writes: []write{&pauseWrite{policyName, value}}})
}

// DeletePause removes the pause of a policy, durably when it returns. That
// there is none is no error.
func (l *Ledger) DeletePause(policyName string) error {
	if err := checkName("policy name", policyName); err != nil {
		return err
	}
	return l.commit(encoded{writes: []write{&pauseWrite{policy: policyName}}})
}

// Pauses returns every pause that is stored, by policy, those that have ended
// too. The map is the caller's.
func (l *Ledger) Pauses() (map[string]policy.Pause, error) {
	names, values, err := all[policy.Pause](l, bucketPauses)
	if err != nil {
		return nil, fmt.Errorf("load pauses: %w", err)
	}
	return byName(names, values), nil
}
