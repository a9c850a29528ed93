// Package report writes what a comparison found: tables in Markdown and plots
// in SVG.
package report

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/contender"
	"github.com/alertscaler/alertscaler/testdata/compare/sweep"
	"github.com/alertscaler/alertscaler/testdata/compare/workload"
)

// Comparison is what was found under one set of rules.
type Comparison struct {
	Set workload.Set
	// Never is the optimum that is never under capacity, and Allowance those
	// that may be.
	Never     sweep.Point
	Allowance sweep.Allowance
	Curves    []sweep.Curve
	// CutOff are curves with the signal cut off at the ready capacity; empty
	// where that was not tried.
	CutOff []sweep.Curve
}

// Quality is everything that was tried.
type Quality struct {
	// Traces in the order of all results, and what they are in a word.
	Traces      []plant.Trace
	Kind        string
	Limits      []float64
	Comparisons []Comparison
	// Plots are the files beside the page, in the order of the comparisons:
	// all workloads together, and each.
	Plots [][2]string
}

// writer remembers the first error, so that tables stay readable.
type writer struct {
	to  io.Writer
	err error
}

func (w *writer) line(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.to, format+"\n", args...)
	}
}

func (w *writer) row(cells ...string) { w.line("| %s |", strings.Join(cells, " | ")) }

func (w *writer) header(cells ...string) {
	w.row(cells...)
	w.line("|%s", strings.Repeat("---|", len(cells)))
}

// Markdown writes the page.
func (q *Quality) Markdown(to io.Writer) error {
	w := &writer{to: to}
	w.line("# Quality of decisions, compared\n")
	w.line("[Recorded traces](quality.md) · [generated traces](quality_generated.md)\n")
	w.line("What it costs to be short of capacity no more than so often, for Alertscaler and for others, on the same demand under the same rules. This page and its plots are written by `make bench-quality` (`TRACES=folder` for recorded ones); every figure is of one run on %d %s.\n", len(q.Traces), q.Kind)
	q.rules(w)
	q.grids(w)
	q.workloads(w)
	for i := range q.Comparisons {
		c := &q.Comparisons[i]
		w.line("## Replicas are ready after %s\n", c.Set.Name)
		q.atTime(w, c)
		q.plots(w, i)
		q.atDemand(w, c)
		held := q.heldOut(c)
		q.strangers(w, c, &held)
		q.means(w, c)
		q.each(w, c)
		q.asRun(w, c)
		q.cutOff(w, c)
		q.losses(w, c, &held)
	}
	return w.err
}

func (q *Quality) rules(w *writer) {
	w.line("**Cost** is requested replica-seconds ÷ those that were needed, need being max(1, ⌈demand⌉); costs are geometric means over the %s. **τ_U** is the share of time with demand above ready capacity, counted every five seconds; **lost demand** is the share of demand that found no capacity. Both are means over the workloads. Demand is scaled to a mean of ten replicas; a controller is asked every 15 s (AWS: every minute) and sees the mean of the last 30 s. The first tenth of each workload, at most a day, is not counted. Package `scaler/simulate/plant` has the rules to the letter.\n", q.Kind)
	w.line("Each contender has one setting for all %s. The **optimum** knows all demand: \"never under\" is the cheapest that is never under capacity; \"same allowance\" is the least cost, found by dynamic programming, with the same mean shortage, distributed over the workloads as suits it, so that nobody can be below it (within the grid of prices that are tried). **Closed** is the share of HPA's distance to the optimum with the same allowance that a contender closes.\n", q.Kind)
	w.line("HPA is a model that is first asserted to request the same replicas as the unmodified controller of Kubernetes v1.37.2 in virtual time, whatever its target, window and tolerance; Nomad is the unmodified strategy of v0.4.6; the others are models of what is published (`testdata/compare/peers` names the sources).\n")
}

// grids says which settings are tried of whom.
func (q *Quality) grids(w *writer) {
	w.line("Settings that are tried:\n")
	for i := range q.Comparisons[0].Curves {
		c := &q.Comparisons[0].Curves[i].Contender
		w.line("- %s: %s.", c.Name, c.Grid())
	}
	w.line("")
}

func (q *Quality) plots(w *writer, i int) {
	if i >= len(q.Plots) {
		return
	}
	w.line("![Cost against time under capacity, all together](%s)\n", q.Plots[i][0])
	w.line("![Cost against time under capacity, each by itself](%s)\n", q.Plots[i][1])
}

// Curve finds a contender's.
func (c *Comparison) Curve(name string) *sweep.Curve { return curveNamed(c.Curves, name) }

func curveNamed(curves []sweep.Curve, name string) *sweep.Curve {
	for i := range curves {
		if curves[i].Contender.Name == name {
			return &curves[i]
		}
	}
	return nil
}

// learnt are the curves of ours that are made to be compared: those that
// learn.
func (c *Comparison) learnt() []*sweep.Curve {
	var out []*sweep.Curve
	for i := range c.Curves {
		if c.Curves[i].Contender.Learns {
			out = append(out, &c.Curves[i])
		}
	}
	return out
}

// all workloads' places.
func (q *Quality) all() []int {
	out := make([]int, len(q.Traces))
	for k := range out {
		out[k] = k
	}
	return out
}

// level is a shortage of HPA's at which all are compared.
type level struct {
	name  string
	point sweep.Point
}

// levels are what HPA does as people run it, and at each limit.
func (q *Quality) levels(c *Comparison) []level {
	hpa := c.Curve(contender.HPA)
	var out []level
	if p, ok := hpa.At(hpa.Contender.Default); ok {
		out = append(out, level{"as people run it", p})
	}
	for _, l := range q.Limits {
		if p, ok := hpa.Best(l); ok {
			out = append(out, level{"at τ_U ≤ " + percent(l), p})
		}
	}
	return out
}

func cost(v float64) string { return fmt.Sprintf("%.2f", v) }

func percent(share float64) string {
	switch p := 100 * share; {
	case p == float64(int(p)):
		return fmt.Sprintf("%.0f %%", p)
	case p < 0.001 && p > -0.001:
		return fmt.Sprintf("%.1g %%", p)
	case p < 0.1 && p > -0.1:
		return fmt.Sprintf("%.2g %%", p)
	default:
		return fmt.Sprintf("%.1f %%", p)
	}
}

// whole is a share to whole percents.
func whole(share float64) string { return fmt.Sprintf("%d %%", int(math.Round(100*share))) }
