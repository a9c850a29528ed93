package ledger

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	size           prometheus.Gauge
	commits        prometheus.Counter
	commitFailures prometheus.Counter
	commitDuration prometheus.Histogram
	dropped        prometheus.Counter
	pruned         prometheus.Counter
	setAside       *prometheus.CounterVec
}

// newMetrics registers the metrics; health is nil while the ledger can be
// written.
func newMetrics(reg prometheus.Registerer, health func() error) *metrics {
	f := promauto.With(reg)
	f.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "alertscaler_ledger_last_write_successful",
		Help: "Whether the last write to the ledger succeeded; while it did not, one is tried every second. 0 too while a write goes unanswered.",
	}, func() float64 {
		if health() != nil {
			return 0
		}
		return 1
	})
	setAside := f.NewCounterVec(prometheus.CounterOpts{
		Name: "alertscaler_ledger_records_set_aside_total",
		Help: "Records that were not what had been written, since the start; they are kept in a file beside the ledger.",
	}, []string{"bucket"})
	for _, name := range dataBuckets() {
		setAside.WithLabelValues(name)
	}
	return &metrics{
		setAside: setAside,
		size: f.NewGauge(prometheus.GaugeOpts{
			Name: "alertscaler_ledger_size_bytes",
			Help: "Size of the ledger's file. Space freed by retention is used again, never returned.",
		}),
		commits: f.NewCounter(prometheus.CounterOpts{
			Name: "alertscaler_ledger_commits_total",
			Help: "Transactions written to the ledger, each of one or more records, failed ones included.",
		}),
		commitFailures: f.NewCounter(prometheus.CounterOpts{
			Name: "alertscaler_ledger_commit_failures_total",
			Help: "Transactions that could not be written to the ledger.",
		}),
		commitDuration: f.NewHistogram(prometheus.HistogramOpts{
			Name:                        "alertscaler_ledger_commit_duration_seconds",
			Help:                        "Time to write and sync one transaction.",
			Buckets:                     prometheus.ExponentialBuckets(0.0005, 4, 8),
			NativeHistogramBucketFactor: 1.1,
		}),
		dropped: f.NewCounter(prometheus.CounterOpts{
			Name: "alertscaler_ledger_records_dropped_total",
			Help: "Enqueued decisions, actions and histories that were lost: not encodable, too many waiting for a failing disk, or left over at the end.",
		}),
		pruned: f.NewCounter(prometheus.CounterOpts{
			Name: "alertscaler_ledger_records_pruned_total",
			Help: "Decisions, actions and histories removed because of their age or number.",
		}),
	}
}
