package scaler

import (
	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/usage"
)

// AlertRules say which alerts speak for which policy of c. A blocking direction
// without matchers has no rule: nothing blocks it.
func AlertRules(c *config.Config) []alerts.Rule {
	rules := make([]alerts.Rule, 0, 2*len(c.Policies))
	for _, p := range c.Policies {
		for _, r := range []alerts.Rule{
			{Policy: p.Name, Direction: policy.Up, Matchers: labels.Matchers(p.Alerts.Up)},
			{Policy: p.Name, Direction: policy.Down, Matchers: labels.Matchers(p.Alerts.Down)},
			{Policy: p.Name, Direction: alerts.BlockUp, Matchers: labels.Matchers(p.Alerts.BlockUp)},
			{Policy: p.Name, Direction: alerts.BlockDown, Matchers: labels.Matchers(p.Alerts.BlockDown)},
		} {
			if len(r.Matchers) > 0 {
				rules = append(rules, r)
			}
		}
	}
	return rules
}

// QueriesFor says what to ask about each resource of p. How many replicas are
// ready is filled in at each evaluation.
func QueriesFor(p *config.Policy) []usage.Query {
	out := make([]usage.Query, 0, len(p.Resources))
	for _, r := range p.Resources {
		q := usage.Query{
			ScaleTarget:        p.ScaleTarget,
			Resource:           r.Name,
			Usage:              r.Usage.Present,
			Predicted:          r.Usage.Predicted,
			Capacity:           r.CapacityPerReplica.PromQL,
			CapacityPerReplica: r.CapacityPerReplica.Number,
			MinCoverage:        r.MinCoverage,
		}
		out = append(out, q)
	}
	return out
}

// readingFor is what to ask while that many replicas are ready, some of which
// take no work because they are to go.
func (s *setup) readingFor(ready, leaving int) []usage.Query {
	out := make([]usage.Query, len(s.queries))
	for i, q := range s.queries {
		q.Ready, q.Leaving = ready, leaving
		out[i] = q
	}
	return out
}
