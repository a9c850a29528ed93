// Package formula evaluates PromQL on series of which nothing changes but the
// values. Which series an expression selects, matches and groups is found out
// once, so that what is left for each instant is arithmetic.
//
// It knows the part of PromQL that generated alerts are written in, for floats
// at one instant, and says so where an expression has more than that. What it
// knows it evaluates as Prometheus' own engine does.
package formula

import (
	"errors"
	"fmt"
	"math"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/schema"
)

// ErrUnknown is an expression that has more than formulas know.
var ErrUnknown = errors.New("no formula has this")

// Sample is the value of a series at one instant, where the series is there.
type Sample struct {
	Value float64
	There bool
}

// Element is one series that an expression may give.
type Element struct {
	// Metric is the series' labels.
	Metric labels.Labels
	// At is its sample, given those of the series that the expression was
	// compiled for, in their order. It does not keep or change them.
	At func([]Sample) Sample
}

// Compile finds out what the expression gives on these series, whichever of
// them are there. No two of the elements have the same labels. An error is or
// wraps ErrUnknown.
func Compile(expr parser.Expr, series []labels.Labels) ([]Element, error) {
	c := compiler{series}
	return c.vector(expr)
}

// compiler knows the series.
type compiler struct{ series []labels.Labels }

// number is a scalar.
type number func([]Sample) float64

func unknown(expr parser.Expr) error { return fmt.Errorf("%s: %w", expr, ErrUnknown) }

// vector compiles an instant vector. Prometheus fails where two elements with
// the same labels are there; which of them are is not known yet.
func (c *compiler) vector(expr parser.Expr) ([]Element, error) {
	v, err := c.elements(expr)
	if err != nil {
		return nil, err
	}
	for i := range v {
		for _, other := range v[:i] {
			if labels.Equal(v[i].Metric, other.Metric) {
				return nil, fmt.Errorf("two elements %s: %w", other.Metric, unknown(expr))
			}
		}
	}
	return v, nil
}

func (c *compiler) elements(expr parser.Expr) ([]Element, error) {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return c.vector(e.Expr)
	case *parser.VectorSelector:
		return c.selected(e)
	case *parser.Call:
		return c.call(e)
	case *parser.AggregateExpr:
		return c.aggregate(e)
	case *parser.BinaryExpr:
		return c.binary(e)
	}
	return nil, unknown(expr)
}

// scalar compiles a number.
func (c *compiler) scalar(expr parser.Expr) (number, error) {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return c.scalar(e.Expr)
	case *parser.NumberLiteral:
		return func([]Sample) float64 { return e.Val }, nil
	case *parser.BinaryExpr:
		op, ok := arithmetic[e.Op]
		l, errL := c.scalar(e.LHS)
		r, errR := c.scalar(e.RHS)
		if !ok || errL != nil || errR != nil {
			return nil, errors.Join(unknown(e), errL, errR)
		}
		return func(in []Sample) float64 { return op(l(in), r(in)) }, nil
	case *parser.Call:
		if e.Func.Name == "scalar" {
			return c.only(e.Args[0])
		}
	}
	return nil, unknown(expr)
}

// selected are the series that a selector matches.
func (c *compiler) selected(s *parser.VectorSelector) ([]Element, error) {
	if s.OriginalOffset != 0 || s.OriginalOffsetExpr != nil || s.Timestamp != nil || s.StartOrEnd != 0 || s.Anchored || s.Smoothed {
		return nil, unknown(s)
	}
	var v []Element
	for i, metric := range c.series {
		if matchesAll(metric, s.LabelMatchers) {
			v = append(v, Element{metric, func(in []Sample) Sample { return in[i] }})
		}
	}
	return v, nil
}

// only is the value of the only element that is there; NaN where there is none
// or more than one.
func (c *compiler) only(expr parser.Expr) (number, error) {
	v, err := c.vector(expr)
	if err != nil {
		return nil, err
	}
	return func(in []Sample) float64 {
		value, n := math.NaN(), 0
		for i := range v {
			if s := v[i].At(in); s.There {
				value = s.Value
				n++
			}
		}
		if n > 1 {
			return math.NaN()
		}
		return value
	}, nil
}

// call compiles a function that gives a vector.
func (c *compiler) call(e *parser.Call) ([]Element, error) {
	switch e.Func.Name {
	case "vector":
		x, err := c.scalar(e.Args[0])
		if err != nil {
			return nil, err
		}
		return []Element{{labels.EmptyLabels(), func(in []Sample) Sample { return Sample{x(in), true} }}}, nil
	case "ceil":
		return c.each(e.Args[0], func(value float64, _ []Sample) float64 { return math.Ceil(value) })
	case "clamp_min":
		least, err := c.scalar(e.Args[1])
		if err != nil {
			return nil, err
		}
		return c.each(e.Args[0], func(value float64, in []Sample) float64 { return math.Max(least(in), value) })
	}
	return nil, unknown(e)
}

// each changes the value of every element, which is another metric then.
func (c *compiler) each(expr parser.Expr, change func(value float64, in []Sample) float64) ([]Element, error) {
	v, err := c.vector(expr)
	if err != nil {
		return nil, err
	}
	out := make([]Element, len(v))
	for i := range v {
		at := v[i].At
		out[i] = Element{nameless(v[i].Metric), func(in []Sample) Sample {
			s := at(in)
			s.Value = change(s.Value, in)
			return s
		}}
	}
	return out, nil
}

// nameless is the metric without what says which one it is.
func nameless(metric labels.Labels) labels.Labels {
	return metric.DropReserved(schema.IsMetadataLabel)
}
