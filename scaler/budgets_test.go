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
	"github.com/alertscaler/alertscaler/scaler/status"
)

// shareBudget gives web and batch a budget of replicas; web goes first.
func shareBudget(t *testing.T, maxReplicas int) *world {
	t.Helper()
	eager := func(p *config.Policy) {
		p.AlertStep.Up = config.Amount{Replicas: 6}
	}
	w := newWorld(t, 4, eager)
	w.platform["batch"] = newScripted(4)
	c := *w.config
	c.Policies = append(slices.Clone(c.Policies), w.configFor("batch", eager).Policies...)
	c.Policies[0].Priority = 10
	c.Budgets = []*config.Budget{budgetOf(t, maxReplicas)}
	w.reload(&c)
	w.wait(time.Second)
	return w
}

// budgetOf is a budget over every policy, as a user would write it.
func budgetOf(t *testing.T, maxReplicas int) *config.Budget {
	t.Helper()
	every, err := labels.NewMatcher(labels.MatchRegexp, "name", ".+")
	if err != nil {
		t.Fatal(err)
	}
	return &config.Budget{Name: "shop", MaxReplicas: maxReplicas, Policies: config.Matchers{every}}
}

// fireBoth delivers both alerts in one notification, batch's first.
func (w *world) fireBoth() {
	w.t.Helper()
	var as []alerts.Alert
	for _, name := range []string{"batch", "web"} {
		as = append(as, alerts.Alert{
			Fingerprint: name + "up", Status: alerts.Firing, StartsAt: time.Now(),
			Labels: map[string]string{"scale": "up", "scale_target": name},
		})
	}
	if _, err := w.book.Apply(w.t.Context(), alerts.Notification{GroupKey: "g", Alerts: as}); err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
}

// Two policies that one notification wakes must not race for what is left of
// their budget: whoever is of lower priority waits until the other has decided,
// however slow its platform is.
func TestHigherPriorityIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := shareBudget(t, 10)
		w.platform["web"].set(func(s *scripted) { s.slow = 3 * time.Second })
		w.fireBoth()
		if d := w.last("batch"); d.Reason != policy.ReasonBudgetLimited || d.Desired != 4 {
			t.Errorf("before web has decided: %s", d.Explain())
		}
		w.wait(4 * time.Second)
		if got := w.platform["web"].calls(); !slices.Equal(got, []int{6}) {
			t.Errorf("web asked for %v, want the two that were left", got)
		}
		d := w.last("batch")
		if len(w.platform["batch"].calls()) > 0 || !cmp.Equal(d.Cuts, []policy.Cut{{Budget: "shop", Replicas: 6, By: []string{"web"}}}) {
			t.Errorf("batch: %s, cuts %+v, asked for %v", d.Explain(), d.Cuts, w.platform["batch"].calls())
		}
		s, _ := w.engine.Status("web")
		want := []status.Budget{{
			Name: "shop", MaxReplicas: 10, HeldReplicas: 10, Replicas: 6, Lacks: 4,
			Rivals: []string{"batch"}, Victims: []string{"batch"},
		}}
		if diff := cmp.Diff(want, s.Budgets); diff != "" {
			t.Errorf("web's budgets (-want +got):\n%s", diff)
		}
	})
}

// What web wants and cannot have is not batch's; what is enough for both is.
func TestBudgetThatIsEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := shareBudget(t, 20)
		w.fireBoth()
		w.wait(time.Second)
		for _, name := range []string{"web", "batch"} {
			if got := w.platform[name].calls(); !slices.Equal(got, []int{10}) {
				t.Errorf("%s asked for %v, want 10: %s", name, got, w.last(name).Reason)
			}
		}
	})
}

// A restart does not forget what the others hold: before they were read again,
// nothing of theirs is given away.
func TestHoldingsSurviveARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := shareBudget(t, 10)
		w.wait(2 * time.Second) // what is remembered is written by then
		w.stop()
		w.platform["web"].set(func(s *scripted) { s.slow = 5 * time.Second })
		w.start()
		w.fire("batch", policy.Up)
		w.wait(time.Second)
		if got := w.platform["batch"].calls(); !slices.Equal(got, []int{6}) {
			t.Errorf("batch asked for %v, want the two that web's four leave", got)
		}
	})
}

// A policy whose target was never read may hold all that it can: nothing of
// that is given to the others.
func TestUnreadableHoldsWhatItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 4, nil)
		w.platform["batch"] = newScripted(4)
		w.platform["batch"].set(func(s *scripted) { s.readErr = errors.New("connection refused") })
		c := *w.config
		c.Policies = append(slices.Clone(c.Policies), w.configFor("batch", nil).Policies...)
		c.Budgets = []*config.Budget{budgetOf(t, 12)}
		w.reload(&c)
		w.wait(time.Minute)
		w.fire("web", policy.Up)
		if got := w.platform["web"].calls(); len(got) > 0 {
			t.Errorf("web asked for %v, while batch may have ten of the twelve", got)
		}
		if d := w.last("web"); d.Reason != policy.ReasonBudgetLimited {
			t.Errorf("web: %s", d.Explain())
		}
		w.platform["batch"].set(func(s *scripted) { s.readErr = nil })
		w.wait(time.Minute)
		if got := w.platform["web"].calls(); !slices.Equal(got, []int{5, 6}) && !slices.Equal(got, []int{5}) {
			t.Errorf("web asked for %v once batch was read", got)
		}
	})
}
