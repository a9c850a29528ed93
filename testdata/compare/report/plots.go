package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/alertscaler/alertscaler/testdata/compare/sweep"
)

// PlotTogether draws mean cost against mean time under capacity.
func (q *Quality) PlotTogether(to io.Writer, c *Comparison) error {
	p := Panel{Title: fmt.Sprintf("all %d %s, one setting for all", len(q.Workloads), q.Kind), Floor: c.Optimum.Cost}
	p.Lines = q.lines(c, func(p sweep.Point) XY { return XY{p.Under, p.Cost} })
	return SVG(to, fmt.Sprintf("Replicas ready after %s", c.After()), 2, []Panel{p, q.zoom(c)})
}

// zoom is the same by the cheapest setting of each limit: what a user gets who
// wants to be within it.
func (q *Quality) zoom(c *Comparison) Panel {
	p := Panel{Title: "the cheapest setting within each limit", Floor: c.Optimum.Cost}
	for i := range c.Curves {
		l := Line{Name: c.Curves[i].Contender.Name, Bold: q.ours(c.Curves[i].Contender.Name)}
		for limit := 0.0025; limit <= maxUnder+1e-9; limit += 0.0025 {
			if best, ok := c.Curves[i].Best(limit); ok {
				l.Points = append(l.Points, XY{limit, best.Cost})
			}
		}
		p.Lines = append(p.Lines, l)
	}
	return p
}

// PlotEach draws a panel for every workload.
func (q *Quality) PlotEach(to io.Writer, c *Comparison) error {
	panels := make([]Panel, len(q.Workloads))
	for k, name := range q.Workloads {
		panels[k] = Panel{Title: name, Floor: c.Optimum.Results[k].Cost}
		panels[k].Lines = q.lines(c, func(p sweep.Point) XY { return XY{p.Results[k].Under, p.Results[k].Cost} })
	}
	return SVG(to, fmt.Sprintf("Replicas ready after %s, workload by workload", c.After()), 2, panels)
}

func (q *Quality) lines(c *Comparison, at func(sweep.Point) XY) []Line {
	var out []Line
	for i := range c.Curves {
		l := Line{Name: c.Curves[i].Contender.Name, Bold: q.ours(c.Curves[i].Contender.Name)}
		for _, p := range c.Curves[i].Points {
			l.Points = append(l.Points, at(p))
		}
		out = append(out, l)
	}
	return out
}

func (q *Quality) ours(name string) bool { return strings.HasPrefix(name, "Alertscaler") }
