package scaler

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// Prepare builds the targets of c that are new or changed, be it that the files
// have changed which they name. Those that stay as they are keep their target,
// and with it whatever it holds. The engine goes on meanwhile; whoever calls it
// applies or discards one change before the next is prepared.
func (e *Engine) Prepare(_ context.Context, c *config.Config) (config.Change, error) {
	var reader Usage
	if c.Prometheus != nil {
		var err error
		if reader, err = e.opts.NewUsage(c); err != nil {
			return config.Change{}, fmt.Errorf("prometheus: %w", err)
		}
	}
	next := make(map[string]*setup, len(c.Policies))
	known, claimed := e.unitsFor(c)
	discard := func(built []boundTarget) {
		for _, u := range claimed {
			u.runner.unclaim()
		}
		e.closeTargets(e.opts.Logger, built)
	}
	budgets := make(map[string][]string)
	for _, r := range c.BudgetRules() {
		for _, name := range r.Members {
			budgets[name] = append(budgets[name], r.Name)
		}
	}
	var built []boundTarget
	for _, p := range c.Policies {
		s, fresh, err := e.setupFor(c, p, reader, known[p.Name])
		built = append(built, fresh...)
		if err != nil {
			discard(built)
			return config.Change{}, fmt.Errorf("policy %q: %w", p.Name, err)
		}
		s.budgets = budgets[p.Name]
		next[p.Name] = s
	}
	return config.Change{
		Apply:   func() { e.apply(c, next, claimed) },
		Discard: func() { discard(built) },
	}, nil
}

// unitsFor are the units that the policies of c have. One that comes back
// before it has gone goes on as it is: it is claimed.
func (e *Engine) unitsFor(c *config.Config) (known, claimed map[string]*unit) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known, claimed = maps.Clone(e.units), make(map[string]*unit)
	for _, p := range c.Policies {
		if u := e.leaving[p.Name]; u != nil && u.runner.claim() {
			known[p.Name], claimed[p.Name] = u, u
		}
	}
	return known, claimed
}

// apply puts prepared setups in force: units keep what they remember, new ones
// appear, those without a policy leave, and those that were claimed come back.
func (e *Engine) apply(c *config.Config, next map[string]*setup, claimed map[string]*unit) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, name := range names(e.units) {
		if u := e.units[name]; next[name] == nil {
			delete(e.units, name)
			e.leaving[name] = u
			u.runner.leave()
		}
	}
	e.order = e.order[:0]
	for _, p := range c.Policies {
		e.order = append(e.order, p.Name)
		if u := e.units[p.Name]; u != nil {
			u.runner.reconfigure(next[p.Name])
		} else if u := claimed[p.Name]; u != nil {
			delete(e.leaving, p.Name)
			e.units[p.Name] = u
			u.runner.comeBack(next[p.Name])
		} else {
			e.units[p.Name] = newUnit(e, p.Name, next[p.Name])
		}
	}
	e.noteMoved(next)
	e.share(c, next)
	if e.started && !e.stopped {
		for _, name := range e.order {
			e.units[name].runner.wake()
		}
	}
}

// settleIn closes what a new setup sheds.
func (u *unit) settleIn() {
	shed, gone := u.setup.shed, u.setup.gone()
	u.victims.Reconfigure(u.setup.scaleTarget, victimsOf(u.setup.targets), setOf(gone))
	u.closeTargets(shed)
	for _, t := range shed {
		delete(u.reader.restored, t.target)
	}
	u.forget(gone)
	u.actions.Judge(rulesOf(u.setup))
	if u.actions.Reconfigured(namesOf(shed), u.setup.fingerprint, u.engine.opts.Now()) {
		level.Info(u.logger).Log("msg", "the configuration of the policy has changed, so its targets are asked again")
	}
	u.setup.shed = nil
}

// forget drops what is known of targets that are gone. One of the same name
// is read before anything is decided by it.
func (u *unit) forget(gone []boundTarget) {
	for _, t := range gone {
		u.reader.forget(t.name)
		u.history.Forget(t.name)
	}
}

// noteMoved notes the targets that policies give up with an evaluation in
// flight. It comes once every runner was told, so that no further evaluation
// begins with the setup before. The caller holds e.mu.
func (e *Engine) noteMoved(next map[string]*setup) {
	e.moved = make(map[string][]*runner)
	for _, units := range []map[string]*unit{e.units, e.leaving} {
		for name, u := range units {
			for _, identity := range u.runner.givesUp(next[name]) {
				e.moved[identity] = append(e.moved[identity], u.runner)
			}
		}
	}
}

// flightsWith are the evaluations in flight, of policies that have given up one
// of the setup's targets by a reload, which may still ask them for something.
// The new owner lets these end first: a target is asked by one at a time.
func (e *Engine) flightsWith(s *setup, but *runner) map[*runner]<-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	var found map[*runner]<-chan struct{}
	for _, t := range s.targets {
		for _, r := range e.moved[t.config.Identity()] {
			if r == but {
				continue
			}
			if flight := r.flightWith(t.config.Identity()); flight != nil {
				if found == nil {
					found = make(map[*runner]<-chan struct{})
				}
				found[r] = flight
			}
		}
	}
	return found
}

// leftBehind is what a policy that is not in the configuration left behind.
type leftBehind struct {
	history policy.History
	open    []ledger.Action
	// corrected is how far the clock was corrected when that was noted.
	corrected time.Duration
}

// gone keeps what a unit remembers: should its policy come back, it goes on
// where it was.
func (e *Engine) gone(u *unit) {
	stopping := e.draining.Err() != nil
	if !stopping {
		u.abandon(e.opts.Now())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.leaving[u.name] != u {
		return
	}
	delete(e.leaving, u.name)
	e.memory[u.name] = leftBehind{history: u.history.Clone(), open: u.actions.Open(), corrected: u.corrected}
}

// abandon closes what is still open of a policy that is gone.
func (u *unit) abandon(now time.Time) {
	closed := u.actions.Abandon(u.reader.shown(u.setup.targets), now)
	if len(closed) == 0 {
		return
	}
	for i := range closed {
		u.victims.TakeOver(&closed[i], now)
	}
	level.Info(u.logger).Log("msg", "the policy has left the configuration before what it asked for was settled", "actions", len(closed))
	u.engine.opts.Ledger.Enqueue(u.journal.of(closed))
}
