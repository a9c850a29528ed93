package scaler

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/drain"
	"github.com/alertscaler/alertscaler/scaler/export"
	"github.com/alertscaler/alertscaler/scaler/ledger"
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

// drains are the replicas of one policy that are being drained, or were and
// are still there. They belong to the evaluation in flight.
type drains struct {
	// of is by target and ID.
	of map[string]map[string]*draining
	// heldSince is since when a decision for fewer replicas has waited for
	// something else than the drains; zero: it does not.
	heldSince time.Time
}

// draining is one replica that is to go.
type draining struct {
	at      boundTarget
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
func (ds *drains) find(targetName, id string) *draining {
	if it := ds.of[targetName][id]; it != nil && !it.stays() {
		return it
	}
	return nil
}

// leaving is how many of a target's ready replicas take no work.
func (ds *drains) leaving(targetName string) int {
	n := 0
	for _, it := range ds.of[targetName] {
		if it.leaving() && it.replica.Ready {
			n++
		}
	}
	return n
}

// drain makes a decision for fewer replicas wait until those that go have
// finished their work. It only starts and looks: evaluations go on meanwhile,
// so that an alert for more replicas is heard at once, and those that were to
// go may stay. Whatever else stops the scale-down gives them back.
func (u *unit) drain(d *policy.Decision) {
	if !d.Act || d.Desired >= d.Current {
		if !u.drains.waits(d) {
			u.cancelDrains()
		}
		return
	}
	u.drains.heldSince = time.Time{}
	var waits []policy.Drain
	for _, t := range u.setup.targets {
		if t.hook == nil {
			continue
		}
		n := 0
		for _, p := range d.Placements {
			if p.Target == t.name {
				n = max(0, p.From-p.To)
			}
		}
		if w := u.drainTarget(t, n); len(w.Waiting) > 0 {
			waits = append(waits, w)
		}
	}
	if len(waits) > 0 {
		d.Wait(waits)
	}
}

// waits reports whether the decision is held by what may soon pass by itself.
func (ds *drains) waits(d *policy.Decision) bool {
	switch d.Reason {
	case policy.ReasonTargetFailed, policy.ReasonTargetBackoff, policy.ReasonConverging:
	default:
		ds.heldSince = time.Time{}
		return false
	}
	if d.Mode != policy.ModeOn || d.Direction == policy.Up {
		return false
	}
	if ds.heldSince.IsZero() || ds.heldSince.After(d.Time) {
		ds.heldSince = d.Time
	}
	return d.Time.Sub(ds.heldSince) < drainPatience
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
		it := u.drains.find(t.name, v.ID)
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
	var stay []*draining
	for id, it := range u.drains.of[t.name] {
		if !wanted[id] {
			stay = append(stay, it)
		}
	}
	u.stay(t.name, stay, false)
	return w
}

func (u *unit) startDrain(t boundTarget, r target.Replica) *draining {
	it := &draining{at: t, replica: r, done: make(chan struct{})}
	it.request = drain.Request{
		Action: drain.Drain, Policy: u.name, Target: t.name, ScaleTarget: u.setup.scaleTarget, Replica: r,
		Deadline: u.engine.opts.Now().Add(t.hook.Timeout()),
	}
	if u.drains.of == nil {
		u.drains.of = make(map[string]map[string]*draining, 1)
	}
	if u.drains.of[t.name] == nil {
		u.drains.of[t.name] = make(map[string]*draining, 1)
	}
	before := u.drains.of[t.name][r.ID]
	u.drains.of[t.name][r.ID] = it
	var ctx context.Context
	ctx, it.cancel = context.WithTimeout(u.engine.draining, t.hook.Timeout())
	level.Info(u.logger).Log("msg", "draining", "target", t.name, "replica", r.Name, "deadline", it.request.Deadline)
	u.engine.running.Go(func() {
		defer it.cancel()
		if before != nil {
			// A hook that is told that its replica stays must not be told
			// after it was called anew.
			select {
			case <-before.told:
			case <-ctx.Done():
			}
		}
		began := u.engine.opts.Now()
		err := u.engine.guard.Do(u.logger, componentDrain, func() error {
			return t.hook.Wait(ctx, it.request, func(err error) {
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
			u.counts.Drained(t.name, export.DrainCompleted)
		case errors.Is(err, context.DeadlineExceeded):
			level.Warn(u.logger).Log("msg", "not drained in time, goes as it is", "target", t.name, "replica", r.Name, "timeout", t.hook.Timeout())
			u.counts.Drained(t.name, export.DrainTimedOut)
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
	for name, of := range u.drains.of {
		u.stay(name, values(of), false)
	}
}

// leaveDrains is cancelDrains for a policy that is gone. What goes with its
// target does not stay.
func (u *unit) leaveDrains() {
	for name, of := range u.drains.of {
		u.stay(name, values(of), true)
	}
}

// dropDrains lets the replicas stay of targets that are gone, or are drained no
// more, by a new setup.
func (u *unit) dropDrains(gone []boundTarget) {
	for name, of := range u.drains.of {
		t, ok := u.setup.find(name)
		shed := slices.ContainsFunc(gone, func(g boundTarget) bool { return g.name == name })
		if ok && !shed && t.hook != nil {
			continue
		}
		u.stay(name, values(of), !ok || shed)
	}
}

// moveTo has what is being drained looked for, and told, by the targets of a
// new setup: one that was built anew has the replicas of the one before.
func (ds *drains) moveTo(targets []boundTarget) {
	for _, t := range targets {
		for _, it := range ds.of[t.name] {
			if !it.stays() {
				it.at = t
			}
		}
	}
}

// beingTold are closed once the hooks know of every replica that stays.
func (ds *drains) beingTold() []<-chan struct{} {
	var out []<-chan struct{}
	for _, of := range ds.of {
		for _, it := range of {
			if it.stays() {
				out = append(out, it.told)
			}
		}
	}
	return out
}

func values(of map[string]*draining) []*draining {
	out := make([]*draining, 0, len(of))
	for _, it := range of {
		out = append(out, it)
	}
	return out
}

// stay has the hooks told of the replicas of one target that stay after all.
// Those that a platform was asked to take are on their way; and only those
// that it still has when their hook is told can stay. Closing says that the
// target is about to be closed.
func (u *unit) stay(targetName string, its []*draining, closing bool) {
	var stay []*draining
	for _, it := range its {
		_, mortal := it.at.target.(target.Restorer)
		switch {
		case it.stays():
			if closed(it.told) {
				delete(u.drains.of[targetName], it.replica.ID)
			}
		case it.action != "" && !closing:
		case it.action != "" || (closing && mortal) || u.engine.draining.Err() != nil:
			it.cancel()
			delete(u.drains.of[targetName], it.replica.ID)
		default:
			it.cancel()
			it.told = make(chan struct{})
			stay = append(stay, it)
		}
	}
	if len(stay) == 0 {
		return
	}
	within := listWithin
	if closing {
		within = tellTimeout
	}
	u.engine.running.Go(func() {
		ctx, cancel := context.WithTimeout(u.engine.draining, within)
		defer cancel()
		_ = u.engine.guard.Do(u.logger, componentDrain, func() error {
			u.tellStay(ctx, stay)
			return nil
		})
		u.wake()
	})
}

// tellStay tells the hooks of those that their platform still has.
func (u *unit) tellStay(ctx context.Context, its []*draining) {
	at := its[0].at
	defer func() {
		for _, it := range its {
			close(it.told)
		}
	}()
	has, err := u.listAfter(ctx, at, its)
	if err != nil {
		level.Warn(u.logger).Log("msg", "drain hooks not told that replicas stay: nobody knows which are left", "target", at.name, "replicas", len(its), "err", err)
		return
	}
	for _, it := range its {
		name := it.request.Replica.Name
		if !slices.ContainsFunc(has.List, func(r target.Replica) bool { return r.ID == it.request.Replica.ID }) {
			level.Info(u.logger).Log("msg", "a replica that was being drained is gone", "target", at.name, "replica", name)
			continue
		}
		level.Info(u.logger).Log("msg", "a replica that was to go stays", "target", at.name, "replica", name)
		u.counts.Drained(at.name, export.DrainCancelled)
		r := it.request
		r.Action = drain.Cancel
		tell, cancel := context.WithTimeout(ctx, tellTimeout)
		if err := at.hook.Tell(tell, r); err != nil {
			level.Warn(u.logger).Log("msg", "drain hook not told that its replica stays", "target", at.name, "replica", name, "err", err)
		}
		cancel()
	}
}

// listAfter lists the replicas that a target has once its list can be trusted,
// again and again until it answers.
func (u *unit) listAfter(ctx context.Context, at boundTarget, its []*draining) (target.Replicas, error) {
	v, ok := at.target.(target.Victims)
	if !ok {
		return target.Replicas{}, errors.New("it cannot tell its replicas apart")
	}
	wait := time.Duration(0)
	for _, it := range its {
		wait = max(wait, it.listed.Sub(u.engine.opts.Now()))
	}
	for {
		if wait > 0 {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return target.Replicas{}, ctx.Err()
			}
		}
		list, cancel := context.WithTimeout(ctx, u.engine.opts.PlatformTimeout)
		has, err := v.Replicas(list)
		cancel()
		if err == nil || ctx.Err() != nil {
			return has, err
		}
		wait = listInterval
	}
}

// handOver notes that the action asks the platform to take the replicas that
// were drained for it.
func (u *unit) handOver(a *ledger.Action) {
	for _, v := range u.choices[a.Target].first(a.From - a.To) {
		if it := u.drains.find(a.Target, v.ID); it != nil {
			it.action = a.ID
		}
	}
}

// takeOver notes what became of the replicas that an action asked the platform
// to take. Of an action that was refused or overtaken they may have stayed.
func (u *unit) takeOver(a *ledger.Action, now time.Time) {
	for id, it := range u.drains.of[a.Target] {
		if it.action != a.ID {
			continue
		}
		switch a.State {
		case ledger.Converged:
			it.cancel()
			delete(u.drains.of[a.Target], id)
		case ledger.Superseded:
			it.action, it.listed = "", now.Add(visibleWithin)
		case ledger.Failed, ledger.NotApplied, ledger.NoOp:
			it.action = ""
		case ledger.Intended, ledger.Accepted:
		}
	}
}

// listedNow takes in which replicas a target has, and forgets those that have
// gone.
func (u *unit) listedNow(targetName string, replicas []target.Replica) {
	for id, it := range u.drains.of[targetName] {
		i := slices.IndexFunc(replicas, func(r target.Replica) bool { return r.ID == id })
		if i >= 0 {
			it.replica = replicas[i]
			continue
		}
		it.cancel()
		delete(u.drains.of[targetName], id)
	}
}

// drainees are the replicas of one target that take no work because they are
// to go.
type drainees struct {
	names []string
	// ready is how many of them their platform counts as ready.
	ready int
}

// drainingNow are those of each target.
func (u *unit) drainingNow() map[string]drainees {
	var out map[string]drainees
	for name, of := range u.drains.of {
		d := drainees{ready: u.drains.leaving(name)}
		for _, it := range of {
			if it.leaving() {
				d.names = append(d.names, it.replica.Name)
			}
		}
		if len(d.names) == 0 {
			continue
		}
		slices.Sort(d.names)
		if out == nil {
			out = make(map[string]drainees, 1)
		}
		out[name] = d
	}
	return out
}
