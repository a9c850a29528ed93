package action_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// carryOut follows a plan to its end and returns what was to be done, one line
// a step. answers are by target, the last of each again and again; unwritten
// says of the n-th write, from 1, why it fails.
func carryOut(p *action.Plan, answers map[string][]action.Answer, unwritten map[int]string) (did []string, last action.Step) {
	writes := 0
	for range 100 {
		step := p.Next(t0.Add(time.Second))
		switch step.Do {
		case action.Intend, action.Conclude:
			writes++
			var parts []string
			for _, a := range step.Actions {
				parts = append(parts, fmt.Sprintf("%s %d→%d %s", a.Target, a.From, a.To, a.State))
			}
			what := map[action.Do]string{action.Intend: "intend ", action.Conclude: "conclude "}[step.Do]
			did = append(did, what+strings.Join(parts, ", "))
			p.Written(unwritten[writes])
			if step.Do == action.Conclude {
				last = step
			}
		case action.Ask:
			a := step.Action
			did = append(did, fmt.Sprintf("ask %s for %d", a.Target, a.To))
			answer := action.Answer{}
			if of := answers[a.Target]; len(of) > 0 {
				answer = of[0]
				if len(of) > 1 {
					answers[a.Target] = of[1:]
				}
			}
			p.Answered(answer, t0.Add(time.Second))
		case action.Done:
			return did, last
		}
	}
	return append(did, "and so on"), last
}

// TestPlan is what is done for a decision, by what the platforms answer.
func TestPlan(t *testing.T) {
	place := func(target string, from, to int) policy.Placement {
		return policy.Placement{Target: target, From: from, To: to}
	}
	always := func(a action.Answer) []action.Answer { return []action.Answer{a} }
	type answers = map[string][]action.Answer
	for _, test := range []struct {
		name      string
		placed    []policy.Placement
		answers   answers
		unwritten map[int]string
		want      []string
		desired   int
		reason    policy.Reason
		moved     int
	}{
		{
			"one target takes it",
			[]policy.Placement{place("a", 2, 5)},
			nil, nil,
			[]string{"intend a 2→5 intended", "ask a for 5", "conclude a 2→5 accepted"},
			5, policy.ReasonScaledUp, 3,
		},
		{
			"a target that stays as it is is not asked",
			[]policy.Placement{place("a", 2, 2), place("b", 1, 2)},
			nil, nil,
			[]string{"intend b 1→2 intended", "ask b for 2", "conclude b 1→2 accepted"},
			4, policy.ReasonScaledUp, 1,
		},
		{
			"what goes goes first",
			[]policy.Placement{place("a", 2, 5), place("b", 3, 1)},
			nil, nil,
			[]string{"intend b 3→1 intended, a 2→5 intended", "ask b for 1", "ask a for 5", "conclude b 3→1 accepted, a 2→5 accepted"},
			6, policy.ReasonScaledUp, 1,
		},
		{
			"moved from one to another is no move",
			[]policy.Placement{place("a", 2, 4), place("b", 3, 1)},
			nil, nil,
			[]string{"intend b 3→1 intended, a 2→4 intended", "ask b for 1", "ask a for 4", "conclude b 3→1 accepted, a 2→4 accepted"},
			5, policy.ReasonScaledUp, 0,
		},
		{
			"what one kept is not asked of another",
			[]policy.Placement{place("a", 2, 4), place("b", 3, 1)},
			answers{"b": always(unanswered)},
			nil,
			[]string{"intend b 3→1 intended, a 2→4 intended", "ask b for 1", "conclude b 3→1 intended, a 2→4 not_applied"},
			5, policy.ReasonScaledUp, 0,
		},
		{
			"it is not written",
			[]policy.Placement{place("a", 2, 5)},
			nil,
			map[int]string{1: "disk full"},
			[]string{"intend a 2→5 intended"},
			2, policy.ReasonNotRecorded, 0,
		},
		{
			"what came of it is not written",
			[]policy.Placement{place("a", 2, 5)},
			nil,
			map[int]string{2: "disk full"},
			[]string{"intend a 2→5 intended", "ask a for 5", "conclude a 2→5 accepted"},
			5, policy.ReasonScaledUp, 3,
		},
		{
			"it has it already",
			[]policy.Placement{place("a", 2, 5)},
			answers{"a": always(had)},
			nil,
			[]string{"intend a 2→5 intended", "ask a for 5", "conclude a 2→5 no_op"},
			5, policy.ReasonScaledUp, 0,
		},
		{
			"someone else was faster",
			[]policy.Placement{place("a", 2, 5), place("b", 0, 0)},
			answers{"a": always(overtaken)},
			nil,
			[]string{"intend a 2→5 intended", "ask a for 5", "conclude a 2→5 superseded"},
			5, policy.ReasonScaledUp, 0,
		},
		{
			"conflicts that do not end",
			[]policy.Placement{place("a", 2, 5), place("b", 0, 0)},
			answers{"a": always(contended)},
			nil,
			[]string{"intend a 2→5 intended", "ask a for 5", "conclude a 2→5 superseded"},
			5, policy.ReasonScaledUp, 0,
		},
		{
			"no answer, so nobody else is asked",
			[]policy.Placement{place("a", 2, 5), place("b", 0, 0)},
			answers{"a": always(unanswered)},
			nil,
			[]string{"intend a 2→5 intended", "ask a for 5", "conclude a 2→5 intended"},
			5, policy.ReasonScaledUp, 0,
		},
		{
			"refused, and nobody else is there",
			[]policy.Placement{place("a", 2, 5)},
			answers{"a": always(refused)},
			nil,
			[]string{"intend a 2→5 intended", "ask a for 5", "intend a 2→5 failed", "conclude a 2→5 failed"},
			2, policy.ReasonTargetFailed, 0,
		},
		{
			"refused, and another takes it",
			[]policy.Placement{place("a", 2, 5), place("b", 0, 0)},
			answers{"a": always(refused)},
			nil,
			[]string{"intend a 2→5 intended", "ask a for 5", "intend a 2→5 failed, b 0→3 intended", "ask b for 3", "conclude a 2→5 failed, b 0→3 accepted"},
			5, policy.ReasonScaledUp, 3,
		},
		{
			"throttled, and another takes it",
			[]policy.Placement{place("a", 2, 5), place("b", 0, 0)},
			answers{"a": always(throttled)},
			nil,
			[]string{"intend a 2→5 intended", "ask a for 5", "intend a 2→5 failed, b 0→3 intended", "ask b for 3", "conclude a 2→5 failed, b 0→3 accepted"},
			5, policy.ReasonScaledUp, 3,
		},
		{
			"the last of three takes it",
			[]policy.Placement{place("a", 2, 5), place("b", 0, 0), place("c", 1, 1)},
			answers{"a": always(refused), "b": always(refused)},
			nil,
			[]string{
				"intend a 2→5 intended", "ask a for 5", "intend a 2→5 failed, b 0→3 intended", "ask b for 3",
				"intend a 2→5 failed, b 0→3 failed, c 1→4 intended", "ask c for 4", "conclude a 2→5 failed, b 0→3 failed, c 1→4 accepted",
			},
			6, policy.ReasonScaledUp, 3,
		},
		{
			"one that has taken its own takes the other's too",
			[]policy.Placement{place("a", 2, 3), place("b", 0, 2)},
			answers{"b": always(refused)},
			nil,
			[]string{
				"intend a 2→3 intended, b 0→2 intended", "ask a for 3", "ask b for 2",
				"intend a 2→3 accepted, b 0→2 failed, a 3→5 intended", "ask a for 5", "conclude a 2→3 superseded, b 0→2 failed, a 3→5 accepted",
			},
			5, policy.ReasonScaledUp, 3,
		},
		{
			"that others are to take it is not written",
			[]policy.Placement{place("a", 2, 5), place("b", 0, 0)},
			answers{"a": always(refused)},
			map[int]string{2: "disk full"},
			[]string{"intend a 2→5 intended", "ask a for 5", "intend a 2→5 failed, b 0→3 intended", "conclude a 2→5 failed"},
			2, policy.ReasonNotRecorded, 0,
		},
		{
			"one does not give up its own, another does",
			[]policy.Placement{place("a", 5, 3), place("b", 4, 4)},
			answers{"a": always(refused)},
			nil,
			[]string{"intend a 5→3 intended", "ask a for 3", "intend a 5→3 failed, b 4→2 intended", "ask b for 2", "conclude a 5→3 failed, b 4→2 accepted"},
			7, policy.ReasonScaledDown, -2,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := decision("0000", test.placed...)
			var targets []string
			for _, p := range test.placed {
				targets = append(targets, p.Target)
			}
			h := &policy.History{}
			m := action.New(rules(targets...), h, nil)
			ids := counter(0)
			p := m.Plan(action.Options{Decision: d, Others: others(d), Victims: noVictims, NewID: ids.next})
			did, _ := carryOut(p, test.answers, test.unwritten)
			if diff := cmp.Diff(test.want, did); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if d.Desired != test.desired || d.Reason != test.reason {
				t.Errorf("desired %d because of %s, want %d because of %s\n%s", d.Desired, d.Reason, test.desired, test.reason, d.Explain())
			}
			moved := 0
			for _, move := range h.Moves {
				moved += move.To - move.From
			}
			if moved != test.moved || len(h.Moves) > 1 || (len(h.Moves) == 1) != (moved != 0) {
				t.Errorf("moves %+v, want one of %d", h.Moves, test.moved)
			}
		})
	}
}

// TestNextSaysTheSame until it is told how that went.
func TestNextSaysTheSame(t *testing.T) {
	d := decision("0000", policy.Placement{Target: "a", From: 2, To: 5})
	ids := counter(0)
	p := action.New(rules("a"), &policy.History{}, nil).Plan(action.Options{Decision: d, Others: others(d), Victims: noVictims, NewID: ids.next})
	for _, tell := range []func(){
		func() { p.Written("") },
		func() { p.Answered(took, t0) },
		func() { p.Written("") },
	} {
		one, two := p.Next(t0), p.Next(t0)
		if diff := cmp.Diff(one, two); diff != "" || one.Do == action.Done {
			t.Errorf("%v and then (-want +got)\n%s", one, diff)
		}
		tell()
	}
	if last := p.Next(t0); last.Do != action.Done {
		t.Errorf("in the end %v", last)
	}
	p.Written("too late")
	if p.Answered(refused, t0); d.Desired != 5 || d.Reason != policy.ReasonScaledUp {
		t.Errorf("what comes after the end has changed the decision: %s", d.Explain())
	}
}

// TestAnswered is what one answer does to the action and to its target.
func TestAnswered(t *testing.T) {
	five := 5
	after := func(a action.Answer, d time.Duration) action.Answer {
		a.RetryAfter = d
		return a
	}
	up := func(until time.Duration, failures int) policy.Backoffs {
		return policy.Backoffs{Up: policy.Backoff{Until: t0.Add(until), Failures: failures, Wanted: &five}}
	}
	both := up(interval, 0)
	both.Down.Until = both.Up.Until
	long := up(time.Minute, 0)
	long.Down.Until = long.Up.Until
	late := policy.Backoff{Until: t0.Add(-time.Second), Failures: 2, NotConverged: true, GivenUp: "quota"}
	for _, test := range []struct {
		name   string
		before policy.Backoffs
		answer action.Answer
		state  action.State
		want   policy.Backoffs
		event  []action.Happening
		// asked and lost as the strategy "loss" counts them.
		asked, lost int
	}{
		{"took", policy.Backoffs{}, took, action.Accepted, policy.Backoffs{}, []action.Happening{action.Consented}, 3, 0},
		{"took after failures", up(-time.Second, 3), took, action.Accepted, policy.Backoffs{}, []action.Happening{action.Consented}, 3, 0},
		{
			"took after replicas that were never ready",
			policy.Backoffs{Up: late},
			took, action.Accepted,
			policy.Backoffs{Up: policy.Backoff{Until: late.Until, Failures: 2, GivenUp: "quota"}},
			[]action.Happening{action.Consented},
			3, 0,
		},
		{"had", policy.Backoffs{}, had, action.NoOp, policy.Backoffs{}, nil, 0, 0},
		{"overtaken", policy.Backoffs{}, overtaken, action.Superseded, policy.Backoffs{}, []action.Happening{action.Outdated}, 0, 0},
		{"contended", policy.Backoffs{}, contended, action.Superseded, up(5*time.Second, 1), []action.Happening{action.Contention}, 0, 0},
		{"throttled", policy.Backoffs{}, throttled, action.Failed, both, []action.Happening{action.Declined}, 0, 0},
		{"throttled for long", policy.Backoffs{}, after(throttled, time.Minute), action.Failed, long, []action.Happening{action.Declined}, 0, 0},
		{"no answer", policy.Backoffs{}, unanswered, action.Intended, up(5*time.Second, 1), []action.Happening{action.Declined}, 0, 0},
		{"no answer for the fourth time", up(0, 3), unanswered, action.Intended, up(40*time.Second, 4), []action.Happening{action.Declined}, 0, 0},
		{"no answer for the hundredth time", up(0, 99), unanswered, action.Intended, up(5*time.Minute, 100), []action.Happening{action.Declined}, 0, 0},
		{"refused", policy.Backoffs{}, refused, action.Failed, up(5*time.Minute, 1), []action.Happening{action.Declined}, 3, 3},
		{"refused for the second time", up(0, 1), refused, action.Failed, up(10*time.Minute, 2), []action.Happening{action.Declined}, 3, 3},
		{"refused for the ninth time", up(0, 8), refused, action.Failed, up(30*time.Minute, 9), []action.Happening{action.Declined}, 3, 3},
		{"refused until later", policy.Backoffs{}, after(refused, time.Hour), action.Failed, up(time.Hour, 1), []action.Happening{action.Declined}, 3, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := decision("0000", policy.Placement{Target: "a", From: 2, To: 5})
			h := &policy.History{}
			h.SetBackoff("a", policy.Up, test.before.Up)
			m := action.New(rules("a"), h, nil)
			ids := counter(0)
			p := m.Plan(action.Options{Decision: d, Others: others(d), Victims: noVictims, NewID: ids.next})
			p.Next(t0)
			p.Written("")
			p.Next(t0)
			r := p.Answered(test.answer, t0)
			a := r.Changed[len(r.Changed)-1]
			if a.State != test.state || a.State.Open() != m.Acting("a") || a.Error != test.answer.Text || a.ErrorKind != test.answer.Kind {
				t.Errorf("%+v, acting %t", a, m.Acting("a"))
			}
			if diff := cmp.Diff(test.want, h.Backoffs["a"]); diff != "" {
				t.Errorf("backoffs (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(test.event, happenings(r.Events)); diff != "" {
				t.Errorf("events (-want +got)\n%s", diff)
			}
			if asked, lost := losses(h, "a"); asked != test.asked || lost != test.lost {
				t.Errorf("%d of %d lost, want %d of %d", lost, asked, test.lost, test.asked)
			}
		})
	}
}

// TestWhatIsNotTakenBack: a target that does not even give back what never
// became ready is not asked for it again at once.
func TestWhatIsNotTakenBack(t *testing.T) {
	d := decision("0000", policy.Placement{Target: "a", From: 5, To: 2})
	h := &policy.History{}
	h.SetBackoff("a", policy.Up, policy.Backoff{Until: t0.Add(time.Hour), NotConverged: true})
	ids := counter(0)
	p := action.New(rules("a"), h, nil).Plan(action.Options{Decision: d, Others: others(d), Victims: noVictims, NewID: ids.next})
	p.Written("")
	p.Next(t0)
	p.Answered(refused, t0)
	if got := h.Backoffs["a"].Up.TakeBackAt; !got.Equal(t0.Add(time.Minute)) {
		t.Errorf("taken back at %s", got)
	}
}

// TestANewerNumberReplacesAnOlder: the older one is closed, and its move with
// it; the newer one is the only one that is open.
func TestANewerNumberReplacesAnOlder(t *testing.T) {
	older := action.Action{ID: "0002", Decision: "0001", Target: "a", Direction: policy.Up, From: 1, To: 2, State: action.Accepted, Created: t0, Accepted: t0}
	h := &policy.History{Moves: []policy.Move{{ID: "0001", At: t0, From: 1, To: 2}}}
	m := action.New(rules("a"), h, []action.Action{older})
	d := decision("0010", policy.Placement{Target: "a", From: 2, To: 5})
	ids := counter(10)
	did, last := carryOut(m.Plan(action.Options{Decision: d, Others: others(d), Victims: noVictims, NewID: ids.next}), nil, nil)
	want := []string{"intend a 2→5 intended", "ask a for 5", "conclude a 2→5 accepted, a 1→2 superseded"}
	if diff := cmp.Diff(want, did); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if open := m.Open(); len(open) != 1 || open[0].Decision != "0010" {
		t.Errorf("open %+v", open)
	}
	if len(h.Moves) != 2 || h.Moves[0].Converged.IsZero() || !h.Moves[1].Converged.IsZero() {
		t.Errorf("moves %+v", h.Moves)
	}
	if last.Decision != nil {
		t.Error("a decision that stands as it was is written again")
	}
}

// TestAMistakeHoldsTheDecision once what was asked is written: the call may have
// been made.
func TestAMistakeHoldsTheDecision(t *testing.T) {
	broken := unanswered
	broken.Broke = "index out of range"
	d := decision("0000", policy.Placement{Target: "a", From: 2, To: 5}, policy.Placement{Target: "b", From: 1, To: 2})
	ids := counter(0)
	m := action.New(rules("a", "b"), &policy.History{}, nil)
	did, last := carryOut(m.Plan(action.Options{Decision: d, Others: others(d), Victims: noVictims, NewID: ids.next}), map[string][]action.Answer{"a": {broken}}, nil)
	// b adds fewer than a, so that it is asked first.
	want := []string{"intend b 1→2 intended, a 2→5 intended", "ask b for 2", "ask a for 5", "conclude b 1→2 accepted, a 2→5 intended"}
	if diff := cmp.Diff(want, did); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if d.Reason != policy.ReasonInternalError || d.Act || d.Desired != 3 || last.Decision != d {
		t.Errorf("%s, written %v", d.Explain(), last.Decision)
	}
}

// TestVictimsAreNamed where somebody has chosen them, and only for what goes.
func TestVictimsAreNamed(t *testing.T) {
	d := decision("0000", policy.Placement{Target: "a", From: 5, To: 3}, policy.Placement{Target: "b", From: 1, To: 2})
	ids := counter(0)
	m := action.New(rules("a", "b"), &policy.History{}, nil)
	step := m.Plan(action.Options{Decision: d, Others: others(d), NewID: ids.next, Victims: func(target string, n int) []string {
		return slices.Repeat([]string{target}, max(0, n))
	}}).Next(t0)
	if got := step.Actions; len(got) != 2 || !slices.Equal(got[0].Victims, []string{"a", "a"}) || len(got[1].Victims) > 0 {
		t.Errorf("%+v", got)
	}
}

// TestIdentifiersBelongToTheDecision and sort in the order of the actions.
func TestIdentifiersBelongToTheDecision(t *testing.T) {
	d := decision("0000", policy.Placement{Target: "a", From: 2, To: 5}, policy.Placement{Target: "b", From: 0, To: 0})
	ids := counter(0)
	m := action.New(rules("a", "b"), &policy.History{}, nil)
	_, last := carryOut(m.Plan(action.Options{Decision: d, Others: others(d), Victims: noVictims, NewID: ids.next}), map[string][]action.Answer{"a": {refused}}, nil)
	for i, a := range last.Actions {
		if a.Decision != "0000" || a.Policy != "web" || a.Reason != policy.ReasonScaledUp || !a.Created.Equal(t0) {
			t.Errorf("%+v", a)
		}
		if i > 0 && a.ID <= last.Actions[i-1].ID {
			t.Errorf("%s after %s", a.ID, last.Actions[i-1].ID)
		}
	}
}
