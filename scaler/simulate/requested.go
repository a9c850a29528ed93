package simulate

import "github.com/alertscaler/alertscaler/scaler/ledger"

// requested is the count a target was last asked for, by the rules of the
// durable ledger: what is intended counts at once, and what then proves not to
// have been applied gives way to what held before.
type requested struct {
	replicas int
	known    bool
	// action is the newest action looked at; foreign is set where someone else
	// changed the count after it.
	action  string
	foreign bool
	// before is what held before an action that may not have been applied.
	before *requested
}

func (r requested) next(a ledger.Action) requested {
	if a.ID < r.action || a.ID == r.action && r.foreign {
		return r
	}
	switch {
	case a.State == ledger.Intended:
		if a.ID == r.action {
			return r
		}
		before := r
		before.before = nil
		return requested{replicas: a.To, known: true, action: a.ID, before: &before}
	case a.State == ledger.NotApplied, a.State == ledger.Failed && a.Accepted.IsZero():
		if a.ID != r.action || r.before == nil {
			return r
		}
		back := *r.before
		back.action = a.ID
		return back
	default:
		return requested{replicas: a.To, known: true, action: a.ID}
	}
}
