package scaler

import (
	"context"
	"slices"
	"time"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// act carries the decision out, as its plan says: what is to be asked is
// written first, then the platforms are asked, then what came of it is written.
func (u *unit) act(ctx context.Context, d *policy.Decision, o *policy.Observation) {
	d.ID = u.engine.opts.Ledger.NewID(d.Time)
	plan := u.actions.Plan(action.Options{
		Decision: d, Others: u.othersFor(d, o), Victims: u.victims.Names, NewID: u.engine.opts.Ledger.NewID,
	})
	intended := false
	for {
		step := plan.Next(u.engine.opts.Now())
		switch step.Do {
		case action.Intend:
			why := u.journal.intend(d, &step)
			plan.Written(why)
			intended = intended || why == ""
		case action.Ask:
			answer := u.asker.ask(ctx, u.setup, &step.Action)
			now := u.engine.opts.Now()
			u.tell(plan.Answered(answer, now), now)
		case action.Conclude:
			u.journal.conclude(d, &step)
			plan.Written("")
		case action.Done:
			if !intended {
				_ = u.record(d)
			}
			return
		}
	}
}

// othersFor is by what other targets are asked for what one refuses. Replicas
// of targets that are asked to give up more than was decided stay where
// somebody is to finish first: nobody has told them to.
func (u *unit) othersFor(d *policy.Decision, o *policy.Observation) policy.Observation {
	others := *o
	others.Targets = slices.Clone(o.Targets)
	if d.Desired < d.Current {
		u.victims.Spare(others.Targets)
	}
	return others
}

// tell takes in which actions have changed, and logs and counts what happened.
func (u *unit) tell(r action.Result, now time.Time) {
	for i := range r.Changed {
		u.victims.TakeOver(&r.Changed[i], now)
	}
	u.reporter.report(r.Events, u.setup, now)
}
