package usage

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// every15s makes a series of one value every 15 s from noon on; NaN is a value
// and gap is none.
func every15s(values ...float64) *Samples {
	var all []Sample
	for i, v := range values {
		if v != gap {
			all = append(all, Sample{At: noon.Add(time.Duration(i) * 15 * time.Second), Value: v})
		}
	}
	return NewSamples(all)
}

const gap = -12345

var (
	nan   = math.NaN()
	ended = math.Float64frombits(staleMarker)
)

func TestMemoryPassesTheGate(t *testing.T) {
	shipped := Query{ScaleTarget: "web", Resource: "cpu", Ready: 4}
	plain := shipped
	plain.Usage, plain.CapacityPerReplica = `backlog{queue="mail"}`, 10
	sum := plain
	sum.Usage = "sum(backlog)"
	predicting := sum
	predicting.Predicted = "predict(backlog)"
	uncovered := shipped
	uncovered.MinCoverage = new(float64)

	full := func(usage, capacity, reporting MemorySeries) func(*Memory) {
		return func(m *Memory) {
			m.SetUsage(shipped, usage)
			m.SetCapacity(shipped, capacity)
			m.SetReporting(shipped, reporting)
		}
	}
	one := func(s ...MemorySeries) func(*Memory) {
		return func(m *Memory) { m.SetUsage(plain, s...); m.SetUsage(sum, s...) }
	}
	foreseen := func(s ...MemorySeries) func(*Memory) {
		return func(m *Memory) { m.SetUsage(sum, every15s(6)); m.SetPredicted(predicting, s...) }
	}
	usage := func(value, capacity float64) policy.Usage {
		return policy.Usage{Value: value, CapacityPerReplica: capacity}
	}
	problem := func(p policy.Problem, detail string) policy.Usage {
		return policy.Usage{Problem: p, Detail: detail}
	}
	for _, tc := range []struct {
		name  string
		given func(*Memory)
		query Query
		after time.Duration
		want  policy.Usage
	}{
		{"the shipped series", full(every15s(6), every15s(2), every15s(4)), shipped, 0, usage(6, 2)},
		{"a capacity that is a fraction", full(every15s(6), every15s(0.1), every15s(3.9)), shipped, 0, usage(6, 0.1)},
		{"half of them report", full(every15s(6), every15s(2), every15s(2)), shipped, 0, policy.Usage{
			Value: 6, CapacityPerReplica: 2, Problem: policy.ProblemLowCoverage, Detail: "coverage: 2 of 4 ready",
		}},
		{"no count, and none asked for", full(every15s(6), every15s(2), every15s()), uncovered, 0, usage(6, 2)},
		{"no count", full(every15s(6), every15s(2), every15s()), shipped, 0, problem(policy.ProblemMissing, "coverage: no series")},
		{"nobody reports", full(every15s(6), every15s(2), every15s(0)), uncovered, 0, problem(policy.ProblemNoCapacity, "capacity: it is the sum of no replicas")},
		{"between two samples", one(every15s(6)), plain, 10 * time.Second, policy.Usage{Value: 6, CapacityPerReplica: 10, Age: 10 * time.Second}},
		{"before the first sample", one(every15s(6)), plain, -time.Second, problem(policy.ProblemMissing, "usage: the query returns no series")},
		{"a gap is bridged", one(every15s(6, gap, gap, 8)), plain, 30 * time.Second, policy.Usage{Value: 6, CapacityPerReplica: 10, Age: 30 * time.Second}},
		{"and over", one(every15s(6, gap, gap, 8)), plain, 45 * time.Second, usage(8, 10)},
		{"just young enough", one(every15s(6)), plain, 2*time.Minute - time.Second, policy.Usage{Value: 6, CapacityPerReplica: 10, Age: 2*time.Minute - time.Second}},
		{"stale", one(every15s(6)), plain, 2 * time.Minute, problem(policy.ProblemStale, "usage: the newest sample is 2m0s old")},
		{"a shipped series that is stale", full(every15s(6), every15s(2), every15s(4)), shipped, 3 * time.Minute, problem(policy.ProblemStale, "usage: the newest sample is 3m0s old")},
		{"the age of an expression is not told", one(every15s(6)), sum, 30 * time.Second, usage(6, 10)},
		{"an expression that is stale", one(every15s(6)), sum, 2 * time.Minute, problem(policy.ProblemStale, "usage: no sample is younger than 2m0s")},
		{"long gone", one(every15s(6)), plain, time.Hour, problem(policy.ProblemMissing, "usage: the query returns no series")},
		{"marked as ended", one(every15s(6, ended)), plain, 15 * time.Second, problem(policy.ProblemMissing, "usage: the query returns no series")},
		{"two series", one(every15s(6), every15s(7)), sum, 0, problem(policy.ProblemAmbiguous, `usage: 2 series where one is expected, such as {series="1"} and {series="2"}`)},
		{"of which one has ended", one(every15s(6, ended), every15s(7, 8)), sum, 15 * time.Second, usage(8, 10)},
		{"two shipped series", func(m *Memory) { m.SetUsage(shipped, every15s(1), every15s(2)) }, shipped, 0, problem(policy.ProblemAmbiguous, `usage: 2 series where one is expected, such as scale_target_resource:usage:sum{`)},
		{"not a number", one(every15s(nan)), plain, 0, problem(policy.ProblemNotFinite, "usage: the value is NaN")},
		{"negative", one(every15s(-1)), plain, 0, problem(policy.ProblemNotFinite, "usage: the value is negative: -1")},
		{"nothing is known", func(*Memory) {}, shipped, 0, problem(policy.ProblemMissing, "usage: no series")},
		{"a prediction", foreseen(every15s(9)), predicting, 0, policy.Usage{Value: 6, CapacityPerReplica: 10, Predicted: 9}},
		{"a prediction of nothing", foreseen(every15s(nan)), predicting, 0, usage(6, 10)},
		{"a prediction too many", foreseen(every15s(9), every15s(8)), predicting, 0, usage(6, 10)},
		{"no prediction", foreseen(), predicting, 0, usage(6, 10)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := NewMemory(0)
			tc.given(m)
			got := m.Read(context.Background(), noon.Add(tc.after), []Query{tc.query})[0]
			want := tc.want
			want.Resource = "cpu"
			if want.Detail == "" || strings.HasPrefix(got.Detail, want.Detail) {
				want.Detail = got.Detail
			}
			roughly := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-12 })
			if diff := cmp.Diff(want, got, roughly); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestMemoryGoesBack: a series may be asked about any time, in any order.
func TestMemoryGoesBack(t *testing.T) {
	s := every15s(1, 2, 3, 4)
	for _, at := range []int{3, 0, 2, 1, 3, -1, 9, 0} {
		got, _, ok := s.Sample(noon.Add(time.Duration(at)*15*time.Second), time.Minute)
		want := float64(at + 1)
		if !ok {
			got = 0
		}
		if at < 0 || at > 6 {
			want = 0
		}
		if got != want {
			t.Errorf("at %d: %g, want %g", at, got, want)
		}
	}
}

func BenchmarkMemory(b *testing.B) {
	m := NewMemory(0)
	q := []Query{{ScaleTarget: "web", Resource: "cpu", Ready: 4}, {ScaleTarget: "web", Resource: "requests", Usage: "sum(rate(http_requests_total[1m]))", CapacityPerReplica: 150, Ready: 4}}
	m.SetUsage(q[0], every15s(6))
	m.SetCapacity(q[0], every15s(2))
	m.SetReporting(q[0], every15s(4))
	m.SetUsage(q[1], every15s(600))
	b.ReportAllocs()
	for b.Loop() {
		m.Read(context.Background(), noon, q)
	}
}
