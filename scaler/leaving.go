package scaler

import (
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// stage is how far a unit is on its way out of the configuration. One that
// leaves decides nothing any more: it ends the evaluation in flight, sees what
// it has asked for settled, and goes. Until it has gone its policy may come
// back to it, so that there is never a second runner of one policy.
type stage int

const (
	serving stage = iota
	leaving
	gone
)

// leave has the unit end.
func (u *unit) leave() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.stage == serving {
		u.stage = leaving
	}
	switch {
	case u.stage == gone:
	case u.running:
		u.again = true
	default:
		u.start()
	}
}

// claim keeps a unit that leaves from going, until it is taken back or the
// claim is given up. False: it has gone.
func (u *unit) claim() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.stage == gone {
		return false
	}
	u.claims++
	return true
}

func (u *unit) unclaim() {
	u.mu.Lock()
	u.claims--
	u.mu.Unlock()
	u.wake()
}

// comeBack makes a unit that was claimed serve again.
func (u *unit) comeBack(s *setup) {
	u.mu.Lock()
	u.claims--
	u.stage = serving
	u.mu.Unlock()
	u.reconfigure(s)
}

// mayGo reports whether nothing keeps a unit that leaves. Where the server
// stops, what is open is settled by the next one. The caller holds u.mu, and no
// evaluation is in flight.
func (u *unit) mayGo() bool {
	if u.engine.draining.Err() != nil {
		return true
	}
	if u.claims > 0 {
		return false
	}
	return !u.actions.Waits(u.engine.opts.Now(), func(name string) bool {
		t, ok := u.setup.find(name)
		if !ok {
			return true
		}
		// Replicas that die with their policy need not become ready first.
		_, dies := t.target.(target.Restorer)
		return dies
	})
}

// lookBack looks at what a unit that leaves has open, and returns when to look
// again.
func (u *unit) lookBack() time.Duration {
	stop := u.engine.draining
	u.victims.Leave()
	if u.actions.Idle() || stop.Err() != nil {
		return shortest
	}
	u.shiftTimes()
	u.readTargets(stop)
	if stop.Err() != nil {
		return shortest
	}
	now := u.engine.opts.Now()
	u.settle(u.shown(), now)
	u.publish(u.view.Load().last)
	return u.nextLook(u.setup.interval, now)
}

// abandon closes what is still open of a policy that is gone.
func (u *unit) abandon(now time.Time) {
	closed := u.actions.Abandon(u.shown(), now)
	if len(closed) == 0 {
		return
	}
	for i := range closed {
		u.victims.TakeOver(&closed[i], now)
	}
	level.Info(u.logger).Log("msg", "the policy has left the configuration before what it asked for was settled", "actions", len(closed))
	u.engine.opts.Ledger.Enqueue(u.remember(closed))
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

// flightsWith are the evaluations in flight, of units that have given up one of
// the setup's targets by a reload, which may still ask them for something. The
// new owner lets these end first: a target is asked by one at a time.
func (e *Engine) flightsWith(s *setup, but *unit) map[*unit]<-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	var found map[*unit]<-chan struct{}
	for _, t := range s.targets {
		for _, u := range e.moved[t.config.Identity()] {
			if u == but {
				continue
			}
			if flight := u.flightWith(t.config.Identity()); flight != nil {
				if found == nil {
					found = make(map[*unit]<-chan struct{})
				}
				found[u] = flight
			}
		}
	}
	return found
}

// awaitFlights waits for them. False: the server stops.
func (u *unit) awaitFlights(s *setup) bool {
	for {
		flights := u.engine.flightsWith(s, u)
		if len(flights) == 0 {
			return true
		}
		for other, flight := range flights {
			level.Info(u.logger).Log("msg", "waiting for another policy to end its evaluation of a target that is this policy's now", "other", other.name)
			select {
			case <-flight:
			case <-u.engine.draining.Done():
				return false
			}
		}
	}
}

// flightWith is the evaluation in flight, where it may ask the target; nil:
// there is none.
func (u *unit) flightWith(identity string) <-chan struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.flight == nil || !u.setup.owns(identity) {
		return nil
	}
	return u.flight
}

func (s *setup) owns(identity string) bool {
	for _, t := range s.targets {
		if t.config.Identity() == identity {
			return true
		}
	}
	return false
}

// noteMoved notes the targets that units give up: in the setup that an
// evaluation is in flight with, and not in the next one. It comes once every
// unit was told, so that no further evaluation begins with the setup before.
// The caller holds e.mu.
func (e *Engine) noteMoved(next map[string]*setup) {
	moved := make(map[string][]*unit)
	note := func(u *unit, s *setup) {
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.flight == nil {
			return
		}
		for _, t := range u.setup.targets {
			if id := t.config.Identity(); id != "" && (s == nil || !s.owns(id)) {
				moved[id] = append(moved[id], u)
			}
		}
	}
	for name, u := range e.units {
		note(u, next[name])
	}
	for name, u := range e.leaving {
		note(u, next[name])
	}
	e.moved = moved
}
