package objective

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// TestHiddenPeaksAreAsHighAsTheNoise: usage is a mean over two ticks.
func TestHiddenPeaksAreAsHighAsTheNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	walk, wave := 100.0, 0
	for name, c := range map[string]struct {
		tick     func(i int) float64 // demand of one tick
		variance float64             // of a tick around the mean of two
	}{
		"independent requests":   {func(int) float64 { return 100 + 10*r.NormFloat64() }, 100.0 / 2},
		"more of them":           {func(int) float64 { return 400 + 20*r.NormFloat64() }, 400.0 / 2},
		"what does not change":   {func(int) float64 { return 50 }, 0},
		"a straight line":        {func(i int) float64 { return 10 + float64(i)/50 }, 0},
		"a level that wanders":   {func(int) float64 { walk = max(20, walk+r.NormFloat64()); return walk }, 0},
		"a wave of some minutes": {func(int) float64 { wave++; return 50 + 20*math.Sin(float64(wave)/8) }, 0},
	} {
		l := New(Goal{Share: 0.99}, 15*time.Second)
		last := c.tick(0)
		sum := 0.0
		const n = 20_000
		for i := range n {
			b := c.tick(i)
			u := (last + b) / 2
			last = b
			sum += u
			l.Observe(Sample{At: time.Unix(int64(15*i), 0), Usage: u, Capacity: 1})
		}
		got := l.noise.deviation(sum / n)
		if want := math.Sqrt(c.variance); math.Abs(got-want) > 0.1*want+0.2 {
			t.Errorf("%s: demand is taken to vary by %.2f around the mean, want %.2f", name, got, want)
		}
	}
}

// TestAmountsAddUp: to all of the time, and to the normal distribution's tail.
func TestAmountsAddUp(t *testing.T) {
	l := New(Goal{Share: 0.99}, 15*time.Second)
	l.observed = coldTicks + 1
	l.noise = noise{TakenBack: 2, Usage: 1}
	all := l.demand(4, false) // a deviation of 4
	sum := 0.0
	for _, a := range all {
		sum += a.share
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("the shares add up to %g", sum)
	}
	if got := all.above(4 + 2.5*4); math.Abs(got-0.011) > 0.001 {
		t.Errorf("%g of the time more than two and a half deviations are demanded, want 0.011", got)
	}
	if got := all.above(4); math.Abs(got-0.233) > 0.001 {
		t.Errorf("%g of the time more than the mean is demanded, want 0.233", got)
	}
	if got := l.demand(4, true); got.above(4) != 0 {
		t.Errorf("while usage is cut off nothing is known of peaks, and yet: %v", got)
	}
}

// TestASeasonThatIsFoundAgainIsTheSame, unless it is another.
func TestASeasonThatIsFoundAgainIsTheSame(t *testing.T) {
	var s season
	s.init(time.Minute)
	r := rand.New(rand.NewPCG(3, 4))
	others := 0
	for day, length := range []float64{600, 600, 600, 590, 610, 605, 600} {
		for i := range 600 {
			u := 10 + 5*math.Sin(2*math.Pi*float64(i)/length) + 0.3*r.NormFloat64()
			if s.add(time.Unix(int64(60*(600*day+i)), 0), u) {
				others++
			}
		}
	}
	if others != 1 || !s.known() {
		t.Errorf("%d seasons were found, one after another, want 1; the last is %s", others, s.length())
	}
	for i := 4200; i < 4200+4096; i++ {
		if s.add(time.Unix(int64(60*i), 0), 10+5*math.Sin(2*math.Pi*float64(i)/180)) {
			others++
		}
	}
	if d := s.length() - 3*time.Hour; others < 2 || others > 3 || d.Abs() > 2*time.Minute {
		t.Errorf("%d seasons were found, want another one or two; the last is %s, want 3h", others, s.length())
	}
}
