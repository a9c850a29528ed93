package scaler

import (
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// closeTargets closes those that hold something.
func (e *Engine) closeTargets(logger log.Logger, targets []boundTarget) {
	for _, t := range targets {
		c, ok := t.target.(target.Closer)
		if !ok {
			continue
		}
		e.running.Go(func() {
			if err := e.guard.Do(logger, componentClosing, c.Close); err != nil {
				level.Error(logger).Log("msg", "target not closed cleanly", "target", t.name, "err", err)
			}
		})
	}
}

// closeTargets closes targets of the unit once nobody asks them any more which
// of the replicas that were to go they still have.
func (u *unit) closeTargets(targets []boundTarget) {
	told := u.victims.BeingTold()
	if len(told) == 0 {
		u.engine.closeTargets(u.logger, targets)
		return
	}
	u.engine.running.Go(func() {
		for _, known := range told {
			<-known
		}
		u.engine.closeTargets(u.logger, targets)
	})
}
