package webhook

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/alertscaler/alertscaler/scaler/alerts"
)

type metrics struct {
	requests *prometheus.CounterVec
	alerts   *prometheus.CounterVec
	duration prometheus.Histogram
	panics   prometheus.Counter
}

// webhookCodes are all the answers that Alertmanager may get from here.
// Authentication answers before this package is asked.
var webhookCodes = [...]int{
	http.StatusAccepted,
	http.StatusBadRequest,
	http.StatusForbidden,
	http.StatusMethodNotAllowed,
	http.StatusRequestTimeout,
	http.StatusRequestEntityTooLarge,
	http.StatusMisdirectedRequest,
	http.StatusInternalServerError,
	http.StatusServiceUnavailable,
}

func newMetrics(r prometheus.Registerer) *metrics {
	f := promauto.With(r)
	m := &metrics{
		requests: f.NewCounterVec(prometheus.CounterOpts{
			Name: "alertscaler_webhook_requests_total",
			Help: "Requests to the webhook, by the HTTP status code of the answer.",
		}, []string{"code"}),
		alerts: f.NewCounterVec(prometheus.CounterOpts{
			Name: "alertscaler_webhook_alerts_total",
			Help: "Alerts in the notifications that were taken in, by the alert's own status.",
		}, []string{"status"}),
		duration: f.NewHistogram(prometheus.HistogramOpts{
			Name:                           "alertscaler_webhook_request_duration_seconds",
			Help:                           "Time to answer a request to the webhook, reading its body included.",
			Buckets:                        []float64{0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 15},
			NativeHistogramBucketFactor:    1.1,
			NativeHistogramMaxBucketNumber: 100,
		}),
		panics: f.NewCounter(prometheus.CounterOpts{
			Name: "alertscaler_http_panics_total",
			Help: "Requests whose handler panicked; each is a bug.",
		}),
	}
	for _, code := range webhookCodes {
		m.requests.WithLabelValues(strconv.Itoa(code))
	}
	for _, s := range []alerts.Status{alerts.Firing, alerts.Resolved} {
		m.alerts.WithLabelValues(string(s))
	}
	return m
}
