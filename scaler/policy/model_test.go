package policy_test

import (
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// The history joins and forgets. Here it is held against the plain list of
// everything that was ever seen.

// seen is one evaluation of such a list.
type seen struct {
	at       time.Time
	replicas int
}

func TestWindowLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		window := time.Duration(rapid.IntRange(1, 12).Draw(t, "window")) * 15 * time.Second
		gap := time.Duration(rapid.IntRange(0, 3).Draw(t, "gap")) * 30 * time.Second
		p := web(bounds(0, 100), maxGap(gap),
			goesUp(policy.Behavior{Stabilization: window}), goesDown(policy.Behavior{Stabilization: window}))
		var (
			h    policy.History
			run  []seen // since the last time that nothing was known
			last time.Time
			at   = now
		)
		for range rapid.IntRange(1, 40).Draw(t, "evaluations") {
			at = at.Add(time.Duration(rapid.SampledFrom([]int{1, 5, 15, 15, 15, 15, 31, 61, 91}).Draw(t, "pause")) * time.Second)
			if gap > 0 && at.Sub(last) > gap {
				run = nil
			}
			if rapid.IntRange(0, 9).Draw(t, "bad") == 0 {
				h.Observe(p, policy.Decide(p, quiet(50, unknown("cpu", policy.ProblemStale)), h, at))
				run = nil
				continue
			}
			replicas := rapid.IntRange(0, 100).Draw(t, "recommended")
			usage := cpu(float64(2 * replicas))

			if covered := len(run) > 0 && !run[0].at.After(at.Add(-window)); covered {
				lowest, highest := replicas, replicas
				for _, s := range run {
					if !s.at.Before(at.Add(-window)) {
						lowest, highest = min(lowest, s.replicas), max(highest, s.replicas)
					}
				}
				if d := policy.Decide(p, down(50, usage), h, at); d.Desired != min(50, highest) {
					t.Fatalf("down to %d, want %d, window %s of %v: %+v", d.Desired, min(50, highest), window, run, h)
				}
				if d := policy.Decide(p, up(50, usage), h, at); d.Desired != max(50, lowest) {
					t.Fatalf("up to %d, want %d, window %s of %v: %+v", d.Desired, max(50, lowest), window, run, h)
				}
			} else if d := policy.Decide(p, down(50, usage), h, at); d.Desired != 50 {
				t.Fatalf("down to %d on a window of %s with only %v: %+v", d.Desired, window, run, h)
			}

			h.Observe(p, policy.Decide(p, quiet(50, usage), h, at))
			run, last = append(run, seen{at, replicas}), at
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := policies().Draw(t, "policy")
		every := time.Duration(rapid.IntRange(1, 30).Draw(t, "every")) * time.Second
		window := max(p.ScaleUp.Stabilization, p.ScaleDown.Stabilization)
		reach := max(p.ScaleUp.Cooldown, p.ScaleDown.Cooldown, p.ScaleUp.Step.Per, p.ScaleDown.Step.Per)
		var h policy.History
		at := now
		for i := range 200 {
			at = at.Add(every)
			if rapid.IntRange(0, 49).Draw(t, "clock set back") == 0 {
				at = at.Add(-time.Hour)
				h.Moves = nil
			}
			remember(t, &h, p, at, strconv.Itoa(i))
			// Those within the window, one that began before it, and the one
			// just seen.
			if n, most := len(h.Samples), int(window/every)+2; n > most {
				t.Fatalf("%d samples of a window of %s, seen every %s; %d would do", n, window, every, most)
			}
			for i, s := range h.Samples {
				if s.Last.Before(s.First) || (i > 0 && s.First.Before(h.Samples[i-1].Last)) {
					t.Fatalf("samples are not in order: %+v", h.Samples)
				}
			}
		}
		// Long after, one more of each leaves only what is new.
		at = at.Add(24 * time.Hour)
		h.Settled(newest(h).ID, at.Add(-23*time.Hour), false)
		h.Moved(p, policy.Move{ID: "last", At: at.Add(reach), From: 1, To: 2})
		if len(h.Moves) > 1 {
			t.Fatalf("moves of yesterday are remembered: %+v", h.Moves)
		}
	})
}

func newest(h policy.History) policy.Move {
	if len(h.Moves) == 0 {
		return policy.Move{}
	}
	return h.Moves[len(h.Moves)-1]
}

// However often a policy is evaluated, no period sees more than its step.
func TestNoPeriodSeesMoreThanItsStep(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 6).Draw(t, "size")
		per := time.Duration(rapid.IntRange(1, 120).Draw(t, "per")) * time.Second
		limit := policy.Behavior{Step: policy.StepLimit{Replicas: size, Per: per}}
		p := web(bounds(0, 1000), goesUp(limit), goesDown(limit))
		rising := rapid.Bool().Draw(t, "rising")
		look, replicas := up, 0
		if !rising {
			look, replicas = down, 1000
		}
		var (
			h     policy.History
			moves []policy.Move
			at    = now
		)
		for i := range rapid.IntRange(1, 60).Draw(t, "evaluations") {
			at = at.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "pause")) * time.Second)
			need := 0.0
			if rising {
				need = 2000
			}
			d := policy.Decide(p, look(replicas, cpu(need)), h, at)
			if !d.Act {
				continue
			}
			m := policy.Move{ID: strconv.Itoa(i), At: at, From: d.Current, To: d.Desired}
			h.Moved(p, m)
			h.Settled(m.ID, at, rapid.IntRange(0, 9).Draw(t, "fails") == 0)
			replicas = d.Desired
			moves = append(moves, m)

			moved := 0
			for _, m := range moves {
				if m.At.After(at.Add(-per)) {
					moved += max(m.To-m.From, m.From-m.To)
				}
			}
			if moved > size {
				t.Fatalf("moved %d within %s, the step is %d: %+v", moved, per, size, moves)
			}
		}
	})
}
