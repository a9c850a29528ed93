package action_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// The cases of each property are many in CI: go test -rapid.checks=100000.

// store is what a ledger has of one policy.
type store struct {
	actions map[string]action.Action
	history []byte
}

// write keeps the actions and the history. An outcome that changes is an error.
func (s *store) write(actions []action.Action, h *policy.History) error {
	for _, a := range actions {
		if was, ok := s.actions[a.ID]; ok && !was.State.Open() && !cmp.Equal(was, a) {
			return fmt.Errorf("%s was %s since %s, and is to be %s since %s", a.ID, was.State, was.Ended, a.State, a.Ended)
		}
		if a.State.Open() != a.Ended.IsZero() {
			return fmt.Errorf("%s is %s since %s", a.ID, a.State, a.Ended)
		}
		s.actions[a.ID] = a
	}
	var err error
	s.history, err = json.Marshal(h)
	return err
}

// restore is what a server that is started anew takes over.
func (s *store) restore(r action.Rules) (*action.Machine, *policy.History) {
	h := &policy.History{}
	if len(s.history) > 0 {
		if err := json.Unmarshal(s.history, h); err != nil {
			panic(err)
		}
	}
	var open []action.Action
	for _, id := range slices.Sorted(maps.Keys(s.actions)) {
		if a := s.actions[id]; a.State.Open() {
			open = append(open, a)
		}
	}
	return action.New(r, h, open), h
}

// walk is a policy with a store and platforms that answer as they like.
type walk struct {
	*rapid.T
	rules   action.Rules
	targets []string
	now     time.Time
	ids     counter
	store   store
	machine *action.Machine
	history *policy.History
	// has is what each target has, and shows what it shows.
	has, shows map[string]int
}

func newWalk(t *rapid.T) *walk {
	w := &walk{
		T: t, targets: []string{"a", "b", "c"}[:rapid.IntRange(1, 3).Draw(t, "targets")], now: t0,
		store: store{actions: map[string]action.Action{}}, has: map[string]int{}, shows: map[string]int{},
	}
	w.rules = rules(w.targets...)
	w.machine, w.history = w.store.restore(w.rules)
	for _, name := range w.targets {
		w.has[name] = rapid.IntRange(0, 5).Draw(t, "has")
		w.shows[name] = w.has[name]
	}
	return w
}

func (w *walk) write(actions []action.Action) {
	if err := w.store.write(actions, w.history); err != nil {
		w.Fatal(err)
	}
}

func (w *walk) readings() []action.Reading {
	var rs []action.Reading
	for _, name := range w.targets {
		rs = append(rs, action.Reading{Target: name, Requested: w.shows[name], Ready: rapid.IntRange(0, w.shows[name]).Draw(w.T, "ready")})
	}
	return rs
}

// look is what comes before a decision. There can be none where a target cannot
// be read.
func (w *walk) look() (readable bool) {
	rs := w.readings()
	readable = true
	for i := range rs {
		if rapid.IntRange(0, 9).Draw(w.T, "readable") == 0 {
			rs[i].Problem = "no answer"
			readable = false
		}
	}
	if r := w.machine.Settle(rs, w.now); len(r.Changed) > 0 {
		w.write(r.Changed)
	}
	w.machine.EndBackoffs(rs, w.now)
	w.machine.Compare(rs, w.now)
	return readable
}

// plan begins a decision for other counts, from what the targets are taken to
// have.
func (w *walk) plan() (*action.Plan, *policy.Decision) {
	var o policy.Observation
	var placed []policy.Placement
	direction := rapid.SampledFrom([]int{-1, 1}).Draw(w.T, "direction")
	for _, r := range w.readings() {
		s := w.machine.Observe(r, w.now)
		o.Targets = append(o.Targets, s)
		to := max(0, s.Requested+direction*rapid.IntRange(0, 3).Draw(w.T, "by"))
		placed = append(placed, policy.Placement{Target: s.Name, From: s.Requested, To: to})
	}
	d := decision(w.ids.next(w.now), placed...)
	d.Time = w.now
	return w.machine.Plan(action.Options{Decision: d, Others: o, Victims: noVictims, NewID: w.ids.next}), d
}

// answer is what a target says to a number, and what it does.
func (w *walk) answer(a *action.Action) action.Answer {
	if w.has[a.Target] == a.To {
		return had
	}
	switch is := rapid.SampledFrom([]string{"takes", "takes", "takes", "refuses", "throttles", "loses", "is lost", "conflicts", "changes"}).Draw(w.T, "answer"); is {
	case "refuses":
		return refused
	case "throttles":
		return throttled
	case "is lost":
		return unanswered
	case "conflicts":
		return contended
	case "changes":
		w.has[a.Target] = rapid.IntRange(0, 9).Draw(w.T, "foreign")
		return overtaken
	default:
		w.has[a.Target] = a.To
		if rapid.Bool().Draw(w.T, "shows it at once") {
			w.shows[a.Target] = a.To
		}
		if is == "loses" {
			return unanswered
		}
		return took
	}
}

// carryOut follows a plan to its end, or to a crash, and looks at each step.
func (w *walk) carryOut(p *action.Plan, d *policy.Decision) {
	var refusedBy []string
	for steps := 0; ; steps++ {
		if steps > 50 {
			w.Fatalf("no end: %s", d.Explain())
		}
		if rapid.IntRange(0, 19).Draw(w.T, "crash") == 0 {
			w.machine, w.history = w.store.restore(w.rules)
			return
		}
		step := p.Next(w.now)
		switch step.Do {
		case action.Intend:
			asks := step.Actions[len(step.Actions)-step.Asks:]
			w.wantRefusedOnce(asks, step.Refused, refusedBy)
			w.write(step.Actions)
			p.Written("")
		case action.Ask:
			if written := w.store.actions[step.Action.ID]; written.State != action.Intended {
				w.Fatalf("%s is asked for %d, and the ledger has %+v", step.Action.Target, step.Action.To, written)
			}
			answer := w.answer(&step.Action)
			if answer.Verdict == action.Refused || answer.Verdict == action.Throttled {
				refusedBy = append(refusedBy, step.Action.Target)
			}
			p.Answered(answer, w.now)
		case action.Conclude:
			w.write(step.Actions)
			p.Written("")
		case action.Done:
			return
		}
		w.wantOneNumber()
	}
}

// wantRefusedOnce: of what was refused no more is asked of others than that, and
// not of those who refused.
func (w *walk) wantRefusedOnce(asks []action.Action, diff int, refusedBy []string) {
	if diff == 0 {
		return
	}
	n := 0
	for _, a := range asks {
		n += a.To - a.From
		if slices.Contains(refusedBy, a.Target) {
			w.Fatalf("%s has refused and is asked for %d", a.Target, a.To)
		}
	}
	if n*diff < 0 || max(n, -n) > max(diff, -diff) {
		w.Fatalf("%d were refused and %d are asked of others: %+v", diff, n, asks)
	}
}

// wantOneNumber: of each target at most one number is open that it accepted.
func (w *walk) wantOneNumber() {
	accepted := map[string]int{}
	for _, a := range w.machine.Open() {
		if a.State == action.Accepted {
			if accepted[a.Target]++; accepted[a.Target] > 1 {
				w.Fatalf("two numbers of %s are open: %+v", a.Target, w.machine.Open())
			}
		}
	}
}

// TestWhateverHappens walks through decisions, readings, crashes, changes by
// others and the passing of time. Nothing is asked that is not written, no
// target has two open numbers, what was refused is asked of others once, and an
// outcome is final.
func TestWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWalk(t)
		for range rapid.IntRange(1, 12).Draw(t, "evaluations") {
			readable := w.look()
			w.wantOneNumber()
			if readable && rapid.IntRange(0, 2).Draw(t, "acts") > 0 {
				w.carryOut(w.plan())
			}
			w.now = w.now.Add(rapid.SampledFrom([]time.Duration{time.Second, interval, 2 * time.Minute, 20 * time.Minute}).Draw(t, "passes"))
			for _, name := range w.targets {
				if rapid.Bool().Draw(t, "shows") {
					w.shows[name] = w.has[name]
				}
				if rapid.IntRange(0, 19).Draw(t, "someone else") == 0 {
					w.has[name] = rapid.IntRange(0, 9).Draw(t, "foreign")
				}
			}
		}
		// In the end nothing is open for ever.
		for range 2 {
			for _, name := range w.targets {
				w.shows[name] = w.has[name]
			}
			w.now = w.now.Add(20 * time.Minute)
			var rs []action.Reading
			for _, name := range w.targets {
				rs = append(rs, action.Reading{Target: name, Requested: w.has[name], Ready: w.has[name]})
			}
			w.write(w.machine.Settle(rs, w.now).Changed)
		}
		if open := w.machine.Open(); len(open) > 0 {
			t.Fatalf("open for ever: %+v", open)
		}
	})
}

// scene is a policy that is to have a number of replicas, on platforms that
// refuse what is above their capacity.
type scene struct {
	targets  []string
	has      map[string]int
	capacity map[string]int
	goal     int
}

func scenes() *rapid.Generator[scene] {
	return rapid.Custom(func(t *rapid.T) scene {
		s := scene{
			targets: []string{"a", "b", "c"}[:rapid.IntRange(1, 3).Draw(t, "targets")],
			has:     map[string]int{}, capacity: map[string]int{},
		}
		for _, name := range s.targets {
			s.has[name] = rapid.IntRange(0, 4).Draw(t, "has")
			s.capacity[name] = s.has[name] + rapid.IntRange(0, 6).Draw(t, "capacity")
		}
		s.goal = rapid.IntRange(0, 20).Draw(t, "goal")
		return s
	})
}

// state is what there is in the end.
type state struct {
	Has, Remembered map[string]int
	// Moved is by how much the policy's count was changed by moves that
	// succeeded, Foreign by those of someone else.
	Moved, Foreign int
	Open, Failed   int
	// Converged is what was asked of each target last and became ready.
	Converged map[string]int
	// LeftAlone are the targets that are not asked, and which way.
	LeftAlone []string
}

// run has the policy reach its goal as far as the platforms let it, with a crash
// before the crash-th thing that is done or, where called is set, right after
// it. A crash of -1 never comes.
func (s *scene) run(crash int, called bool) (end state, did int) {
	r := rules(s.targets...)
	st := store{actions: map[string]action.Action{}}
	has := maps.Clone(s.has)
	m, h := st.restore(r)
	now := t0
	ids := counter(0)
	write := func(actions []action.Action) {
		if err := st.write(actions, h); err != nil {
			panic(err)
		}
	}
	// crashes counts what is done, and says whether that is the moment.
	crashes := func(after bool) bool {
		if after != called {
			return false
		}
		did++
		return did-1 == crash
	}
	for range 12 {
		now = now.Add(10 * time.Second)
		var rs []action.Reading
		for _, name := range s.targets {
			rs = append(rs, action.Reading{Target: name, Requested: has[name], Ready: has[name]})
		}
		if settled := m.Settle(rs, now); len(settled.Changed) > 0 {
			write(settled.Changed)
		}
		m.EndBackoffs(rs, now)
		m.Compare(rs, now)
		write(nil)
		var o policy.Observation
		total := 0
		for _, reading := range rs {
			o.Targets = append(o.Targets, m.Observe(reading, now))
			total += has[reading.Target]
		}
		placed := policy.Failover(*r.Policy, o, *h, s.goal-total, now)
		if len(placed) == 0 || !m.Idle() {
			continue
		}
		d := decision(ids.next(now), placed...)
		d.Time = now
		p := m.Plan(action.Options{Decision: d, Others: o, Victims: noVictims, NewID: ids.next})
		for {
			step := p.Next(now)
			if step.Do == action.Done {
				break
			}
			if crashes(false) {
				m, h = st.restore(r)
				break
			}
			var answer action.Answer
			switch step.Do {
			case action.Intend, action.Conclude:
				write(step.Actions)
			case action.Ask:
				if answer = took; step.Action.To > s.capacity[step.Action.Target] {
					answer = refused
				} else {
					has[step.Action.Target] = step.Action.To
				}
			case action.Done:
			}
			if crashes(true) {
				m, h = st.restore(r)
				break
			}
			if step.Do == action.Ask {
				p.Answered(answer, now)
			} else {
				p.Written("")
			}
		}
	}
	return s.state(&st, m, h, has, now), did
}

func (s *scene) state(st *store, m *action.Machine, h *policy.History, has map[string]int, now time.Time) state {
	end := state{Has: has, Remembered: map[string]int{}, Open: len(m.Open()), Converged: map[string]int{}}
	for _, name := range s.targets {
		end.Remembered[name] = requestedOf(h, name)
		for _, d := range []policy.Direction{policy.Up, policy.Down} {
			if h.Backoffs[name].Of(d).Until.After(now) {
				end.LeftAlone = append(end.LeftAlone, name+" "+string(d))
			}
		}
	}
	for _, move := range h.Moves {
		switch {
		case move.Foreign:
			end.Foreign += move.To - move.From
		case move.Failed:
			end.Failed += move.To - move.From
		default:
			end.Moved += move.To - move.From
		}
	}
	for _, id := range slices.Sorted(maps.Keys(st.actions)) {
		if a := st.actions[id]; a.State == action.Converged {
			end.Converged[a.Target] = a.To
		}
	}
	return end
}

// TestACrashEndsAtTheSameState, wherever it comes: before or after an intention
// is written, a platform is asked, or the outcome is written.
func TestACrashEndsAtTheSameState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenes().Draw(t, "scene")
		want, steps := s.run(-1, false)
		total := 0
		for name, n := range want.Has {
			total += n - s.has[name]
		}
		if want.Open > 0 || want.Failed != 0 || want.Foreign != 0 || want.Moved != total {
			t.Fatalf("without a crash: %+v, moved by %d", want, total)
		}
		for crash := range steps {
			for _, called := range []bool{false, true} {
				got, _ := s.run(crash, called)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("crash at %d of %d, called %t (-want +got)\n%s", crash, steps, called, diff)
				}
			}
		}
	})
}
