package webhook

import (
	"fmt"
	"io"
	"net/http"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// healthy answers 200 for as long as the process can answer at all.
func healthy(w http.ResponseWriter, _ *http.Request) { plain(w, "Alertscaler is Healthy.") }

// ready answers 200 once the server can do its work, and until then 503 with
// what it waits for.
func ready(r Ready) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if r != nil {
			if err := r.Ready(); err != nil {
				http.Error(w, "Alertscaler is not Ready: "+oneLine(err), http.StatusServiceUnavailable)
				return
			}
		}
		plain(w, "Alertscaler is Ready.")
	}
}

// reload is POST or PUT /-/reload, as in Prometheus.
func reload(r Reloader, logger log.Logger) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodPost && req.Method != http.MethodPut {
			w.Header().Set("Allow", "POST, PUT")
			http.Error(w, "want POST or PUT", http.StatusMethodNotAllowed)
			return
		}
		if r == nil {
			http.Error(w, "Lifecycle API is not enabled: start with --web.enable-lifecycle", http.StatusForbidden)
			return
		}
		// Whoever reloads tells the log; the answer is for who asked. It may
		// span lines: an error of configuration names each mistake.
		if err := r.Reload(req.Context()); err != nil {
			http.Error(w, fmt.Sprintf("The configuration was not reloaded, the old one stays in force: %s", err), http.StatusInternalServerError)
			return
		}
		level.Debug(logger).Log("msg", "configuration reloaded by request", "remote", req.RemoteAddr)
	}
}

// metricsHandler is GET /metrics. An error of one collector does not hide the
// others: half of the metrics beat none when something is wrong.
func metricsHandler(o Options) http.Handler {
	h := promhttp.HandlerFor(o.Gatherer, promhttp.HandlerOpts{
		ErrorLog:          promLogger{o.Logger},
		ErrorHandling:     promhttp.ContinueOnError,
		Registry:          o.Registerer,
		EnableOpenMetrics: true,
	})
	if o.Registerer != nil {
		h = promhttp.InstrumentMetricHandler(o.Registerer, h)
	}
	return h
}

// promLogger lets promhttp log.
type promLogger struct{ log.Logger }

func (l promLogger) Println(v ...any) {
	level.Error(l.Logger).Log("msg", "gathering metrics", "err", fmt.Sprint(v...))
}

func plain(w http.ResponseWriter, line string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, line+"\n")
}
