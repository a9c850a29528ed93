package scaler

import (
	"iter"

	"github.com/alertscaler/alertscaler/scaler/export"
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
			Drains: t.hook != nil, Draining: len(v.draining[t.name].Names),
		})
	}
	if len(v.progress) > 0 {
		p.Learnt = make(map[string]export.Learnt, len(v.progress))
		for i := range v.progress {
			is := &v.progress[i]
			p.Learnt[is.Resource] = export.Learnt{Observations: is.Observations, Counted: is.Counted, UnderCapacity: is.Realised, LostDemand: is.Lost}
		}
	}
}
