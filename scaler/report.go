package scaler

import (
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// report logs and counts what became of actions and targets.
func (u *unit) report(events []action.Event, now time.Time) {
	for i := range events {
		e := &events[i]
		if e.Action == nil {
			u.reportTarget(e)
		} else {
			u.reportAction(e, e.Action, now)
		}
	}
}

func (u *unit) reportAction(e *action.Event, a *action.Action, now time.Time) {
	switch e.Happening {
	case action.Consented:
		u.observeAlertToAction(a, now)
	case action.Declined:
		u.counts.failed(a.Target, e.Failure.Kind)
		level.Error(u.logger).Log("msg", "target refused", "target", a.Target, "desired", a.To, "kind", e.Failure.Kind, "retry_at", e.Until, "err", e.Failure.Text)
	case action.Contention:
		level.Warn(u.logger).Log("msg", "conflict does not end", "target", a.Target, "desired", a.To, "retry_at", e.Until, "err", e.Failure.Text)
	case action.Outdated:
		// What was decided no longer stands. The next evaluation starts from
		// what is there.
		u.wakeAgain()
	case action.ShownNever:
		level.Info(u.logger).Log("msg", "an action of the last run never reached its target", "target", a.Target, "from", a.From, "to", a.To, "found", e.Found)
	case action.ShownLate:
		level.Info(u.logger).Log("msg", "an action without an answer reached its target", "target", a.Target, "from", a.From, "to", a.To)
	case action.ShownOther:
		level.Info(u.logger).Log("msg", "the target no longer has the number that it accepted", "target", a.Target, "expected", a.To, "found", e.Found)
	case action.Ready:
		if a.Direction == policy.Up {
			u.counts.provisioned(a.Target, e.Took)
		}
		level.Info(u.logger).Log("msg", "converged", "target", a.Target, "from", a.From, "to", a.To, "took", e.Took.Round(time.Millisecond))
	case action.Late:
		u.counts.failed(a.Target, action.NotConverged)
		level.Error(u.logger).Log("msg", "not converged in time", "target", a.Target, "from", a.From, "to", a.To, "timeout", u.setup.provisioningTimeout)
	case action.Fulfilled, action.Foreign, action.Quiet: // of no action
	}
}

func (u *unit) reportTarget(e *action.Event) {
	switch e.Happening {
	case action.Fulfilled:
		level.Info(u.logger).Log("msg", "the target has what it was asked for, so the backoff is over", "target", e.Target, "requested", e.Found)
	case action.Foreign:
		level.Info(u.logger).Log("msg", "someone else changed the target", "target", e.Target, "from", e.Was, "to", e.Found)
		u.counts.foreignChange(e.Target)
	case action.Quiet:
		level.Info(u.logger).Log("msg", "nobody else changes the targets any more")
	default: // of an action
	}
}

// observeAlertToAction measures from the oldest alert that came since the move
// before, and points where the action goes, to the platform's consent.
func (u *unit) observeAlertToAction(a *action.Action, now time.Time) {
	var last time.Time
	for i := range u.history.Moves {
		if m := &u.history.Moves[i]; m.ID != a.Decision {
			last = m.At
		}
	}
	if oldest, ok := u.engine.opts.Alerts.ReceivedAfter(u.name, a.Direction, last); ok {
		u.engine.metrics.alertToAction.Observe(max(0, now.Sub(oldest).Seconds()))
	}
}
