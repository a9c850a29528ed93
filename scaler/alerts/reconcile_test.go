package alerts

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// reconcile applies an answer to a question put now.
func (f *fixture) reconcile(settled bool, as ...Alert) Change {
	f.t.Helper()
	c, err := f.Reconcile(context.Background(), Answer{RequestedAt: f.clock.Now(), Alerts: as, Settled: settled})
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

// TestListedAndNoMore: an Alertmanager that has just started forgets nothing
// that it has listed since then.
func TestListedAndNoMore(t *testing.T) {
	web, web2 := alertOf("a1", "up", "web"), alertOf("a2", "up", "web")
	f := newFixture(t, Options{})
	ask := func(up time.Time, as ...Alert) {
		t.Helper()
		f.clock.add(10 * time.Second)
		if _, err := f.Reconcile(context.Background(), Answer{RequestedAt: f.clock.Now(), Alerts: as, Up: up}); err != nil {
			t.Fatal(err)
		}
	}
	started := f.clock.Now()
	f.apply(firing(web, 0))
	ask(started, firing(web2, 0))
	f.wantCounts("web", 2, 0) // web it may not have heard of yet
	ask(started)
	f.wantCounts("web", 2, 0) // so shortly after it was listed another may know better
	ask(started)
	f.wantCounts("web", 1, 0) // web2 it had, and has no more
	ask(started, firing(web, 0))
	ask(started.Add(time.Minute))
	f.wantCounts("web", 1, 0) // it has started again
	ask(time.Time{})
	f.wantCounts("web", 1, 0)
}

func silenced(a Alert, ids ...string) Alert {
	a.SilencedBy = ids
	return a
}

func TestReconcile(t *testing.T) {
	web, web2 := alertOf("a1", "up", "web"), alertOf("a2", "up", "web")

	t.Run("added, unless no policy wants it", func(t *testing.T) {
		f := newFixture(t, Options{})
		c := f.reconcile(true, firing(web, 0), firing(alertOf("x", "up", "nobody"), 0))
		if diff := cmp.Diff(Change{Added: 1, Policies: []string{"web"}}, c); diff != "" {
			t.Errorf("change (-want +got):\n%s", diff)
		}
		f.wantCounts("web", 1, 0)
		if f.store.writes != 1 || len(f.Alerts()) != 1 {
			t.Errorf("%d writes, %d alerts; want 1 and 1", f.store.writes, len(f.Alerts()))
		}
		f.clock.add(30 * time.Second)
		if diff := cmp.Diff(Change{Refreshed: 1}, f.reconcile(true, firing(web, 0))); diff != "" {
			t.Errorf("the same answer again (-want +got):\n%s", diff)
		}
		if f.store.writes != 1 || len(f.changed) != 1 {
			t.Errorf("the same answer again: %d writes, %d wake-ups; want 1 and 1", f.store.writes, len(f.changed))
		}
	})

	t.Run("removed where it is not listed", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.apply(firing(web, 0), firing(web2, 0))
		f.clock.add(30 * time.Second)
		if c := f.reconcile(true, firing(web2, 0)); c.Removed != 1 {
			t.Errorf("change = %+v", c)
		}
		f.wantCounts("web", 1, 0)
		// A notification of it was under way.
		f.apply(firing(web, 0))
		f.wantCounts("web", 1, 0)
		// Alertmanager itself takes it back.
		f.clock.add(30 * time.Second)
		f.reconcile(true, firing(web, 0), firing(web2, 0))
		f.wantCounts("web", 2, 0)
	})

	t.Run("not removed by an Alertmanager that has just started", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.apply(firing(web, 0))
		f.clock.add(30 * time.Second)
		f.reconcile(false)
		f.wantCounts("web", 1, 0)
	})

	t.Run("not removed where it came while we asked, or to another peer", func(t *testing.T) {
		f := newFixture(t, Options{})
		asked := f.clock.Now()
		f.clock.add(time.Second)
		f.apply(firing(web, 0))
		if _, err := f.Reconcile(context.Background(), Answer{RequestedAt: asked, Settled: true}); err != nil {
			t.Fatal(err)
		}
		f.wantCounts("web", 1, 0)
		f.clock.add(5 * time.Second)
		f.reconcile(true)
		f.wantCounts("web", 1, 0)
		f.clock.add(15 * time.Second)
		f.reconcile(true)
		f.wantCounts("web", 0, 0)
	})

	t.Run("seen while we asked is seen later than we asked", func(t *testing.T) {
		f := newFixture(t, Options{})
		asked := f.clock.Now()
		f.clock.add(time.Second)
		f.apply(firing(web, 0))
		if _, err := f.Reconcile(context.Background(), Answer{RequestedAt: asked, Alerts: []Alert{firing(web, 0)}, Settled: true}); err != nil {
			t.Fatal(err)
		}
		if got := f.Alerts()[0].LastSeen; !got.Equal(f.clock.Now()) {
			t.Errorf("LastSeen = %v, want %v", got, f.clock.Now())
		}
	})

	t.Run("not brought back where it was resolved while we asked", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.apply(firing(web, 0))
		f.clock.add(time.Minute)
		asked := f.clock.Now()
		f.apply(resolved(web, 0, time.Minute))
		if _, err := f.Reconcile(context.Background(), Answer{RequestedAt: asked, Alerts: []Alert{firing(web, 0)}, Settled: true}); err != nil {
			t.Fatal(err)
		}
		f.wantCounts("web", 0, 0)
		f.clock.add(30 * time.Second) // and still fires: it does
		f.reconcile(true, firing(web, 0))
		f.wantCounts("web", 1, 0)
	})

	t.Run("fires again after a resolved that was lost", func(t *testing.T) {
		f := newFixture(t, Options{})
		f.apply(firing(web, 0))
		f.clock.add(time.Minute)
		f.changed = nil
		if c := f.reconcile(true, firing(web, 30*time.Second)); c.Updated != 1 || len(f.changed) != 1 {
			t.Errorf("change = %+v, %d wake-ups", c, len(f.changed))
		}
	})
}

func TestReconcileSuppressed(t *testing.T) {
	web := alertOf("a1", "up", "web")
	f := newFixture(t, Options{})
	f.apply(firing(web, 0))

	f.clock.add(30 * time.Second)
	f.changed = nil
	f.reconcile(true, silenced(firing(web, 0), "s1"))
	f.wantCounts("web", 0, 0)
	if diff := cmp.Diff([][]string{{"web"}}, f.changed); diff != "" {
		t.Errorf("OnChange (-want +got):\n%s", diff)
	}
	if got := f.AlertsFor("web"); len(got) != 1 || got[0].SilencedBy[0] != "s1" || got[0].GroupKey == "" {
		t.Errorf("AlertsFor = %+v, want the silenced alert", got)
	}

	// A notification that was under way when the silence was set.
	f.apply(firing(web, 0))
	f.wantCounts("web", 0, 0)

	// Another silence takes over: nothing wakes.
	f.changed = nil
	f.clock.add(30 * time.Second)
	f.reconcile(true, silenced(firing(web, 0), "s2"))
	f.wantCounts("web", 0, 0)
	if len(f.changed) != 0 {
		t.Errorf("woken by a change of silence: %v", f.changed)
	}
	// A restart knows that it is silenced.
	newFixture(t, Options{Store: f.store}).wantCounts("web", 0, 0)

	f.clock.add(30 * time.Second)
	f.reconcile(true, firing(web, 0)) // the silence expired
	f.wantCounts("web", 1, 0)

	inhibited := firing(web, 0)
	inhibited.InhibitedBy = []string{"ffff"}
	f.clock.add(30 * time.Second)
	f.reconcile(true, inhibited)
	f.wantCounts("web", 0, 0)

	// Alertmanager can no longer be asked, but notifies: nothing suppresses it.
	f.clock.add(2 * time.Minute)
	f.apply(firing(web, 0))
	f.wantCounts("web", 1, 0)
}

// TestReconcileAndTTL has the TTL bite only once Alertmanager no longer
// answers.
func TestReconcileAndTTL(t *testing.T) {
	f := newFixture(t, Options{TTL: time.Hour})
	web := firing(alertOf("a1", "up", "web"), 0)
	f.apply(web)
	for range 5 * 60 { // no notification for five hours, and an answer a minute
		f.clock.add(time.Minute)
		f.reconcile(true, web)
		f.expire()
	}
	f.wantCounts("web", 1, 0)
	f.clock.add(time.Hour)
	f.expire()
	f.wantCounts("web", 1, 0)
	f.clock.add(time.Second)
	f.expire()
	f.wantCounts("web", 0, 0)
}
