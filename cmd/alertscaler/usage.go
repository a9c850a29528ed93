package main

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/alertscaler/alertscaler/scaler"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/outgoing"
	"github.com/alertscaler/alertscaler/scaler/usage"
)

// usages builds the reader of each configuration for the engine and retires the
// one it replaces, which evaluations in flight go on using. The one of a section
// that says the same stays: what the section names, such as a file with a
// password, the HTTP client itself reads again. Reloads are serialized by the
// coordinator, so it needs no lock.
type usages struct {
	metrics *usage.Metrics
	now     func() time.Time
	logger  log.Logger

	current, next *usage.Reader
	// of and nextOf are the sections that the two are built from; nil: none.
	of, nextOf *config.Prometheus
}

func newUsages(reg prometheus.Registerer, now func() time.Time, logger log.Logger) *usages {
	return &usages{metrics: usage.NewMetrics(reg), now: now, logger: log.With(logger, "component", "usage")}
}

// build is scaler.Options.NewUsage.
func (u *usages) build(c *config.Config) (scaler.Usage, error) {
	u.drop()
	if u.nextOf = c.Prometheus; u.same() {
		return u.current, nil
	}
	transport, err := outgoing.NewRoundTripper(c.Prometheus.HTTPClientConfig, "prometheus")
	if err != nil {
		return nil, fmt.Errorf("build the HTTP client: %w", err)
	}
	next, err := usage.New(usage.Options{
		Address:      c.Prometheus.URL.Public().String(),
		RoundTripper: c.Prometheus.URL.Transport(transport),
		Timeout:      c.Prometheus.Timeout.Std(),
		MaxStaleness: c.Prometheus.MaxStaleness.Std(),
		Metrics:      u.metrics,
		Now:          u.now,
		Logger:       u.logger,
	})
	if err != nil {
		return nil, err
	}
	u.next = next
	return next, nil
}

// Prepare implements config.Subscriber; it comes after the engine, which has
// asked for the new reader by then.
func (u *usages) Prepare(_ context.Context, c *config.Config) (config.Change, error) {
	if u.nextOf = c.Prometheus; u.nextOf == nil {
		u.drop() // of an earlier attempt that came to nothing
	}
	return config.Change{Apply: u.apply, Discard: u.drop}, nil
}

func (u *usages) apply() {
	if u.same() {
		return
	}
	u.of = u.nextOf
	if u.current != nil {
		u.current.Retire()
	}
	u.current, u.next = u.next, nil
}

// same reports whether the next section says what the one in force says. Each
// load makes another, and so it is what they say that counts.
func (u *usages) same() bool { return reflect.DeepEqual(u.nextOf, u.of) }

// drop closes a reader that never came into force.
func (u *usages) drop() {
	if u.next != nil {
		u.next.Close()
		u.next = nil
	}
}

// close ends the reader in force, when there are no more evaluations.
func (u *usages) close() {
	u.drop()
	if u.current != nil {
		u.current.Close()
		u.current, u.of = nil, nil
	}
}
