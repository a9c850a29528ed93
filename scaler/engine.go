package scaler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/alertscaler/alertscaler/scaler/budget"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/drain"
	"github.com/alertscaler/alertscaler/scaler/export"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/status"
	"github.com/alertscaler/alertscaler/scaler/victims"
)

// Options configure an Engine. Alerts, Ledger and NewUsage are required.
type Options struct {
	Alerts Alerts
	Ledger Ledger
	// NewUsage builds the reader of a configuration that names a Prometheus.
	NewUsage func(*config.Config) (Usage, error)
	// NewDrain builds what is called before a replica goes; drain.New by
	// default.
	NewDrain func(drain.Config) (victims.Drainer, error)
	// Distrust: something that policies remembered may have been lost. Those
	// that remember nothing begin carefully, see policy.History.Distrust.
	Distrust bool
	// Now is the clock; time.Now by default. Corrected is by how much it was
	// corrected since the start, as clock.Clock has it; never by default.
	Now       func() time.Time
	Corrected func() time.Duration
	// Concurrency bounds the evaluations that work at once on the policies of
	// one platform; 256 by default. Those that wait for the platform or for
	// Prometheus count for a second.
	Concurrency int
	// PlatformTimeout bounds one call to a platform, by the system's clock; 10s
	// by default. Negative is no bound, for platforms that answer at once.
	PlatformTimeout time.Duration
	Logger          log.Logger
	Registerer      prometheus.Registerer
}

// Engine evaluates policies. All methods are safe for concurrent use.
type Engine struct {
	opts    Options
	timings *export.Timings
	guard   *recovery.Guard
	lanes   *lanes

	ctx    context.Context
	cancel context.CancelFunc
	// draining ends with Stop: nobody waits for replicas at work then, or for
	// what is only read.
	draining     context.Context
	stopDraining context.CancelFunc
	// running counts evaluations in flight and targets being closed.
	running sync.WaitGroup
	// pool is locked after mu and before a unit's own.
	pool   budget.Pool
	pauses pauses

	mu      sync.Mutex // guards everything below
	units   map[string]*unit
	order   []string
	started bool
	stopped bool

	// leaving are the units of policies that are gone from the configuration
	// until they have ended, moved those that have given up a target with an
	// evaluation in flight, by its identity.
	leaving map[string]*unit
	moved   map[string][]*runner
	// memory is what the last run, or a policy that is gone from the
	// configuration, left; handed to the units as they appear.
	memory map[string]leftBehind
}

var _ config.Subscriber = (*Engine)(nil)

// New returns an engine without policies. It reads what the last run left in
// the ledger.
func New(o Options) (*Engine, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Corrected == nil {
		o.Corrected = func() time.Duration { return 0 }
	}
	if o.NewDrain == nil {
		o.NewDrain = func(c drain.Config) (victims.Drainer, error) { return drain.New(c) }
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 256
	}
	if o.PlatformTimeout == 0 {
		o.PlatformTimeout = 10 * time.Second
	}
	if o.PlatformTimeout < 0 {
		o.PlatformTimeout = unbounded
	}
	if o.Logger == nil {
		o.Logger = log.NewNopLogger()
	}
	e := &Engine{
		opts:    o,
		guard:   recovery.New(o.Registerer, components...),
		lanes:   newLanes(o.Concurrency),
		units:   make(map[string]*unit),
		leaving: make(map[string]*unit),
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.draining, e.stopDraining = context.WithCancel(e.ctx)
	if err := e.restoreMemory(); err != nil {
		return nil, err
	}
	if err := e.restorePauses(); err != nil {
		return nil, err
	}
	e.timings = export.NewTimings(o.Registerer)
	if o.Registerer != nil {
		o.Registerer.MustRegister(e.collector())
	}
	return e, nil
}

// Start begins to evaluate. Before it, Wake does nothing.
func (e *Engine) Start() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.started = true
	for _, u := range e.units {
		u.runner.wake()
	}
}

// Wake evaluates the named policies now, or again if they are being evaluated.
// Unknown names are ignored. It never blocks.
func (e *Engine) Wake(policies []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.started || e.stopped {
		return
	}
	// All are known to be woken before the first of them decides.
	now := e.opts.Now().UnixNano()
	for _, name := range policies {
		if u := e.units[name]; u != nil {
			u.wokenAt.Store(now)
			u.woken.Add(1)
			e.pool.Woken(name)
		}
	}
	for _, name := range policies {
		if u := e.units[name]; u != nil {
			u.runner.wake()
		}
	}
}

// Stop ends evaluation: what waits or only reads ends at once, and what has
// been decided runs to its end, so that every call to a platform finds its
// outcome in the ledger; then the targets are closed. It returns early, with
// the error of ctx, if that takes too long.
func (e *Engine) Stop(ctx context.Context) error {
	e.mu.Lock()
	e.stopped = true
	e.stopDraining()
	for _, u := range e.units {
		u.runner.leave()
	}
	for _, u := range e.leaving {
		u.runner.leave()
	}
	e.mu.Unlock()
	done := make(chan struct{})
	go func() {
		e.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		e.cancel()
		return nil
	case <-ctx.Done():
		e.cancel()
		return fmt.Errorf("wait for evaluations to end: %w", ctx.Err())
	}
}

// Step evaluates every policy once, one after the other in the caller's
// goroutine, those of higher priority first: the engine on a clock of the
// caller's own. It is not to be mixed with Start.
func (e *Engine) Step(ctx context.Context) {
	units := e.snapshot()
	slices.SortStableFunc(units, func(a, b *unit) int {
		return cmp.Compare(b.setup.rules.Priority, a.setup.rules.Priority)
	})
	for _, u := range units {
		u.runner.step(ctx)
	}
}

// snapshot returns the units in the order of the configuration.
func (e *Engine) snapshot() []*unit {
	e.mu.Lock()
	defer e.mu.Unlock()
	units := make([]*unit, 0, len(e.order))
	for _, name := range e.order {
		units = append(units, e.units[name])
	}
	return units
}

// Statuses returns every policy in the order of the configuration.
func (e *Engine) Statuses() []status.Policy {
	units := e.snapshot()
	out := make([]status.Policy, len(units))
	for i, u := range units {
		out[i] = u.status()
	}
	return out
}

// FirstStatuses returns the first n policies in the order of the configuration,
// and how many there are.
func (e *Engine) FirstStatuses(n int) (shown []status.Policy, total int) {
	units := e.snapshot()
	shown = make([]status.Policy, min(n, len(units)))
	for i := range shown {
		shown[i] = units[i].status()
	}
	return shown, len(units)
}

// Status returns one policy.
func (e *Engine) Status(name string) (status.Policy, bool) {
	e.mu.Lock()
	u := e.units[name]
	e.mu.Unlock()
	if u == nil {
		return status.Policy{}, false
	}
	return u.status(), true
}

// LastDecision is the newest of one policy; nil where there is none. It is not to
// be changed.
func (e *Engine) LastDecision(name string) *policy.Decision {
	e.mu.Lock()
	u := e.units[name]
	e.mu.Unlock()
	if u == nil {
		return nil
	}
	return u.view.Load().last
}

// Ready reports an error until every policy that the engine was started with
// was evaluated once, and whenever the ledger cannot be written, since nothing
// is scaled then.
func (e *Engine) Ready() error {
	if err := e.opts.Ledger.Err(); err != nil {
		return fmt.Errorf("the ledger cannot be written, so nothing is scaled: %s", unwritten(err))
	}
	for _, u := range e.snapshot() {
		if d := u.view.Load().last; d != nil && d.Reason == policy.ReasonNotRecorded {
			return fmt.Errorf("the ledger did not take what policy %q last intended, so it was not done: %s", u.name, d.Steps[len(d.Steps)-1].Detail)
		}
	}
	return e.Evaluated()
}

// unwritten is why the ledger was not written, in few words: the file once, and
// what is wrong with it.
func unwritten(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Path + ": " + p.Err.Error()
	}
	return err.Error()
}

// Evaluated reports an error until every policy that the engine was started
// with was evaluated once. Those that come with a reload take nothing back.
func (e *Engine) Evaluated() error {
	var waiting []string
	for _, u := range e.snapshot() {
		if u.founding && u.view.Load().last == nil {
			waiting = append(waiting, u.name)
		}
	}
	if len(waiting) > 0 {
		return fmt.Errorf("%d policies have not been evaluated yet, %s among them", len(waiting), waiting[0])
	}
	return nil
}

// Endpoints lists the addresses of the replicas of each target that knows
// them, by policy and target.
func (e *Engine) Endpoints() []Endpoints {
	var out []Endpoints
	for _, u := range e.snapshot() {
		out = append(out, u.endpoints()...)
	}
	return out
}

// Endpoints are the addresses of one target's replicas.
type Endpoints struct {
	Policy, ScaleTarget, Target string
	Addresses                   []string
}

func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
