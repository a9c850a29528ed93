package scaler

import (
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

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/drain"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/usage"
	"github.com/alertscaler/alertscaler/scaler/victims"
)

// Alerts is the book as the engine reads it. It is safe for concurrent use and
// never blocks on I/O.
type Alerts interface {
	// Counts returns how many alerts bear on the policy.
	Counts(policyName string) alerts.Counts
	// Holds names the alerts that block the policy and the silences that cover
	// its alerts. Where Counts has none of either it is not asked.
	Holds(policyName string) alerts.Holds
	// ReceivedAfter is when the oldest active alert of that direction was first
	// received, of those that were later than t; false where there is none.
	ReceivedAfter(policyName string, d policy.Direction, t time.Time) (time.Time, bool)
}

// Usage reads what the resources of one policy use. It answers every query,
// with a problem where it has no usable reading, and is safe for concurrent
// use.
type Usage interface {
	Read(ctx context.Context, now time.Time, queries []usage.Query) []policy.Usage
	// Loads is what each replica of a target carries, by the value of the
	// label; what is not known is not in it.
	Loads(ctx context.Context, now time.Time, expr, label string) (map[string]float64, error)
}

// Ledger is the engine's durable memory. It is safe for concurrent use.
type Ledger interface {
	// NewID returns an identifier that sorts after every earlier one.
	NewID(now time.Time) string
	// Commit writes durably before it returns.
	Commit(r ledger.Record) error
	// Enqueue writes within about a second, after everything enqueued or
	// committed before.
	Enqueue(r ledger.Record)
	// Histories and OpenActions are what the last run left.
	Histories() (map[string]policy.History, error)
	OpenActions() ([]ledger.Action, error)
	// Learnt is the state that was written last of what was learnt of a
	// resource; nil where none was.
	Learnt(policyName, resource string) ([]byte, error)
	// LastRequested is the number last asked of the target by anyone here.
	LastRequested(policyName, targetName string) (int, bool, error)
	// SetRequested records that someone else set it.
	SetRequested(policyName, targetName string, replicas int, at time.Time) error
	// SavePause and DeletePause are durable when they return. Pauses are all
	// that were saved and not deleted; the map is the caller's.
	SavePause(policyName string, p policy.Pause) error
	DeletePause(policyName string) error
	Pauses() (map[string]policy.Pause, error)
	// Err is why the ledger cannot be written at present; nil: it can.
	Err() error
}

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
	// PlatformTimeout bounds one call to a platform; 10s by default.
	PlatformTimeout time.Duration
	Logger          log.Logger
	Registerer      prometheus.Registerer
}

// Engine evaluates policies. All methods are safe for concurrent use.
type Engine struct {
	opts    Options
	metrics *metrics
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
	// shared is locked after mu and before a unit's own.
	shared shared
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
	moved   map[string][]*unit
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
	if o.PlatformTimeout <= 0 {
		o.PlatformTimeout = 10 * time.Second
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
	e.metrics = newMetrics(o.Registerer, e)
	return e, nil
}

// Start begins to evaluate. Before it, Wake does nothing.
func (e *Engine) Start() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.started = true
	for _, u := range e.units {
		u.wake()
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
	for _, name := range policies {
		if u := e.units[name]; u != nil {
			u.woken.Add(1)
			e.shared.woken.add(u)
		}
	}
	for _, name := range policies {
		if u := e.units[name]; u != nil {
			u.wake()
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
		u.leave()
	}
	for _, u := range e.leaving {
		u.leave()
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
func (e *Engine) Statuses() []policy.Status {
	units := e.snapshot()
	out := make([]policy.Status, len(units))
	for i, u := range units {
		out[i] = u.status()
	}
	return out
}

// FirstStatuses returns the first n policies in the order of the configuration,
// and how many there are.
func (e *Engine) FirstStatuses(n int) (shown []policy.Status, total int) {
	units := e.snapshot()
	shown = make([]policy.Status, min(n, len(units)))
	for i := range shown {
		shown[i] = units[i].status()
	}
	return shown, len(units)
}

// Status returns one policy.
func (e *Engine) Status(name string) (policy.Status, bool) {
	e.mu.Lock()
	u := e.units[name]
	e.mu.Unlock()
	if u == nil {
		return policy.Status{}, false
	}
	return u.status(), true
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
