package usage

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-kit/log/level"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/policy/objective"
)

// pastPoints is how many samples one query may return; Prometheus gives no more
// than 11,000 of a series.
const pastPoints = 10_000

// Past returns what one resource used after from until to, a sample a step,
// oldest first, with what one replica held then and how many reported. Where
// usage or capacity is unknown, or not one number, there is no sample: unknown
// is never zero. An error says that Prometheus could not be asked, or that the
// answer to a query is never one series.
func (r *Reader) Past(ctx context.Context, q Query, from, to time.Time, step time.Duration) ([]objective.Sample, error) {
	// Prometheus tells time in milliseconds.
	from, to = from.Truncate(time.Second), to.Truncate(time.Second)
	p := q.plan()
	ask := func(src source) (map[int64]float64, error) {
		return r.askRange(ctx, src.promQL(), from.Add(step), to, step)
	}
	used, err := ask(p.usage)
	if err != nil {
		return nil, fmt.Errorf("past usage: %w", err)
	}
	var reporting, capacity map[int64]float64
	if p.divide && p.perReplica == 0 || p.usage.shipped() || q.Coverage != "" {
		if reporting, err = ask(p.coverage); err != nil {
			return nil, fmt.Errorf("past coverage: %w", err)
		}
	}
	if p.perReplica == 0 {
		if capacity, err = ask(p.capacity); err != nil {
			return nil, fmt.Errorf("past capacity: %w", err)
		}
	}
	var samples []objective.Sample
	for at := from.Add(step); !at.After(to); at = at.Add(step) {
		ms := at.UnixMilli()
		s := objective.Sample{At: at, Capacity: p.perReplica}
		n := reporting[ms]
		if p.perReplica == 0 {
			s.Capacity = capacity[ms]
			if p.divide {
				s.Capacity /= n // by 0: no sample
			}
		}
		u, known := used[ms]
		if !known || !(s.Capacity > 0) || s.Capacity > maxCapacity || !(u >= 0) {
			continue
		}
		s.Usage, s.Ready = u, int(n)
		samples = append(samples, s)
	}
	return samples, nil
}

// maxCapacity is beyond what anything holds, and below infinity.
const maxCapacity = 1e300

// promQL is the source as Prometheus is asked for it.
func (s source) promQL() string {
	if !s.shipped() {
		return s.expr
	}
	var b strings.Builder
	b.WriteString(s.series + "{" + labelTarget + "=" + strconv.Quote(s.key.target))
	if s.key.resource != "" {
		b.WriteString("," + labelResource + "=" + strconv.Quote(s.key.resource))
	}
	b.WriteString("}")
	return b.String()
}

// askRange is the only series of an expression, by the millisecond. Where there
// is more than one at a time, none of them counts.
func (r *Reader) askRange(parent context.Context, expr string, from, to time.Time, step time.Duration) (map[int64]float64, error) {
	values := make(map[int64]float64)
	twice := make(map[int64]bool)
	for ; !from.After(to); from = from.Add(pastPoints * step) {
		until := from.Add((pastPoints - 1) * step)
		if until.After(to) {
			until = to
		}
		answer, err := r.askOneRange(parent, expr, v1.Range{Start: from, End: until, Step: step})
		if err != nil {
			return nil, err
		}
		switch v := answer.(type) {
		case model.Matrix:
			for _, series := range v {
				for _, pair := range series.Values {
					ms := int64(pair.Timestamp)
					if _, ok := values[ms]; ok {
						twice[ms] = true
					}
					values[ms] = float64(pair.Value)
				}
			}
		default:
			return nil, fmt.Errorf("the answer is a %s, not a range", answer.Type())
		}
	}
	if n := len(values); n > 0 && len(twice) == n {
		return nil, fmt.Errorf("%s is never one series", expr)
	}
	for ms := range twice {
		delete(values, ms)
	}
	return values, nil
}

func (r *Reader) askOneRange(parent context.Context, expr string, span v1.Range) (model.Value, error) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-parent.Done():
		return nil, context.Cause(parent)
	}
	ctx, cancel := context.WithTimeout(parent, r.opts.Timeout)
	defer cancel()
	begin := time.Now()
	value, warnings, _, err := r.api.QueryRange(ctx, expr, span,
		v1.WithTimeout(wholeSeconds(r.opts.Timeout)), v1.WithLookbackDelta(wholeSeconds(r.opts.MaxStaleness)))
	r.metrics.queries.Inc()
	r.metrics.queryDuration.Observe(time.Since(begin).Seconds())
	if len(warnings) > 0 {
		level.Debug(r.opts.Logger).Log("msg", "Prometheus warns about a query", "query", expr, "warnings", strings.Join(warnings, "; "))
	}
	if err != nil {
		r.metrics.queryFailures.Inc()
		if ctx.Err() != nil && parent.Err() == nil {
			return nil, fmt.Errorf("no answer within %s: %w", r.opts.Timeout, err)
		}
		return nil, explain(err)
	}
	return value, nil
}
