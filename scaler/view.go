package scaler

import (
	"iter"

	"github.com/alertscaler/alertscaler/scaler/export"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/status"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// collector renders the engine's state at each scrape.
func (e *Engine) collector() *export.Collector {
	return &export.Collector{
		Policies: e.exported(),
		Budgets: func() (out []export.Budget) {
			for _, s := range e.pool.Sums() {
				out = append(out, export.Budget(s))
			}
			return out
		},
		Writable: func() bool { return e.opts.Ledger.Err() == nil },
		Guard:    e.guard, Logger: e.opts.Logger,
	}
}

// exported visits the policies as they are now, in the order of the
// configuration.
func (e *Engine) exported() iter.Seq[*export.Policy] {
	return func(yield func(*export.Policy) bool) {
		var p export.Policy
		for _, u := range e.snapshot() {
			u.view.Load().exportTo(&p)
			p.Name, p.Counts = u.name, u.counts
			if !yield(&p) {
				return
			}
		}
	}
}

// exportTo fills in what the metrics show of it.
func (v *view) exportTo(p *export.Policy) {
	*p = export.Policy{
		Rules: &v.setup.rules, Targets: p.Targets[:0], Budgets: v.setup.budgets,
		Last: v.last, History: &v.history, At: v.at, Paused: v.paused,
	}
	for _, t := range v.setup.targets {
		r := v.reads.of(t.name)
		p.Targets = append(p.Targets, export.Target{
			Name: t.name, Known: !r.at.IsZero() && r.err == nil, Failed: r.err != nil,
			Requested: r.state.Requested, Ready: v.ready(r),
			Drains: t.hook != nil, Draining: len(v.draining[t.name].names),
		})
	}
	if len(v.progress) > 0 {
		p.Learnt = make(map[string]export.Learnt, len(v.progress))
		for resource, is := range v.progress {
			p.Learnt[resource] = export.Learnt{Observations: is.Observations, UnderCapacity: is.Realised}
		}
	}
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
		ts.Draining = v.draining[t.name].names
		if r.err != nil {
			ts.Error = r.err.Error()
		}
		s.Targets = append(s.Targets, ts)
	}
	return s
}
