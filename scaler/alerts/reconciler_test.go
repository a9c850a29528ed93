package alerts

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

const oneAlert = `[{"annotations":{"description":"d"},"endsAt":"2026-01-05T09:00:00Z","fingerprint":"a1",` +
	`"receivers":[{"name":"scaler"}],"startsAt":"2026-01-05T07:59:00Z","status":{"inhibitedBy":["f2","f1"],"silencedBy":[],"state":"suppressed"},` +
	`"updatedAt":"2026-01-05T08:00:00Z","generatorURL":"http://prometheus/graph","labels":{"alertname":"ScaleUp","scale":"up","scale_target":"web"}}]`

func uptime(t time.Time) string {
	return `{"cluster":{"status":"disabled"},"versionInfo":{},"config":{"original":""},"uptime":"` + t.Format(time.RFC3339) + `"}`
}

// shape is one way in which a server may answer the questions; nil is not
// found.
type shape struct {
	alerts, status, silences http.HandlerFunc
}

func body(code int, contentType, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(code)
		fmt.Fprint(w, text)
	}
}

func (s shape) serve(t *testing.T) *url.URL {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /prefix/api/v2/alerts", s.alerts)
	if s.status != nil {
		mux.HandleFunc("GET /prefix/api/v2/status", s.status)
	}
	if s.silences != nil {
		mux.HandleFunc("GET /prefix/api/v2/silences", s.silences)
	}
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL + "/prefix/")
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (f *fixture) reconciler(o ReconcilerOptions) *Reconciler {
	f.t.Helper()
	o.Book = f.Book
	r, err := NewReconciler(o)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

func TestReconcilerReadsAlertmanager(t *testing.T) {
	f := newFixture(t, Options{})
	u := shape{alerts: body(200, "application/json", oneAlert), status: body(200, "application/json", uptime(t0.Add(-time.Hour)))}.serve(t)
	if err := f.reconciler(ReconcilerOptions{URL: u}).Reconcile(context.Background()); err != nil {
		t.Fatal(err)
	}
	want := []Alert{{
		Fingerprint:  Fingerprint(map[string]string{"alertname": "ScaleUp", "scale": "up", "scale_target": "web"}), // not the one that it was given
		Status:       Firing,
		Labels:       map[string]string{"alertname": "ScaleUp", "scale": "up", "scale_target": "web"},
		Annotations:  map[string]string{"description": "d"},
		StartsAt:     t0.Add(-time.Minute),
		GeneratorURL: "http://prometheus/graph",
		ReceivedAt:   t0,
		LastSeen:     t0,
		InhibitedBy:  []string{"f1", "f2"},
		Policies:     []string{"web"},
	}}
	if diff := cmp.Diff(want, f.Alerts()); diff != "" {
		t.Errorf("book (-want +got):\n%s", diff)
	}
	f.wantCounts("web", 0, 0)
	if got := testutil.ToFloat64(f.metrics.reconciled); got != float64(t0.Unix()) {
		t.Errorf("last success at %v, want %d", got, t0.Unix())
	}
}

// TestReconcilerNoAnswer has Alertmanager answer in every way that is not an
// answer: none of them may empty the book.
func TestReconcilerNoAnswer(t *testing.T) {
	long := uptime(t0.Add(-time.Hour))
	ok := body(200, "application/json", long)
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, tc := range []struct {
		name  string
		shape shape
		err   string
	}{
		{"500", shape{alerts: body(500, "application/json", `"the store is broken"`), status: ok}, "HTTP status 500: the store is broken"},
		{"401", shape{alerts: body(401, "text/plain", "Unauthorized"), status: ok}, "HTTP status 401"},
		{"502 of a proxy", shape{alerts: body(502, "text/html", "<html>Bad Gateway</html>"), status: ok}, "HTTP status 502"},
		{"not found, the prefix is wrong", shape{alerts: body(404, "text/plain", "404 page not found"), status: ok}, "HTTP status 404"},
		{"HTML", shape{alerts: body(200, "text/html", "<html>Please log in</html>"), status: ok}, `the answer is an HTML page, "<html>Please log in</html>", where Alertmanager answers with JSON; alertmanager.url must lead to Alertmanager itself`},
		{"HTML that claims to be JSON", shape{alerts: body(200, "application/json", "<html>Please log in</html>"), status: ok}, "the answer is an HTML page"},
		{"HTML for a status", shape{alerts: body(200, "application/json", "[]"), status: body(200, "text/html", "<html>Please log in</html>")}, "get status: Get \"http://"},
		{"empty body", shape{alerts: body(200, "application/json", ""), status: ok}, "no list of alerts"},
		{"null", shape{alerts: body(200, "application/json", "null"), status: ok}, "no list of alerts"},
		{"an object", shape{alerts: body(200, "application/json", `{"status":"success","data":[]}`), status: ok}, "cannot unmarshal"},
		{"cut off", shape{alerts: body(200, "application/json", oneAlert[:len(oneAlert)-20]), status: ok}, "unexpected EOF"},
		{"an alert without a fingerprint", shape{alerts: body(200, "application/json", `[{"labels":{"scale":"up"}}]`), status: ok}, "without fingerprint"},
		{"timeout", shape{alerts: hang, status: ok}, "deadline exceeded"},
		{"no status", shape{alerts: body(200, "application/json", "[]"), status: nil}, "get status: HTTP status 404"},
		{"status without uptime", shape{alerts: body(200, "application/json", "[]"), status: body(200, "application/json", "{}")}, "no uptime"},
		{"just started", shape{alerts: body(200, "application/json", "[]"), status: body(200, "application/json", uptime(t0.Add(-time.Minute)))}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t, Options{})
			f.apply(firing(alertOf("a9", "up", "web"), 0))
			f.clock.add(time.Minute)
			r := f.reconciler(ReconcilerOptions{URL: tc.shape.serve(t), Timeout: time.Second})
			err := r.Reconcile(context.Background())
			failures := testutil.ToFloat64(f.metrics.reconciliationFailures)
			switch {
			case tc.err == "" && (err != nil || failures != 0):
				t.Errorf("error %v, %v failures counted", err, failures)
			case tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)):
				t.Errorf("error %v, want %q", err, tc.err)
			case tc.err != "" && failures != 1:
				t.Errorf("%v failures counted, want 1", failures)
			}
			f.wantCounts("web", 1, 0)
		})
	}
}

func TestReconcilerRemovesOnceSettled(t *testing.T) {
	f := newFixture(t, Options{})
	f.apply(firing(alertOf("a9", "up", "web"), 0))
	f.clock.add(time.Minute)
	u := shape{alerts: body(200, "application/json", "[]"), status: body(200, "application/json", uptime(t0.Add(-time.Hour)))}.serve(t)
	if err := f.reconciler(ReconcilerOptions{URL: u}).Reconcile(context.Background()); err != nil {
		t.Fatal(err)
	}
	f.wantCounts("web", 0, 0)
}

func TestReconcilerCredentialsInURL(t *testing.T) {
	f := newFixture(t, Options{})
	var user, password string
	u := shape{alerts: func(w http.ResponseWriter, r *http.Request) {
		user, password, _ = r.BasicAuth()
		body(200, "application/json", "[]")(w, r)
	}}.serve(t)
	u.User = url.UserPassword("alice", "s3cret")
	if err := f.reconciler(ReconcilerOptions{URL: u, Settle: -1}).Reconcile(context.Background()); err != nil {
		t.Fatal(err)
	}
	if user != "alice" || password != "s3cret" {
		t.Errorf("asked as %q", user)
	}
}

func TestNewReconcilerRefuses(t *testing.T) {
	f := newFixture(t, Options{})
	for _, s := range []string{"", "localhost:9093", "ftp://localhost", "http://"} {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewReconciler(ReconcilerOptions{Book: f.Book, URL: u}); err == nil {
			t.Errorf("URL %q accepted", s)
		}
	}
	if _, err := NewReconciler(ReconcilerOptions{Book: f.Book}); err == nil {
		t.Error("no URL accepted")
	}
	if _, err := NewReconciler(ReconcilerOptions{}); err == nil {
		t.Error("no book accepted")
	}
}

func TestReconcilerRunAsksAtOnce(t *testing.T) {
	f := newFixture(t, Options{})
	told := make(chan []string, 1)
	f.onChange = func(ps []string) { told <- ps }
	listed := strings.Replace(oneAlert, `["f2","f1"]`, "[]", 1)
	u := shape{alerts: body(200, "application/json", listed), status: body(200, "application/json", uptime(t0))}.serve(t)
	r := f.reconciler(ReconcilerOptions{URL: u, Interval: time.Hour})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	select {
	case <-told:
	case <-time.After(10 * time.Second):
		t.Error("not asked at the start")
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run = %v", err)
	}
	f.wantCounts("web", 1, 0)
}
