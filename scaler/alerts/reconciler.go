package alerts

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"golang.org/x/time/rate"
)

// Defaults of ReconcilerOptions.
const (
	DefaultResyncInterval = 30 * time.Second
	// DefaultSettle: Prometheus sends firing alerts again with the first
	// evaluation after --rules.alert.resend-delay, both one minute by default.
	DefaultSettle = 3 * time.Minute

	maxResyncTimeout = 15 * time.Second

	// Notifications may have Alertmanager asked once a second, and a few times
	// at once.
	askEvery = time.Second
	askBurst = 5
	// askAgain is how soon it is asked again for an alert that it did not list,
	// doubling up to the interval: a member of a cluster may hear of an alert
	// later than the one that has sent it.
	askAgain = 500 * time.Millisecond
)

// ReconcilerOptions of a Reconciler; Book and URL are required.
type ReconcilerOptions struct {
	Book *Book
	// URL of Alertmanager, with its path prefix where it has one.
	URL *url.URL
	// Transport carries the authentication and TLS of the configuration; nil
	// is http.DefaultTransport.
	Transport http.RoundTripper
	// Interval between two questions; 0 is DefaultResyncInterval.
	Interval time.Duration
	// Timeout of one reconciliation; 0 is the interval, 15 s at most.
	Timeout time.Duration
	// Settle is how long Alertmanager must have been up before an alert that
	// it does not list is taken for over; 0 is DefaultSettle, negative is at
	// once.
	Settle time.Duration
	Logger log.Logger
}

// Reconciler asks Alertmanager what is firing and lets the book agree. On a
// reload that changes its options, stop it and start another one on the same
// book.
type Reconciler struct {
	book     *Book
	am       *alertmanager
	interval time.Duration
	timeout  time.Duration
	logger   log.Logger
}

// NewReconciler returns a Reconciler that has not asked yet.
func NewReconciler(o ReconcilerOptions) (*Reconciler, error) {
	if o.Book == nil {
		return nil, errors.New("reconciler: no book")
	}
	if o.Interval <= 0 {
		o.Interval = DefaultResyncInterval
	}
	if o.Timeout <= 0 {
		o.Timeout = min(o.Interval, maxResyncTimeout)
	}
	if o.Settle == 0 {
		o.Settle = DefaultSettle
	}
	if o.Logger == nil {
		o.Logger = log.NewNopLogger()
	}
	am, err := newAlertmanager(o.URL, o.Transport, o.Settle, o.Book.now)
	if err != nil {
		return nil, err
	}
	return &Reconciler{
		book:     o.Book,
		am:       am,
		interval: o.Interval,
		timeout:  o.Timeout,
		logger:   o.Logger,
	}, nil
}

// Reconcile asks once. Without an answer, or with one that makes no sense,
// the book stays as it is: not knowing is not knowing that nothing fires. A
// panic is such an error.
func (r *Reconciler) Reconcile(ctx context.Context) (err error) {
	m := r.book.metrics
	m.reconciliations.Inc()
	start := time.Now()
	defer func() {
		m.reconciliationDuration.Observe(time.Since(start).Seconds())
		if err != nil {
			m.reconciliationFailures.Inc()
		}
	}()
	defer func() {
		if p := recover(); p != nil {
			err = r.book.recovered(taskReconcile, p)
		}
	}()

	asking, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	answer, err := r.am.firing(asking)
	for i := range answer.Alerts {
		answer.Alerts[i].Fingerprint = Fingerprint(answer.Alerts[i].Labels)
	}
	if answer.Alerts != nil {
		_, applyErr := r.book.Reconcile(ctx, answer)
		err = errors.Join(err, applyErr)
	}
	if err != nil {
		return err
	}
	m.reconciled.Set(float64(answer.RequestedAt.UnixNano()) / 1e9)
	return nil
}

// Run asks at once and then every interval, and in between where a notification
// told of something that Alertmanager is to confirm, until ctx is done. It
// returns nil.
func (r *Reconciler) Run(ctx context.Context) error {
	ticker := time.NewTicker(r.interval)
	defer ticker.Stop()
	failing, tries := false, 0
	asks := rate.NewLimiter(rate.Every(askEvery), askBurst)
	for {
		err := r.Reconcile(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			level.Warn(r.logger).Log("msg", "reconciling alerts with alertmanager", "err", err)
		case failing:
			level.Info(r.logger).Log("msg", "alertmanager answers again")
		}
		failing = err != nil
		var again <-chan time.Time
		if r.book.waiting() {
			again = time.After(min(askAgain<<min(tries, 10), r.interval))
			tries++
		} else {
			tries = 0
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case <-again:
		case <-r.book.asked:
			tries = 0
			if asks.Wait(ctx) != nil {
				return nil
			}
		}
	}
}
