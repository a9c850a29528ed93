package simulate

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/alertscaler/alertscaler/scaler"
	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/usage"
)

// world is a server and what is around it, at one instant.
type world struct {
	test *Test
	now  atomic.Pointer[time.Time]

	// config is the test's, with simulated platforms.
	config    *config.Config
	platforms map[targetKey]*platform
	usage     *usage.Memory
	ledger    Durable
	open      func(now func() time.Time) (Durable, error)
	feed      *feed
	// loads are the answers to how busy replicas are, by the question.
	loads map[string]func(now time.Time) (map[string]float64, error)

	// What a restart replaces:

	book   *alerts.Book
	engine *scaler.Engine
}

func newWorld(t *Test, o Options) *world {
	w := &world{
		test:      t,
		platforms: make(map[targetKey]*platform),
		open:      o.OpenLedger,
		feed:      newFeed(t),
		loads:     make(map[string]func(time.Time) (map[string]float64, error)),
	}
	w.set(time.Time(t.Start))
	c := *t.Config
	c.Policies = nil
	staleness := time.Duration(0)
	if c.Prometheus != nil {
		staleness = c.Prometheus.MaxStaleness.Std()
	}
	w.usage = usage.NewMemory(staleness)
	for _, p := range t.Config.Policies {
		setup := t.Others[p.Name]
		if p.Name == t.Policy {
			setup = &t.Setup
		}
		if setup == nil {
			setup = &Setup{}
		}
		c.Policies = append(c.Policies, w.simulated(p, setup))
		w.feedUsage(p, setup)
	}
	w.config = &c
	return w
}

// simulated is p on simulated platforms.
func (w *world) simulated(p *config.Policy, s *Setup) *config.Policy {
	replicas := s.Replicas
	if replicas == nil {
		replicas = atMinimum(p)
	}
	changed := *p
	changed.EvaluationInterval = &w.test.Interval
	changed.Targets = make([]*config.Target, len(p.Targets))
	for i, t := range p.Targets {
		it := newPlatform(t.Name, replicas[t.Name], s.Provisioning[t.Name].Std(), w.clock)
		w.platforms[targetKey{p.Name, t.Name}] = it
		copied := *t
		copied.Platform = platformConfig{configured: t.Platform, it: it}
		if t.Victims != nil {
			copied.Platform = choosingConfig{platformConfig{configured: t.Platform, it: it}}
			w.feedLoads(t.Victims, it, s.Busy[t.Name])
		}
		// Hooks have effects on the world, which is not here.
		copied.Drain = nil
		changed.Targets[i] = &copied
	}
	return &changed
}

// atMinimum spreads the policy's min over its targets in the order written.
func atMinimum(p *config.Policy) map[string]int {
	replicas := make(map[string]int, len(p.Targets))
	rest := p.Min
	for _, t := range p.Targets {
		replicas[t.Name] = t.Min
		rest -= t.Min
	}
	for _, t := range p.Targets {
		more := max(0, rest)
		if t.Max > 0 {
			more = min(more, t.Max-t.Min)
		}
		replicas[t.Name] += more
		rest -= more
	}
	return replicas
}

// clock is the time of the test; a ledger may look at it on its own goroutines.
func (w *world) clock() time.Time { return *w.now.Load() }

func (w *world) set(now time.Time) { w.now.Store(&now) }

// feedUsage gives the series of one policy to the reader of usage.
func (w *world) feedUsage(p *config.Policy, s *Setup) {
	for _, q := range scaler.QueriesFor(p) {
		w.usage.SetUsage(q, w.series(s.Usage[q.Resource])...)
		w.usage.SetCapacity(q, w.series(s.Capacity[q.Resource])...)
		w.usage.SetPredicted(q, w.series(s.Predicted[q.Resource])...)
		if s.Reporting == nil {
			w.usage.SetReporting(q, readyOf{w, p})
		} else {
			w.usage.SetReporting(q, w.series(s.Reporting)...)
		}
	}
}

func (w *world) series(all Notations) []usage.MemorySeries {
	out := make([]usage.MemorySeries, len(all))
	for i, n := range all {
		out[i] = n.samples(time.Time(w.test.Start), w.test.Interval.Std())
	}
	return out
}

// readyOf is the series of how many replicas report where all that are ready
// do.
type readyOf struct {
	world  *world
	policy *config.Policy
}

// Sample implements usage.MemorySeries.
func (r readyOf) Sample(t time.Time, _ time.Duration) (value float64, at time.Time, ok bool) {
	n := 0
	for _, tc := range r.policy.Targets {
		_, ready := r.world.platforms[targetKey{r.policy.Name, tc.Name}].counts()
		n += ready
	}
	return float64(n), t, true
}

// start starts a server on what the ledger has kept. One that ran before has
// ended as by a crash: nobody told it to stop.
func (w *world) start(ctx context.Context) error {
	if err := w.reopen(); err != nil {
		return fmt.Errorf("open the ledger: %w", err)
	}
	var err error
	w.book, err = alerts.New(alerts.Options{Store: w.ledger, TTL: -1, Rules: scaler.AlertRules(w.config), Now: w.clock})
	if err != nil {
		return fmt.Errorf("start the book of alerts: %w", err)
	}
	w.engine, err = scaler.New(scaler.Options{
		Alerts: w.book, Ledger: w.ledger, Now: w.clock,
		NewUsage: func(*config.Config) (scaler.Usage, error) { return w.usage, nil },
	})
	if err != nil {
		return fmt.Errorf("start the engine: %w", err)
	}
	change, err := w.engine.Prepare(ctx, w.config)
	if err != nil {
		return fmt.Errorf("start the engine: %w", err)
	}
	change.Apply()
	return nil
}

// reopen makes sure that the ledger knows no more than it has kept. The one in
// memory hands out what went through JSON, and stays.
func (w *world) reopen() (err error) {
	if w.open == nil {
		if w.ledger == nil {
			w.ledger = NewLedger()
		}
		return nil
	}
	if err := w.close(); err != nil {
		return err
	}
	w.ledger, err = w.open(w.clock)
	return err
}

// close ends a ledger that was opened.
func (w *world) close() error {
	if w.open == nil || w.ledger == nil {
		return nil
	}
	l := w.ledger
	w.ledger = nil
	return l.Close()
}
