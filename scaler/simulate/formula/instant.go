package formula

import (
	"context"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// Instant is series of one sample each, which is of whatever instant is asked
// for: what Prometheus' own engine evaluates an expression on.
type Instant []promql.Sample

var _ storage.Queryable = Instant(nil)

// Querier implements storage.Queryable.
func (s Instant) Querier(_, at int64) (storage.Querier, error) { return querier{s, at}, nil }

// querier has the samples at an instant, in milliseconds.
type querier struct {
	samples Instant
	at      int64
}

// Select implements storage.Querier.
func (q querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	found := &seriesSet{at: q.at}
	for _, s := range q.samples {
		if matchesAll(s.Metric, matchers) {
			found.samples = append(found.samples, s)
		}
	}
	return found
}

func matchesAll(metric labels.Labels, matchers []*labels.Matcher) bool {
	return !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(metric.Get(m.Name)) })
}

// LabelValues, LabelNames and Close implement storage.Querier. No expression of
// a rule asks for labels.
func (querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (querier) Close() error { return nil }

// seriesSet goes through the series that were selected.
type seriesSet struct {
	samples []promql.Sample
	at      int64
	next    int
}

func (s *seriesSet) Next() bool {
	s.next++
	return s.next <= len(s.samples)
}

func (s *seriesSet) At() storage.Series {
	sample := s.samples[s.next-1]
	return promql.NewStorageSeries(promql.Series{Metric: sample.Metric, Floats: []promql.FPoint{{T: s.at, F: sample.F}}})
}

func (*seriesSet) Err() error                        { return nil }
func (*seriesSet) Warnings() annotations.Annotations { return nil }
