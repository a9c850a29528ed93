// Package sweep tries every setting of every contender on every workload.
package sweep

import (
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/contender"
)

// Point is one setting on all workloads.
type Point struct {
	Setting contender.Setting
	// Results in the order of the workloads.
	Results []plant.Result
	// Under is the mean share of time under capacity over the workloads, and
	// Worst the highest.
	Under, Worst float64
	// Lost is the mean share of demand that found no capacity.
	Lost float64
	// Cost is the geometric mean.
	Cost float64
	// logs is the sum of their logarithms.
	logs float64
}

// Curve is all settings of one contender at one delay.
type Curve struct {
	Contender contender.Contender
	Points    []Point
}

// Run tries all contenders at one delay, on every processor.
func Run(contenders []contender.Contender, demands []plant.Demand, o plant.Options) []Curve {
	curves := make([]Curve, len(contenders))
	var jobs []func()
	for i, c := range contenders {
		curves[i] = Curve{Contender: c, Points: make([]Point, len(c.Settings))}
		for j, setting := range c.Settings {
			p := &curves[i].Points[j]
			p.Setting, p.Results = setting, make([]plant.Result, len(demands))
			for k := range demands {
				jobs = append(jobs, func() {
					o := o
					o.Interval = c.Interval
					p.Results[k] = plant.Run(demands[k], c.New(setting, o.Delay), o)
				})
			}
		}
	}
	inParallel(jobs)
	for i := range curves {
		for j := range curves[i].Points {
			curves[i].Points[j].sumUp()
		}
	}
	return curves
}

// Optimum is the point of a clairvoyant that is never under capacity.
func Optimum(demands []plant.Demand, rules plant.Options) Point {
	p := Point{Results: make([]plant.Result, len(demands))}
	for i, d := range demands {
		p.Results[i] = plant.Optimum(d, rules)
	}
	p.sumUp()
	return p
}

func inParallel(jobs []func()) {
	next := make(chan func())
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for job := range next {
				job()
			}
		})
	}
	for _, job := range jobs {
		next <- job
	}
	close(next)
	workers.Wait()
}

// NewPoint sums up the results of a setting.
func NewPoint(setting contender.Setting, results []plant.Result) Point {
	p := Point{Setting: setting, Results: results}
	p.sumUp()
	return p
}

func (p *Point) sumUp() {
	n := float64(len(p.Results))
	for _, r := range p.Results {
		p.Under += r.Under / n
		p.Worst = max(p.Worst, r.Under)
		p.Lost += r.Lost / n
		p.logs += math.Log(r.Cost)
	}
	p.Cost = math.Exp(p.logs / n)
}

// Best is the cheapest setting whose mean share of time under capacity is
// within the limit; false where none is.
func (c *Curve) Best(limit float64) (Point, bool) {
	best, found := Point{}, false
	for _, p := range c.Points {
		if p.Under <= limit && (!found || p.Cost < best.Cost) {
			best, found = p, true
		}
	}
	return best, found
}

// At is the point of one setting.
func (c *Curve) At(setting contender.Setting) (Point, bool) {
	for _, p := range c.Points {
		if p.Setting == setting {
			return p, true
		}
	}
	return Point{}, false
}

// Median of what a measure says of the workloads.
func (p *Point) Median(measure func(plant.Result) float64) float64 {
	values := make([]float64, len(p.Results))
	for i, r := range p.Results {
		values[i] = measure(r)
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
