package victims

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/drain"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/target"
)

const (
	// tellTimeout bounds telling a hook that its replica stays after all.
	tellTimeout = 10 * time.Second
	// listInterval is how soon the replicas that cannot be listed are listed
	// again, and listWithin for how long.
	listInterval = 5 * time.Second
	listWithin   = 10 * time.Minute
	// drainPatience is how long what was drained waits for what may pass by
	// itself: a target that cannot be read, or that is asked again soon.
	drainPatience = time.Minute
)

// draining is one replica that is to go.
type draining struct {
	at      Target
	replica target.Replica
	request drain.Request
	cancel  context.CancelFunc
	// done is closed once the replica may go: it has finished, or had its time.
	done chan struct{}
	// action is the one that asks the platform to take the replica; empty:
	// none does. It is on its way then, and nobody may say that it stays.
	action string
	// listed is from when the platform's list tells whether the replica is
	// still there, after an action that may have taken it.
	listed time.Time
	// told is nil until it is known that the replica stays, and closed once
	// its hook knows it too.
	told chan struct{}
}

func (d *draining) over() bool { return closed(d.done) }

// stays reports whether the replica stays after all.
func (d *draining) stays() bool { return d.told != nil }

// leaving reports whether the replica takes no work: its hook has been called,
// it has not been given to its platform, and nobody has said that it stays.
func (d *draining) leaving() bool { return d.action == "" && (d.told == nil || !closed(d.told)) }

func closed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// find is the replica that is being drained; nil: it is not.
func (s *State) find(targetName, id string) *draining {
	if it := s.drains[targetName][id]; it != nil && !it.stays() {
		return it
	}
	return nil
}

// Leaving is how many of a target's ready replicas take no work, because they
// are to go.
func (s *State) Leaving(targetName string) int {
	n := 0
	for _, it := range s.drains[targetName] {
		if it.leaving() && it.replica.Ready {
			n++
		}
	}
	return n
}

// Drain makes a decision for fewer replicas wait until those that go have
// finished their work. It only starts and looks: evaluations go on meanwhile,
// so that an alert for more replicas is heard at once, and those that were to
// go may stay. Whatever else stops the scale-down gives them back.
func (s *State) Drain(d *policy.Decision) {
	if !d.Act || d.Desired >= d.Current {
		if !s.waits(d) {
			s.cancel()
		}
		return
	}
	s.heldSince = time.Time{}
	var waits []policy.Drain
	for _, t := range s.targets {
		if t.Hook == nil {
			continue
		}
		n := 0
		for _, p := range d.Placements {
			if p.Target == t.Name {
				n = max(0, p.From-p.To)
			}
		}
		if w := s.drainTarget(t, n); len(w.Waiting) > 0 {
			waits = append(waits, w)
		}
	}
	if len(waits) > 0 {
		d.Wait(waits)
	}
}

// waits reports whether the decision is held by what may soon pass by itself.
func (s *State) waits(d *policy.Decision) bool {
	switch d.Reason {
	case policy.ReasonTargetFailed, policy.ReasonTargetBackoff, policy.ReasonConverging:
	default:
		s.heldSince = time.Time{}
		return false
	}
	if d.Mode != policy.ModeOn || d.Direction == policy.Up {
		return false
	}
	if s.heldSince.IsZero() || s.heldSince.After(d.Time) {
		s.heldSince = d.Time
	}
	return d.Time.Sub(s.heldSince) < drainPatience
}

// drainTarget starts the hooks of the n replicas that go, and says which are
// still at work. Those that were to go and are not among them stay.
func (s *State) drainTarget(t Target, n int) policy.Drain {
	victims := s.choices[t.Name].first(n)
	w := policy.Drain{Target: t.Name}
	wanted := make(map[string]bool, len(victims))
	for _, v := range victims {
		if v.idle {
			continue
		}
		wanted[v.ID] = true
		w.All++
		it := s.find(t.Name, v.ID)
		if it == nil {
			it = s.start(t, v.Replica)
		}
		if !it.over() {
			w.Waiting = append(w.Waiting, v.Name)
			if it.request.Deadline.After(w.Until) {
				w.Until = it.request.Deadline
			}
		}
	}
	var stay []*draining
	for id, it := range s.drains[t.Name] {
		if !wanted[id] {
			stay = append(stay, it)
		}
	}
	s.stay(t.Name, stay, false)
	return w
}

func (s *State) start(t Target, r target.Replica) *draining {
	it := &draining{at: t, replica: r, done: make(chan struct{})}
	it.request = drain.Request{
		Action: drain.Drain, Policy: s.opts.Policy, Target: t.Name, ScaleTarget: s.scaleTarget, Replica: r,
		Deadline: s.opts.Now().Add(t.Hook.Timeout()),
	}
	if s.drains == nil {
		s.drains = make(map[string]map[string]*draining, 1)
	}
	if s.drains[t.Name] == nil {
		s.drains[t.Name] = make(map[string]*draining, 1)
	}
	before := s.drains[t.Name][r.ID]
	s.drains[t.Name][r.ID] = it
	var ctx context.Context
	ctx, it.cancel = context.WithTimeout(s.opts.Stopping, t.Hook.Timeout())
	level.Info(s.opts.Logger).Log("msg", "draining", "target", t.Name, "replica", r.Name, "deadline", it.request.Deadline)
	s.opts.Go(func() {
		defer it.cancel()
		if before != nil {
			// A hook that is told that its replica stays must not be told
			// after it was called anew.
			select {
			case <-before.told:
			case <-ctx.Done():
			}
		}
		began := s.opts.Now()
		err := s.opts.Guard.Do(s.opts.Logger, Component, func() error {
			return t.Hook.Wait(ctx, it.request, func(err error) {
				level.Warn(s.opts.Logger).Log("msg", "drain hook failed, calling it again", "target", t.Name, "replica", r.Name, "err", err)
			})
		})
		if recovery.Of(err) != nil {
			<-ctx.Done() // Whether it is drained nobody knows: it has its time.
			err = ctx.Err()
		}
		took := s.opts.Now().Sub(began).Round(time.Millisecond)
		switch {
		case err == nil:
			level.Info(s.opts.Logger).Log("msg", "drained", "target", t.Name, "replica", r.Name, "took", took)
			s.opts.Count(t.Name, Drained)
		case errors.Is(err, context.DeadlineExceeded):
			level.Warn(s.opts.Logger).Log("msg", "not drained in time, goes as it is", "target", t.Name, "replica", r.Name, "timeout", t.Hook.Timeout())
			s.opts.Count(t.Name, TimedOut)
		default:
			return // cancelled: whoever did it has seen to the rest
		}
		close(it.done)
		s.opts.Wake()
	})
	return it
}

// HandOver notes that the action asks the platform to take the replicas that
// were drained for it.
func (s *State) HandOver(a *action.Action) {
	for _, v := range s.choices[a.Target].first(a.From - a.To) {
		if it := s.find(a.Target, v.ID); it != nil {
			it.action = a.ID
		}
	}
}

// TakeOver notes what became of the replicas that an action asked the platform
// to take. Of an action that was refused or overtaken they may have stayed.
func (s *State) TakeOver(a *action.Action, now time.Time) {
	for id, it := range s.drains[a.Target] {
		if it.action != a.ID {
			continue
		}
		switch a.State {
		case action.Converged:
			it.cancel()
			delete(s.drains[a.Target], id)
		case action.Superseded:
			it.action, it.listed = "", now.Add(action.VisibleWithin)
		case action.Failed, action.NotApplied, action.NoOp:
			it.action = ""
		case action.Intended, action.Accepted:
		}
	}
}

// listed takes in which replicas a target has, and forgets those that have
// gone.
func (s *State) listed(targetName string, replicas []target.Replica) {
	for id, it := range s.drains[targetName] {
		i := slices.IndexFunc(replicas, func(r target.Replica) bool { return r.ID == id })
		if i >= 0 {
			it.replica = replicas[i]
			continue
		}
		it.cancel()
		delete(s.drains[targetName], id)
	}
}

// Drainees are the replicas of one target that take no work because they are
// to go.
type Drainees struct {
	// Names are sorted.
	Names []string
	// Ready is how many of them their platform counts as ready.
	Ready int
}

// Draining are those of each target; nil where there are none.
func (s *State) Draining() map[string]Drainees {
	var out map[string]Drainees
	for name, of := range s.drains {
		d := Drainees{Ready: s.Leaving(name)}
		for _, it := range of {
			if it.leaving() {
				d.Names = append(d.Names, it.replica.Name)
			}
		}
		if len(d.Names) == 0 {
			continue
		}
		slices.Sort(d.Names)
		if out == nil {
			out = make(map[string]Drainees, 1)
		}
		out[name] = d
	}
	return out
}
