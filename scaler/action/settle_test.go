package action_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// TestSettle is what becomes of one open action by what its target shows. Ups
// go from 2 to 5 and downs from 5 to 2, and were written a second before they
// were accepted.
func TestSettle(t *testing.T) {
	shows := func(requested, ready int) *action.Reading {
		return &action.Reading{Target: "a", Requested: requested, Ready: ready}
	}
	unreadable := &action.Reading{Target: "a", Requested: 2, Ready: 2, Problem: "no answer"}
	gaveUp := func(requested, ready int, v action.Verdict, kind string) *action.Reading {
		f := failure(v, kind)
		return &action.Reading{Target: "a", Requested: requested, Ready: ready, GaveUp: &f}
	}
	type outcome struct {
		State     action.State
		Changed   bool
		Seen      bool
		Events    []action.Happening
		ErrorKind string
		// Lost of Asked, as the strategy "loss" counts them.
		Asked, Lost int
		// Backoff is how long the target is left alone from then on, and Stuck
		// whether its replicas are not expected any more.
		Backoff time.Duration
		Stuck   bool
		// Move is what the history knows of it.
		Move string
	}
	const pending, ready, failed = "pending", "ready", "failed"
	for _, test := range []struct {
		name  string
		down  bool
		state action.State
		error string
		seen  bool
		after time.Duration
		shows *action.Reading
		want  outcome
	}{
		{"its target is gone", false, action.Accepted, "", false, time.Second, nil, outcome{State: action.Superseded, Changed: true, Move: ready}},
		{"an intended one of a target that is gone", false, action.Intended, "", false, time.Second, nil, outcome{State: action.Superseded, Changed: true}},

		{"not shown yet", false, action.Accepted, "", false, time.Second, shows(2, 2), outcome{State: action.Accepted, Move: pending}},
		{"not shown after a minute", false, action.Accepted, "", false, 61 * time.Second, shows(2, 2), outcome{State: action.Superseded, Changed: true, Events: []action.Happening{action.ShownOther}, Move: ready}},
		{"another number at once", false, action.Accepted, "", false, time.Second, shows(9, 2), outcome{State: action.Superseded, Changed: true, Events: []action.Happening{action.ShownOther}, Move: ready}},
		{"shown, and not any more", false, action.Accepted, "", true, 20 * time.Second, shows(2, 2), outcome{State: action.Superseded, Changed: true, Seen: true, Events: []action.Happening{action.ShownOther}, Move: ready}},
		{"shown for the first time", false, action.Accepted, "", false, 20 * time.Second, shows(5, 2), outcome{State: action.Accepted, Changed: true, Seen: true, Move: pending}},
		{"shown again", false, action.Accepted, "", true, 20 * time.Second, shows(5, 4), outcome{State: action.Accepted, Seen: true, Move: pending}},
		{"ready", false, action.Accepted, "", true, 20 * time.Second, shows(5, 5), outcome{State: action.Converged, Changed: true, Seen: true, Events: []action.Happening{action.Ready}, Move: ready}},
		{"ready when it is shown first", false, action.Accepted, "", false, 20 * time.Second, shows(5, 5), outcome{State: action.Converged, Changed: true, Seen: true, Events: []action.Happening{action.Ready}, Move: ready}},
		{"more are ready than were asked for", false, action.Accepted, "", true, 20 * time.Second, shows(5, 6), outcome{State: action.Converged, Changed: true, Seen: true, Events: []action.Happening{action.Ready}, Move: ready}},
		{"just in time", false, action.Accepted, "", true, timeout - time.Second, shows(5, 4), outcome{State: action.Accepted, Seen: true, Move: pending}},
		{"late", false, action.Accepted, "", true, timeout, shows(5, 3), outcome{State: action.Failed, Changed: true, Seen: true, Events: []action.Happening{action.Late}, ErrorKind: action.NotConverged, Lost: 2, Backoff: 5 * time.Minute, Stuck: true, Move: failed}},
		{"ready at the last moment", false, action.Accepted, "", true, timeout, shows(5, 5), outcome{State: action.Converged, Changed: true, Seen: true, Events: []action.Happening{action.Ready}, Move: ready}},
		{"unreadable", false, action.Accepted, "", true, time.Minute, unreadable, outcome{State: action.Accepted, Seen: true, Move: pending}},
		{"unreadable and late", false, action.Accepted, "", true, timeout, unreadable, outcome{State: action.Failed, Changed: true, Seen: true, Events: []action.Happening{action.Late}, ErrorKind: action.NotConverged, Backoff: 5 * time.Minute, Stuck: true, Move: failed}},

		{"given up for lack of capacity", false, action.Accepted, "", true, time.Minute, gaveUp(3, 3, action.Refused, "quota"), outcome{State: action.Failed, Changed: true, Seen: true, Events: []action.Happening{action.Declined}, ErrorKind: "quota", Lost: 2, Backoff: 5 * time.Minute, Stuck: true, Move: failed}},
		{"given up, with the number still shown", false, action.Accepted, "", true, time.Minute, gaveUp(5, 3, action.Refused, "quota"), outcome{State: action.Failed, Changed: true, Seen: true, Events: []action.Happening{action.Declined}, ErrorKind: "quota", Backoff: 5 * time.Minute, Stuck: true, Move: failed}},
		{"given up for a moment", false, action.Accepted, "", true, time.Minute, gaveUp(2, 2, action.Unanswered, "temporary"), outcome{State: action.Failed, Changed: true, Seen: true, Events: []action.Happening{action.Declined}, ErrorKind: "temporary", Lost: 3, Backoff: 5 * time.Second, Stuck: true, Move: failed}},

		{"fewer not shown yet", true, action.Accepted, "", false, time.Second, shows(5, 5), outcome{State: action.Accepted, Move: pending}},
		{"fewer, and they still stop", true, action.Accepted, "", true, time.Minute, shows(2, 3), outcome{State: action.Accepted, Seen: true, Move: pending}},
		{"fewer", true, action.Accepted, "", false, time.Minute, shows(2, 2), outcome{State: action.Converged, Changed: true, Seen: true, Events: []action.Happening{action.Ready}, Move: ready}},
		{"fewer than that are ready", true, action.Accepted, "", false, time.Minute, shows(2, 1), outcome{State: action.Converged, Changed: true, Seen: true, Events: []action.Happening{action.Ready}, Move: ready}},
		{"fewer, and they never stop", true, action.Accepted, "", true, timeout, shows(2, 3), outcome{State: action.Failed, Changed: true, Seen: true, Events: []action.Happening{action.Late}, ErrorKind: action.NotConverged, Backoff: 5 * time.Minute, Move: failed}},
		{"fewer were given up", true, action.Accepted, "", true, time.Minute, gaveUp(5, 5, action.Refused, "permanent"), outcome{State: action.Failed, Changed: true, Seen: true, Events: []action.Happening{action.Declined}, ErrorKind: "permanent", Backoff: 5 * time.Minute, Move: failed}},

		{"a crash before the call", false, action.Intended, "", false, time.Second, shows(2, 2), outcome{State: action.NotApplied, Changed: true, Events: []action.Happening{action.ShownNever}}},
		{"a crash before the call, and someone else", false, action.Intended, "", false, time.Second, shows(7, 7), outcome{State: action.NotApplied, Changed: true, Events: []action.Happening{action.ShownNever}}},
		{"a crash after the call", false, action.Intended, "", false, 20 * time.Second, shows(5, 2), outcome{State: action.Accepted, Changed: true, Seen: true, Events: []action.Happening{action.ShownLate}, Asked: 3, Move: pending}},
		{"a crash after the call, and a long time", false, action.Intended, "", false, time.Hour, shows(5, 5), outcome{State: action.Converged, Changed: true, Seen: true, Events: []action.Happening{action.ShownLate, action.Ready}, Asked: 3, Move: ready}},
		{"a crash, and the target cannot be read", false, action.Intended, "", false, time.Hour, unreadable, outcome{State: action.Intended}},
		{"a crash after fewer were asked for", true, action.Intended, "", false, time.Minute, shows(2, 4), outcome{State: action.Accepted, Changed: true, Seen: true, Events: []action.Happening{action.ShownLate}, Move: pending}},
		{"a lost answer, not shown yet", false, action.Intended, "timeout", false, 59 * time.Second, shows(2, 2), outcome{State: action.Intended, ErrorKind: "temporary"}},
		{"a lost answer, not shown after a minute", false, action.Intended, "timeout", false, time.Minute, shows(2, 2), outcome{State: action.Failed, Changed: true, ErrorKind: "temporary", Asked: 3, Lost: 3}},
		{"a lost answer, and shown", false, action.Intended, "timeout", false, 20 * time.Second, shows(5, 3), outcome{State: action.Accepted, Changed: true, Seen: true, Events: []action.Happening{action.ShownLate}, ErrorKind: "temporary", Asked: 3, Move: pending}},
		{"fewer without an answer, not shown after a minute", true, action.Intended, "timeout", false, time.Minute, shows(5, 5), outcome{State: action.Failed, Changed: true, ErrorKind: "temporary"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := action.Action{ID: "2", Decision: "1", Policy: "web", Target: "a", Direction: policy.Up, From: 2, To: 5, State: test.state, Created: t0, Seen: test.seen}
			if test.down {
				a.Direction, a.From, a.To = policy.Down, 5, 2
			}
			h := &policy.History{}
			if a.State == action.Accepted {
				a.Accepted = t0.Add(time.Second)
				h.Moves = []policy.Move{{ID: "1", At: t0, From: a.From, To: a.To}}
			}
			if a.Error = test.error; a.Error != "" {
				a.ErrorKind = "temporary"
			}
			m := action.New(rules("a"), h, []action.Action{a})
			var rs []action.Reading
			if test.shows != nil {
				rs = append(rs, *test.shows)
			}
			now := t0.Add(time.Second).Add(test.after)
			if a.State == action.Intended {
				now = t0.Add(test.after)
			}
			got := m.Settle(rs, now)

			is := outcome{Changed: len(got.Changed) == 1, Events: happenings(got.Events)}
			end := a
			if is.Changed {
				end = got.Changed[0]
			} else if open := m.Open(); len(open) == 1 {
				end = open[0]
			}
			is.State, is.Seen, is.ErrorKind = end.State, end.Seen, end.ErrorKind
			is.Asked, is.Lost = losses(h, "a")
			b := h.Backoffs["a"].Of(a.Direction)
			if !b.Until.IsZero() {
				is.Backoff = b.Until.Sub(now)
			}
			is.Stuck = b.NotConverged
			if len(h.Moves) > 0 {
				switch move := h.Moves[0]; {
				case move.Failed:
					is.Move = failed
				case !move.Converged.IsZero():
					is.Move = ready
				default:
					is.Move = pending
				}
			}
			if diff := cmp.Diff(test.want, is); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if end.State.Open() != m.Acting("a") || end.State.Open() == m.Idle() || end.State.Open() != end.Ended.IsZero() {
				t.Errorf("%s since %s: acting %t, idle %t", end.State, end.Ended, m.Acting("a"), m.Idle())
			}
		})
	}
}

// TestOneMoveOfSeveralActions is over when the last of them is, and failed only
// where that one is.
func TestOneMoveOfSeveralActions(t *testing.T) {
	open := func() []action.Action {
		return []action.Action{
			{ID: "2", Decision: "1", Target: "a", Direction: policy.Up, From: 1, To: 2, State: action.Accepted, Accepted: t0, Created: t0},
			{ID: "3", Decision: "1", Target: "b", Direction: policy.Up, From: 1, To: 3, State: action.Accepted, Accepted: t0, Created: t0},
		}
	}
	h := &policy.History{Moves: []policy.Move{{ID: "1", At: t0, From: 2, To: 5}}}
	m := action.New(rules("a", "b"), h, open())
	a, b := action.Reading{Target: "a", Requested: 2, Ready: 2}, action.Reading{Target: "b", Requested: 3, Ready: 1}
	m.Settle([]action.Reading{a, b}, t0.Add(time.Minute))
	if !h.Converging() {
		t.Fatal("one of two targets is ready, and the move is over")
	}
	b.Ready = 3
	m.Settle([]action.Reading{a, b}, t0.Add(2*time.Minute))
	if got := h.Moves[0].Converged; !got.Equal(t0.Add(2 * time.Minute)) {
		t.Errorf("converged at %s", got)
	}

	// Found after a crash: both become one move.
	h = &policy.History{}
	both := open()
	for i := range both {
		both[i].State, both[i].Accepted = action.Intended, time.Time{}
	}
	action.New(rules("a", "b"), h, both).Settle([]action.Reading{a, {Target: "b", Requested: 3, Ready: 1}}, t0.Add(time.Minute))
	if len(h.Moves) != 1 || h.Moves[0].To-h.Moves[0].From != 3 || !h.Converging() {
		t.Errorf("moves %+v", h.Moves)
	}
}

// TestWhatIsShownMayBeOlder: while a target may not show what it accepted, what
// it shows says nothing of what was asked of it afterwards.
func TestWhatIsShownMayBeOlder(t *testing.T) {
	for _, test := range []struct {
		name  string
		to    int
		after time.Duration
		want  []action.State
	}{
		{"back to the number before", 2, 30 * time.Second, []action.State{action.Accepted, action.Intended}},
		{"on to another one", 8, 30 * time.Second, []action.State{action.Accepted, action.Intended}},
		{"after a minute it is what it shows", 2, 2 * time.Minute, []action.State{action.Converged}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := action.New(rules("a"), &policy.History{}, []action.Action{
				{ID: "2", Decision: "1", Target: "a", Direction: policy.Up, From: 2, To: 5, State: action.Accepted, Created: t0, Accepted: t0},
				{ID: "4", Decision: "3", Target: "a", Direction: action.DirectionOf(5, test.to), From: 5, To: test.to, State: action.Intended, Created: t0.Add(time.Second)},
			})
			r := m.Settle([]action.Reading{{Target: "a", Requested: 2, Ready: 2}}, t0.Add(test.after))
			var got []action.State
			for _, a := range m.Open() {
				got = append(got, a.State)
			}
			for _, a := range r.Changed {
				if a.ID == "4" {
					got = append(got, a.State)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestTheSameNumberWithoutAnAnswerTwice is one action and one move once the
// target shows it.
func TestTheSameNumberWithoutAnAnswerTwice(t *testing.T) {
	h := &policy.History{}
	m := action.New(rules("a"), h, []action.Action{
		{ID: "2", Decision: "1", Target: "a", Direction: policy.Up, From: 2, To: 5, State: action.Intended, Error: "timeout", Created: t0},
		{ID: "4", Decision: "3", Target: "a", Direction: policy.Up, From: 2, To: 5, State: action.Intended, Error: "timeout", Created: t0.Add(5 * time.Second)},
	})
	m.Settle([]action.Reading{{Target: "a", Requested: 5, Ready: 2}}, t0.Add(20*time.Second))
	if open := m.Open(); len(open) != 1 || open[0].ID != "4" || open[0].State != action.Accepted {
		t.Errorf("open %+v", open)
	}
	if len(h.Moves) != 1 || h.Moves[0].ID != "3" {
		t.Errorf("moves %+v", h.Moves)
	}
}

// TestProvisioningIsLearnt from scale-ups that became ready, and from no other.
func TestProvisioningIsLearnt(t *testing.T) {
	up := action.Action{ID: "2", Decision: "1", Target: "a", Direction: policy.Up, From: 2, To: 5, State: action.Accepted, Created: t0, Accepted: t0}
	down := action.Action{ID: "2", Decision: "1", Target: "a", Direction: policy.Down, From: 7, To: 5, State: action.Accepted, Created: t0, Accepted: t0}
	for _, test := range []struct {
		name string
		a    action.Action
		seed time.Duration
		want time.Duration
	}{
		{"up", up, 0, 40 * time.Second},
		{"up, where somebody has said how long it takes", up, 140 * time.Second, 110 * time.Second},
		{"down", down, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := &policy.History{}
			r := rules("a")
			r.Policy.Targets[0].Provisioning = test.seed
			action.New(r, h, []action.Action{test.a}).Settle([]action.Reading{{Target: "a", Requested: 5, Ready: 5}}, t0.Add(40*time.Second))
			if got := h.Of("a").Provisioning; got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// TestAbandon: what a platform took is remembered, so that it is nobody else's.
func TestAbandon(t *testing.T) {
	two := 2
	h := &policy.History{Targets: []policy.TargetMemory{{Name: "a", Requested: &two}, {Name: "b", Requested: &two}}}
	m := action.New(rules("a", "b"), h, []action.Action{
		{ID: "2", Decision: "1", Target: "a", From: 2, To: 5, State: action.Accepted, Accepted: t0},
		{ID: "3", Decision: "1", Target: "b", From: 2, To: 4, State: action.Intended},
	})
	closed := m.Abandon([]action.Reading{{Target: "a", Requested: 2, Ready: 2}, {Target: "b", Requested: 2, Ready: 2}}, t0.Add(time.Second))
	for _, a := range closed {
		if a.State != action.Superseded || !a.Ended.Equal(t0.Add(time.Second)) || a.Error == "" {
			t.Errorf("%+v", a)
		}
	}
	if len(closed) != 2 || !m.Idle() {
		t.Errorf("%d closed, idle %t", len(closed), m.Idle())
	}
	if a, b := requestedOf(h, "a"), requestedOf(h, "b"); a != 5 || b != 2 {
		t.Errorf("remembers %d and %d, want 5 and 2", a, b)
	}
	if again := m.Abandon(nil, t0); len(again) > 0 {
		t.Errorf("abandoned twice: %v", again)
	}
}
