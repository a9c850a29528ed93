package alerts

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// held is a book in which one alert is silenced, one blocks, one is inhibited
// and one fires, by what Alertmanager has listed.
func held(t testing.TB) (*fixture, []Alert) {
	t.Helper()
	f := newFixture(t, Options{Rules: append(rules(t, "web", "api"), Rule{"web", BlockDown, matchers(t, `alertname="Burn"`)})})
	status := func(silenced, inhibited string) string {
		return fmt.Sprintf(`"status":{"state":"active","silencedBy":[%s],"inhibitedBy":[%s]}`, silenced, inhibited)
	}
	one := func(fp, labels, status string) string {
		return fmt.Sprintf(`{"fingerprint":%q,"startsAt":"2026-01-05T07:59:00Z","labels":{%s},%s}`, fp, labels, status)
	}
	list := "[" + strings.Join([]string{
		one("a1", `"scale":"up","scale_target":"web"`, status(`"s1"`, "")),
		one("a2", `"alertname":"Burn"`, status("", "")),
		one("a3", `"scale":"down","scale_target":"web"`, status("", `"a2"`)),
		one("a4", `"scale":"up","scale_target":"api"`, status("", "")),
	}, ",") + "]"
	r := f.reconciler(ReconcilerOptions{URL: amURL, Transport: answers{"alerts": list, "status": uptime(t0.Add(-time.Hour)), "silences": oneSilence}})
	if err := r.Reconcile(context.Background()); err != nil {
		t.Fatal(err)
	}
	f.clock.add(time.Hour)
	before := f.Alerts()
	return f, before
}

var amURL = &url.URL{Scheme: "http", Host: "alertmanager:9093"}

// answers are given with status 200 to the questions by the end of their path.
type answers map[string]string

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	_, question, _ := strings.Cut(r.URL.Path, "/api/v2/")
	return &http.Response{
		StatusCode: http.StatusOK, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(a[question])), ContentLength: -1,
	}, nil
}

// What is no answer of Alertmanager removes no alert and no hold, and is an
// error that somebody sees.
func TestWhatIsNoAnswerChangesNothing(t *testing.T) {
	good := `{"fingerprint":"a1","startsAt":"2026-01-05T07:59:00Z","labels":{"scale":"up","scale_target":"web"},"status":{"state":"active","silencedBy":["s1"],"inhibitedBy":[]}}`
	but := func(old, next string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%s is not in %s", old, good)
		}
		return "[" + strings.Replace(good, old, next, 1) + "]"
	}
	settled := uptime(t0.Add(-time.Hour))
	up := func(s string) string { return `{"cluster":{"status":"ready"},"uptime":` + s + `}` }
	for _, tc := range []struct{ name, alerts, status, err string }{
		{"an alert that is null", "[null]", settled, "without fingerprint"},
		{"an alert that is a list", "[[]]", settled, "cannot unmarshal array"},
		{"an alert that is empty", "[{}]", settled, "without fingerprint"},
		{"no fingerprint", but(`"a1"`, `""`), settled, "without fingerprint"},
		{"no start", but(`"2026-01-05T07:59:00Z"`, `null`), settled, "without fingerprint, start or status"},
		{"an empty start", but(`"2026-01-05T07:59:00Z"`, `""`), settled, `an alert, "a1", without a start`},
		{"no labels", but(`{"scale":"up","scale_target":"web"}`, `null`), settled, `an alert, "a1", without labels`},
		{"no status", but(`{"state":"active","silencedBy":["s1"],"inhibitedBy":[]}`, `null`), settled, "without fingerprint, start or status"},
		{"an empty status", but(`{"state":"active","silencedBy":["s1"],"inhibitedBy":[]}`, `{}`), settled, "without status.state"},
		{"nobody says who silenced it", but(`"silencedBy":["s1"],`, ``), settled, "without status.silencedBy"},
		{"null silenced it", but(`"silencedBy":["s1"]`, `"silencedBy":null`), settled, "without status.silencedBy"},
		{"a silence that is null", but(`"silencedBy":["s1"]`, `"silencedBy":[null]`), settled, "without status.silencedBy"},
		{"nobody says who inhibited it", but(`,"inhibitedBy":[]`, ``), settled, "without status.inhibitedBy"},
		{"something follows the list", `[] [` + good + `]`, settled, "something follows the JSON of the answer"},
		{"a page follows the list", `[]<html>`, settled, "something follows the JSON of the answer"},
		{"an object", `{}`, settled, "cannot unmarshal object"},
		{"an object of alerts", `{"data":[]}`, settled, "cannot unmarshal object"},
		{"null", `null`, settled, "no list of alerts"},
		{"a page", "\n<!DOCTYPE html><title>Sign in</title>", settled, "the answer is an HTML page"},
		{"up since nothing", "[]", up(`""`), "the uptime, 1970-01-01T00:00:00Z, is not when an Alertmanager started"},
		{"up since null", "[]", up(`null`), "the answer has no uptime"},
		{"up since 1970", "[]", up(`"1970-01-01T00:00:00Z"`), "is not when an Alertmanager started"},
		{"up since tomorrow", "[]", up(`"2026-01-06T08:00:00Z"`), "is not when an Alertmanager started, by the clock here, which says 2026-01-05T09:00:00Z"},
		{"a status that is null", "[]", "null", "the answer has no uptime"},
		{"a status that is a list", "[]", "[]", "cannot unmarshal array"},
		{"a status that is a page", "[]", "<html>", "get status: Get \"http://alertmanager:9093/api/v2/status\": the answer is an HTML page"},
		{"something follows the status", "[]", settled + "x", "something follows the JSON of the answer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, before := held(t)
			r := f.reconciler(ReconcilerOptions{URL: amURL, Transport: answers{"alerts": tc.alerts, "status": tc.status, "silences": oneSilence}})
			err := r.Reconcile(context.Background())
			if err == nil || !strings.Contains(err.Error(), tc.err) || testutil.ToFloat64(f.metrics.reconciliationFailures) != 1 {
				t.Errorf("error %v, want %q and counted", err, tc.err)
			}
			if diff := cmp.Diff(before, f.Alerts(), cmpopts.IgnoreFields(Alert{}, "LastSeen")); diff != "" {
				t.Errorf("the book changed (-before +after):\n%s", diff)
			}
			if got := f.Holds("web"); len(got.Silences) != 1 || len(got.BlockDown) != 1 {
				t.Errorf("holds %+v, want a silence and a block", got)
			}
		})
	}
}

// A silence whose end nobody knows has not ended.
func TestASilenceWithoutAnEnd(t *testing.T) {
	f, _ := held(t)
	for _, end := range []string{`""`, "null"} {
		silences := strings.Replace(oneSilence, `"2026-01-05T09:00:00.000Z"`, end, 1)
		r := f.reconciler(ReconcilerOptions{URL: amURL, Settle: -1, Transport: answers{"alerts": silencedAlert(), "silences": silences}})
		if err := r.Reconcile(context.Background()); err != nil {
			t.Fatal(err)
		}
		got := f.Holds("web").Silences
		if len(got) != 2 || got[0] != (policy.Pause{Silence: "s1", By: "alice", Comment: "deploy", Since: t0.Add(-30 * time.Minute)}) {
			t.Errorf("ends %s: %+v", end, got)
		}
	}
}
