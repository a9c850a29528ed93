package scaler

import (
	"slices"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// journal writes what one policy decides, does and remembers to the ledger. It
// is used by the evaluation in flight.
type journal struct {
	policy  string
	logger  log.Logger
	ledger  Ledger
	history *policy.History
	// forgets is set where nobody reads what the ledger was given.
	forgets bool
	// last is of the last decision written; the zero answer: none was.
	last answer
}

// of is what the ledger should hold after these actions.
func (j *journal) of(actions []action.Action) ledger.Record {
	if j.forgets {
		return ledger.Record{Actions: actions}
	}
	return j.with(j.history.Clone(), actions)
}

// with is what the ledger should hold where the policy remembers this.
func (j *journal) with(remembered policy.History, actions []action.Action) ledger.Record {
	if j.forgets {
		return ledger.Record{Actions: actions}
	}
	return ledger.Record{Actions: actions, Histories: map[string]policy.History{j.policy: remembered}}
}

// note writes a decision that does not act, where it says something new. What
// the policy remembers is written each time, at leisure, and nobody changes it
// any more.
func (j *journal) note(d *policy.Decision, learnt []ledger.Learnt, remembered policy.History) {
	r := j.with(remembered, nil)
	r.Learnt = learnt
	if j.says(d) || sawForeign(d) {
		d.ID = j.ledger.NewID(d.Time)
		r.Decision = d
		level.Info(j.logger).Log("msg", "decided", "direction", d.Direction, "current", d.Current, "desired", d.Desired, "reason", d.Reason, "explanation", explained{d})
	}
	j.ledger.Enqueue(r)
}

// says reports whether a decision says something new, and takes it as said.
func (j *journal) says(d *policy.Decision) bool {
	a := answerOf(d)
	isNew := j.last != a
	j.last = a
	return isNew
}

// noteBroken writes the decision of an evaluation that ended in a panic, where
// it says something new. It touches nothing that the policy remembers, which
// may be what is broken.
func (j *journal) noteBroken(d *policy.Decision) {
	if j.says(d) {
		d.ID = j.ledger.NewID(d.Time)
		j.ledger.Enqueue(ledger.Record{Decision: d})
	}
}

// intend makes what is to be asked durable, and returns why it could not; empty:
// it could.
func (j *journal) intend(d *policy.Decision, step *action.Step) (why string) {
	r := j.of(step.Actions)
	r.Decision = step.Decision
	err := j.ledger.Commit(r)
	switch first := step.Refused == 0; {
	case err == nil && first:
		j.last = answerOf(d)
		level.Info(j.logger).Log("msg", "scaling", "direction", action.DirectionOf(d.Current, d.Desired), "current", d.Current, "desired", d.Desired, "reason", d.Reason, "explanation", explained{d})
	case err == nil && step.Asks > 0:
		level.Info(j.logger).Log("msg", "asking other targets", "replicas", step.Refused, "explanation", explained{d})
	case err == nil: // nobody can take it
	case first:
		level.Error(j.logger).Log("msg", "decision not written, so not acted upon", "current", d.Current, "desired", d.Desired, "err", err)
	default:
		level.Error(j.logger).Log("msg", "failover not written, so not acted upon", "err", err)
	}
	if err != nil {
		return unwritten(err)
	}
	return ""
}

// conclude writes what came of a decision. What cannot be written goes out with
// the next write: the platform has been asked, and after a crash the target
// itself tells.
func (j *journal) conclude(d *policy.Decision, step *action.Step) {
	if step.Decision != nil {
		j.last = answerOf(d)
	}
	r := j.of(step.Actions)
	r.Decision = step.Decision
	if err := j.ledger.Commit(r); err != nil {
		level.Error(j.logger).Log("msg", "outcome not written", "err", err)
		j.ledger.Enqueue(r)
	}
}

// settle writes what became of open actions. A cooldown counts from here, so
// that it must not begin anew after a crash.
func (j *journal) settle(actions []action.Action) {
	if err := j.ledger.Commit(j.of(actions)); err != nil {
		level.Error(j.logger).Log("msg", "convergence not written, trying again", "err", err)
		j.ledger.Enqueue(j.of(actions))
	}
}

// explained is a decision's explanation, put into words where it is logged.
type explained struct{ *policy.Decision }

// String implements fmt.Stringer.
func (e explained) String() string { return e.Explain() }

// answer is what of a decision must differ for it to say something new.
type answer struct {
	reason           policy.Reason
	direction        policy.Direction
	mode             policy.Mode
	current, desired int
}

func answerOf(d *policy.Decision) answer {
	return answer{d.Reason, d.Direction, d.Mode, d.Current, d.Desired}
}

// sawForeign reports whether the decision notes what someone else did.
func sawForeign(d *policy.Decision) bool {
	return slices.ContainsFunc(d.Steps, func(s policy.Step) bool { return s.Name == policy.StepForeign })
}
