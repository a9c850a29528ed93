package scaler

import (
	"fmt"
	"sync"
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// pauses are the operators' pauses, of policies that are gone from the
// configuration too: should one come back, it is still paused.
type pauses struct {
	// writing is held over the ledger's writes, which puts them in the order
	// of the changes; it is locked before e.mu.
	writing sync.Mutex
	// of is by policy, guarded by e.mu. Values are never changed.
	of map[string]*policy.Pause
}

// Pause keeps the policy from acting until p.Until or, where that is zero,
// until somebody resumes it. It replaces the pause that the policy has, and is
// durable when it returns: with an error nothing has changed. A p.Since of
// zero is now. False: there is no such policy.
//
// What was decided already is carried out.
func (e *Engine) Pause(name string, p policy.Pause) (found bool, err error) {
	e.pauses.writing.Lock()
	defer e.pauses.writing.Unlock()
	if !e.knows(name) {
		return false, nil
	}
	if p.Since.IsZero() {
		p.Since = e.opts.Now()
	}
	p.Silence = ""
	if err := e.opts.Ledger.SavePause(name, p); err != nil {
		return true, fmt.Errorf("pause policy %q: %w", name, err)
	}
	e.setPause(name, &p)
	return true, nil
}

// Resume ends the pause of the policy. It is durable when it returns: with an
// error the policy is still paused. Found is false where there is no such
// policy, resumed where it was not paused.
func (e *Engine) Resume(name string) (found, resumed bool, err error) {
	e.pauses.writing.Lock()
	defer e.pauses.writing.Unlock()
	if !e.knows(name) {
		return false, false, nil
	}
	e.mu.Lock()
	p := e.pauses.of[name]
	e.mu.Unlock()
	if p == nil {
		return true, false, nil
	}
	if err := e.opts.Ledger.DeletePause(name); err != nil {
		return true, false, fmt.Errorf("resume policy %q: %w", name, err)
	}
	resumed = p.Active(e.opts.Now())
	e.setPause(name, nil)
	return true, resumed, nil
}

func (e *Engine) knows(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.units[name] != nil
}

// setPause puts in force what the ledger has, and has the policy evaluated. A
// reload may have replaced or removed its unit meanwhile.
func (e *Engine) setPause(name string, p *policy.Pause) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p == nil {
		delete(e.pauses.of, name)
	} else {
		e.pauses.of[name] = p
	}
	u := e.units[name]
	if u == nil {
		return
	}
	u.paused.Store(p)
	if e.started && !e.stopped {
		u.woken.Add(1)
		e.pool.Woken(name)
		u.runner.wake()
	}
}

// restorePauses takes over what the last run left. What ended since is
// forgotten.
func (e *Engine) restorePauses() error {
	stored, err := e.opts.Ledger.Pauses()
	if err != nil {
		return fmt.Errorf("read which policies are paused: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pauses.of = make(map[string]*policy.Pause, len(stored))
	now := e.opts.Now()
	for name, p := range stored {
		if by := p.Since.Sub(now); by > 0 {
			wasAhead(e.opts.Logger, name, policy.Ahead{What: "begin of a pause", By: by})
			p.Since = now
		}
		e.pauses.of[name] = &p
		if !p.Active(now) {
			e.forgetPause(name, &p)
		}
	}
	return nil
}

// pausedNow is the pause that holds at now. One that has ended is forgotten.
func (u *unit) pausedNow(now time.Time) *policy.Pause {
	p := u.paused.Load()
	if p == nil || p.Active(now) {
		return p
	}
	// Whoever paused anew meanwhile is not undone.
	if u.paused.CompareAndSwap(p, nil) {
		level.Info(u.logger).Log("msg", "the pause is over", "by", p.By, "until", p.Until)
		u.engine.forgetPause(u.name, p)
	}
	return nil
}

// holds names what keeps the policy from moving, where the counts say that
// something does.
func (e *Engine) holds(name string, c alerts.Counts) alerts.Holds {
	if c.BlockUp+c.BlockDown+c.Silenced == 0 {
		return alerts.Holds{}
	}
	return e.opts.Alerts.Holds(name)
}

// forgetPause removes a pause that has ended, in the ledger at leisure: it
// holds nothing any more, and whoever reads it again will see that too.
func (e *Engine) forgetPause(name string, p *policy.Pause) {
	e.running.Go(func() {
		e.pauses.writing.Lock()
		defer e.pauses.writing.Unlock()
		e.mu.Lock()
		current := e.pauses.of[name] == p
		if current {
			delete(e.pauses.of, name)
		}
		e.mu.Unlock()
		if !current {
			return
		}
		if err := e.opts.Ledger.DeletePause(name); err != nil {
			level.Warn(e.opts.Logger).Log("msg", "a pause that is over stays in the ledger until the next start", "policy", name, "err", err)
		}
	})
}
