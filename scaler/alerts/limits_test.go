package alerts

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// numbered is one of many alerts for the policy.
func numbered(i int, target string) Alert {
	a := alertOf(fmt.Sprintf("%06d", i), "up", target)
	a.Labels["instance"] = a.Fingerprint
	return firing(a, 0)
}

func crowdOf(from, n int, target string) []Alert {
	var as []Alert
	for i := range n {
		as = append(as, numbered(from+i, target))
	}
	return as
}

func (f *fixture) wantRefused(as []Alert, kind error, words ...string) {
	f.t.Helper()
	_, err := f.Apply(f.t.Context(), Notification{Alerts: as})
	if !errors.Is(err, kind) {
		f.t.Fatalf("%v, want %v", err, kind)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			f.t.Errorf("%q does not say %q", err, w)
		}
	}
}

func (f *fixture) refusals(reason string) int {
	return int(testutil.ToFloat64(f.metrics.refused.WithLabelValues(reason)))
}

// TestOnePolicyMayHaveSoManyAlerts: what is beyond is refused, what it knows
// is always taken, and other policies have their own.
func TestOnePolicyMayHaveSoManyAlerts(t *testing.T) {
	f := newFixture(t, Options{MaxPerPolicy: 10})
	f.wantRefused(crowdOf(0, 12, "web"), ErrFull, `2 of 12 alerts were refused, because policy "web" has 10 already`, "the others were taken in")
	f.wantCounts("web", 10, 0)
	if got := f.refusals("policy_full"); got != 2 {
		t.Errorf("%d counted, want 2", got)
	}
	known := f.Alerts()
	f.apply(known...)                  // a repeat
	f.apply(crowdOf(100, 3, "api")...) // another policy's
	f.wantCounts("api", 3, 0)
	first := known[0]
	first.Status = Resolved
	f.apply(first) // gives its place up
	f.apply(numbered(50, "web"))
	f.wantCounts("web", 10, 0)
}

// TestAlertsTogetherAreBounded: alerts that speak for no policy go first, none
// that fires for a policy goes at all.
func TestAlertsTogetherAreBounded(t *testing.T) {
	size := sizeOf(numbered(1, "web")) + len("{}:{}") + len("scaler")
	f := newFixture(t, Options{MaxBytes: 20 * size})
	f.apply(crowdOf(0, 10, "nobody")...)
	if got := len(f.Alerts()); got > 5 {
		t.Errorf("%d alerts of nobody in a book for 20", got)
	}
	f.apply(crowdOf(100, 18, "web")...)
	f.wantCounts("web", 18, 0)
	f.apply(crowdOf(200, 2, "api")...)
	f.wantCounts("api", 2, 0)
	if got := len(f.Alerts()); got != 20 {
		t.Errorf("%d alerts, want 20", got)
	}
	f.wantRefused(crowdOf(300, 5, "web"), ErrFull, "5 of 5 alerts were refused", fmt.Sprint(20*size, " bytes"))
	f.wantCounts("web", 18, 0)
	f.wantCounts("api", 2, 0)
	f.apply(crowdOf(100, 18, "web")...)
	if f.bytes > 20*size {
		t.Errorf("%d bytes", f.bytes)
	}
	if len(f.store.alerts) != 20 {
		t.Errorf("the store has %d alerts", len(f.store.alerts))
	}
	for _, a := range f.Alerts() {
		a.Status = Resolved
		f.apply(a)
	}
	if f.bytes != 0 || f.unmatchedBytes != 0 {
		t.Errorf("an empty book has %d bytes, %d of nobody", f.bytes, f.unmatchedBytes)
	}
}

// TestOneAlertIsBounded: large annotations are left out, in a repeat too, and
// an alert of large labels is refused.
func TestOneAlertIsBounded(t *testing.T) {
	f := newFixture(t, Options{})
	long := strings.Repeat("x", DefaultMaxAlertBytes)
	a := numbered(1, "web")
	f.apply(a)
	for range 2 {
		a.Annotations = map[string]string{"description": long}
		f.apply(a)
		if got := f.Alerts()[0]; len(got.Annotations) != 0 || f.bytes > 2*alertBytes {
			t.Errorf("%d bytes", f.bytes)
		}
	}
	f.apply(a, func() Alert { b := numbered(2, "web"); b.Annotations = a.Annotations; return b }())
	f.wantCounts("web", 2, 0)
	if got := testutil.ToFloat64(f.metrics.trimmed); got != 4 {
		t.Errorf("%v counted as trimmed, want 4", got)
	}
	b, nobodys := numbered(3, "web"), numbered(4, "nobody")
	b.Labels["long"], nobodys.Labels["long"] = long, long
	f.wantRefused([]Alert{b, numbered(5, "web")}, ErrTooLarge, "1 of 2 alerts were refused", "at most 65536 are kept")
	f.apply(nobodys) // nobody misses it
	f.wantCounts("web", 3, 0)
	if f.refusals("alert_size") != 1 || f.refusals("unmatched") != 1 || len(f.Alerts()) != 3 {
		t.Errorf("%d and %d counted, %d in the book", f.refusals("alert_size"), f.refusals("unmatched"), len(f.Alerts()))
	}
}

// TestReconciliationKeepsToTheBounds as notifications do.
func TestReconciliationKeepsToTheBounds(t *testing.T) {
	f := newFixture(t, Options{MaxPerPolicy: 10})
	f.reconcile(true, crowdOf(0, 30, "web")...)
	f.wantCounts("web", 10, 0)
	if got := f.refusals("policy_full"); got != 20 {
		t.Errorf("%d counted, want 20", got)
	}
}

// TestEndsAreBounded: resolved alerts that the book never had leave little
// behind.
func TestEndsAreBounded(t *testing.T) {
	f := newFixture(t, Options{})
	f.maxTombs = 100
	for _, target := range []string{"nobody", "web"} {
		as := crowdOf(0, f.maxTombs+10, target)
		for i := range as {
			as[i].Status = Resolved
		}
		f.apply(as...)
		if target == "nobody" && len(f.tombs) != 0 {
			t.Errorf("%d ends of alerts of nobody", len(f.tombs))
		}
	}
	if len(f.tombs) != f.maxTombs {
		t.Errorf("%d ends, want %d", len(f.tombs), f.maxTombs)
	}
}

// TestPages come in order, each alert once, within their bounds.
func TestPages(t *testing.T) {
	f := newFixture(t, Options{})
	f.apply(crowdOf(0, 25, "web")...)
	var got []string
	after, pages := "", 0
	for {
		page, next := f.Page(after, 10, 1<<20)
		pages++
		for _, a := range page {
			got = append(got, a.Fingerprint)
		}
		if next == "" {
			break
		}
		after = next
	}
	var want []string
	for _, a := range f.Alerts() {
		want = append(want, a.Fingerprint)
	}
	if pages != 3 || strings.Join(got, " ") != strings.Join(want, " ") || f.Len() != 25 {
		t.Errorf("%d pages, %d alerts: %v", pages, f.Len(), got)
	}
	if page, next := f.Page("", 10, 1); len(page) != 1 || next != page[0].Fingerprint {
		t.Errorf("a page of one byte has %d alerts, next %q", len(page), next)
	}
	if page, next := f.Page("zz", 10, 1<<20); len(page) != 0 || next != "" {
		t.Errorf("behind the last one: %d alerts, next %q", len(page), next)
	}
}

func sizeOf(a Alert) int { return a.size() }
