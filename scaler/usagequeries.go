package scaler

import (
	"time"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/usage"
)

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

// queriesWhile are the queries while that many replicas are ready, some of which
// take no work because they are to go. What was read before since, when the
// policy's alerts last changed, does not answer them.
func queriesWhile(ready, leaving int, since time.Time, queries []usage.Query) []usage.Query {
	out := make([]usage.Query, len(queries))
	for i, q := range queries {
		q.Ready, q.Leaving, q.Since = ready, leaving, since
		out[i] = q
	}
	return out
}
