package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/simulate"
	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
)

// simulation is the report of simulate, as it is printed for programs.
type simulation struct {
	Policy string `json:"policy"`
	// Resource whose usage is played, as it came from Input: a file or a
	// Prometheus.
	Resource      string     `json:"resource"`
	Input         string     `json:"input"`
	From          *time.Time `json:"from,omitempty"`
	To            *time.Time `json:"to,omitempty"`
	Samples       int        `json:"samples"`
	SampleSeconds float64    `json:"sample_seconds"`
	// Played has one entry for each configuration.
	Played []playedReport `json:"played"`
	// Clairvoyant is the cheapest that is never under capacity, of the first
	// configuration.
	Clairvoyant measures `json:"clairvoyant"`
	Notes       []string `json:"notes"`
}

type playedReport struct {
	ConfigFile          string  `json:"config_file"`
	Min                 int     `json:"min"`
	Max                 int     `json:"max"`
	CapacityPerReplica  float64 `json:"capacity_per_replica"`
	EvaluationSeconds   float64 `json:"evaluation_interval_seconds"`
	ProvisioningSeconds float64 `json:"provisioning_seconds"`
	// ShortagePrice is that of the objective of what is played, 0 where there
	// is none.
	ShortagePrice float64 `json:"shortage_price,omitempty"`
	// MeanDemand and PeakDemand are in replicas.
	MeanDemand float64  `json:"mean_demand_replicas"`
	PeakDemand float64  `json:"peak_demand_replicas"`
	Measures   measures `json:"measures"`
	Notes      []string `json:"notes"`
}

// measures are shares, and not percent.
type measures struct {
	CountedSeconds float64 `json:"counted_seconds"`
	TauU           float64 `json:"tau_u"`
	LostDemand     float64 `json:"lost_demand_ratio"`
	ReplicaHours   float64 `json:"replica_hours"`
	NeedHours      float64 `json:"need_hours"`
	MissingHours   float64 `json:"missing_replica_hours"`
	CostRatio      float64 `json:"cost_ratio"`
	// Cost is in the money of cost_per_hour; nil where there is none.
	Cost           *float64        `json:"cost,omitempty"`
	ActionsPerHour float64         `json:"actions_per_hour"`
	ThetaU         float64         `json:"theta_u"`
	ThetaO         float64         `json:"theta_o"`
	TauO           float64         `json:"tau_o"`
	Instability    float64         `json:"instability"`
	FirstHour      firstHourReport `json:"first_hour"`
}

type firstHourReport struct {
	TauU      float64 `json:"tau_u"`
	CostRatio float64 `json:"cost_ratio"`
}

func measuresOf(r *plant.Result, cost *float64) measures {
	return measures{
		CountedSeconds: r.Counted.Seconds(),
		TauU:           r.Under, LostDemand: r.Lost,
		ReplicaHours: r.ReplicaHours, NeedHours: r.NeedHours, MissingHours: r.MissingHours, CostRatio: r.Cost, Cost: cost,
		ActionsPerHour: r.ActionsPerHour,
		ThetaU:         r.ThetaU, ThetaO: r.ThetaO, TauO: r.TauO, Instability: r.Instability,
		FirstHour: firstHourReport{TauU: r.FirstHour.Under, CostRatio: r.FirstHour.Cost},
	}
}

// fill adds what was played, the first file's configuration first.
func (s *simulation) fill(files []string, played []*simulate.Played) {
	s.Resource = played[0].Policy.Resources[0].Name
	for i, p := range played {
		one := playedReport{
			ShortagePrice: max(p.Policy.Resources[0].Reservation.Objective.ShortagePrice, p.Policy.Reservation.Objective.ShortagePrice),
			ConfigFile:    files[i], Min: p.Policy.Min, Max: p.Policy.Max, CapacityPerReplica: p.Capacity,
			EvaluationSeconds: p.Interval.Seconds(), ProvisioningSeconds: p.Provisioning.Seconds(),
			PeakDemand: slices.Max(p.Demand.Values),
			Measures:   measuresOf(&p.Result, p.Money(p.ReplicaHours)),
			Notes:      append([]string{}, p.Notes...),
		}
		for _, v := range p.Demand.Values {
			one.MeanDemand += v / float64(len(p.Demand.Values))
		}
		ours, theirs := played[0].Policy.Resources[0], p.Policy.Resources[0]
		if theirs.Name != ours.Name || theirs.Usage.Present != ours.Usage.Present {
			one.Notes = append(one.Notes, fmt.Sprintf("its usage of %s is played as that of %s of the first configuration", theirs.Name, ours.Name))
		}
		s.Played = append(s.Played, one)
	}
	best := played[0].Clairvoyant()
	s.Clairvoyant = measuresOf(&best, played[0].Money(best.ReplicaHours))
	s.Notes = append([]string{}, s.Notes...)
	if best.Under > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("the bounds, %d..%d, leave it under capacity %s of the time whatever decides", played[0].Policy.Min, played[0].Policy.Max, percent(best.Under)))
	}
	if !samePlant(played) {
		s.Notes = append(s.Notes, "the configurations differ in bounds, capacity or provisioning time; the clairvoyant has those of the first")
	}
}

// print writes the report for people.
func (s *simulation) print(to io.Writer) error {
	first := &s.Played[0]
	fmt.Fprintf(to, "Policy %s, %s of usage of %s from %s", s.Policy, span(s.SampleSeconds*float64(s.Samples)), s.Resource, oneLine(s.Input))
	if s.From != nil {
		fmt.Fprintf(to, ", from %s to %s", instant(*s.From), instant(*s.To))
	}
	fmt.Fprintf(to, ".\nDemand is %s replicas on average and %s at most.\n\n", number(first.MeanDemand), number(first.PeakDemand))

	columns := make([]measures, 0, len(s.Played)+1)
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	row := func(name string, cells ...string) {
		fmt.Fprintln(w, name+"\t"+strings.Join(cells, "\t"))
	}
	var names, plants []string
	for i := range s.Played {
		p := &s.Played[i]
		columns = append(columns, p.Measures)
		names = append(names, oneLine(p.ConfigFile))
		plants = append(plants, fmt.Sprintf("%d..%d of %s, ready in %s", p.Min, p.Max, number(p.CapacityPerReplica), span(p.ProvisioningSeconds)))
	}
	columns = append(columns, s.Clairvoyant)
	row("", append(names, "CLAIRVOYANT")...)
	row("replicas", append(plants, "never under, where they allow it")...)
	priced := slices.ContainsFunc(columns, func(m measures) bool { return m.Cost != nil })
	for _, l := range []struct {
		name string
		cell func(m *measures) string
		skip bool
	}{
		{"time under capacity (τ_U)", func(m *measures) string { return percent(m.TauU) }, false},
		{"lost demand", func(m *measures) string { return percent(m.LostDemand) }, false},
		{"replica-hours", func(m *measures) string { return fmt.Sprintf("%.1f", m.ReplicaHours) }, false},
		{"cost ÷ need", func(m *measures) string { return fmt.Sprintf("%.3f", m.CostRatio) }, false},
		{"cost", func(m *measures) string { return money(m.Cost) }, !priced},
		{"actions an hour", func(m *measures) string { return fmt.Sprintf("%.2f", m.ActionsPerHour) }, false},
		{"too few, of need (θ_U)", func(m *measures) string { return percent(m.ThetaU) }, false},
		{"too many, of need (θ_O)", func(m *measures) string { return percent(m.ThetaO) }, false},
		{"time with too many (τ_O)", func(m *measures) string { return percent(m.TauO) }, false},
		{"instability (υ)", func(m *measures) string { return percent(m.Instability) }, false},
		{"first hour: under capacity", func(m *measures) string { return percent(m.FirstHour.TauU) }, false},
		{"first hour: cost ÷ need", func(m *measures) string { return fmt.Sprintf("%.3f", m.FirstHour.CostRatio) }, false},
	} {
		if l.skip {
			continue
		}
		cells := make([]string, 0, len(columns))
		for i := range columns {
			cells = append(cells, l.cell(&columns[i]))
		}
		row(l.name, cells...)
		if l.name != "replica-hours" {
			continue
		}
		for _, price := range s.prices() {
			cells = cells[:0]
			for i := range columns {
				cells = append(cells, fmt.Sprintf("%.1f", columns[i].ReplicaHours+price*columns[i].MissingHours))
			}
			row("… with missing ones at "+number(price), cells...)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	s.printNotes(to)
	return nil
}

// prices are those at which what is missing is asked for, each once.
func (s *simulation) prices() []float64 {
	var all []float64
	for i := range s.Played {
		if price := s.Played[i].ShortagePrice; price > 0 && !slices.Contains(all, price) {
			all = append(all, price)
		}
	}
	return all
}

// printNotes writes once what all configurations have in common.
func (s *simulation) printNotes(to io.Writer) {
	notes := slices.Clone(s.Notes)
	if counted, all := s.Played[0].Measures.CountedSeconds, s.SampleSeconds*float64(s.Samples); all-counted > 60 {
		notes = append(notes, fmt.Sprintf("the first %s are a warm-up and not counted", span(all-counted)))
	}
	for i := range s.Played {
		for _, n := range s.Played[i].Notes {
			everywhere := !slices.ContainsFunc(s.Played, func(p playedReport) bool { return !slices.Contains(p.Notes, n) })
			switch {
			case !everywhere:
				notes = append(notes, s.Played[i].ConfigFile+": "+n)
			case i == 0:
				notes = append(notes, n)
			}
		}
	}
	if len(notes) > 0 {
		fmt.Fprintln(to)
	}
	for _, n := range notes {
		fmt.Fprintln(to, "Note: "+oneLine(n)+".")
	}
}

// span is so many seconds as Prometheus writes durations.
func span(seconds float64) string {
	return model.Duration(time.Duration(seconds * float64(time.Second)).Round(time.Second)).String()
}

// number has four digits, or all that are before the point.
func number(v float64) string {
	if v >= 1000 && v < 1e15 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

func percent(share float64) string { return fmt.Sprintf("%.2f %%", 100*share) }

func money(amount *float64) string {
	if amount == nil {
		return "not known"
	}
	return strconv.FormatFloat(*amount, 'f', 2, 64)
}
