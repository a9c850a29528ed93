package usage

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// exporter serves whatever text it is given.
type exporter struct {
	*httptest.Server
	body atomic.Pointer[string]
}

func (e *exporter) set(body string) { e.body.Store(&body) }

// scraped starts a Prometheus that scrapes an exporter every second.
func scraped(t *testing.T, body string) (*realtest.Prometheus, *exporter) {
	t.Helper()
	e := &exporter{}
	e.set(body)
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write([]byte(*e.body.Load()))
	}))
	t.Cleanup(e.Close)
	p := realtest.StartPrometheus(t, realtest.PrometheusOptions{Config: fmt.Sprintf(`
scrape_configs:
- job_name: exporter
  scrape_interval: 1s
  static_configs:
  - targets: [%q]
`, strings.TrimPrefix(e.URL, "http://"))})
	return p, e
}

// await waits until a query returns one series of a value.
func await(t *testing.T, p *realtest.Prometheus, expr string, want float64) {
	t.Helper()
	realtest.Eventually(t, 30*time.Second, 100*time.Millisecond, fmt.Sprintf("%s is %g", expr, want), func() error {
		got, err := p.Query(expr)
		if err == nil && (len(got) != 1 || got[0].Value != want) {
			err = fmt.Errorf("got %v", got)
		}
		return err
	})
}

func newReader(t testing.TB, o Options) *Reader {
	t.Helper()
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// recorded is what the rules would have recorded for one target.
func recorded(target, usage, capacity, reporting string) string {
	var b strings.Builder
	for _, s := range []struct{ series, value string }{
		{seriesUsage + `{scale_target="` + target + `",resource="cpu"}`, usage},
		{seriesCapacity + `{scale_target="` + target + `",resource="cpu"}`, capacity},
		{seriesReporting + `{scale_target="` + target + `"}`, reporting},
	} {
		if s.value != "" {
			fmt.Fprintf(&b, "%s %s\n", s.series, s.value)
		}
	}
	return b.String()
}

func TestTheGateAgainstPrometheus(t *testing.T) {
	t.Parallel()
	const fresh, old = 30 * time.Second, 3 * time.Minute
	at := func(value string, age time.Duration) string {
		return fmt.Sprintf("%s %d", value, time.Now().Add(-age).UnixMilli())
	}
	p, _ := scraped(t, strings.Join([]string{
		recorded("web", "8.4", "16", "8"),
		recorded("idle", "0", "16", "8"),
		recorded("aged", at("8.4", fresh), "16", "8"),
		recorded("stopped", at("8.4", old), "16", "8"),
		recorded("nan", "NaN", "16", "8"),
		recorded("inf", "+Inf", "16", "8"),
		recorded("negative", "-1", "16", "8"),
		recorded("uncounted", "8.4", "16", ""),
		recorded("counted-nan", "8.4", "16", "NaN"),
		recorded("nobody", "8.4", "16", "0"),
		recorded("boundless", "8.4", "", "8"),
		recorded("bound-stopped", "8.4", at("16", old), "8"),
		recorded("bound-nan", "8.4", "NaN", "8"),
		recorded("bound-zero", "8.4", "0", "8"),
		recorded("twice", "8.4", "16", "8"),
		seriesUsage + `{scale_target="twice",resource="cpu",rack="b"} 9`,
		recorded("bound-twice", "8.4", "16", "8"),
		seriesCapacity + `{scale_target="bound-twice",resource="cpu",rack="b"} 9`,
		`backlog{queue="mail"} 120`,
		`backlog{queue="print"} 30`,
		`scale_target_resource:usage:predicted{scale_target="web",resource="cpu"} 12`,
		`scale_target_resource:usage:predicted{scale_target="idle",resource="cpu"} NaN`,
		`scale_target_resource:usage:predicted{scale_target="aged",resource="cpu"} ` + at("12", old),
		`fast_total ` + at("7", fresh),
		`slow_total ` + at("7", old),
		`workers 6`,
		``,
	}, "\n"))
	await(t, p, "workers", 6)

	shipped := func(target string, change ...func(*Query)) Query {
		q := Query{ScaleTarget: target, Resource: "cpu", Ready: 8}
		for _, c := range change {
			c(&q)
		}
		return q
	}
	own := func(expr string, change ...func(*Query)) Query {
		return shipped("web", append([]func(*Query){func(q *Query) { q.Usage, q.CapacityPerReplica = expr, 10 }}, change...)...)
	}
	ready := func(n int) func(*Query) { return func(q *Query) { q.Ready = n } }
	cover := func(v float64) func(*Query) { return func(q *Query) { q.MinCoverage = &v } }
	coverage := func(expr string) func(*Query) { return func(q *Query) { q.Coverage = expr } }
	capacity := func(expr string) func(*Query) { return func(q *Query) { q.CapacityPerReplica, q.Capacity = 0, expr } }
	predicted := func(expr string) func(*Query) { return func(q *Query) { q.Predicted = expr } }
	forecast := func(target string) func(*Query) {
		return predicted(seriesPredicted + `{scale_target="` + target + `",resource="cpu"}`)
	}
	number := func(v float64) func(*Query) { return func(q *Query) { q.CapacityPerReplica = v } }

	good := func(value, capacity float64) policy.Usage {
		return policy.Usage{Value: value, CapacityPerReplica: capacity}
	}
	expecting := func(value, capacity, predicted float64) policy.Usage {
		return policy.Usage{Value: value, CapacityPerReplica: capacity, Predicted: predicted}
	}
	partial := func(value, capacity float64, detail string) policy.Usage {
		return policy.Usage{Value: value, CapacityPerReplica: capacity, Problem: policy.ProblemLowCoverage, Detail: detail}
	}
	problem := func(p policy.Problem, detail string) policy.Usage {
		return policy.Usage{Problem: p, Detail: detail}
	}
	tests := []struct {
		name  string
		query Query
		// want has a part of the detail.
		want policy.Usage
	}{
		{"the shipped series", shipped("web"), good(8.4, 2)},
		{"nothing used is a number", shipped("idle"), good(0, 2)},
		{"replicas that do not report yet", shipped("web", ready(10)), good(8.4, 2)},
		{"more reporting than ready", shipped("web", ready(2)), good(8.4, 2)},
		{"none ready", shipped("web", ready(0)), good(8.4, 2)},
		{"low coverage", shipped("web", ready(11)), partial(8.4, 2, "coverage: 8 of 11 ready replicas report, below a share of 0.8")},
		{"low coverage and no capacity", shipped("boundless", ready(11)), partial(8.4, 0, "coverage: 8 of 11 ready replicas report, below a share of 0.8")},
		{"low coverage and a prediction", shipped("web", ready(11), forecast("web")), partial(8.4, 2, "coverage: 8 of 11")},
		{"the shipped prediction", shipped("web", forecast("web")), expecting(8.4, 2, 12)},
		{"a prediction by a query", shipped("web", predicted("workers * 2")), expecting(8.4, 2, 12)},
		{"another's prediction for usage of one's own", own("sum(backlog)", forecast("web")), expecting(150, 10, 12)},
		{"a prediction that is not there", shipped("web", forecast("nobody")), good(8.4, 2)},
		{"a prediction that is no number", shipped("web", forecast("idle")), good(8.4, 2)},
		{"a prediction that is too old", shipped("web", forecast("aged")), good(8.4, 2)},
		{"a prediction of many series", shipped("web", predicted("backlog")), good(8.4, 2)},
		{"a prediction that does not parse", shipped("web", predicted("sum(")), good(8.4, 2)},
		{"a lower share will do", shipped("web", ready(11), cover(0.7)), good(8.4, 2)},
		{"no share is asked for", shipped("web", ready(100), cover(0)), good(8.4, 2)},
		{"written out", shipped("web", func(q *Query) {
			q.Usage = `scale_target_resource:usage:sum{ resource='cpu', scale_target="idle" }`
		}), good(0, 2)},
		{"an old sample, not too old", shipped("aged"), policy.Usage{Value: 8.4, CapacityPerReplica: 2, Age: fresh}},
		{"stale", shipped("stopped"), problem(policy.ProblemStale, "usage: the newest sample is 3m")},
		{"missing", shipped("nobody knows"), problem(policy.ProblemMissing, `usage: no series scale_target_resource:usage:sum{resource="cpu", scale_target="nobody knows"}`)},
		{"not a number", shipped("nan"), problem(policy.ProblemNotFinite, "usage: the value is NaN")},
		{"infinite", shipped("inf"), problem(policy.ProblemNotFinite, "usage: the value is +Inf")},
		{"negative", shipped("negative"), problem(policy.ProblemNotFinite, "usage: the value is negative: -1")},
		{"ambiguous", shipped("twice"), problem(policy.ProblemAmbiguous, "usage: 2 series where one is expected, such as scale_target_resource:usage:sum{")},
		{"no count", shipped("uncounted"), problem(policy.ProblemMissing, `coverage: no series scale_target:replicas_reporting:count{scale_target="uncounted"}`)},
		{"no count, and none asked for", shipped("uncounted", cover(0)), good(8.4, 2)},
		{"no count, and none ready", shipped("uncounted", ready(0)), problem(policy.ProblemNoCapacity, "capacity: how many replicas it is the sum of: no series")},
		{"a count that is none", shipped("counted-nan", cover(0)), problem(policy.ProblemNoCapacity, "capacity: how many replicas it is the sum of: the value is NaN")},
		{"a count of zero", shipped("nobody", cover(0)), problem(policy.ProblemNoCapacity, "capacity: it is the sum of no replicas")},
		{"no capacity", shipped("boundless"), problem(policy.ProblemNoCapacity, "capacity: no series")},
		{"no capacity needed", shipped("boundless", number(3)), good(8.4, 3)},
		{"stale capacity", shipped("bound-stopped"), problem(policy.ProblemNoCapacity, "capacity: the newest sample is 3m")},
		{"capacity is not a number", shipped("bound-nan"), problem(policy.ProblemNoCapacity, "capacity: the value is NaN")},
		{"capacity of zero", shipped("bound-zero"), problem(policy.ProblemNoCapacity, "capacity: one replica holds 0")},
		{"ambiguous capacity", shipped("bound-twice"), problem(policy.ProblemNoCapacity, "capacity: 2 series where one is expected")},
		{"a negative number for capacity", shipped("web", number(-1)), problem(policy.ProblemNoCapacity, "capacity: the value is negative")},

		{"an aggregation", own(`sum(backlog)`), good(150, 10)},
		{"a selector", own(`backlog{queue="mail"}`), good(120, 10)},
		{"a scalar", own(`scalar(workers) * 7`), good(42, 10)},
		{"a literal", own(`42`), good(42, 10)},
		{"the age of a selector's sample", own(`fast_total`), policy.Usage{Value: 7, CapacityPerReplica: 10, Age: fresh}},
		{"a stale selector", own(`slow_total`), problem(policy.ProblemStale, "usage: the newest sample is 3m")},
		{"a stale expression", own(`slow_total * 2`), problem(policy.ProblemStale, "usage: no sample is younger than 2m0s")},
		{"many series", own(`backlog`), problem(policy.ProblemAmbiguous, `usage: 2 series where one is expected, such as backlog{instance=`)},
		{"no series", own(`backlog{queue="fax"}`), problem(policy.ProblemMissing, "usage: the query returns no series")},
		{"an expression that is not a number", own(`workers * 0 / 0`), problem(policy.ProblemNotFinite, "usage: the value is NaN")},
		{"a range", own(`backlog{queue="mail"}[1m]`), problem(policy.ProblemUnavailable, "usage: the answer is a matrix, not one number")},
		{"a string", own(`"mail"`), problem(policy.ProblemUnavailable, "usage: bad_response: http://")},
		{"PromQL that does not parse", own(`sum(`), problem(policy.ProblemUnavailable, `usage: bad_data: invalid parameter "query": 1:5: parse error`)},
		{"PromQL that cannot be executed", own(`label_replace(backlog, "queue", "", "", "")`), problem(policy.ProblemUnavailable, "usage: execution: vector cannot contain metrics with the same labelset")},
		{"capacity by a query", own(`sum(backlog)`, capacity(`workers * 5`)), good(150, 30)},
		{"capacity by a scalar", own(`sum(backlog)`, capacity(`vector(1) and backlog or vector(2)`)), good(150, 2)},
		{"shipped usage, capacity by a query", shipped("web", capacity(`workers`)), good(8.4, 6)},
		{"own usage, shipped capacity", own(`sum(backlog)`, capacity("")), good(150, 2)},
		{"no capacity by a query", own(`sum(backlog)`, capacity(`absent(workers)`)), problem(policy.ProblemNoCapacity, "capacity: the query returns no series")},
		{"capacity that does not parse", own(`sum(backlog)`, capacity(`)`)), problem(policy.ProblemUnavailable, "capacity: bad_data: ")},
		{"the recorded sum as a capacity is taken as it is", own(`sum(backlog)`, capacity(`scale_target_resource:capacity:sum{scale_target="web",resource="cpu"}`)), good(150, 16)},
		{"coverage is not asked of a query", own(`sum(backlog)`, ready(100)), good(150, 10)},
		{"unless it is", own(`sum(backlog)`, ready(100), cover(0.8)), partial(150, 10, "coverage: 8 of 100")},
		{"or says how", own(`sum(backlog)`, coverage(`workers`)), partial(150, 10, "coverage: 6 of 8 ready")},
		{"by a query of its own", own(`sum(backlog)`, coverage(`workers`), cover(0.75)), good(150, 10)},
		{"which must work", own(`sum(backlog)`, coverage(`backlog`)), problem(policy.ProblemAmbiguous, "coverage: 2 series")},
	}

	r := newReader(t, Options{Address: p.URL + "/"})
	queries := make([]Query, len(tests))
	for i, tc := range tests {
		queries[i] = tc.query
	}
	now := time.Now()
	got := r.Read(context.Background(), now, queries)
	for i, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			want := tc.want
			want.Resource = "cpu"
			partOf := cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Detail" },
				cmp.Comparer(func(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }))
			// Scrapes happen once a second, and the machine may be busy.
			roughly := cmp.Comparer(func(a, b time.Duration) bool { return (a - b).Abs() < 20*time.Second })
			if diff := cmp.Diff(want, got[i], partOf, roughly, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (got[i].Problem == "") != (got[i].Detail == "") {
				t.Errorf("problem %q and detail %q do not go together", got[i].Problem, got[i].Detail)
			}
			if got[i].Problem != "" && got[i].Problem != policy.ProblemLowCoverage && got[i].Value != 0 {
				t.Errorf("a value of %g with a problem", got[i].Value)
			}
		})
	}
}

func TestASeriesThatEnds(t *testing.T) {
	t.Parallel()
	p, e := scraped(t, recorded("web", "8.4", "16", "8"))
	await(t, p, seriesReporting, 8)
	r := newReader(t, Options{Address: p.URL})
	q := []Query{{ScaleTarget: "web", Resource: "cpu", Ready: 8}}
	if got := r.Read(context.Background(), time.Now(), q)[0]; got.Problem != "" {
		t.Fatalf("while it is there: %+v", got)
	}
	// What a rule no longer records is marked as ended: nobody has to wait
	// until its last sample is too old.
	e.set(recorded("web", "", "16", "8"))
	realtest.Eventually(t, 30*time.Second, 200*time.Millisecond, "the usage is missing", func() error {
		if got := r.Read(context.Background(), time.Now(), q)[0]; got.Problem != policy.ProblemMissing {
			return fmt.Errorf("got %+v", got)
		}
		return nil
	})
}

// The count is recorded first. Between the two rules it speaks of eight
// replicas, and the capacity still of four.
func TestASnapshotBetweenTwoRules(t *testing.T) {
	t.Parallel()
	now := time.Now()
	before, after := fmt.Sprint(" ", now.Add(-20*time.Second).UnixMilli()), fmt.Sprint(" ", now.Add(-5*time.Second).UnixMilli())
	p, e := scraped(t, recorded("web", "8.4"+before, "8"+before, "4"+before))
	await(t, p, seriesReporting, 4)
	e.set(recorded("web", "8.4"+before, "8"+before, "8"+after))
	await(t, p, seriesReporting, 8)

	r := newReader(t, Options{Address: p.URL})
	got := r.Read(context.Background(), time.Now(), []Query{{ScaleTarget: "web", Resource: "cpu", Ready: 8}})[0]
	if got.Problem != "" || got.CapacityPerReplica != 2 {
		t.Errorf("got %+v, want a capacity of 2 a replica", got)
	}
	if got := testutil.ToFloat64(r.metrics.queries); got != 7 {
		t.Errorf("%v queries, want one more than six", got)
	}
}

func TestTenThousandPoliciesCostSixQueries(t *testing.T) {
	t.Parallel()
	p, _ := scraped(t, recorded("web", "8.4", "16", "8"))
	await(t, p, seriesReporting, 8)
	r := newReader(t, Options{Address: p.URL})
	now := time.Now()
	for i := range 10_000 {
		target := "web"
		if i%100 > 0 {
			target = fmt.Sprintf("unknown-%d", i)
		}
		got := r.Read(context.Background(), now, []Query{{ScaleTarget: target, Resource: "cpu", Ready: 8}})[0]
		if (got.Problem == "") != (target == "web") {
			t.Fatalf("%s: %+v", target, got)
		}
	}
	// One more looks for the missing ones further back, for all of them.
	if got := testutil.ToFloat64(r.metrics.queries); got != 7 {
		t.Errorf("%v queries, want 7", got)
	}
	if got := testutil.ToFloat64(r.metrics.queryFailures); got != 0 {
		t.Errorf("%v queries failed", got)
	}
}
