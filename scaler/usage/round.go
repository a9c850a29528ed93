package usage

import (
	"context"
	"time"

	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// askLimit is how many series a query of one's own may return: one is right,
// and a few are enough to say what is wrong.
const askLimit = 10

// round is one call of Read.
type round struct {
	reader *Reader
	now    time.Time
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
	if p.minCoverage > 0 {
		reporting := c.read(ctx, p.coverage)
		if !reporting.ok() {
			return problem(q, reporting, "coverage")
		}
		// The margin is for shares that have no exact binary form.
		if reporting.value < p.minCoverage*float64(q.Ready)-1e-9 {
			low := bad(policy.ProblemLowCoverage, "%g of %d ready replicas report, below a share of %g", reporting.value, q.Ready, p.minCoverage)
			return problem(q, low, "coverage")
		}
	}
	capacity := c.capacity(ctx, q, p)
	if !capacity.ok() {
		return problem(q, capacity, "capacity")
	}
	return policy.Usage{
		Resource:           q.Resource,
		Value:              u.value,
		CapacityPerReplica: capacity.value,
		Age:                u.age(c.now),
	}
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
		r = admit(p.perReplica, time.Time{}, c.now, c.reader.opts.MaxStaleness)
	case p.divide && c.snapshot != nil:
		r = c.snapshot.capacityPerReplica(p.capacity, c.now, c.reader.opts.MaxStaleness, q.Ready)
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
		return c.reader.readOne(ctx, src, c.now)
	case c.snapshot == nil:
		return bad(policy.ProblemUnavailable, "%s", c.err)
	default:
		return c.snapshot.read(src.series, src.key, c.now, c.reader.opts.MaxStaleness)
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
	if err != nil || len(times) != 1 {
		return time.Time{}, err
	}
	return time.UnixMilli(millis(times[0])), nil
}

// absent tells a series that has stopped from one that never was.
func (r *Reader) absent(ctx context.Context, src source, now time.Time) reading {
	times, err := r.askVector(ctx, question{
		expr: "timestamp(" + src.expr + ")", at: now, lookback: max(staleLookback, 2*r.opts.MaxStaleness), limit: askLimit,
	})
	switch {
	case err != nil || len(times) == 0:
		return bad(policy.ProblemMissing, "the query returns no series")
	case src.plain && len(times) == 1:
		return stale(time.UnixMilli(millis(times[0])), now)
	default:
		return bad(policy.ProblemStale, "no sample is younger than %s", r.opts.MaxStaleness)
	}
}
