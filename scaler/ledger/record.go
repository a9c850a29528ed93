package ledger

import (
	"encoding/json"
	"fmt"

	"github.com/oklog/ulid/v2"
	"go.etcd.io/bbolt"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// write is one change, encoded and checked by its caller, so that applying it
// can fail only where the file does: one bad record must not fail the others
// of its transaction.
type write interface {
	apply(*bbolt.Tx) error
	// size is roughly what the change holds in memory, in bytes.
	size() int
}

// encoded is a Record ready to be written.
type encoded struct {
	writes    []write
	histories map[string][]byte
}

func (e encoded) records() int { return len(e.writes) + len(e.histories) }

func encode(r Record) (encoded, error) {
	var e encoded
	if r.Decision != nil {
		w, err := encodeDecision(r.Decision)
		if err != nil {
			return encoded{}, err
		}
		e.writes = append(e.writes, w)
	}
	for i := range r.Actions {
		w, err := encodeAction(r.Actions[i])
		if err != nil {
			return encoded{}, err
		}
		e.writes = append(e.writes, w)
	}
	for _, l := range r.Learnt {
		if err := checkName("policy name", l.Policy); err != nil {
			return encoded{}, err
		}
		if err := checkName("resource name", l.Resource); err != nil {
			return encoded{}, err
		}
		e.writes = append(e.writes, learntWrite(l))
	}
	if len(r.Histories) > 0 {
		e.histories = make(map[string][]byte, len(r.Histories))
	}
	for name, h := range r.Histories {
		if err := checkName("policy name", name); err != nil {
			return encoded{}, err
		}
		value, err := json.Marshal(h)
		if err != nil {
			return encoded{}, fmt.Errorf("encode history of policy %q: %w", name, err)
		}
		e.histories[name] = seal(bucketHistories, []byte(name), value)
	}
	return e, nil
}

type decisionWrite struct {
	id     ulid.ULID
	policy string
	value  []byte
}

func encodeDecision(d *policy.Decision) (*decisionWrite, error) {
	id, err := parseID("decision", d.ID)
	if err != nil {
		return nil, err
	}
	if err := checkName("policy name", d.Policy); err != nil {
		return nil, fmt.Errorf("decision %s: %w", d.ID, err)
	}
	value, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encode decision %s: %w", d.ID, err)
	}
	return &decisionWrite{id: id, policy: d.Policy, value: seal(bucketDecisions, id[:], value)}, nil
}

func (w *decisionWrite) size() int { return len(w.value) + len(w.policy) + 64 }

func (w *decisionWrite) apply(tx *bbolt.Tx) error {
	b := bucket(tx, bucketDecisions)
	// Keys only ever arrive at the end, so half-empty pages would stay so.
	b.FillPercent = 0.95
	if b.Get(w.id[:]) == nil {
		if err := b.SetSequence(b.Sequence() + 1); err != nil {
			return fmt.Errorf("count decision %s: %w", w.id, err)
		}
		if err := put(tx, bucketDecisionsByPolicy, indexKey(w.policy, w.id), nil); err != nil {
			return fmt.Errorf("index decision %s: %w", w.id, err)
		}
	}
	if err := b.Put(w.id[:], w.value); err != nil {
		return fmt.Errorf("store decision %s: %w", w.id, err)
	}
	return nil
}

type actionWrite struct {
	id     ulid.ULID
	action Action
	value  []byte
}

func encodeAction(a Action) (*actionWrite, error) {
	id, err := parseID("action", a.ID)
	if err != nil {
		return nil, err
	}
	if err := checkName("policy name", a.Policy); err != nil {
		return nil, fmt.Errorf("action %s: %w", a.ID, err)
	}
	if err := checkName("target name", a.Target); err != nil {
		return nil, fmt.Errorf("action %s: %w", a.ID, err)
	}
	value, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("encode action %s: %w", a.ID, err)
	}
	return &actionWrite{id: id, action: a, value: seal(bucketActions, id[:], value)}, nil
}

func (w *actionWrite) size() int { return 2*len(w.value) + 64 }

func (w *actionWrite) apply(tx *bbolt.Tx) error {
	b, open := bucket(tx, bucketActions), bucket(tx, bucketActionsOpen)
	if b.Get(w.id[:]) == nil {
		if err := put(tx, bucketActionsByPolicy, indexKey(w.action.Policy, w.id), nil); err != nil {
			return fmt.Errorf("index action %s: %w", w.id, err)
		}
	}
	if err := b.Put(w.id[:], w.value); err != nil {
		return fmt.Errorf("store action %s: %w", w.id, err)
	}
	var err error
	if w.action.State.Open() {
		err = put(tx, bucketActionsOpen, w.id[:], nil)
	} else {
		err = open.Delete(w.id[:])
	}
	if err != nil {
		return fmt.Errorf("index open action %s: %w", w.id, err)
	}
	return applyRequested(tx, w.action)
}
