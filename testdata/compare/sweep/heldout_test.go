package sweep_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/contender"
	"github.com/alertscaler/alertscaler/testdata/compare/sweep"
)

func TestGroups(t *testing.T) {
	if diff := cmp.Diff([][]int{{0, 2}, {1}}, sweep.Groups([]string{"web", "game", "web"})); diff != "" {
		t.Error(diff)
	}
}

// Two domains, of which one needs more than the other: what is chosen on the
// easy one is too little for the hard one, and the other way round too much.
func TestHeldOutChoosesOnTheOthers(t *testing.T) {
	result := func(under, cost float64) plant.Result {
		return plant.Result{Part: plant.Part{Under: under, Cost: cost}}
	}
	var c sweep.Curve
	for i, results := range [][]plant.Result{
		{result(0.01, 1), result(0.01, 1), result(0.2, 1)},
		{result(0, 2), result(0, 2), result(0.05, 2)},
		{result(0, 4), result(0, 4), result(0.01, 4)},
	} {
		c.Points = append(c.Points, sweep.NewPoint(contender.Setting{Value: float64(i)}, results))
	}
	groups := [][]int{{0, 1}, {2}}
	held := c.HeldOut(groups, sweep.Time, []float64{0.005, 0.01, 0.05})
	if len(held.Points) != 2 {
		t.Fatalf("%d limits are kept to, want 2: nothing keeps the hard domain within 0.5 %%", len(held.Points))
	}
	for i, want := range []struct{ limit, under, cost float64 }{
		{0.01, 0.2 / 3, math.Cbrt(4 * 4 * 1)}, // dear for the easy, poor for the hard
		{0.05, 0.2 / 3, math.Cbrt(2 * 2 * 1)},
	} {
		p := held.Points[i]
		if p.Setting.Value != want.limit || math.Abs(p.Under-want.under) > 1e-9 || math.Abs(p.Cost-want.cost) > 1e-9 {
			t.Errorf("%+v, want %+v", p, want)
		}
	}
}
