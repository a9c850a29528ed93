package objective

import "time"

// recent is the usage of the last 20 minutes, tick by tick.
type recent struct {
	values  []float32 // ring
	next, n int
	// ticks of 1, 2, 5, 10 minutes
	m1, m2, m5, m10 int
}

func (r *recent) init(tick time.Duration) {
	ticks := func(d time.Duration) int { return max(1, int((d+tick/2)/tick)) }
	r.m1, r.m2, r.m5, r.m10 = ticks(time.Minute), ticks(2*time.Minute), ticks(5*time.Minute), ticks(10*time.Minute)
	r.values = make([]float32, ticks(20*time.Minute)+1)
}

func (r *recent) add(u float64) {
	r.values[r.next] = float32(u)
	r.next = (r.next + 1) % len(r.values)
	r.n = min(r.n+1, len(r.values))
}

func (r *recent) clear() { r.n, r.next = 0, 0 }

func (r *recent) scale(f float64) {
	for i := range r.values {
		r.values[i] *= float32(f)
	}
}

// at is the usage k ticks ago, or the oldest.
func (r *recent) at(k int) float64 {
	i := r.next - 1 - min(k, r.n-1)
	if i < 0 {
		i += len(r.values)
	}
	return float64(r.values[i])
}

// line is the least-squares line through the last k+1 values, ahead ticks from
// now, and no less than u.
func (r *recent) line(k, ahead int, u float64) float64 {
	k = min(k, r.n-1)
	if k < 2 {
		return u
	}
	var sy, sxy float64
	for i := 0; i <= k; i++ {
		y := r.at(i)
		sy += y
		sxy -= float64(i) * y
	}
	n := float64(k + 1)
	sx := -n * float64(k) / 2
	sxx := float64(k) * n * float64(2*k+1) / 6
	slope := (n*sxy - sx*sy) / (n*sxx - sx*sx)
	return max(u, (sy-slope*sx)/n+slope*float64(ahead))
}
