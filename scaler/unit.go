package scaler

import (
	"sync/atomic"
	"time"

	"github.com/go-kit/log"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/export"
	"github.com/alertscaler/alertscaler/scaler/learning"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
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
	// paused is the operator's pause, if any; it may have ended.
	paused atomic.Pointer[policy.Pause]
	// retry is set where an operator wants the targets to be asked again.
	retry atomic.Bool

	// Owned by the evaluation in flight:

	// setup is the one in force.
	setup *setup
	// corrected is how far the clock was corrected when its times were noted.
	corrected time.Duration
	patience  patience
	history   policy.History
	// actions judges what comes of what was decided, and changes history.
	actions *action.Machine
	// reads is what was last read of each target.
	reads readings
	// restored are the targets whose replicas were brought back.
	restored map[target.Target]bool
	// recorded is the last decision written to the ledger; nil: none was.
	recorded *answer
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
		restored: make(map[target.Target]bool),
		counts:   export.NewCounters(),
		founding: !e.started,
	}
	u.learning = learning.New(learning.Options{
		Policy: name, Store: e.opts.Ledger, Now: e.opts.Now, Logger: u.logger,
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
	for i := range u.history.Targets {
		// What was last known, until it is read again.
		if m := &u.history.Targets[i]; m.Requested != nil {
			u.reads.put(reading{name: m.Name, at: m.Stands.At, state: target.State{
				Requested: *m.Requested, Ready: m.Ready, Min: m.Stands.Min, Max: m.Stands.Max,
			}})
		}
	}
	u.paused.Store(e.pauses.of[name])
	u.publish(nil)
	return u
}
