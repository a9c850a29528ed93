package report

import (
	"fmt"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/contender"
	"github.com/alertscaler/alertscaler/testdata/compare/sweep"
	"github.com/alertscaler/alertscaler/testdata/compare/workload"
)

// atTime is the table of costs by limits of time under capacity.
func (q *Quality) atTime(w *writer, c *Comparison) {
	w.line("### At the same time under capacity\n")
	w.line("The cheapest setting that keeps mean τ_U within the limit, \"–\" where none does; in brackets, how much it closes.\n")
	head := []string{"cost at mean τ_U"}
	for _, l := range q.Limits {
		head = append(head, "≤ "+percent(l))
	}
	w.header(append(head, "settings")...)
	never, optimum := []string{"optimum, never under"}, []string{"optimum, same allowance"}
	for _, l := range q.Limits {
		never = append(never, cost(c.Never.Cost))
		optimum = append(optimum, cost(c.Allowance.Mean(q.all(), sweep.Time, l)))
	}
	w.row(append(never, "")...)
	w.row(append(optimum, "")...)
	for i := range c.Curves {
		curve := &c.Curves[i]
		row, settings := []string{curve.Contender.Name}, ""
		for _, l := range q.Limits {
			cell, setting := "–", "–"
			if p, ok := curve.Best(l); ok {
				cell, setting = cost(p.Cost)+q.closed(c, sweep.Time, l, p.Cost), curve.Contender.Format(p.Setting)
			}
			row = append(row, cell)
			if settings != "" {
				settings += ", "
			}
			settings += setting
		}
		w.row(append(row, curve.Contender.Setting+": "+settings)...)
	}
	w.line("")
}

// closed is how much a cost closes of the distance of HPA's best within the
// limit of time, in brackets; nothing for HPA itself.
func (q *Quality) closed(c *Comparison, s sweep.Shortage, limit, ours float64) string {
	p, ok := c.Curve(contender.HPA).Best(limit)
	if !ok || p.Cost == ours {
		return ""
	}
	return " (" + whole(sweep.Closed(p.Cost, ours, c.Allowance.Mean(q.all(), s, limit))) + ")"
}

// atDemand compares at the demand that HPA loses.
func (q *Quality) atDemand(w *writer, c *Comparison) {
	levels := q.levels(c)
	w.line("### At the same lost demand\n")
	w.line("The levels are the mean demand that HPA loses as people run it, and with its cheapest setting for each limit of τ_U above. At each of them, everybody's cheapest, on the line between two settings beside it; \"–\" where every setting loses more.\n")
	q.byDemand(w, c.Curves, &c.Allowance, q.all(), levels)
}

// byDemand is a table of costs at levels of lost demand.
func (q *Quality) byDemand(w *writer, curves []sweep.Curve, allowance *sweep.Allowance, on []int, levels []level) {
	head, optimum := []string{"cost where HPA loses"}, []string{"optimum, same allowance"}
	var bounds []float64
	for _, l := range levels {
		head = append(head, fmt.Sprintf("%s (%s)", percent(l.point.Lost), l.name))
		bound := allowance.Mean(on, sweep.Demand, l.point.Lost)
		bounds = append(bounds, bound)
		optimum = append(optimum, cost(bound))
	}
	w.header(head...)
	w.row(optimum...)
	hpa := curveNamed(curves, contender.HPA).Frontier(sweep.Demand)
	for i := range curves {
		row := []string{curves[i].Contender.Name}
		frontier := curves[i].Frontier(sweep.Demand)
		for j, l := range levels {
			cell := "–"
			if us, reached := frontier.At(l.point.Lost); reached {
				cell = cost(us)
				if them, ok := hpa.At(l.point.Lost); ok && curves[i].Contender.Name != contender.HPA {
					cell += " (" + whole(sweep.Closed(them, us, bounds[j])) + ")"
				}
			}
			row = append(row, cell)
		}
		w.row(row...)
	}
	w.line("")
}

// heldOut is what came of leaving each domain out.
type heldOut struct {
	groups [][]int
	// byTime are the curves of the limits of the page, and free those of all
	// limits of either shortage.
	byTime, free []sweep.Curve
	// levels are HPA's of byTime.
	levels []level
}

// heldOut leaves each domain out; without groups where there is but one.
func (q *Quality) heldOut(c *Comparison) heldOut {
	labels := make([]string, len(q.Traces))
	for k, t := range q.Traces {
		labels[k] = workload.Domain(t.Name)
	}
	h := heldOut{groups: sweep.Groups(labels)}
	if len(h.groups) < 2 {
		return heldOut{}
	}
	for i := range c.Curves {
		h.byTime = append(h.byTime, c.Curves[i].HeldOut(h.groups, sweep.Time, q.Limits))
		h.free = append(h.free, Strangers(&c.Curves[i], h.groups))
	}
	for _, p := range curveNamed(h.byTime, contender.HPA).Points {
		h.levels = append(h.levels, level{"chosen for τ_U ≤ " + percent(p.Setting.Value), p})
	}
	return h
}

// strangers is leave-one-domain-out.
func (q *Quality) strangers(w *writer, c *Comparison, h *heldOut) {
	if len(h.groups) == 0 {
		return
	}
	w.line("### On workloads of a domain that the setting was not chosen on\n")
	w.line("Each of the %d domains is held out in turn: the cheapest setting within the limit on all others is measured on it. What comes of it keeps to no limit by itself, so cost, τ_U and lost demand stand together, over all held-out workloads.\n", len(h.groups))
	head := []string{"cost (τ_U, lost) for"}
	for _, l := range q.Limits {
		head = append(head, "τ_U ≤ "+percent(l)+" on the others")
	}
	w.header(head...)
	for i := range h.byTime {
		row := []string{h.byTime[i].Contender.Name}
		for _, l := range q.Limits {
			cell := "–"
			if p, ok := h.byTime[i].At(contender.Setting{Value: l}); ok {
				cell = fmt.Sprintf("%s (%s, %s)", cost(p.Cost), percent(p.Under), percent(p.Lost))
			}
			row = append(row, cell)
		}
		w.row(row...)
	}
	w.line("")
	w.line("The same at the same lost demand: the levels are what HPA lost on held-out domains in the table above. Everybody has the better of two ways to choose on the other domains, by a limit of τ_U and by a limit of lost demand, at whichever limit turned out best.\n")
	q.byDemand(w, h.free, &c.Allowance, q.all(), h.levels)
}

// Strangers is a contender on held-out groups, for limits of either shortage on
// the others: the better of two ways to choose a setting for people one does
// not know.
func Strangers(curve *sweep.Curve, groups [][]int) sweep.Curve {
	out := curve.HeldOut(groups, sweep.Time, shortages)
	out.Points = append(out.Points, curve.HeldOut(groups, sweep.Demand, shortages).Points...)
	return out
}

// shortages are limits for which settings are chosen.
var shortages = func() []float64 {
	var out []float64
	for v := 1e-5; v < 0.3; v *= 1.1 {
		out = append(out, v)
	}
	return out
}()

// means shows what is behind them.
func (q *Quality) means(w *writer, c *Comparison) {
	w.line("### What the means hide\n")
	w.line("The workload with the most time under capacity and the one with the most lost demand, at the settings of the first table.\n")
	head := []string{"worst τ_U; worst lost demand"}
	for _, l := range q.Limits {
		head = append(head, "mean τ_U ≤ "+percent(l))
	}
	w.header(head...)
	for i := range c.Curves {
		row := []string{c.Curves[i].Contender.Name}
		for _, l := range q.Limits {
			p, ok := c.Curves[i].Best(l)
			if !ok {
				row = append(row, "–")
				continue
			}
			row = append(row, q.worst(&p, sweep.Time)+"; "+q.worst(&p, sweep.Demand))
		}
		w.row(row...)
	}
	w.line("")
	limit := q.Limits[0]
	w.line("Other measures, as medians over the %s, at the settings for τ_U ≤ %s. θ_U, θ_O and τ_O are SPEC's relative under- and over-provisioning and time with more than needed; υ is instability.\n", q.Kind, percent(limit))
	w.header("", "θ_U", "θ_O", "τ_O", "υ", "actions per hour")
	for i := range c.Curves {
		p, ok := c.Curves[i].Best(limit)
		if !ok {
			continue
		}
		row := []string{c.Curves[i].Contender.Name}
		for _, m := range []func(plant.Result) float64{
			func(r plant.Result) float64 { return r.ThetaU },
			func(r plant.Result) float64 { return r.ThetaO },
			func(r plant.Result) float64 { return r.TauO },
			func(r plant.Result) float64 { return r.Instability },
		} {
			row = append(row, percent(p.Median(m)))
		}
		w.row(append(row, fmt.Sprintf("%.1f", p.Median(actions)))...)
	}
	w.line("")
}

func actions(r plant.Result) float64 { return r.ActionsPerHour }

func (q *Quality) worst(p *sweep.Point, s sweep.Shortage) string {
	worst := 0
	for k, r := range p.Results {
		if s.Of(r) > s.Of(p.Results[worst]) {
			worst = k
		}
	}
	return percent(s.Of(p.Results[worst])) + " " + q.Traces[worst].Name
}
