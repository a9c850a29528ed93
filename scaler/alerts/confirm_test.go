package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

func confirming(t testing.TB, o Options) *fixture {
	f := newFixture(t, o)
	f.SetConfirm(true)
	return f
}

// TestAPostAloneCountsForNothing: what a notification tells counts once
// Alertmanager lists it, and does not any more once it does not, however often
// somebody posts it.
func TestAPostAloneCountsForNothing(t *testing.T) {
	f := confirming(t, Options{})
	web := firing(alertOf("a1", "up", "web"), 0)
	for range 100 {
		f.apply(web)
		f.wantCounts("web", 0, 0)
		f.reconcile(true)
		f.wantCounts("web", 0, 0)
		f.clock.add(time.Second)
	}
	if len(f.changed) > 0 {
		t.Errorf("policies were woken: %v", f.changed)
	}
	as := f.Alerts()
	if len(as) != 1 || !as[0].Unconfirmed || !f.store.alerts["a1"].Unconfirmed {
		t.Errorf("in the book: %+v, in the store: %+v", as, f.store.alerts)
	}

	f.reconcile(true, web)
	f.wantCounts("web", 1, 0)
	if diff := cmp.Diff([][]string{{"web"}}, f.changed); diff != "" {
		t.Errorf("OnChange (-want +got):\n%s", diff)
	}
	if f.store.alerts["a1"].Unconfirmed {
		t.Error("not confirmed in the store")
	}

	// It is over, and somebody keeps posting it, with new starts too.
	for i := range 20 {
		f.clock.add(time.Second)
		web.StartsAt = web.StartsAt.Add(time.Second)
		f.apply(web)
		f.reconcile(true)
		if i == int(peerLag/time.Second) {
			f.wantCounts("web", 0, 0)
		}
	}
	f.wantCounts("web", 0, 0)

	// Nobody posts it any more.
	f.clock.add(peerLag)
	f.reconcile(true)
	if n := f.Len(); n != 0 {
		t.Errorf("%d alerts", n)
	}
}

// TestAlertsThatNobodyListsAreCounted where Alertmanager has never known them.
func TestAlertsThatNobodyListsAreCounted(t *testing.T) {
	f := confirming(t, Options{})
	f.apply(firing(alertOf("a1", "up", "web"), 0), firing(alertOf("a2", "up", "nobody"), 0))
	if got := testutil.ToFloat64(metricOf(f, "alertscaler_alerts_unconfirmed")); got != 1 {
		t.Errorf("%v unconfirmed, want 1", got)
	}
	f.clock.add(peerLag)
	f.reconcile(true)
	if got := testutil.ToFloat64(f.metrics.unlisted); got != 1 || f.Len() != 0 {
		t.Errorf("%v counted, %d in the book", got, f.Len())
	}
	// Word that was slow in the cluster is not lost.
	f.clock.add(time.Second)
	f.reconcile(true, firing(alertOf("a1", "up", "web"), 0))
	f.clock.add(peerLag)
	f.reconcile(true, firing(alertOf("a1", "up", "web"), 0))
	f.wantCounts("web", 1, 0)
}

// TestAPostAloneEndsNothing that Alertmanager lists, nor lifts a silence.
func TestAPostAloneEndsNothing(t *testing.T) {
	f := confirming(t, Options{})
	web, api := firing(alertOf("a1", "up", "web"), 0), firing(alertOf("a2", "up", "api"), 0)
	f.reconcile(true, web, silenced(api, "s1"))
	over := web
	over.Status, over.EndsAt = Resolved, t0.Add(time.Second)
	for range 100 {
		f.clock.add(time.Second)
		f.apply(over, api)
		f.wantCounts("web", 1, 0)
		f.reconcile(true, web, silenced(api, "s1"))
		f.wantCounts("web", 1, 0)
		f.wantCounts("api", 0, 0)
	}
	f.clock.add(2 * lateWindow)
	f.apply(api)
	f.wantCounts("api", 0, 0)

	// It is over once Alertmanager does not list it, at once.
	f.apply(over)
	f.clock.add(time.Second)
	f.reconcile(true, silenced(api, "s1"))
	f.wantCounts("web", 0, 0)
	if f.Len() != 1 || f.waiting() {
		t.Errorf("%d alerts, waiting: %v", f.Len(), f.waiting())
	}
}

// TestAlertmanagerThatDoesNotAnswer: for a minute what is new counts for
// nothing; then it does, unless it asks for fewer. What is over is so after 15
// seconds.
func TestAlertmanagerThatDoesNotAnswer(t *testing.T) {
	f := confirming(t, Options{Rules: blockingRules(t)})
	old := firing(alertOf("a0", "up", "api"), 0)
	f.reconcile(true, old)
	f.clock.add(time.Second)
	up, down, block := firing(alertOf("a1", "up", "web"), 0), firing(alertOf("a2", "down", "web"), 0), firing(freeze("b1", "down", "SLOBurn"), 0)
	over := old
	over.Status, over.EndsAt = Resolved, t0.Add(time.Second)
	f.apply(up, down, block, over)
	f.wantCounts("api", 1, 0)
	f.clock.add(peerLag)
	f.expire()
	f.wantCounts("api", 0, 0)
	f.clock.add(unansweredFor - peerLag - time.Second)
	f.expire()
	f.wantHolds("web", Counts{}, Holds{})
	f.clock.add(time.Second)
	f.expire()
	f.wantHolds("web", Counts{Up: 1, BlockDown: 1}, Holds{BlockDown: []string{"SLOBurn"}})
	if got := testutil.ToFloat64(f.metrics.assumed); got != 2 {
		t.Errorf("%v counted as assumed, want 2", got)
	}

	// It answers again, and knows nothing of them.
	f.clock.add(time.Second)
	f.reconcile(true)
	f.wantHolds("web", Counts{}, Holds{})
	f.clock.add(2 * unansweredFor)
	f.apply(up)
	f.reconcile(true)
	f.clock.add(2 * unansweredFor)
	f.expire()
	f.wantCounts("web", 0, 0)
}

// TestConfirmIsSwitchedOff by a reload: what waited counts.
func TestConfirmIsSwitchedOff(t *testing.T) {
	f := confirming(t, Options{})
	f.apply(firing(alertOf("a1", "up", "web"), 0))
	g := newFixture(t, Options{Store: f.store})
	g.SetConfirm(true)
	g.wantCounts("web", 0, 0)
	for _, x := range []*fixture{f, g} {
		x.changed = nil
		x.SetConfirm(false)
		x.wantCounts("web", 1, 0)
		if diff := cmp.Diff([][]string{{"web"}}, x.changed); diff != "" {
			t.Errorf("OnChange (-want +got):\n%s", diff)
		}
	}
}

// TestEndsAreNotForgottenWhenConfirmIsSwitchedOff: nobody would say once more
// that the alert is over. One that fires again since then stays.
func TestEndsAreNotForgottenWhenConfirmIsSwitchedOff(t *testing.T) {
	f := confirming(t, Options{})
	web, api := firing(alertOf("a1", "up", "web"), 0), firing(alertOf("a2", "up", "api"), 0)
	f.reconcile(true, web, api)
	f.clock.add(time.Second)
	f.apply(resolved(web, 0, time.Second), resolved(api, 0, time.Second))
	f.wantCounts("web", 1, 0) // Alertmanager lists it as far as is known
	f.SetConfirm(false)
	f.clock.add(time.Second)
	f.apply(firing(api, 2*time.Second))
	f.expire()
	f.wantCounts("web", 0, 0)
	f.wantCounts("api", 1, 0)
	f.clock.add(time.Second)
	f.expire()
	f.wantCounts("api", 1, 0)
	if f.waiting() {
		t.Error("something still waits for Alertmanager")
	}
}

// TestConfirmedMakesRoom: a flood of alerts that nobody confirms does not keep
// those out that Alertmanager lists.
func TestConfirmedMakesRoom(t *testing.T) {
	size := sizeOf(numbered(1, "web"))
	for name, o := range map[string]Options{"of a policy": {MaxPerPolicy: 20}, "in all": {MaxBytes: 21 * size}} {
		t.Run(name, func(t *testing.T) {
			f := confirming(t, o)
			f.wantRefused(crowdOf(0, 100, "web"), ErrFull)
			f.reconcile(true, crowdOf(200, 10, "web")...)
			f.wantCounts("web", 10, 0)
			if got := f.Len(); got > 21 {
				t.Errorf("%d alerts", got)
			}
		})
	}
}

// TestReconcilerIsAskedAtOnce by a notification, and again where Alertmanager
// has not heard of the alert yet, as the member of a cluster may not; and no
// more often than about once a second however much is posted.
func TestReconcilerIsAskedAtOnce(t *testing.T) {
	var asked, lists atomic.Int64 // lists: from which question on it lists the alert
	lists.Store(1 << 30)
	answer, err := json.Marshal([]any{map[string]any{
		"annotations": map[string]string{}, "endsAt": time.Now().Add(time.Hour), "startsAt": time.Now().Add(-time.Minute), "updatedAt": time.Now(),
		"fingerprint": "x", "receivers": []any{}, "labels": alertOf("", "up", "web").Labels,
		"status": map[string]any{"inhibitedBy": []string{}, "silencedBy": []string{}, "state": "active"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	u := shape{
		alerts: func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) >= lists.Load() {
				body(200, "application/json", string(answer))(w, r)
				return
			}
			body(200, "application/json", "[]")(w, r)
		},
		status: body(200, "application/json", uptime(time.Now().Add(-time.Hour))),
	}.serve(t)
	woken := make(chan []string, 1)
	book, err := New(Options{Rules: rules(t, "web"), OnChange: func(ps []string) { woken <- ps }})
	if err != nil {
		t.Fatal(err)
	}
	book.SetConfirm(true)
	r, err := NewReconciler(ReconcilerOptions{Book: book, URL: u, Interval: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	defer func() { cancel(); <-done }()
	realtest.Eventually(t, 10*time.Second, time.Millisecond, "it asks at its start", func() error {
		if asked.Load() == 0 {
			return errors.New("not yet")
		}
		return nil
	})

	a := alertOf("", "up", "web")
	a.Fingerprint = Fingerprint(a.Labels)
	lists.Store(asked.Load() + 3)
	posted := 0
	until := time.Now().Add(30 * time.Second)
	for confirmed := false; !confirmed; posted++ {
		if time.Now().After(until) {
			t.Fatalf("not confirmed after %d questions", asked.Load())
		}
		if posted < 1000 {
			if _, err := book.Apply(ctx, Notification{Alerts: []Alert{firing(a, 0)}}); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case <-woken:
			confirmed = true
		case <-time.After(time.Millisecond):
		}
	}
	if n := asked.Load(); n > 15 {
		t.Errorf("%d notifications had Alertmanager asked %d times", posted, n)
	}
	if got := book.Counts("web"); got.Up != 1 {
		t.Errorf("%+v", got)
	}
}

// BenchmarkConfirm is how long an alert waits for a real Alertmanager, of which
// it is one of 1,000, to confirm it: from the notification to the wake-up of
// its policy.
func BenchmarkConfirm(b *testing.B) {
	am := realtest.StartAlertmanager(b, realtest.AlertmanagerOptions{Config: realConfig})
	var others []realtest.Alert
	for i := range 1000 {
		l := numbered(i, "other").Labels
		l["description"] = strings.Repeat("x", 300)
		others = append(others, realtest.Alert{Labels: l})
	}
	am.PostAlerts(b, others...)
	web := alertOf("", "up", "web")
	web.Fingerprint = Fingerprint(web.Labels)
	am.PostAlerts(b, realtest.Alert{Labels: web.Labels})
	woken := make(chan struct{}, 1)
	book, err := New(Options{Rules: rules(b, "web"), OnChange: func([]string) { woken <- struct{}{} }})
	if err != nil {
		b.Fatal(err)
	}
	r, err := NewReconciler(ReconcilerOptions{Book: book, URL: mustParse(b, am.URL), Settle: -1})
	if err != nil {
		b.Fatal(err)
	}
	book.SetConfirm(true)
	for b.Loop() {
		if _, err := book.Apply(b.Context(), Notification{Alerts: []Alert{firing(web, 0)}}); err != nil {
			b.Fatal(err)
		}
		<-book.asked
		if err := r.Reconcile(b.Context()); err != nil {
			b.Fatal(err)
		}
		<-woken
		b.StopTimer()
		if _, err := book.update(b.Context(), time.Now(), func(c *change) { c.remove(web.Fingerprint) }); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
