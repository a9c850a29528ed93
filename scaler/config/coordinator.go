package config

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/recovery"
)

// Change is a new configuration built and not yet in force.
type Change struct {
	// Apply puts it in force. It cannot fail.
	Apply func()
	// Discard gives up what was built. Exactly one of the two is called.
	Discard func()
}

// Subscriber lives by the configuration.
type Subscriber interface {
	// Prepare does everything for c that can fail and touches nothing that
	// is in force.
	Prepare(ctx context.Context, c *Config) (Change, error)
}

// SubscriberFunc is a function that is a Subscriber.
type SubscriberFunc func(ctx context.Context, c *Config) (Change, error)

// Prepare calls f.
func (f SubscriberFunc) Prepare(ctx context.Context, c *Config) (Change, error) { return f(ctx, c) }

// Extender adds policies to configurations that are in no file.
type Extender interface {
	// Extend returns c with what it adds now: c was just loaded, or is the one
	// in force. Like Prepare it does everything that can fail, and what is in
	// force is touched by the Change alone.
	Extend(ctx context.Context, c *Config) (*Config, Change, error)
}

// Coordinator loads the configuration and hands it to its subscribers: all of
// them take it, or none. It is safe for concurrent use.
type Coordinator struct {
	load        func() (*Config, error)
	extender    Extender // nil: nothing is added
	subscribers []Subscriber
	logger      log.Logger
	metrics     *metrics
	guard       *recovery.Guard

	reloading chan struct{} // holds a token while a reload or a refresh runs
	extended  *Config       // current with what was added to it; guarded by reloading

	mu      sync.RWMutex // guards what follows
	current *Config
	loaded  time.Time
	lastErr error
}

// componentReload is where a panic of a reload or a refresh is recovered.
const componentReload = "reload"

type metrics struct {
	successful  prometheus.Gauge
	successTime prometheus.Gauge
}

// NewCoordinator returns a coordinator that has loaded nothing yet. The order
// of the subscribers is the order in which a change is prepared and applied.
func NewCoordinator(load func() (*Config, error), logger log.Logger, reg prometheus.Registerer, subscribers ...Subscriber) *Coordinator {
	f := promauto.With(reg)
	return &Coordinator{
		load:        load,
		guard:       recovery.New(reg, componentReload),
		reloading:   make(chan struct{}, 1),
		subscribers: subscribers,
		logger:      logger,
		metrics: &metrics{
			successful: f.NewGauge(prometheus.GaugeOpts{
				Name: "alertscaler_config_last_reload_successful",
				Help: "Whether the last configuration reload attempt was successful.",
			}),
			successTime: f.NewGauge(prometheus.GaugeOpts{
				Name: "alertscaler_config_last_reload_success_timestamp_seconds",
				Help: "Timestamp of the last successful configuration reload.",
			}),
		},
	}
}

// ExtendBy has e extend every configuration. It is called before the first
// Reload.
func (c *Coordinator) ExtendBy(e Extender) { c.extender = e }

// begin waits for the reload or refresh that runs, and reserves the next.
func (c *Coordinator) begin(ctx context.Context) error {
	select {
	case c.reloading <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for another reload to end: %w", context.Cause(ctx))
	}
}

func (c *Coordinator) end() { <-c.reloading }

// Reload loads the configuration and puts it in force, or returns why not and
// leaves the old one working. Once ctx is done nothing is put in force any
// more.
func (c *Coordinator) Reload(ctx context.Context) error {
	if err := c.begin(ctx); err != nil {
		return err
	}
	defer c.end()
	err := c.guard.Do(c.logger, componentReload, func() error { return c.reload(ctx) })
	c.mu.Lock()
	c.lastErr = err
	c.mu.Unlock()
	if err != nil {
		c.metrics.successful.Set(0)
		return err
	}
	c.metrics.successful.Set(1)
	c.metrics.successTime.SetToCurrentTime()
	level.Info(c.logger).Log("msg", "configuration loaded", "policies", len(c.Config().Policies), "discovered", len(c.extended.Policies)-len(c.Config().Policies))
	return nil
}

func (c *Coordinator) reload(ctx context.Context) error {
	next, err := c.load()
	if err != nil {
		return err
	}
	extended, changes, err := c.extend(ctx, next)
	if err == nil {
		err = c.prepare(ctx, extended, &changes)
	}
	if err == nil && ctx.Err() != nil {
		discard(changes)
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("prepare configuration: %w", err)
	}
	c.mu.Lock()
	c.current, c.loaded = next, time.Now()
	c.mu.Unlock()
	c.apply(extended, changes)
	return nil
}

// Refresh asks the extender again and puts what it adds now in force, beside
// the configuration that was loaded last. Where that is what it added before,
// nobody hears of it. The file is not read, and the state of the last reload
// is not touched.
func (c *Coordinator) Refresh(ctx context.Context) error {
	if err := c.begin(ctx); err != nil {
		return err
	}
	defer c.end()
	return c.guard.Do(c.logger, componentReload, func() error { return c.refresh(ctx) })
}

func (c *Coordinator) refresh(ctx context.Context) error {
	current := c.Config()
	if current == nil || c.extender == nil {
		return nil
	}
	extended, changes, err := c.extend(ctx, current)
	if err != nil {
		return err
	}
	if n := len(current.Policies); asWritten(extended.Policies[n:]) == asWritten(c.extended.Policies[n:]) {
		c.apply(c.extended, changes)
		return nil
	}
	if err := c.prepare(ctx, extended, &changes); err != nil {
		return err
	}
	level.Info(c.logger).Log("msg", "discovered policies changed", "discovered", len(extended.Policies)-len(current.Policies))
	c.apply(extended, changes)
	return nil
}

// extend returns next with what the extender adds.
func (c *Coordinator) extend(ctx context.Context, next *Config) (*Config, []Change, error) {
	if c.extender == nil {
		return next, nil, nil
	}
	extended, change, err := c.extender.Extend(ctx, next)
	if err != nil {
		return nil, nil, err
	}
	return extended, []Change{change}, nil
}

// prepare adds the change of each subscriber, or discards all there are.
func (c *Coordinator) prepare(ctx context.Context, next *Config, changes *[]Change) error {
	for _, s := range c.subscribers {
		change, err := s.Prepare(ctx, next)
		if err != nil {
			discard(*changes)
			return err
		}
		*changes = append(*changes, change)
	}
	return nil
}

func discard(changes []Change) {
	for _, change := range changes {
		if change.Discard != nil {
			change.Discard()
		}
	}
}

// asWritten is how policies would be written, which is all that tells them
// apart. It is for comparing: what String hides may be in it.
func asWritten(policies []*Policy) string {
	b, err := yaml.Marshal(policies)
	if err != nil {
		return cannotRender(err)
	}
	return string(b)
}

func (c *Coordinator) apply(extended *Config, changes []Change) {
	c.extended = extended
	for _, change := range changes {
		if change.Apply != nil {
			change.Apply()
		}
	}
}

// YAML renders the file's configuration in force with its defaults and without its
// secrets.
func (c *Coordinator) YAML() string {
	if current := c.Config(); current != nil {
		return current.String()
	}
	return ""
}

// LastReload returns when the configuration in force was loaded, and why the
// last attempt to replace it failed; nil where it did not.
func (c *Coordinator) LastReload() (time.Time, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.loaded, c.lastErr
}

// Config returns the file's configuration in force, nil before the first Reload. It
// must not be changed.
func (c *Coordinator) Config() *Config {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.current
}
