package alerts

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

func blockingRules(t testing.TB) []Rule {
	return append(rules(t, "web", "api"),
		Rule{"web", BlockUp, matchers(t, `freeze="up"`)},
		Rule{"web", BlockDown, matchers(t, `freeze=~"up|down"`)},
		Rule{"api", BlockDown, nil})
}

func freeze(fp, direction, name string) Alert {
	a := Alert{Fingerprint: fp, Labels: map[string]string{"freeze": direction}}
	if name != "" {
		a.Labels["alertname"] = name
	}
	return a
}

func (f *fixture) wantHolds(name string, c Counts, h Holds) {
	f.t.Helper()
	if diff := cmp.Diff(c, f.Counts(name)); diff != "" {
		f.t.Errorf("Counts(%s) (-want +got):\n%s", name, diff)
	}
	if diff := cmp.Diff(h, f.Holds(name)); diff != "" {
		f.t.Errorf("Holds(%s) (-want +got):\n%s", name, diff)
	}
}

func TestBlockingAlerts(t *testing.T) {
	f := newFixture(t, Options{Rules: blockingRules(t)})
	f.wantHolds("web", Counts{}, Holds{})
	both, down := freeze("b1", "up", "SLOBurn"), freeze("b2", "down", "")
	again := freeze("b3", "down", "SLOBurn")
	f.apply(firing(both, 0), firing(down, 0), firing(again, 0), firing(alertOf("a1", "up", "web"), 0))
	f.wantHolds("web", Counts{Up: 1, BlockUp: 1, BlockDown: 3}, Holds{BlockUp: []string{"SLOBurn"}, BlockDown: []string{"SLOBurn", "b2"}})
	f.wantHolds("api", Counts{}, Holds{})
	f.wantHolds("nobody", Counts{}, Holds{})
	const want = `
# HELP alertscaler_alerts_active Alerts that fire for the policy and are neither silenced nor inhibited nor unconfirmed.
# TYPE alertscaler_alerts_active gauge
alertscaler_alerts_active{direction="block_down",policy="api"} 0
alertscaler_alerts_active{direction="block_up",policy="api"} 0
alertscaler_alerts_active{direction="down",policy="api"} 0
alertscaler_alerts_active{direction="up",policy="api"} 0
alertscaler_alerts_active{direction="block_down",policy="web"} 3
alertscaler_alerts_active{direction="block_up",policy="web"} 1
alertscaler_alerts_active{direction="down",policy="web"} 0
alertscaler_alerts_active{direction="up",policy="web"} 1
`
	if err := testutil.GatherAndCompare(f.reg, strings.NewReader(want), "alertscaler_alerts_active"); err != nil {
		t.Error(err)
	}

	f.changed = nil
	f.apply(resolved(both, 0, time.Minute))
	if diff := cmp.Diff([][]string{{"web"}}, f.changed); diff != "" {
		t.Errorf("OnChange (-want +got):\n%s", diff)
	}
	f.wantHolds("web", Counts{Up: 1, BlockDown: 2}, Holds{BlockDown: []string{"SLOBurn", "b2"}})

	// A silenced one blocks nothing, and is no pause either.
	f.clock.add(time.Minute)
	f.reconcile(false, silenced(firing(down, 0), "s1"))
	f.wantHolds("web", Counts{Up: 1, BlockDown: 1}, Holds{BlockDown: []string{"SLOBurn"}})

	f.changed = nil
	f.SetRules(rules(t, "web"))
	f.wantHolds("web", Counts{Up: 1}, Holds{})
	if diff := cmp.Diff([][]string{{"web"}}, f.changed); diff != "" {
		t.Errorf("OnChange of a reload (-want +got):\n%s", diff)
	}
}

func TestSilencesHold(t *testing.T) {
	pause := func(id, by string) policy.Pause {
		return policy.Pause{Since: t0, Until: t0.Add(time.Hour), By: by, Comment: "deploy", Silence: id}
	}
	with := func(a Alert, ps ...policy.Pause) Alert {
		a = firing(a, 0)
		for _, p := range ps {
			a.SilencedBy, a.Silences = append(a.SilencedBy, p.Silence), append(a.Silences, p)
		}
		return a
	}
	s1, s2 := pause("s1", "alice"), pause("s2", "bob")
	unread := policy.Pause{Silence: "s2"}
	up, down := alertOf("a1", "up", "web"), alertOf("a2", "down", "web")

	f := newFixture(t, Options{Rules: append(rules(t, "web"), Rule{"web", policy.Down, matchers(t, `wide="yes"`)})})
	up.Labels["wide"] = "yes" // speaks for both directions, and is one alert
	f.apply(firing(up, 0), firing(down, 0))
	f.clock.add(time.Minute)
	f.changed = nil
	f.reconcile(true, with(up, s1, unread), with(down, s2))
	f.wantHolds("web", Counts{Silenced: 2}, Holds{Silences: []policy.Pause{s1, s2}})
	if diff := cmp.Diff([][]string{{"web"}}, f.changed); diff != "" {
		t.Errorf("OnChange (-want +got):\n%s", diff)
	}

	// Its author makes it last longer: that is stored, and wakes nobody.
	f.clock.add(30 * time.Second)
	longer := s1
	longer.Until, longer.Comment = longer.Until.Add(time.Hour), "the deploy takes longer"
	writes := f.store.writes
	f.changed = nil
	if c := f.reconcile(true, with(up, longer, unread), with(down, s2)); c.Updated != 1 || f.store.writes != writes+1 || len(f.changed) != 0 {
		t.Errorf("change %+v, %d writes, woken: %v; want one update, one write and nobody woken", c, f.store.writes-writes, f.changed)
	}
	f.wantHolds("web", Counts{Silenced: 2}, Holds{Silences: []policy.Pause{longer, s2}})

	// What cannot be read this time is still known; nothing is written.
	f.clock.add(30 * time.Second)
	if c := f.reconcile(true, with(up, policy.Pause{Silence: "s1"}, unread), with(down, unread)); c.Refreshed != 2 || f.store.writes != writes+1 {
		t.Errorf("change %+v, %d writes; want none", c, f.store.writes-writes-1)
	}
	f.wantHolds("web", Counts{Silenced: 2}, Holds{Silences: []policy.Pause{longer, s2}})

	// A restart knows it, and so does a notification right after the answer.
	f.apply(firing(up, 0))
	g := newFixture(t, Options{Store: f.store, Rules: rules(t, "web")})
	g.wantHolds("web", Counts{Silenced: 2}, Holds{Silences: []policy.Pause{longer, s2}})

	// Other rules, other policies.
	f.changed = nil
	f.SetRules(rules(t, "other"))
	if diff := cmp.Diff([][]string{{"web"}}, f.changed); diff != "" {
		t.Errorf("OnChange of a reload (-want +got):\n%s", diff)
	}
	f.SetRules(rules(t, "web"))

	// One silence ends.
	f.clock.add(30 * time.Second)
	f.changed = nil
	f.reconcile(true, firing(up, 0), with(down, s2))
	f.wantHolds("web", Counts{Up: 1, Silenced: 1}, Holds{Silences: []policy.Pause{s2}})
	if diff := cmp.Diff([][]string{{"web"}}, f.changed); diff != "" {
		t.Errorf("OnChange (-want +got):\n%s", diff)
	}

	// A silence on what is inhibited already is news: it may outlast that.
	inhibited := firing(up, 0)
	inhibited.InhibitedBy = []string{"ffff"}
	f.reconcile(true, inhibited, with(down, s2))
	f.wantHolds("web", Counts{Silenced: 1}, Holds{Silences: []policy.Pause{s2}})
	f.changed = nil
	both := with(up, longer)
	both.InhibitedBy = inhibited.InhibitedBy
	f.reconcile(true, both, with(down, s2))
	f.wantHolds("web", Counts{Silenced: 2}, Holds{Silences: []policy.Pause{longer, s2}})
	if diff := cmp.Diff([][]string{{"web"}}, f.changed); diff != "" {
		t.Errorf("OnChange (-want +got):\n%s", diff)
	}

	// Of an alert from before the details were kept, the ID is known.
	f.reconcile(true, silenced(firing(up, 0), "s3"), firing(down, 0))
	f.wantHolds("web", Counts{Down: 1, Silenced: 1}, Holds{Silences: []policy.Pause{{Silence: "s3"}}})
}
