package scaler

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// refuses has a platform refuse one direction.
func refuses(s *scripted, d policy.Direction, kind target.Kind) {
	s.set(func(s *scripted) {
		s.onScale = func(_ context.Context, s *scripted, desired int) error {
			if state, _ := s.Current(context.Background()); action.DirectionOf(state.Requested, desired) == d {
				return target.Errorf(kind, "scale web", "no")
			}
			s.take(desired)
			return nil
		}
	})
}

func TestOneDirectionRefusedLeavesTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 5, nil)
		p := w.platform["web"]
		refuses(p, policy.Down, target.KindUnauthorized)
		w.fire("web", policy.Down)
		w.wait(20 * time.Second)
		w.expect("down is refused", 5, policy.ReasonTargetBackoff)
		for d, want := range map[string]bool{"up": false, "down": true} {
			if got := metricValue(t, w.reg, "alertscaler_target_backoff_until_timestamp_seconds", "direction", d); (got > 0) != want {
				t.Errorf("backoff %s until %g", d, got)
			}
		}
		s, _ := w.engine.Status("web")
		if st := s.Targets[0]; !st.BackoffUpUntil.IsZero() || !st.BackoffDownUntil.After(time.Now()) || !st.BackoffUntil.Equal(st.BackoffDownUntil) {
			t.Errorf("status %+v", st)
		}
		w.fire("web", policy.Up)
		w.wait(time.Second)
		if got := p.calls(); !slices.Equal(got, []int{4, 6}) {
			t.Fatalf("asked for %v: up must not wait for what was refused on the way down", got)
		}
		// What was accepted one way says nothing of the other.
		w.resolve("web", policy.Up)
		w.wait(2 * time.Minute)
		if got := p.calls(); !slices.Equal(got, []int{4, 6}) {
			t.Errorf("asked for %v: down is still backed off", got)
		}
		w.wait(10 * time.Minute)
		if got := p.calls(); len(got) < 3 || got[2] != 5 {
			t.Errorf("asked for %v: down is asked again after its backoff", got)
		}
	})
}

// TestWhatEndsABackoff: a refused target is asked again before its time where
// something has changed, and not otherwise.
func TestWhatEndsABackoff(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(w *world)
		ends bool
	}{
		{"a changed policy", func(w *world) { w.reload(w.configFor("web", func(p *config.Policy) { p.Max = 11 })) }, true},
		{"a changed target", func(w *world) {
			old := w.platform["web"]
			state, _ := old.Current(w.t.Context())
			w.platform["web"] = newScripted(state.Requested)
			w.reload(w.configFor("web", nil))
		}, true},
		{"a configuration that is the same", func(w *world) { w.reload(w.config) }, false},
		{"another interval", func(w *world) {
			w.reload(w.configFor("web", func(p *config.Policy) {
				other := config.Duration(2 * time.Second)
				p.EvaluationInterval = &other
			}))
		}, false},
		{"a restart", func(w *world) { w.restart() }, false},
		{"a restart with another configuration", func(w *world) {
			w.stop()
			w.config = w.configFor("web", func(p *config.Policy) { p.Max = 11 })
			w.start()
		}, true},
		{"an operator", func(w *world) {
			if found, held := w.engine.Retry("web"); !found || !held {
				w.t.Errorf("found %t, held %t", found, held)
			}
		}, true},
		{"a pause and a resume", func(w *world) { w.pause(0); w.resume() }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 2, nil)
				refuses(w.platform["web"], policy.Up, target.KindQuota)
				w.fire("web", policy.Up)
				w.wait(20 * time.Second)
				w.expect("refused", 2, policy.ReasonTargetBackoff)
				w.platform["web"].set(func(s *scripted) { s.onScale = nil })
				test.do(w)
				w.wait(20 * time.Second)
				if test.ends {
					w.expect("at once", 3, policy.ReasonCoolingDown)
				} else {
					w.expect("not yet", 2, policy.ReasonTargetBackoff)
				}
			})
		})
	}
}

func TestRetryOfWhatIsNotHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		if found, held := w.engine.Retry("web"); !found || held {
			t.Errorf("found %t, held %t", found, held)
		}
		if found, _ := w.engine.Retry("wbe"); found {
			t.Error("found what is not there")
		}
	})
}

// TestAFulfilledWishEndsABackoff: somebody else did what the target had
// refused, so that there is nothing to wait for.
func TestAFulfilledWishEndsABackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		p := w.platform["web"]
		refuses(p, policy.Up, target.KindPermanent)
		w.fire("web", policy.Up)
		w.wait(20 * time.Second)
		w.expect("refused", 2, policy.ReasonTargetBackoff)
		p.set(func(s *scripted) { s.onScale = nil })
		p.take(3)
		w.wait(90 * time.Second)
		if s, _ := w.engine.Status("web"); !s.Targets[0].BackoffUntil.IsZero() {
			t.Errorf("backed off until %s with what was wished for", s.Targets[0].BackoffUntil)
		}
	})
}

// TestLateReplicasEndTheirBackoff: what did not become ready in time is ready
// now.
func TestLateReplicasEndTheirBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		w.platform["web"].boot = 17 * time.Minute
		w.fire("web", policy.Up)
		w.wait(16 * time.Minute)
		w.expect("late", 3, policy.ReasonTargetBackoff)
		w.wait(90 * time.Second)
		if s, _ := w.engine.Status("web"); !s.Targets[0].BackoffUntil.IsZero() {
			t.Errorf("backed off until %s with 3 of 3 ready", s.Targets[0].BackoffUntil)
		}
	})
}
