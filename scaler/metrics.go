package scaler

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are the engine's events; what is a state is derived from the units
// by collector.
type metrics struct {
	evaluation     prometheus.Histogram
	actionDuration prometheus.Histogram
	alertToAction  prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer, e *Engine) *metrics {
	f := promauto.With(reg)
	m := &metrics{
		evaluation: f.NewHistogram(prometheus.HistogramOpts{
			Name:    "alertscaler_evaluation_duration_seconds",
			Help:    "How long one evaluation of one policy took, reading targets and usage included.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}),
		actionDuration: f.NewHistogram(prometheus.HistogramOpts{
			Name:    "alertscaler_action_duration_seconds",
			Help:    "How long a platform took to accept or refuse an action, retries after conflicts included.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}),
		alertToAction: f.NewHistogram(prometheus.HistogramOpts{
			Name:    "alertscaler_alert_to_action_seconds",
			Help:    "From the receipt of the oldest alert since the last move until a platform accepted an action.",
			Buckets: []float64{0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300},
		}),
	}
	if reg != nil {
		reg.MustRegister(collector{e})
	}
	return m
}
