package usage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-kit/log/level"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// question is one instant query.
type question struct {
	expr string
	at   time.Time
	// lookback is how old a sample may be that answers it. Prometheus honours
	// it since 2.43; others may look back further, which is why the samples'
	// own timestamps are asked for too.
	lookback time.Duration
	// limit is the most series wanted; 0: all. Old versions ignore it.
	limit uint64
}

// ask puts one question to Prometheus.
func (r *Reader) ask(parent context.Context, q question) (model.Value, error) {
	ctx, cancel := context.WithTimeout(parent, r.opts.Timeout)
	defer cancel()

	opts := []v1.Option{
		v1.WithTimeout(wholeSeconds(r.opts.Timeout)),
		v1.WithLookbackDelta(wholeSeconds(q.lookback)),
	}
	if q.limit > 0 {
		opts = append(opts, v1.WithLimit(q.limit))
	}
	begin := time.Now()
	value, warnings, _, err := r.api.Query(ctx, q.expr, q.at, opts...)
	r.metrics.queries.Inc()
	r.metrics.queryDuration.Observe(time.Since(begin).Seconds())
	if len(warnings) > 0 {
		level.Debug(r.opts.Logger).Log("msg", "Prometheus warns about a query", "query", q.expr, "warnings", strings.Join(warnings, "; "))
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

// askVector puts a question whose answer must be a vector of numbers.
func (r *Reader) askVector(ctx context.Context, q question) (model.Vector, error) {
	value, err := r.ask(ctx, q)
	if err != nil {
		return nil, err
	}
	v, ok := value.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("the answer is a %s, not a vector", value.Type())
	}
	return v, nil
}

// wholeSeconds rounds up to what every version of Prometheus can parse: Go
// writes a duration of 1.5 s as 1.5s, which Prometheus refuses.
func wholeSeconds(d time.Duration) time.Duration {
	return max(time.Second, (d + time.Second - 1).Truncate(time.Second))
}

// explain says a query's error in Prometheus' own words where it has any. The
// client keeps them aside for all but two status codes.
func explain(err error) error {
	var e *v1.Error
	if !errors.As(err, &e) {
		return err
	}
	var body struct {
		Type  string `json:"errorType"`
		Error string `json:"error"`
	}
	switch {
	case e.Detail == "":
		return err
	case json.Unmarshal([]byte(e.Detail), &body) == nil && body.Error != "":
		return fmt.Errorf("%s: %s: %w", body.Type, body.Error, err)
	default:
		return fmt.Errorf("%w: %s", err, shorten(strings.Join(strings.Fields(e.Detail), " "), 100))
	}
}

// shorten cuts what others wrote to a length that a log line bears.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
