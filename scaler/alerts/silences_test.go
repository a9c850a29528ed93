package alerts

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

const oneSilence = `[{"id":"s1","status":{"state":"active"},"updatedAt":"2026-01-05T07:00:00.000Z","comment":"deploy","createdBy":"alice",` +
	`"startsAt":"2026-01-05T07:30:00.000Z","endsAt":"2026-01-05T09:00:00.000Z","matchers":[{"name":"a","value":"b","isRegex":false,"isEqual":true}]}]`

// silencedAlert is oneAlert under two silences and no inhibition.
func silencedAlert() string {
	s := strings.Replace(oneAlert, `["f2","f1"]`, "[]", 1)
	return strings.Replace(s, `"silencedBy":[]`, `"silencedBy":["s2","s1"]`, 1)
}

func TestReconcilerReadsSilences(t *testing.T) {
	up := body(200, "application/json", uptime(t0.Add(-time.Hour)))
	s1 := policy.Pause{Since: t0.Add(-30 * time.Minute), Until: t0.Add(time.Hour), By: "alice", Comment: "deploy", Silence: "s1"}
	only1, only2 := policy.Pause{Silence: "s1"}, policy.Pause{Silence: "s2"}
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, tc := range []struct {
		name     string
		silences http.HandlerFunc
		want     []policy.Pause
		err      string
	}{
		{"one is over already", body(200, "application/json", oneSilence), []policy.Pause{s1, only2}, ""},
		{"none is left", body(200, "application/json", "[]"), []policy.Pause{only1, only2}, ""},
		{"without author, times and comment", body(200, "application/json", `[{"id":"s1"}]`), []policy.Pause{only1, only2}, ""},
		{"not found", nil, []policy.Pause{only1, only2}, "get silences: HTTP status 404"},
		{"500", body(500, "application/json", `"broken"`), []policy.Pause{only1, only2}, "get silences: HTTP status 500: broken"},
		{"400", body(400, "application/json", `"bad filter"`), []policy.Pause{only1, only2}, "get silences: HTTP status 400: bad filter"},
		{"403 of a proxy", body(403, "text/plain", "no"), []policy.Pause{only1, only2}, "get silences: HTTP status 403"},
		{"empty body", body(200, "application/json", ""), []policy.Pause{only1, only2}, "no list of silences"},
		{"null in the list", body(200, "application/json", "[null]"), []policy.Pause{only1, only2}, "a silence without ID"},
		{"timeout", hang, []policy.Pause{only1, only2}, "deadline exceeded"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t, Options{})
			f.apply(firing(alertOf("a9", "up", "web"), 0)) // is over, says the answer
			f.clock.add(time.Minute)
			u := shape{alerts: body(200, "application/json", silencedAlert()), status: up, silences: tc.silences}.serve(t)
			err := f.reconciler(ReconcilerOptions{URL: u, Timeout: time.Second}).Reconcile(context.Background())
			failures := testutil.ToFloat64(f.metrics.reconciliationFailures)
			switch {
			case tc.err == "" && (err != nil || failures != 0):
				t.Errorf("error %v, %v failures counted", err, failures)
			case tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err) || failures != 1):
				t.Errorf("error %v, want %q; %v failures counted, want 1", err, tc.err, failures)
			}
			// The rest of the answer stands: what is not listed is gone.
			f.wantHolds("web", Counts{Silenced: 1}, Holds{Silences: tc.want})
		})
	}
}

func TestReconcilerAsksForSilencesOnlyWhereOneIsNamed(t *testing.T) {
	f := newFixture(t, Options{})
	var asked []string
	s := shape{
		alerts: body(200, "application/json", oneAlert),
		silences: func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.URL.Query().Encode())
			body(200, "application/json", oneSilence)(w, r)
		},
	}
	reconcile := func() {
		t.Helper()
		if err := f.reconciler(ReconcilerOptions{URL: s.serve(t), Settle: -1}).Reconcile(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	reconcile()
	if len(asked) > 0 {
		t.Errorf("asked for silences %v where none is named", asked)
	}
	s.alerts = body(200, "application/json", silencedAlert())
	reconcile()
	if diff := cmp.Diff([]string{"active=true&expired=false&pending=false"}, asked); diff != "" {
		t.Errorf("questions (-want +got):\n%s", diff)
	}
}
