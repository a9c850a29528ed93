package policy_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// now is when every story is decided; times in stories are relative to it.
var now = time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }
func in(d time.Duration) time.Time  { return now.Add(d) }

// story is one decision: a policy, what is observed and what is remembered,
// and what comes of it.
type story struct {
	name    string
	policy  policy.Policy
	sees    policy.Observation
	history policy.History

	desired int
	reason  policy.Reason
	// waits is set where the decision must not act although desired differs
	// from the count.
	waits bool
	// places is given where it matters which target gets what.
	places []policy.Placement
	// steps is given where the way matters as much as the answer.
	steps []policy.Step
}

// tell decides each story and compares.
func tell(t *testing.T, stories []story) {
	t.Helper()
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			d := policy.Decide(s.policy, s.sees, s.history, now)
			if d.Desired != s.desired || d.Reason != s.reason {
				t.Errorf("got %d (%s), want %d (%s)", d.Desired, d.Reason, s.desired, s.reason)
			}
			if acts := s.desired != d.Current && !s.waits; d.Act != acts {
				t.Errorf("act is %t, want %t", d.Act, acts)
			}
			if s.places != nil {
				if diff := cmp.Diff(s.places, d.Placements); diff != "" {
					t.Errorf("placements (-want +got):\n%s", diff)
				}
			}
			if s.steps != nil {
				if diff := cmp.Diff(s.steps, d.Steps); diff != "" {
					t.Errorf("steps (-want +got):\n%s", diff)
				}
			}
			if t.Failed() {
				t.Logf("%s", d.Explain())
				for _, step := range d.Steps {
					t.Logf("  %-14s → %d %s: %s", step.Name, step.Replicas, step.Reason, step)
				}
			}
		})
	}
}

// web is a policy of 2 to 20 replicas that looks at its cpu usage and moves
// at once, as far as it takes. The stories change what they speak of.
func web(changes ...func(*policy.Policy)) policy.Policy {
	p := policy.Policy{
		Name:      "web",
		Mode:      policy.ModeOn,
		Min:       2,
		Max:       20,
		Resources: []policy.Resource{{Name: "cpu"}},
		Targets:   []policy.Target{{Name: "swarm"}},
	}
	for _, change := range changes {
		change(&p)
	}
	return p
}

// worker is a policy of 0 to 20 replicas that acts on alerts alone, by one
// replica at a time.
func worker(changes ...func(*policy.Policy)) policy.Policy {
	return web(append([]func(*policy.Policy){func(p *policy.Policy) {
		p.Name, p.Min, p.Resources = "worker", 0, nil
		p.AlertStep = policy.AlertStep{Up: policy.Amount{Replicas: 1}, Down: policy.Amount{Replicas: 1}}
	}}, changes...)...)
}

func mode(m policy.Mode) func(*policy.Policy) {
	return func(p *policy.Policy) { p.Mode = m }
}

func bounds(lowest, highest int) func(*policy.Policy) {
	return func(p *policy.Policy) { p.Min, p.Max = lowest, highest }
}

func needs(resources ...policy.Resource) func(*policy.Policy) {
	return func(p *policy.Policy) { p.Resources = resources }
}

func reserves(r policy.Reservation) func(*policy.Policy) {
	return func(p *policy.Policy) { p.Reservation = r }
}

func goesUp(b policy.Behavior) func(*policy.Policy) {
	return func(p *policy.Policy) { p.ScaleUp = b }
}

func goesDown(b policy.Behavior) func(*policy.Policy) {
	return func(p *policy.Policy) { p.ScaleDown = b }
}

func steps(up, down policy.Amount) func(*policy.Policy) {
	return func(p *policy.Policy) { p.AlertStep = policy.AlertStep{Up: up, Down: down} }
}

func maxGap(d time.Duration) func(*policy.Policy) {
	return func(p *policy.Policy) { p.MaxGap = d }
}

func targets(ts ...policy.Target) func(*policy.Policy) {
	return func(p *policy.Policy) { p.Targets = ts }
}

// up, down and quiet observe a policy with one target while one alert asks for
// more, one for less, or none for anything.
func up(replicas int, usage ...policy.Usage) policy.Observation {
	return policy.Observation{Up: 1, Targets: one(replicas), Usage: usage}
}

func down(replicas int, usage ...policy.Usage) policy.Observation {
	return policy.Observation{Down: 1, Targets: one(replicas), Usage: usage}
}

func quiet(replicas int, usage ...policy.Usage) policy.Observation {
	return policy.Observation{Targets: one(replicas), Usage: usage}
}

func one(replicas int) []policy.TargetState {
	return []policy.TargetState{{Name: "swarm", Requested: replicas, Ready: replicas}}
}

// cpu is in cores, and a replica has two of them.
func cpu(cores float64) policy.Usage { return uses("cpu", cores, 2) }

func uses(resource string, value, capacity float64) policy.Usage {
	return policy.Usage{Resource: resource, Value: value, CapacityPerReplica: capacity}
}

func unknown(resource string, problem policy.Problem) policy.Usage {
	return policy.Usage{Resource: resource, Problem: problem, Detail: "for the story"}
}

// watched remembers recommendations, the oldest first, each held from its
// time until the next; the last was seen 15 s ago and all of them were good.
func watched(samples ...policy.Sample) policy.History {
	h := policy.History{Since: samples[0].First, LastSeen: ago(15 * time.Second), Samples: samples}
	for i := range samples {
		if i+1 < len(samples) {
			samples[i].Last = samples[i+1].First.Add(-15 * time.Second)
		} else {
			samples[i].Last = h.LastSeen
		}
	}
	return h
}

// recommended begins a run of equal recommendations.
func recommended(replicas int, since time.Duration) policy.Sample {
	return policy.Sample{First: ago(since), Replicas: replicas}
}

// moves remembers moves, the oldest first.
func moves(ms ...policy.Move) policy.History { return policy.History{Moves: ms} }

// converged is a move whose replicas were ready at once.
func converged(from, to int, since time.Duration) policy.Move {
	return policy.Move{ID: "m", From: from, To: to, At: ago(since), Converged: ago(since)}
}

// converging is a move whose replicas are not ready.
func converging(from, to int, since time.Duration) policy.Move {
	return policy.Move{ID: "m", From: from, To: to, At: ago(since)}
}

// failed is a move whose replicas never became ready.
func failed(from, to int, since time.Duration) policy.Move {
	return policy.Move{ID: "m", From: from, To: to, At: ago(since), Failed: true}
}
