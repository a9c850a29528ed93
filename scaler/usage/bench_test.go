package usage

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"testing"
	"time"
)

const benchPolicies = 10_000

// fleet serves the shipped series of many targets with two resources each, all
// recorded by one rule group.
func fleet(b *testing.B, at time.Time) *httptest.Server {
	b.Helper()
	answers := map[string][]byte{}
	ts := strconv.FormatFloat(float64(at.UnixMilli())/1e3, 'f', 3, 64)
	wanted := map[want]time.Time{
		{seriesUsage, "cpu"}: at, {seriesUsage, "memory"}: at,
		{seriesCapacity, "cpu"}: at, {seriesCapacity, "memory"}: at, {seriesReporting, ""}: at,
	}
	for name, selector := range selectors(wanted) {
		var out bytes.Buffer
		out.WriteString(`{"status":"success","data":{"resultType":"vector","result":[`)
		sep := ""
		for i := range benchPolicies {
			resources := []string{`,"resource":"cpu"`, `,"resource":"memory"`}
			if name == seriesReporting {
				resources = []string{""}
			}
			for _, resource := range resources {
				fmt.Fprintf(&out, `%s{"metric":{"__name__":%q,"scale_target":"policy-%d"%s},"value":[%s,"16.25"]}`, sep, name, i, resource, ts)
				sep = ","
			}
		}
		out.WriteString(`]}}`)
		answers[selector] = out.Bytes()
		answers[timesExpr(selector)] = fmt.Appendf(nil, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[%s,%q]}]}}`, ts, ts)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answers[r.FormValue("query")])
	}))
	b.Cleanup(s.Close)
	return s
}

// BenchmarkRound reads cpu and memory of 10,000 policies: the snapshot of
// 50,000 series, decoded, and then each policy's part of it.
func BenchmarkRound(b *testing.B) {
	at := time.Now()
	r := newReader(b, Options{Address: fleet(b, at).URL})
	queries := make([][]Query, benchPolicies)
	for i := range queries {
		target := fmt.Sprintf("policy-%d", i)
		queries[i] = []Query{{ScaleTarget: target, Resource: "cpu", Ready: 16}, {ScaleTarget: target, Resource: "memory", Ready: 16}}
	}
	var load, read time.Duration
	var now time.Time
	for i := 0; b.Loop(); i++ {
		now = at.Add(time.Duration(i%20) * 2 * time.Second)
		t0 := time.Now()
		r.Read(context.Background(), now, queries[0])
		t1 := time.Now()
		for _, q := range queries {
			for _, u := range r.Read(context.Background(), now, q) {
				if u.Problem != "" {
					b.Fatalf("%+v", u)
				}
			}
		}
		load, read = load+t1.Sub(t0), read+time.Since(t1)
	}
	b.ReportMetric(float64(load.Microseconds())/1e3/float64(b.N), "snapshot-ms/op")
	b.ReportMetric(float64(read.Microseconds())/1e3/float64(b.N), "policies-ms/op")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r.shared.last = nil
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(before.HeapAlloc-after.HeapAlloc)/benchPolicies, "kept-B/policy")
}
