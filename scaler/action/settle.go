package action

import (
	"slices"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// Settle looks at what the targets show and closes the actions that are done:
// ready, overtaken by someone else, late, or never made. rs has every target of
// the policy, and those alone.
func (m *Machine) Settle(rs []Reading, now time.Time) Result {
	var out Result
	for _, a := range m.open {
		if m.settle(a, rs, now, &out) {
			out.Changed = append(out.Changed, *a)
		}
	}
	m.dropClosed()
	return out
}

// settle moves one open action on and reports whether it changed.
func (m *Machine) settle(a *Action, rs readings, now time.Time, out *Result) bool {
	r := rs.of(a.Target)
	switch {
	case r == nil: // The policy has that target no more.
		m.close(a, Superseded, now)
		return true
	case r.Problem != "":
		// Whether an intended action was made cannot be told now; it stays
		// open until it can.
		return a.State == Accepted && m.expire(a, r, now, out)
	case a.State == Intended:
		return m.settleIntended(a, r, now, out)
	case r.GaveUp != nil:
		m.gaveUp(a, r, now, out)
		return true
	case r.Requested == a.To:
		first := !a.Seen
		m.show(a, r)
		return m.converge(a, r, now, out) || m.expire(a, r, now, out) || first
	case m.invisible(r, now) == a:
		return false
	}
	// Whoever changed it is told apart by Compare.
	e := of(ShownOther, a)
	e.Found = r.Requested
	out.tell(e)
	m.close(a, Superseded, now)
	return true
}

// settleIntended moves an action on of which nobody knows whether it was made.
func (m *Machine) settleIntended(a *Action, r *Reading, now time.Time, out *Result) bool {
	switch shows := r.Requested == a.To; {
	case m.invisible(r, now) != nil:
		// What is shown may be older than what was accepted before, and tells
		// nothing of what was asked after it.
		return false
	case !shows && a.Error != "" && now.Sub(a.Created) < VisibleWithin:
		// The call failed on the way, and the platform may still take it.
		return false
	case !shows && a.Error != "":
		// The call failed, and the target shows that it did.
		m.lost(a, a.rise(), now)
		m.close(a, Failed, now)
	case !shows:
		// A crash came before the call, and the target proves it.
		e := of(ShownNever, a)
		e.Found = r.Requested
		out.tell(e)
		m.close(a, NotApplied, now)
	case m.askedAgain(a):
		// One of several calls for the same number went through, and what came
		// of it is told of the last.
		m.close(a, Superseded, now)
	default:
		// The call went through and its answer was lost: to a crash or on the
		// way. It counts from the moment it was written, since that is the
		// latest it is known not to have been made.
		out.tell(of(ShownLate, a))
		a.State, a.Accepted = Accepted, a.Created
		m.accepted(a, now)
		m.adopt(a)
		m.show(a, r)
		m.converge(a, r, now, out)
	}
	return true
}

// askedAgain reports whether the target was asked later for the same number, and
// nobody knows what came of that either.
func (m *Machine) askedAgain(a *Action) bool {
	return slices.ContainsFunc(m.open, func(o *Action) bool {
		return o.Target == a.Target && o.To == a.To && o.State == Intended && o.ID > a.ID
	})
}

// accepted notes that a target took a number.
func (m *Machine) accepted(a *Action, now time.Time) {
	m.history.Remember(a.Target, func(t *policy.TargetMemory) { t.Asked = &policy.Asked{From: a.From, To: a.To} })
	m.endBackoff(a)
	if n := a.rise(); n > 0 {
		m.counted(a.Target, n, 0, now)
	}
}

// adopt remembers the move behind an action whose outcome was not written.
// Several actions of one decision are one move.
func (m *Machine) adopt(a *Action) {
	for i := range m.history.Moves {
		if move := &m.history.Moves[i]; move.ID == a.Decision {
			move.To += a.To - a.From
			return
		}
	}
	m.history.Moved(*m.rules.Policy, policy.Move{ID: a.Decision, At: a.Created, From: a.From, To: a.To})
}

// show notes that the platform has shown the action's number: from now on any
// other is someone else's.
func (m *Machine) show(a *Action, r *Reading) {
	a.Seen = true
	m.remember(a.Target, a.To, r.Ready)
}

// gaveUp fails an action that its platform accepted and then could not carry
// out. What the platform is left with is nobody else's doing.
func (m *Machine) gaveUp(a *Action, r *Reading, now time.Time, out *Result) {
	a.Error, a.ErrorKind = r.GaveUp.Text, r.GaveUp.Kind
	m.remember(a.Target, r.Requested, r.Ready)
	m.lost(a, max(0, min(a.rise(), a.To-r.Requested)), now)
	m.close(a, Failed, now)
	out.tell(m.declined(a, *r.GaveUp, now))
	if a.Direction == policy.Up {
		// To accept a number proves nothing here; replicas do.
		m.unproven(a.Target, a.ErrorKind)
	}
}

// converge closes an action whose replicas are ready: as many as were asked
// for, or at most that many after a scale-down.
func (m *Machine) converge(a *Action, r *Reading, now time.Time, out *Result) bool {
	if (a.Direction == policy.Up && r.Ready < a.To) || (a.Direction == policy.Down && r.Ready > a.To) {
		return false
	}
	took := now.Sub(a.Accepted)
	m.close(a, Converged, now)
	if a.Direction == policy.Up {
		m.proven(a.Target, now)
		seed := m.rules.Policy.Seed(a.Target)
		m.history.Remember(a.Target, func(t *policy.TargetMemory) { t.Provisioned(took, seed) })
	}
	e := of(Ready, a)
	e.Took = took
	out.tell(e)
	return true
}

// expire fails an action that is late.
func (m *Machine) expire(a *Action, r *Reading, now time.Time, out *Result) bool {
	if now.Sub(a.asked()) < m.rules.ProvisioningTimeout {
		return false
	}
	a.Error, a.ErrorKind = "the replicas were not ready within provisioning_timeout", NotConverged
	m.close(a, Failed, now)
	m.backOff(a, Failure{Verdict: Refused}, now)
	if r.Problem == "" {
		m.lost(a, r.Requested-r.Ready, now)
	}
	if a.Direction == policy.Up {
		m.unproven(a.Target, "")
	}
	out.tell(of(Late, a))
	return true
}

// supersede closes what is open for a target beside the number that replaces
// it.
func (m *Machine) supersede(by *Action, now time.Time) (closed []*Action) {
	for _, a := range m.open {
		if a.Target == by.Target && a != by {
			m.close(a, Superseded, now)
			closed = append(closed, a)
		}
	}
	m.dropClosed()
	return closed
}

// Abandon closes what is still open of a policy that is gone, and returns it.
// What a platform took is remembered as asked for, so that it is nobody else's
// should the policy come back.
func (m *Machine) Abandon(rs []Reading, now time.Time) []Action {
	var closed []Action
	for _, a := range m.open {
		if a.State == Accepted {
			ready := 0
			if r := readings(rs).of(a.Target); r != nil {
				ready = r.Ready
			}
			m.remember(a.Target, a.To, ready)
		}
		a.Error = "the policy left the configuration before the replicas were seen ready"
		m.close(a, Superseded, now)
		closed = append(closed, *a)
	}
	m.open = nil
	return closed
}

// close makes the action final, and the move behind it once its last action
// is.
func (m *Machine) close(a *Action, s State, now time.Time) {
	a.State, a.Ended = s, now
	failed := s == Failed || s == NotApplied
	if failed {
		// Whoever finds another number has not changed it.
		m.history.Remember(a.Target, func(t *policy.TargetMemory) {
			if t.Asked != nil && t.Asked.To == a.To {
				t.Asked = nil
			}
		})
	}
	for _, o := range m.open {
		if o.Decision == a.Decision && o.State.Open() {
			return
		}
	}
	// What was never accepted is no part of the move.
	m.history.Settled(a.Decision, now, failed && !a.Accepted.IsZero())
}

// dropClosed forgets the open actions that are final by now.
func (m *Machine) dropClosed() {
	m.open = slices.DeleteFunc(m.open, func(a *Action) bool { return !a.State.Open() })
}
