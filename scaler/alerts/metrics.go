package alerts

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	unmatched prometheus.Counter
	late      *prometheus.CounterVec
	expired   prometheus.Counter

	reconciliations        prometheus.Counter
	reconciliationFailures prometheus.Counter
	reconciliationDuration prometheus.Histogram
	reconciled             prometheus.Gauge
	reconciledAlerts       *prometheus.CounterVec
}

// collector renders how many alerts are active at each scrape: ten thousand
// policies with four directions each need no gauges of their own.
type collector struct{ book *Book }

var descActive = prometheus.NewDesc("alertscaler_alerts_active",
	"Alerts that fire for the policy and are neither silenced nor inhibited.", []string{"policy", "direction"}, nil)

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) { ch <- descActive }

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	c.book.mu.RLock()
	defer c.book.mu.RUnlock()
	for name, p := range c.book.policies {
		for _, d := range directions {
			ch <- prometheus.MustNewConstMetric(descActive, prometheus.GaugeValue, float64(*p.counts.of(d)), name, string(d))
		}
	}
}

func newMetrics(r prometheus.Registerer) *metrics {
	f := promauto.With(r)
	m := &metrics{
		unmatched: f.NewCounter(prometheus.CounterOpts{
			Name: "alertscaler_webhook_alerts_unmatched_total",
			Help: "Alerts received that speak for no policy.",
		}),
		late: f.NewCounterVec(prometheus.CounterOpts{
			Name: "alertscaler_alerts_late_total",
			Help: "Alerts received that newer word on the same alert had overtaken.",
		}, []string{"status"}),
		expired: f.NewCounter(prometheus.CounterOpts{
			Name: "alertscaler_alerts_expired_total",
			Help: "Firing alerts dropped because nobody confirmed them within the alert TTL.",
		}),
		reconciliations: f.NewCounter(prometheus.CounterOpts{
			Name: "alertscaler_reconciliations_total",
			Help: "Attempts to reconcile the active alerts with Alertmanager.",
		}),
		reconciliationFailures: f.NewCounter(prometheus.CounterOpts{
			Name: "alertscaler_reconciliation_failures_total",
			Help: "Attempts to reconcile the active alerts with Alertmanager that went wrong.",
		}),
		reconciliationDuration: f.NewHistogram(prometheus.HistogramOpts{
			Name:                           "alertscaler_reconciliation_duration_seconds",
			Help:                           "Time to reconcile the active alerts with Alertmanager.",
			Buckets:                        []float64{0.005, 0.025, 0.1, 0.5, 1, 2.5, 10},
			NativeHistogramBucketFactor:    1.1,
			NativeHistogramMaxBucketNumber: 100,
		}),
		reconciled: f.NewGauge(prometheus.GaugeOpts{
			Name: "alertscaler_reconciliation_last_success_timestamp_seconds",
			Help: "When the active alerts were last reconciled with Alertmanager; 0: never.",
		}),
		reconciledAlerts: f.NewCounterVec(prometheus.CounterOpts{
			Name: "alertscaler_reconciled_alerts_total",
			Help: "Alerts that a reconciliation had to correct, by what it did.",
		}, []string{"change"}),
	}
	for _, s := range []Status{Firing, Resolved} {
		m.late.WithLabelValues(string(s))
	}
	for _, c := range []string{"added", "updated", "removed"} {
		m.reconciledAlerts.WithLabelValues(c)
	}
	return m
}
