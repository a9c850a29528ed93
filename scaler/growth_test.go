package scaler

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/budget"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// newShop is a house of n policies that share a budget too small for all.
func newShop(tb testing.TB, n int) (*house, *config.Config) {
	tb.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "prometheus: { url: http://localhost:9090 }\nbudgets: [ { name: shop, policies: ['name=~\"p.+\"'], max_replicas: %d, max_cost_per_hour: %d } ]\npolicies:\n", 5*n, 6*n)
	for i := range n {
		fmt.Fprintf(&text, "- { name: p%d, min: 1, max: 10, priority: %d, resources: [ { name: cpu, capacity_per_replica: 1.5 } ], targets: [ { name: t, cost_per_hour: 1.%d, scripted: {} } ] }\n", i, i%5, i%10)
	}
	made := 0
	c, err := config.Load("shop.yml", []byte(text.String()), target.NewRegistry(func() target.Config {
		made++
		return &scriptedConfig{Name: strconv.Itoa(made), it: newScripted(4)}
	}))
	if err != nil {
		tb.Fatal(err)
	}
	h := &house{usage: &fixedUsage{policy.Usage{Value: 14, CapacityPerReplica: 1.5}}, now: time.Now()}
	if h.ledger, err = ledger.Open(ledger.Options{Path: tb.TempDir()}); err != nil {
		tb.Fatal(err)
	}
	if h.book, err = alerts.New(alerts.Options{Store: h.ledger}); err != nil {
		tb.Fatal(err)
	}
	h.engine, err = New(Options{
		Alerts: h.book, Ledger: forgetful{h.ledger}, Registerer: prometheus.NewRegistry(),
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
	h.book.SetRules(AlertRules(c))
	change.Apply()
	var firing []alerts.Alert
	for _, p := range c.Policies {
		firing = append(firing, alerts.Alert{
			Fingerprint: p.Name, Status: alerts.Firing, StartsAt: h.now,
			Labels: map[string]string{"scale": "up", "scale_target": p.Name},
		})
	}
	if _, err := h.book.Apply(tb.Context(), alerts.Notification{GroupKey: "g", Alerts: firing}); err != nil {
		tb.Fatal(err)
	}
	return h, c
}

// forgetful is a ledger that writes nothing that is decided, since what the
// disk takes is not measured here.
type forgetful struct{ *ledger.Ledger }

func (forgetful) Commit(ledger.Record) error { return nil }

func (forgetful) Enqueue(ledger.Record) {}

// TestTwiceThePoliciesTakeTwiceAsLong: nothing that is done for all policies of
// a budget grows with the square of their number.
func TestTwiceThePoliciesTakeTwiceAsLong(t *testing.T) {
	if testing.Short() {
		t.Skip("it measures")
	}
	const n = 2000
	houses, configs := make(map[int]*house), make(map[*house]*config.Config)
	for _, n := range []int{n, 2 * n} {
		h, c := newShop(t, n)
		defer h.close(t)
		h.round(t)
		houses[n], configs[h] = h, c
	}
	if s, _ := houses[n].engine.Status("p0"); s.Last == nil || len(s.Budgets[0].Rivals) == 0 {
		t.Fatalf("nobody lacks anything: %+v", s)
	}
	for _, test := range []struct {
		what string
		do   func(h *house)
	}{
		{"the statuses", func(h *house) { h.engine.Statuses() }},
		{"a round of evaluations", func(h *house) { h.round(t) }},
		{"a round of those that an alert has woken", func(h *house) {
			for _, u := range h.engine.snapshot() {
				u.woken.Add(1)
				h.engine.pool.Woken(u.name)
			}
			h.round(t)
			// Those that were woken by another's decision run by themselves.
			h.engine.running.Wait()
		}},
		{"a scrape", func(h *house) { drainMetrics(h.engine) }},
		{"a reload", func(h *house) {
			change, err := h.engine.Prepare(t.Context(), configs[h])
			if err != nil {
				t.Fatal(err)
			}
			change.Apply()
		}},
	} {
		t.Run(test.what, func(t *testing.T) {
			growth(t, n, func(n int) { test.do(houses[n]) })
		})
	}
}

// growth fails where do takes more than 2.6 times as much of the processors for
// 2n as for n, each time that it is tried. Of several runs the least counts, so
// that whatever else the machine does is no matter.
func growth(t *testing.T, n int, do func(n int)) {
	t.Helper()
	const limit, tries, runs = 2.6, 5, 5
	took := func(n int) time.Duration {
		least := time.Duration(math.MaxInt64)
		for range runs {
			before := realtest.CPUTime(t)
			do(n)
			least = min(least, realtest.CPUTime(t)-before)
		}
		return least
	}
	var ratios []string
	for range tries {
		one, two := took(n), took(2*n)
		ratio := float64(two) / float64(one)
		ratios = append(ratios, fmt.Sprintf("%v and %v: %.2f", one, two, ratio))
		if ratio <= limit {
			return
		}
	}
	t.Errorf("%d and %d take %s, want no more than %g times", n, 2*n, strings.Join(ratios, "; "), limit)
}

// TestRoomsWhileAllChange: every policy changes its part of a budget, and asks
// for its room before and after.
func TestRoomsWhileAllChange(t *testing.T) {
	if testing.Short() {
		t.Skip("it measures")
	}
	const n = 2000
	all := make(map[int][]budget.Holding)
	for _, n := range []int{n, 2 * n} {
		for i := range n {
			all[n] = append(all[n], budget.Holding{Policy: fmt.Sprintf("p%d", i), Priority: i % 100, Min: 1, Max: 10, Replicas: 2, CostPerHour: float64(i%17) / 10, Wants: 1, WantsCostPerHour: 0.1})
		}
	}
	growth(t, n, func(n int) {
		s := budget.NewShares(policy.Budget{Name: "shop", MaxReplicas: n, MaxCostPerHour: float64(n)}, all[n])
		for i, h := range all[n] {
			s.Room(i)
			h.Replicas, h.CostPerHour, h.Wants = h.Replicas+1, h.CostPerHour+0.1, i%2
			s.Set(i, h)
			s.Room(i)
		}
	})
}

// drainMetrics is a scrape that is read at once.
func drainMetrics(e *Engine) (n int) {
	ch := make(chan prometheus.Metric, 1024)
	go func() {
		e.collector().Collect(ch)
		close(ch)
	}()
	for range ch {
		n++
	}
	return n
}

// TestASlowScrapeHoldsNobodyUp: while nobody reads what is collected, policies
// are evaluated and their statuses read.
func TestASlowScrapeHoldsNobodyUp(t *testing.T) {
	h, _ := newShop(t, 3)
	defer h.close(t)
	h.round(t)
	metrics := make(chan prometheus.Metric)
	go func() {
		h.engine.collector().Collect(metrics)
		close(metrics)
	}()
	// Stop reading at each metric in turn.
	for range metrics {
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.engine.Statuses()
			for _, u := range h.engine.snapshot() {
				u.counts.ForeignChange("t")
			}
			h.engine.pool.Sums()
		}()
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Fatal("whoever reads slowly holds everybody up")
		}
	}
}
