package simulate

import (
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// exported are the series that the rules of one policy read. They have the same
// labels at every instant.
type exported struct {
	policy, resource string
	usage, requested labels.Labels
	// reserved are the series of these entries; empty where an entry before has
	// the same name, and stands for both.
	entries  []policy.Entry
	reserved []labels.Labels
}

func newExported(policyName, resource string) *exported {
	return &exported{
		policy: policyName, resource: resource,
		usage:     labels.FromStrings(model.MetricNameLabel, usageSeries),
		requested: labels.FromStrings(model.MetricNameLabel, "alertscaler_policy_replicas", "policy", policyName, "kind", "requested"),
	}
}

// of are the series of what a reservation keeps free, by entry.
func (x *exported) of(entries []policy.Entry) []labels.Labels {
	same := func(a, b policy.Entry) bool {
		return a.Scope == b.Scope && a.Kind == b.Kind && a.Schedule == b.Schedule
	}
	if slices.EqualFunc(entries, x.entries, same) {
		return x.reserved
	}
	x.entries, x.reserved = slices.Clone(entries), make([]labels.Labels, len(entries))
	seen := make(map[string]bool)
	for i := range entries {
		if name := entries[i].Name(); !seen[name] {
			seen[name] = true
			x.reserved[i] = labels.FromStrings(model.MetricNameLabel, "alertscaler_policy_reserved", "policy", x.policy, "resource", x.resource, "entry", name)
		}
	}
	return x.reserved
}
