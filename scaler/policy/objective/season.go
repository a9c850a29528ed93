package objective

import (
	"math"
	"time"
)

const (
	// seasonBins is how many minutes are remembered: the longest season that
	// can be seen twice is half of it, 34 hours.
	seasonBins = 4096
	// lookEvery is how many minutes pass between two looks for a season, at the
	// least, and lookAfter the part of all that is remembered that must be new:
	// with less the next look would find much the same.
	lookEvery = 60
	lookAfter = 16
	// coarse is how many minutes are taken together in the first look.
	coarse = 4
	// shortestSeason is in coarse steps.
	shortestSeason = 8
	// leastCorrelation of a series with itself one season ago, and how far it
	// must rise above what it was for shorter ones.
	leastCorrelation = 0.3
	leastPeak        = 0.2
	// jitter is how far a season that is found again may be from the one that
	// the forecasts by it were first learnt of, as a share of it, and still be
	// the same.
	jitter = 0.1
)

// season keeps the largest usage of each minute, and finds out after what time
// usage repeats itself.
type season struct {
	width  time.Duration
	values []float32 // ring by the number of the bin; NaN is unknown
	newest int64     // number of the newest bin
	n      int64     // bins since the first, at most all
	period int64     // bins; 0: no season is known
	next   int64     // bin from which on to look again
	most   float64   // the largest usage that is remembered
	first  int64     // period of which the forms by it began to learn
}

func (s *season) init(tick time.Duration) {
	s.width = max(time.Minute, tick)
	s.values = make([]float32, seasonBins)
}

func (s *season) known() bool { return s.period > 0 }

// length of the season; 0 where none is known.
func (s *season) length() time.Duration { return time.Duration(s.period) * s.width }

func (s *season) number(at time.Time) int64 { return at.UnixNano() / int64(s.width) }

// get is the largest usage of a bin, NaN where it is unknown.
func (s *season) get(i int64) float64 {
	if i > s.newest || i <= s.newest-s.n {
		return math.NaN()
	}
	return float64(s.values[i%seasonBins])
}

// add reports whether it led to another season.
func (s *season) add(at time.Time, u float64) bool {
	i := s.number(at)
	s.most = max(s.most, u)
	switch {
	case s.n == 0 || i >= s.newest+seasonBins:
		s.n, s.newest, s.next, s.most = 1, i, i+lookEvery, u
		s.values[i%seasonBins] = float32(u)
		return false
	case i < s.newest:
		return false
	case i == s.newest:
		s.values[i%seasonBins] = max(s.values[i%seasonBins], float32(u))
		return false
	}
	for j := s.newest + 1; j < i; j++ {
		s.values[j%seasonBins] = float32(math.NaN())
	}
	s.n = min(seasonBins, s.n+i-s.newest)
	s.newest = i
	s.values[i%seasonBins] = float32(u)
	if i < s.next {
		return false
	}
	s.next = i + max(lookEvery, s.n/lookAfter)
	return s.find()
}

// clear forgets everything.
func (s *season) clear() {
	s.newest, s.n, s.period, s.next, s.most, s.first = 0, 0, 0, 0, 0, 0
	for i := range s.values {
		s.values[i] = float32(math.NaN())
	}
}

func (s *season) scale(f float64) {
	for i := range s.values {
		s.values[i] *= float32(f)
	}
	s.most *= f
}

// ago is the usage one season ago, and the most from then until ahead of it.
func (s *season) ago(at time.Time, ahead time.Duration) (then, most float64, ok bool) {
	if s.period == 0 {
		return 0, 0, false
	}
	i := s.number(at) - s.period
	then = s.get(i)
	most = then
	for j := i + 1; j <= i+int64((ahead+s.width-1)/s.width); j++ {
		if v := s.get(j); v > most {
			most = v
		}
	}
	return then, most, !math.IsNaN(then)
}

// find looks for the season by the correlation of what is remembered with
// itself, first coarsely, then to the minute. A season that was found stays
// until there is another: a bad forecast has no weight. It reports whether there
// is another.
func (s *season) find() bool {
	s.most = 0
	for i := range s.n {
		if v := s.get(s.newest - i); v > s.most {
			s.most = v
		}
	}
	steps := s.coarsely()
	r := make([]float64, len(steps)/2+1)
	correlations(steps, r)
	best, lowest := 0, 1.0
	for lag := shortestSeason; lag+1 < len(r); lag++ {
		lowest = min(lowest, r[lag])
		peak := r[lag] > r[lag-1] && r[lag] >= r[lag+1]
		if peak && r[lag] > leastCorrelation && r[lag] > lowest+leastPeak && r[lag] > r[best]+0.05 {
			best = lag
		}
	}
	if best == 0 {
		return false
	}
	minutes := make([]float64, 0, s.n)
	for i := s.newest - s.n + 1; i <= s.newest; i++ {
		minutes = append(minutes, s.get(i))
	}
	period, most := int64(0), 0.0
	for lag := (best - 1) * coarse; lag <= (best+1)*coarse; lag++ {
		if c := correlation(minutes, lag); c > most {
			period, most = int64(lag), c
		}
	}
	if period == 0 {
		return false
	}
	s.period = period
	if float64(max(period-s.first, s.first-period)) <= jitter*float64(s.first) {
		return false
	}
	s.first = period
	return true
}

// coarsely are means over a few minutes, oldest first.
func (s *season) coarsely() []float64 {
	steps := make([]float64, 0, s.n/coarse)
	for i := s.newest - s.n + 1; i+coarse-1 <= s.newest; i += coarse {
		sum, n := 0.0, 0
		for j := i; j < i+coarse; j++ {
			if v := s.get(j); !math.IsNaN(v) {
				sum += v
				n++
			}
		}
		// 0/0 is NaN, as it should be.
		steps = append(steps, sum/float64(n))
	}
	return steps
}

// correlations are those of a series with itself, for all lags that r has room for
// from 1 on.
func correlations(x, r []float64) {
	// Sums from the beginning save most of the work where all is known.
	sum, squares := make([]float64, len(x)+1), make([]float64, len(x)+1)
	for i, v := range x {
		sum[i+1], squares[i+1] = sum[i]+v, squares[i]+v*v
	}
	known := !math.IsNaN(sum[len(x)])
	for lag := 1; lag < len(r); lag++ {
		if !known {
			r[lag] = correlation(x, lag)
			continue
		}
		then, now := x[:len(x)-lag], x[lag:]
		sxy := 0.0
		for i, v := range now {
			sxy += v * then[i]
		}
		n := float64(len(now))
		sx, sxx := sum[len(x)]-sum[lag], squares[len(x)]-squares[lag]
		r[lag] = pearson(n, sx, sum[len(now)], sxx, squares[len(now)], sxy)
	}
}

// correlation of a series with itself lag steps ago (Pearson's), over the pairs
// that are known; 0 where there are too few of them, or nothing varies.
func correlation(x []float64, lag int) float64 {
	var n, sx, sy, sxx, syy, sxy float64
	for i := lag; i < len(x); i++ {
		a, b := x[i], x[i-lag]
		if math.IsNaN(a) || math.IsNaN(b) {
			continue
		}
		n++
		sx += a
		sy += b
		sxx += a * a
		syy += b * b
		sxy += a * b
	}
	return pearson(n, sx, sy, sxx, syy, sxy)
}

// pearson is the correlation of n pairs by their sums.
func pearson(n, sx, sy, sxx, syy, sxy float64) float64 {
	const fewest = 16
	vx, vy := sxx-sx*sx/n, syy-sy*sy/n
	if n < fewest || vx <= 0 || vy <= 0 {
		return 0
	}
	return (sxy - sx*sy/n) / math.Sqrt(vx*vy)
}
