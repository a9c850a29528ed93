// Package usage reads what targets use from Prometheus, and lets through only
// what a decision may rest on: exactly one series, finite, fresh, and made of
// enough of the replicas. What does not pass comes back as a policy.Problem
// with an explanation, and never as zero.
package usage

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

const (
	defaultTimeout      = 10 * time.Second
	defaultMaxStaleness = 2 * time.Minute
	// maxConcurrent stays well below the 20 queries that Prometheus itself
	// runs at a time by default: it has others to serve.
	maxConcurrent = 8
)

// Options of a Reader. Only Address is required.
type Options struct {
	// Address is the base URL of Prometheus, or of what speaks its query API.
	Address string
	// RoundTripper carries credentials and TLS; nil: plain HTTP.
	RoundTripper http.RoundTripper
	// Timeout of one query. 0: 10 s.
	Timeout time.Duration
	// MaxStaleness is how old a sample may be. 0: 2 m. Prometheus counts in
	// whole seconds.
	MaxStaleness time.Duration
	// Metrics to count in; nil: of this Reader alone, and not registered.
	Metrics *Metrics
	// Logger; nil: nothing is logged.
	Logger log.Logger
	// Now is the clock of the times that Read is given; nil: time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.MaxStaleness == 0 {
		o.MaxStaleness = defaultMaxStaleness
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	if o.Logger == nil {
		o.Logger = log.NewNopLogger()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Reader reads usage from one Prometheus. All methods are goroutine-safe.
type Reader struct {
	opts    Options
	client  api.Client
	api     v1.API
	metrics *Metrics
	shared  shared
	// slots bounds the queries of single policies.
	slots chan struct{}

	// ctx ends with Close, and flights are what it then waits for.
	ctx     context.Context
	cancel  context.CancelFunc
	flights sync.WaitGroup
}

// New returns a Reader. It does not contact Prometheus.
func New(o Options) (*Reader, error) {
	o = o.withDefaults()
	u, err := url.Parse(o.Address)
	if err != nil {
		return nil, fmt.Errorf("read usage from %q: %w", o.Address, err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("read usage from %q: the address is not an http or https URL", o.Address)
	}
	client, err := api.NewClient(api.Config{Address: o.Address, RoundTripper: o.RoundTripper})
	if err != nil {
		return nil, fmt.Errorf("read usage from %q: %w", o.Address, err)
	}
	r := &Reader{
		opts:    o,
		client:  client,
		api:     v1.NewAPI(client),
		metrics: o.Metrics,
		slots:   make(chan struct{}, maxConcurrent),
		shared:  shared{wanted: map[want]bool{}},
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r, nil
}

// Close ends what is under way and lets go of idle connections. A Read that
// is called or still running then finds everything unavailable.
func (r *Reader) Close() {
	r.shared.mu.Lock()
	r.cancel()
	r.shared.mu.Unlock()
	r.flights.Wait()
	if c, ok := r.client.(api.CloseIdler); ok {
		c.CloseIdleConnections()
	}
}

// Read returns what the resources of one policy use at now: one Usage for each
// query, in their order. It returns early where ctx ends, with what is then
// unknown marked unavailable.
//
// The shipped series are read for all policies at once, so that ten thousand
// policies cost as many queries as one; what is a second old is good enough
// for the next. PromQL of one's own costs a query for each expression, and
// another where it selects a series and the age of its sample can be told.
//
// The shipped capacity is a sum over the replicas that report, and is divided
// by their number when it was recorded, not by Ready: replicas that are ready
// and do not report yet would make every one look smaller. Ready serves only
// where that number is not recorded at all.
//
// Where too few replicas report, what they use and hold stands beside the
// problem: it is less than there is, and so of use to who wants to go up. A
// prediction that cannot be had is no problem: nothing is predicted then.
func (r *Reader) Read(ctx context.Context, now time.Time, queries []Query) []policy.Usage {
	plans := make([]plan, len(queries))
	var (
		buf   [16]want
		wants = buf[:0]
		ask   bool
	)
	for i, q := range queries {
		plans[i] = q.plan()
		wants = plans[i].wants(wants)
		ask = ask || plans[i].asks()
	}
	if ask {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		defer cancel(nil)
		defer context.AfterFunc(r.ctx, func() { cancel(errClosed) })()
	}
	round := round{now: now, maxStaleness: r.opts.MaxStaleness, own: r.readOne}
	if len(wants) > 0 {
		round.snapshot, round.err = r.snapshot(ctx, now, wants)
	}

	read := make([]policy.Usage, len(queries))
	var wg sync.WaitGroup
	for i, p := range plans {
		if !p.asks() {
			read[i] = round.usage(ctx, queries[i], p)
			continue
		}
		wg.Go(func() { read[i] = round.usage(ctx, queries[i], p) })
	}
	wg.Wait()
	return read
}
