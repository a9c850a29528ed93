package webhook

import (
	"errors"
	"net/http"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
)

// Defaults of Options.
const (
	// DefaultMaxBody is enough for some 10,000 alerts.
	DefaultMaxBody = 8 << 20
	// DefaultReadTimeout is the least that Alertmanager gives a notification.
	DefaultReadTimeout = 10 * time.Second
	// maxAnswers is how many pages and answers of the API are made and read at
	// once, maxScrapes how many of what Prometheus asks for.
	maxAnswers = 16
	maxScrapes = 8
	// DefaultMaxConnections is as of Prometheus.
	DefaultMaxConnections = 512
)

// Options of the handler. Receiver, Policies, Decisions, Alerts and Config
// are required.
type Options struct {
	Receiver  Receiver
	Policies  Policies
	Decisions Decisions
	Alerts    Alerts
	Config    Config

	// Discovery may be nil: nothing is.
	Discovery Discovery
	// Endpoints may be nil: there are none.
	Endpoints Endpoints
	// Ready may be nil: the server is ready once it answers.
	Ready Ready
	// Reloader is asked by POST /-/reload; nil refuses it, as servers without
	// --web.enable-lifecycle do.
	Reloader Reloader
	// Pauses is asked by POST /api/v1/policies/{name}/{pause,resume}; nil
	// refuses both, as servers without --web.enable-admin-api do.
	Pauses Pauses
	// Retries is asked by POST /api/v1/policies/{name}/retry, where Pauses is
	// not nil; nil refuses it.
	Retries Retries
	// Gatherer is what /metrics shows; nil shows nothing.
	Gatherer prometheus.Gatherer
	// Registerer takes the handler's own metrics; nil drops them.
	Registerer prometheus.Registerer
	Logger     log.Logger

	// MaxBody is the largest notification in bytes; 0 is DefaultMaxBody.
	MaxBody int64
	// ReadTimeout is how long the body of a request may take to arrive; 0 is
	// DefaultReadTimeout.
	ReadTimeout time.Duration
	// MaxConnections is how many connections the server keeps; of them at most
	// half may be busy with bodies, and a quarter wait for one to arrive. 0 is
	// DefaultMaxConnections.
	MaxConnections int
	// WriteTimeout is how long an answer may take to be read, beside what its
	// size takes; 0 is DefaultWriteTimeout.
	WriteTimeout time.Duration
	leastRate    int // 0 is defaultLeastRate
	// Hosts are the names by which the server may be asked; nil: any.
	Hosts *Hosts
	// Now is the clock; nil is the system's.
	Now func() time.Time
}

// New returns the handler of everything Alertscaler serves. It never
// redirects: a client that follows a redirect of a POST loses the body, and
// Alertmanager would take the alerts for delivered.
func New(o Options) (http.Handler, error) {
	switch {
	case o.Receiver == nil:
		return nil, errors.New("webhook: no Receiver")
	case o.Policies == nil:
		return nil, errors.New("webhook: no Policies")
	case o.Decisions == nil:
		return nil, errors.New("webhook: no Decisions")
	case o.Alerts == nil:
		return nil, errors.New("webhook: no Alerts")
	case o.Config == nil:
		return nil, errors.New("webhook: no Config")
	}
	if o.Gatherer == nil {
		o.Gatherer = prometheus.NewRegistry()
	}
	if o.Logger == nil {
		o.Logger = log.NewNopLogger()
	}
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.ReadTimeout <= 0 {
		o.ReadTimeout = DefaultReadTimeout
	}
	if o.leastRate <= 0 {
		o.leastRate = defaultLeastRate
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = DefaultWriteTimeout
	}
	if o.MaxConnections <= 0 {
		o.MaxConnections = DefaultMaxConnections
	}
	if o.Now == nil {
		o.Now = func() time.Time { return time.Now().UTC() }
	}

	m := newMetrics(o.Registerer)
	in := newIntake(o.MaxConnections, o.MaxBody, o.ReadTimeout)
	api := &api{
		policies:  o.Policies,
		decisions: o.Decisions,
		alerts:    o.Alerts,
		config:    o.Config,
		discovery: o.Discovery,
		pauses:    o.Pauses,
		retries:   o.Retries,
		now:       o.Now,
		started:   o.Now(),
		logger:    o.Logger,
		intake:    in,
	}

	mux := http.NewServeMux()
	// What Prometheus reads has slots of its own, so that nobody who reads
	// slowly keeps it from knowing.
	pages := http.NewServeMux()
	get := func(path string, h http.HandlerFunc) { pages.Handle(path, readOnly(h)) }
	scrapes := func(h http.HandlerFunc) http.Handler { return bounded(maxScrapes, o, readOnly(h)) }
	mux.Handle("/", bounded(maxAnswers, o, pages))
	mux.Handle(webhookPath, newReceiver(o, in, m))
	mux.Handle("/-/healthy", readOnly(healthy))
	mux.Handle("/-/ready", readOnly(ready(o.Ready)))
	mux.Handle("/metrics", scrapes(metricsHandler(o).ServeHTTP))
	mux.Handle("/sd/targets", scrapes(discovery(o.Endpoints, o.Ready, o.Logger)))
	pages.Handle("/-/reload", reload(o.Reloader, o.Logger))
	get("/api/v1/policies", api.listPolicies)
	get("/api/v1/policies/{name}", api.getPolicy)
	pages.HandleFunc("/api/v1/policies/{name}/pause", api.admin(api.pausePolicy))
	pages.HandleFunc("/api/v1/policies/{name}/resume", api.admin(api.resumePolicy))
	pages.HandleFunc("/api/v1/policies/{name}/retry", api.admin(api.retryPolicy))
	get("/api/v1/decisions", api.listDecisions)
	get("/api/v1/alerts", api.listAlerts)
	get("/api/v1/status/config", api.statusConfig)
	get("/api/v1/status/discovery", api.statusDiscovery)
	get("/api/v1/status/buildinfo", api.statusBuildinfo)
	get("/api/v1/status/runtimeinfo", api.statusRuntimeinfo)
	pages.HandleFunc("/api", api.notFound)
	pages.HandleFunc("/api/", api.notFound)
	get("/{$}", index(o))

	return harden(mux, o.Hosts, m, o.Logger), nil
}
