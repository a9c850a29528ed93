// Package report writes what a comparison found: tables in Markdown and plots
// in SVG.
package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/contender"
	"github.com/alertscaler/alertscaler/testdata/compare/sweep"
)

// Comparison is one delay's curves.
type Comparison struct {
	Delay   time.Duration
	Optimum sweep.Point
	Curves  []sweep.Curve
	// CutOff are curves with the signal cut off at the ready capacity; empty
	// where that was not tried.
	CutOff []sweep.Curve
}

// Quality is everything that was tried.
type Quality struct {
	// Workloads by name, and what they are in a word: "traces" or "generators".
	Workloads []string
	Kind      string
	Limits    []float64
	// Ours is the contender that the others are compared with.
	Ours        string
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
	w.line("What it costs to be under capacity no more than so often, for Alertscaler and for others, on the same demand under the same rules. This page and its plots are written by `make bench-quality` (`TRACES=folder` for recorded ones); every figure is of one run on %d %s: %s.\n", len(q.Workloads), q.Kind, strings.Join(q.Workloads, ", "))
	q.rules(w)
	for i := range q.Comparisons {
		c := &q.Comparisons[i]
		w.line("## Replicas are ready after %s\n", c.After())
		q.cells(w, c, c.Curves)
		q.plots(w, i)
		q.where(w, c)
		q.perWorkload(w, c)
		q.more(w, c)
		q.defaults(w, c)
		q.asked(w, c)
		if len(c.CutOff) > 0 {
			w.line("### With the signal cut off at capacity\n")
			w.line("As CPU usage is: nobody sees more than what the ready replicas can serve. τ_U is counted by the true demand all the same.\n")
			q.cells(w, c, c.CutOff)
		}
	}
	return w.err
}

func (q *Quality) rules(w *writer) {
	w.line("**Cost** is requested replica-seconds ÷ those that were needed, need being max(1, ⌈demand⌉); 1 is the least that could serve everything, and costs are geometric means over the %s. **τ_U** is the share of time with demand above ready capacity, averaged over them. Demand is scaled to a mean of ten replicas; a controller is asked every 15 s (AWS: every minute) and sees the mean of the last 30 s. The first tenth of each workload, at most a day, is not counted. Package `scaler/simulate/plant` has the rules to the letter.\n", q.Kind)
	w.line("Each contender has one setting, the same on all %s, and the cheapest that keeps mean τ_U within the limit counts; \"–\" where none does. The **clairvoyant** knows all demand and is never under capacity. HPA is a model that is first asserted to request the same replicas as the unmodified controller of Kubernetes v1.37.2 in virtual time; Nomad is the unmodified strategy of v0.4.6; the others are models of what is published (`testdata/compare/peers` names the sources).\n", q.Kind)
}

// cells is the table of costs by limit.
func (q *Quality) cells(w *writer, c *Comparison, curves []sweep.Curve) {
	head := []string{"cost at mean τ_U"}
	for _, l := range q.Limits {
		head = append(head, "≤ "+percent(l))
	}
	w.header(append(head, "settings")...)
	row := []string{"clairvoyant (never under)"}
	for range q.Limits {
		row = append(row, cost(c.Optimum.Cost))
	}
	w.row(append(row, "")...)
	for i := range curves {
		curve := &curves[i]
		row := []string{curve.Contender.Name}
		settings := make([]string, len(q.Limits))
		for j, l := range q.Limits {
			p, ok := curve.Best(l)
			row = append(row, "–")
			settings[j] = "–"
			if ok {
				row[j+1] = cost(p.Cost)
				settings[j] = curve.Contender.Format(p.Setting)
			}
		}
		w.row(append(row, curve.Contender.Setting+": "+strings.Join(settings, ", "))...)
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

// where says who is cheaper than ours, and how much of HPA's distance to the
// clairvoyant ours closes.
func (q *Quality) where(w *writer, c *Comparison) {
	ours := c.Curve(q.Ours)
	hpa := c.Curve(contender.HPA)
	if ours == nil || hpa == nil {
		return
	}
	w.line("### Where %s stands\n", q.Ours)
	for _, l := range q.Limits {
		us, ok := ours.Best(l)
		if !ok {
			w.line("- τ_U ≤ %s: **no setting of %s reaches it.**", percent(l), q.Ours)
			continue
		}
		var cheaper, dearer []string
		for i := range c.Curves {
			curve := &c.Curves[i]
			if curve.Contender.Name == q.Ours {
				continue
			}
			p, ok := curve.Best(l)
			switch {
			case ok && p.Cost < us.Cost:
				cheaper = append(cheaper, fmt.Sprintf("%s by %s", curve.Contender.Name, percent(1-p.Cost/us.Cost)))
			case ok:
				dearer = append(dearer, fmt.Sprintf("%s by %s", curve.Contender.Name, percent(1-us.Cost/p.Cost)))
			default:
				dearer = append(dearer, curve.Contender.Name+", which has no setting for it")
			}
		}
		w.line("- τ_U ≤ %s: cheaper than it: %s. Dearer than it: %s.%s", percent(l), list(cheaper), list(dearer), closed(hpa, us, c.Optimum, l))
		q.losses(w, hpa, us, l)
	}
	w.line("")
}

// losses names the workloads on which HPA, at its own setting for the limit,
// costs less or is under capacity less.
func (q *Quality) losses(w *writer, hpa *sweep.Curve, us sweep.Point, limit float64) {
	h, ok := hpa.Best(limit)
	if !ok {
		return
	}
	var cheaper, safer []string
	for k, name := range q.Workloads {
		if h.Results[k].Cost < us.Results[k].Cost {
			cheaper = append(cheaper, fmt.Sprintf("%s (%s against %s)", name, cost(h.Results[k].Cost), cost(us.Results[k].Cost)))
		}
		if h.Results[k].Under < us.Results[k].Under {
			safer = append(safer, fmt.Sprintf("%s (%s against %s)", name, percent(h.Results[k].Under), percent(us.Results[k].Under)))
		}
	}
	w.line("  HPA is cheaper on %s; it is under capacity for less time on %s.", list(cheaper), list(safer))
}

func closed(hpa *sweep.Curve, us, optimum sweep.Point, limit float64) string {
	h, ok := hpa.Best(limit)
	if !ok || h.Cost <= optimum.Cost {
		return ""
	}
	if us.Cost >= h.Cost {
		return " It closes nothing of HPA's distance to the clairvoyant."
	}
	return fmt.Sprintf(" Of HPA's distance to the clairvoyant it closes %s.", percent((h.Cost-us.Cost)/(h.Cost-optimum.Cost)))
}

// perWorkload shows what the setting for the strictest limit means on each.
func (q *Quality) perWorkload(w *writer, c *Comparison) {
	limit := q.Limits[0]
	w.line("### Workload by workload, at the settings for mean τ_U ≤ %s\n", percent(limit))
	w.line("Cost, and time under capacity behind it.\n")
	var curves []*sweep.Curve
	head := []string{"", "clairvoyant"}
	for i := range c.Curves {
		if _, ok := c.Curves[i].Best(limit); ok {
			curves = append(curves, &c.Curves[i])
			head = append(head, c.Curves[i].Contender.Name)
		}
	}
	w.header(head...)
	for k, name := range q.Workloads {
		row := []string{name, cost(c.Optimum.Results[k].Cost)}
		for _, curve := range curves {
			p, _ := curve.Best(limit)
			row = append(row, fmt.Sprintf("%s (%s)", cost(p.Results[k].Cost), percent(p.Results[k].Under)))
		}
		w.row(row...)
	}
	w.line("")
}

// more has the other measures.
func (q *Quality) more(w *writer, c *Comparison) {
	limit := q.Limits[0]
	w.line("### Other measures at these settings\n")
	w.line("Medians over the %s. Lost is the share of demand that found no capacity; θ_U, θ_O and τ_O are SPEC's relative under- and over-provisioning and time with more than needed; υ is instability; the first hour is counted from the very beginning.\n", q.Kind)
	w.header("", "lost", "θ_U", "θ_O", "τ_O", "υ", "actions per hour", "cost of the first hour")
	for i := range c.Curves {
		p, ok := c.Curves[i].Best(limit)
		if !ok {
			continue
		}
		row := []string{c.Curves[i].Contender.Name}
		for _, m := range []func(plant.Result) float64{
			func(r plant.Result) float64 { return r.Lost },
			func(r plant.Result) float64 { return r.ThetaU },
			func(r plant.Result) float64 { return r.ThetaO },
			func(r plant.Result) float64 { return r.TauO },
			func(r plant.Result) float64 { return r.Instability },
		} {
			row = append(row, percent(p.Median(m)))
		}
		row = append(row,
			fmt.Sprintf("%.1f", p.Median(func(r plant.Result) float64 { return r.ActionsPerHour })),
			cost(p.Median(func(r plant.Result) float64 { return r.FirstHour.Cost })))
		w.row(row...)
	}
	w.line("")
}

// defaults shows what people get who leave the setting alone.
func (q *Quality) defaults(w *writer, c *Comparison) {
	w.line("### The settings people run\n")
	w.header("", "setting", "cost", "mean τ_U", "worst τ_U")
	for i := range c.Curves {
		con := &c.Curves[i].Contender
		if p, ok := c.Curves[i].At(con.Default); ok {
			w.row(con.Name, con.Format(con.Default), cost(p.Cost), percent(p.Under), percent(p.Worst))
		}
	}
	w.line("")
}

// asked shows what ours does at its default setting, workload by workload,
// beside HPA at its own.
func (q *Quality) asked(w *writer, c *Comparison) {
	ours, hpa := c.Curve(q.Ours), c.Curve(contender.HPA)
	if ours == nil || hpa == nil {
		return
	}
	us, ok := ours.At(ours.Contender.Default)
	them, okToo := hpa.At(hpa.Contender.Default)
	if !ok || !okToo {
		return
	}
	w.line("### %s at %s, beside HPA at %s\n", q.Ours, ours.Contender.Format(us.Setting), hpa.Contender.Format(them.Setting))
	w.header("", "τ_U", "cost", "actions per hour", "first hour", "HPA: τ_U", "cost", "actions per hour", "first hour")
	cells := func(r plant.Result) []string {
		return []string{percent(r.Under), cost(r.Cost), fmt.Sprintf("%.1f", r.ActionsPerHour), cost(r.FirstHour.Cost)}
	}
	for k, name := range q.Workloads {
		w.row(append(append([]string{name}, cells(us.Results[k])...), cells(them.Results[k])...)...)
	}
	actions := func(r plant.Result) float64 { return r.ActionsPerHour }
	w.row("median", "", "", fmt.Sprintf("%.1f", us.Median(actions)), "", "", "", fmt.Sprintf("%.1f", them.Median(actions)), "")
	w.line("")
}

// After is the delay as people write it: 60 s.
func (c *Comparison) After() string { return fmt.Sprintf("%.4g s", c.Delay.Seconds()) }

// Curve finds a contender's.
func (c *Comparison) Curve(name string) *sweep.Curve {
	for i := range c.Curves {
		if c.Curves[i].Contender.Name == name {
			return &c.Curves[i]
		}
	}
	return nil
}

func cost(v float64) string { return fmt.Sprintf("%.2f", v) }

func percent(share float64) string {
	switch p := 100 * share; {
	case p == float64(int(p)):
		return fmt.Sprintf("%.0f %%", p)
	case p < 0.1 && p > -0.1:
		return fmt.Sprintf("%.2f %%", p)
	default:
		return fmt.Sprintf("%.1f %%", p)
	}
}

func list(names []string) string {
	switch len(names) {
	case 0:
		return "none"
	case 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
