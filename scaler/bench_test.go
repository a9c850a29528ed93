package scaler

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// house is an engine of n policies with usage and an active alert each, on the
// real book and the real ledger; only the platforms and Prometheus are left
// out.
type house struct {
	engine *Engine
	ledger *ledger.Ledger
	book   *alerts.Book
	usage  *fixedUsage
	now    time.Time
}

func newHouse(tb testing.TB, n int) *house { return newHouseWith(tb, n, "ratio: 0.3") }

func newHouseWith(tb testing.TB, n int, reservation string) *house {
	tb.Helper()
	var text strings.Builder
	text.WriteString("prometheus: { url: http://localhost:9090 }\npolicies:\n")
	for i := range n {
		fmt.Fprintf(&text, "- { name: p%d, min: 1, max: 10, resources: [ { name: cpu, reservation: { %s } } ], targets: [ { name: t, scripted: {} } ] }\n", i, reservation)
	}
	made := 0
	c, err := config.Load("bench.yml", []byte(text.String()), target.NewRegistry(func() target.Config {
		made++
		return &scriptedConfig{Name: strconv.Itoa(made), it: newScripted(4)}
	}))
	if err != nil {
		tb.Fatal(err)
	}
	h := &house{usage: &fixedUsage{policy.Usage{Value: 4.2, CapacityPerReplica: 1.5}}, now: time.Now()}
	if h.ledger, err = ledger.Open(ledger.Options{Path: tb.TempDir()}); err != nil {
		tb.Fatal(err)
	}
	if h.book, err = alerts.New(alerts.Options{Store: h.ledger}); err != nil {
		tb.Fatal(err)
	}
	h.engine, err = New(Options{
		Alerts: h.book, Ledger: h.ledger, Registerer: prometheus.NewRegistry(),
		NewUsage: func(*config.Config) (Usage, error) { return h.usage, nil },
		Now:      func() time.Time { return h.now },
	})
	if err != nil {
		tb.Fatal(err)
	}
	change, err := h.engine.Prepare(tb.Context(), c)
	if err != nil {
		tb.Fatal(err)
	}
	var firing []alerts.Alert
	for _, p := range c.Policies {
		firing = append(firing, alerts.Alert{
			Fingerprint: p.Name, Status: alerts.Firing, StartsAt: h.now,
			Labels: map[string]string{"scale": "up", "scale_target": p.Name},
		})
	}
	h.book.SetRules(AlertRules(c))
	change.Apply()
	if _, err := h.book.Apply(tb.Context(), alerts.Notification{GroupKey: "g", Alerts: firing}); err != nil {
		tb.Fatal(err)
	}
	return h
}

func (h *house) close(tb testing.TB) {
	tb.Helper()
	if err := h.engine.Stop(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	if err := h.ledger.Close(); err != nil {
		tb.Fatal(err)
	}
}

// round evaluates every policy once, 15 s after the last time.
func (h *house) round(tb testing.TB) {
	h.now = h.now.Add(15 * time.Second)
	h.engine.Step(tb.Context())
}

// BenchmarkRound is one evaluation of 10,000 policies with an active alert
// each, everything written to the ledger.
func BenchmarkRound(b *testing.B) {
	h := newHouse(b, 10_000)
	defer h.close(b)
	h.round(b) // the first decision of each is a record of its own
	b.ResetTimer()
	before := realtest.CPUTime(b)
	for b.Loop() {
		h.round(b)
	}
	if err := h.ledger.Commit(ledger.Record{Histories: map[string]policy.History{"flush": {}}}); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric((realtest.CPUTime(b)-before).Seconds()/float64(b.N), "cpu-s/round")
}

// heapOf is what a house of n policies keeps after half an hour of evaluations.
func heapOf(b *testing.B, n int, reservation string) float64 {
	b.Helper()
	h := newHouseWith(b, n, reservation)
	defer h.close(b)
	for range 120 {
		h.round(b)
	}
	if err := h.ledger.Commit(ledger.Record{Histories: map[string]policy.History{"flush": {}}}); err != nil {
		b.Fatal(err)
	}
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	runtime.KeepAlive(h)
	return float64(m.HeapAlloc)
}

// BenchmarkMemory is what the engine keeps for one policy, by the difference
// between two sizes, after half an hour of evaluations.
func BenchmarkMemory(b *testing.B) {
	heap := func(n int) float64 { return heapOf(b, n, "ratio: 0.3") }
	for b.Loop() {
		small, middle, large := heap(500), heap(1000), heap(2000)
		b.ReportMetric((large-middle)/1000, "B/policy")
		// 1 where memory grows linearly.
		b.ReportMetric((large-middle)/(2*(middle-small)), "growth")
	}
}

// BenchmarkObjectiveMemory is what an objective adds to that.
func BenchmarkObjectiveMemory(b *testing.B) {
	for b.Loop() {
		without := heapOf(b, 400, "ratio: 0.3") - heapOf(b, 200, "ratio: 0.3")
		with := heapOf(b, 400, "objective: 0.99") - heapOf(b, 200, "objective: 0.99")
		b.ReportMetric((with-without)/200, "B-more/policy")
	}
}

// BenchmarkObjective is one evaluation of a policy that has learnt, against the
// same with a ratio: all that the engine does, the learner's state that the
// ledger is given every so often included. The two take turns.
func BenchmarkObjective(b *testing.B) {
	const n = 500
	ratio, learns := newHouseWith(b, n, "ratio: 0.3"), newHouseWith(b, n, "objective: 0.99")
	defer ratio.close(b)
	defer learns.close(b)
	random := rand.New(rand.NewPCG(1, 2))
	round := func(h *house) time.Duration {
		h.usage.reading.Value = 2 + 4*random.Float64()
		begin := time.Now()
		h.round(b)
		return time.Since(begin)
	}
	// Beyond the first hundred samples a learner chooses less often.
	for range 100 {
		round(ratio)
		round(learns)
	}
	b.ResetTimer()
	var without, with time.Duration
	for b.Loop() {
		without += round(ratio)
		with += round(learns)
	}
	each := float64(b.N) * n
	b.ReportMetric(float64(without.Nanoseconds())/each, "ns/ratio")
	b.ReportMetric(float64(with.Nanoseconds())/each, "ns/objective")
	b.ReportMetric(float64((with-without).Nanoseconds())/each, "ns-more/decision")
	b.ReportMetric(float64(with)/float64(without), "times")
}
