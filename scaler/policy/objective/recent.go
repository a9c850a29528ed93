package objective

import "time"

// recentTime is how far back usage is known tick by tick.
const recentTime = time.Hour

// recent is the usage of the last hour, tick by tick.
type recent struct {
	values  []float32 // ring
	next, n int
}

func (r *recent) init(tick time.Duration) {
	r.values = make([]float32, max(1, int(recentTime/tick))+1)
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

// at is the usage k ticks before the newest, or the oldest; there is one.
func (r *recent) at(k int) float64 {
	i := r.next - 1 - min(k, r.n-1)
	if i < 0 {
		i += len(r.values)
	}
	return float64(r.values[i])
}

// before is the usage k ticks before one of now that was not added yet.
func (r *recent) before(k int, now float64) float64 {
	if k == 0 || r.n == 0 {
		return now
	}
	return r.at(k - 1)
}

// highest is the highest usage of the last so many ticks and of now, for each of
// those; they rise.
func (r *recent) highest(ticks []int, now float64, to func(i int, high float32)) {
	high, k := float32(now), 0
	newer, older := r.values[:r.next], r.values[r.next:] // each oldest first
	for t, n := range ticks {
		n = min(n, r.n)
		for ; k < min(n, len(newer)); k++ {
			high = max(high, newer[len(newer)-1-k])
		}
		for ; k < n; k++ {
			high = max(high, older[len(older)-1-(k-len(newer))])
		}
		to(t, high)
	}
}

// rise is the largest rise within so many ticks that ended in the last k or
// now.
func (r *recent) rise(k, within int, now float64) float64 {
	high := 0.0
	for i := 0; i <= k && i+within <= r.n; i++ {
		high = max(high, r.before(i, now)-r.before(i+within, now))
	}
	return high
}

// line is the least-squares line through the last k ticks and now, ahead ticks
// from now, and no less than now.
func (r *recent) line(k, ahead int, now float64) float64 {
	k = min(k, r.n)
	if k < 2 {
		return now
	}
	var sy, sxy float64
	for i := 0; i <= k; i++ {
		y := r.before(i, now)
		sy += y
		sxy -= float64(i) * y
	}
	n := float64(k + 1)
	sx := -n * float64(k) / 2
	sxx := float64(k) * n * float64(2*k+1) / 6
	slope := (n*sxy - sx*sy) / (n*sxx - sx*sx)
	return max(now, (sy-slope*sx)/n+slope*float64(ahead))
}
