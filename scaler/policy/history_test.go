package policy_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// windowed looks five minutes back and takes two minutes for a gap.
var windowed = web(maxGap(2*time.Minute), goesDown(policy.Behavior{Stabilization: 5 * time.Minute}))

// recall lets a policy see one observation every 15 s from t on and returns
// what it remembers.
func recall(h policy.History, p policy.Policy, t time.Time, os ...policy.Observation) policy.History {
	for i, o := range os {
		h.Observe(p, policy.Decide(p, o, h, t.Add(time.Duration(i)*15*time.Second)))
	}
	return h
}

func times(n int, o policy.Observation) []policy.Observation {
	os := make([]policy.Observation, n)
	for i := range os {
		os[i] = o
	}
	return os
}

func remembers(t *testing.T, got, want policy.History) {
	t.Helper()
	got.Observed, want.Observed = time.Time{}, time.Time{} // the time of the last decision, whatever that was
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

func TestObserveJoinsEqualRecommendations(t *testing.T) {
	os := append(times(4, quiet(6, cpu(8))), times(3, quiet(6, cpu(10)))...)
	remembers(t, recall(policy.History{}, windowed, now, os...), policy.History{
		Since: now, LastSeen: in(90 * time.Second),
		Samples: []policy.Sample{
			{First: now, Last: in(45 * time.Second), Replicas: 4},
			{First: in(60 * time.Second), Last: in(90 * time.Second), Replicas: 5},
		},
	})
}

func TestObserveForgetsWhatNoWindowReaches(t *testing.T) {
	// 4 and 5 for a moment each, then 6 for long. What came first stays as long
	// as it takes to prove that the window is covered, and not longer.
	os := append([]policy.Observation{quiet(6, cpu(8)), quiet(6, cpu(10))}, times(19, quiet(6, cpu(12)))...)
	h := recall(policy.History{}, windowed, now, os...)
	end := in(5 * time.Minute)
	five := policy.Sample{First: in(15 * time.Second), Last: in(15 * time.Second), Replicas: 5}
	remembers(t, h, policy.History{Since: now, LastSeen: end, Samples: []policy.Sample{
		{First: now, Last: now, Replicas: 4},
		five,
		{First: in(30 * time.Second), Last: end, Replicas: 6},
	}})

	h = recall(h, windowed, end.Add(15*time.Second), quiet(6, cpu(12)))
	remembers(t, h, policy.History{Since: now, LastSeen: end.Add(15 * time.Second), Samples: []policy.Sample{
		five,
		{First: in(30 * time.Second), Last: end.Add(15 * time.Second), Replicas: 6},
	}})

	h = recall(h, windowed, end.Add(30*time.Second), quiet(6, cpu(12)))
	remembers(t, h, policy.History{Since: now, LastSeen: end.Add(30 * time.Second), Samples: []policy.Sample{
		{First: in(30 * time.Second), Last: end.Add(30 * time.Second), Replicas: 6},
	}})
}

func TestObserveKeepsTheLongerWindow(t *testing.T) {
	p := web(goesUp(policy.Behavior{Stabilization: time.Hour}), goesDown(policy.Behavior{Stabilization: time.Minute}))
	h := recall(policy.History{}, p, now, append(times(1, quiet(6, cpu(8))), times(200, quiet(6, cpu(12)))...)...)
	if n := len(h.Samples); n != 2 || h.Samples[0].Replicas != 4 {
		t.Errorf("an hour's window forgot what was 50 minutes ago: %+v", h.Samples)
	}
}

func TestObserveStartsAnewAfterAGap(t *testing.T) {
	h := recall(policy.History{}, windowed, now, times(3, quiet(6, cpu(8)))...)
	later := in(30*time.Second + 2*time.Minute + time.Second)
	remembers(t, recall(h, windowed, later, quiet(6, cpu(8))), policy.History{
		Since: later, LastSeen: later,
		Samples: []policy.Sample{{First: later, Last: later, Replicas: 4}},
	})
}

func TestObserveGoesOnAfterAShortGap(t *testing.T) {
	h := recall(policy.History{}, windowed, now, times(3, quiet(6, cpu(8)))...)
	later := in(30*time.Second + 2*time.Minute)
	remembers(t, recall(h, windowed, later, quiet(6, cpu(8))), policy.History{
		Since: now, LastSeen: later,
		Samples: []policy.Sample{{First: now, Last: later, Replicas: 4}},
	})
}

func TestObserveOfBadDataEndsTheRun(t *testing.T) {
	h := recall(policy.History{}, windowed, now, quiet(6, cpu(8)), quiet(6, unknown("cpu", policy.ProblemStale)))
	remembers(t, h, policy.History{
		LastSeen:     now,
		Samples:      []policy.Sample{{First: now, Last: now, Replicas: 4}},
		MissingSince: in(15 * time.Second), MissingSeen: in(15 * time.Second),
	})
	remembers(t, recall(h, windowed, in(30*time.Second), quiet(6, cpu(8))), policy.History{
		Since: in(30 * time.Second), LastSeen: in(30 * time.Second),
		Samples: []policy.Sample{{First: now, Last: in(30 * time.Second), Replicas: 4}},
	})
}

func TestObserveOfOneBadResourceRemembersTheRecommendation(t *testing.T) {
	p := windowed
	p.Resources = []policy.Resource{{Name: "cpu"}, {Name: "memory"}}
	h := recall(policy.History{}, p, now, quiet(6, cpu(8), unknown("memory", policy.ProblemStale)))
	remembers(t, h, policy.History{
		Samples:      []policy.Sample{{First: now, Last: now, Replicas: 4}},
		MissingSince: now, MissingSeen: now,
	})
}

func TestObserveCountsShadowDecisions(t *testing.T) {
	p := windowed
	p.Mode = policy.ModeOff
	remembers(t, recall(policy.History{}, p, now, up(2, cpu(8))), policy.History{
		Since: now, LastSeen: now,
		Samples: []policy.Sample{{First: now, Last: now, Replicas: 4}},
	})
}

func TestObserveIgnoresWhatReadNoUsage(t *testing.T) {
	h := recall(policy.History{}, windowed, now, quiet(6, cpu(8)))
	want := h.Clone()
	for _, o := range []policy.Observation{
		quiet(1), // below the minimum
		{Targets: []policy.TargetState{{Name: "swarm", Requested: 6, Error: "503"}}},
	} {
		remembers(t, recall(h, windowed, in(15*time.Second), o), want)
	}
	remembers(t, recall(policy.History{}, worker(), now, up(4)), policy.History{})
}

func TestObserveSurvivesAClockSetBack(t *testing.T) {
	// Two samples an hour ahead, then the clock is right again.
	h := recall(policy.History{}, windowed, in(time.Hour), quiet(6, cpu(8)), quiet(6, cpu(10)))
	remembers(t, recall(h, windowed, now, quiet(6, cpu(12))), policy.History{
		Since: now, LastSeen: now,
		Samples: []policy.Sample{{First: now, Last: now, Replicas: 6}},
	})
}

func TestMovedAndSettled(t *testing.T) {
	p := web(goesDown(policy.Behavior{Cooldown: 5 * time.Minute}))
	var h policy.History
	h.Moved(p, policy.Move{ID: "a", At: now, From: 2, To: 4})
	if !h.Converging() {
		t.Error("a move that was just made has converged")
	}
	h.Settled("b", in(time.Second), false)
	if !h.Converging() {
		t.Error("the convergence of another move was taken for it")
	}
	h.Settled("a", in(30*time.Second), false)
	if h.Converging() {
		t.Error("a settled move is still converging")
	}
	if got, want := h.CooldownUntil(&p, policy.Down), in(5*time.Minute+30*time.Second); !got.Equal(want) {
		t.Errorf("cooldown until %v, want %v", got, want)
	}
}

func TestSettledStandsAtItsFirstVerdict(t *testing.T) {
	for _, first := range []bool{true, false} {
		var h policy.History
		h.Moved(web(), policy.Move{ID: "a", At: now, From: 2, To: 4})
		h.Settled("a", in(time.Minute), first)
		want := h.Clone()
		h.Settled("a", in(time.Hour), true)
		h.Settled("a", in(time.Hour), false)
		remembers(t, h, want)
	}
}

func TestNoOpSpendsNothing(t *testing.T) {
	p := web(goesUp(policy.Behavior{Cooldown: time.Hour}), goesDown(policy.Behavior{Cooldown: time.Hour}))
	var h policy.History
	h.Moved(p, policy.Move{ID: "a", At: now, From: 4, To: 4})
	remembers(t, h, policy.History{})

	// Nor does it take over from a move that is still converging.
	h.Moved(p, policy.Move{ID: "b", At: now, From: 4, To: 6})
	want := h.Clone()
	h.Moved(p, policy.Move{ID: "c", At: in(time.Minute), From: 6, To: 6})
	remembers(t, h, want)
}

func TestDecisionsThatHoldSpendNothing(t *testing.T) {
	// A decision is remembered only through Observe, and that starts neither
	// cooldown nor step limit.
	p := web(goesUp(policy.Behavior{Cooldown: time.Hour}), mode(policy.ModeOff))
	h := recall(policy.History{}, p, now, times(4, up(4, cpu(12)))...)
	if len(h.Moves) != 0 || !h.CooldownUntil(&p, policy.Up).IsZero() {
		t.Errorf("shadow decisions left %+v", h.Moves)
	}
}

func TestNewerMoveTakesOver(t *testing.T) {
	var h policy.History
	h.Moved(web(), policy.Move{ID: "a", At: now, From: 2, To: 4})
	h.Moved(web(), policy.Move{ID: "b", At: in(time.Minute), From: 4, To: 6})
	h.Settled("b", in(2*time.Minute), true)
	if h.Converging() {
		t.Error("the move that was taken over is waited for again")
	}
}

func TestMovesAreForgotten(t *testing.T) {
	p := web(
		goesUp(policy.Behavior{Cooldown: time.Minute, Step: policy.StepLimit{Replicas: 4, Per: 15 * time.Second}}),
		goesDown(policy.Behavior{Cooldown: 5 * time.Minute, Step: policy.StepLimit{Ratio: 0.1, Per: time.Minute}}),
	)
	var h policy.History
	h.Moved(p, policy.Move{ID: "a", At: now, From: 2, To: 4})
	h.Settled("a", in(time.Minute), false)

	h.Moved(p, policy.Move{ID: "b", At: in(6 * time.Minute), From: 4, To: 6})
	h.Settled("b", in(6*time.Minute+30*time.Second), false)
	if len(h.Moves) != 2 {
		t.Errorf("a move that cools down was forgotten: %+v", h.Moves)
	}

	h.Moved(p, policy.Move{ID: "c", At: in(6*time.Minute + 31*time.Second), From: 6, To: 8})
	if len(h.Moves) != 2 || h.Moves[0].ID != "b" {
		t.Errorf("a move that cooled down is remembered: %+v", h.Moves)
	}

	h.Settled("c", in(7*time.Minute), true)
	h.Moved(p, policy.Move{ID: "d", At: in(24 * time.Hour), From: 8, To: 9})
	if len(h.Moves) != 1 || h.Moves[0].ID != "d" {
		t.Errorf("the newest move alone should be left: %+v", h.Moves)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	h := watched(recommended(6, 10*time.Minute), recommended(7, time.Minute))
	h.Moves = []policy.Move{converged(2, 4, time.Hour)}
	h.Backoffs = map[string]policy.Backoffs{"swarm": {Up: policy.Backoff{Until: in(time.Minute), Failures: 2}}}

	c := h.Clone()
	remembers(t, c, h)
	c.Samples[0].Replicas, c.Moves[0].To, c.Backoffs["swarm"] = 0, 0, policy.Backoffs{}
	if h.Samples[0].Replicas != 6 || h.Moves[0].To != 4 || h.Backoffs["swarm"].Up.Failures != 2 {
		t.Error("changing the clone changed the history")
	}
}

func TestHistoryJSON(t *testing.T) {
	h := watched(recommended(6, 10*time.Minute), recommended(7, time.Minute))
	h.Moves = []policy.Move{converged(2, 4, time.Hour), failed(4, 9, time.Minute)}
	h.Backoffs = map[string]policy.Backoffs{"swarm": {Up: policy.Backoff{Until: in(time.Minute), Failures: 2}}}

	b, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	var got policy.History
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	remembers(t, got, h)

	if b, _ := json.Marshal(policy.History{}); string(b) != "{}" {
		t.Errorf("an empty history is written as %s", b)
	}
}
