package usage

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/common/model"
)

// Loads returns what each replica of a target carries at now: the answer to
// expr, by the value of label. What has no finite number, or a negative one,
// is left out: it is not known. Two series of one value, or a series without
// the label, make the whole answer useless, and so an error.
func (r *Reader) Loads(ctx context.Context, now time.Time, expr, label string) (map[string]float64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(r.ctx, func() { cancel(errClosed) })()
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	v, err := r.askVector(ctx, question{expr: expr, at: now, lookback: r.opts.MaxStaleness})
	if err != nil {
		return nil, err
	}
	return loads(v, label)
}

func loads(v model.Vector, label string) (map[string]float64, error) {
	out := make(map[string]float64, len(v))
	seen := make(map[string]model.Metric, len(v))
	for _, s := range v {
		value := string(s.Metric[model.LabelName(label)])
		if value == "" {
			return nil, fmt.Errorf("the series %s has no label %q that would name a replica", shorten(s.Metric.String(), maxDetail/3), label)
		}
		if other, ok := seen[value]; ok {
			return nil, fmt.Errorf("there are two series with %s=%q, such as %s and %s; sum them by (%s)", label, value,
				shorten(other.String(), maxDetail/3), shorten(s.Metric.String(), maxDetail/3), label)
		}
		seen[value] = s.Metric
		if x := float64(s.Value); s.Histogram == nil && x >= 0 && !math.IsInf(x, 0) {
			out[value] = x
		}
	}
	return out, nil
}

// SetLoads says what Loads answers to an expression. Whatever else is asked
// has no series.
func (m *Memory) SetLoads(expr string, answer func(now time.Time) (map[string]float64, error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.loads == nil {
		m.loads = make(map[string]func(time.Time) (map[string]float64, error))
	}
	m.loads[expr] = answer
}

// Loads is Reader.Loads.
func (m *Memory) Loads(_ context.Context, now time.Time, expr, _ string) (map[string]float64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if answer, ok := m.loads[expr]; ok {
		return answer(now)
	}
	return map[string]float64{}, nil
}
