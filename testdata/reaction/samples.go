package main

import (
	"math"
	"slices"
)

// Setup is one arrangement whose reaction is measured.
type Setup struct {
	// Name is what tables and plots call it.
	Name string `json:"name"`
	// Scrape and Rules are how often is scraped and the rules are evaluated, in
	// seconds.
	Scrape float64 `json:"scrape"`
	Rules  float64 `json:"rules"`
	// Parts has sums and alerts in groups of their own.
	Parts bool `json:"parts,omitempty"`
}

// Sample is what happened after one step of the load, in seconds after it.
type Sample struct {
	// Scraped is when the first scrape after it was answered.
	Scraped float64 `json:"scraped"`
	// Evaluated is the first evaluation of the usage after that scrape: nothing
	// that goes by alerts can act before it.
	Evaluated float64 `json:"evaluated"`
	// Alerted is the first evaluation at which ScaleUp fired.
	Alerted float64 `json:"alerted"`
	// Alertscaler and HPA are when the last replica needed was ready.
	Alertscaler float64 `json:"alertscaler"`
	HPA         float64 `json:"hpa"`
}

// Measured is a setup with all its samples.
type Measured struct {
	Setup   Setup    `json:"setup"`
	Samples []Sample `json:"samples"`
}

// hpaSync is the default of --horizontal-pod-autoscaler-sync-period, in seconds.
const hpaSync = 15

// LimitMedian is the median, and the mean, of the wait for a scrape and then for
// an evaluation, each at a phase of its own: the sum of two even distributions is
// symmetric about the sum of their means.
func (s Setup) LimitMedian() float64 { return (s.Scrape + s.Rules) / 2 }

// LimitWorst is just after a scrape, and that just after an evaluation.
func (s Setup) LimitWorst() float64 { return s.Scrape + s.Rules }

// HPAMedian and HPAWorst are the same of a scrape and the controller's period.
func (s Setup) HPAMedian() float64 { return (s.Scrape + hpaSync) / 2 }
func (s Setup) HPAWorst() float64  { return s.Scrape + hpaSync }

// of returns one figure of all samples.
func (m Measured) of(figure func(Sample) float64) Figures {
	all := make(Figures, 0, len(m.Samples))
	for _, s := range m.Samples {
		all = append(all, figure(s))
	}
	return sorted(all)
}

// What the fields of a sample are, of all samples.
func (m Measured) Scraped() Figures { return m.of(func(s Sample) float64 { return s.Scraped }) }

func (m Measured) Evaluated() Figures   { return m.of(func(s Sample) float64 { return s.Evaluated }) }
func (m Measured) Alerted() Figures     { return m.of(func(s Sample) float64 { return s.Alerted }) }
func (m Measured) Alertscaler() Figures { return m.of(func(s Sample) float64 { return s.Alertscaler }) }
func (m Measured) HPA() Figures         { return m.of(func(s Sample) float64 { return s.HPA }) }

// ToEvaluation is from the scrape to the evaluation, ToAlert from that to the one
// at which ScaleUp fired, and ToReady from there to the last replica.
func (m Measured) ToEvaluation() Figures {
	return m.of(func(s Sample) float64 { return s.Evaluated - s.Scraped })
}

func (m Measured) ToAlert() Figures {
	return m.of(func(s Sample) float64 { return s.Alerted - s.Evaluated })
}

func (m Measured) ToReady() Figures {
	return m.of(func(s Sample) float64 { return s.Alertscaler - s.Alerted })
}

// Figures are measurements in ascending order.
type Figures []float64

func sorted(f Figures) Figures {
	slices.Sort(f)
	return f
}

// Median is the middle one, or the mean of the two in the middle; NaN of none.
func (f Figures) Median() float64 {
	n := len(f)
	if n == 0 {
		return math.NaN()
	}
	return (f[(n-1)/2] + f[n/2]) / 2
}

// Mean is NaN of none.
func (f Figures) Mean() float64 {
	sum := 0.0
	for _, x := range f {
		sum += x
	}
	return sum / float64(len(f))
}

// Worst is the largest; NaN of none.
func (f Figures) Worst() float64 {
	if len(f) == 0 {
		return math.NaN()
	}
	return f[len(f)-1]
}

// Indistinct is how far apart, in seconds, two medians of so many steps may be by
// the phases of the steps alone.
func (m Measured) Indistinct() float64 {
	return 2 * max(m.Setup.Scrape, m.Setup.Rules) / math.Sqrt(float64(len(m.Samples)))
}

// Ahead is the share of the steps at which Alertscaler was ready before HPA.
func (m Measured) Ahead() float64 {
	n := 0.0
	for _, s := range m.Samples {
		if s.Alertscaler < s.HPA {
			n++
		}
	}
	return n / float64(len(m.Samples))
}
