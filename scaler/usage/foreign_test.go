package usage

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// foreign is an answer that Prometheus does not give, with HTTP status 200, to
// a question about the instant at. None of them says a number.
type foreign struct {
	name string
	body func(at time.Time) string
}

func foreigners() []foreign {
	as := func(name, body string) foreign {
		return foreign{name, func(at time.Time) string { return strings.ReplaceAll(body, "@", seconds(at)) }}
	}
	data := func(name, data string) foreign { return as(name, `{"status":"success","data":`+data+`}`) }
	result := func(name, result string) foreign {
		return data(name, `{"resultType":"vector","result":`+result+`}`)
	}
	element := func(name, element string) foreign { return result(name, "["+element+"]") }
	value := func(name, value string) foreign {
		return element(name, `{"metric":{"scale_target":"web","resource":"cpu"},"value":`+value+`}`)
	}
	off := func(name string, by time.Duration) foreign {
		return foreign{name, func(at time.Time) string {
			return fmt.Sprintf(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[%s,"1"]}]}}`, seconds(at.Add(by)))
		}}
	}
	return []foreign{
		as("nothing", ""), as("an empty object", "{}"), as("null", "null"), as("an array", "[]"), as("a number", "1"), as("a string", `"1"`),
		as("no data", `{"status":"success"}`), data("data that is null", "null"), data("data that is an array", "[]"), data("data that is empty", "{}"),
		data("data that is a string", `"1"`), data("a type and no result", `{"resultType":"vector"}`), data("a result without a type", `{"result":[]}`),
		data("a type that is null", `{"resultType":null,"result":[{"metric":{},"value":[@,"1"]}]}`),
		data("a scalar that is null", `{"resultType":"scalar","result":null}`), data("a scalar of one element", `{"resultType":"scalar","result":[@]}`),
		data("a scalar without a number", `{"resultType":"scalar","result":[@,null]}`), data("a string for a number", `{"resultType":"string","result":[@,"1"]}`),
		data("a range", `{"resultType":"matrix","result":[{"metric":{},"values":[[@,"1"]]}]}`), data("an unknown type", `{"resultType":"tensor","result":[[1]]}`),
		as("no status", `{"data":{"resultType":"vector","result":[{"metric":{},"value":[@,"1"]}]}}`),
		as("another status", `{"status":"ok","data":{"resultType":"vector","result":[{"metric":{},"value":[@,"1"]}]}}`),
		as("an error with a result", `{"status":"error","errorType":"x","error":"y","data":{"resultType":"vector","result":[{"metric":{},"value":[@,"1"]}]}}`),
		as("two answers", `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[@,"1"]}]}}{}`),
		as("data twice", `{"status":"success","data":{"resultType":"vector","result":[]},"data":{"resultType":"vector","result":[{"metric":{},"value":[@,"1"]}]}}`),
		as("half of it", `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[@,"1"`),
		as("a login page", "<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>"),
		as("compressed", "\x1f\x8b\x08\x00\x00\x00\x00\x00"),
		result("a result that is null", "null"), result("a result that is an object", "{}"), result("a result that is a number", "1"),
		element("a series that is null", "null"), element("a series that is an array", "[]"), element("a series that is a number", "1"), element("a series without anything", "{}"),
		element("no value", `{"metric":{"scale_target":"web","resource":"cpu"}}`), element("no metric", `{"value":[@,"1"]}`),
		element("a metric that is null", `{"metric":null,"value":[@,"1"]}`), element("a label that is a number", `{"metric":{"scale_target":1},"value":[@,"1"]}`),
		element("two values", `{"metric":{},"value":[@,"1"],"value":[@,"2"]}`), element("a value and a histogram", `{"metric":{},"value":[@,"1"],"histogram":[@,{}]}`),
		element("values", `{"metric":{},"values":[[@,"1"]]}`),
		value("a value that is null", "null"), value("a value that is empty", "[]"), value("a value that is a number", "1"), value("a value that is a string", `"1"`),
		value("a value that is an object", `{"@":"1"}`), value("a time alone", "[@]"), value("a time and null", "[@,null]"), value("a time and a number without quotes", "[@,1]"),
		value("three elements", `[@,"1","1"]`), value("a number alone", `["1"]`), value("a time in quotes", `["@","1"]`), value("a time that is null", `[null,"1"]`),
		value("a time beyond all times", `[1e300,"1"]`), value("an empty number", `[@,""]`), value("a word", `[@,"one"]`), value("a number after a blank", `[@," 1"]`),
		value("a hexadecimal number", `[@,"0x1p-2"]`), value("a number with underscores", `[@,"0x_1p1"]`), value("a number beyond all numbers", `[@,"1e999"]`),
		value("a boolean", "[@,true]"), value("a trailing comma", `[@,"1",]`),
		off("a sample dated a year ahead", 365*24*time.Hour), off("a sample dated two minutes ahead", 2*time.Minute), off("an answer of yesterday", -24*time.Hour),
	}
}

// askers are queries by what they ask of Prometheus.
func askers() map[string]Query {
	cover := 0.5
	return map[string]Query{
		"the shipped series": {ScaleTarget: "web", Resource: "cpu", Ready: 8},
		"an expression":      {Resource: "cpu", Usage: "sum(x)", CapacityPerReplica: 2, Ready: 8},
		"a selector":         {Resource: "cpu", Usage: "x", CapacityPerReplica: 2, Ready: 8},
		"everything its own": {Resource: "cpu", Usage: "x", Capacity: "y", Coverage: "z", MinCoverage: &cover, Ready: 8},
	}
}

// Each question that a query asks is answered by each foreigner in turn, while
// all others are answered rightly.
func TestWhatIsNoNumberIsNotRead(t *testing.T) {
	var (
		mu     sync.Mutex
		asked  []string
		victim string
		answer foreign
	)
	s := &answers{fail: func(w http.ResponseWriter, r *http.Request, query string) bool {
		mu.Lock()
		defer mu.Unlock()
		if !slices.Contains(asked, query) {
			asked = append(asked, query)
		}
		if query != victim {
			return false
		}
		at, err := strconv.ParseFloat(r.FormValue("time"), 64)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write([]byte(answer.body(time.UnixMilli(int64(at * 1000)))))
		return true
	}}
	for kind, q := range askers() {
		mu.Lock()
		asked, victim = nil, ""
		mu.Unlock()
		if got := s.reader(t, Options{}).Read(t.Context(), time.Now(), []Query{q})[0]; got.Problem != "" {
			t.Fatalf("%s, answered by all: %+v", kind, got)
		}
		mu.Lock()
		questions := slices.Clone(asked)
		mu.Unlock()
		for _, question := range questions {
			for _, f := range foreigners() {
				mu.Lock()
				victim, answer = question, f
				mu.Unlock()
				got := s.reader(t, Options{}).Read(t.Context(), time.Now(), []Query{q})[0]
				switch {
				case got.Problem == "" || got.Value != 0 || got.CapacityPerReplica != 0:
					t.Errorf("%s, %s answered by %s: %+v", kind, question, f.name, got)
				case got.Problem != policy.ProblemUnavailable:
					t.Errorf("%s, %s answered by %s: %s, want it unavailable", kind, question, f.name, got.Problem)
				case strings.Contains(got.Detail, "error found in #") || strings.ContainsAny(got.Detail, "\n\x00") || len(got.Detail) > maxDetail+50:
					t.Errorf("%s, %s answered by %s: %q is not for people", kind, question, f.name, got.Detail)
				}
			}
		}
	}
}

// The past is read as strictly.
func TestWhatIsNoNumberIsNotInThePast(t *testing.T) {
	body := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
	defer s.Close()
	r := newReader(t, Options{Address: s.URL})
	to := time.Now().Truncate(time.Second)
	q := Query{Resource: "cpu", Usage: "sum(x)", CapacityPerReplica: 2}
	series := func(values string) string {
		return fmt.Sprintf(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":%s}]}}`, strings.ReplaceAll(values, "@", seconds(to)))
	}
	body = series(`[[@,"8.5"]]`)
	if got, err := r.Past(t.Context(), q, to.Add(-time.Minute), to, time.Second); err != nil || len(got) != 1 || got[0].Usage != 8.5 {
		t.Fatalf("%+v, %v, want one sample", got, err)
	}
	all := []foreign{}
	for _, values := range []string{"null", "{}", "1", "[null]", "[[]]", "[[@]]", "[[@,null]]", "[[@,1]]", `[[@,"1",1]]`, `[[null,"1"]]`, `[["@","1"]]`, `[[@,""]]`, `[[@,"one"]]`, `[[@,"8.5"],null]`, `[[@,"8.5"],[@]]`} {
		all = append(all, foreign{values, func(time.Time) string { return series(values) }})
	}
	for _, f := range foreigners() {
		if f.name != "a range" {
			all = append(all, f)
		}
	}
	for _, f := range all {
		body = f.body(to)
		if got, err := r.Past(t.Context(), q, to.Add(-time.Minute), to, time.Second); err == nil {
			t.Errorf("%s: read as %+v", f.name, got)
		} else if strings.Contains(err.Error(), "error found in #") {
			t.Errorf("%s: %q is not for people", f.name, err)
		}
	}
	for _, values := range []string{`[[@,"NaN"]]`, `[[@,"+Inf"]]`, `[[@,"-1"]]`} {
		body = series(values)
		if got, err := r.Past(t.Context(), q, to.Add(-time.Minute), to, time.Second); err != nil || len(got) != 0 {
			t.Errorf("%s: %+v, %v, want no sample", values, got, err)
		}
	}
}

// Which replicas may go is not said by halves.
func TestWhatIsNoNumberIsNoLoad(t *testing.T) {
	var f foreign
	s := &answers{fail: func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		_, _ = w.Write([]byte(f.body(time.Now())))
		return true
	}}
	r := s.reader(t, Options{})
	for _, f = range foreigners() {
		if got, err := r.Loads(t.Context(), time.Now(), "load", "scale_target"); err == nil {
			t.Errorf("%s: read as %v", f.name, got)
		}
	}
}

func TestHowOldASampleMayBeAndHowYoung(t *testing.T) {
	var offset time.Duration
	now := time.Now()
	s := &answers{fail: func(w http.ResponseWriter, r *http.Request, query string) bool {
		if !strings.HasPrefix(query, "timestamp(") {
			return false
		}
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[%s,%q]}]}}`, r.FormValue("time"), seconds(now.Add(offset)))
		return true
	}}
	for _, tc := range []struct {
		offset  time.Duration
		problem policy.Problem
		detail  string
	}{
		{0, "", ""},
		{-119 * time.Second, "", ""},
		{50 * time.Second, "", ""}, // clocks differ a little
		{70 * time.Second, policy.ProblemUnavailable, "usage: the newest sample is dated 20"},
		{365 * 24 * time.Hour, policy.ProblemUnavailable, "ahead of the clock here"},
		{-3 * time.Minute, policy.ProblemStale, "usage: the newest sample is 3m0s old"},
		{-now.Sub(time.Unix(8, 0)), policy.ProblemStale, "usage: the newest sample is from 1970-01-01T00:00:08Z and may be 2m0s old at most"},
	} {
		offset = tc.offset
		for kind, q := range askers() {
			if kind == "an expression" {
				continue // nobody knows the time of its samples
			}
			got := s.reader(t, Options{}).Read(t.Context(), now, []Query{q})[0]
			if got.Problem != tc.problem || !strings.Contains(got.Detail, tc.detail) {
				t.Errorf("%s, a sample dated %s: %+v, want %q %q", kind, tc.offset, got, tc.problem, tc.detail)
			}
		}
	}
}

// The time of a sample is that of one series, or unknown.
func TestATimestampOfNoOrManySeries(t *testing.T) {
	for _, n := range []int{0, 2} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request, query string) bool {
			if query != "timestamp(x)" {
				return false
			}
			at := r.FormValue("time")
			one := fmt.Sprintf(`{"metric":{},"value":[%s,%q]}`, at, at)
			fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[%s]}}`, strings.Join(slices.Repeat([]string{one}, n), ","))
			return true
		})
		got := newReader(t, Options{Address: s.URL}).Read(t.Context(), time.Now(), []Query{askers()["a selector"]})[0]
		if want := fmt.Sprintf("usage: the time of the sample: timestamp() of it is answered with %d series where one is expected", n); got.Problem != policy.ProblemUnavailable || got.Detail != want {
			t.Errorf("%d series: %+v, want %q", n, got, want)
		}
	}
}

// endless is a transport whose answer never ends.
type endless struct{}

func (endless) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Request: r, Header: http.Header{}, Body: io.NopCloser(endless{})}, nil
}

func (endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// What is not finished, however much of it comes, is bounded.
func TestAnAnswerWithoutEnd(t *testing.T) {
	r := newReader(t, Options{Address: "http://prometheus", RoundTripper: endless{}, Timeout: time.Minute, maxAnswer: 2 << 20})
	got := r.Read(t.Context(), time.Now(), own())[0]
	if got.Problem != policy.ProblemUnavailable || !strings.Contains(got.Detail, "the answer is longer than 2 MiB; let the query select fewer series") {
		t.Errorf("%+v", got)
	}
	if got := (Options{}).withDefaults().maxAnswer; got != 64<<20 {
		t.Errorf("left alone it is bounded by %d bytes", got)
	}
}

// A page for people is called that, and what of the address is secret stays so.
func TestAPageForPeople(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		_, _ = w.Write([]byte("\n<html><title>Sign in</title>"))
		return true
	})
	address := strings.Replace(s.URL, "http://", "http://alice:sesame@", 1) + "/prom?token=hunter2"
	for kind, q := range askers() {
		got := newReader(t, Options{Address: address}).Read(t.Context(), time.Now(), []Query{q})[0]
		want := "bad_response: " + s.URL + `/prom/api/v1/query answers with an HTML page, "<html><title>Sign in</title>", where Prometheus answers with JSON; prometheus.url must lead to Prometheus itself`
		if got.Problem != policy.ProblemUnavailable || !strings.Contains(got.Detail, want) {
			t.Errorf("%s: %+v, want %q", kind, got, want)
		}
	}
	s.Close()
	got := newReader(t, Options{Address: address}).Read(t.Context(), time.Now(), own())[0]
	if got.Problem != policy.ProblemUnavailable || strings.Contains(got.Detail, "sesame") || strings.Contains(got.Detail, "hunter2") || !strings.Contains(got.Detail, "POST "+s.URL) {
		t.Errorf("nobody listens: %+v", got)
	}
}

// panicking is a transport with a bug.
type panicking struct{ when string }

func (p panicking) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	form, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	if strings.Contains(string(form), url.QueryEscape(p.when)) {
		panic("of the transport")
	}
	return http.DefaultTransport.RoundTrip(r)
}

func TestAPanicIsAnUnknownUsage(t *testing.T) {
	s := serve(t, nil)
	for kind, q := range askers() {
		var logged bytes.Buffer
		r := newReader(t, Options{Address: s.URL, RoundTripper: panicking{}, Logger: log.NewLogfmtLogger(log.NewSyncWriter(&logged))})
		got := r.Read(context.Background(), time.Now(), []Query{q})[0]
		if got.Problem != policy.ProblemUnavailable || !strings.Contains(got.Detail, "a panic while it was read, which is a bug of Alertscaler: of the transport") {
			t.Errorf("%s: %+v", kind, got)
		}
		if n := testutil.ToFloat64(r.metrics.panics); n == 0 {
			t.Errorf("%s: no panic is counted", kind)
		}
		if !strings.Contains(logged.String(), "panicking.RoundTrip") {
			t.Errorf("%s: the log has no stack:\n%s", kind, logged.String())
		}
		if _, err := r.Past(t.Context(), q, time.Now().Add(-time.Minute), time.Now(), time.Second); err == nil {
			t.Errorf("%s: the past is read", kind)
		}
		if _, err := r.Loads(t.Context(), time.Now(), "load", "pod"); err == nil {
			t.Errorf("%s: loads are read", kind)
		}
	}
	// Whoever does not need what panics goes on.
	r := newReader(t, Options{Address: s.URL, RoundTripper: panicking{"sum(x)"}})
	all := []Query{askers()["an expression"], askers()["a selector"]}
	got := r.Read(context.Background(), time.Now(), all)
	if got[0].Problem != policy.ProblemUnavailable || got[1].Problem != "" {
		t.Errorf("side by side: %+v", got)
	}
}
