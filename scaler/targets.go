package scaler

import (
	"context"
	"fmt"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// restoreTargets brings replicas back that did not outlive the server, in the
// number last requested. What fails is tried again before the next evaluation;
// until then the target counts as unreadable.
func (u *unit) restoreTargets(ctx context.Context) {
	for _, t := range u.setup.targets {
		if u.restored[t.target] {
			continue
		}
		if err := u.restore(ctx, t); err != nil {
			level.Error(u.logger).Log("msg", "replicas cannot be brought back, trying again", "target", t.name, "err", err)
			continue
		}
		u.restored[t.target] = true
	}
}

func (u *unit) restore(ctx context.Context, t boundTarget) error {
	r, ok := t.target.(target.Restorer)
	if !ok {
		return nil
	}
	n, known, err := u.engine.opts.Ledger.LastRequested(u.name, t.name)
	if err != nil {
		return fmt.Errorf("read the number last requested: %w", err)
	}
	if err := r.Restore(ctx, n, known); err != nil {
		return fmt.Errorf("bring back %d replicas: %w", n, err)
	}
	if known {
		level.Info(u.logger).Log("msg", "replicas brought back", "target", t.name, "requested", n)
	}
	return nil
}

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
