package objective

import "math"

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
	// marginRise is a multiple of the largest rise of late.
	marginRise
	margins
)

// String names the margin.
func (m margin) String() string {
	return [margins]string{"fixed", "root of the forecast", "share of the forecast", "largest rise of 20m"}[m]
}

const (
	// formCount is every forecast with every margin.
	formCount = int(forecasts) * int(margins)
	// leastForecast and leastRise keep scales from vanishing, in replicas.
	leastForecast = 0.25
	leastRise     = 0.5
	// leastJudged is how many judgements it takes to know a margin.
	leastJudged = coldTicks / 2
)

// decision is what was known at one tick, and what each form said, in replicas.
type decision struct {
	Forecast, Root [forecasts]float32
	Rise           float32
	Inputs         inputs
	// Most is the largest answer that a form may give.
	Most float32
	// Answers are how many replicas each form wanted; NaN where it did not
	// know yet. Played is how many were wanted in the end.
	Answers [formCount]float32
	Played  float32
}

// scale is what the margin of a form is a multiple of; above 0.
func (d *decision) scale(f *form) float32 {
	switch f.margin {
	case marginFixed:
		return 1
	case marginRoot:
		return d.Root[f.forecast]
	case marginShare:
		return max(d.Forecast[f.forecast], leastForecast)
	case marginRise:
		return max(d.Rise, leastRise)
	}
	panic("no such margin")
}

// form is a forecast and a margin on it, and what is known of the margins that
// it would have needed.
type form struct {
	forecast forecast
	margin   margin
	formState
}

// formState is what a form has learnt.
type formState struct {
	// Beta is what the scale of the margin is multiplied by; it may be
	// negative, where the forecast is more than is needed.
	Beta float64
	// Needed are the weights of what Beta would have had to be, Mass their sum
	// and Judged the ticks in which they were entered.
	Needed [bins]float32
	Mass   float64
	Judged int64
	// Scales is a weighted sum of the scales, Weights that of the weights.
	Scales, Weights float64
	// Regret is a weighted sum of how much less this form would have cost than
	// what was played, and Squares that of the squares.
	Regret, Squares float64
}

func newForms() []form {
	forms := make([]form, 0, formCount)
	for f := range forecasts {
		for m := range margins {
			forms = append(forms, form{forecast: f, margin: m})
		}
	}
	return forms
}

// known reports whether the form has seen enough to say something.
func (f *form) known() bool { return f.Judged >= leastJudged }

// answer is how many replicas the form wants; NaN where it does not know.
func (f *form) answer(d *decision) float32 {
	if !f.known() {
		return float32(math.NaN())
	}
	return min(max(0, d.Forecast[f.forecast]+float32(f.Beta*float64(d.scale(f)))), d.Most)
}

// binding is the largest of what the margins of the decisions in force would have
// had to be multiplied by, and the scale of that one.
func (f *form) binding(replicas float32, inForce []decision) (z, scale float64) {
	most, at := float32(math.Inf(-1)), float32(1)
	for k := range inForce {
		s := inForce[k].scale(f)
		if v := (replicas - inForce[k].Forecast[f.forecast]) / s; v > most {
			most, at = v, s
		}
	}
	return float64(most), float64(at)
}

// need enters what capacity had to exceed, against all decisions in force.
func (f *form) need(replicas, weight float64, inForce []decision, byAmount bool) {
	z, scale := f.binding(float32(replicas), inForce)
	f.Scales += weight * scale
	f.Weights += weight
	if byAmount {
		// A margin of twice the scale costs and saves twice as much. On average
		// this is 1, so that all goals share the histogram.
		weight *= scale * f.Weights / f.Scales
	}
	f.Needed[bin(z)] += float32(weight)
	f.Mass += weight
}

// calibrate sets the margin to the least that would have been too small no more
// often than miss.
func (f *form) calibrate(miss float64) {
	left := miss * f.Mass
	for i := bins - 1; i >= 0; i-- {
		m := float64(f.Needed[i])
		if m > left {
			low, high := edges(i)
			f.Beta = high
			if low >= 0 {
				// Below zero bins are wide, and no later correction would make
				// up for it.
				f.Beta = high - (high-low)*left/m
			}
			if f.margin == marginRoot || f.margin == marginRise {
				// More usage would take away more than it adds.
				f.Beta = max(0, f.Beta)
			}
			return
		}
		left -= m
	}
	f.Beta = 0
}

// resize follows a change of the unit that usage is counted in. The scales of
// margins that are a share or a multiple of a rise change with it, and what
// they are multiplied by does not.
func (f *form) resize(by float64) {
	z := 1.0
	switch f.margin {
	case marginFixed:
		z = by
	case marginRoot:
		z = math.Sqrt(by)
	}
	f.Scales *= by / z
	f.Regret *= by
	f.Squares *= by * by
	if z == 1 {
		return
	}
	var moved [bins]float32
	for i, w := range f.Needed {
		low, high := edges(i)
		moved[bin((low+high)/2*z)] += w
	}
	f.Needed = moved
}

// resize follows a change of the unit that usage is counted in.
func (d *decision) resize(by float64) {
	f := float32(by)
	for i := range d.Forecast {
		d.Forecast[i] *= f
		d.Root[i] *= float32(math.Sqrt(by))
	}
	for i := range d.Answers {
		d.Answers[i] *= f
	}
	for i := range d.Inputs[1:] {
		d.Inputs[i+1] *= f
	}
	d.Rise *= f
	d.Most *= f
	d.Played *= f
}

// fade lets everything that was learnt weigh less.
func (f *form) fade(by float64) {
	for i := range f.Needed {
		f.Needed[i] *= float32(by)
	}
	for _, x := range []*float64{&f.Mass, &f.Scales, &f.Weights, &f.Regret, &f.Squares} {
		*x *= by
	}
}

// forget leaves the form as it was when it was new.
func (f *form) forget() { f.formState = formState{} }

// The bins: six to each doubling from 2^lowest to 2^highest, one for what is
// less and not negative, and one to each doubling below zero, where precision
// saves little.
const (
	lowest   = -6
	highest  = 10
	each     = 6
	negative = 12
	bins     = negative + 1 + (highest-lowest)*each
)

func bin(z float64) int {
	switch {
	case z >= 1<<highest:
		return bins - 1
	case z >= 1.0/(1<<-lowest):
		fraction, exponent := math.Frexp(z) // fraction in [1/2, 1)
		return negative + 1 + (exponent-1-lowest)*each + int((fraction-0.5)*2*each)
	case z >= 0:
		return negative
	case math.IsInf(z, -1):
		return 0
	}
	_, exponent := math.Frexp(-z)
	return min(max(0, negative-1-(exponent-lowest)), negative-1)
}

// edges are the least and the largest value of a bin.
func edges(i int) (low, high float64) {
	switch {
	case i > negative:
		k := i - negative - 1
		exponent, part := k/each+lowest, float64(k%each)
		return math.Ldexp(1+part/each, exponent), math.Ldexp(1+(part+1)/each, exponent)
	case i == negative:
		return 0, math.Ldexp(1, lowest)
	}
	exponent := negative - 1 - i + lowest
	return -math.Ldexp(1, exponent), -math.Ldexp(0.5, exponent)
}
