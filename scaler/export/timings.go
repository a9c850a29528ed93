package export

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Timings are how long things took, of all policies together, in seconds. What
// is a state is rendered by Collector.
type Timings struct {
	Evaluation    prometheus.Histogram
	Action        prometheus.Histogram
	AlertToAction prometheus.Histogram
}

// NewTimings registers the timings with reg, where that is not nil.
func NewTimings(reg prometheus.Registerer) *Timings {
	f := promauto.With(reg)
	return &Timings{
		Evaluation: f.NewHistogram(prometheus.HistogramOpts{
			Name:    "alertscaler_evaluation_duration_seconds",
			Help:    "How long one evaluation of one policy took, reading targets and usage included.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}),
		Action: f.NewHistogram(prometheus.HistogramOpts{
			Name:    "alertscaler_action_duration_seconds",
			Help:    "How long a platform took to accept or refuse an action, retries after conflicts included.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}),
		AlertToAction: f.NewHistogram(prometheus.HistogramOpts{
			Name:    "alertscaler_alert_to_action_seconds",
			Help:    "From the receipt of the oldest alert since the last move until a platform accepted an action.",
			Buckets: []float64{0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300},
		}),
	}
}
