package usage

import (
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// Twice as many series that are there twice take about twice as long.
func TestDoubledSeriesAreFoundInLinearTime(t *testing.T) {
	doubled := func(n int) model.Vector {
		v := make(model.Vector, 0, 2*n)
		for range 2 {
			for i := range n {
				v = append(v, &model.Sample{Metric: model.Metric{labelTarget: model.LabelValue(strconv.Itoa(i)), labelResource: "cpu"}, Value: 1})
			}
		}
		return v
	}
	const n = 1500
	small, large := doubled(n), doubled(2*n)
	// The least of several is what a busy machine disturbs least.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	best := func(v model.Vector) time.Duration {
		least := time.Hour
		for range 9 {
			runtime.GC()
			begin := realtest.CPUTime(t)
			all, err := tabulate(v, nil)
			least = min(least, realtest.CPUTime(t)-begin)
			if err != nil || len(all) != len(v)/2 {
				t.Fatalf("%d keys, %v", len(all), err)
			}
			for k, s := range all {
				if s.n != 2 || keyOf(s.twins[0]) != k || keyOf(s.twins[1]) != k {
					t.Fatalf("%v: %+v", k, s)
				}
			}
		}
		return least
	}
	best(small) // whatever is done only once
	for try := 1; ; try++ {
		one, two := best(small), best(large)
		ratio := float64(two) / float64(one)
		if ratio <= 2.6 {
			return
		}
		if try == 5 {
			t.Fatalf("%d doubled series take %s and %d take %s: %.1f times as long", n, one, 2*n, two, ratio)
		}
	}
}
