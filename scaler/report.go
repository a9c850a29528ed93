package scaler

import (
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/export"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// reporter logs and counts what comes of one policy's actions.
type reporter struct {
	policy  string
	logger  log.Logger
	alerts  Alerts
	history *policy.History
	counts  *export.Counters
	timings *export.Timings
	// outdated has the policy evaluated again at once.
	outdated func()
}

// report logs and counts what became of actions and targets.
func (r *reporter) report(events []action.Event, s *setup, now time.Time) {
	for i := range events {
		e := &events[i]
		if e.Action == nil {
			r.reportTarget(e)
		} else {
			r.reportAction(e, e.Action, s, now)
		}
	}
}

func (r *reporter) reportAction(e *action.Event, a *action.Action, s *setup, now time.Time) {
	switch e.Happening {
	case action.Consented:
		r.observeAlertToAction(a, now)
	case action.Declined:
		r.counts.Failed(a.Target, e.Failure.Kind)
		level.Error(r.logger).Log("msg", "target refused", "target", a.Target, "desired", a.To, "kind", e.Failure.Kind, "retry_at", e.Until, "err", e.Failure.Text)
	case action.Contention:
		level.Warn(r.logger).Log("msg", "conflict does not end", "target", a.Target, "desired", a.To, "retry_at", e.Until, "err", e.Failure.Text)
	case action.Outdated:
		// What was decided no longer stands. The next evaluation starts from
		// what is there.
		r.outdated()
	case action.ShownNever:
		level.Info(r.logger).Log("msg", "an action of the last run never reached its target", "target", a.Target, "from", a.From, "to", a.To, "found", e.Found)
	case action.ShownLate:
		level.Info(r.logger).Log("msg", "an action without an answer reached its target", "target", a.Target, "from", a.From, "to", a.To)
	case action.ShownOther:
		level.Info(r.logger).Log("msg", "the target no longer has the number that it accepted", "target", a.Target, "expected", a.To, "found", e.Found)
	case action.Ready:
		if a.Direction == policy.Up {
			r.counts.Provisioned(a.Target, e.Took)
		}
		level.Info(r.logger).Log("msg", "converged", "target", a.Target, "from", a.From, "to", a.To, "took", e.Took.Round(time.Millisecond))
	case action.Late:
		r.counts.Failed(a.Target, action.NotConverged)
		level.Error(r.logger).Log("msg", "not converged in time", "target", a.Target, "from", a.From, "to", a.To, "timeout", s.provisioningTimeout)
	case action.Fulfilled, action.Foreign, action.Quiet: // of no action
	}
}

func (r *reporter) reportTarget(e *action.Event) {
	switch e.Happening {
	case action.Fulfilled:
		level.Info(r.logger).Log("msg", "the target has what it was asked for, so the backoff is over", "target", e.Target, "requested", e.Found)
	case action.Foreign:
		level.Info(r.logger).Log("msg", "someone else changed the target", "target", e.Target, "from", e.Was, "to", e.Found)
		r.counts.ForeignChange(e.Target)
	case action.Quiet:
		level.Info(r.logger).Log("msg", "nobody else changes the targets any more")
	default: // of an action
	}
}

// observeAlertToAction measures from the oldest alert that came since the move
// before, and points where the action goes, to the platform's consent.
func (r *reporter) observeAlertToAction(a *action.Action, now time.Time) {
	var last time.Time
	for i := range r.history.Moves {
		if m := &r.history.Moves[i]; m.ID != a.Decision {
			last = m.At
		}
	}
	if oldest, ok := r.alerts.ReceivedAfter(r.policy, a.Direction, last); ok {
		r.timings.AlertToAction.Observe(max(0, now.Sub(oldest).Seconds()))
	}
}
