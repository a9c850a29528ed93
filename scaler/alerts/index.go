package alerts

import (
	"cmp"
	"maps"
	"slices"

	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// Rule says which alerts speak for a policy, and in which direction.
type Rule struct {
	Policy string
	// Direction is policy.Up, policy.Down, BlockUp or BlockDown. Alerts of
	// any other direction are kept and handed out for their policy, and never
	// counted.
	Direction policy.Direction
	// Matchers must all match. A rule without matchers makes the policy known
	// and matches nothing: an empty list is never taken for "every alert".
	Matchers labels.Matchers
}

// Match is one policy an alert speaks for.
type Match struct {
	Policy    string
	Direction policy.Direction
}

// Index answers which policies an alert speaks for. Each rule is filed under
// one of its equality matchers, the one that the fewest rules share, so that
// an alert is held against a handful of rules and not against all of them.
// It is immutable and safe for concurrent use.
type Index struct {
	byLabel map[label][]Rule
	// scan holds the rules without an equality matcher; they are held
	// against every alert.
	scan     []Rule
	policies []string
}

type label struct{ name, value string }

// NewIndex builds the index of rules. Order and repetition are irrelevant.
func NewIndex(rules []Rule) *Index {
	shared := make(map[label]int)
	for _, r := range rules {
		for _, m := range r.Matchers {
			if l, ok := key(m); ok {
				shared[l]++
			}
		}
	}

	ix := &Index{byLabel: make(map[label][]Rule)}
	names := make(map[string]struct{})
	for _, r := range rules {
		names[r.Policy] = struct{}{}
		if len(r.Matchers) == 0 {
			continue
		}
		var best label
		fewest := 0
		for _, m := range r.Matchers {
			if l, ok := key(m); ok && (fewest == 0 || shared[l] < fewest) {
				best, fewest = l, shared[l]
			}
		}
		if fewest == 0 {
			ix.scan = append(ix.scan, r)
			continue
		}
		ix.byLabel[best] = append(ix.byLabel[best], r)
	}
	ix.policies = slices.Sorted(maps.Keys(names))
	return ix
}

// key returns the label that an alert must carry to satisfy m. An equality
// with the empty string is satisfied by absence, so it is no key.
func key(m *labels.Matcher) (label, bool) {
	return label{m.Name, m.Value}, m.Type == labels.MatchEqual && m.Value != ""
}

// Match returns the policies that an alert with these labels speaks for,
// sorted by policy and direction, each pair once.
func (ix *Index) Match(lset map[string]string) []Match {
	var found []Match
	for name, value := range lset {
		for _, r := range ix.byLabel[label{name, value}] {
			if matches(r.Matchers, lset) {
				found = append(found, Match{r.Policy, r.Direction})
			}
		}
	}
	for _, r := range ix.scan {
		if matches(r.Matchers, lset) {
			found = append(found, Match{r.Policy, r.Direction})
		}
	}
	slices.SortFunc(found, func(a, b Match) int {
		return cmp.Or(cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.Direction, b.Direction))
	})
	return slices.Compact(found)
}

// Policies returns the names of all policies that have a rule, sorted. The
// slice is the index's own.
func (ix *Index) Policies() []string { return ix.policies }

// matches is labels.Matchers.Matches without a conversion of the label set;
// an absent label is the empty string, as everywhere in Prometheus.
func matches(ms labels.Matchers, lset map[string]string) bool {
	for _, m := range ms {
		if !m.Matches(lset[m.Name]) {
			return false
		}
	}
	return true
}
