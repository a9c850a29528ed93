package scaler

import (
	"context"
	"slices"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// failOver asks the other targets for what some have refused, until nobody
// refuses or nobody is left to ask. What was refused without an answer is not
// asked of others: the call may have gone through.
func (u *unit) failOver(ctx context.Context, d *policy.Decision, o *policy.Observation, actions []*ledger.Action, done *[]*ledger.Action) {
	sees := *o
	sees.Targets = slices.Clone(o.Targets)
	down := d.Desired < d.Current
	if down {
		u.spareUndrained(sees.Targets)
	}
	for {
		diff := u.takeIn(sees.Targets, actions)
		// What could not be moved on from one target stays there.
		if diff == 0 || (diff < 0) != down {
			return
		}
		now := u.engine.opts.Now()
		placements := policy.Failover(u.setup.rules, sees, u.history, diff, now)
		d.Refused(refusals(actions), placements, diff)
		actions = u.intend(d, placements)
		if err := u.commit(d, actions); err != nil {
			level.Error(u.logger).Log("msg", "failover not written, so not acted upon", "err", err)
			d.NotMovedOn(placements, unwritten(err))
			return
		}
		if len(actions) == 0 {
			return
		}
		level.Info(u.logger).Log("msg", "asking other targets", "replicas", diff, "explanation", d.Explain())
		*done = append(*done, u.carryOut(ctx, actions)...)
	}
}

// takeIn brings what is known of the targets up to date with what came of the
// actions, and returns how many replicas were refused.
func (u *unit) takeIn(targets []policy.TargetState, actions []*ledger.Action) (diff int) {
	for _, a := range actions {
		i := slices.IndexFunc(targets, func(t policy.TargetState) bool { return t.Name == a.Target })
		b := u.history.Backoffs[a.Target]
		targets[i].BackoffUpUntil, targets[i].BackoffDownUntil = b.Up.Until, b.Down.Until
		switch a.State {
		case ledger.Accepted, ledger.NoOp:
			targets[i].Requested = a.To
		case ledger.Failed:
			diff += a.To - a.From
		case ledger.Intended, ledger.Converged, ledger.Superseded, ledger.NotApplied:
		}
	}
	return diff
}

// refusals are the failed among the actions.
func refusals(actions []*ledger.Action) []policy.Refusal {
	var out []policy.Refusal
	for _, a := range actions {
		if a.State == ledger.Failed {
			out = append(out, policy.Refusal{Target: a.Target, Replicas: a.To - a.From, Kind: a.ErrorKind})
		}
	}
	return out
}
