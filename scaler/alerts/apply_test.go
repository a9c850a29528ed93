package alerts

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestApply tells what Alertmanager may send and in which order, and what the
// book must make of it. Each step is one notification.
func TestApply(t *testing.T) {
	var (
		web   = alertOf("a1", "up", "web")
		web2  = alertOf("a2", "up", "web")
		down  = alertOf("a3", "down", "web")
		later = func(d time.Duration) func(*fixture) { return func(f *fixture) { f.clock.add(d) } }
		send  = func(as ...Alert) func(*fixture) { return func(f *fixture) { f.apply(as...) } }
		ten   []Alert
	)
	for i := range 10 {
		ten = append(ten, firing(alertOf(fmt.Sprintf("b%d", i), "up", "web"), 0))
	}

	for _, tc := range []struct {
		name     string
		steps    []func(*fixture)
		up, down int
		late     int
	}{
		{
			"firing, then resolved",
			[]func(*fixture){send(firing(web, 0)), send(resolved(web, 0, time.Minute))},
			0, 0, 0,
		},
		{
			"the same notification twice, as a cluster sends it",
			[]func(*fixture){send(firing(web, 0)), send(firing(web, 0))},
			1, 0, 0,
		},
		{
			"one alert twice in a notification",
			[]func(*fixture){send(firing(web, 0), firing(web, 0))},
			1, 0, 0,
		},
		{
			"resolved twice",
			[]func(*fixture){send(firing(web, 0)), send(resolved(web, 0, time.Minute)), send(resolved(web, 0, time.Minute))},
			0, 0, 0,
		},
		{
			"resolved of an alert never heard of",
			[]func(*fixture){send(resolved(web, 0, time.Minute))},
			0, 0, 0,
		},
		{
			"firing and resolved in one notification, decided per alert",
			[]func(*fixture){send(firing(web, 0), firing(web2, 0)), send(resolved(web, 0, time.Minute), firing(web2, 0))},
			1, 0, 0,
		},
		{
			"nine of ten still fire",
			[]func(*fixture){send(ten...), send(append([]Alert{resolved(ten[0], 0, time.Minute)}, ten[1:]...)...)},
			9, 0, 0,
		},
		{
			"truncated: those left out still fire",
			[]func(*fixture){send(ten...), func(f *fixture) {
				_, err := f.Apply(context.Background(), Notification{Truncated: 9, Alerts: ten[:1]})
				if err != nil {
					f.t.Error(err)
				}
			}},
			10, 0, 0,
		},
		{
			"both directions",
			[]func(*fixture){send(firing(web, 0), firing(down, 0))},
			1, 1, 0,
		},
		{
			"forgotten by nobody after a minute",
			[]func(*fixture){send(firing(web, 0)), later(59 * time.Minute)},
			1, 0, 0,
		},
		{
			"late firing, after its own resolved",
			[]func(*fixture){send(firing(web, 0)), later(20 * time.Second), send(resolved(web, 0, 15*time.Second)), later(30 * time.Second), send(firing(web, 0))},
			0, 0, 1,
		},
		{
			"late firing, never heard of before its resolved",
			[]func(*fixture){send(resolved(web, 0, 15*time.Second)), send(firing(web, 0))},
			0, 0, 1,
		},
		{
			"fires again with the same start, after Prometheus was unreachable",
			[]func(*fixture){send(firing(web, 0)), later(5 * time.Minute), send(resolved(web, 0, 4*time.Minute)), later(time.Minute), send(firing(web, 0))},
			1, 0, 0,
		},
		{
			"a resolved heard again does not lengthen the window",
			[]func(*fixture){send(resolved(web, 0, time.Second)), later(40 * time.Second), send(resolved(web, 0, time.Second)), later(20 * time.Second), send(firing(web, 0))},
			1, 0, 0,
		},
		{
			"fires again with a new start at once",
			[]func(*fixture){send(firing(web, 0)), send(resolved(web, 0, time.Minute)), send(firing(web, 2*time.Minute))},
			1, 0, 0,
		},
		{
			"late resolved of an earlier firing",
			[]func(*fixture){send(firing(web, 0)), send(firing(web, 2*time.Minute)), send(resolved(web, 0, time.Minute))},
			1, 0, 1,
		},
		{
			"late firing and late resolved of an earlier firing",
			[]func(*fixture){send(firing(web, 2*time.Minute)), send(firing(web, 0)), send(resolved(web, 0, time.Minute))},
			1, 0, 1,
		},
		{
			"the end of two merged firings, known by their later start",
			[]func(*fixture){send(firing(web, 0)), send(firing(web, 2*time.Minute)), send(resolved(web, 0, 3*time.Minute))},
			0, 0, 0,
		},
		{
			"the end of two merged firings, known by their earlier start",
			[]func(*fixture){send(firing(web, 0)), send(resolved(web, 2*time.Minute, 3*time.Minute))},
			0, 0, 0,
		},
		{
			"a custom payload without times",
			[]func(*fixture){send(Alert{Fingerprint: "a1", Status: Firing, Labels: web.Labels}), send(Alert{Fingerprint: "a1", Status: Resolved, Labels: web.Labels})},
			0, 0, 0,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t, Options{})
			for _, step := range tc.steps {
				step(f)
			}
			if _, err := f.Expire(context.Background(), f.clock.Now()); err != nil {
				t.Fatal(err)
			}
			f.wantCounts("web", tc.up, tc.down)
			late := testutil.ToFloat64(f.metrics.late.WithLabelValues("firing")) + testutil.ToFloat64(f.metrics.late.WithLabelValues("resolved"))
			if late != float64(tc.late) {
				t.Errorf("%v late alerts counted, want %d", late, tc.late)
			}
			// What the book says is what a restart would find.
			g := newFixture(t, Options{Store: f.store})
			g.wantCounts("web", tc.up, tc.down)
		})
	}
}

// TestApplyWakesOnANewFiring covers an alert whose resolved was lost: it
// fires again, with another start, and that is another request.
func TestApplyWakesOnANewFiring(t *testing.T) {
	f := newFixture(t, Options{})
	web := alertOf("a1", "up", "web")
	f.apply(firing(web, 0))
	f.clock.add(time.Minute)
	c := f.apply(firing(web, 30*time.Second))
	if diff := cmp.Diff(Change{Updated: 1, Policies: []string{"web"}}, c); diff != "" {
		t.Errorf("change (-want +got):\n%s", diff)
	}
	if got := f.Alerts()[0].ReceivedAt; !got.Equal(t0.Add(time.Minute)) {
		t.Errorf("ReceivedAt = %v, want that of the new firing", got)
	}
}

// TestApplyWhileStoring holds the store's write open and checks what may
// happen meanwhile.
func TestApplyWhileStoring(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web, web2 := alertOf("a1", "up", "web"), alertOf("a2", "up", "web")
		f := newFixture(t, Options{})
		f.onChange = nil // several goroutines
		f.apply(firing(web, 0))

		entered, release := make(chan struct{}, 8), make(chan struct{})
		f.store.enter = func() { entered <- struct{}{}; <-release }

		var wg sync.WaitGroup
		bg := func(as ...Alert) {
			wg.Go(func() {
				if _, err := f.Apply(context.Background(), Notification{Alerts: as}); err != nil {
					t.Error(err)
				}
			})
		}
		bg(firing(web2, 0))
		<-entered

		f.wantCounts("web", 1, 0)  // reads do not wait, and see only what is stored
		f.apply(firing(web, 0))    // nor does a repeat
		bg(resolved(web2, 0, 1e9)) // the end of what is being stored waits for it
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		wg.Go(func() {
			if _, err := f.Apply(ctx, Notification{Alerts: []Alert{firing(alertOf("a3", "up", "web"), 0)}}); err == nil {
				t.Error("a sender that gave up was served")
			}
		})
		synctest.Wait() // the end waits, and the sender has left
		close(release)
		wg.Wait()
		f.wantCounts("web", 1, 0)
	})
}

func TestBookConcurrency(t *testing.T) {
	f := newFixture(t, Options{})
	var told sync.Map
	f.onChange = func(ps []string) {
		for _, p := range ps {
			f.AlertsFor(p) // the subscriber may ask the book
			told.Store(p, true)
		}
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			a := alertOf(fmt.Sprintf("a%d", i%4), "up", "web")
			for j := range 100 {
				start := time.Duration(j) * time.Second
				f.apply(firing(a, start))
				f.Counts("web")
				f.Alerts()
				f.apply(resolved(a, start, start+time.Millisecond))
			}
		})
	}
	wg.Go(func() {
		for range 50 {
			f.SetRules(rules(t, "web", "api"))
			if _, err := f.Expire(context.Background(), t0); err != nil {
				t.Error(err)
			}
			if _, err := f.Reconcile(context.Background(), Answer{RequestedAt: t0, Settled: true}); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	f.wantCounts("web", 0, 0)
	if _, ok := told.Load("web"); !ok {
		t.Error("nobody was told")
	}
	if len(f.store.alerts) != 0 {
		t.Errorf("the store has %v and the book is empty", f.store.alerts)
	}
}
