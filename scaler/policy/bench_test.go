package policy_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// The budget of one decision is 20 µs and 40 allocations.

// busy is three resources, two targets and a history with a sample for each
// evaluation of its window and all the moves that a policy remembers.
func busy() scene {
	p := fleet(shipped, needs(
		policy.Resource{Name: "cpu", Reservation: policy.Reservation{Ratio: 0.3, Threshold: 1}},
		policy.Resource{Name: "memory", Reservation: policy.Reservation{Ratio: 0.2}},
		policy.Resource{Name: "requests"},
	), reserves(policy.Reservation{
		Ratio: 0.2, Replicas: 1,
		Schedules: []policy.Schedule{{Window: window(true), Ratio: 0.1}},
	}))
	p.Strategy = policy.StrategyCost
	prices := []float64{0, 0.19}
	for i := range p.Targets {
		p.Targets[i].CostPerHour = &prices[i%2]
	}
	p.ScaleUp.Stabilization, p.ScaleUp.Cooldown = time.Minute, time.Minute

	h := policy.History{Since: ago(time.Hour), LastSeen: ago(15 * time.Second)}
	for at := 10 * time.Minute; at > 0; at -= 15 * time.Second {
		h.Samples = append(h.Samples, policy.Sample{First: ago(at), Last: ago(at), Replicas: 10 + int(at/(15*time.Second))%2})
	}
	for i := range 20 {
		m := converged(10, 11, time.Hour-time.Duration(i)*time.Minute)
		m.ID = strconv.Itoa(i)
		h.Moves = append(h.Moves, m)
	}
	room, money := 30, 50.0
	return scene{p, policy.Observation{
		Up:      2,
		Budgets: []policy.Room{{Budget: "shop", Replicas: &room, CostPerHour: &money, Victims: []string{"batch"}}},
		Targets: []policy.TargetState{runs("owned", 3), runs("rented", 3)},
		Usage:   []policy.Usage{uses("requests", 900, 150), uses("memory", 8e9, 2<<30), cpu(15)},
	}, h}
}

func BenchmarkDecide(b *testing.B) {
	s := busy()
	if d := s.decide(); !d.Act || d.Desired != 10 || len(d.Placements) != 2 {
		b.Fatal(d.Explain())
	}
	b.ReportAllocs()
	before := realtest.CPUTime(b)
	for b.Loop() {
		s.decide()
	}
	// What others have left of the machine counts for nothing here.
	b.ReportMetric(float64(realtest.CPUTime(b)-before)/float64(b.N), "cpu-ns/op")
}

func BenchmarkExplain(b *testing.B) {
	d := busy().decide()
	b.ReportAllocs()
	for b.Loop() {
		_ = d.Explain()
	}
}

func TestDecideAllocatesLittle(t *testing.T) {
	s := busy()
	if n := testing.AllocsPerRun(100, func() { s.decide() }); n > 40 {
		t.Errorf("%.0f allocations, 40 are allowed", n)
	}
}
