package alerts

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	unmatched prometheus.Counter
	late      *prometheus.CounterVec
	expired   prometheus.Counter
	refused   *prometheus.CounterVec
	trimmed   prometheus.Counter
	assumed   prometheus.Counter
	unlisted  prometheus.Counter
	panics    *prometheus.CounterVec

	reconciliations        prometheus.Counter
	reconciliationFailures prometheus.Counter
	reconciliationDuration prometheus.Histogram
	reconciled             prometheus.Gauge
	reconciledAlerts       *prometheus.CounterVec
}

// collector renders how many alerts are active at each scrape: ten thousand
// policies with four directions each need no gauges of their own.
type collector struct{ book *Book }

var (
	descActive = prometheus.NewDesc("alertscaler_alerts_active",
		"Alerts that fire for the policy and are neither silenced nor inhibited nor unconfirmed.", []string{"policy", "direction"}, nil)
	descUnconfirmed = prometheus.NewDesc("alertscaler_alerts_unconfirmed",
		"Alerts that speak for a policy and do not count yet, because Alertmanager has not listed them.", nil, nil)
	descBytes = prometheus.NewDesc("alertscaler_alerts_bytes",
		"What all alerts together take of --alerts.max-bytes.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	ch <- descActive
	ch <- descUnconfirmed
	ch <- descBytes
}

// Collect implements prometheus.Collector. What it sends to may be slow, so
// that it does not hold the book while it sends.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	counts, unconfirmed, bytes := c.book.tally()
	for name, n := range counts {
		for _, d := range directions {
			ch <- prometheus.MustNewConstMetric(descActive, prometheus.GaugeValue, float64(*n.of(d)), name, string(d))
		}
	}
	ch <- prometheus.MustNewConstMetric(descUnconfirmed, prometheus.GaugeValue, float64(unconfirmed))
	ch <- prometheus.MustNewConstMetric(descBytes, prometheus.GaugeValue, float64(bytes))
}

func (b *Book) tally() (policies map[string]Counts, unconfirmed, bytes int) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	policies = make(map[string]Counts, len(b.policies))
	for name, p := range b.policies {
		policies[name] = p.counts
	}
	for fp := range b.unconfirmed {
		if len(b.entries[fp].matches) > 0 {
			unconfirmed++
		}
	}
	return policies, unconfirmed, b.bytes
}

func (m *metrics) countRefused(did counts) {
	for r, n := range did.by {
		if n > 0 {
			m.refused.WithLabelValues(refusal(r).String()).Add(float64(n))
		}
	}
	m.trimmed.Add(float64(did.trimmed))
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
		refused: f.NewCounterVec(prometheus.CounterOpts{
			Name: "alertscaler_alerts_refused_total",
			Help: "Alerts that the book has no room for, by the bound that they met.",
		}, []string{"reason"}),
		trimmed: f.NewCounter(prometheus.CounterOpts{
			Name: "alertscaler_alerts_trimmed_total",
			Help: "Alerts received whose annotations were left out, because they were too large.",
		}),
		assumed: f.NewCounter(prometheus.CounterOpts{
			Name: "alertscaler_alerts_assumed_total",
			Help: "Alerts that count although Alertmanager has not confirmed them, because it did not answer.",
		}),
		unlisted: f.NewCounter(prometheus.CounterOpts{
			Name: "alertscaler_alerts_unlisted_total",
			Help: "Alerts that a notification told of and that never counted, because Alertmanager did not list them.",
		}),
		panics: f.NewCounterVec(prometheus.CounterOpts{
			Name: "alertscaler_alerts_panics_total",
			Help: "Panics that were recovered while the active alerts were reconciled or kept in order; each is a bug.",
		}, []string{"task"}),
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
	for r := range refusals {
		m.refused.WithLabelValues(r.String())
	}
	for _, t := range []string{taskReconcile, taskExpire, taskStore} {
		m.panics.WithLabelValues(t)
	}
	for _, c := range []string{"added", "updated", "removed"} {
		m.reconciledAlerts.WithLabelValues(c)
	}
	return m
}
