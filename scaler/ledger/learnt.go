package ledger

import (
	"bytes"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"
)

// learntWrite replaces what was learnt of one resource, or removes it.
type learntWrite Learnt

func (w learntWrite) size() int { return len(w.State) + len(w.Policy) + len(w.Resource) + 64 }

func (w learntWrite) apply(tx *bbolt.Tx) error {
	b, key := bucket(tx, bucketLearnt), targetKey(w.Policy, w.Resource)
	if len(w.State) == 0 {
		if err := b.Delete(key); err != nil {
			return fmt.Errorf("remove what was learnt of %s of policy %q: %w", w.Resource, w.Policy, err)
		}
		return nil
	}
	if err := put(tx, bucketLearnt, key, slices.Clip(w.State)); err != nil {
		return fmt.Errorf("store what was learnt of %s of policy %q: %w", w.Resource, w.Policy, err)
	}
	return nil
}

// Learnt returns what was learnt of a resource of a policy; nil where nothing
// was. The bytes are the caller's.
func (l *Ledger) Learnt(policyName, resource string) (state []byte, err error) {
	err = l.view(func(tx *bbolt.Tx) error {
		key := targetKey(policyName, resource)
		value := bucket(tx, bucketLearnt).Get(key)
		if value == nil {
			return nil
		}
		payload, err := unseal(bucketLearnt, key, value)
		state = append(state, payload...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read what was learnt of %s of policy %q: %w", resource, policyName, err)
	}
	return state, nil
}

// removeLearnt removes what was learnt of all resources of a policy.
func removeLearnt(tx *bbolt.Tx, policyName string) error {
	b, prefix := bucket(tx, bucketLearnt), policyPrefix(policyName)
	// bbolt's cursors do not survive deletes: collect first.
	var keys [][]byte
	c := b.Cursor()
	for key, _ := c.Seek(prefix); bytes.HasPrefix(key, prefix); key, _ = c.Next() {
		keys = append(keys, bytes.Clone(key))
	}
	for _, key := range keys {
		if err := b.Delete(key); err != nil {
			return fmt.Errorf("remove what was learnt of policy %q: %w", policyName, err)
		}
	}
	return nil
}
