package report

import (
	"fmt"
	"strings"

	"github.com/alertscaler/alertscaler/testdata/compare/contender"
	"github.com/alertscaler/alertscaler/testdata/compare/sweep"
)

// losses lists everything in which one of ours that learns is worse than one
// that does not.
func (q *Quality) losses(w *writer, c *Comparison, held *heldOut) {
	learnt := c.learnt()
	if len(learnt) == 0 {
		return
	}
	w.line("### Where we lose\n")
	for _, ours := range learnt {
		w.line("**%s**\n", ours.Contender.Name)
		lines := q.lossesOfMeans(c, ours)
		if free := curveNamed(held.free, ours.Contender.Name); free != nil {
			lines = append(lines, lossesAtDemand(held.free, free, held.levels, " on held-out domains")...)
		}
		lines = append(lines, q.lossesOnWorkloads(c, ours)...)
		lines = append(lines, q.lossesAsRun(c, ours)...)
		if len(lines) == 0 {
			lines = []string{"In nothing that is measured here."}
		}
		for _, l := range lines {
			w.line("- %s", l)
		}
		w.line("")
	}
}

// lossesOfMeans are those in the tables over all workloads.
func (q *Quality) lossesOfMeans(c *Comparison, ours *sweep.Curve) (lines []string) {
	for _, l := range q.Limits {
		us, ok := ours.Best(l)
		if !ok {
			lines = append(lines, fmt.Sprintf("No setting keeps mean τ_U ≤ %s.", percent(l)))
			continue
		}
		var cheaper []string
		for i := range c.Curves {
			if p, ok := c.Curves[i].Best(l); ok && p.Cost < us.Cost && !c.Curves[i].Contender.Learns {
				cheaper = append(cheaper, fmt.Sprintf("%s by %s", c.Curves[i].Contender.Name, percent(1-p.Cost/us.Cost)))
			}
		}
		lines = appendList(lines, fmt.Sprintf("Cheaper at mean τ_U ≤ %s", percent(l)), cheaper)
	}
	return append(lines, lossesAtDemand(c.Curves, ours, q.levels(c), "")...)
}

// lossesAtDemand are those where HPA loses as much demand.
func lossesAtDemand(curves []sweep.Curve, ours *sweep.Curve, levels []level, where string) (lines []string) {
	frontier := ours.Frontier(sweep.Demand)
	for _, l := range levels {
		us, reached := frontier.At(l.point.Lost)
		if !reached {
			lines = append(lines, fmt.Sprintf("No setting loses as little demand%s as HPA %s, %s.", where, l.name, percent(l.point.Lost)))
			continue
		}
		var cheaper []string
		for i := range curves {
			if curves[i].Contender.Learns {
				continue
			}
			if them, ok := curves[i].Frontier(sweep.Demand).At(l.point.Lost); ok && them < us {
				cheaper = append(cheaper, fmt.Sprintf("%s by %s", curves[i].Contender.Name, percent(1-them/us)))
			}
		}
		lines = appendList(lines, fmt.Sprintf("Cheaper%s with the lost demand of HPA %s", where, l.name), cheaper)
	}
	return lines
}

// lossesOnWorkloads are those at HPA's own shortage on each, and those in
// shortage at the same limit.
func (q *Quality) lossesOnWorkloads(c *Comparison, ours *sweep.Curve) (lines []string) {
	for _, l := range q.levels(c) {
		var dearer, more []string
		for k, t := range q.Traces {
			r := l.point.Results[k]
			switch b := besideHPA(ours, k, r); {
			case !b.reached:
				more = append(more, fmt.Sprintf("%s (%s of HPA's cost, at the least lost demand)", t.Name, whole(b.ratio)))
			case b.ratio > 1:
				dearer = append(dearer, fmt.Sprintf("%s by %s", t.Name, percent(b.ratio-1)))
			}
		}
		lines = appendList(lines, fmt.Sprintf("Dearer than HPA %s, at its own lost demand there, on", l.name), dearer)
		lines = appendList(lines, fmt.Sprintf("All settings lose more than HPA %s on", l.name), more)
	}
	hpa := c.Curve(contender.HPA)
	for _, l := range q.Limits {
		us, ok := ours.Best(l)
		them, okToo := hpa.Best(l)
		if !ok || !okToo {
			continue
		}
		var longer []string
		for k, t := range q.Traces {
			if a, b := us.Results[k].Under, them.Results[k].Under; a > b {
				longer = append(longer, fmt.Sprintf("%s (%s against %s)", t.Name, percent(a), percent(b)))
			}
		}
		lines = appendList(lines, fmt.Sprintf("Under capacity for longer than HPA, both at mean τ_U ≤ %s, on", percent(l)), longer)
	}
	return lines
}

// lossesAsRun are those at the default settings.
func (q *Quality) lossesAsRun(c *Comparison, ours *sweep.Curve) (lines []string) {
	hpa := c.Curve(contender.HPA)
	us, ok := ours.At(ours.Contender.Default)
	them, okToo := hpa.At(hpa.Contender.Default)
	if !ok || !okToo {
		return nil
	}
	var longer, hour, more []string
	for k, t := range q.Traces {
		a, b := us.Results[k], them.Results[k]
		if a.Under > b.Under {
			longer = append(longer, fmt.Sprintf("%s (%s against %s)", t.Name, percent(a.Under), percent(b.Under)))
		}
		if a.FirstHour.Cost > b.FirstHour.Cost {
			hour = append(hour, fmt.Sprintf("%s by %s", t.Name, percent(a.FirstHour.Cost/b.FirstHour.Cost-1)))
		}
		if a.ActionsPerHour > b.ActionsPerHour {
			more = append(more, fmt.Sprintf("%s (%.1f against %.1f)", t.Name, a.ActionsPerHour, b.ActionsPerHour))
		}
	}
	as := fmt.Sprintf("as run, %s and %s", ours.Contender.Format(us.Setting), hpa.Contender.Format(them.Setting))
	lines = appendList(lines, "Under capacity for longer than HPA, "+as+", on", longer)
	lines = appendList(lines, "The first hour is dearer than HPA's, "+as+", on", hour)
	return appendList(lines, "More actions per hour than HPA, "+as+", on", more)
}

func appendList(lines []string, what string, names []string) []string {
	if len(names) == 0 {
		return lines
	}
	return append(lines, what+": "+list(names)+".")
}

func list(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
