package scaler

import (
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/usage"
)

// queriesFor says what to ask about each resource of p. How many replicas are
// ready is filled in at each evaluation.
func queriesFor(p *config.Policy) []usage.Query {
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

// readingFor is what to ask while that many replicas are ready.
func (s *setup) readingFor(ready int) []usage.Query {
	out := make([]usage.Query, len(s.queries))
	for i, q := range s.queries {
		q.Ready = ready
		out[i] = q
	}
	return out
}
