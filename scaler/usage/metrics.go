package usage

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics are what Readers count. Readers that follow each other at a reload
// share them, so that the counters go on.
type Metrics struct {
	queries       prometheus.Counter
	queryFailures prometheus.Counter
	queryDuration prometheus.Histogram
	panics        prometheus.Counter
}

// NewMetrics registers the metrics with reg; nil keeps them unregistered.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	f := promauto.With(reg)
	return &Metrics{
		queries: f.NewCounter(prometheus.CounterOpts{
			Name: "alertscaler_usage_queries_total",
			Help: "Queries sent to Prometheus, failed ones included. All shipped series together take six a round, eight with predicted usage.",
		}),
		queryFailures: f.NewCounter(prometheus.CounterOpts{
			Name: "alertscaler_usage_query_failures_total",
			Help: "Queries that Prometheus did not answer, or answered with an error.",
		}),
		queryDuration: f.NewHistogram(prometheus.HistogramOpts{
			Name:                        "alertscaler_usage_query_duration_seconds",
			Help:                        "Time until a query was answered and decoded, or failed.",
			Buckets:                     prometheus.ExponentialBuckets(0.001, 4, 8),
			NativeHistogramBucketFactor: 1.1,
		}),
		panics: f.NewCounter(prometheus.CounterOpts{
			Name: "alertscaler_usage_panics_total",
			Help: "Panics while usage was read; each is a bug, and the usage was then unknown.",
		}),
	}
}
