package alerts

import (
	"cmp"
	"maps"
	"slices"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// The directions of alerts that forbid instead of asking: while one of them is
// active, the policy does not scale up, or down.
const (
	BlockUp   policy.Direction = "block_up"
	BlockDown policy.Direction = "block_down"
)

// directions are all that a rule may have and the book counts.
var directions = []policy.Direction{policy.Up, policy.Down, BlockUp, BlockDown}

// Counts is how many alerts bear on one policy now.
type Counts struct {
	// Up, Down, BlockUp and BlockDown count the active alerts of each
	// direction.
	Up, Down, BlockUp, BlockDown int
	// Silenced counts the firing alerts of direction up or down that a silence
	// suppresses, each once.
	Silenced int
}

// of is the count of one direction's active alerts, nil for a direction that
// is not counted.
func (c *Counts) of(d policy.Direction) *int {
	switch d {
	case policy.Up:
		return &c.Up
	case policy.Down:
		return &c.Down
	case BlockUp:
		return &c.BlockUp
	case BlockDown:
		return &c.BlockDown
	}
	return nil
}

// Holds is what keeps a policy from moving, by name.
type Holds struct {
	// BlockUp and BlockDown name the active alerts that forbid a direction:
	// the alertname or, where there is none, the fingerprint. Sorted, each
	// once.
	BlockUp, BlockDown []string
	// Silences cover alerts of direction up or down, sorted by ID, each once.
	// One that could not be read has its ID alone.
	Silences []policy.Pause
}

// Counts returns how many alerts bear on the policy; none on one that is
// unknown.
func (b *Book) Counts(name string) Counts {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if p := b.policies[name]; p != nil {
		return p.counts
	}
	return Counts{}
}

// Holds returns what keeps the policy from moving. Where nothing does it costs
// no more than Counts. The slices are the caller's.
func (b *Book) Holds(name string) Holds {
	b.mu.RLock()
	defer b.mu.RUnlock()
	p := b.policies[name]
	if p == nil || p.counts.BlockUp+p.counts.BlockDown+p.counts.Silenced == 0 {
		return Holds{}
	}
	up, down := make(map[string]struct{}), make(map[string]struct{})
	silences := make(map[string]policy.Pause)
	for fp := range p.fingerprints {
		e := b.entries[fp]
		for _, m := range e.matches {
			if m.Policy != name {
				continue
			}
			switch {
			case m.Direction == BlockUp && e.alert.Active():
				up[e.alert.name()] = struct{}{}
			case m.Direction == BlockDown && e.alert.Active():
				down[e.alert.name()] = struct{}{}
			case (m.Direction == policy.Up || m.Direction == policy.Down) && e.alert.silenced():
				e.alert.addSilences(silences)
			}
		}
	}
	return Holds{
		BlockUp:   slices.Sorted(maps.Keys(up)),
		BlockDown: slices.Sorted(maps.Keys(down)),
		Silences: slices.SortedFunc(maps.Values(silences), func(a, b policy.Pause) int {
			return cmp.Compare(a.Silence, b.Silence)
		}),
	}
}

// name is what people call the alert.
func (a Alert) name() string { return cmp.Or(a.Labels["alertname"], a.Fingerprint) }

// silenced reports whether the alert fires and a silence suppresses it.
func (a Alert) silenced() bool { return a.Status == Firing && len(a.SilencedBy) > 0 }

// counts reports whether the alert is in any of its policies' counts.
func (a Alert) counts() bool { return a.Active() || a.silenced() }

// addSilences adds what is known of the silences that cover the alert. Of two
// alerts one may know more of a silence than the other.
func (a Alert) addSilences(to map[string]policy.Pause) {
	for _, id := range a.SilencedBy {
		known := policy.Pause{Silence: id}
		if i := slices.IndexFunc(a.Silences, func(p policy.Pause) bool { return p.Silence == id }); i >= 0 {
			known = a.Silences[i]
		}
		if old, ok := to[id]; !ok || idOnly(old) {
			to[id] = known
		}
	}
}

// idOnly reports whether nothing but the ID of the silence is known.
func idOnly(p policy.Pause) bool { return p == policy.Pause{Silence: p.Silence} }
