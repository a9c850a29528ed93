package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/outgoing"
	"github.com/alertscaler/alertscaler/scaler/simulate"
	"github.com/alertscaler/alertscaler/scaler/usage"
)

// history reads usage from the configuration's Prometheus.
func (w *whatIf) history(ctx context.Context, c *config.Config) (*simulate.Recorded, error) {
	now := time.Now()
	from, err := moment("from", *w.from, now)
	if err != nil {
		return nil, err
	}
	to := now
	if *w.to != "" {
		if to, err = moment("to", *w.to, now); err != nil {
			return nil, err
		}
	}
	switch {
	case !from.Before(to):
		return nil, fmt.Errorf("--to, %s, does not come after --from, %s", instant(to), instant(from))
	case to.After(now):
		return nil, fmt.Errorf("--to, %s, lies in the future", instant(to))
	case c.Prometheus == nil:
		return nil, failure{fmt.Errorf("%s names no prometheus to read the history from", *w.file)}
	}
	p, err := simulate.PolicyNamed(c, *w.policy)
	if err != nil {
		return nil, failure{err}
	}
	transport, err := outgoing.NewRoundTripper(c.Prometheus.HTTPClientConfig, "prometheus")
	if err != nil {
		return nil, fmt.Errorf("build the HTTP client: %w", err)
	}
	reader, err := usage.New(usage.Options{
		Address:      c.Prometheus.URL.Public().String(),
		RoundTripper: c.Prometheus.URL.Transport(transport),
		Timeout:      c.Prometheus.Timeout.Std(),
		MaxStaleness: c.Prometheus.MaxStaleness.Std(),
	})
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	step := time.Duration(w.step)
	if step == 0 {
		step = p.EvaluationInterval.Std()
	}
	recorded, err := simulate.ReadHistory(ctx, reader, p, simulate.HistoryOptions{
		From: from, To: to, Step: step, MaxGap: time.Duration(w.maxGap), CapacityPerReplica: *w.capacity,
	})
	if errors.Is(err, simulate.ErrNoHistory) {
		return nil, failure{err}
	}
	if err != nil {
		return nil, fmt.Errorf("read the history of policy %q from %s: %w", p.Name, c.Prometheus.URL.Shown(), err)
	}
	return recorded, nil
}

// moment is a time, or so long ago.
func moment(flag, text string, now time.Time) (time.Time, error) {
	if ago, err := model.ParseDuration(text); err == nil {
		return now.Add(-time.Duration(ago)), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("--%s=%s is no time; write it as 2026-01-05T08:00:00Z, or as 7d for seven days ago", flag, text)
	}
	return t, nil
}
