package scaler

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// pause pauses web for d, or until somebody resumes where d is 0.
func (w *world) pause(d time.Duration) policy.Pause {
	w.t.Helper()
	p := policy.Pause{Since: time.Now().UTC(), By: "alice", Comment: "load test"}
	if d > 0 {
		p.Until = p.Since.Add(d)
	}
	if found, err := w.engine.Pause("web", p); !found || err != nil {
		w.t.Fatalf("pause: found %t, %v", found, err)
	}
	synctest.Wait()
	return p
}

func (w *world) resume() {
	w.t.Helper()
	if found, resumed, err := w.engine.Resume("web"); !found || !resumed || err != nil {
		w.t.Fatalf("resume: found %t, resumed %t, %v", found, resumed, err)
	}
	synctest.Wait()
}

// stored are the pauses in the ledger.
func (w *world) stored() map[string]policy.Pause {
	w.t.Helper()
	all, err := w.ledger.Pauses()
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func TestPauseHoldsOutsideTheBoundsUntilResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		p := w.pause(0)
		w.expect("at once", 2, policy.ReasonPaused)
		w.platform["web"].take(15)
		w.fire("web", policy.Up)
		w.wait(time.Hour)
		w.expect("above the maximum, an alert fires", 15, policy.ReasonPaused)
		s, _ := w.engine.Status("web")
		if diff := cmp.Diff(&p, s.Pause); diff != "" {
			t.Errorf("status (-want +got):\n%s", diff)
		}
		if got := gauge(t, w.reg, "alertscaler_policy_paused"); got != 1 {
			t.Errorf("alertscaler_policy_paused = %g, want 1", got)
		}

		w.wait(time.Second) // in the middle of an interval
		w.resume()
		w.expect("resumed", 10, policy.ReasonAboveMax)
		if s, _ := w.engine.Status("web"); s.Pause != nil {
			t.Errorf("status shows the pause %+v", s.Pause)
		}
		if got := gauge(t, w.reg, "alertscaler_policy_paused"); got != 0 {
			t.Errorf("alertscaler_policy_paused = %g, want 0", got)
		}
		if got := w.stored(); len(got) != 0 {
			t.Errorf("the ledger has %v", got)
		}
		if found, resumed, err := w.engine.Resume("web"); !found || resumed || err != nil {
			t.Errorf("resumed again: found %t, resumed %t, %v", found, resumed, err)
		}
	})
}

func TestPauseEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		w.wait(4 * time.Second)
		w.pause(7 * time.Second)
		w.fire("web", policy.Up)
		w.wait(6 * time.Second)
		w.expect("within it", 2, policy.ReasonPaused)
		w.wait(time.Second)
		w.expect("at its end", 3, policy.ReasonScaledUp)
		w.wait(time.Second)
		if got := w.stored(); len(got) != 0 {
			t.Errorf("the ledger has %v", got)
		}
		// Pausing anew is another pause.
		w.pause(time.Hour)
		w.wait(time.Minute)
		if got := w.stored(); len(got) != 1 {
			t.Errorf("the ledger has %v", got)
		}
	})
}

func TestPauseSurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		p := w.pause(time.Hour)
		w.fire("web", policy.Up)
		w.restart()
		w.expect("after a restart", 2, policy.ReasonPaused)
		if s, _ := w.engine.Status("web"); s.Pause == nil || !s.Pause.Until.Equal(p.Until) || s.Pause.By != p.By {
			t.Errorf("status shows the pause %+v, want %+v", s.Pause, p)
		}
		w.stop()
		w.wait(2 * time.Hour)
		w.start()
		w.expect("it ended while nobody ran", 3, policy.ReasonScaledUp)
		w.wait(time.Second)
		if got := w.stored(); len(got) != 0 {
			t.Errorf("the ledger has %v", got)
		}
	})
}

func TestPauseOutlivesThePolicysAbsence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		web := w.config
		w.platform["other"] = newScripted(1)
		other := w.configFor("other", nil)
		w.pause(0)
		w.reload(other)
		w.wait(time.Minute)
		if found, err := w.engine.Pause("web", policy.Pause{By: "bob"}); found || err != nil {
			t.Errorf("pause of a policy that is gone: found %t, %v", found, err)
		}
		if found, _, err := w.engine.Resume("web"); found || err != nil {
			t.Errorf("resume of a policy that is gone: found %t, %v", found, err)
		}
		w.reload(web)
		synctest.Wait()
		w.fire("web", policy.Up)
		w.expect("back again", 2, policy.ReasonPaused)

		w.reload(other)
		w.restart()
		w.reload(web)
		synctest.Wait()
		w.expect("back again after a restart", 2, policy.ReasonPaused)
		w.resume()
		w.expect("resumed", 3, policy.ReasonScaledUp)
	})
}

func TestPauseThatIsNotDurableIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		full := errors.New("disk full")
		w.broken.Store(&full)
		if found, err := w.engine.Pause("web", policy.Pause{By: "alice"}); !found || !errors.Is(err, full) {
			t.Errorf("pause: found %t, %v", found, err)
		}
		synctest.Wait()
		w.expect("not paused", 2, policy.ReasonNoAlert)
		w.broken.Store(nil)
		w.pause(0)
		w.broken.Store(&full)
		if found, resumed, err := w.engine.Resume("web"); !found || resumed || !errors.Is(err, full) {
			t.Errorf("resume: found %t, resumed %t, %v", found, resumed, err)
		}
		w.wait(time.Minute)
		w.expect("still paused", 2, policy.ReasonPaused)
		w.broken.Store(nil)
	})
}

func TestBlockingAlertHoldsItsDirection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blocks, err := labels.ParseMatcher(`scale="block_up"`)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, 2, func(p *config.Policy) { p.Alerts.BlockUp = config.Matchers{blocks} })
		w.fire("web", alerts.BlockUp)
		w.expect("nothing to block", 2, policy.ReasonNoAlert)
		w.fire("web", policy.Up)
		w.wait(time.Minute)
		w.expect("blocked", 2, policy.ReasonBlocked)
		s, _ := w.engine.Status("web")
		// It has no alertname.
		if want := []string{"webblock_up"}; !slices.Equal(s.BlockUp, want) || len(s.BlockDown) > 0 || s.AlertsUp != 1 {
			t.Errorf("status: blocked up by %v, down by %v, %d alerts; want %v", s.BlockUp, s.BlockDown, s.AlertsUp, want)
		}
		w.wait(time.Second)
		w.resolve("web", alerts.BlockUp)
		w.expect("free at once", 3, policy.ReasonScaledUp)
	})
}

func TestSilencedAlertHoldsInTheNameOfItsAuthor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		w.fire("web", policy.Down)
		w.wait(time.Minute) // it acts upon it, and has time to forget
		before, _ := w.platform["web"].Current(t.Context())

		a := w.book.AlertsFor("web")[0]
		end := time.Now().UTC().Add(time.Hour)
		p := policy.Pause{Since: time.Now().UTC(), Until: end, By: "bob", Comment: "deploy", Silence: "s1"}
		a.SilencedBy, a.Silences = []string{"s1"}, []policy.Pause{p}
		reconcile := func() {
			t.Helper()
			if _, err := w.book.Reconcile(t.Context(), alerts.Answer{RequestedAt: time.Now(), Alerts: []alerts.Alert{a}}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		reconcile()
		w.expect("silenced", before.Requested, policy.ReasonPaused)
		d := w.last("web")
		want := policy.Step{
			Name: policy.StepPause, Subject: "bob", Reason: policy.ReasonPaused, Until: end, Detail: "deploy", Value: 1,
			Replicas: before.Requested,
		}
		if diff := cmp.Diff(want, d.Steps[len(d.Steps)-1]); diff != "" {
			t.Errorf("last step (-want +got):\n%s", diff)
		}
		s, _ := w.engine.Status("web")
		if diff := cmp.Diff([]policy.Pause{p}, s.Silences); diff != "" || s.Pause != nil {
			t.Errorf("status: pause %v, silences (-want +got):\n%s", s.Pause, diff)
		}

		a.SilencedBy, a.Silences = nil, nil
		a.Status = alerts.Firing
		w.wait(time.Second)
		reconcile()
		if d := w.last("web"); d.Reason == policy.ReasonPaused {
			t.Errorf("the silence is over: %s", d.Explain())
		}
	})
}
