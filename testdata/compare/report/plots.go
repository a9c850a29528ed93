package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/alertscaler/alertscaler/testdata/compare/sweep"
)

// PlotTogether draws mean cost against mean time under capacity, by the
// frontier of everybody's settings, and by the cheapest setting of each limit:
// what a user gets who wants to be within it.
func (q *Quality) PlotTogether(to io.Writer, c *Comparison) error {
	all := Panel{Title: fmt.Sprintf("all %d %s, one setting for all", len(q.Traces), q.Kind), Floor: c.Never.Cost}
	all.Lines = q.lines(c, func(curve *sweep.Curve) sweep.Frontier { return curve.Frontier(sweep.Time) })
	within := Panel{Title: "the cheapest setting within each limit", Floor: c.Never.Cost}
	optimum := Line{Name: "optimum, same allowance"}
	for limit := 0.0025; limit <= maxUnder+1e-9; limit += 0.0025 {
		optimum.Points = append(optimum.Points, XY{limit, c.Allowance.Mean(q.all(), sweep.Time, limit)})
	}
	all.Lines = append(all.Lines, optimum)
	within.Lines = q.lines(c, func(curve *sweep.Curve) sweep.Frontier {
		var f sweep.Frontier
		for limit := 0.0025; limit <= maxUnder+1e-9; limit += 0.0025 {
			if best, ok := curve.Best(limit); ok {
				f = append(f, sweep.Spot{Shortage: limit, Cost: best.Cost})
			}
		}
		return f
	})
	within.Lines = append(within.Lines, optimum)
	return SVG(to, "Replicas ready after "+c.Set.Name, 2, []Panel{all, within})
}

// PlotEach draws a panel for every workload.
func (q *Quality) PlotEach(to io.Writer, c *Comparison) error {
	panels := make([]Panel, len(q.Traces))
	for k, t := range q.Traces {
		panels[k] = Panel{Title: t.Name, Floor: c.Never.Results[k].Cost}
		panels[k].Lines = q.lines(c, func(curve *sweep.Curve) sweep.Frontier { return curve.FrontierOn(k, sweep.Time) })
		panels[k].Lines = append(panels[k].Lines, line("optimum, same allowance", c.Allowance.On(k, sweep.Time)))
	}
	return SVG(to, "Replicas ready after "+c.Set.Name+", workload by workload", 2, panels)
}

func (q *Quality) lines(c *Comparison, of func(*sweep.Curve) sweep.Frontier) []Line {
	var out []Line
	for i := range c.Curves {
		name := c.Curves[i].Contender.Name
		l := line(name, of(&c.Curves[i]))
		l.Bold = strings.HasPrefix(name, "Alertscaler")
		out = append(out, l)
	}
	return out
}

func line(name string, f sweep.Frontier) Line {
	l := Line{Name: name}
	for _, s := range f {
		l.Points = append(l.Points, XY{s.Shortage, s.Cost})
	}
	return l
}
