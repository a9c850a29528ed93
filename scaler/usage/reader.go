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
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/api"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

const (
	defaultTimeout      = 10 * time.Second
	defaultMaxStaleness = 2 * time.Minute
	// maxConcurrent stays well below the 20 queries that Prometheus itself
	// runs at a time by default: it has others to serve.
	maxConcurrent = 8
	// defaultMaxAnswer bounds what one answer may take: 10,000 targets with
	// two resources are about 3 MB.
	defaultMaxAnswer = 64 << 20
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
	Now       func() time.Time
	maxAnswer int64 // in bytes; 0: defaultMaxAnswer
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
	if o.maxAnswer == 0 {
		o.maxAnswer = defaultMaxAnswer
	}
	return o
}

// Reader reads usage from one Prometheus. All methods are goroutine-safe.
type Reader struct {
	opts    Options
	client  api.Client
	metrics *Metrics
	shared  shared
	// slots bounds the queries of single policies.
	slots chan struct{}

	// ctx ends with Close, and flights are what it then waits for.
	ctx     context.Context
	cancel  context.CancelFunc
	flights sync.WaitGroup
	// retired is set once another Reader has taken this one's place.
	retired atomic.Bool
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
	if o.RoundTripper == nil {
		o.RoundTripper = api.DefaultRoundTripper
	}
	client, err := api.NewClient(api.Config{Address: o.Address, RoundTripper: bounded{o.RoundTripper, o.maxAnswer}})
	if err != nil {
		return nil, fmt.Errorf("read usage from %q: %w", o.Address, err)
	}
	r := &Reader{
		opts:    o,
		client:  client,
		metrics: o.Metrics,
		slots:   make(chan struct{}, maxConcurrent),
		shared:  shared{wanted: map[want]time.Time{}},
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
	r.closeIdle()
}

// Retire is for a Reader whose place another has taken, while evaluations may
// still use it: what is under way, and what they ask later, is answered as
// before, and no connection is kept for long. It need not be closed afterwards.
func (r *Reader) Retire() {
	r.retired.Store(true)
	r.closeIdle()
}

func (r *Reader) closeIdle() {
	if c, ok := r.client.(api.CloseIdler); ok {
		c.CloseIdleConnections()
	}
}

// guard calls fn and makes an error of its panic. Whatever is wrong with one
// answer, or with how it is read, costs no more than the answer.
func (r *Reader) guard(fn func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			r.metrics.panics.Inc()
			level.Error(r.opts.Logger).Log("msg", "panic while usage was read, which is a bug; the usage is unknown", "panic", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("a panic while it was read, which is a bug of Alertscaler: %v", v)
		}
	}()
	fn()
	return nil
}

// bounded bounds the answers of a RoundTripper.
type bounded struct {
	http.RoundTripper
	limit int64 // bytes
}

func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := b.RoundTripper.RoundTrip(req)
	if err == nil {
		res.Body = http.MaxBytesReader(nil, res.Body, b.limit)
	}
	return res, err
}

// CloseIdleConnections is what http.Client looks for in its transport.
func (b bounded) CloseIdleConnections() {
	if c, ok := b.RoundTripper.(api.CloseIdler); ok {
		c.CloseIdleConnections()
	}
}

// Read returns what the resources of one policy use at now: one Usage for each
// query, in their order. It returns early where ctx ends, with what is then
// unknown marked unavailable.
//
// The shipped series are read for all policies at once, so that ten thousand
// policies cost as many queries as one. What was read for others up to a second
// before is good enough, unless that was before the latest Query.Since: then it is
// read again, for all who wait. PromQL of one's own costs a query for each
// expression, and another where it selects a series and the age of its sample can
// be told.
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
		since time.Time
	)
	for i, q := range queries {
		plans[i] = q.plan()
		wants = plans[i].wants(wants)
		ask = ask || plans[i].asks()
		if q.Since.After(since) {
			since = q.Since
		}
	}
	if ask {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		defer cancel(nil)
		defer context.AfterFunc(r.ctx, func() { cancel(errClosed) })()
	}
	round := round{now: now, maxStaleness: r.opts.MaxStaleness, own: r.readOne}
	if len(wants) > 0 {
		round.snapshot, round.err = r.snapshot(ctx, now, since, wants)
	}

	read := make([]policy.Usage, len(queries))
	var wg sync.WaitGroup
	for i, p := range plans {
		one := func() {
			if err := r.guard(func() { read[i] = round.usage(ctx, queries[i], p) }); err != nil {
				read[i] = problem(queries[i], bad(policy.ProblemUnavailable, "%s", err), "usage")
			}
		}
		if !p.asks() {
			one()
			continue
		}
		wg.Go(one)
	}
	wg.Wait()
	return read
}
