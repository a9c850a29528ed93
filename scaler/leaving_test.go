package scaler

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// slowly makes the platform take a while for each number, and returns how many
// calls were made at once at most.
func slowly(s *scripted, each time.Duration) (atOnce *atomic.Int64) {
	var now atomic.Int64
	atOnce = &atomic.Int64{}
	s.set(func(s *scripted) {
		s.onScale = func(_ context.Context, s *scripted, desired int) error {
			atOnce.Store(max(atOnce.Load(), now.Add(1)))
			defer now.Add(-1)
			time.Sleep(each)
			s.take(desired)
			return nil
		}
	})
	return atOnce
}

// TestPolicyThatLeavesDuringACall: its call ends, what came of it is written
// and settled, and when it is back the move is its own.
func TestPolicyThatLeavesDuringACall(t *testing.T) {
	for _, tc := range []struct {
		name string
		away time.Duration
	}{{"back within the call", time.Second}, {"back after the call", 20 * time.Second}, {"back after it was settled", 5 * time.Minute}, {"never back", 0}} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 2, nil)
				with := w.config
				platform := w.platform["web"]
				platform.set(func(s *scripted) { s.boot = time.Minute })
				atOnce := slowly(platform, 5*time.Second)
				w.fire("web", policy.Up)
				w.platform["other"] = newScripted(2)
				w.reload(w.configFor("other", nil))
				w.wait(tc.away)
				w.resolve("web", policy.Up)
				if tc.away > 0 {
					w.reload(with)
				}
				w.wait(3 * time.Minute)
				if states := w.actions(); !slices.Equal(states, []ledger.ActionState{ledger.Converged}) {
					t.Errorf("actions %v", states)
				}
				if got := platform.calls(); !slices.Equal(got, []int{3}) || atOnce.Load() != 1 {
					t.Errorf("asked for %v, %d at once", got, atOnce.Load())
				}
				if tc.away == 0 {
					if !platform.closed {
						t.Error("the target is not closed")
					}
					return
				}
				if n := counter(t, w.reg, "alertscaler_foreign_changes_total", "policy", "web"); n != 0 {
					t.Errorf("its own move is called someone else's")
				}
			})
		})
	}
}

// TestOneCallAtATimeOnATarget: a policy of another name that takes a target
// over waits for the call that is under way, and so does one that comes back.
func TestOneCallAtATimeOnATarget(t *testing.T) {
	for _, successor := range []string{"web", "heir"} {
		t.Run(successor, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 2, nil)
				platform := w.platform["web"]
				atOnce := slowly(platform, 8*time.Second)
				w.fire("web", policy.Up)

				w.platform["other"] = newScripted(2)
				if successor == "web" {
					w.reload(w.configFor("other", nil))
					w.wait(time.Second)
				}
				w.platform[successor] = platform
				next := w.configFor(successor, nil)
				// It is the same thing that is scaled.
				next.Policies[0].Targets[0].Platform = w.sameTarget()
				w.reload(next)
				w.fire(successor, policy.Up)
				w.wait(2 * time.Second)
				if got := platform.calls(); !slices.Equal(got, []int{3}) {
					t.Errorf("asked for %v while the first call is under way", got)
				}
				w.wait(3 * time.Minute)
				if atOnce.Load() != 1 {
					t.Errorf("%d calls at once", atOnce.Load())
				}
				if got := platform.calls(); len(got) < 2 || !slices.Equal(got[:2], []int{3, 4}) {
					t.Errorf("asked for %v", got)
				}
			})
		})
	}
}

func (w *world) sameTarget() target.Config {
	return &scriptedConfig{Name: "web", it: w.platform["web"]}
}

// TestStopEndsWhatWaits: evaluations in the queue do not run, reads end, and a
// call under way has its outcome written.
func TestStopEndsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		w.engine.lanes.size = 1
		w.engine.lanes.of = make(map[string]chan struct{})
		for _, name := range []string{"b", "c", "d", "e"} {
			w.also(name, 2)
		}
		w.wait(time.Minute)
		for _, s := range w.platform {
			s.set(func(s *scripted) { s.slow = 9 * time.Second })
		}
		slowly(w.platform["web"], 4*time.Second)
		w.platform["web"].set(func(s *scripted) { s.slow = 0 })
		w.fire("web", policy.Up)
		w.engine.Wake([]string{"b", "c", "d", "e"})
		asked := time.Now()
		if err := w.engine.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		// The call takes four seconds; the four in the queue would take nine
		// each.
		if took := time.Since(asked); took > 4*time.Second {
			t.Errorf("stopped after %s", took)
		}
		if states := w.actions(); !slices.Equal(states, []ledger.ActionState{ledger.Accepted}) {
			t.Errorf("actions %v", states)
		}
	})
}

// TestNewPoliciesDoNotUnreadyTheServer: it is ready once it was.
func TestNewPoliciesDoNotUnreadyTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		if err := w.engine.Ready(); err != nil {
			t.Fatal(err)
		}
		w.platform["slow"] = newScripted(2)
		w.platform["slow"].slow = 5 * time.Second
		c := *w.config
		c.Policies = append(slices.Clone(c.Policies), w.configFor("slow", nil).Policies...)
		w.reload(&c)
		w.wait(time.Second)
		if s, _ := w.engine.Status("slow"); s.Last != nil {
			t.Fatal("the new policy was evaluated already: this test tests nothing")
		}
		if err := w.engine.Ready(); err != nil {
			t.Errorf("not ready: %s", err)
		}
	})
}

// TestALedgerThatCannotBeWrittenIsTold, by the reason, by readiness and by the
// gauge, and all is well once it can.
func TestALedgerThatCannotBeWrittenIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		full := errors.New("no space left on device")
		w.broken.Store(&full)
		w.fire("web", policy.Up)
		w.wait(time.Minute)
		d := w.last("web")
		if d.Act || d.Reason != policy.ReasonNotRecorded || d.Desired != 2 {
			t.Errorf("decided %s", d.Explain())
		}
		if want := "web stays at 2 (not_recorded): the alert alone asks for 3; the ledger does not take what is intended, so no target is asked: no space left on device"; d.Explain() != want {
			t.Errorf("explained as %q", d.Explain())
		}
		if n := counter(t, w.reg, "alertscaler_decisions_total", "reason", "scaled_up"); n != 0 {
			t.Errorf("%g counted as scaled_up", n)
		}
		if n := gauge(t, w.reg, "alertscaler_safe_to_autoscale"); n != 0 {
			t.Errorf("safe to autoscale: %g", n)
		}
		if err := w.engine.Ready(); err == nil {
			t.Error("ready")
		}
		if err := w.engine.Evaluated(); err != nil {
			t.Errorf("not evaluated: %s", err)
		}
		w.broken.Store(nil)
		w.wait(20 * time.Second)
		if got := w.platform["web"].calls(); len(got) == 0 {
			t.Error("nothing was asked once the ledger works")
		}
		if err := w.engine.Ready(); err != nil {
			t.Errorf("not ready once the ledger works: %s", err)
		}
		if n := gauge(t, w.reg, "alertscaler_safe_to_autoscale"); n != 1 {
			t.Errorf("safe to autoscale: %g", n)
		}
	})
}
