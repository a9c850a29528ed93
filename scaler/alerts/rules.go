package alerts

import (
	"slices"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// policyAlerts is one policy's share of the book.
type policyAlerts struct {
	fingerprints map[string]struct{}
	counts       Counts
}

// SetRules replaces the rules: every alert in the book, also those that spoke
// for no policy until now, is held against the new ones before it returns, and
// one that is being stored when it gets into the book. It does not wait for the
// store. The metrics of policies that are gone go with them.
func (b *Book) SetRules(rules []Rule) { b.notify(b.setRules(rules)) }

func (b *Book) setRules(rules []Rule) (changed []string) {
	index := NewIndex(rules)
	affected := make(map[string]struct{})

	b.mu.Lock()
	defer b.mu.Unlock()

	b.index = index
	b.bytes, b.unmatchedBytes = 0, 0
	clear(b.unmatched)
	clear(b.unconfirmed)
	b.policies = make(map[string]*policyAlerts, len(index.Policies()))
	for _, name := range index.Policies() {
		b.policies[name] = &policyAlerts{fingerprints: make(map[string]struct{})}
	}
	for _, e := range b.entries {
		old := e.matches
		e.matches = index.Match(e.alert.Labels)
		b.count(e, 1)
		if e.alert.counts() {
			difference(old, e.matches, affected)
		}
		if e.alert.Unconfirmed && len(e.matches) > 0 {
			b.ask()
		}
	}
	return sortedKeys(affected)
}

// difference adds the policies of the matches that only one of a and b has.
func difference(a, b []Match, to map[string]struct{}) {
	for _, m := range a {
		if !slices.Contains(b, m) {
			to[m.Policy] = struct{}{}
		}
	}
	for _, m := range b {
		if !slices.Contains(a, m) {
			to[m.Policy] = struct{}{}
		}
	}
}

func member(set map[string]struct{}, fp string, is bool) {
	if is {
		set[fp] = struct{}{}
	} else {
		delete(set, fp)
	}
}

// count adds an entry to its policies' shares, or takes it out where by is
// -1, with mu held for writing.
func (b *Book) count(e *entry, by int) {
	fp := e.alert.Fingerprint
	b.bytes += by * e.size
	if len(e.matches) == 0 {
		b.unmatchedBytes += by * e.size
		member(b.unmatched, fp, by > 0)
	}
	if e.alert.Unconfirmed {
		member(b.unconfirmed, fp, by > 0)
	}
	active, silenced := e.alert.Active(), e.alert.silenced()
	for i, m := range e.matches {
		p := b.policies[m.Policy]
		if by > 0 {
			p.fingerprints[fp] = struct{}{}
		} else {
			delete(p.fingerprints, fp)
		}
		if n := p.counts.of(m.Direction); active && n != nil {
			*n += by
		}
		asks := m.Direction == policy.Up || m.Direction == policy.Down
		// An alert of both directions is one alert; matches are sorted, so
		// that down comes right before up.
		again := m.Direction == policy.Up && i > 0 && e.matches[i-1] == Match{m.Policy, policy.Down}
		if silenced && asks && !again {
			p.counts.Silenced += by
		}
	}
}
