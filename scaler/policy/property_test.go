package policy_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// The cases of each property are many in CI: go test -rapid.checks=100000.

func TestActsWithinBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scenes().Draw(t, "scene")
		d := s.decide()
		lowest, highest := s.policy.Bounds(s.sees.Targets)
		if lowest > highest {
			t.Fatalf("bounds %d..%d", lowest, highest)
		}
		switch {
		case !d.Act, d.Desired == d.Current, lowest <= d.Desired && d.Desired <= highest:
		case d.Reason != policy.ReasonTargetBackoff && d.Reason != policy.ReasonBudgetLimited && d.Reason != policy.ReasonBlocked:
			t.Fatalf("%s outside %d..%d", d.Explain(), lowest, highest)
		case d.Current < lowest && (d.Desired <= d.Current || d.Desired > lowest),
			d.Current > highest && (d.Desired >= d.Current || d.Desired < highest):
			t.Fatalf("%s comes no nearer to %d..%d", d.Explain(), lowest, highest)
		}
	})
}

func TestProtectedStay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scenes().Draw(t, "scene")
		d := s.decide()
		for i, p := range d.Placements {
			if kept := s.sees.Targets[i].Protected; p.To < p.From && p.To < kept {
				t.Fatalf("%s goes from %d to %d, and %d must stay: %s", p.Target, p.From, p.To, kept, d.Explain())
			}
		}
		// What must stay is never a reason to move.
		for i := range s.sees.Targets {
			s.sees.Targets[i].Protected = 0
		}
		spared := slices.ContainsFunc(d.Steps, func(s policy.Step) bool { return s.Name == policy.StepVictims })
		if free := s.decide(); d.Desired < free.Desired || (d.Desired > free.Desired && !spared) {
			t.Fatalf("with protection: %s; without: %s", d.Explain(), free.Explain())
		}
	})
}

func TestDirectionIsKept(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scenes().Draw(t, "scene")
		if s.policy.OutOfBounds(&s.sees, now) {
			t.Skip("the bounds decide")
		}
		d := s.decide()
		switch {
		case s.sees.Up > 0 && d.Direction != policy.Up,
			s.sees.Up == 0 && s.sees.Down > 0 && d.Direction != policy.Down,
			s.sees.Up == 0 && s.sees.Down == 0 && d.Direction != policy.None:
			t.Fatalf("%d alerts up and %d down point %s", s.sees.Up, s.sees.Down, d.Direction)
		case d.Direction == policy.Up && d.Desired < d.Current,
			d.Direction == policy.Down && d.Desired > d.Current,
			d.Direction == policy.None && d.Desired != d.Current && !fellBack(d):
			t.Fatalf("direction %s: %s", d.Direction, d.Explain())
		}
	})
}

// fellBack reports whether on_missing or an alert alone decided, for want of
// usage.
func fellBack(d policy.Decision) bool {
	return slices.ContainsFunc(d.Steps, func(s policy.Step) bool { return s.Reason == policy.ReasonFallback })
}

// answer is what must not depend on any order.
type answer struct {
	Desired        int
	Reason         policy.Reason
	Act            bool
	Recommendation *int
	Placements     []policy.Placement
}

func answerOf(d policy.Decision) answer {
	return answer{d.Desired, d.Reason, d.Act, d.Recommendation, d.Placements}
}

func TestOrderIsIrrelevant(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scenes().Draw(t, "scene")
		want := s.decide()

		s.sees.Usage = rapid.Permutation(s.sees.Usage).Draw(t, "usage")
		if diff := cmp.Diff(want, s.decide()); diff != "" {
			t.Fatalf("order of usage (-want +got):\n%s", diff)
		}
		s.policy.Resources = rapid.Permutation(s.policy.Resources).Draw(t, "resources")
		if diff := cmp.Diff(answerOf(want), answerOf(s.decide())); diff != "" {
			t.Fatalf("order of resources (-want +got):\n%s", diff)
		}
	})
}

func TestShadowNeverActs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scenes().Draw(t, "scene")
		s.policy.Mode = policy.ModeOn
		on := s.decide()

		s.policy.Mode = policy.ModeOnlyScaleUp
		if d := s.decide(); d.Act != (on.Act && on.Desired >= on.Current) || d.Desired != on.Desired {
			t.Fatalf("only_scale_up: %s, act %t; on: %s", d.Explain(), d.Act, on.Explain())
		}

		outside := s.policy.OutOfBounds(&s.sees, now)
		s.policy.Mode = policy.ModeOff
		off := s.decide()
		if off.Act {
			t.Fatalf("acts: %s", off.Explain())
		}
		if off.Desired != off.Current && off.Reason != policy.ReasonShadow {
			t.Fatalf("does not say so: %s", off.Explain())
		}
		// Apart from that, shadow is what on would have done.
		if !outside && (off.Desired != on.Desired || !cmp.Equal(off.Placements, on.Placements)) {
			t.Fatalf("off: %s; on: %s", off.Explain(), on.Explain())
		}
	})
}

func TestBadResourceNeverSupportsDown(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scenes().Draw(t, "scene")
		if len(s.policy.Resources) == 0 || s.policy.OutOfBounds(&s.sees, now) {
			t.Skip("usage does not decide")
		}
		bad := rapid.SampledFrom(s.policy.Resources).Draw(t, "bad").Name
		i := slices.IndexFunc(s.sees.Usage, func(u policy.Usage) bool { return u.Resource == bad })
		switch how := rapid.IntRange(0, len(policy.Problems)+1).Draw(t, "how"); {
		case i < 0: // not observed at all
		case how < len(policy.Problems):
			s.sees.Usage[i].Problem = policy.Problems[how]
		case how == len(policy.Problems):
			s.sees.Usage[i].Value = -1
		default:
			s.sees.Usage = append(s.sees.Usage, s.sees.Usage[i]) // twice
		}
		if d := s.decide(); d.Desired < d.Current && !fellBack(d) {
			t.Fatalf("%s although %s is bad", d.Explain(), bad)
		}
	})
}

func TestDecideIsAFunction(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scenes().Draw(t, "scene")
		before := s.deepCopy()
		first := s.decide()
		if diff := cmp.Diff(first, s.decide()); diff != "" {
			t.Fatalf("equal arguments, another decision:\n%s", diff)
		}
		if diff := cmp.Diff(before, s, cmp.AllowUnexported(scene{})); diff != "" {
			t.Fatalf("an argument was changed:\n%s", diff)
		}
	})
}

func (s scene) deepCopy() scene {
	s.policy.Resources = slices.Clone(s.policy.Resources)
	s.policy.Targets = slices.Clone(s.policy.Targets)
	s.sees.Targets = slices.Clone(s.sees.Targets)
	s.sees.Usage = slices.Clone(s.sees.Usage)
	s.history = s.history.Clone()
	return s
}

func TestPlacementsAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scenes().Draw(t, "scene")
		d := s.decide()
		movedOn := slices.ContainsFunc(d.Steps, func(s policy.Step) bool { return s.Name == policy.StepMovedOn })
		if d.Desired == d.Current && !movedOn {
			if len(d.Placements) > 0 || d.Act {
				t.Fatalf("%s asks for %v", d.Explain(), d.Placements)
			}
			return
		}
		sum := 0
		for i, p := range d.Placements {
			state := s.sees.Targets[i]
			one := s.policy
			one.Min, one.Max, one.Targets = 0, 1<<30, s.policy.Targets[i:i+1]
			lowest, highest := one.Bounds(s.sees.Targets[i : i+1])
			switch {
			case p.Target != state.Name || p.From != state.Requested:
				t.Fatalf("placement %+v of target %+v", p, state)
			case p.To > p.From && state.BackoffUpUntil.After(now), p.To < p.From && state.BackoffDownUntil.After(now) && state.Stuck == 0:
				t.Fatalf("%+v asks a target in backoff", p)
			case (p.To > p.From) != (d.Desired > d.Current) && p.To != p.From && !movedOn:
				t.Fatalf("%+v goes against %d → %d", p, d.Current, d.Desired)
			case p.To > p.From && p.To > highest, p.To < p.From && p.To < lowest:
				t.Fatalf("%+v leaves %d..%d", p, lowest, highest)
			}
			sum += p.To
		}
		if sum != d.Desired {
			t.Fatalf("%v sum to %d, want %d", d.Placements, sum, d.Desired)
		}
	})
}

func TestMoreUsageNeverLowersAnUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scenes().Draw(t, "scene")
		if len(s.sees.Usage) == 0 {
			t.Skip("no usage")
		}
		s.sees.Up = 1
		before := s.decide()
		i := rapid.IntRange(0, len(s.sees.Usage)-1).Draw(t, "which")
		s.sees.Usage = slices.Clone(s.sees.Usage)
		s.sees.Usage[i].Value += rapid.Float64Range(0, 50).Draw(t, "more")
		after := s.decide()
		if before.Recommendation != nil && *after.Recommendation < *before.Recommendation {
			t.Fatalf("recommended %d, then %d", *before.Recommendation, *after.Recommendation)
		}
		// The step out of nothing is the alert's own: no usage measures it, and
		// it waits for no window.
		if after.Desired < before.Desired && !fellBack(before) {
			t.Fatalf("%s, then %s", before.Explain(), after.Explain())
		}
	})
}

func TestUpNeverLooksAtScaleDown(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scenes().Draw(t, "scene")
		s.sees.Up = rapid.IntRange(0, 1).Draw(t, "up")
		want := s.decide()
		if fellBack(want) {
			t.Skip("on_missing has no direction of its own")
		}
		other := behaviors().Draw(t, "other")
		if s.sees.Up > 0 {
			s.policy.ScaleDown = other
		} else {
			s.policy.ScaleUp = other
		}
		if diff := cmp.Diff(want, s.decide()); diff != "" {
			t.Fatalf("one direction looks at the other's behaviour:\n%s", diff)
		}
	})
}

func TestReasonsTell(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scenes().Draw(t, "scene")
		d := s.decide()
		if !slices.Contains(policy.Reasons, d.Reason) {
			t.Fatalf("reason %q is not in the list", d.Reason)
		}
		last := d.Steps[len(d.Steps)-1]
		if last.Replicas != d.Desired {
			t.Fatalf("the steps end at %d, the decision at %d", last.Replicas, d.Desired)
		}
		if !slices.ContainsFunc(d.Steps, func(s policy.Step) bool { return s.Reason == d.Reason }) {
			t.Fatalf("no step has the reason %s: %v", d.Reason, d.Steps)
		}
		if d.Desired == d.Current && last.Reason != d.Reason {
			t.Fatalf("held by %s (%s), and the reason is %s", last.Name, last.Reason, d.Reason)
		}
		for i := 1; i < len(d.Steps); i++ {
			if a, b := d.Steps[i-1], d.Steps[i]; a.Replicas != b.Replicas && b.Reason == "" {
				t.Fatalf("%s changes the count and gives no reason", b.Name)
			}
		}
		if !d.Act && d.Desired != d.Current && d.Reason != policy.ReasonShadow {
			t.Fatalf("does not act: %s", d.Explain())
		}
	})
}

func TestDecisionRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scenes().Draw(t, "scene")
		d := s.decide()
		d.ID = "01"
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var got policy.Decision
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		if d.Explain() != got.Explain() {
			t.Fatalf("explained as %q, read back as %q", d.Explain(), got.Explain())
		}
	})
}

func TestHistoryRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scenes().Draw(t, "scene")
		want := s.decide()
		b, err := json.Marshal(s.history)
		if err != nil {
			t.Fatal(err)
		}
		var restored policy.History
		if err := json.Unmarshal(b, &restored); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s.history, restored); diff != "" {
			t.Fatalf("history (-want +got):\n%s", diff)
		}
		s.history = restored
		if diff := cmp.Diff(want, s.decide()); diff != "" {
			t.Fatalf("a restart changed the decision:\n%s", diff)
		}
	})
}

// What no one should pass does no harm.
func TestHostileNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scenes().Draw(t, "scene")
		if len(s.policy.Resources) == 0 {
			t.Skip("no usage")
		}
		s.sees.Usage = nil
		good := true
		for _, r := range s.policy.Resources {
			u := uses(r.Name, hostile().Draw(t, "value"), hostile().Draw(t, "capacity"))
			s.sees.Usage = append(s.sees.Usage, u)
			good = good && u.Value >= 0 && u.Value <= math.MaxFloat64 && u.CapacityPerReplica > 0 && u.CapacityPerReplica <= math.MaxFloat64
		}
		s.policy.Reservation.Threshold = hostile().Draw(t, "threshold")
		s.policy.Reservation.Ratio = hostile().Draw(t, "ratio")
		d := s.decide()
		if !good && d.Desired < d.Current && !fellBack(d) && !s.policy.OutOfBounds(&s.sees, now) {
			t.Fatalf("goes down on %+v: %s", s.sees.Usage, d.Explain())
		}
		if _, err := json.Marshal(d); err != nil {
			t.Fatal(err)
		}
		s.history.Observe(s.policy, d)
		if _, err := json.Marshal(s.history); err != nil {
			t.Fatal(err)
		}
	})
}
