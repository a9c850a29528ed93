package objective

import "math"

// inputs of the regression: 1; usage now, a minute ago, five minutes ago and
// its highest of five minutes; one season ago, and the most from then until a
// provisioning time later, 0 where no season is known. The first is 0 where
// they are not known.
type inputs [7]float32

// usageNow and usageHeld are the inputs that usage of now goes into.
const (
	usageNow  = 1
	usageHeld = 4
)

// regression learns by least squares what usage is one provisioning time after
// the inputs were seen. What is older weighs less, as everywhere.
type regression struct {
	// XX is the weighted sum of the inputs' products, XY of those with what
	// usage became, Weight that of the weights.
	XX     [len(inputs{})][len(inputs{})]float64
	XY     [len(inputs{})]float64
	Weight float64
	// By is what inputs are multiplied by; all 0 until that is known.
	By [len(inputs{})]float64
}

// stiffness is how much of the variation is not trusted: coefficients of inputs
// that say nearly the same are drawn to those that take usage now.
const stiffness = 1e-3

func (r *regression) learn(x *inputs, became, weight float64) {
	if x[0] == 0 {
		return
	}
	for i, v := range x {
		for j := range i + 1 {
			r.XX[i][j] += weight * float64(v) * float64(x[j])
		}
		r.XY[i] += weight * float64(v) * became
	}
	r.Weight += weight
}

// predict is usage one provisioning time later; usage now until that is known.
// It does not fall as usage now rises.
func (r *regression) predict(x *inputs) float64 {
	if r.By == [len(inputs{})]float64{} {
		return float64(x[usageNow])
	}
	sum := 0.0
	for i, v := range x {
		sum += r.By[i] * float64(v)
	}
	return sum
}

// solve finds the coefficients by Gauss-Jordan elimination of the normal
// equations, with a ridge towards usage now.
func (r *regression) solve() {
	const n = len(inputs{})
	if r.Weight == 0 {
		return
	}
	ridge := stiffness * (r.XX[usageNow][usageNow] + r.Weight)
	var m [n][n + 1]float64
	for i := range n {
		for j := range n {
			m[i][j] = r.XX[max(i, j)][min(i, j)]
		}
		m[i][i] += ridge
		m[i][n] = r.XY[i]
	}
	m[usageNow][n] += ridge
	for i := range n {
		// With the ridge the matrix is positive definite, and no pivot is 0.
		for k := range n {
			if k == i {
				continue
			}
			q := m[k][i] / m[i][i]
			for j := i; j <= n; j++ {
				m[k][j] -= q * m[i][j]
			}
		}
	}
	var by [n]float64
	for i := range n {
		if by[i] = m[i][n] / m[i][i]; math.IsNaN(by[i]) || math.IsInf(by[i], 0) {
			return
		}
	}
	// So far towards usage now that it does not fall as that rises.
	if slope := min(by[usageNow], by[usageNow]+by[usageHeld]); slope < 0 {
		part := 1 / (1 - slope)
		for i := range by {
			by[i] *= part
		}
		by[usageNow] += 1 - part
	}
	r.By = by
}

// scale follows a change of the unit that usage is counted in.
func (r *regression) scale(f float64) {
	degree := func(i int) float64 {
		if i == 0 {
			return 1
		}
		return f
	}
	for i := range r.XX {
		for j := range i + 1 {
			r.XX[i][j] *= degree(i) * degree(j)
		}
		r.XY[i] *= degree(i) * f
	}
	r.By[0] *= f
}

// fade lets what was learnt weigh less.
func (r *regression) fade(by float64) {
	for i := range r.XX {
		for j := range i + 1 {
			r.XX[i][j] *= by
		}
		r.XY[i] *= by
	}
	r.Weight *= by
}
