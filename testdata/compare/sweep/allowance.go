package sweep

import (
	"math"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

// Allowance is what clairvoyants pay who may be under capacity: for every
// workload the frontier of optimal schedules, by either shortage.
type Allowance struct {
	frontiers map[Shortage][]Frontier
}

// prices that the clairvoyants pay for being under capacity, in
// replica-steps: from what is cheaper than any replica to what no replica is
// too dear for.
var prices = map[Shortage][]float64{
	Time:   geometric(0.5, 5000, 1.5),
	Demand: geometric(0.5, 500, 1.5),
}

func geometric(first, last, factor float64) []float64 {
	var out []float64
	for v := first; v <= last; v *= factor {
		out = append(out, v)
	}
	return out
}

// NewAllowance computes the frontiers under the rules, on every processor.
func NewAllowance(demands []plant.Demand, o plant.Options) Allowance {
	a := Allowance{frontiers: map[Shortage][]Frontier{}}
	var jobs []func()
	for shortage, prices := range prices {
		frontiers := make([]Frontier, len(demands))
		a.frontiers[shortage] = frontiers
		for k, d := range demands {
			f := make(Frontier, 1+len(prices))
			frontiers[k] = f
			jobs = append(jobs, func() { f[0] = shortage.spot(plant.Optimum(d, o)) })
			for i, price := range prices {
				penalty := plant.Penalty{Time: price}
				if shortage == Demand {
					penalty = plant.Penalty{Demand: price}
				}
				jobs = append(jobs, func() { f[1+i] = shortage.spot(plant.OptimumAt(d, o, penalty)) })
			}
		}
	}
	inParallel(jobs)
	for _, frontiers := range a.frontiers {
		for k := range frontiers {
			frontiers[k] = frontiers[k].edge()
		}
	}
	return a
}

func (s Shortage) spot(r plant.Result) Spot { return Spot{Shortage: s.Of(r), Cost: r.Cost} }

// On one workload.
func (a *Allowance) On(workload int, s Shortage) Frontier { return a.frontiers[s][workload] }

// Mean is the least geometric mean of costs with a mean shortage over the
// given workloads of no more than the limit, however it is distributed over
// them. It is the value of the dual problem, so no distribution costs less:
// the highest over μ of the mean of min(log cost + μ·shortage) − μ·limit.
func (a *Allowance) Mean(workloads []int, s Shortage, limit float64) float64 {
	dual := func(mu float64) float64 {
		sum := 0.0
		for _, k := range workloads {
			least := math.Inf(1)
			for _, spot := range a.frontiers[s][k] {
				least = min(least, math.Log(spot.Cost)+mu*spot.Shortage)
			}
			sum += least
		}
		return sum/float64(len(workloads)) - mu*limit
	}
	// The dual is concave, and μ a change of log cost for all of the time.
	low, high := -20.0, 20.0
	for range 100 {
		third := (high - low) / 3
		if dual(math.Exp(low+third)) < dual(math.Exp(high-third)) {
			low += third
		} else {
			high -= third
		}
	}
	return math.Exp(dual(math.Exp((low + high) / 2)))
}

// Each is the geometric mean of costs with no more than the limit on each of
// the workloads.
func (a *Allowance) Each(workloads []int, s Shortage, limit float64) float64 {
	logs := 0.0
	for _, k := range workloads {
		cost, _ := a.frontiers[s][k].At(limit)
		logs += math.Log(cost)
	}
	return math.Exp(logs / float64(len(workloads)))
}
