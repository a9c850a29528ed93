package sweep_test

import (
	"math"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/contender"
	"github.com/alertscaler/alertscaler/testdata/compare/sweep"
)

// constant always has so many replicas.
var constant = contender.Contender{
	Name: "constant", Settings: []contender.Setting{{Value: 1}, {Value: 2}, {Value: 4}, {Value: 8}},
	New: func(s contender.Setting, _ time.Duration) plant.Controller {
		return plant.ControllerFunc(func(plant.Signal) int { return int(s.Value) })
	},
}

func TestTheCheapestSettingWithinTheLimitCounts(t *testing.T) {
	var demands []plant.Demand
	// Needs 2 and 4 half of the time each; needs 1 and 2.
	for _, values := range [][]float64{{2, 2, 2, 4, 4, 4}, {1, 1, 1, 2, 2, 2}} {
		d, err := plant.NewDemand("steps", 5*time.Second, values)
		if err != nil {
			t.Fatal(err)
		}
		demands = append(demands, d)
	}
	curve := sweep.Run([]contender.Contender{constant}, demands, plant.Options{WarmUp: -1})[0]
	for _, c := range []struct {
		limit, setting, under float64
	}{{0, 4, 0}, {0.24, 4, 0}, {0.25, 2, 0.25}, {1, 1, 0.75}} {
		p, ok := curve.Best(c.limit)
		if !ok || p.Setting.Value != c.setting || p.Under != c.under {
			t.Errorf("limit %v: setting %v with τ_U %v, want %v with %v", c.limit, p.Setting.Value, p.Under, c.setting, c.under)
		}
		if want := c.setting / math.Sqrt(3*1.5); math.Abs(p.Cost-want) > 1e-9 {
			t.Errorf("limit %v: cost %v, want the geometric mean %v", c.limit, p.Cost, want)
		}
	}
	curve.Points = curve.Points[:2]
	if p, ok := curve.Best(0.1); ok {
		t.Errorf("setting %v is within 10 %%", p.Setting)
	}
	if p, ok := curve.At(contender.Setting{Value: 2}); !ok || p.Worst != 0.5 {
		t.Errorf("the worst of setting 2 is %v", p.Worst)
	}
}

func TestMedian(t *testing.T) {
	p := sweep.Point{Results: []plant.Result{{Lost: 5}, {Lost: 1}, {Lost: 2}}}
	lost := func(r plant.Result) float64 { return r.Lost }
	if m := p.Median(lost); m != 2 {
		t.Errorf("of three: %v", m)
	}
	p.Results = append(p.Results, plant.Result{Lost: 3})
	if m := p.Median(lost); m != 2.5 {
		t.Errorf("of four: %v", m)
	}
}
