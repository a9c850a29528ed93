package formula

import (
	"math"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// aggregate compiles max and count, of all or by labels.
func (c *compiler) aggregate(e *parser.AggregateExpr) ([]Element, error) {
	if e.Without || e.Op != parser.MAX && e.Op != parser.COUNT {
		return nil, unknown(e)
	}
	v, err := c.vector(e.Expr)
	if err != nil {
		return nil, err
	}
	var groups []group
	for i := range v {
		metric := v[i].Metric.MatchLabels(true, e.Grouping...)
		k := 0
		for k < len(groups) && !labels.Equal(groups[k].metric, metric) {
			k++
		}
		if k == len(groups) {
			groups = append(groups, group{metric: metric})
		}
		groups[k].members = append(groups[k].members, v[i])
	}
	out := make([]Element, len(groups))
	for k := range groups {
		g := &groups[k]
		out[k] = Element{g.metric, g.count}
		if e.Op == parser.MAX {
			out[k].At = g.max
		}
	}
	return out, nil
}

// group is what an aggregation makes one element of.
type group struct {
	metric  labels.Labels
	members []Element
}

// count is how many members are there.
func (g *group) count(in []Sample) (out Sample) {
	for i := range g.members {
		if g.members[i].At(in).There {
			out.Value++
			out.There = true
		}
	}
	return out
}

// max is the largest of the members that are there. NaN is less than any other.
func (g *group) max(in []Sample) (out Sample) {
	for i := range g.members {
		if s := g.members[i].At(in); s.There && (!out.There || out.Value < s.Value || math.IsNaN(out.Value)) {
			out = s
		}
	}
	return out
}
