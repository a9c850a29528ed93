package alerts

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// policyAlerts is one policy's share of the book.
type policyAlerts struct {
	fingerprints map[string]struct{}
	up, down     int // active alerts only

	upGauge, downGauge prometheus.Gauge
}

func (p *policyAlerts) export() {
	p.upGauge.Set(float64(p.up))
	p.downGauge.Set(float64(p.down))
}

// SetRules replaces the rules: every alert in the book, also those that spoke
// for no policy until now, is held against the new ones before it returns.
// The metrics of policies that are gone go with them.
func (b *Book) SetRules(rules []Rule) { b.notify(b.setRules(rules)) }

func (b *Book) setRules(rules []Rule) (changed []string) {
	index := NewIndex(rules)
	affected := make(map[string]struct{})

	b.writes.Lock()
	defer b.writes.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()

	before := b.policies
	b.index, b.unmatched = index, 0
	b.policies = make(map[string]*policyAlerts, len(index.Policies()))
	for _, name := range index.Policies() {
		b.policies[name] = &policyAlerts{
			fingerprints: make(map[string]struct{}),
			upGauge:      b.metrics.active.WithLabelValues(name, string(policy.Up)),
			downGauge:    b.metrics.active.WithLabelValues(name, string(policy.Down)),
		}
	}
	for name := range before {
		if b.policies[name] == nil {
			b.metrics.active.DeleteLabelValues(name, string(policy.Up))
			b.metrics.active.DeleteLabelValues(name, string(policy.Down))
		}
	}
	for _, e := range b.entries {
		old := e.matches
		e.matches = index.Match(e.alert.Labels)
		b.count(e, 1)
		if e.alert.Active() {
			difference(old, e.matches, affected)
		}
	}
	for _, p := range b.policies {
		p.export()
	}
	return slices.Sorted(maps.Keys(affected))
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

// count adds an entry to its policies' shares, or takes it out where by is
// -1, with mu held for writing.
func (b *Book) count(e *entry, by int) {
	if len(e.matches) == 0 {
		b.unmatched += by
	}
	for _, m := range e.matches {
		p := b.policies[m.Policy]
		if by > 0 {
			p.fingerprints[e.alert.Fingerprint] = struct{}{}
		} else {
			delete(p.fingerprints, e.alert.Fingerprint)
		}
		if !e.alert.Active() {
			continue
		}
		switch m.Direction {
		case policy.Up:
			p.up += by
		case policy.Down:
			p.down += by
		}
	}
}
