package scaler

import (
	"slices"
	"time"

	"github.com/alertscaler/alertscaler/scaler/learning"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/status"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/victims"
)

// view is what others may see of a unit.
type view struct {
	setup   *setup
	last    *policy.Decision
	reads   readings
	history policy.History
	// open are the actions that have still to be settled.
	open []ledger.Action
	// draining are the replicas that are, by target.
	draining map[string]victims.Drainees
	// progress is that of each resource with an objective.
	progress []learning.Progress
	// at is when it was published, and paused whether an operator had paused
	// the policy then.
	at     time.Time
	paused bool
}

// ready is how many of a target's replicas serve: those that take no work
// because they are to go do not.
func (v *view) ready(r reading) int {
	return max(0, r.state.Ready-v.draining[r.name].Ready)
}

// publish replaces the view. It is called by the evaluation in flight.
func (u *unit) publish(d *policy.Decision) { u.show(d, u.history.Clone()) }

// show is publish where what the policy remembers is copied already.
func (u *unit) show(d *policy.Decision, remembered policy.History) {
	now := u.engine.opts.Now()
	u.view.Store(&view{
		setup: u.setup, last: d, reads: slices.Clone(u.reader.reads), history: remembered, open: u.actions.Open(), draining: u.victims.Draining(),
		progress: u.learning.Progress(), at: now, paused: u.paused.Load().Active(now),
	})
}

// endpoints lists the replicas' addresses of the targets that know them.
func (u *unit) endpoints() []Endpoints {
	v := u.view.Load()
	if v.last == nil {
		return nil
	}
	var out []Endpoints
	for _, t := range v.setup.targets {
		if known, ok := t.target.(target.Endpoints); ok {
			out = append(out, Endpoints{Policy: u.name, ScaleTarget: v.setup.scaleTarget, Target: t.name, Addresses: known.Endpoints()})
		}
	}
	return out
}

// backoffUntil is until when a target is not asked, whichever way.
func backoffUntil(b policy.Backoffs) time.Time {
	if b.Up.Until.After(b.Down.Until) {
		return b.Up.Until
	}
	return b.Down.Until
}

// status is the unit as its operator wants to see it.
func (u *unit) status() status.Policy {
	v := u.view.Load()
	s := status.Policy{
		Name: u.name, Discovery: v.setup.discovery, Mode: v.setup.rules.Mode, Min: v.setup.rules.Min, Max: v.setup.rules.Max,
		Last:              v.last,
		CooldownUpUntil:   v.history.CooldownUntil(&v.setup.rules, policy.Up),
		CooldownDownUntil: v.history.CooldownUntil(&v.setup.rules, policy.Down),
	}
	counts := u.engine.opts.Alerts.Counts(u.name)
	s.AlertsUp, s.AlertsDown = counts.Up, counts.Down
	holds := u.engine.holds(u.name, counts)
	s.BlockUp, s.BlockDown, s.Silences = holds.BlockUp, holds.BlockDown, holds.Silences
	if p := u.paused.Load(); p.Active(u.engine.opts.Now()) {
		s.Pause = p
	}
	if v.history.Contest.Active(u.engine.opts.Now()) {
		s.Contest = v.history.Contest
	}
	if v.last != nil {
		s.Explanation = v.last.Explain()
	}
	s.Budgets = u.engine.partsOf(u.name)
	for i, t := range v.setup.targets {
		r := v.reads.of(t.name)
		known := &v.setup.rules.Targets[i]
		ts := status.Target{
			Name: t.name, Platform: t.platform, Requested: r.state.Requested, Ready: v.ready(r), ReadAt: r.at,
			BackoffUpUntil:      v.history.Backoffs[t.name].Up.Until,
			BackoffDownUntil:    v.history.Backoffs[t.name].Down.Until,
			BackoffUntil:        backoffUntil(v.history.Backoffs[t.name]),
			ProvisioningSeconds: v.history.ProvisioningOf(known).Seconds(), LossRatio: v.history.LossOf(known, v.at), CostPerHour: known.CostPerHour,
		}
		ts.Draining = v.draining[t.name].Names
		if r.err != nil {
			ts.Error = r.err.Error()
		}
		s.Targets = append(s.Targets, ts)
	}
	return s
}
