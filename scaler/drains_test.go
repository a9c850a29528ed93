package scaler

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/drain"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// TestWhateverStopsAScaleDownGivesBackWhatWasDrained: nobody stays out of
// service for a scale-down that does not come.
func TestWhateverStopsAScaleDownGivesBackWhatWasDrained(t *testing.T) {
	reload := func(w *world, n *named, edit func(*config.Policy)) {
		c := w.configNamed(n, &config.Victims{Query: "players"}, &drain.Config{})
		edit(c.Policies[0])
		w.reload(c)
		w.wait(time.Second)
	}
	for _, test := range []struct {
		name string
		stop func(w *world, n *named)
	}{
		{"a pause", func(w *world, _ *named) { w.pause(time.Hour) }},
		{"an alert that blocks", func(w *world, n *named) {
			reload(w, n, func(p *config.Policy) { p.Alerts.BlockDown = config.Matchers{matcher(w.t, "alertname", "Deploying")} })
			w.applyAlert(alerts.Alert{Fingerprint: "deploying", Status: alerts.Firing, StartsAt: time.Now(), Labels: map[string]string{"alertname": "Deploying"}})
		}},
		{"mode off", func(w *world, n *named) { reload(w, n, func(p *config.Policy) { p.Mode = policy.ModeOff }) }},
		{"mode only_scale_up", func(w *world, n *named) {
			reload(w, n, func(p *config.Policy) { p.Mode = policy.ModeOnlyScaleUp })
		}},
		{"a minimum", func(w *world, n *named) { reload(w, n, func(p *config.Policy) { p.Min = 4 }) }},
		{"an alert that is over", func(w *world, _ *named) { w.resolve("web", policy.Down) }},
		{"nobody knows who may go", func(w *world, _ *named) {
			w.usage.(*loadsOnly).set(nil, errors.New("connection refused"))
			w.wait(16 * time.Second)
		}},
		{"a target that cannot be read for a minute", func(w *world, n *named) {
			n.set(func(s *scripted) { s.readErr = errors.New("connection refused") })
			w.wait(90 * time.Second)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNamed(4)
				w, h := drainTwo(t, n, time.Hour)
				h.done("b")
				w.wait(16 * time.Second)
				if s, _ := w.engine.Status("web"); s.Targets[0].Ready != 2 || w.last("web").Ready != 2 {
					t.Errorf("%d of 4 are ready while two of them are drained, %d in the decision", s.Targets[0].Ready, w.last("web").Ready)
				}
				test.stop(w, n)
				w.wait(time.Second)
				h.called(t, "cancel b", "cancel d")
				if n.left() != "a b c d" {
					t.Errorf("%s are left", n.left())
				}
				w.wait(16 * time.Second)
				if s, _ := w.engine.Status("web"); s.Targets[0].Draining != nil {
					t.Errorf("status says that %v are to go", s.Targets[0].Draining)
				}
			})
		})
	}
}

// TestUnknownUsageGivesBackWhatWasDrained: until usage has been known for a
// whole window nobody goes, so nobody is kept from work.
func TestUnknownUsageGivesBackWhatWasDrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNamed(4)
		w, h, u := newDraining(t, n, time.Hour)
		u.set(map[string]float64{"a": 4, "b": 1, "c": 3, "d": 2}, nil)
		u.says(policy.Usage{Value: 1.4, CapacityPerReplica: 1})
		c := w.configNamed(n, &config.Victims{Query: "players"}, &drain.Config{})
		c.Policies[0].Resources = []*config.Resource{{Name: "cpu"}}
		w.reload(c)
		w.fire("web", policy.Down)
		w.wait(6 * time.Minute)
		w.expect("being drained", 4, policy.ReasonConverging)
		h.called(t, "drain b", "drain d")
		u.says(policy.Usage{Problem: policy.ProblemUnavailable, Detail: "connection refused"})
		w.wait(16 * time.Second)
		w.expect("usage is unknown", 4, policy.ReasonMissingData)
		h.called(t, "cancel b", "cancel d")
	})
}

func (w *world) applyAlert(a alerts.Alert) {
	w.t.Helper()
	if _, err := w.book.Apply(w.t.Context(), alerts.Notification{GroupKey: "g", Alerts: []alerts.Alert{a}}); err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
}

// TestWhatIsOnItsWayIsNotCancelled: once the platform was asked to take a
// replica its hook is never told that it stays, whatever comes next.
func TestWhatIsOnItsWayIsNotCancelled(t *testing.T) {
	for _, test := range []struct {
		name string
		then func(w *world)
	}{
		{"the alert is over", func(w *world) { w.resolve("web", policy.Down) }},
		{"an alert for more", func(w *world) { w.fire("web", policy.Up) }},
		{"a pause", func(w *world) { w.pause(time.Hour) }},
		{"the policy leaves", func(w *world) {
			w.platform["other"] = newScripted(2)
			w.reload(w.configFor("other", nil))
		}},
	} {
		for _, slow := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n := newNamed(4)
					w, h := drainTwo(t, n, time.Hour)
					if slow {
						// The platform shows the new number late, and goes on
						// listing those that go.
						n.lingers = 20 * time.Second
						n.onScale = func(_ context.Context, s *scripted, desired int) error {
							time.AfterFunc(20*time.Second, func() { s.take(desired) })
							return nil
						}
					}
					h.done("b")
					h.done("d")
					synctest.Wait()
					if !slices.Equal(n.gone, []string{"b", "d"}) {
						t.Fatalf("%v went", n.gone)
					}
					test.then(w)
					w.wait(5 * time.Minute)
					h.called(t)
				})
			})
		}
	}
}

// TestWhatAPlatformRefusesToTakeComesBack: those that it was asked to take and
// still has may take work again.
func TestWhatAPlatformRefusesToTakeComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNamed(4)
		w, h := drainTwo(t, n, time.Hour)
		n.set(func(s *scripted) {
			s.onScale = func(context.Context, *scripted, int) error {
				return target.Errorf(target.KindUnauthorized, "scale", "no")
			}
		})
		h.done("b")
		h.done("d")
		w.wait(50 * time.Second)
		h.called(t)
		w.wait(40 * time.Second)
		h.called(t, "cancel b", "cancel d")
	})
}

// TestWhoIsGoneIsNotCancelled: the platform is asked who is left before a hook
// is told that its replica stays.
func TestWhoIsGoneIsNotCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNamed(4)
		w, h := drainTwo(t, n, time.Hour)
		n.lose("b")
		w.resolve("web", policy.Down)
		w.wait(time.Second)
		h.called(t, "cancel d")
		w.wait(time.Minute)
		w.fire("web", policy.Down)
		w.wait(time.Second)
		h.called(t, "drain d") // of the two that are to go, b is gone already
	})
}

func (n *named) lose(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.names = slices.DeleteFunc(n.names, func(s string) bool { return s == name })
}

func matcher(t *testing.T, name, value string) *labels.Matcher {
	t.Helper()
	m, err := labels.NewMatcher(labels.MatchEqual, name, value)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
