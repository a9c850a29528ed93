package scaler

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// conflictTries bounds how often one action is tried again because someone
// else wrote at the same time.
const conflictTries = 5

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
			why := u.intend(d, &step)
			plan.Written(why)
			intended = intended || why == ""
		case action.Ask:
			answer := u.ask(ctx, &step.Action)
			now := u.engine.opts.Now()
			u.tell(plan.Answered(answer, now), now)
		case action.Conclude:
			u.conclude(d, &step)
			plan.Written("")
		case action.Done:
			if !intended {
				u.record(d)
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

// intend makes what is to be asked durable, and returns why it could not; empty:
// it could.
func (u *unit) intend(d *policy.Decision, step *action.Step) (why string) {
	r := u.remember(step.Actions)
	r.Decision = step.Decision
	err := u.engine.opts.Ledger.Commit(r)
	switch first := step.Refused == 0; {
	case err == nil && first:
		said := answerOf(d)
		u.recorded = &said
		level.Info(u.logger).Log("msg", "scaling", "direction", action.DirectionOf(d.Current, d.Desired), "current", d.Current, "desired", d.Desired, "reason", d.Reason, "explanation", d.Explain())
	case err == nil && step.Asks > 0:
		level.Info(u.logger).Log("msg", "asking other targets", "replicas", step.Refused, "explanation", d.Explain())
	case err == nil: // nobody can take it
	case first:
		level.Error(u.logger).Log("msg", "decision not written, so not acted upon", "current", d.Current, "desired", d.Desired, "err", err)
	default:
		level.Error(u.logger).Log("msg", "failover not written, so not acted upon", "err", err)
	}
	if err != nil {
		return unwritten(err)
	}
	return ""
}

// conclude writes what came of a decision. What cannot be written goes out with
// the next write: the platform has been asked, and after a crash the target
// itself tells.
func (u *unit) conclude(d *policy.Decision, step *action.Step) {
	if step.Decision != nil {
		held := answerOf(d)
		u.recorded = &held
	}
	r := u.remember(step.Actions)
	r.Decision = step.Decision
	if err := u.engine.opts.Ledger.Commit(r); err != nil {
		level.Error(u.logger).Log("msg", "outcome not written", "err", err)
		u.engine.opts.Ledger.Enqueue(r)
	}
}

// remember is what the ledger should hold after these actions.
func (u *unit) remember(actions []action.Action) ledger.Record {
	return ledger.Record{Actions: actions, Histories: map[string]policy.History{u.name: u.history.Clone()}}
}

// ask asks one target for its number and says what came of it.
func (u *unit) ask(ctx context.Context, a *action.Action) action.Answer {
	u.counts.acted(a)
	started := u.engine.opts.Now()
	u.victims.HandOver(a)
	answer := u.askUntilHeard(ctx, a)
	u.engine.metrics.actionDuration.Observe(u.engine.opts.Now().Sub(started).Seconds())
	return answer
}

// askUntilHeard calls the platform. A conflict is tried again as long as the
// count is still the one that was decided upon. A platform that says when to
// come back is not asked before.
func (u *unit) askUntilHeard(ctx context.Context, a *action.Action) (answer action.Answer) {
	t, ok := u.setup.find(a.Target)
	if !ok {
		return action.Answer{Failure: action.Failure{Verdict: action.Overtaken, Text: "the policy has that target no more"}}
	}
	for range conflictTries {
		var err error
		err, answer.Broke = u.call(ctx, t, a)
		answer.Failure = failureOf(err)
		if target.KindOf(err) != target.KindConflict {
			return answer
		}
		answer.Verdict = action.Contended
		state, _, readErr := u.read(ctx, t)
		switch {
		case readErr != nil:
			answer.Failure = failureOf(readErr)
			return answer
		case state.Requested != a.From:
			answer.Verdict = action.Overtaken
			return answer
		case answer.RetryAfter > 0:
			return answer
		}
	}
	return answer
}

// failureOf is what an error of a platform means; nil is none.
func failureOf(err error) action.Failure {
	if err == nil {
		return action.Failure{}
	}
	kind := target.KindOf(err)
	f := action.Failure{Kind: string(kind), Text: err.Error(), RetryAfter: target.RetryAfter(err)}
	switch kind {
	case target.KindNoOp:
		f.Verdict = action.Had
	case target.KindThrottled:
		f.Verdict = action.Throttled
	case target.KindTemporary:
		f.Verdict = action.Unanswered
	default:
		f.Verdict = action.Refused
	}
	return f
}

// call asks the platform once. What ends in a panic, which broke says, may have
// been asked all the same, as with a call that gets no answer.
func (u *unit) call(ctx context.Context, t boundTarget, a *action.Action) (err error, broke string) {
	err = u.engine.guard.Do(u.logger, componentAction, func() error { return u.callOnce(ctx, t, a) })
	if p := recovery.Of(err); p != nil {
		return &target.Error{Kind: target.KindTemporary, Op: "ask for " + strconv.Itoa(a.To), Err: p}, p.Error()
	}
	return err, ""
}

func (u *unit) callOnce(ctx context.Context, t boundTarget, a *action.Action) error {
	ctx, cancel := context.WithTimeout(ctx, u.engine.opts.PlatformTimeout)
	defer cancel()
	ctx = target.WithRequest(ctx, target.Request{Policy: a.Policy, Reason: string(a.Reason), From: a.From})
	if v, ok := t.target.(target.Victims); ok && a.Direction == policy.Down {
		if ids, chosen := u.victims.IDs(a.Target, a.From-a.To); chosen {
			return v.ScaleDown(ctx, a.To, ids)
		}
	}
	return t.target.Scale(ctx, a.To)
}

// tell takes in which actions have changed, and logs and counts what happened.
func (u *unit) tell(r action.Result, now time.Time) {
	for i := range r.Changed {
		u.victims.TakeOver(&r.Changed[i], now)
	}
	u.report(r.Events, now)
}

// wakeAgain asks for another evaluation right after this one.
func (u *unit) wakeAgain() {
	u.mu.Lock()
	u.again = true
	u.mu.Unlock()
}

func (s *setup) find(name string) (boundTarget, bool) {
	for _, t := range s.targets {
		if t.name == name {
			return t, true
		}
	}
	return boundTarget{}, false
}
