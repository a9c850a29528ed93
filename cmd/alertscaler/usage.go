package main

import (
	"context"
	"fmt"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	commoncfg "github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/usage"
)

// usages builds the reader of each configuration for the engine and closes the
// one it replaces. The one of a section that is in force stays, as it does when
// only what is discovered changes. Reloads are serialized by the coordinator,
// so it needs no lock.
type usages struct {
	metrics *usage.Metrics
	logger  log.Logger

	current, next *usage.Reader
	// of and nextOf are the sections that the two are built from; nil: none.
	of, nextOf *config.Prometheus
}

func newUsages(reg prometheus.Registerer, logger log.Logger) *usages {
	return &usages{metrics: usage.NewMetrics(reg), logger: log.With(logger, "component", "usage")}
}

// build is scaler.Options.NewUsage.
func (u *usages) build(c *config.Config) (scaler.Usage, error) {
	u.drop()
	if u.nextOf = c.Prometheus; u.nextOf == u.of {
		return u.current, nil
	}
	transport, err := commoncfg.NewRoundTripperFromConfig(c.Prometheus.HTTPClientConfig, "prometheus")
	if err != nil {
		return nil, fmt.Errorf("build the HTTP client: %w", err)
	}
	next, err := usage.New(usage.Options{
		Address:      c.Prometheus.URL.Public().String(),
		RoundTripper: c.Prometheus.URL.Transport(transport),
		Timeout:      c.Prometheus.Timeout.Std(),
		MaxStaleness: c.Prometheus.MaxStaleness.Std(),
		Metrics:      u.metrics,
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
	if u.nextOf == u.of {
		return
	}
	u.of = u.nextOf
	if u.current != nil {
		u.current.Close()
	}
	u.current, u.next = u.next, nil
}

// drop closes a reader that never came into force.
func (u *usages) drop() {
	if u.next != nil {
		u.next.Close()
		u.next = nil
	}
}

// close ends the reader in force.
func (u *usages) close() {
	u.drop()
	u.nextOf = nil
	u.apply()
}
