package sweep_test

import (
	"math"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/contender"
	"github.com/alertscaler/alertscaler/testdata/compare/sweep"
)

func curveOf(lostAndCost ...[2]float64) sweep.Curve {
	var c sweep.Curve
	for _, v := range lostAndCost {
		r := plant.Result{Lost: v[0], Part: plant.Part{Cost: v[1]}}
		c.Points = append(c.Points, sweep.NewPoint(contender.Setting{}, []plant.Result{r}))
	}
	return c
}

func TestTheFrontierLeavesOutWhatAnotherSettingBeats(t *testing.T) {
	c := curveOf([2]float64{0.04, 1}, [2]float64{0.01, 4}, [2]float64{0.02, 4.5}, [2]float64{0.01, 5}, [2]float64{0.03, 2})
	for name, f := range map[string]sweep.Frontier{"means": c.Frontier(sweep.Demand), "a workload": c.FrontierOn(0, sweep.Demand)} {
		for _, want := range []struct {
			shortage, cost float64
			reached        bool
		}{
			{0.005, 4, false}, // dearer is not known
			{0.01, 4, true},
			{0.02, 3, true}, // half way to the next
			{0.03, 2, true},
			{0.0325, 1.75, true},
			{0.5, 1, true},
		} {
			cost, reached := f.At(want.shortage)
			if math.Abs(cost-want.cost) > 1e-12 || reached != want.reached {
				t.Errorf("%s: at %v cost %v (%v), want %v (%v)", name, want.shortage, cost, reached, want.cost, want.reached)
			}
		}
	}
	if _, reached := (sweep.Frontier{}).At(1); reached {
		t.Error("a frontier of nothing reaches 1")
	}
}
