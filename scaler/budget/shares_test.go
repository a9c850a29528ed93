package budget

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// roomOf is what Shares.Room says, worked out from all holdings each time.
func roomOf(b policy.Budget, holdings []Holding, i int) policy.Room {
	me := holdings[i]
	r := policy.Room{Budget: b.Name}
	var claim, hold, lack []Holding
	free, freeCost := b.MaxReplicas, b.MaxCostPerHour
	claimed, claimedCost := 0, 0.0
	for j, h := range holdings {
		if j == i {
			continue
		}
		free -= max(h.Replicas, h.Min)
		freeCost -= max(h.CostPerHour, h.MinCostPerHour)
		wants := h.Wants > 0 || h.WantsCostPerHour > 0
		if h.Priority > me.Priority {
			claimed += h.Wants
			claimedCost += h.WantsCostPerHour
			if wants {
				claim = append(claim, h)
			}
		}
		if h.Replicas > 0 {
			hold = append(hold, h)
		}
		if h.Priority < me.Priority && wants && !h.Expected {
			lack = append(lack, h)
		}
	}
	tight := b.MaxCostPerHour > 0
	if b.MaxReplicas > 0 {
		n := max(0, free-claimed, min(free, me.Min))
		r.Replicas = &n
		tight = tight || n < me.Max
	}
	if b.MaxCostPerHour > 0 {
		c := max(0, freeCost-claimedCost, min(freeCost, me.MinCostPerHour))
		r.CostPerHour = &c
	}
	if !tight {
		return r
	}
	byPriority := func(a, b Holding) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.Policy, b.Policy))
	}
	first := func(hs []Holding, n int) (out []string, more int) {
		for _, h := range hs[:min(n, len(hs))] {
			out = append(out, h.Policy)
		}
		return out, max(0, len(hs)-n)
	}
	slices.SortFunc(claim, byPriority)
	slices.SortFunc(lack, byPriority)
	slices.SortFunc(hold, func(a, b Holding) int {
		return cmp.Or(cmp.Compare(b.CostPerHour, a.CostPerHour), cmp.Compare(b.Replicas, a.Replicas), cmp.Compare(a.Policy, b.Policy))
	})
	if r.Claimed = len(claim) > 0; r.Claimed {
		r.Rivals, r.MoreRivals = first(claim, 10)
	} else {
		r.Rivals, _ = first(hold, 3)
	}
	r.Victims, r.MoreVictims = first(lack, 10)
	return r
}

// TestSharesAgreeWithAllHoldings: however the parts change, the room is that
// of all holdings looked at anew.
func TestSharesAgreeWithAllHoldings(t *testing.T) {
	part := func(t *rapid.T, h Holding) Holding {
		h.Replicas = rapid.IntRange(0, 8).Draw(t, "replicas")
		h.CostPerHour = float64(h.Replicas) * rapid.SampledFrom([]float64{0, 0.1, 0.25, 1}).Draw(t, "price")
		h.Wants = rapid.SampledFrom([]int{0, 0, 3}).Draw(t, "wants")
		h.WantsCostPerHour = rapid.SampledFrom([]float64{0, 0, 0.3}).Draw(t, "wants, in cost")
		h.Expected = (h.Wants > 0 || h.WantsCostPerHour > 0) && rapid.Bool().Draw(t, "expected")
		return h
	}
	rapid.Check(t, func(t *rapid.T) {
		b := policy.Budget{Name: "shop"}
		if rapid.Bool().Draw(t, "replicas are limited") {
			b.MaxReplicas = rapid.IntRange(1, 100).Draw(t, "max replicas")
		}
		if rapid.Bool().Draw(t, "cost is limited") {
			b.MaxCostPerHour = rapid.Float64Range(0.1, 30).Draw(t, "max cost")
		}
		var holdings []Holding
		for i := range rapid.IntRange(1, 30).Draw(t, "policies") {
			holdings = append(holdings, part(t, Holding{
				Policy: fmt.Sprintf("p%02d", i), Priority: rapid.IntRange(0, 3).Draw(t, "priority"),
				Min: rapid.IntRange(0, 2).Draw(t, "min"), Max: 10, MinCostPerHour: rapid.SampledFrom([]float64{0, 0.2}).Draw(t, "least cost"),
			}))
		}
		s := NewShares(b, holdings)
		for range rapid.IntRange(0, 60).Draw(t, "changes") {
			i := rapid.IntRange(0, len(holdings)-1).Draw(t, "who")
			holdings[i] = part(t, holdings[i])
			s.Set(i, holdings[i])
		}
		replicas, cost := 0, 0.0
		for i := range holdings {
			replicas, cost = replicas+holdings[i].Replicas, cost+holdings[i].CostPerHour
			near := gocmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })
			if diff := gocmp.Diff(roomOf(b, holdings, i), s.Room(i), near); diff != "" {
				t.Fatalf("room of %d in %+v (-want +got)\n%s", i, holdings, diff)
			}
			var lacking []string
			for _, j := range s.Lacking(i) {
				lacking = append(lacking, holdings[j].Policy)
			}
			all := 0
			for _, h := range holdings {
				if h.Priority < holdings[i].Priority && !h.Expected && (h.Wants > 0 || h.WantsCostPerHour > 0) {
					all++
				}
			}
			if len(lacking) != all {
				t.Fatalf("%v lack something below %d, want %d", lacking, i, all)
			}
		}
		if r, c := s.Held(); r != replicas || math.Abs(c-cost) > 1e-9 {
			t.Fatalf("held %d and %g, want %d and %g", r, c, replicas, cost)
		}
	})
}
