package objective

import (
	"math"
	"time"
)

// forecast is a way to say what usage will be.
type forecast int

const (
	// The highest usage of a time.
	heldNow forecast = iota
	held1m
	held2m
	held5m
	held10m
	// A line through the last minutes.
	line2m
	line5m
	// What was one season ago from that time on until a provisioning time
	// later: the most of it and of now; in the proportion of now to then;
	// shifted by the difference of now to then; halfway to now; alone.
	seasonMost
	seasonScaled
	seasonShifted
	seasonHalf
	seasonAlone
	forecasts
)

// String names the forecast, without the season.
func (f forecast) String() string {
	return [forecasts]string{
		"usage now", "highest of 1m", "highest of 2m", "highest of 5m", "highest of 10m",
		"line through 2m", "line through 5m",
		"season, at least usage now", "season, scaled to now", "season, shifted to now", "season and now, halfway", "season",
	}[f]
}

// margin is what a margin grows with.
type margin int

const (
	// marginFixed is the same at any usage.
	marginFixed margin = iota
	// marginRoot grows with the square root of the forecast, as the noise of
	// many independent requests does.
	marginRoot
	// marginShare is a share of the forecast.
	marginShare
	// marginRange5m and marginRange20m are multiples of how far usage went up
	// and down lately.
	marginRange5m
	marginRange20m
	// marginRootRange20m is between that and a fixed one.
	marginRootRange20m
	margins
)

// String names the margin.
func (m margin) String() string {
	return [margins]string{"fixed", "root of the forecast", "share of the forecast", "range of 5m", "range of 20m", "root of the range of 20m"}[m]
}

// features are what the candidates are made of at one tick, in replicas.
type features struct {
	Forecast          [forecasts]float32
	Range5m, Range20m float32
}

const (
	leastForecast = 0.25
	leastRange    = 0.5
)

// scale is what the margin of f is a multiple of; above 0.
func (x *features) scale(f *form) float64 {
	b := float64(max(x.Forecast[f.forecast], leastForecast))
	switch f.margin {
	case marginFixed:
		return 1
	case marginRoot:
		return math.Sqrt(b)
	case marginShare:
		return b
	case marginRange5m:
		return float64(max(x.Range5m, leastRange))
	case marginRange20m:
		return float64(max(x.Range20m, leastRange))
	case marginRootRange20m:
		return math.Sqrt(float64(max(x.Range20m, leastRange)))
	}
	panic("no such margin")
}

func (l *Learner) features(at time.Time, u float64) features {
	var x features
	r := &l.recent
	high, low := float32(u), float32(u)
	for k, i := 0, r.next; k < r.n; k++ {
		if i--; i < 0 {
			i += len(r.values)
		}
		v := r.values[i]
		high, low = max(high, v), min(low, v)
		if k <= r.m1 {
			x.Forecast[held1m] = high
		}
		if k <= r.m2 {
			x.Forecast[held2m] = high
		}
		if k <= r.m5 {
			x.Forecast[held5m], x.Range5m = high, high-low
		}
		if k <= r.m10 {
			x.Forecast[held10m] = high
		}
	}
	x.Range20m = high - low
	x.Forecast[heldNow] = float32(u)
	x.Forecast[line2m] = float32(r.line(r.m2, l.horizon, u))
	x.Forecast[line5m] = float32(r.line(r.m5, l.horizon, u))
	l.seasonal(&x, at, u)
	return x
}

// seasonal fills in the forecasts by what was one season ago; where that is
// not known, they are the present usage.
func (l *Learner) seasonal(x *features, at time.Time, u float64) {
	then, ahead, ok := l.season.ago(at, time.Duration(l.horizon)*l.tick)
	if !ok {
		then, ahead = u, u
	}
	// The half replica keeps the proportion of two small numbers sane.
	x.Forecast[seasonScaled] = float32(ahead * (u + 0.5) / (then + 0.5))
	x.Forecast[seasonMost] = float32(max(ahead, u))
	x.Forecast[seasonShifted] = float32(max(0, u+ahead-then))
	x.Forecast[seasonHalf] = float32((u + ahead) / 2)
	x.Forecast[seasonAlone] = float32(ahead)
}
