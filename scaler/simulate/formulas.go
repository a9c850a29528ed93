package simulate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/simulate/formula"
)

// byFormulas evaluates rules on series of which nothing changes but the values.
// It implements evaluator for those series.
type byFormulas struct {
	rules []compiledRule
	// samples are those of the series that were scraped, and after them what
	// the rules record.
	samples []formula.Sample
}

type compiledRule struct {
	elements []formula.Element
	// to is where the rule records its elements in the samples; -1: it is an
	// alert.
	to       int
	up, down bool
}

// newByFormulas compiles the rules for these series; an error that is
// formula.ErrUnknown: they have more than formulas know.
func newByFormulas(rules []rule, series []labels.Labels) (*byFormulas, error) {
	f := &byFormulas{}
	known := slices.Clone(series)
	language := parser.NewParser(parser.Options{})
	for i := range rules {
		r := &rules[i]
		expr, err := language.ParseExpr(r.Expr)
		if err != nil {
			return nil, fmt.Errorf("read the expression of %s%s: %w", r.Record, r.Alert, err)
		}
		elements, err := formula.Compile(expr, known)
		if err != nil {
			return nil, err
		}
		one := compiledRule{elements: elements, to: -1, up: r.says(policy.Up), down: r.says(policy.Down)}
		if r.Record != "" {
			one.to = len(known)
			for _, e := range elements {
				known = append(known, r.recorded(e.Metric))
			}
		}
		f.rules = append(f.rules, one)
	}
	f.samples = make([]formula.Sample, len(known))
	return f, nil
}

// evaluate implements evaluator.
func (f *byFormulas) evaluate(_ context.Context, scraped []promql.Sample, _ time.Time) (up, down bool, err error) {
	for i := range scraped {
		f.samples[i] = formula.Sample{Value: scraped[i].F, There: true}
	}
	for i := range f.rules {
		r := &f.rules[i]
		holds := false
		for k := range r.elements {
			s := r.elements[k].At(f.samples)
			holds = holds || s.There
			if r.to >= 0 {
				f.samples[r.to+k] = s
			}
		}
		up, down = up || holds && r.up, down || holds && r.down
	}
	return up, down, nil
}
