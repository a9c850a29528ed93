package formula

import (
	"fmt"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// arithmetic gives a number, and another metric.
var arithmetic = map[parser.ItemType]func(l, r float64) float64{
	parser.ADD: func(l, r float64) float64 { return l + r },
	parser.SUB: func(l, r float64) float64 { return l - r },
	parser.MUL: func(l, r float64) float64 { return l * r },
	parser.DIV: func(l, r float64) float64 { return l / r },
}

// comparisons leave what they hold for.
var comparisons = map[parser.ItemType]func(l, r float64) bool{
	parser.EQLC: func(l, r float64) bool { return l == r },
	parser.NEQ:  func(l, r float64) bool { return l != r },
	parser.GTR:  func(l, r float64) bool { return l > r },
	parser.LSS:  func(l, r float64) bool { return l < r },
	parser.GTE:  func(l, r float64) bool { return l >= r },
	parser.LTE:  func(l, r float64) bool { return l <= r },
}

// binary compiles an operator between two vectors, or a vector and a number.
func (c *compiler) binary(e *parser.BinaryExpr) ([]Element, error) {
	if e.ReturnBool || e.LHS.Type() == parser.ValueTypeScalar {
		return nil, unknown(e)
	}
	l, err := c.vector(e.LHS)
	if err != nil {
		return nil, err
	}
	if e.RHS.Type() == parser.ValueTypeScalar {
		r, err := c.scalar(e.RHS)
		if err != nil {
			return nil, err
		}
		return withNumber(e, l, r)
	}
	r, err := c.vector(e.RHS)
	if err != nil {
		return nil, err
	}
	switch e.Op {
	case parser.LAND:
		return both(e.VectorMatching, l, r), nil
	case parser.LOR:
		return either(e.VectorMatching, l, r), nil
	}
	return matched(e, l, r)
}

// operation is what the operator makes of two samples, where both are there; nil:
// it is not known.
func operation(op parser.ItemType) func(l, r Sample) Sample {
	if calculate, ok := arithmetic[op]; ok {
		return func(l, r Sample) Sample { return Sample{calculate(l.Value, r.Value), l.There && r.There} }
	}
	if holds, ok := comparisons[op]; ok {
		return func(l, r Sample) Sample { return Sample{l.Value, l.There && r.There && holds(l.Value, r.Value)} }
	}
	return nil
}

// withNumber has a number on the right.
func withNumber(e *parser.BinaryExpr, l []Element, r number) ([]Element, error) {
	do := operation(e.Op)
	if do == nil {
		return nil, unknown(e)
	}
	out := make([]Element, len(l))
	for i := range l {
		left := l[i].At
		out[i] = Element{changed(l[i].Metric, e.Op), func(in []Sample) Sample { return do(left(in), Sample{r(in), true}) }}
	}
	return out, nil
}

// changed is the metric that the operator leaves.
func changed(metric labels.Labels, op parser.ItemType) labels.Labels {
	if _, ok := arithmetic[op]; ok {
		return nameless(metric)
	}
	return metric
}

// matched has an element on the right for one, or with group_left for several,
// on the left.
func matched(e *parser.BinaryExpr, l, r []Element) ([]Element, error) {
	m := e.VectorMatching
	do := operation(e.Op)
	if do == nil || m.Card == parser.CardOneToMany || len(m.Include) > 0 || m.FillValues.LHS != nil || m.FillValues.RHS != nil {
		return nil, unknown(e)
	}
	// Prometheus fails where two are there; which of them are is not known yet.
	if twice(m, r) || m.Card == parser.CardOneToOne && twice(m, l) {
		return nil, fmt.Errorf("more than one to match: %w", unknown(e))
	}
	var out []Element
	for i := range l {
		left := l[i].At
		metric := changed(l[i].Metric, e.Op)
		if b := labels.NewBuilder(metric); m.Card == parser.CardOneToOne && m.On {
			metric = b.Keep(m.MatchingLabels...).Labels()
		} else if m.Card == parser.CardOneToOne {
			metric = b.Del(m.MatchingLabels...).Labels()
		}
		for _, k := range alike(m, &l[i], r) {
			right := r[k].At
			out = append(out, Element{metric, func(in []Sample) Sample { return do(left(in), right(in)) }})
		}
	}
	return out, nil
}

// both are those on the left that something on the right matches.
func both(m *parser.VectorMatching, l, r []Element) []Element {
	out := make([]Element, len(l))
	for i := range l {
		left, others := l[i].At, those(r, alike(m, &l[i], r))
		out[i] = Element{l[i].Metric, func(in []Sample) Sample {
			s := left(in)
			s.There = s.There && anyThere(others, in)
			return s
		}}
	}
	return out
}

// either are those on the left, and those on the right that nothing on the left
// matches.
func either(m *parser.VectorMatching, l, r []Element) []Element {
	out := append([]Element(nil), l...)
	for i := range r {
		right, others := r[i].At, those(l, alike(m, &r[i], l))
		out = append(out, Element{r[i].Metric, func(in []Sample) Sample {
			s := right(in)
			s.There = s.There && !anyThere(others, in)
			return s
		}})
	}
	return out
}

func those(v []Element, indices []int) []Element {
	out := make([]Element, len(indices))
	for i, k := range indices {
		out[i] = v[k]
	}
	return out
}

func anyThere(v []Element, in []Sample) bool {
	for i := range v {
		if v[i].At(in).There {
			return true
		}
	}
	return false
}

// alike are the indices of those that match the element.
func alike(m *parser.VectorMatching, e *Element, v []Element) []int {
	var out []int
	for i := range v {
		if labels.Equal(signature(m, v[i].Metric), signature(m, e.Metric)) {
			out = append(out, i)
		}
	}
	return out
}

// twice reports whether two match each other.
func twice(m *parser.VectorMatching, v []Element) bool {
	for i := range v {
		if len(alike(m, &v[i], v)) > 1 {
			return true
		}
	}
	return false
}

// signature is what must be the same of two elements for them to match.
func signature(m *parser.VectorMatching, metric labels.Labels) labels.Labels {
	names := m.MatchingLabels
	if !m.On {
		names = append([]string{model.MetricNameLabel, model.MetricTypeLabel, model.MetricUnitLabel}, names...)
	}
	return metric.MatchLabels(m.On, names...)
}
