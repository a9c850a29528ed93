package alerts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

func mustParse(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// metricOf is a collector of one metric that the fixture's book renders.
func metricOf(f *fixture, name string) prometheus.Collector { return only{f, name} }

type only struct {
	f    *fixture
	name string
}

func (o only) Describe(chan<- *prometheus.Desc) {}

func (o only) Collect(ch chan<- prometheus.Metric) {
	all := make(chan prometheus.Metric, 1000)
	collector{o.f.Book}.Collect(all)
	close(all)
	for m := range all {
		if strings.Contains(m.Desc().String(), `"`+o.name+`"`) {
			ch <- m
		}
	}
}

type panics struct{}

func (panics) RoundTrip(*http.Request) (*http.Response, error) { panic("a bug of a library") }

// TestPanicsAreRecovered: in a reconciliation, and in the store, wherever it is
// called from; afterwards the book is as it was, and works.
func TestPanicsAreRecovered(t *testing.T) {
	f := newFixture(t, Options{TTL: time.Hour})
	var out bytes.Buffer
	f.logger = log.NewLogfmtLogger(&out)
	web := firing(alertOf("a1", "up", "web"), 0)
	f.apply(web)

	r := f.reconciler(ReconcilerOptions{URL: mustParse(t, "http://alertmanager"), Transport: panics{}})
	if err := r.Reconcile(t.Context()); err == nil || !strings.Contains(err.Error(), "a bug of a library") {
		t.Errorf("Reconcile = %v", err)
	}
	if got := testutil.ToFloat64(f.metrics.panics.WithLabelValues(taskReconcile)); got != 1 {
		t.Errorf("%v counted, want 1", got)
	}
	if got := testutil.ToFloat64(f.metrics.reconciliationFailures); got != 1 {
		t.Errorf("%v failures counted, want 1", got)
	}
	for _, want := range []string{"panic recovered, the alerts stay as they were", "task=reconcile", "RoundTrip"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log does not say %q: %s", want, out.String())
		}
	}

	f.store.enter = func() { panic("a bug of the store") }
	f.clock.add(2 * time.Hour)
	if _, err := f.Expire(t.Context(), f.clock.Now()); err == nil {
		t.Error("Expire returned no error")
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = f.Apply(t.Context(), Notification{Alerts: []Alert{firing(alertOf("a2", "up", "web"), 0)}})
	}()
	f.store.enter = nil
	f.wantCounts("web", 1, 0)
	f.apply(web, firing(alertOf("a2", "up", "web"), 0))
	f.wantCounts("web", 2, 0)
}

// TestAPanicIsAnErrorToWhoCannotGiveUp, as to who can, and what comes next is
// taken in.
func TestAPanicIsAnErrorToWhoCannotGiveUp(t *testing.T) {
	f := newFixture(t, Options{})
	for _, ctx := range []context.Context{t.Context(), context.WithoutCancel(t.Context())} {
		f.store.enter = func() { panic("a bug of the store") }
		if _, err := f.Apply(ctx, Notification{Alerts: []Alert{firing(alertOf("a1", "up", "web"), 0)}}); !errors.Is(err, errAbandoned) {
			t.Errorf("got %v", err)
		}
		f.wantCounts("web", 0, 0)
	}
	f.store.enter = nil
	if _, err := f.Apply(context.WithoutCancel(t.Context()), Notification{Alerts: []Alert{firing(alertOf("a1", "up", "web"), 0)}}); err != nil {
		t.Error(err)
	}
	f.wantCounts("web", 1, 0)
}

// TestAPanicInAPlanLeavesTheBookUnlocked: what comes next is taken in.
func TestAPanicInAPlanLeavesTheBookUnlocked(t *testing.T) {
	f := newFixture(t, Options{})
	func() {
		defer func() { _ = recover() }()
		_, _ = f.update(t.Context(), t0, func(*change) { panic("a bug") })
	}()
	f.apply(firing(alertOf("a1", "up", "web"), 0))
	f.wantCounts("web", 1, 0)
}

// TestAScrapeHoldsNothing while it sends: nobody reads what the collector
// sends, and the book works.
func TestAScrapeHoldsNothing(t *testing.T) {
	f := newFixture(t, Options{})
	ch := make(chan prometheus.Metric)
	done := make(chan struct{})
	go func() { defer close(done); collector{f.Book}.Collect(ch) }()
	<-ch // it sends
	applied := make(chan struct{})
	go func() { defer close(applied); f.apply(firing(alertOf("a1", "up", "web"), 0)) }()
	select {
	case <-applied:
	case <-time.After(10 * time.Second):
		t.Error("a scrape keeps an alert waiting")
	}
	for {
		select {
		case <-ch:
			continue
		case <-done:
		}
		break
	}
	<-applied
}

// growth is by how much an operation on twice as many alerts takes longer, by
// the processors' time and the least of several tries of each, without the
// garbage collector.
func growth(t *testing.T, n int, prepare func(n int) func()) float64 {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	least := [2]time.Duration{1 << 62, 1 << 62}
	for range 5 {
		for i := range least {
			do := prepare((i + 1) * n)
			runtime.GC()
			start := realtest.CPUTime(t)
			do()
			least[i] = min(least[i], realtest.CPUTime(t)-start)
		}
	}
	return float64(least[1]) / float64(least[0])
}

// TestTwiceTheAlertsTakeTwiceTheTime, whatever is done to them all.
func TestTwiceTheAlertsTakeTwiceTheTime(t *testing.T) {
	const n = 1_000
	made := make(map[string][]Alert)
	crowd := func(from, n int, target string) []Alert { // nobody changes them
		key := fmt.Sprint(from, n, target)
		if made[key] == nil {
			made[key] = crowdOf(from, n, target)
		}
		return made[key]
	}
	build := func(n int, o Options) (*Book, []Alert) {
		o.Rules, o.MaxPerPolicy, o.Now = rules(t, "web", "api"), 10*n, func() time.Time { return t0 }
		book, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		book.SetConfirm(o.MaxUnmatched == confirmed)
		return book, crowd(0, n, "web")
	}
	apply := func(b *Book, as []Alert) {
		if _, err := b.Apply(t.Context(), Notification{Alerts: as}); err != nil {
			t.Error(err)
		}
	}
	filled := func(n int) (*Book, []Alert) {
		b, as := build(n, Options{})
		apply(b, as)
		return b, as
	}
	for name, prepare := range map[string]func(n int) func(){
		"firing":   func(n int) func() { b, as := build(n, Options{}); return func() { apply(b, as) } },
		"repeated": func(n int) func() { b, as := filled(n); return func() { apply(b, as) } },
		"resolved": func(n int) func() {
			b, as := filled(n)
			as = slices.Clone(as)
			for i := range as {
				as[i].Status = Resolved
			}
			return func() { apply(b, as) }
		},
		"listed": func(n int) func() {
			b, as := filled(n)
			return func() { _, _ = b.Reconcile(t.Context(), Answer{RequestedAt: t0, Alerts: as, Settled: true}) }
		},
		"listed no more": func(n int) func() {
			b, _ := filled(n)
			return func() { _, _ = b.Reconcile(t.Context(), Answer{RequestedAt: t0.Add(time.Minute), Settled: true}) }
		},
		"confirmed": func(n int) func() {
			b, as := build(n, Options{MaxUnmatched: confirmed})
			apply(b, as)
			return func() { _, _ = b.Reconcile(t.Context(), Answer{RequestedAt: t0, Alerts: as, Settled: true}) }
		},
		"refused": func(n int) func() {
			b, as := build(n, Options{MaxBytes: 1})
			return func() { _, _ = b.Apply(t.Context(), Notification{Alerts: as}) }
		},
		"policy full": func(n int) func() {
			b, _ := filled(n)
			b.maxPerPolicy = n
			others := crowd(n, n, "web")
			return func() { _, _ = b.Apply(t.Context(), Notification{Alerts: others}) }
		},
		"book full": func(n int) func() {
			b, as := build(n, Options{MaxUnmatched: n, MaxBytes: 4 * n * sizeOf(numbered(0, "nobody"))})
			apply(b, crowd(n, n/2, "nobody"))
			b.maxBytes = b.bytes
			return func() { _, _ = b.Apply(t.Context(), Notification{Alerts: as}) }
		},
		"displaced": func(n int) func() {
			b, as := build(n, Options{MaxUnmatched: n, MaxBytes: 4 * n * sizeOf(numbered(0, "nobody"))})
			apply(b, crowd(n, n, "nobody"))
			b.maxBytes = b.bytes
			return func() { apply(b, as[:n/2]) }
		},
		"expired": func(n int) func() {
			b, _ := filled(n)
			return func() { _, _ = b.Expire(t.Context(), t0.Add(24*time.Hour)) }
		},
		"new rules": func(n int) func() { b, _ := filled(n); return func() { b.SetRules(rules(t, "web")) } },
		"a page":    func(n int) func() { b, _ := filled(n); return func() { b.Page("", 100, 1<<20) } },
		"of one policy": func(n int) func() {
			b, _ := filled(n)
			return func() { b.AlertsFor("web"); b.Holds("web"); b.ReceivedAfter("web", "up", time.Time{}) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got float64
			for range 6 { // a busy machine may disturb one
				if got = growth(t, n, prepare); got <= 2.6 {
					t.Logf("twice as many alerts take %.1f times as long", got)
					return
				}
			}
			t.Errorf("twice as many alerts take %.1f times as long", got)
		})
	}
}

// confirmed marks the books of the test above in which alerts are confirmed.
const confirmed = 54_321
