package discovery

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// componentDiscovery is where a panic of a list is recovered: it is a list that
// failed.
const componentDiscovery = "discovery"

const (
	defaultTimeout      = 15 * time.Second
	defaultFirstTimeout = 5 * time.Second
	defaultRetry        = 30 * time.Second
)

// Options configure a Manager. Refresh is required.
type Options struct {
	// Refresh puts what was found in force; config.Coordinator's.
	Refresh func(context.Context) error
	// Timeout bounds one list, and FirstTimeout the first of a discovery, which
	// whoever loads the configuration waits for; 15s and 5s by default.
	Timeout, FirstTimeout time.Duration
	// Retry is how long to wait, at most, after what failed; 30s by default.
	Retry      time.Duration
	Logger     log.Logger
	Registerer prometheus.Registerer
}

// Manager runs the discoveries of the configuration in force. All methods are
// safe for concurrent use, but Extend, whose caller serializes.
type Manager struct {
	opts    Options
	guard   *recovery.Guard
	ctx     context.Context
	cancel  context.CancelFunc
	loops   sync.WaitGroup
	changed chan struct{} // holds one token while something has to be put in force

	mu      sync.Mutex // guards what follows, and what is known of each source
	sources []*source  // in the order of the configuration
}

var _ config.Extender = (*Manager)(nil)

// New returns a manager without discoveries.
func New(o Options) *Manager {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.FirstTimeout <= 0 {
		o.FirstTimeout = defaultFirstTimeout
	}
	if o.Retry <= 0 {
		o.Retry = defaultRetry
	}
	if o.Logger == nil {
		o.Logger = log.NewNopLogger()
	}
	m := &Manager{opts: o, guard: recovery.New(o.Registerer, componentDiscovery), changed: make(chan struct{}, 1)}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	if o.Registerer != nil {
		o.Registerer.MustRegister(collector{m})
	}
	return m
}

// Close ends all discoveries, and waits for them. What was found stays in
// force.
func (m *Manager) Close() {
	m.cancel()
	m.loops.Wait()
}

// Run puts in force what the discoveries find, until ctx ends.
func (m *Manager) Run(ctx context.Context) error {
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-m.changed:
		case <-again:
		}
		again = nil
		if err := m.opts.Refresh(ctx); err != nil && ctx.Err() == nil {
			level.Error(m.opts.Logger).Log("msg", "what was discovered cannot be put in force, trying again", "err", err)
			again = time.After(m.opts.Retry)
		}
	}
}

// Extend implements config.Extender. Discoveries that stay as they are go on
// with what they know. Those that are new or changed are asked once before it
// returns, for a short time: were their policies to come later, others would
// meanwhile take what they hold of a budget. One that does not answer adds
// nothing yet, or still what the one of its name had found before.
func (m *Manager) Extend(ctx context.Context, c *config.Config) (*config.Config, config.Change, error) {
	m.mu.Lock()
	old := make(map[string]*source, len(m.sources))
	for _, s := range m.sources {
		old[s.entry.Name] = s
	}
	next := make([]*source, len(c.Discovery))
	var fresh []*source
	for i, d := range c.Discovery {
		was := old[d.Name]
		files := target.FilesSum(d.Platform)
		if was != nil && was.files == files && reflect.DeepEqual(was.platform, d.Platform) {
			next[i] = was
			continue
		}
		discoverer, err := m.build(d)
		if err != nil {
			m.mu.Unlock()
			m.closeAll(fresh)
			return nil, config.Change{}, fmt.Errorf("discovery %q: %w", d.Name, err)
		}
		next[i] = &source{platform: d.Platform, files: files, discoverer: discoverer, paced: make(chan struct{}, 1)}
		if was != nil {
			next[i].known = was.known
		}
		next[i].entry = d
		fresh = append(fresh, next[i])
	}
	m.mu.Unlock()
	m.first(ctx, fresh)

	m.mu.Lock()
	findings := make([]finding, len(next))
	for i, s := range next {
		findings[i] = finding{entry: c.Discovery[i], things: s.found, good: s.good}
	}
	m.mu.Unlock()
	extended, outcomes := resolve(c, findings)
	return extended, config.Change{
		Apply:   func() { m.apply(c, next, outcomes) },
		Discard: func() { m.closeAll(fresh) },
	}, nil
}

// build is called with m.mu held, which no panic must keep.
func (m *Manager) build(d *config.Discovery) (built target.Discoverer, err error) {
	err = m.guard.Do(m.opts.Logger, componentDiscovery, func() (err error) {
		built, err = d.Platform.New(target.Options{
			Name: d.Name, Logger: log.With(m.opts.Logger, "discovery", d.Name), Registerer: m.opts.Registerer,
		})
		return err
	})
	return built, err
}

// first asks all of them at once. Their loops do not run yet.
func (m *Manager) first(ctx context.Context, fresh []*source) {
	var asked sync.WaitGroup
	for _, s := range fresh {
		asked.Go(func() {
			found, err := m.discover(ctx, s, m.opts.FirstTimeout)
			m.log(s, err)
			s.take(found, err, time.Now())
		})
	}
	asked.Wait()
}

// apply puts prepared sources in force: loops of those that are gone end, and
// those of new ones begin.
func (m *Manager) apply(c *config.Config, next []*source, outcomes []outcome) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var before []Thing
	for _, s := range m.sources {
		before = append(before, s.things...)
		if !slices.Contains(next, s) {
			s.cancel()
		}
	}
	m.sources = next
	for i, s := range next {
		if s.entry.RefreshInterval != c.Discovery[i].RefreshInterval {
			notify(s.paced)
		}
		s.entry, s.things, s.good = c.Discovery[i], outcomes[i].things, outcomes[i].good
		m.report(s.entry.Name, before, s.things)
		if s.cancel == nil {
			var ctx context.Context
			ctx, s.cancel = context.WithCancel(m.ctx)
			m.loops.Go(func() { m.loop(ctx, s) })
		}
	}
}

// report logs the problems that are new, and those that are gone.
func (m *Manager) report(discovery string, before, now []Thing) {
	had := make(map[string][]Problem, len(before))
	for _, t := range before {
		had[t.What] = t.Problems
	}
	for _, t := range now {
		old := had[t.What]
		if slices.Equal(old, t.Problems) {
			continue
		}
		logger := log.With(m.opts.Logger, "discovery", discovery, "what", t.What)
		if len(t.Problems) == 0 {
			level.Info(logger).Log("msg", "discovered thing has no problem any more", "policy", t.Policy)
		}
		for _, p := range t.Problems {
			msg := "discovered thing gets no policy"
			if t.Policy != "" {
				msg = "discovered thing keeps the policy of its earlier labels"
			}
			level.Warn(logger).Log("msg", msg, "problem", p)
		}
	}
}

// loop asks a source again and again, and closes it in the end.
func (m *Manager) loop(ctx context.Context, s *source) {
	defer func() {
		if err := m.guard.Do(m.opts.Logger, componentDiscovery, s.close); err != nil {
			level.Error(m.opts.Logger).Log("msg", "discovery not closed cleanly", "err", err)
		}
	}()
	for {
		m.mu.Lock()
		wait := s.entry.RefreshInterval.Std()
		if s.lastErr != nil {
			wait = min(wait, m.opts.Retry)
		}
		m.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-s.paced:
			continue
		case <-time.After(wait):
		}
		found, err := m.discover(ctx, s, m.opts.Timeout)
		if !m.record(ctx, s, found, err) {
			return
		}
	}
}

// record takes in what a list gave, and reports whether the source is still in
// force.
func (m *Manager) record(ctx context.Context, s *source, found []target.Discovered, err error) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil {
		return false
	}
	m.log(s, err)
	if s.take(found, err, time.Now()) {
		notify(m.changed)
	}
	return true
}

// notify leaves a token where there is none.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// log says when lists begin to fail, for another reason too, and when that
// ends.
func (m *Manager) log(s *source, err error) {
	logger := log.With(m.opts.Logger, "discovery", s.entry.Name, "platform", s.platform.Platform())
	switch {
	case err != nil && (s.lastErr == nil || s.lastErr.Error() != err.Error()):
		level.Error(logger).Log("msg", "discovery fails, what was found before stays", "err", err)
	case err == nil && s.lastErr != nil:
		level.Info(logger).Log("msg", "discovery works again")
	}
}

func (m *Manager) closeAll(sources []*source) {
	for _, s := range sources {
		if err := m.guard.Do(m.opts.Logger, componentDiscovery, s.close); err != nil {
			level.Error(m.opts.Logger).Log("msg", "discovery not closed cleanly", "discovery", s.entry.Name, "err", err)
		}
	}
}

// Status is one discovery as its operator wants to see it.
type Status struct {
	Name, Platform string
	// Things are all that carry the label, whatever came of them.
	Things []Thing
	// LastSuccess is when they were last listed; zero: never.
	LastSuccess time.Time
	// LastError is why the last list failed; nil where it did not.
	LastError error
	// Attempts and Failures count the lists since the discovery was configured.
	Attempts, Failures int
}

// Statuses returns every discovery in the order of the configuration.
func (m *Manager) Statuses() []Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]Status, len(m.sources))
	for i, s := range m.sources {
		out[i] = Status{
			Name: s.entry.Name, Platform: s.platform.Platform(), Things: slices.Clone(s.things),
			LastSuccess: s.lastSuccess, LastError: s.lastErr, Attempts: s.attempts, Failures: s.failures,
		}
	}
	return out
}
