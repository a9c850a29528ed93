package ledger

import (
	"fmt"

	"go.etcd.io/bbolt"
)

// learntWrite replaces what was learnt of one resource.
type learntWrite Learnt

func (w learntWrite) size() int { return len(w.State) + len(w.Policy) + len(w.Resource) + 64 }

func (w learntWrite) apply(tx *bbolt.Tx) error {
	if err := bucket(tx, bucketLearnt).Put(targetKey(w.Policy, w.Resource), w.State); err != nil {
		return fmt.Errorf("store what was learnt of %s of policy %q: %w", w.Resource, w.Policy, err)
	}
	return nil
}

// Learnt returns what was learnt of a resource of a policy; nil where nothing
// was. The bytes are the caller's.
func (l *Ledger) Learnt(policyName, resource string) (state []byte, err error) {
	err = l.view(func(tx *bbolt.Tx) error {
		state = append(state, bucket(tx, bucketLearnt).Get(targetKey(policyName, resource))...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what was learnt of %s of policy %q: %w", resource, policyName, err)
	}
	return state, nil
}
