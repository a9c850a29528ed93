package scaler

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// Step evaluates every policy once, one after the other in the caller's
// goroutine, those of higher priority first: the engine on a clock of the
// caller's own. It is not to be mixed with Start.
func (e *Engine) Step(ctx context.Context) {
	units := e.snapshot()
	slices.SortStableFunc(units, func(a, b *unit) int {
		return cmp.Compare(b.setup.rules.Priority, a.setup.rules.Priority)
	})
	for _, u := range units {
		for again := true; again; {
			u.step(ctx)
			u.mu.Lock()
			again, u.again = u.again, false
			u.mu.Unlock()
		}
	}
}

func (u *unit) step(ctx context.Context) {
	next, _, _ := u.upcoming()
	if !u.takeSetup(next) {
		return
	}
	u.guarded(func() time.Duration {
		if next != nil {
			u.settleIn()
		}
		u.restoreTargets(ctx)
		return u.evaluate(ctx, ctx)
	})
	u.landed()
}
