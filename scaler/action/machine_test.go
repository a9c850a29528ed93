package action_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// TestObserve is a target as the decision sees it.
func TestObserve(t *testing.T) {
	accepted := action.Action{ID: "2", Decision: "1", Target: "a", From: 2, To: 5, State: action.Accepted, Created: t0, Accepted: t0}
	seen := accepted
	seen.Seen = true
	doubt := accepted
	doubt.State, doubt.Accepted, doubt.Error = action.Intended, time.Time{}, "timeout"
	until := t0.Add(time.Hour)
	late := policy.Backoffs{Up: policy.Backoff{Until: until, NotConverged: true, GivenUp: "quota"}}
	waits := late
	waits.Up.TakeBackAt = t0.Add(time.Minute)
	for _, test := range []struct {
		name    string
		open    []action.Action
		backoff policy.Backoffs
		shows   action.Reading
		after   time.Duration
		want    policy.TargetState
	}{
		{"as it shows", nil, policy.Backoffs{}, action.Reading{Requested: 3, Ready: 2, Min: 1, Max: 9}, 0, policy.TargetState{Requested: 3, Ready: 2, Min: 1, Max: 9}},
		{"unreadable", nil, policy.Backoffs{}, action.Reading{Requested: 3, Ready: 2, Problem: "no answer"}, 0, policy.TargetState{Requested: 3, Ready: 2, Error: "no answer"}},
		{"accepted and not shown yet", []action.Action{accepted}, policy.Backoffs{}, action.Reading{Requested: 2, Ready: 2}, time.Second, policy.TargetState{Requested: 5, Ready: 2}},
		{"accepted and never shown", []action.Action{accepted}, policy.Backoffs{}, action.Reading{Requested: 2, Ready: 2}, time.Minute, policy.TargetState{Requested: 2, Ready: 2}},
		{"accepted, and another number shown", []action.Action{accepted}, policy.Backoffs{}, action.Reading{Requested: 3, Ready: 2}, time.Second, policy.TargetState{Requested: 3, Ready: 2}},
		{"shown once, and set back", []action.Action{seen}, policy.Backoffs{}, action.Reading{Requested: 2, Ready: 2}, time.Second, policy.TargetState{Requested: 2, Ready: 2}},
		{"asked without an answer", []action.Action{doubt}, policy.Backoffs{}, action.Reading{Requested: 2, Ready: 2}, time.Second, policy.TargetState{Requested: 2, Ready: 2}},
		{"left alone", nil, policy.Backoffs{Up: policy.Backoff{Until: until}, Down: policy.Backoff{Until: t0}}, action.Reading{Requested: 2, Ready: 2}, 0, policy.TargetState{Requested: 2, Ready: 2, BackoffUpUntil: until, BackoffDownUntil: t0}},
		{"given up", nil, late, action.Reading{Requested: 5, Ready: 2}, 0, policy.TargetState{Requested: 5, Ready: 2, BackoffUpUntil: until, Stuck: 3, StuckBy: "quota"}},
		{"given up, and not taken back", nil, waits, action.Reading{Requested: 5, Ready: 2}, 0, policy.TargetState{Requested: 5, Ready: 2, BackoffUpUntil: until}},
		{"given up, and all are there", nil, late, action.Reading{Requested: 5, Ready: 6}, 0, policy.TargetState{Requested: 5, Ready: 6, BackoffUpUntil: until, StuckBy: "quota"}},
		{"given up long ago", nil, late, action.Reading{Requested: 5, Ready: 2}, 2 * time.Hour, policy.TargetState{Requested: 5, Ready: 2, BackoffUpUntil: until}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := &policy.History{Backoffs: map[string]policy.Backoffs{"a": test.backoff}}
			test.shows.Target, test.want.Name = "a", "a"
			got := action.New(rules("a"), h, test.open).Observe(test.shows, t0.Add(test.after))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestCompare: what nobody here asked for is someone else's, and replicas are
// lost where nobody asked for fewer.
func TestCompare(t *testing.T) {
	shown := action.Action{Target: "a", State: action.Accepted, Seen: true}
	hidden := action.Action{Target: "a", State: action.Accepted}
	for _, test := range []struct {
		name string
		// was is what was known; requested -1: nothing.
		was, wasReady    int
		requested, ready int
		problem          string
		open             []action.Action
		changed          bool
		lost             int
		knows            int
	}{
		{"never seen before", -1, 0, 4, 4, "", nil, false, 0, 4},
		{"as it was", 4, 4, 4, 4, "", nil, false, 0, 4},
		{"someone else went up", 4, 4, 6, 4, "", nil, true, 0, 6},
		{"someone else went down", 4, 4, 1, 4, "", nil, true, 0, 1},
		{"two are gone", 4, 4, 4, 2, "", nil, false, 2, 4},
		{"too many that end are not lost", 4, 6, 4, 5, "", nil, false, 0, 4},
		{"of too many only what lacks in the end", 4, 6, 4, 3, "", nil, false, 1, 4},
		{"gone while an action is under way", 4, 4, 4, 2, "", []action.Action{shown}, false, 0, 4},
		{"a number that may not be shown yet", 4, 4, 3, 3, "", []action.Action{hidden}, false, 0, 4},
		{"unreadable", 4, 4, 6, 1, "no answer", nil, false, 0, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := &policy.History{Samples: []policy.Sample{{First: t0, Last: t0, Replicas: 3}}}
			if test.was >= 0 {
				h.Targets = []policy.TargetMemory{{Name: "a", Requested: &test.was, Ready: test.wasReady}}
			}
			m := action.New(rules("a"), h, test.open)
			changes, events := m.Compare([]action.Reading{{Target: "a", Requested: test.requested, Ready: test.ready, Problem: test.problem}}, t0)
			var want []policy.ForeignChange
			if test.changed {
				want = []policy.ForeignChange{{Target: "a", From: test.was, To: test.requested}}
			}
			if diff := cmp.Diff(want, changes); diff != "" {
				t.Errorf("changes (-want +got)\n%s", diff)
			}
			if len(events) != len(want) || (len(events) == 1 && (events[0].Happening != action.Foreign || events[0].Was != test.was || events[0].Found != test.requested)) {
				t.Errorf("events %+v", events)
			}
			if foreign := len(h.Moves) == 1 && h.Moves[0].Foreign; foreign != test.changed || test.changed != (len(h.Samples) == 0) {
				t.Errorf("moves %+v, samples %v", h.Moves, h.Samples)
			}
			if _, lost := losses(h, "a"); lost != test.lost {
				t.Errorf("%d lost, want %d", lost, test.lost)
			}
			if got := requestedOf(h, "a"); got != test.knows {
				t.Errorf("knows %d, want %d", got, test.knows)
			}
			// The second look finds nothing new.
			if again, _ := m.Compare([]action.Reading{{Target: "a", Requested: test.requested, Ready: test.ready, Problem: test.problem}}, t0); len(again) > 0 {
				t.Errorf("again %v", again)
			}
		})
	}
}

// TestEndBackoffs: who has what it was asked for may be asked again.
func TestEndBackoffs(t *testing.T) {
	five, two := 5, 2
	until := t0.Add(time.Hour)
	up := policy.Backoffs{Up: policy.Backoff{Until: until, Failures: 2, Wanted: &five}}
	down := policy.Backoffs{Down: policy.Backoff{Until: until, Failures: 2, Wanted: &two}}
	for _, test := range []struct {
		name    string
		backoff policy.Backoffs
		shows   action.Reading
		after   time.Duration
		ends    bool
		events  []action.Happening
	}{
		{"more, and they are there", up, action.Reading{Requested: 5, Ready: 5}, 0, true, []action.Happening{action.Fulfilled}},
		{"more, and they boot", up, action.Reading{Requested: 5, Ready: 4}, 0, false, nil},
		{"more, and they are not there", up, action.Reading{Requested: 2, Ready: 2}, 0, false, nil},
		{"fewer, and they are gone", down, action.Reading{Requested: 2, Ready: 2}, 0, true, []action.Happening{action.Fulfilled}},
		{"fewer, and they stop", down, action.Reading{Requested: 2, Ready: 3}, 0, false, nil},
		{"it was over already", up, action.Reading{Requested: 5, Ready: 5}, 2 * time.Hour, true, nil},
		{"unreadable", up, action.Reading{Requested: 5, Ready: 5, Problem: "no answer"}, 0, false, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := &policy.History{Backoffs: map[string]policy.Backoffs{"a": test.backoff}}
			test.shows.Target = "a"
			events := action.New(rules("a"), h, nil).EndBackoffs([]action.Reading{test.shows}, t0.Add(test.after))
			if diff := cmp.Diff(test.events, happenings(events)); diff != "" {
				t.Errorf("events (-want +got)\n%s", diff)
			}
			if ended := len(h.Backoffs) == 0; ended != test.ends {
				t.Errorf("backoffs %+v", h.Backoffs)
			}
		})
	}
}

// TestQuietEndsAContest once.
func TestQuietEndsAContest(t *testing.T) {
	h := &policy.History{Contest: &policy.Contest{Until: t0.Add(time.Minute)}}
	m := action.New(rules("a"), h, nil)
	if got := m.EndBackoffs(nil, t0); len(got) > 0 || h.Contest == nil {
		t.Errorf("before its end: %v, %v", got, h.Contest)
	}
	m.EndBackoffs(nil, t0.Add(time.Minute))
	if h.Contest != nil {
		t.Errorf("after its end: %v", h.Contest)
	}
}

// TestReconfigured: another configuration ends what another one has led to.
func TestReconfigured(t *testing.T) {
	backoffs := func() map[string]policy.Backoffs {
		b := policy.Backoff{Until: t0.Add(time.Hour)}
		return map[string]policy.Backoffs{"a": {Up: b, Down: b}, "b": {Up: b}}
	}
	for _, test := range []struct {
		name     string
		was      string
		replaced []string
		resumes  bool
		left     []string
	}{
		{"the same", "one", nil, false, []string{"a", "b"}},
		{"another", "two", nil, true, nil},
		{"nobody knows which it was", "", nil, false, []string{"a", "b"}},
		{"the same with another target", "one", []string{"a"}, false, []string{"b"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := &policy.History{Config: test.was, Backoffs: backoffs()}
			if got := action.New(rules("a", "b"), h, nil).Reconfigured(test.replaced, "one", t0); got != test.resumes {
				t.Errorf("resumes %t", got)
			}
			var left []string
			for _, name := range []string{"a", "b"} {
				if _, ok := h.Backoffs[name]; ok {
					left = append(left, name)
				}
			}
			if diff := cmp.Diff(test.left, left); diff != "" || h.Config != "one" {
				t.Errorf("configuration %q, backoffs (-want +got)\n%s", h.Config, diff)
			}
		})
	}
}

func TestRetry(t *testing.T) {
	h := &policy.History{Backoffs: map[string]policy.Backoffs{"a": {Up: policy.Backoff{Until: t0}}}, Contest: &policy.Contest{Until: t0}}
	action.New(rules("a"), h, nil).Retry()
	if h.Backoffs != nil || h.Contest != nil {
		t.Errorf("%+v", h)
	}
}

func TestDoubling(t *testing.T) {
	for n, want := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second, 30 * time.Second} {
		if got := action.Doubling(5*time.Second, 30*time.Second, n); got != want {
			t.Errorf("after %d failures %s, want %s", n, got, want)
		}
	}
}

// TestNextLook is often at first, and ever less often.
func TestNextLook(t *testing.T) {
	for after, want := range map[time.Duration]time.Duration{
		0: 500 * time.Millisecond, 5 * time.Second: 500 * time.Millisecond, time.Minute: 6 * time.Second, time.Hour: interval,
	} {
		m := action.New(rules("a"), &policy.History{}, []action.Action{{Target: "a", State: action.Accepted, Created: t0}})
		if got := m.NextLook(interval, t0.Add(after)); got != want {
			t.Errorf("after %s in %s, want %s", after, got, want)
		}
	}
	if got := action.New(rules("a"), &policy.History{}, nil).NextLook(interval, t0); got != interval {
		t.Errorf("with nothing open in %s", got)
	}
}

// TestWaits for what may still become ready, and for nothing else.
func TestWaits(t *testing.T) {
	m := action.New(rules("a"), &policy.History{}, []action.Action{{Target: "a", State: action.Accepted, Created: t0}})
	all := func(string) bool { return false }
	if !m.Waits(t0.Add(timeout-time.Second), all) {
		t.Error("does not wait for what has its time")
	}
	if m.Waits(t0.Add(timeout), all) {
		t.Error("waits for what had its time")
	}
	if m.Waits(t0, func(name string) bool { return name == "a" }) {
		t.Error("waits for what nobody waits for")
	}
}

// TestTheClockIsCorrected: what is open goes on waiting for as long as before,
// and nothing is later than now.
func TestTheClockIsCorrected(t *testing.T) {
	at := func(created, accepted time.Duration) action.Action {
		return action.Action{Target: "a", State: action.Accepted, Created: t0.Add(created), Accepted: t0.Add(accepted)}
	}
	for _, test := range []struct {
		name string
		by   time.Duration
		want action.Action
	}{
		{"back", -time.Hour, at(-time.Hour, time.Second-time.Hour)},
		{"ahead, by less than it has waited", 30 * time.Second, at(30*time.Second, 31*time.Second)},
		{"ahead of now", 2 * time.Minute, at(time.Minute, time.Minute)},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := action.New(rules("a"), &policy.History{}, []action.Action{at(0, time.Second), {Target: "b", State: action.Intended}})
			m.Shift(test.by, t0.Add(time.Minute))
			open := m.Open()
			if diff := cmp.Diff(test.want, open[0]); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if !open[1].Created.IsZero() || !open[1].Accepted.IsZero() {
				t.Errorf("times that were not noted: %+v", open[1])
			}
		})
	}
	a := at(2*time.Minute, 3*time.Minute)
	if by := a.Clamp(t0); by != 3*time.Minute || !a.Created.Equal(t0) || !a.Accepted.Equal(t0) {
		t.Errorf("ahead by %s: %+v", by, a)
	}
}
