package usage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// answers is a Prometheus for what a real one cannot be made to do. Left alone
// it has the shipped series of the target web, and 42 for everything else.
type answers struct {
	// fail, where set, takes over the queries that it returns true for.
	fail    func(w http.ResponseWriter, r *http.Request, query string) bool
	queries atomic.Int64
}

// ServeHTTP implements http.Handler.
func (a *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.queries.Add(1)
	query := r.FormValue("query")
	if a.fail != nil && a.fail(w, r, query) {
		return
	}
	sel, isTime := strings.CutPrefix(query, "timestamp(")
	name, _, _ := strings.Cut(sel, "{")
	name, _, _ = strings.Cut(name, ")")
	value := map[string]string{seriesUsage: "8.4", seriesCapacity: "16", seriesReporting: "8"}[name]
	if value == "" {
		value = "42"
	}
	if isTime {
		value = r.FormValue("time")
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"scale_target":"web"%s},"value":[%s,%q]}]}}`,
		map[bool]string{true: "", false: `,"resource":"cpu"`}[name == seriesReporting], r.FormValue("time"), value)
}

// RoundTrip answers without a network, so that a test may run on a virtual
// clock. Like a client it gives up when the request's context ends.
func (a *answers) RoundTrip(r *http.Request) (res *http.Response, err error) {
	defer func() {
		if v := recover(); v != nil {
			if v != http.ErrAbortHandler { //nolint:errorlint // It is what a handler panics with.
				panic(v)
			}
			res, err = nil, io.ErrUnexpectedEOF
		}
	}()
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r.Clone(r.Context()))
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

// reader asks these answers, without a network.
func (a *answers) reader(t testing.TB, o Options) *Reader {
	t.Helper()
	o.Address, o.RoundTripper = "http://prometheus", a
	return newReader(t, o)
}

// server has the answers on the wire.
type server struct {
	*httptest.Server
	answers
}

func serve(t testing.TB, fail func(w http.ResponseWriter, r *http.Request, query string) bool) *server {
	t.Helper()
	s := &server{answers: answers{fail: fail}}
	s.Server = httptest.NewServer(&s.answers)
	t.Cleanup(s.Close)
	return s
}

func web() []Query { return []Query{{ScaleTarget: "web", Resource: "cpu", Ready: 8}} }

func own() []Query {
	return []Query{{ScaleTarget: "web", Resource: "cpu", Usage: "sum(x)", CapacityPerReplica: 2}}
}

func TestWhatMayGoWrongOnTheWire(t *testing.T) {
	answer := func(code int, body string) func(http.ResponseWriter, *http.Request, string) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ string) bool {
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
			return true
		}
	}
	tests := []struct {
		name string
		fail func(http.ResponseWriter, *http.Request, string) bool
		// detail holds all of these.
		detail []string
	}{
		{"an error without words", answer(500, ""), []string{"server error: 500"}},
		{"a proxy's page", answer(502, "<html>\n<head><title>502 Bad Gateway</title>"+strings.Repeat("<p>sorry", 500)), []string{"server error: 502", "<html> <head><title>502 Bad Gateway</title>", "…"}},
		{"a login page", answer(200, "<html>please log in</html>"), []string{"bad_response", "answers with an HTML page, \"<html>please log in</html>\""}},
		{"not allowed", answer(401, "Unauthorized\n"), []string{"client error: 401", "Unauthorized"}},
		{"Prometheus' own timeout", answer(503, `{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}`), []string{"timeout: query timed out in expression evaluation"}},
		{"too many samples", answer(422, `{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory"}`), []string{"execution: query processing would load too many samples"}},
		{"an error in a success", answer(200, `{"status":"error","errorType":"internal","error":"expanding series"}`), []string{"internal: expanding series"}},
		{"an empty answer", answer(200, ""), []string{"bad_response"}},
		{"half an answer", answer(200, `{"status":"success","data":{"resultType":"vec`), []string{"bad_response"}},
		{"an unknown kind of answer", answer(200, `{"status":"success","data":{"resultType":"tensor","result":[]}}`), []string{"tensor"}},
		{"a connection cut off", func(http.ResponseWriter, *http.Request, string) bool { panic(http.ErrAbortHandler) }, []string{"EOF"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, tc.fail)
			r := newReader(t, Options{Address: s.URL})
			for kind, queries := range map[string][]Query{"shipped": web(), "own": own()} {
				got := r.Read(context.Background(), time.Now(), queries)[0]
				if got.Problem != policy.ProblemUnavailable {
					t.Errorf("%s: %+v, want it unavailable", kind, got)
				}
				for _, part := range tc.detail {
					if !strings.Contains(got.Detail, part) {
						t.Errorf("%s: %q does not say %q", kind, got.Detail, part)
					}
				}
				if len(got.Detail) > maxDetail+20 {
					t.Errorf("%s: a detail of %d bytes", kind, len(got.Detail))
				}
			}
			if got := testutil.ToFloat64(r.metrics.queryFailures); got < 7 {
				t.Errorf("query_failures_total %v, want 7 or more", got)
			}
		})
	}
}

// never is a Prometheus that answers only once nobody waits any more.
func never(_ http.ResponseWriter, r *http.Request, _ string) bool {
	<-r.Context().Done()
	return true
}

func TestNoAnswerInTime(t *testing.T) {
	for kind, queries := range map[string][]Query{"shipped": web(), "own": own()} {
		synctest.Test(t, func(t *testing.T) {
			r := (&answers{fail: never}).reader(t, Options{Timeout: 7 * time.Second})
			began := time.Now()
			got := r.Read(context.Background(), began, queries)[0]
			if got.Problem != policy.ProblemUnavailable || !strings.Contains(got.Detail, "no answer within 7s") {
				t.Errorf("%s: %+v", kind, got)
			}
			if took := time.Since(began); took != 7*time.Second {
				t.Errorf("%s: it took %s", kind, took)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	s := serve(t, nil)
	s.Close()
	r := newReader(t, Options{Address: s.URL})
	for _, queries := range [][]Query{web(), own()} {
		got := r.Read(context.Background(), time.Now(), queries)[0]
		if got.Problem != policy.ProblemUnavailable || !strings.Contains(got.Detail, "connection refused") {
			t.Errorf("%+v", got)
		}
	}
}

// failing makes every query fail that is one of these.
func failing(these ...string) func(http.ResponseWriter, *http.Request, string) bool {
	return func(w http.ResponseWriter, _ *http.Request, query string) bool {
		if slices.Contains(these, query) {
			http.Error(w, "out of order", http.StatusInternalServerError)
			return true
		}
		return false
	}
}

func cpuOf(series string) string { return series + `{resource=~"cpu"}` }

func TestOneOfTheSharedQueriesFails(t *testing.T) {
	tests := []struct {
		fails string
		// want by what is asked for: everything shipped, and a number for
		// capacity.
		shipped, number policy.Problem
	}{
		{"none", "", ""},
		{cpuOf(seriesUsage), policy.ProblemUnavailable, policy.ProblemUnavailable},
		{timesExpr(cpuOf(seriesUsage)), policy.ProblemUnavailable, policy.ProblemUnavailable},
		{cpuOf(seriesCapacity), policy.ProblemUnavailable, ""},
		{timesExpr(cpuOf(seriesCapacity)), policy.ProblemUnavailable, ""},
		{seriesReporting, policy.ProblemUnavailable, policy.ProblemUnavailable},
	}
	for _, tc := range tests {
		t.Run(tc.fails, func(t *testing.T) {
			r := newReader(t, Options{Address: serve(t, failing(tc.fails)).URL})
			queries := append(web(), web()...)
			queries[1].CapacityPerReplica = 2
			got := r.Read(context.Background(), time.Now(), queries)
			if diff := cmp.Diff([]policy.Problem{tc.shipped, tc.number}, []policy.Problem{got[0].Problem, got[1].Problem}); diff != "" {
				t.Errorf("(-want +got):\n%s%+v", diff, got)
			}
		})
	}
}

func TestASelectorWhoseTimeIsUnknown(t *testing.T) {
	q := own()
	q[0].Usage = "x"
	r := newReader(t, Options{Address: serve(t, failing("timestamp(x)")).URL})
	got := r.Read(context.Background(), time.Now(), q)[0]
	if got.Problem != policy.ProblemUnavailable || !strings.HasPrefix(got.Detail, "usage: the time of the sample: server_error") {
		t.Errorf("%+v", got)
	}
}

func TestASnapshotIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := &answers{fail: func(http.ResponseWriter, *http.Request, string) bool {
			<-release
			return false
		}}
		now := time.Now()
		r := s.reader(t, Options{Now: func() time.Time { return now.Add(5 * time.Second) }})

		// All at once, and while it is slow also those who come later.
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				at := now.Add(time.Duration(i) * 50 * time.Millisecond)
				if got := r.Read(context.Background(), at, web())[0]; got.Problem != "" {
					t.Errorf("%+v", got)
				}
			})
			synctest.Wait() // the snapshot is that of the first
		}
		// One who does not want to wait, who must not spoil it for the others.
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(errors.New("in a hurry"))
		if got := r.Read(ctx, now, web())[0]; got.Problem != policy.ProblemUnavailable || got.Detail != "usage: in a hurry" {
			t.Errorf("%+v", got)
		}
		close(release)
		wg.Wait()
		if got := s.queries.Load(); got != 6 {
			t.Errorf("%d queries, want 6", got)
		}

		for _, step := range []struct {
			at   time.Duration
			want int64
		}{
			{500 * time.Millisecond, 6},        // as young as it gets
			{5500 * time.Millisecond, 6},       // just after it landed
			{6500 * time.Millisecond, 12},      // too old
			{-time.Hour, 18},                   // a clock set back
			{24 * time.Hour, 24},               // and forward
			{24*time.Hour + time.Second/2, 24}, // which is one that serves again
		} {
			r.Read(context.Background(), now.Add(step.at), web())
			if got := s.queries.Load(); got != step.want {
				t.Errorf("at %s: %d queries, want %d", step.at, got, step.want)
			}
		}
	})
}

// TestASnapshotIsTooOldForWhoHasHeardOfSomething: what was read for others a moment
// before does not answer, and of those who have heard while one is read all are
// served by the next.
func TestASnapshotIsTooOldForWhoHasHeardOfSomething(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := &answers{fail: func(http.ResponseWriter, *http.Request, string) bool {
			<-release
			return false
		}}
		r := s.reader(t, Options{})
		began := time.Now()
		read := func(now, since time.Duration) policy.Usage {
			queries := web()
			queries[0].Since = began.Add(since)
			return r.Read(context.Background(), began.Add(now), queries)[0]
		}
		var wg sync.WaitGroup
		wg.Go(func() { read(0, -time.Hour) })
		synctest.Wait()
		for i := range 100 {
			// They begin to read in another order than they have heard in.
			heard := time.Duration(1+(i*37)%100) * time.Millisecond
			wg.Go(func() {
				if got := read(heard+time.Millisecond, heard); got.Problem != "" {
					t.Errorf("%+v", got)
				}
			})
			synctest.Wait()
		}
		if got := s.queries.Load(); got != 6 {
			t.Errorf("%d queries while the first are not answered, want 6", got)
		}
		close(release)
		wg.Wait()
		if got := s.queries.Load(); got != 12 {
			t.Errorf("%d queries, want 12", got)
		}

		for _, step := range []struct {
			now, since time.Duration
			want       int64
		}{
			{300 * time.Millisecond, 50 * time.Millisecond, 12},  // heard before it was read
			{300 * time.Millisecond, 250 * time.Millisecond, 18}, // and after
			{400 * time.Millisecond, 300 * time.Millisecond, 18}, // when it was read again
			{-time.Hour, -time.Hour - time.Second, 24},           // a clock set back
			{-time.Hour, -time.Hour - time.Second, 24},           // which is one that serves again
			{-time.Hour + time.Millisecond, -time.Hour, 24},      // as does this
			{-time.Hour + time.Second/2, -time.Hour + 1, 30},     // but not after it
			{-time.Hour + time.Second/2, -time.Hour - 1, 30},     //
		} {
			read(step.now, step.since)
			if got := s.queries.Load(); got != step.want {
				t.Errorf("at %s, having heard at %s: %d queries, want %d", step.now, step.since, got, step.want)
			}
		}
	})
}

// TestWhoHasHeardOfSomethingWaitsForOneFailure: where Prometheus answers nothing to
// what was asked before an alert, it is not asked the same again for who was woken
// by that; where it answers a part, it is.
func TestWhoHasHeardOfSomethingWaitsForOneFailure(t *testing.T) {
	for _, test := range []struct {
		hangs   string // part of the queries that are not answered
		takes   time.Duration
		queries int64
	}{
		{"", defaultTimeout, 6},
		{seriesReporting, 2 * defaultTimeout, 12},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &answers{fail: func(_ http.ResponseWriter, r *http.Request, query string) bool {
				if strings.Contains(query, test.hangs) {
					<-r.Context().Done()
				}
				return false
			}}
			r := s.reader(t, Options{})
			began := time.Now()
			read := func(now, since time.Duration) policy.Usage {
				queries := web()
				queries[0].Since = began.Add(since)
				return r.Read(context.Background(), began.Add(now), queries)[0]
			}
			var wg sync.WaitGroup
			wg.Go(func() { read(0, -time.Hour) })
			synctest.Wait()
			for range 3 {
				wg.Go(func() {
					if got := read(2*time.Millisecond, time.Millisecond); got.Problem != policy.ProblemUnavailable || got.Detail == "" {
						t.Errorf("%+v", got)
					}
				})
			}
			wg.Wait()
			if took, asked := time.Since(began), s.queries.Load(); took != test.takes || asked != test.queries {
				t.Errorf("where queries with %q hang: %d queries in %s, want %d in %s", test.hangs, asked, took, test.queries, test.takes)
			}
		})
	}
}

func TestOwnQueriesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const takes = 5 * time.Millisecond
		var running, most atomic.Int64
		s := &answers{fail: func(http.ResponseWriter, *http.Request, string) bool {
			n := running.Add(1)
			defer running.Add(-1)
			for {
				m := most.Load()
				if n <= m || most.CompareAndSwap(m, n) {
					break
				}
			}
			time.Sleep(takes)
			return false
		}}
		r := s.reader(t, Options{})
		var queries []Query
		for range 5 * maxConcurrent {
			queries = append(queries, own()...)
		}
		began := time.Now()
		for _, u := range r.Read(context.Background(), began, queries) {
			if u.Value != 42 || u.CapacityPerReplica != 2 {
				t.Errorf("%+v", u)
			}
		}
		if got := most.Load(); got != maxConcurrent {
			t.Errorf("%d queries at once, want %d", got, maxConcurrent)
		}
		if took := time.Since(began); took != 5*takes {
			t.Errorf("it took %s, want %s", took, 5*takes)
		}
	})
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &answers{fail: never}
		r := s.reader(t, Options{})
		began := time.Now()
		results := make(chan policy.Usage)
		for _, q := range [][]Query{web(), own()} {
			go func() { results <- r.Read(context.Background(), began, q)[0] }()
		}
		synctest.Wait()
		if got := s.queries.Load(); got != 7 {
			t.Errorf("%d queries are under way, want 7", got)
		}
		r.Close()
		r.Close()
		for range 2 {
			if got := <-results; got.Problem != policy.ProblemUnavailable {
				t.Errorf("under way: %+v", got)
			}
		}
		for _, q := range [][]Query{web(), own()} {
			if got := r.Read(context.Background(), time.Now(), q)[0]; got.Problem != policy.ProblemUnavailable {
				t.Errorf("afterwards: %+v", got)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %s", took)
		}
	})
}

func TestNewRefusesWhatIsNoAddress(t *testing.T) {
	for _, address := range []string{"", "localhost:9090", "ftp://localhost", "http://", "http://[::1", "/metrics"} {
		if _, err := New(Options{Address: address}); err == nil {
			t.Errorf("%q: no error", address)
		}
	}
}

func TestDurationsAsPrometheusReadsThem(t *testing.T) {
	for in, want := range map[time.Duration]string{
		time.Millisecond:        "1s",
		1500 * time.Millisecond: "2s",
		2 * time.Minute:         "2m0s",
		90 * time.Minute:        "1h30m0s",
	} {
		if got := wholeSeconds(in).String(); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
}

func TestMetricsAreThereFromTheStart(t *testing.T) {
	reg := prometheus.NewRegistry()
	newReader(t, Options{Address: "http://localhost:9090", Metrics: NewMetrics(reg)})
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) > 0 {
		t.Error(problems)
	}
	n, err := testutil.GatherAndCount(reg, "alertscaler_usage_queries_total",
		"alertscaler_usage_query_failures_total", "alertscaler_usage_query_duration_seconds", "alertscaler_usage_panics_total")
	if err != nil {
		t.Fatal(err)
	}
	if n != 4 {
		t.Errorf("%d metrics, want 4", n)
	}
}

func TestARetiredReaderAnswersAndKeepsNoConnection(t *testing.T) {
	var open atomic.Int64
	s := &server{Server: httptest.NewUnstartedServer(serve(t, nil).Config.Handler)}
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed, http.StateHijacked:
			open.Add(-1)
		}
	}
	s.Start()
	defer s.Close()
	r := newReader(t, Options{Address: s.URL, RoundTripper: &http.Transport{}})
	now := time.Now()
	all := func(what string) {
		for _, queries := range [][]Query{web(), own()} {
			if got := r.Read(context.Background(), now, queries)[0]; got.Problem != "" {
				t.Errorf("%s: %+v", what, got)
			}
		}
	}
	all("before")
	if open.Load() == 0 {
		t.Error("no connection is kept before")
	}
	r.Retire()
	now = now.Add(time.Minute)
	all("retired")
	realtest.Eventually(t, 30*time.Second, 5*time.Millisecond, "no connection is kept", func() error {
		if n := open.Load(); n > 0 {
			return fmt.Errorf("%d are open", n)
		}
		return nil
	})
}

func TestWhatNobodyAsksForAnyMoreIsNotReadForEver(t *testing.T) {
	var mu sync.Mutex
	var queries []string
	s := serve(t, func(_ http.ResponseWriter, _ *http.Request, query string) bool {
		mu.Lock()
		defer mu.Unlock()
		queries = append(queries, query)
		return false
	})
	r := newReader(t, Options{Address: s.URL})
	now := time.Now()
	read := func(resource string) []string {
		mu.Lock()
		queries = nil
		mu.Unlock()
		r.Read(context.Background(), now, []Query{{ScaleTarget: "web", Resource: resource, Ready: 8}})
		mu.Lock()
		defer mu.Unlock()
		return queries
	}
	read("disk")
	now = now.Add(time.Minute)
	if got := read("cpu"); !slices.Contains(got, seriesUsage+`{resource=~"cpu|disk"}`) {
		t.Errorf("a minute later: %q, want both resources", got)
	}
	now = now.Add(2 * time.Hour)
	if got := read("cpu"); !slices.Contains(got, seriesUsage+`{resource=~"cpu"}`) {
		t.Errorf("two hours later: %q, want one resource", got)
	}
}
