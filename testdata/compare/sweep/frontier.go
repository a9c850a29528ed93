package sweep

import (
	"cmp"
	"slices"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/contender"
)

// Shortage is a measure of how much was missing.
type Shortage int

// A share of the time, τ_U, and a share of the demand.
const (
	Time Shortage = iota
	Demand
)

// Of one run.
func (s Shortage) Of(r plant.Result) float64 {
	if s == Demand {
		return r.Lost
	}
	return r.Under
}

// Mean over the workloads.
func (s Shortage) Mean(p *Point) float64 {
	if s == Demand {
		return p.Lost
	}
	return p.Under
}

// Spot is one setting's shortage and cost.
type Spot struct {
	Setting        contender.Setting
	Shortage, Cost float64
}

// Frontier is the lower edge of many settings: those than which no other has
// both less shortage and less cost, by rising shortage and falling cost.
type Frontier []Spot

// Frontier of a curve's means over all workloads.
func (c *Curve) Frontier(s Shortage) Frontier {
	return newFrontier(c.Points, func(p *Point) (float64, float64) { return s.Mean(p), p.Cost })
}

// FrontierOn one workload.
func (c *Curve) FrontierOn(workload int, s Shortage) Frontier {
	return newFrontier(c.Points, func(p *Point) (float64, float64) {
		r := p.Results[workload]
		return s.Of(r), r.Cost
	})
}

func newFrontier(points []Point, at func(*Point) (shortage, cost float64)) Frontier {
	spots := make(Frontier, len(points))
	for i := range points {
		spots[i].Setting = points[i].Setting
		spots[i].Shortage, spots[i].Cost = at(&points[i])
	}
	return spots.edge()
}

// edge drops what another spot beats.
func (f Frontier) edge() Frontier {
	slices.SortStableFunc(f, func(a, b Spot) int {
		return cmp.Or(cmp.Compare(a.Shortage, b.Shortage), cmp.Compare(a.Cost, b.Cost))
	})
	var out Frontier
	for _, s := range f {
		if len(out) == 0 || s.Cost < out[len(out)-1].Cost {
			out = append(out, s)
		}
	}
	return out
}

// At is the cost at a shortage, on the line between the two settings beside
// it, and that of the last setting beyond it. False where all settings have
// more shortage; the cost is that of the one with the least then.
func (f Frontier) At(shortage float64) (cost float64, reached bool) {
	i, _ := slices.BinarySearchFunc(f, shortage, func(s Spot, v float64) int {
		if s.Shortage <= v {
			return -1
		}
		return 1
	})
	switch {
	case len(f) == 0:
		return 0, false
	case i == 0:
		return f[0].Cost, false
	case i == len(f):
		return f[i-1].Cost, true
	}
	a, b := f[i-1], f[i]
	return a.Cost + (b.Cost-a.Cost)*(shortage-a.Shortage)/(b.Shortage-a.Shortage), true
}

// Closed is the share of a distance to the optimum that is closed; negative
// where ours is dearer.
func Closed(theirs, ours, optimum float64) float64 { return (theirs - ours) / (theirs - optimum) }
