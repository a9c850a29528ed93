package simulate

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alertscaler/alertscaler/scaler"
	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// Ledger is the engine's and the book's memory without a file. It keeps what
// the durable one keeps; whoever reads what the last run left gets it through
// JSON, so that what does not survive its encoding does not survive here. All
// methods are goroutine-safe.
type Ledger struct {
	mu        sync.Mutex // guards everything below
	ids       uint64
	histories map[string]policy.History
	open      map[string]ledger.Action
	requested map[targetKey]ledger.Requested
	alerts    map[string]alerts.Alert
	pauses    map[string]policy.Pause
	learnt    map[targetKey][]byte
}

var (
	_ scaler.Ledger = (*Ledger)(nil)
	_ alerts.Store  = (*Ledger)(nil)
	_ Durable       = (*Ledger)(nil)
)

type targetKey struct{ policy, target string }

// NewLedger returns an empty ledger.
func NewLedger() *Ledger {
	return &Ledger{
		histories: make(map[string]policy.History),
		open:      make(map[string]ledger.Action),
		requested: make(map[targetKey]ledger.Requested),
		alerts:    make(map[string]alerts.Alert),
		pauses:    make(map[string]policy.Pause),
		learnt:    make(map[targetKey][]byte),
	}
}

// Close does nothing: what was kept stays.
func (l *Ledger) Close() error { return nil }

// Err is nil: memory can always be written.
func (l *Ledger) Err() error { return nil }

// NewID returns identifiers that count.
func (l *Ledger) NewID(time.Time) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ids++
	return fmt.Sprintf("%026d", l.ids)
}

// Commit remembers r, which nobody changes any more.
func (l *Ledger) Commit(r ledger.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.Copy(l.histories, r.Histories)
	for _, k := range r.Learnt {
		l.learnt[targetKey{k.Policy, k.Resource}] = k.State
	}
	for _, a := range r.Actions {
		if a.State.Open() {
			l.open[a.ID] = a
		} else {
			delete(l.open, a.ID)
		}
		key := targetKey{a.Policy, a.Target}
		l.requested[key], _ = l.requested[key].After(a)
	}
	return nil
}

// Enqueue is Commit: nothing is slow here.
func (l *Ledger) Enqueue(r ledger.Record) { _ = l.Commit(r) }

// Histories returns what the policies remember.
func (l *Ledger) Histories() (map[string]policy.History, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return recoded(l.histories)
}

// OpenActions returns the actions that are not final, in the order made.
func (l *Ledger) OpenActions() ([]ledger.Action, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := slices.Collect(maps.Values(l.open))
	slices.SortFunc(all, func(a, b ledger.Action) int { return strings.Compare(a.ID, b.ID) })
	return recoded(all)
}

// Learnt returns what was learnt of a resource; nil where nothing was.
func (l *Ledger) Learnt(policyName, resource string) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.learnt[targetKey{policyName, resource}], nil
}

// LastRequested returns the number last asked of the target by anyone here.
func (l *Ledger) LastRequested(policyName, targetName string) (int, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.requested[targetKey{policyName, targetName}]
	return r.Replicas, r.Known, nil
}

// SetRequested records that someone else set a target's count.
func (l *Ledger) SetRequested(policyName, targetName string, n int, at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := targetKey{policyName, targetName}
	l.requested[key] = l.requested[key].AfterForeign(n, at)
	return nil
}

// SavePause remembers the pause of a policy, DeletePause forgets it.
func (l *Ledger) SavePause(policyName string, p policy.Pause) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pauses[policyName] = p
	return nil
}

// DeletePause forgets the pause of a policy; that it has none is no error.
func (l *Ledger) DeletePause(policyName string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pauses, policyName)
	return nil
}

// Pauses returns all pauses by policy.
func (l *Ledger) Pauses() (map[string]policy.Pause, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return recoded(l.pauses)
}

// SaveAlerts implements alerts.Store.
func (l *Ledger) SaveAlerts(_ context.Context, save []alerts.Alert, remove []string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, fp := range remove {
		delete(l.alerts, fp)
	}
	for _, a := range save {
		l.alerts[a.Fingerprint] = a
	}
	return nil
}

// LoadAlerts implements alerts.Store.
func (l *Ledger) LoadAlerts() ([]alerts.Alert, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return recoded(slices.Collect(maps.Values(l.alerts)))
}

// recoded is what comes back of v once it was written down.
func recoded[V any](v V) (V, error) {
	var back V
	b, err := json.Marshal(v)
	if err != nil {
		return back, fmt.Errorf("encode %T: %w", v, err)
	}
	if err := json.Unmarshal(b, &back); err != nil {
		return back, fmt.Errorf("decode %T: %w", v, err)
	}
	return back, nil
}
