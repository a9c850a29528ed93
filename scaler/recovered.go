package scaler

import (
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/export"
	"github.com/alertscaler/alertscaler/scaler/learning"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/victims"
)

// The components of the engine in which a panic is recovered.
const (
	componentEvaluation = "evaluation"
	componentReading    = recovery.Reading
	componentAction     = recovery.Action
	componentDrain      = victims.Component
	componentLearner    = "learner"
	componentBuilding   = "building of a target"
	componentClosing    = "closing of a target"
)

var components = []string{
	componentEvaluation, componentReading, componentAction, componentDrain, componentLearner, learning.ComponentPast,
	componentBuilding, componentClosing, export.Component,
}

// within tells in which component a panic of fn came about.
func within(component string, fn func()) {
	if err := recovery.Do(component, func() error { fn(); return nil }); err != nil {
		panic(err)
	}
}

// guarded keeps a panic of this policy's work to this policy: it is held, and
// evaluated again after its interval.
func (u *unit) guarded(work func() time.Duration) (wait time.Duration) {
	wait = shortest
	err := u.engine.guard.Do(u.logger, componentEvaluation, func() error {
		wait = work()
		return nil
	})
	if p := recovery.Of(err); p != nil {
		u.broken(p)
		return max(u.setup.interval, shortest)
	}
	return wait
}

// broken holds the policy after a panic. It touches little: whatever else there
// is may be what is broken.
func (u *unit) broken(p *recovery.Panic) {
	before := u.view.Load()
	now := u.engine.opts.Now()
	d := policy.Decision{Policy: u.name, Time: now, Mode: u.setup.rules.Mode, Direction: policy.None}
	if before.last != nil {
		d.Direction = before.last.Direction
	}
	for _, t := range u.setup.targets {
		state := u.reader.reads.of(t.name).state
		d.Current += state.Requested
		d.Ready += state.Ready
	}
	d.Broken(p.Error())
	err := u.engine.guard.Do(u.logger, componentEvaluation, func() error {
		u.journal.noteBroken(&d)
		return nil
	})
	if err != nil {
		level.Error(u.logger).Log("msg", "what was decided is not written", "err", err)
	}
	u.counts.Decided(&d)
	// Those who wait for this policy's claims wait no more.
	u.decided.Store(u.woken.Load())
	v := *before
	v.setup, v.last, v.reads, v.at = u.setup, &d, slices.Clone(u.reader.reads), now
	v.open = u.actions.Open()
	u.view.Store(&v)
}
