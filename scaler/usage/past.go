package usage

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

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
			if p.divide && n < 1 {
				continue // nobody knows of how many it is the sum
			} else if p.divide {
				s.Capacity /= n
			}
		}
		u, known := used[ms]
		if !known || !(s.Capacity > 0) || s.Capacity > maxCapacity || !(u >= 0) || u > maxCapacity {
			continue
		}
		s.Usage, s.Ready = u, int(n)
		samples = append(samples, s)
	}
	return samples, nil
}

// maxCapacity is beyond what anything holds or uses, and below infinity.
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
		answer, err := r.askOneRange(parent, expr, from, until, step)
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

func (r *Reader) askOneRange(ctx context.Context, expr string, from, to time.Time, step time.Duration) (model.Value, error) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	return r.get(ctx, pathQueryRange, url.Values{
		"query": {expr}, "start": {seconds(from)}, "end": {seconds(to)},
		"step":           {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)},
		"lookback_delta": {wholeSeconds(r.opts.MaxStaleness).String()},
	})
}
