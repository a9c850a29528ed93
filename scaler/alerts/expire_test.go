package alerts

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func (f *fixture) expire() Change {
	f.t.Helper()
	c, err := f.Expire(context.Background(), f.clock.Now())
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func TestExpire(t *testing.T) {
	f := newFixture(t, Options{TTL: time.Hour})
	web, api := firing(alertOf("a1", "up", "web"), 0), firing(alertOf("a2", "up", "api"), 0)
	f.apply(web, api)
	f.clock.add(time.Hour)
	f.apply(api) // repeated: stays
	if c := f.expire(); c.Removed != 0 {
		t.Errorf("dropped at the TTL, want after it: %+v", c)
	}
	f.clock.add(time.Second)
	f.changed = nil
	if diff := cmp.Diff(Change{Removed: 1, Policies: []string{"web"}}, f.expire()); diff != "" {
		t.Errorf("change (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]string{{"web"}}, f.changed); diff != "" {
		t.Errorf("OnChange (-want +got):\n%s", diff)
	}
	f.wantCounts("web", 0, 0)
	f.wantCounts("api", 1, 0)
	if got := testutil.ToFloat64(f.metrics.expired); got != 1 {
		t.Errorf("expired_total = %v, want 1", got)
	}
	// Dropped for want of confirmation, not resolved: the next word counts.
	f.apply(web)
	f.wantCounts("web", 1, 0)
}

func TestExpireNever(t *testing.T) {
	f := newFixture(t, Options{TTL: -1})
	f.apply(firing(alertOf("a1", "up", "web"), 0))
	f.clock.add(1e6 * time.Hour)
	f.expire()
	f.wantCounts("web", 1, 0)
	f.SetTTL(0)
	f.expire()
	f.wantCounts("web", 0, 0)
}

// TestExpireAcrossRestart repeats an alert often, which is hardly ever
// stored, and restarts: the alert must not be dropped early, nor live on.
func TestExpireAcrossRestart(t *testing.T) {
	const ttl = time.Hour
	f := newFixture(t, Options{TTL: ttl})
	web := firing(alertOf("a1", "up", "web"), 0)
	f.apply(web)
	writes := 0
	for range 5*60 + 5 { // five hours of repeats, one a minute
		f.clock.add(time.Minute)
		f.apply(web)
		f.expire()
	}
	if writes = f.store.writes; writes > 1+5*10 {
		t.Errorf("%d writes for 305 repeats", writes)
	}
	f.clock.add(5 * time.Minute) // last confirmed five minutes before the crash
	confirmed := f.clock.Now().Add(-5 * time.Minute)

	g, h := newFixtureAt(t, confirmed, Options{TTL: ttl, Store: f.store}), newFixtureAt(t, confirmed, Options{TTL: ttl, Store: f.store})
	g.clock.now = confirmed.Add(ttl)
	g.expire()
	g.wantCounts("web", 1, 0)
	g.clock.now = confirmed.Add(ttl + storedSlack(ttl) + time.Second)
	g.expire()
	g.wantCounts("web", 0, 0)

	// Confirmed after the restart, it has the TTL and nothing on top of it.
	h.apply(web)
	h.clock.add(ttl + time.Second)
	h.expire()
	h.wantCounts("web", 0, 0)
}

// TestExpireRacesWithARepeat has a repeat arrive while the alert's removal is
// being stored: it was acknowledged, so the alert must be there afterwards.
func TestExpireRacesWithARepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, Options{TTL: time.Hour})
		f.onChange = nil // two goroutines
		web := firing(alertOf("a1", "up", "web"), 0)
		f.apply(web)
		f.clock.add(2 * time.Hour)
		entered, release := make(chan struct{}, 2), make(chan struct{})
		f.store.enter = func() { entered <- struct{}{}; <-release }

		var wg sync.WaitGroup
		wg.Go(func() { f.expire() })
		<-entered
		wg.Go(func() { f.apply(web) })
		synctest.Wait() // the repeat waits for what is being stored
		close(release)
		wg.Wait()
		f.wantCounts("web", 1, 0)
		if len(f.store.alerts) != 1 {
			t.Error("the store lost it")
		}
	})
}

func TestExpireForgetsTombstones(t *testing.T) {
	f := newFixture(t, Options{})
	f.apply(resolved(alertOf("a1", "up", "web"), 0, time.Second))
	f.clock.add(lateWindow)
	f.expire()
	if len(f.tombs) != 0 {
		t.Errorf("%d tombstones kept for ever", len(f.tombs))
	}
}

func TestRunExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, Options{TTL: time.Minute})
		f.now = time.Now
		began := time.Now()
		f.apply(firing(alertOf("a1", "up", "web"), 0))
		dropped := make(chan []string, 1)
		f.onChange = func(ps []string) { dropped <- ps }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- f.Run(ctx) }()
		<-dropped
		if took := time.Since(began); took <= time.Minute || took > time.Minute+tick(time.Minute) {
			t.Errorf("dropped after %s, want within a tick after a minute", took)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}
