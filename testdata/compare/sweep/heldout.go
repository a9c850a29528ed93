package sweep

import (
	"math"

	"github.com/alertscaler/alertscaler/testdata/compare/contender"
)

// HeldOut is what a contender does on strangers: for each limit and each group
// of workloads, the cheapest setting whose mean shortage over all other groups
// is within the limit, measured on that group. The points' Setting has the
// limit as its Value; a limit that no setting keeps to without one of the
// groups has no point.
func (c *Curve) HeldOut(groups [][]int, s Shortage, limits []float64) Curve {
	out := Curve{Contender: c.Contender}
	for _, limit := range limits {
		if p, ok := c.heldOut(groups, s, limit); ok {
			out.Points = append(out.Points, p)
		}
	}
	return out
}

func (c *Curve) heldOut(groups [][]int, s Shortage, limit float64) (Point, bool) {
	out := Point{Setting: contender.Setting{Value: limit}}
	for _, group := range groups {
		chosen := c.without(group, s, limit)
		if chosen == nil {
			return Point{}, false
		}
		if out.Results == nil {
			out.Results = append(out.Results, chosen.Results...)
		}
		for _, k := range group {
			out.Results[k] = chosen.Results[k]
		}
	}
	out.sumUp()
	return out, true
}

// without chooses a setting on all workloads but some.
func (c *Curve) without(group []int, s Shortage, limit float64) *Point {
	var best *Point
	cheapest := math.Inf(1)
	for i := range c.Points {
		p := &c.Points[i]
		shortage, logs := s.Mean(p)*float64(len(p.Results)), p.logs
		for _, k := range group {
			shortage -= s.Of(p.Results[k])
			logs -= math.Log(p.Results[k].Cost)
		}
		n := float64(len(p.Results) - len(group))
		if shortage <= n*limit+1e-12 && logs < cheapest {
			best, cheapest = p, logs
		}
	}
	return best
}

// Groups are the places of workloads with the same label, in the order in
// which the labels first come.
func Groups(labels []string) [][]int {
	var groups [][]int
	place := map[string]int{}
	for k, label := range labels {
		g, known := place[label]
		if !known {
			g = len(groups)
			place[label] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], k)
	}
	return groups
}
