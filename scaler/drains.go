package scaler

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/drain"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// cancelTimeout bounds telling a hook that its replica stays after all.
const cancelTimeout = 10 * time.Second

// draining is one replica that is to go. What is set after it was started is
// guarded by done.
type draining struct {
	replica target.Replica
	hook    Drainer
	request drain.Request
	cancel  context.CancelFunc
	// done is closed once the replica may go: it has finished, or had its time.
	done chan struct{}
}

func (d *draining) over() bool {
	select {
	case <-d.done:
		return true
	default:
		return false
	}
}

// drain makes a decision for fewer replicas wait until those that go have
// finished their work. It only starts and looks: evaluations go on meanwhile,
// so that an alert for more replicas is heard at once, and those that were to
// go may stay.
func (u *unit) drain(d *policy.Decision) {
	down := d.Act && d.Desired < d.Current
	if !down {
		if d.Direction != policy.Down || d.Mode != policy.ModeOn {
			u.cancelDrains()
		}
		return
	}
	var waits []policy.Drain
	for _, p := range d.Placements {
		t, ok := u.setup.find(p.Target)
		if !ok || t.hook == nil || p.To >= p.From {
			continue
		}
		if w := u.drainTarget(t, p.From-p.To); len(w.Waiting) > 0 {
			waits = append(waits, w)
		}
	}
	if len(waits) > 0 {
		d.Wait(waits)
	}
}

// spareUndrained protects the replicas of targets that are asked for more than
// was decided: whoever is to finish first has not been told to.
func (u *unit) spareUndrained(targets []policy.TargetState) {
	for i, t := range u.setup.targets {
		if t.hook != nil {
			targets[i].Protected, targets[i].ProtectedBy = targets[i].Requested, "they have not been drained"
		}
	}
}

// drainTarget starts the hooks of the n replicas that go, and says which are
// still at work. Those that were to go and are not among them stay.
func (u *unit) drainTarget(t boundTarget, n int) policy.Drain {
	victims := u.choices[t.name].first(n)
	w := policy.Drain{Target: t.name}
	wanted := make(map[string]bool, len(victims))
	for _, v := range victims {
		if v.idle {
			continue
		}
		wanted[v.ID] = true
		w.All++
		it := u.drains[t.name][v.ID]
		if it == nil {
			it = u.startDrain(t, v.Replica)
		}
		if !it.over() {
			w.Waiting = append(w.Waiting, v.Name)
			if it.request.Deadline.After(w.Until) {
				w.Until = it.request.Deadline
			}
		}
	}
	for id, it := range u.drains[t.name] {
		if !wanted[id] {
			u.cancelDrain(t.name, it)
			delete(u.drains[t.name], id)
		}
	}
	return w
}

func (u *unit) startDrain(t boundTarget, r target.Replica) *draining {
	it := &draining{replica: r, hook: t.hook, done: make(chan struct{})}
	it.request = drain.Request{
		Action: drain.Drain, Policy: u.name, Target: t.name, ScaleTarget: u.setup.scaleTarget, Replica: r,
		Deadline: u.engine.opts.Now().Add(t.hook.Timeout()),
	}
	if u.drains == nil {
		u.drains = make(map[string]map[string]*draining, 1)
	}
	if u.drains[t.name] == nil {
		u.drains[t.name] = make(map[string]*draining, 1)
	}
	u.drains[t.name][r.ID] = it
	var ctx context.Context
	ctx, it.cancel = context.WithTimeout(u.engine.draining, t.hook.Timeout())
	level.Info(u.logger).Log("msg", "draining", "target", t.name, "replica", r.Name, "deadline", it.request.Deadline)
	u.engine.running.Go(func() {
		defer it.cancel()
		began := u.engine.opts.Now()
		err := u.engine.guard.Do(u.logger, componentDrain, func() error {
			return it.hook.Wait(ctx, it.request, func(err error) {
				level.Warn(u.logger).Log("msg", "drain hook failed, calling it again", "target", t.name, "replica", r.Name, "err", err)
			})
		})
		if recovery.Of(err) != nil {
			<-ctx.Done() // Whether it is drained nobody knows: it has its time.
			err = ctx.Err()
		}
		took := u.engine.opts.Now().Sub(began).Round(time.Millisecond)
		switch {
		case err == nil:
			level.Info(u.logger).Log("msg", "drained", "target", t.name, "replica", r.Name, "took", took)
			u.counts.drained(t.name, drainedInTime)
		case errors.Is(err, context.DeadlineExceeded):
			level.Warn(u.logger).Log("msg", "not drained in time, goes as it is", "target", t.name, "replica", r.Name, "timeout", it.hook.Timeout())
			u.counts.drained(t.name, drainTimedOut)
		default:
			return // cancelled: whoever did it has seen to the rest
		}
		close(it.done)
		u.wake()
	})
	return it
}

// cancelDrains lets every replica of the policy that was to go stay. Where the
// server stops the hooks are told nothing: it goes on with them when it is
// back, or their deadlines pass.
func (u *unit) cancelDrains() {
	for name, of := range u.drains {
		for _, it := range of {
			u.cancelDrain(name, it)
		}
	}
	u.drains = nil
}

// dropDrains lets the replicas stay of targets that are gone, or are drained no
// more, by a new setup.
func (u *unit) dropDrains(gone []boundTarget) {
	for name, of := range u.drains {
		t, ok := u.setup.find(name)
		shed := slices.ContainsFunc(gone, func(g boundTarget) bool { return g.name == name })
		if ok && !shed && t.hook != nil {
			continue
		}
		for _, it := range of {
			u.cancelDrain(name, it)
		}
		delete(u.drains, name)
	}
}

func (u *unit) cancelDrain(targetName string, it *draining) {
	it.cancel()
	if u.engine.draining.Err() != nil {
		return
	}
	level.Info(u.logger).Log("msg", "a replica that was to go stays", "target", targetName, "replica", it.replica.Name)
	u.counts.drained(targetName, drainCancelled)
	r := it.request
	r.Action = drain.Cancel
	u.engine.running.Go(func() {
		ctx, cancel := context.WithTimeout(u.engine.draining, cancelTimeout)
		defer cancel()
		if err := u.engine.guard.Do(u.logger, componentDrain, func() error { return it.hook.Tell(ctx, r) }); err != nil {
			level.Warn(u.logger).Log("msg", "drain hook not told that its replica stays", "target", targetName, "replica", it.replica.Name, "err", err)
		}
	})
}

// forgetDrained forgets the replicas that have gone.
func (u *unit) forgetDrained(targetName string, replicas []target.Replica) {
	for id, it := range u.drains[targetName] {
		if !slices.ContainsFunc(replicas, func(r target.Replica) bool { return r.ID == id }) {
			it.cancel()
			delete(u.drains[targetName], id)
		}
	}
}

// drainingNow names the replicas that are still at work, by target.
func (u *unit) drainingNow() map[string][]string {
	var out map[string][]string
	for name, of := range u.drains {
		for _, it := range of {
			if it.over() {
				continue
			}
			if out == nil {
				out = make(map[string][]string, 1)
			}
			out[name] = append(out[name], it.replica.Name)
		}
		slices.Sort(out[name])
	}
	return out
}
