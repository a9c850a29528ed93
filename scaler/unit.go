package scaler

import (
	"sync/atomic"
	"time"

	"github.com/go-kit/log"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/export"
	"github.com/alertscaler/alertscaler/scaler/learning"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/victims"
)

// unit is one policy at work. Its evaluations follow each other; what they
// change belongs to the evaluation in flight and needs no lock.
type unit struct {
	engine *Engine
	name   string
	logger log.Logger

	// runner says when to evaluate.
	runner *runner

	// view is what others may see; replaced as a whole.
	view atomic.Pointer[view]
	// woken counts how often its alerts changed, decided is how many of these
	// changes the policy has decided upon.
	woken, decided atomic.Int64
	// wokenAt is when that was last, in nanoseconds since 1970.
	wokenAt atomic.Int64
	// paused is the operator's pause, if any; it may have ended.
	paused atomic.Pointer[policy.Pause]
	// retry is set where an operator wants the targets to be asked again.
	retry atomic.Bool

	// Owned by the evaluation in flight:

	// setup is the one in force.
	setup *setup
	// corrected is how far the clock was corrected when its times were noted.
	corrected time.Duration
	history   policy.History
	// actions judges what comes of what was decided, and changes history.
	actions  *action.Machine
	reader   reader
	asker    asker
	journal  journal
	reporter reporter
	// victims are which replicas may go, and their drains.
	victims *victims.State

	// learning is of the resources with an objective.
	learning *learning.State

	// counts may be read by anyone.
	counts *export.Counters
	// founding units are those that the engine was started with.
	founding bool
}

func newUnit(e *Engine, name string, s *setup) *unit {
	u := &unit{
		engine:   e,
		name:     name,
		logger:   log.With(e.opts.Logger, "policy", name),
		setup:    s,
		counts:   export.NewCounters(),
		founding: !e.started,
	}
	_, forgets := e.opts.Ledger.(Forgetful)
	var store learning.Store
	if !forgets {
		store = e.opts.Ledger
	}
	u.learning = learning.New(learning.Options{
		Policy: name, Store: store, Now: e.opts.Now, Logger: u.logger,
		Ahead: func(a policy.Ahead) { wasAhead(u.logger, name, a) },
	})
	u.runner = &runner{engine: e, name: name, work: u, left: func() { e.gone(u) }, inForce: s, next: s}
	m, known := e.memory[name]
	delete(e.memory, name)
	u.history, u.corrected = m.history, m.corrected
	if !known && e.opts.Distrust {
		u.history.Distrust(e.opts.Now())
	}
	u.actions = action.New(rulesOf(s), &u.history, m.open)
	u.victims = victims.New(victims.Options{
		Policy: name, Logger: u.logger, Guard: e.guard, Now: e.opts.Now, PlatformTimeout: e.opts.PlatformTimeout,
		Stopping: e.draining, Go: e.running.Go, Wake: u.runner.wake, Count: u.counts.Drained,
	}, s.scaleTarget, victimsOf(s.targets))
	u.reader = newReader(e, name, u.logger, &u.history)
	u.asker = asker{engine: e, logger: u.logger, reader: &u.reader, victims: u.victims, counts: u.counts}
	u.journal = journal{policy: name, logger: u.logger, ledger: e.opts.Ledger, history: &u.history, forgets: forgets}
	u.reporter = reporter{
		policy: name, logger: u.logger, alerts: e.opts.Alerts, history: &u.history,
		counts: u.counts, timings: e.timings, outdated: u.runner.wakeAgain,
	}
	u.paused.Store(e.pauses.of[name])
	u.publish(nil)
	return u
}
