package scaler

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// meddle has someone else set n as soon as the platform has another number,
// until the test ends it.
func meddle(t *testing.T, s *scripted, n int, after time.Duration) (stop func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(after):
			}
			if state, _ := s.Current(t.Context()); state.Requested != n {
				s.take(n)
			}
		}
	}()
	stop = func() {
		if !closed(done) {
			close(done)
		}
	}
	t.Cleanup(stop)
	return stop
}

// showsLate accepts every number, and shows it after a while.
func showsLate(after time.Duration) func(context.Context, *scripted, int) error {
	return func(_ context.Context, s *scripted, desired int) error {
		time.AfterFunc(after, func() { s.take(desired) })
		return nil
	}
}

// atMostFive is a policy that corrects whoever sets more.
func atMostFive(p *config.Policy) { p.Max = 5 }

// contestedWorld has someone else set 8 of at most five again and again, until
// the policy gives way.
func contestedWorld(t *testing.T) (w *world, stop func()) {
	t.Helper()
	w = newWorld(t, 5, atMostFive)
	stop = meddle(t, w.platform["web"], 8, 2*time.Second)
	w.wait(5 * time.Minute)
	w.expect("after three reversals", 8, policy.ReasonContested)
	return w, stop
}

func TestAContestIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, stop := contestedWorld(t)
		d := w.last("web")
		for _, want := range []string{
			"someone else took back 3 times within ", "of t (5 became 8 at 2000-01-01T00:0", "held until 2000-01-01T00:1",
			"find out who else sets it", "scalertool retry",
		} {
			if !strings.Contains(d.Explain(), want) {
				t.Errorf("explains %q, want %q in it", d.Explain(), want)
			}
		}
		if got := w.platform["web"].calls(); !slices.Equal(got, []int{5, 5, 5}) {
			t.Errorf("asked for %v", got)
		}
		if got := gauge(t, w.reg, "alertscaler_policy_contested"); got != 1 {
			t.Errorf("alertscaler_policy_contested = %g, want 1", got)
		}
		s, _ := w.engine.Status("web")
		if s.Contest == nil || len(s.Contest.Reversals) != 3 || s.Contest.Reversals[2].Asked != 5 || s.Contest.Reversals[2].Found != 8 {
			t.Errorf("status shows %+v", s.Contest)
		}
		// An alert for more does not break it, and neither does a restart.
		w.fire("web", policy.Up)
		w.wait(time.Minute)
		w.restart()
		w.wait(time.Minute)
		w.expect("after a restart", 8, policy.ReasonContested)
		stop()
		w.resolve("web", policy.Up)
		w.wait(10 * time.Minute)
		w.expect("nobody else has changed it for ten minutes", 5, policy.ReasonNoAlert)
		if got := gauge(t, w.reg, "alertscaler_policy_contested"); got != 0 {
			t.Errorf("alertscaler_policy_contested = %g, want 0", got)
		}
	})
}

func TestWhatEndsAContest(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(w *world)
	}{
		{"an operator", func(w *world) {
			if found, held := w.engine.Retry("web"); !found || !held {
				w.t.Errorf("found %t, held %t", found, held)
			}
		}},
		{"another configuration", func(w *world) {
			w.reload(w.configFor("web", func(p *config.Policy) { p.Max, p.Min = 5, 2 }))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, stop := contestedWorld(t)
				stop()
				test.do(w)
				w.wait(20 * time.Second)
				w.expect("at once", 5, policy.ReasonNoAlert)
			})
		})
	}
}

// TestWhoGoesOnMeddlingIsGivenWayTo: the hold does not end while somebody else
// changes the target.
func TestWhoGoesOnMeddlingIsGivenWayTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, stop := contestedWorld(t)
		stop()
		for i := range 6 {
			w.wait(5 * time.Minute)
			w.platform["web"].take(9 + i%2)
		}
		w.wait(time.Minute)
		w.expect("half an hour later", 10, policy.ReasonContested)
		if got := w.platform["web"].calls(); len(got) != 3 {
			t.Errorf("asked for %v", got)
		}
	})
}

// TestWhatIsNoContest: nobody who changes a target now and then is fought, and
// nothing that is only slow is taken for somebody.
func TestWhatIsNoContest(t *testing.T) {
	for _, test := range []struct {
		name string
		edit func(*config.Policy)
		do   func(w *world)
	}{
		{"one change", atMostFive, func(w *world) { w.platform["web"].take(8); w.wait(time.Minute) }},
		{"changes that help", nil, func(w *world) {
			w.fire("web", policy.Up)
			for range 3 {
				state, _ := w.platform["web"].Current(w.t.Context())
				w.platform["web"].take(state.Requested + 1)
				w.wait(90 * time.Second)
			}
		}},
		{"changes that nobody answers", nil, func(w *world) {
			for i := range 8 {
				w.platform["web"].take(2 + i%2)
				w.wait(30 * time.Second)
			}
		}},
		{"three within an hour", atMostFive, func(w *world) {
			for range 3 {
				w.platform["web"].take(8)
				w.wait(7 * time.Minute)
			}
		}},
		{"a platform that shows its numbers late", nil, func(w *world) {
			w.platform["web"].set(func(s *scripted) { s.onScale = showsLate(40 * time.Second) })
			for range 4 {
				w.fire("web", policy.Up)
				w.wait(time.Minute)
				w.resolve("web", policy.Up)
				w.wait(time.Minute)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 3, test.edit)
				test.do(w)
				for _, d := range w.decisions() {
					if d.Reason == policy.ReasonContested {
						t.Errorf("held: %s", d.Explain())
					}
				}
			})
		})
	}
}

func (w *world) decisions() []policy.Decision {
	w.t.Helper()
	w.wait(2 * time.Second) // what was enqueued is written by then
	ds, err := w.ledger.Decisions(ledger.Query{})
	if err != nil {
		w.t.Fatal(err)
	}
	return ds
}

// TestTwoInstancesWithOtherBounds: one has a maximum below the other's
// minimum.
func TestTwoInstancesWithOtherBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quick := func(w *world, lowest, highest int) *config.Config {
			second := config.Duration(time.Second)
			return w.configFor("web", func(p *config.Policy) { p.Min, p.Max, p.EvaluationInterval = lowest, highest, &second })
		}
		small := newWorld(t, 4, nil)
		large := newWorld(t, 4, nil)
		large.platform = small.platform
		small.reload(quick(small, 1, 3))
		large.reload(quick(large, 5, 10))
		small.wait(9 * time.Minute)
		calls := small.platform["web"].calls()
		if len(calls) > 7 {
			t.Errorf("asked for %v", calls)
		}
		small.wait(5 * time.Second)
		if got := small.platform["web"].calls(); len(got) != len(calls) {
			t.Errorf("it goes on: %v", got)
		}
		if a, b := small.last("web").Reason, large.last("web").Reason; a != policy.ReasonContested && b != policy.ReasonContested {
			t.Errorf("one is %s and the other %s", a, b)
		}
	})
}
