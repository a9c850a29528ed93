package usage

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// askLimit is how many series a query of one's own may return: one is right,
// and a few are enough to say what is wrong.
const askLimit = 10

// round is one call of Read, wherever its numbers come from.
type round struct {
	now          time.Time
	maxStaleness time.Duration
	// own reads one expression of a query's own.
	own func(ctx context.Context, src source, now time.Time) reading
	// snapshot is nil where it could not be had, and err says why.
	snapshot *snapshot
	err      error
}

// usage reads one resource, in the order in which a problem is worth telling.
func (c round) usage(ctx context.Context, q Query, p plan) policy.Usage {
	u := c.read(ctx, p.usage)
	if !u.ok() {
		return problem(q, u, "usage")
	}
	coverage := c.coverage(ctx, q, p)
	if !coverage.ok() && coverage.problem != policy.ProblemLowCoverage {
		return problem(q, coverage, "coverage")
	}
	capacity := c.capacity(ctx, q, p)
	if !coverage.ok() {
		partial := problem(q, coverage, "coverage")
		partial.Value, partial.Age = u.value, u.age(c.now)
		if capacity.ok() {
			partial.CapacityPerReplica = capacity.value
		}
		return partial
	}
	if !capacity.ok() {
		return problem(q, capacity, "capacity")
	}
	return policy.Usage{
		Resource:           q.Resource,
		Value:              u.value,
		Predicted:          c.predicted(ctx, p),
		CapacityPerReplica: capacity.value,
		Age:                u.age(c.now),
	}
}

// coverage is how many replicas report, if that is enough of them. Where
// nobody asks it is nothing, and no problem.
func (c round) coverage(ctx context.Context, q Query, p plan) reading {
	if p.minCoverage == 0 {
		return reading{}
	}
	r := c.read(ctx, p.coverage)
	// The margin is for shares that have no exact binary form.
	if r.ok() && r.value < p.minCoverage*float64(q.Ready)-1e-9 {
		return bad(policy.ProblemLowCoverage, "%g of %d ready replicas report, below a share of %g", r.value, q.Ready, p.minCoverage)
	}
	return r
}

// predicted is the usage to come, 0 where it is not known.
func (c round) predicted(ctx context.Context, p plan) float64 {
	if !p.foresees {
		return 0
	}
	return c.read(ctx, p.predicted).value
}

func problem(q Query, r reading, of string) policy.Usage {
	return policy.Usage{Resource: q.Resource, Problem: r.problem, Detail: of + ": " + r.detail}
}

// capacity is what one replica holds. Whatever is wrong with it, it is the
// capacity that is unknown, unless Prometheus could not be asked at all.
func (c round) capacity(ctx context.Context, q Query, p plan) reading {
	var r reading
	switch {
	case p.perReplica != 0:
		r = admit(p.perReplica, time.Time{}, c.now, c.maxStaleness)
	case p.divide && c.snapshot != nil:
		r = c.snapshot.capacityPerReplica(p.capacity, c.now, c.maxStaleness, q.Ready)
	default:
		r = c.read(ctx, p.capacity)
	}
	if r.ok() && !(r.value > 0) {
		return bad(policy.ProblemNoCapacity, "one replica holds %g", r.value)
	}
	if !r.ok() && r.problem != policy.ProblemUnavailable {
		r.problem = policy.ProblemNoCapacity
	}
	return r
}

// read passes one number through the gate.
func (c round) read(ctx context.Context, src source) reading {
	switch {
	case !src.shipped():
		return c.own(ctx, src, c.now)
	case c.snapshot == nil:
		return bad(policy.ProblemUnavailable, "%s", c.err)
	default:
		return c.snapshot.read(src.series, src.key, c.now, c.maxStaleness)
	}
}

// readOne asks for one expression and passes the answer through the gate.
func (r *Reader) readOne(ctx context.Context, src source, now time.Time) reading {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return bad(policy.ProblemUnavailable, "%s", context.Cause(ctx))
	}

	q := question{expr: src.expr, at: now, lookback: r.opts.MaxStaleness, limit: askLimit}
	answer, err := r.ask(ctx, q)
	if err != nil {
		return bad(policy.ProblemUnavailable, "%s", err)
	}
	switch v := answer.(type) {
	case *model.Scalar:
		return admit(float64(v.Value), time.Time{}, now, r.opts.MaxStaleness)
	case model.Vector:
		switch {
		case len(v) == 0:
			return r.absent(ctx, src, now)
		case len(v) > 1:
			return ambiguous(len(v), len(v) == askLimit, v[0].Metric, v[1].Metric)
		case v[0].Histogram != nil:
			return bad(policy.ProblemUnavailable, "the answer is a histogram, not a number")
		}
		at, err := r.sampled(ctx, src, now)
		if err != nil {
			return bad(policy.ProblemUnavailable, "the time of the sample: %s", err)
		}
		return admit(float64(v[0].Value), at, now, r.opts.MaxStaleness)
	default:
		return bad(policy.ProblemUnavailable, "the answer is a %s, not one number", answer.Type())
	}
}

// sampled is when the sample behind a plain selector was taken. Of everything
// else Prometheus knows no more than when it was evaluated: zero.
func (r *Reader) sampled(ctx context.Context, src source, now time.Time) (time.Time, error) {
	if !src.plain {
		return time.Time{}, nil
	}
	times, err := r.askVector(ctx, question{expr: "timestamp(" + src.expr + ")", at: now, lookback: r.opts.MaxStaleness, limit: askLimit})
	switch {
	case err != nil:
		return time.Time{}, err
	case len(times) != 1:
		return time.Time{}, fmt.Errorf("timestamp() of it is answered with %d series where one is expected", len(times))
	}
	ms, err := millis(times[0])
	return time.UnixMilli(ms), err
}

// absent tells a series that has stopped from one that never was.
func (r *Reader) absent(ctx context.Context, src source, now time.Time) reading {
	times, err := r.askVector(ctx, question{
		expr: "timestamp(" + src.expr + ")", at: now, lookback: max(staleLookback, 2*r.opts.MaxStaleness), limit: askLimit,
	})
	if err != nil || len(times) == 0 {
		return absent(src, 0, time.Time{}, now, r.opts.MaxStaleness)
	}
	ms, err := millis(times[0])
	if err != nil {
		return bad(policy.ProblemUnavailable, "%s", err)
	}
	return absent(src, len(times), time.UnixMilli(ms), now, r.opts.MaxStaleness)
}
