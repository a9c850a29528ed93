package main

import (
	"context"
	"fmt"
	"reflect"
	"sync"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler"
	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/outgoing"
)

// bookSubscriber keeps the book's rules, its time to live and whether alerts
// must be confirmed as configured.
func bookSubscriber(book *alerts.Book) config.SubscriberFunc {
	return func(_ context.Context, c *config.Config) (config.Change, error) {
		rules := scaler.AlertRules(c)
		return config.Change{Apply: func() {
			book.SetTTL(c.Global.AlertTTL.Std())
			book.SetConfirm(c.Alertmanager != nil && c.Alertmanager.Confirm)
			book.SetRules(rules)
		}}, nil
	}
}

// reconciliation runs the reconciler of the configuration in force. It is safe
// for concurrent use.
type reconciliation struct {
	book   *alerts.Book
	logger log.Logger

	mu     sync.Mutex // guards what follows
	stop   func()     // ends the one that runs and waits for its end
	closed bool

	// of is the section in force. Reloads are serialized by the coordinator.
	of *config.Alertmanager
}

// Prepare implements config.Subscriber.
func (r *reconciliation) Prepare(_ context.Context, c *config.Config) (config.Change, error) {
	if reflect.DeepEqual(c.Alertmanager, r.of) {
		return config.Change{}, nil // The one that runs may be in the middle of asking.
	}
	if c.Alertmanager == nil {
		return config.Change{Apply: func() { r.of = nil; r.replace(nil) }}, nil
	}
	transport, err := outgoing.NewRoundTripper(c.Alertmanager.HTTPClientConfig, "alertmanager")
	if err != nil {
		return config.Change{}, fmt.Errorf("alertmanager: build the HTTP client: %w", err)
	}
	next, err := alerts.NewReconciler(alerts.ReconcilerOptions{
		Book:      r.book,
		URL:       c.Alertmanager.URL.Public(),
		Transport: c.Alertmanager.URL.Transport(transport),
		Interval:  c.Alertmanager.ResyncInterval.Std(),
		Timeout:   c.Alertmanager.Timeout.Std(),
		Logger:    log.With(r.logger, "component", "reconciler"),
	})
	if err != nil {
		return config.Change{}, fmt.Errorf("alertmanager: %w", err)
	}
	return config.Change{Apply: func() { r.of = c.Alertmanager; r.replace(next) }}, nil
}

// replace ends the reconciler that runs and starts next, unless that is nil.
func (r *reconciliation) replace(next *alerts.Reconciler) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stop != nil {
		r.stop()
		r.stop = nil
	}
	if next == nil || r.closed {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := next.Run(ctx); err != nil {
			level.Error(r.logger).Log("msg", "reconciler ended", "err", err)
		}
	}()
	r.stop = func() { cancel(); <-done }
}

// close ends the reconciler that runs; none is started afterwards.
func (r *reconciliation) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.replace(nil)
}
