package alerts

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/go-kit/log"
)

// stepped is now after somebody has moved the wall clock: the monotonic
// clock's reading is as before.
func stepped(now time.Time, by time.Duration) time.Time {
	const secondsAt = 30 // in the first word of a time that has both readings
	*(*uint64)(unsafe.Pointer(&now)) += uint64(by/time.Second) << secondsAt
	return now
}

// TestAStepOfTheClockDropsNothing: with a TTL of an hour the clock goes two
// hours ahead while alerts fire, and while the store has some.
func TestAStepOfTheClockDropsNothing(t *testing.T) {
	if book, err := New(Options{}); err != nil || !strings.Contains(book.now().String(), " m=") {
		t.Fatalf("the book's own clock has no monotonic reading: %s, %v", book.now(), err)
	}
	for name, o := range map[string]Options{"in a run": {}, "from the store": {}} {
		t.Run(name, func(t *testing.T) {
			now := time.Now()
			store := &memStore{}
			o.Store, o.Rules, o.TTL, o.Now = store, rules(t, "web"), time.Hour, func() time.Time { return now }
			book, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := book.Apply(t.Context(), Notification{Alerts: []Alert{firing(alertOf("a1", "up", "web"), 0)}}); err != nil {
				t.Fatal(err)
			}
			if name == "from the store" {
				if book, err = New(o); err != nil {
					t.Fatal(err)
				}
			}
			before := now
			if now = stepped(now, 2*time.Hour); now.Round(0).Sub(before.Round(0)) != 2*time.Hour || now.Sub(before) != 0 {
				t.Fatalf("the clock went from %s to %s", before, now)
			}
			if _, err := book.Expire(t.Context(), now); err != nil {
				t.Fatal(err)
			}
			if got := book.Counts("web").Up; got != 1 {
				t.Errorf("%d alerts after the clock went two hours ahead, want 1", got)
			}
			if _, err := book.Expire(t.Context(), now.Add(2*time.Hour)); err != nil {
				t.Fatal(err)
			}
			if got := book.Counts("web").Up; got != 0 {
				t.Errorf("%d alerts after two hours, want 0", got)
			}
			if a := store.alerts["a1"]; a.LastSeen.Location() != time.UTC {
				t.Errorf("stored in %s", a.LastSeen.Location())
			}
		})
	}
}

// TestStoredTimesAheadAreNow, and the log says so: the clock has gone back
// while the server was down.
func TestStoredTimesAheadAreNow(t *testing.T) {
	a := firing(alertOf("a1", "up", "web"), 72*time.Hour)
	a.ReceivedAt, a.LastSeen = a.StartsAt, a.StartsAt
	var out bytes.Buffer
	c := &clock{now: t0}
	f, err := New(Options{Store: &memStore{alerts: map[string]Alert{"a1": a}}, Rules: rules(t, "web"), Now: c.Now, TTL: time.Hour, Logger: log.NewLogfmtLogger(&out)})
	if err != nil {
		t.Fatal(err)
	}
	got := f.Alerts()[0]
	if !got.StartsAt.Equal(t0) || !got.ReceivedAt.Equal(t0) || !got.LastSeen.Equal(t0) {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(out.String(), "lie ahead of the clock, which has gone back; they count as now") || !strings.Contains(out.String(), "alerts=1") {
		t.Errorf("the log says %q", out.String())
	}
	// It goes as any other.
	if _, err := f.Expire(t.Context(), t0.Add(time.Hour+storedSlack(time.Hour)+time.Second)); err != nil || f.Len() != 0 {
		t.Errorf("%d alerts, %v", f.Len(), err)
	}
}

// TestWhatIsDatedAheadIsNow: nobody ends the firings of the next centuries, nor
// begins one that cannot be ended.
func TestWhatIsDatedAheadIsNow(t *testing.T) {
	far := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	for name, dated := range map[string]time.Time{"the year 9999": far, "an hour": t0.Add(time.Hour)} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, Options{})
			f.maxAhead = defaultMaxAhead
			web := alertOf("a1", "up", "web")
			end := resolved(web, 0, 0)
			end.StartsAt, end.EndsAt = dated, dated
			f.apply(end)
			f.clock.add(time.Second)
			f.apply(firing(web, time.Second))
			f.wantCounts("web", 1, 0)
			f.apply(resolved(web, time.Second, 2*time.Second))
			f.wantCounts("web", 0, 0)

			f.clock.add(2 * lateWindow)
			begin := web
			begin.Status, begin.StartsAt = Firing, dated
			f.apply(begin)
			writes := f.store.writes
			f.clock.add(time.Second)
			f.apply(begin)
			if f.store.writes != writes {
				t.Error("a repeat of it is another firing")
			}
			f.apply(resolved(web, 2*lateWindow, 2*lateWindow+2*time.Second))
			f.wantCounts("web", 0, 0)

			f.clock.add(2 * lateWindow)
			f.reconcile(true, begin)
			if got := f.Alerts()[0].StartsAt; got.After(f.clock.Now()) {
				t.Errorf("as Alertmanager lists it, it starts at %s", got)
			}
		})
	}
}

// TestOtherLabelsAreAnotherAlert: whoever has the fingerprint of another alert,
// as of a ledger of an earlier version, does not keep that one from counting.
func TestOtherLabelsAreAnotherAlert(t *testing.T) {
	f := newFixture(t, Options{})
	f.apply(firing(alertOf("a1", "up", "nobody"), 0))
	f.apply(firing(alertOf("a1", "up", "web"), 0))
	f.wantCounts("web", 1, 0)
	f.apply(firing(alertOf("a1", "up", "nobody"), 0))
	f.reconcile(true, firing(alertOf("a1", "up", "web"), 0))
	f.wantCounts("web", 1, 0)
	if got := f.store.alerts["a1"].Labels["scale_target"]; f.Len() != 1 || got != "web" {
		t.Errorf("%d alerts, stored for %q", f.Len(), got)
	}
}
