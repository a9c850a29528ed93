package scaler

import (
	"context"
	"math"
	"strconv"
	"time"

	"github.com/go-kit/log"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/export"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/victims"
)

// conflictTries bounds how often one action is tried again because someone
// else wrote at the same time.
const conflictTries = 5

// asker asks the platforms for what one policy decided, and says what they
// answered. It is used by the evaluation in flight.
type asker struct {
	engine  *Engine
	logger  log.Logger
	reader  *reader
	victims *victims.State
	counts  *export.Counters
}

// ask asks one target for its number and says what came of it.
func (k *asker) ask(ctx context.Context, s *setup, a *action.Action) action.Answer {
	k.counts.Acted(a.Target, a.Direction)
	started := k.engine.opts.Now()
	k.victims.HandOver(a)
	answer := k.askUntilHeard(ctx, s, a)
	k.engine.timings.Action.Observe(k.engine.opts.Now().Sub(started).Seconds())
	return answer
}

// askUntilHeard calls the platform. A conflict is tried again as long as the
// count is still the one that was decided upon. A platform that says when to
// come back is not asked before.
func (k *asker) askUntilHeard(ctx context.Context, s *setup, a *action.Action) (answer action.Answer) {
	t, ok := s.find(a.Target)
	if !ok {
		return action.Answer{Failure: action.Failure{Verdict: action.Overtaken, Text: "the policy has that target no more"}}
	}
	for range conflictTries {
		broke, err := k.call(ctx, t, a)
		answer.Broke = broke
		answer.Failure = failureOf(err)
		if target.KindOf(err) != target.KindConflict {
			return answer
		}
		answer.Verdict = action.Contended
		state, _, readErr := k.reader.readOne(ctx, &t)
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

// unbounded is a time that never ends.
const unbounded = time.Duration(math.MaxInt64)

// boundedBy is ctx for no longer than d.
func boundedBy(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d == unbounded {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
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
func (k *asker) call(ctx context.Context, t boundTarget, a *action.Action) (broke string, err error) {
	err = k.engine.guard.Do(k.logger, componentAction, func() error { return k.callOnce(ctx, t, a) })
	if p := recovery.Of(err); p != nil {
		return p.Error(), &target.Error{Kind: target.KindTemporary, Op: "ask for " + strconv.Itoa(a.To), Err: p}
	}
	return "", err
}

func (k *asker) callOnce(ctx context.Context, t boundTarget, a *action.Action) error {
	ctx, cancel := boundedBy(ctx, k.engine.opts.PlatformTimeout)
	defer cancel()
	ctx = target.WithRequest(ctx, target.Request{Policy: a.Policy, Reason: string(a.Reason), From: a.From})
	if v, ok := t.target.(target.Victims); ok && a.Direction == policy.Down {
		if ids, chosen := k.victims.IDs(a.Target, a.From-a.To); chosen {
			return v.ScaleDown(ctx, a.To, ids)
		}
	}
	return t.target.Scale(ctx, a.To)
}
