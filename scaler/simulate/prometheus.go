package simulate

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/simulate/formula"
)

// byPrometheus evaluates rules with Prometheus' own engine. It implements
// evaluator for whatever the rules have, and is the measure of byFormulas.
type byPrometheus struct {
	engine *promql.Engine
	rules  []rule
	// scraped are the samples of one instant, and what the rules make of them.
	scraped formula.Instant
}

func newByPrometheus(rules []rule) *byPrometheus {
	return &byPrometheus{engine: promql.NewEngine(promql.EngineOpts{MaxSamples: 1000, Timeout: time.Minute}), rules: rules}
}

// evaluate implements evaluator.
func (p *byPrometheus) evaluate(ctx context.Context, scraped []promql.Sample, now time.Time) (up, down bool, err error) {
	p.scraped = append(p.scraped[:0], scraped...)
	for i := range p.rules {
		r := &p.rules[i]
		n, err := p.rule(ctx, r, now)
		if err != nil {
			return false, false, fmt.Errorf("evaluate %s%s: %w", r.Record, r.Alert, err)
		}
		up, down = up || n > 0 && r.says(policy.Up), down || n > 0 && r.says(policy.Down)
	}
	return up, down, nil
}

// rule evaluates one rule, keeps what it records, and returns how many series
// its expression gives.
func (p *byPrometheus) rule(ctx context.Context, r *rule, now time.Time) (int, error) {
	q, err := p.engine.NewInstantQuery(ctx, p.scraped, nil, r.Expr, now)
	if err != nil {
		return 0, err
	}
	defer q.Close()
	found, err := q.Exec(ctx).Vector()
	if err != nil || r.Record == "" {
		return len(found), err
	}
	for _, s := range found {
		p.scraped = append(p.scraped, promql.Sample{F: s.F, Metric: r.recorded(s.Metric)})
	}
	return len(found), nil
}
