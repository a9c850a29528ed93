package alerts

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
)

const realConfig = `
route: {receiver: scaler, group_wait: 1s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: scaler}]
inhibit_rules:
  - source_matchers: ['alertname="Maintenance"']
    target_matchers: ['scale="up"']
`

// TestRealAlertmanager lets a real Alertmanager, behind a path prefix, tell
// the book what fires, what is silenced, inhibited and over.
func TestRealAlertmanager(t *testing.T) {
	am := realtest.StartAlertmanager(t, realtest.AlertmanagerOptions{Config: realConfig})
	behind, err := url.Parse(am.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(http.StripPrefix("/am", httputil.NewSingleHostReverseProxy(behind)))
	defer proxy.Close()
	u, err := url.Parse(proxy.URL + "/am")
	if err != nil {
		t.Fatal(err)
	}

	book, err := New(Options{Rules: rules(t, "web")})
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReconciler(ReconcilerOptions{Book: book, URL: u, Interval: time.Hour, Settle: -1})
	if err != nil {
		t.Fatal(err)
	}
	counts := func(what string, up int, check func([]Alert) bool) {
		t.Helper()
		realtest.Eventually(t, 10*time.Second, 200*time.Millisecond, what, func() error {
			if err := r.Reconcile(context.Background()); err != nil {
				return err
			}
			if got := book.Counts("web").Up; got != up {
				return fmt.Errorf("%d active alerts, want %d", got, up)
			}
			if as := book.AlertsFor("web"); check != nil && !check(as) {
				return fmt.Errorf("alerts: %+v", as)
			}
			return nil
		})
	}

	scaleUp := realtest.Alert{Labels: map[string]string{"alertname": "ScaleUp", "scale": "up", "scale_target": "web"}}
	unrelated := realtest.Alert{Labels: map[string]string{"alertname": "DiskFull"}}
	am.PostAlerts(t, scaleUp, unrelated)
	counts("the alert counts", 1, nil)
	if got := book.Alerts(); len(got) != 1 {
		t.Errorf("the book has %+v, want the one that speaks for a policy", got)
	}

	id := am.Silence(t, `{scale_target="web"}`, time.Hour)
	counts("the silenced alert does not count", 0, func(as []Alert) bool {
		return len(as) == 1 && slices.Equal(as[0].SilencedBy, []string{id})
	})
	wantSilence := policy.Pause{By: "realtest", Comment: t.Name(), Silence: id, Since: time.Now(), Until: time.Now().Add(time.Hour)}
	about := cmpopts.EquateApproxTime(time.Minute)
	if diff := cmp.Diff(Holds{Silences: []policy.Pause{wantSilence}}, book.Holds("web"), about); diff != "" {
		t.Errorf("holds (-want +got):\n%s", diff)
	}
	am.ExpireSilence(t, id)
	counts("the silence is over", 1, nil)
	if diff := cmp.Diff(Holds{}, book.Holds("web")); diff != "" {
		t.Errorf("holds (-want +got):\n%s", diff)
	}

	maintenance := realtest.Alert{Labels: map[string]string{"alertname": "Maintenance"}}
	am.PostAlerts(t, maintenance)
	counts("the inhibited alert does not count", 0, func(as []Alert) bool {
		return len(as) == 1 && len(as[0].InhibitedBy) == 1
	})
	maintenance.StartsAt, maintenance.EndsAt = time.Now().Add(-time.Hour), time.Now().Add(-time.Second)
	am.PostAlerts(t, maintenance)
	counts("the inhibition is over", 1, nil)

	scaleUp.StartsAt, scaleUp.EndsAt = time.Now().Add(-time.Hour), time.Now().Add(-time.Second)
	am.PostAlerts(t, scaleUp)
	// Confirmed a moment ago, it is given peerLag before its absence counts.
	book.now = func() time.Time { return time.Now().Add(2 * peerLag) }
	r.am.now = book.now
	counts("the alert is over", 0, func(as []Alert) bool { return len(as) == 0 })
}
