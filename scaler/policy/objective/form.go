package objective

import "math"

// form is one candidate, and what is known of the margins that it would have
// needed.
type form struct {
	forecast forecast
	margin   margin
	// beta is what the scale of the margin is multiplied by; it may be
	// negative, where the forecast is more than is needed.
	beta float64
	// needed are the weights of what beta would have had to be, mass their sum.
	needed [bins]float32
	mass   float64
	// spent are weighted sums over all ticks, by which candidates that were
	// watched for different times compare.
	spent spent
}

// spent is what a form has cost.
type spent struct {
	// Ahead is by how much forecasts exceeded usage, Scale what beta
	// multiplies.
	Ahead, Scale, Usage, Weight float64
}

func newForms() []form {
	forms := make([]form, 0, int(forecasts)*int(margins))
	for f := range forecasts {
		for m := range margins {
			forms = append(forms, form{forecast: f, margin: m})
		}
	}
	return forms
}

// seasonal forms count only where a season is known.
func (f *form) seasonal() bool { return f.forecast >= seasonMost }

func (f *form) add(needed, weight float64) {
	f.needed[bin(needed)] += float32(weight)
	f.mass += weight
}

func (f *form) spend(x *features, u, weight float64) {
	f.spent.Ahead += weight * (float64(x.Forecast[f.forecast]) - u)
	f.spent.Scale += weight * x.scale(f)
	f.spent.Usage += weight * u
	f.spent.Weight += weight
}

// excess is how many replicas more than the usage the form would have had on
// average, with the beta of now.
func (f *form) excess() float64 { return (f.spent.Ahead + f.beta*f.spent.Scale) / f.spent.Weight }

// shortage is how many replicas the form would have lacked on average, with the
// beta of now.
func (f *form) shortage() float64 {
	sum := 0.0
	for i := bins - 1; i >= 0; i-- {
		low, high := edges(i)
		if high <= f.beta {
			break
		}
		// Of the bin that beta lies in only what is above it.
		from := max(low, f.beta)
		sum += float64(f.needed[i]) * (high - from) / (high - low) * ((from+high)/2 - f.beta)
	}
	return sum / f.mass * f.spent.Scale / f.spent.Weight
}

// usage is the average usage over the same time.
func (f *form) usage() float64 { return f.spent.Usage / f.spent.Weight }

// quantile is the least beta that would have been too small no more than the
// share alpha of the time.
func (f *form) quantile(alpha float64) float64 {
	left := alpha * f.mass
	for i := bins - 1; i >= 0; i-- {
		m := float64(f.needed[i])
		if m > left {
			low, high := edges(i)
			return high - (high-low)*left/m
		}
		left -= m
	}
	low, _ := edges(0)
	return low
}

func (f *form) scale(by float64) {
	for i := range f.needed {
		f.needed[i] *= float32(by)
	}
	f.mass *= by
	f.spent.Ahead *= by
	f.spent.Scale *= by
	f.spent.Usage *= by
	f.spent.Weight *= by
}

func (f *form) reset() { *f = form{forecast: f.forecast, margin: f.margin} }

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
