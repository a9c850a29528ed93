package objective

import (
	"math"
	"time"
)

// Reading is what a learner says is to be kept free, and why.
type Reading struct {
	// Free is what must stay free beside the present usage, in the resource's
	// unit; at least 0.
	Free float64 `json:"free"`
	// Expected is what usage is forecast to be, in the resource's unit, by all
	// forecasts together, and Forecast names the one that counts the most.
	Forecast string  `json:"forecast"`
	Expected float64 `json:"expected"`
	// Season is after what time usage was found to repeat itself; 0: none is
	// known.
	Season time.Duration `json:"season,omitempty"`
	// Added is what all margins together amount to, in the resource's unit; it
	// may be negative, where the forecasts are more than is needed. Margin names
	// what the margin on Forecast grows with, and Weight is the share that this
	// forecast with this margin has in Expected and Added, from 0 to 1.
	Margin string  `json:"margin"`
	Added  float64 `json:"added"`
	Weight float64 `json:"weight,omitempty"`
	// Observations is how many samples were learnt from, and Aimed how often
	// margins may be too small: with a share as the goal so that Realised
	// becomes what that leaves.
	Observations int64   `json:"observations"`
	Aimed        float64 `json:"aimed"`
	// Counted is set once there was a sample of which it is known how many
	// replicas were ready. Realised and Lost are of such samples alone, and
	// until then 0 and unknown.
	Counted bool `json:"counted,omitempty"`
	// Realised is the share of the time that there was too little, from 0 to 1.
	Realised float64 `json:"realised"`
	// Price is the shortage price aimed at; 0: the goal is a share of the time.
	Price float64 `json:"price,omitempty"`
	// Lost is the share of the demand that found no capacity, from 0 to 1.
	// What was demanded while usage was cut off is known afterwards, if at all.
	Lost float64 `json:"lost"`
	// Cold is set until enough was observed, at the beginning and after a gap.
	// ColdRatio stays free then.
	Cold bool `json:"cold,omitempty"`
	// CutOff is set while usage is as much as there is capacity, so that it
	// is only a lower bound of what is demanded. A quarter more than there is
	// is asked for, and twice as much once usage has risen with capacity.
	CutOff bool `json:"cut_off,omitempty"`
}

// reading is what the last decision was made of, in replicas.
type reading struct {
	// Want of all, of which Forecast is what is forecast and the rest margin,
	// and Weight the share of form By; -1 where none was known.
	Want, Forecast, Weight float64
	By                     int64
	// Held is the highest usage of late, and Careful what is wanted on it where
	// not enough is known.
	Held, Careful float64
}

// Reading is what is to be kept free at a usage, which may be newer than the
// last sample; false where there was no sample yet, or
// what is known makes no number.
func (l *Learner) Reading(usage float64) (Reading, bool) {
	if len(l.pending) == 0 || !(usage >= 0) {
		return Reading{}, false
	}
	w := &l.reading
	r := Reading{
		Observations: l.observed, Season: l.season.length(),
		Aimed: l.aim, CutOff: l.limits.cutOff > 0, Price: l.goal.ShortagePrice,
	}
	if l.total > 0 {
		r.Counted, r.Realised = true, l.under/l.total
	}
	if l.demanded > 0 {
		r.Lost = min(1, l.lost/l.demanded)
	}
	want := w.Want
	// After a gap the forecasts that look back see too little, and the margins
	// on them were learnt of what sees all.
	if w.By < 0 || l.recent.n < l.ticks(shortGap) && w.Careful > want {
		r.Cold = true
		r.Forecast, r.Margin = held5m.String(), marginShare.String()
		r.Expected, want = w.Held, w.Careful
	} else {
		f := &l.forms[w.By]
		r.Forecast, r.Margin, r.Weight = f.forecast.String(), f.margin.String(), w.Weight
		r.Expected = w.Forecast
	}
	r.Added = want - r.Expected
	if r.CutOff {
		want = max(want, l.limits.wanted())
	}
	r.Expected *= l.reference
	r.Added *= l.reference
	// Usage that rose since the last sample has the same margin on top; where
	// it fell, what was wanted still is.
	r.Free = max(0, want*l.reference-min(usage, l.recent.at(0)*l.reference))
	// What was restored may have been damaged on the disk.
	return r, !math.IsNaN(r.Free) && !math.IsInf(r.Free, 0)
}
