package action

import (
	"cmp"
	"slices"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// Do is what is to be done next for a decision.
type Do int

// What there is to do.
const (
	// Done: nothing more.
	Done Do = iota
	// Intend: Step.Decision and Step.Actions are to be made durable, together
	// with the history, and Plan.Written told how that went. Nothing may be
	// asked before.
	Intend
	// Ask: Step.Action is to be asked of its target, and Plan.Answered told
	// the answer.
	Ask
	// Conclude: Step.Actions, and Step.Decision where it is set, are to be
	// written together with the history, and Plan.Written told once that was
	// tried: the platforms have been asked, so there is no way back.
	Conclude
)

// Step is one thing to do. Its fields are the caller's to keep, but for the
// decision, which goes on changing.
type Step struct {
	Do       Do
	Decision *policy.Decision
	Actions  []Action
	Action   Action
	// Refused is how many replicas the actions intended are to make up for,
	// since other targets refused them; negative where these kept them. 0: they
	// are what was decided.
	Refused int
	// Asks is how many of Actions, the last ones, will be asked of their
	// targets.
	Asks int
}

// Options are what a plan is made of.
type Options struct {
	// Decision has its ID. It is changed by what comes of it.
	Decision *policy.Decision
	// Others is by what other targets are asked for what one refuses. Its
	// Targets are the plan's from then on.
	Others policy.Observation
	// Victims names the replicas that go where n of a target are to go, n ≤ 0
	// for none.
	Victims func(target string, n int) []string
	// NewID returns an identifier that sorts after every earlier one.
	NewID func(now time.Time) string
}

// Plan carries one decision out. It is not safe for concurrent use, and there
// is one at a time.
type Plan struct {
	Options
	machine *Machine
	do      Do
	// batch are the actions that were intended together, at the one that is to
	// be asked next.
	batch []*Action
	at    int
	// kept is set where a target of the batch kept replicas that were to go:
	// they are not asked of another, there would be too many.
	kept bool
	// down is where the decision went before anything was refused.
	down bool
	// refused is what the batch is to make up for, and instead the placements
	// behind it; 0: it is what was decided.
	refused int
	instead []policy.Placement
	// changed are the actions to be written at the end: those that were asked,
	// and those that they replaced.
	changed []*Action
	broke   string
}

// Plan begins to carry a decision out.
func (m *Machine) Plan(o Options) *Plan {
	p := &Plan{Options: o, machine: m, down: o.Decision.Desired < o.Decision.Current}
	p.intend(o.Decision.Placements)
	return p
}

// intend makes an action of each placement that changes something, those that
// take replicas away first.
func (p *Plan) intend(placements []policy.Placement) {
	d := p.Decision
	p.do, p.batch, p.at, p.kept = Intend, nil, 0, false
	for _, to := range placements {
		if to.From == to.To {
			continue
		}
		p.batch = append(p.batch, &Action{
			ID: p.NewID(d.Time), Decision: d.ID, Policy: d.Policy, Target: to.Target,
			Direction: DirectionOf(to.From, to.To), Reason: d.Reason, From: to.From, To: to.To,
			Victims: p.Victims(to.Target, to.From-to.To), State: Intended, Created: d.Time,
		})
	}
	slices.SortStableFunc(p.batch, func(a, b *Action) int { return cmp.Compare(a.rise(), b.rise()) })
}

// Next says what to do now. It says the same until it is told how that went.
func (p *Plan) Next(now time.Time) Step {
	if p.do == Ask {
		p.advance(now)
	}
	s := Step{Do: p.do}
	switch p.do {
	case Intend:
		// What came of the batch before is written with the next one, and with
		// the move that it is part of.
		s.Decision, s.Actions = p.Decision, append(copies(p.changed), copies(p.batch)...)
		s.Refused, s.Asks = p.refused, len(p.batch)
	case Ask:
		s.Action = *p.batch[p.at]
	case Conclude:
		s.Actions = copies(p.changed)
		if p.broke != "" {
			s.Decision = p.Decision
		}
	case Done:
	}
	return s
}

// Written takes in that the last step was written or, where why says something,
// why it was not.
func (p *Plan) Written(why string) {
	switch {
	case p.do == Conclude:
		p.do = Done
	case p.do != Intend:
	case why == "":
		p.do = Ask
		p.changed = append(p.changed, p.batch...)
	case p.refused == 0:
		p.Decision.NotRecorded(why)
		p.do = Done
	default:
		p.Decision.NotMovedOn(p.instead, why)
		p.conclude()
	}
}

// advance finds the action that is to be asked next. Where there is none in the
// batch, other targets are to take what was refused.
func (p *Plan) advance(now time.Time) {
	for ; p.at < len(p.batch); p.at++ {
		a := p.batch[p.at]
		if !p.kept || a.Direction == policy.Down {
			return
		}
		a.State, a.Ended = NotApplied, now
	}
	p.moveOn(now)
}

// moveOn intends for other targets what some of the batch have refused. What
// was refused without an answer is not asked of others: the call may have gone
// through.
func (p *Plan) moveOn(now time.Time) {
	diff := p.takeIn()
	// What could not be moved on from one target stays there.
	if diff == 0 || (diff < 0) != p.down {
		p.conclude()
		return
	}
	p.move()
	p.instead = policy.Failover(*p.machine.rules.Policy, p.Others, *p.machine.history, diff, now)
	p.Decision.Refused(refusals(p.batch), p.instead, diff)
	p.refused = diff
	p.intend(p.instead)
}

// takeIn brings what is known of the targets up to date with what came of the
// batch, and returns how many replicas were refused.
func (p *Plan) takeIn() (diff int) {
	for _, a := range p.batch {
		i := slices.IndexFunc(p.Others.Targets, func(t policy.TargetState) bool { return t.Name == a.Target })
		t, b := &p.Others.Targets[i], p.machine.history.Backoffs[a.Target]
		t.BackoffUpUntil, t.BackoffDownUntil = b.Up.Until, b.Down.Until
		switch a.State {
		case Accepted, NoOp:
			t.Requested = a.To
		case Failed:
			diff += a.To - a.From
			// Nor does it take back now what never became ready.
			t.Stuck, t.StuckBy = 0, ""
		case Intended, Converged, Superseded, NotApplied:
		}
	}
	return diff
}

// refusals are the failed among the actions.
func refusals(actions []*Action) []policy.Refusal {
	var out []policy.Refusal
	for _, a := range actions {
		if a.State == Failed {
			out = append(out, policy.Refusal{Target: a.Target, Replicas: a.To - a.From, Kind: a.ErrorKind})
		}
	}
	return out
}

// conclude has what came of the decision written.
func (p *Plan) conclude() {
	p.do = Conclude
	p.move()
	if p.broke != "" {
		p.Decision.Broken(p.broke)
	}
}

// move remembers what of the decision the platforms have accepted so far as one
// move. What was taken from one target and given to another is none.
func (p *Plan) move() {
	d, h := p.Decision, p.machine.history
	is := policy.Move{ID: d.ID, At: d.Time, From: d.Current, To: d.Current}
	for _, a := range p.changed {
		if a.Decision == d.ID && !a.Accepted.IsZero() {
			is.To += a.To - a.From
		}
	}
	i := slices.IndexFunc(h.Moves, func(m policy.Move) bool { return m.ID == d.ID })
	switch {
	case i < 0:
		h.Moved(*p.machine.rules.Policy, is)
	case is.From == is.To:
		h.Moves = slices.Delete(h.Moves, i, i+1)
	default:
		h.Moves[i].To = is.To
	}
}

// Answered takes in what came of asking the target of the last step, and
// returns what happened and the actions that have changed by it, the earlier
// ones first that the new one replaces.
func (p *Plan) Answered(is Answer, now time.Time) Result {
	if p.do != Ask {
		return Result{}
	}
	a, m := p.batch[p.at], p.machine
	var out Result
	if is.Verdict != Took {
		a.Error, a.ErrorKind = is.Text, is.Kind
	}
	switch is.Verdict {
	case Took:
		a.State, a.Accepted = Accepted, now
		m.open = append(m.open, a)
		replaced := m.supersede(a, now)
		for _, r := range replaced {
			if !slices.Contains(p.changed, r) {
				p.changed = append(p.changed, r)
			}
		}
		out.Changed = copies(replaced)
		m.accepted(a, now)
		out.tell(of(Consented, a))
	case Had:
		a.State, a.Ended = NoOp, now
	case Overtaken:
		a.State, a.Ended = Superseded, now
		out.tell(of(Outdated, a))
	case Contended:
		a.State, a.Ended = Superseded, now
		m.backOff(a, is.Failure, now)
		e := of(Contention, a)
		e.Failure, e.Until = is.Failure, m.history.Backoffs[a.Target].Of(a.Direction).Until
		out.tell(e)
	case Unanswered:
		// The call may have gone through all the same. The action stays open
		// and the target itself will tell, as after a crash.
		m.open = append(m.open, a)
		out.tell(m.declined(a, is.Failure, now))
	case Throttled, Refused:
		a.State, a.Ended = Failed, now
		if is.Verdict == Refused {
			m.lost(a, a.rise(), now)
		}
		out.tell(m.declined(a, is.Failure, now))
	}
	if is.Broke != "" {
		p.broke = is.Broke
	}
	p.kept = p.kept || a.Direction == policy.Down && a.State != Accepted && a.State != NoOp
	p.at++
	out.Changed = append(out.Changed, *a)
	return out
}

func copies(actions []*Action) []Action {
	out := make([]Action, len(actions))
	for i, a := range actions {
		out[i] = *a
	}
	return out
}
