package report

import (
	"fmt"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/contender"
	"github.com/alertscaler/alertscaler/testdata/compare/sweep"
)

// beside is ours on one workload at HPA's own shortage there.
type beside struct {
	// ratio is our cost ÷ HPA's.
	ratio float64
	// reached is false where all our settings lose more than HPA does; the
	// ratio is that of the one that loses the least then.
	reached bool
}

func besideHPA(ours *sweep.Curve, workload int, hpa plant.Result) beside {
	us, reached := ours.FrontierOn(workload, sweep.Demand).At(sweep.Demand.Of(hpa))
	return beside{us / hpa.Cost, reached}
}

func (b beside) String() string {
	if b.reached {
		return cost(b.ratio)
	}
	return cost(b.ratio) + "†"
}

// each is workload by workload.
func (q *Quality) each(w *writer, c *Comparison) {
	learnt, levels := c.learnt(), q.levels(c)
	if len(learnt) == 0 {
		return
	}
	w.line("### Workload by workload, at HPA's own shortage there\n")
	w.line("HPA's cost, the demand that it loses on that workload, and the optimum's cost with as much; then our cost ÷ HPA's with as much lost demand on that workload (below 1 we are cheaper), on the line between the two settings beside it. † All our settings that were tried lose more than HPA does there; the figure is of the one that loses the least.\n")
	for _, l := range levels {
		w.line("HPA %s, %s:\n", l.name, c.Curve(contender.HPA).Contender.Format(l.point.Setting))
		head := []string{"", "HPA: cost", "τ_U", "lost", "optimum ÷ HPA"}
		for _, curve := range learnt {
			head = append(head, curve.Contender.Name+" ÷ HPA")
		}
		w.header(head...)
		worst := make([]beside, len(learnt))
		for k, t := range q.Traces {
			r := l.point.Results[k]
			best, _ := c.Allowance.On(k, sweep.Demand).At(r.Lost)
			row := []string{t.Name, cost(r.Cost), percent(r.Under), percent(r.Lost), cost(best / r.Cost)}
			for i, curve := range learnt {
				b := besideHPA(curve, k, r)
				row = append(row, b.String())
				if b.ratio > worst[i].ratio {
					worst[i] = b
				}
			}
			w.row(row...)
		}
		row := []string{"worst", "", "", "", ""}
		for _, b := range worst {
			row = append(row, b.String())
		}
		w.row(row...)
		w.line("")
	}
}

// asRun shows what people get who leave the setting alone.
func (q *Quality) asRun(w *writer, c *Comparison) {
	w.line("### The settings people run\n")
	w.header("", "setting", "cost", "mean τ_U", "worst τ_U", "mean lost demand")
	for i := range c.Curves {
		con := &c.Curves[i].Contender
		if p, ok := c.Curves[i].At(con.Default); ok {
			w.row(con.Name, con.Format(con.Default), cost(p.Cost), percent(p.Under), percent(p.Worst), percent(p.Lost))
		}
	}
	w.line("")
	hpa := c.Curve(contender.HPA)
	them, ok := hpa.At(hpa.Contender.Default)
	if !ok {
		return
	}
	w.line("Workload by workload, HPA's and ours. The first hour is counted from the very beginning, when nothing is known.\n")
	head, points := []string{""}, []sweep.Point{them}
	name := func(n string) {
		head = append(head, n+": τ_U", "lost", "cost", "actions per hour", "first hour: τ_U", "cost")
	}
	name("HPA")
	for _, curve := range c.learnt() {
		if p, ok := curve.At(curve.Contender.Default); ok {
			name(curve.Contender.Name)
			points = append(points, p)
		}
	}
	w.header(head...)
	for k, t := range q.Traces {
		row := []string{t.Name}
		for _, p := range points {
			r := p.Results[k]
			row = append(row, percent(r.Under), percent(r.Lost), cost(r.Cost), fmt.Sprintf("%.1f", r.ActionsPerHour), percent(r.FirstHour.Under), cost(r.FirstHour.Cost))
		}
		w.row(row...)
	}
	w.line("")
}

// cutOff shows the same where the signal is.
func (q *Quality) cutOff(w *writer, c *Comparison) {
	hpa := curveNamed(c.CutOff, contender.HPA)
	if hpa == nil {
		return
	}
	w.line("### With the signal cut off at capacity\n")
	w.line("As CPU usage is: nobody sees more than what the ready replicas can serve. τ_U is counted by the true demand all the same. HPA with its default window and tolerance, at the cheapest target that has no more mean τ_U than ours.\n")
	for i := range c.CutOff {
		curve := &c.CutOff[i]
		us, ok := curve.At(curve.Contender.Default)
		if !ok || !curve.Contender.Learns {
			continue
		}
		w.line("%s at %s:\n", curve.Contender.Name, curve.Contender.Format(us.Setting))
		them, ok := hpa.Best(us.Under)
		if !ok {
			w.line("HPA has no target that keeps mean τ_U within ours, %s.\n", percent(us.Under))
			continue
		}
		w.header("", "τ_U", "cost", "HPA at "+hpa.Contender.Format(them.Setting)+": τ_U", "cost")
		for k, t := range q.Traces {
			a, b := us.Results[k], them.Results[k]
			w.row(t.Name, percent(a.Under), cost(a.Cost), percent(b.Under), cost(b.Cost))
		}
		w.row("mean", percent(us.Under), cost(us.Cost), percent(them.Under), cost(them.Cost))
		w.line("")
	}
}
