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
	held5m
	held15m
	held1h
	// A line through the last two minutes.
	line
	// A sum of usage now and before, weighted as it was right for the last day.
	linear
	// What was one season ago from that time on until a provisioning time
	// later: the most of it and of now; shifted by the difference of now to
	// then; alone.
	seasonMost
	seasonShifted
	seasonAlone
	forecasts
)

// String names the forecast, without the season.
func (f forecast) String() string {
	return [forecasts]string{
		"usage now", "highest of 1m", "highest of 5m", "highest of 15m", "highest of 1h",
		"line through 2m", "linear model of the last day",
		"season, at least usage now", "season, shifted to now", "season",
	}[f]
}

// seasonal forecasts count only where a season is known.
func (f forecast) seasonal() bool { return f >= seasonMost }

// held are the forecasts that are the highest usage of a time.
var held = [...]struct {
	forecast forecast
	of       time.Duration
}{{held1m, time.Minute}, {held5m, 5 * time.Minute}, {held15m, 15 * time.Minute}, {held1h, time.Hour}}

const (
	lineOver = 2 * time.Minute
	// riseOver is the time of which the largest rise counts.
	riseOver = 20 * time.Minute
	// mostTimes is by how much forecasts and answers may exceed what the highest
	// usage that is remembered needed: no trend goes on for ever, and a margin that
	// was learnt in a calm is no measure in a storm.
	mostTimes = 2
)

// forecast says what each forecast is at a usage u of now, in replicas. A higher
// usage never leads to a lower forecast.
func (l *Learner) forecast(d *decision, at time.Time, u float64) {
	r := &l.recent
	d.Forecast[heldNow] = float32(u)
	r.highest(l.held[:], u, func(i int, high float32) { d.Forecast[held[i].forecast] = high })
	d.Forecast[line] = float32(r.line(l.ticks(lineOver), l.horizon, u))
	d.Rise = float32(r.rise(l.ticks(riseOver), l.horizon, u))

	then, ahead, ok := l.season.ago(at, time.Duration(l.horizon)*l.tick)
	d.Inputs = inputs{}
	switch {
	case ok || !l.season.known():
		d.Inputs = inputs{1, float32(u), float32(r.before(l.ticks(time.Minute), u)), float32(r.before(l.ticks(5*time.Minute), u)), d.Forecast[held5m], float32(then), float32(ahead)}
		d.Forecast[linear] = float32(max(0, l.regression.predict(&d.Inputs)))
	default:
		d.Forecast[linear] = float32(u)
	}
	if !ok {
		then, ahead = u, u
	}
	d.Forecast[seasonMost] = float32(max(ahead, u))
	d.Forecast[seasonShifted] = float32(max(0, u+ahead-then))
	d.Forecast[seasonAlone] = float32(ahead)

	d.Most = mostTimes * float32(math.Ceil(max(u, l.season.most)/l.size)*l.size)
	for f := range d.Forecast {
		d.Forecast[f] = min(d.Forecast[f], d.Most)
		d.Root[f] = float32(math.Sqrt(float64(max(d.Forecast[f], leastForecast))))
	}
}

// ticks of a time, at least one.
func (l *Learner) ticks(d time.Duration) int { return max(1, int((d+l.tick/2)/l.tick)) }
