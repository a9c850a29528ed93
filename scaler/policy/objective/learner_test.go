package objective_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/policy/objective"
)

const tick = 15 * time.Second

var start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// service is a workload that is given what the learner says, after a
// provisioning time, and counts when that was too little.
type service struct {
	learner      *objective.Learner
	provisioning time.Duration
	wanted       []float64 // of the last provisioning time
	ready        float64
	under, cost  float64
	missing      float64 // replicas, by what was demanded of them
	ticks        float64
}

func (s *service) run(t *testing.T, from, n int, usage func(i int) float64) {
	t.Helper()
	for i := from; i < from+n; i++ {
		u := usage(i)
		s.ticks++
		if u > s.ready {
			s.under++
			s.missing += u - s.ready
		}
		s.learner.Observe(objective.Sample{
			At: start.Add(time.Duration(i) * tick), Usage: u, Capacity: 1, Ready: int(s.ready), Provisioning: s.provisioning,
		})
		r, ok := s.learner.Reading(u)
		if !ok {
			t.Fatalf("tick %d: no reading after a sample", i)
		}
		want := math.Ceil(u + r.Free - 1e-9)
		s.cost += want
		s.wanted = append(s.wanted, want)
		if n := int(s.provisioning/tick) + 1; len(s.wanted) > n {
			s.wanted = s.wanted[len(s.wanted)-n:]
		}
		s.ready = math.Inf(1)
		for _, w := range s.wanted {
			s.ready = min(s.ready, w)
		}
	}
}

func (s *service) forget() { s.under, s.cost, s.missing, s.ticks = 0, 0, 0, 0 }

// bursty is a level with bursts that nobody can foresee.
func bursty(seed uint64) func(int) float64 {
	r := rand.New(rand.NewPCG(seed, seed))
	level := 10.0
	return func(i int) float64 {
		if i%4 == 0 {
			level = 8 + 4*r.Float64()
			if r.IntN(20) == 0 {
				level += 10 * r.Float64()
			}
		}
		return level
	}
}

func TestTheRealisedShareIsTheObjectives(t *testing.T) {
	for _, objectiveShare := range []float64{0.9, 0.95, 0.99} {
		s := service{learner: objective.New(objective.Goal{Share: objectiveShare}, tick), provisioning: time.Minute}
		usage := bursty(1)
		s.run(t, 0, 2000, usage)
		s.forget()
		s.run(t, 2000, 12000, usage)
		alpha := 1 - objectiveShare
		if got := s.under / s.ticks; got > 1.5*alpha || got < alpha/3 {
			t.Errorf("objective %g: under capacity %.2f %% of the time, want about %.2f %%", objectiveShare, 100*got, 100*alpha)
		}
	}
}

func TestALooserObjectiveIsCheaper(t *testing.T) {
	last := math.Inf(1)
	for _, o := range []float64{0.995, 0.97, 0.9} {
		s := service{learner: objective.New(objective.Goal{Share: o}, tick), provisioning: time.Minute}
		s.run(t, 0, 8000, bursty(2))
		if s.cost >= last {
			t.Errorf("objective %g costs %g, no less than a stricter one (%g)", o, s.cost, last)
		}
		last = s.cost
	}
}

func TestAQuietWorkloadKeepsNearlyNothingFree(t *testing.T) {
	l := objective.New(objective.Goal{Share: 0.99}, tick)
	for i := range 500 {
		l.Observe(objective.Sample{At: start.Add(time.Duration(i) * tick), Usage: 7.3, Capacity: 1, Ready: 9, Provisioning: time.Minute})
	}
	r, _ := l.Reading(7.3)
	if r.Cold || 7.3+r.Free > 8 {
		t.Errorf("reading of a constant usage of 7.3 is %+v, want it to fit into 8 replicas", r)
	}
}

func TestColdStart(t *testing.T) {
	l := objective.New(objective.Goal{Share: 0.99}, tick)
	if _, ok := l.Reading(3); ok {
		t.Error("a learner that saw nothing has a reading")
	}
	l.Observe(objective.Sample{At: start, Usage: 7, Capacity: 1, Ready: 8})
	r, ok := l.Reading(7)
	if !ok || !r.Cold || math.Abs(r.Free-3) > 1e-6 {
		t.Errorf("the first reading at a usage of 7 is %+v, want a share of 0.3 free: 3", r)
	}
}

// daily has its highest usage at the same time of each day, and rises faster
// than replicas start.
func daily(i int) float64 {
	day := int(24 * time.Hour / tick)
	if at := i % day; at >= day/3 && at < day/3+240 {
		return 20
	}
	return 4
}

func TestASeasonIsForeseenOnceItWasSeenTwice(t *testing.T) {
	day := int(24 * time.Hour / tick)
	s := service{learner: objective.New(objective.Goal{Share: 0.999}, tick), provisioning: 5 * time.Minute}
	s.run(t, 0, day*3/2, daily)
	if r, _ := s.learner.Reading(4); r.Season != 0 {
		t.Fatalf("a season of %s was found before it was seen twice", r.Season)
	}
	s.run(t, day*3/2, day*3/2, daily)
	r, _ := s.learner.Reading(4)
	if d := r.Season - 24*time.Hour; d.Abs() > 2*time.Minute {
		t.Fatalf("the season is %s, want 24h", r.Season)
	}
	// Just before the fourth day's rise the replicas have to be asked for.
	s.forget()
	s.run(t, 3*day, day/3-int(5*time.Minute/tick), daily)
	if r, _ := s.learner.Reading(4); r.Free < 14 {
		t.Errorf("five minutes before usage rises from 4 to 20 the reading is %+v", r)
	}
	if got := s.cost / s.ticks; got > 8 {
		t.Errorf("%.1f replicas on average until then, want about 4", got)
	}
}

func TestUsageThatIsCutOffIsALowerBound(t *testing.T) {
	l := objective.New(objective.Goal{Share: 0.99}, tick)
	at := start
	observe := func(u float64, ready int) objective.Reading {
		t.Helper()
		at = at.Add(tick)
		l.Observe(objective.Sample{At: at, Usage: u, Capacity: 2, Ready: ready, Provisioning: time.Minute})
		r, ok := l.Reading(u)
		if !ok {
			t.Fatal("no reading")
		}
		return r
	}
	for range 200 {
		observe(10, 8)
	}
	r := observe(16, 8)
	if !r.CutOff || math.Abs(16+r.Free-20) > 1e-6 {
		t.Errorf("at a usage of all that there is, 16, the reading is %+v, want a quarter more asked for", r)
	}
	if r = observe(20, 10); !r.CutOff || math.Abs(20+r.Free-40) > 1e-6 {
		t.Errorf("usage has risen with capacity to 20, and the reading is %+v, want twice as much asked for", r)
	}
	if r = observe(22, 20); r.CutOff {
		t.Errorf("with capacity to spare the reading still says cut off: %+v", r)
	}
	// Usage that fits by chance stays where it is once there is more.
	if r = observe(22, 11); !r.CutOff {
		t.Errorf("at a usage of all that there is again: %+v", r)
	}
	observe(22, 14)
	if r = observe(22, 11); r.CutOff {
		t.Errorf("usage of 22 has not risen with capacity, and yet: %+v", r)
	}
	// A usage beyond capacity is not cut off by it.
	for range 5 {
		observe(20, 12)
	}
	observe(30, 12)
	if r = observe(24, 12); r.CutOff {
		t.Errorf("usage was seen at 30 with a capacity of 24, and yet: %+v", r)
	}
}

func TestWhatIsUnknownTeachesNothing(t *testing.T) {
	l := objective.New(objective.Goal{Share: 0.99}, tick)
	good := objective.Sample{At: start, Usage: 5, Capacity: 1, Ready: 9}
	if !l.Observe(good) {
		t.Fatal("a good sample is refused")
	}
	for _, change := range []func(*objective.Sample){
		func(s *objective.Sample) { s.Usage = math.NaN() },
		func(s *objective.Sample) { s.Usage = -1 },
		func(s *objective.Sample) { s.Usage = math.Inf(1) },
		func(s *objective.Sample) { s.Usage = 1e300 },
		func(s *objective.Sample) { s.Capacity = 0 },
		func(s *objective.Sample) { s.Capacity = math.NaN() },
		func(s *objective.Sample) { s.At = start.Add(time.Second) },
		func(s *objective.Sample) { s.At = start.Add(-time.Hour) },
	} {
		s := good
		s.At = start.Add(tick)
		change(&s)
		if l.Observe(s) {
			t.Errorf("%+v was learnt from", s)
		}
	}
	if l.Observations() != 1 {
		t.Errorf("%d observations, want 1", l.Observations())
	}
}

// What was needed on the other side of a gap says nothing about the margins
// before it.
func TestAGapIsNoBurst(t *testing.T) {
	l := objective.New(objective.Goal{Share: 0.99}, tick)
	at := start
	for range 400 {
		at = at.Add(tick)
		l.Observe(objective.Sample{At: at, Usage: 5, Capacity: 1, Ready: 60, Provisioning: time.Minute})
	}
	at = at.Add(2 * time.Hour)
	for range 400 {
		at = at.Add(tick)
		l.Observe(objective.Sample{At: at, Usage: 50, Capacity: 1, Ready: 60, Provisioning: time.Minute})
	}
	if r, _ := l.Reading(50); 50+r.Free > 51 {
		t.Errorf("after a gap between two constant usages the reading is %+v", r)
	}
}

// Forecasts that look back see too little after a gap, and some of their
// margins are negative.
func TestCarefulAfterAGap(t *testing.T) {
	l := objective.New(objective.Goal{Share: 0.99}, tick)
	at, i := start, 0
	observe := func(n int) (least float64) {
		least = math.Inf(1)
		for range n {
			at, i = at.Add(tick), i+1
			u := 10 + float64(i%5)
			l.Observe(objective.Sample{At: at, Usage: u, Capacity: 1, Ready: 30, Provisioning: time.Minute})
			r, _ := l.Reading(u)
			least = min(least, u+r.Free)
		}
		return least
	}
	observe(2000)
	at = at.Add(time.Hour)
	if least := observe(20); least < 14 {
		t.Errorf("after a gap in a usage of 10 to 14 there are only %.1f replicas", least)
	}
	if r, _ := l.Reading(14); !r.Cold {
		t.Errorf("five minutes after a gap the reading is %+v", r)
	}
	observe(60)
	if r, _ := l.Reading(14); r.Cold {
		t.Errorf("twenty minutes after a gap the reading is %+v", r)
	}
}

// A replica that becomes twice as large is not a workload that has halved.
func TestCapacityOfAReplicaChanges(t *testing.T) {
	l := objective.New(objective.Goal{Share: 0.99}, tick)
	at := start
	for i := range 800 {
		at = at.Add(tick)
		capacity, ready := 1.0, 12
		if i >= 400 {
			capacity, ready = 2, 6
		}
		l.Observe(objective.Sample{At: at, Usage: 10, Capacity: capacity, Ready: ready, Provisioning: time.Minute})
		if r, _ := l.Reading(10); i > 100 && 10+r.Free > 13 {
			t.Fatalf("tick %d: reading %+v", i, r)
		}
	}
}

func TestWhatWasLearntSurvives(t *testing.T) {
	for name, g := range map[string]objective.Goal{"a share": {Share: 0.99}, "a price": {ShortagePrice: 25}} {
		t.Run(name, func(t *testing.T) {
			usage := bursty(3)
			a := service{learner: objective.New(g, tick), provisioning: time.Minute}
			a.run(t, 0, 7000, usage)
			state, err := a.learner.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			if len(state) >= 64<<10 {
				t.Errorf("%d bytes, want less than 64 KiB", len(state))
			}
			b := objective.New(g, tick)
			if err := b.Restore(state); err != nil {
				t.Fatal(err)
			}
			for i := 7000; i < 9000; i++ {
				s := objective.Sample{At: start.Add(time.Duration(i) * tick), Usage: usage(i), Capacity: 1, Ready: 12, Provisioning: time.Minute}
				a.learner.Observe(s)
				b.Observe(s)
				ra, _ := a.learner.Reading(s.Usage)
				rb, _ := b.Reading(s.Usage)
				if diff := cmp.Diff(ra, rb); diff != "" {
					t.Fatalf("tick %d (-never stopped +restored):\n%s", i, diff)
				}
			}
		})
	}
}

func TestRestoreRefusesWhatItDidNotWrite(t *testing.T) {
	l := objective.New(objective.Goal{Share: 0.99}, tick)
	l.Observe(objective.Sample{At: start, Usage: 5, Capacity: 1})
	state, err := l.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{
		"nothing":   nil,
		"cut short": state[:len(state)-1],
		"too long":  append(append([]byte(nil), state...), 0),
		"noise":     []byte("not a learner's state, but long enough for a header: ................................................................................................................................................................................................................................................"),
	} {
		fresh := objective.New(objective.Goal{Share: 0.99}, tick)
		if err := fresh.Restore(bad); err == nil {
			t.Errorf("%s was restored", name)
		}
		if fresh.Observations() != 0 {
			t.Errorf("%s left something behind", name)
		}
	}
	if err := objective.New(objective.Goal{Share: 0.99}, time.Minute).Restore(state); err == nil {
		t.Error("the state of another interval was restored")
	}
}

// A state that was damaged is refused, or at least nothing breaks.
func TestRestoreOfDamagedStates(t *testing.T) {
	l := objective.New(objective.Goal{Share: 0.99}, tick)
	for i := range 100 {
		l.Observe(objective.Sample{At: start.Add(time.Duration(i) * tick), Usage: float64(i % 7), Capacity: 1, Ready: 9, Provisioning: time.Minute})
	}
	state, err := l.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 5))
	refused := 0
	for range 2000 {
		bad := append([]byte(nil), state...)
		bad[r.IntN(320)] = byte(r.IntN(256))
		bad[r.IntN(len(bad))] = byte(r.IntN(256))
		n := objective.New(objective.Goal{Share: 0.99}, tick)
		if n.Restore(bad) != nil {
			refused++
			continue
		}
		for i := 100; i < 110; i++ {
			n.Observe(objective.Sample{At: start.Add(time.Duration(i) * tick), Usage: 5, Capacity: 1, Ready: 9, Provisioning: time.Minute})
			if r, ok := n.Reading(5); ok && (math.IsNaN(r.Free) || math.IsInf(r.Free, 0)) {
				t.Fatalf("a damaged state led to %+v", r)
			}
		}
	}
	if refused < 200 {
		t.Errorf("%d of 2000 damaged states were refused", refused)
	}
}

func BenchmarkObserve(b *testing.B) {
	l := objective.New(objective.Goal{Share: 0.99}, tick)
	usage := bursty(4)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		u := usage(i)
		l.Observe(objective.Sample{At: start.Add(time.Duration(i) * tick), Usage: u, Capacity: 1, Ready: 12, Provisioning: time.Minute})
		l.Reading(u)
		i++
	}
	state, err := l.MarshalBinary()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(state)), "state-B")
}

// TestTheFirstHourIsNoDearerThanAColdStart: bursts that were seen for minutes
// are no reason to pay for much.
func TestTheFirstHourIsNoDearerThanAColdStart(t *testing.T) {
	usage := bursty(6)
	l := objective.New(objective.Goal{Share: 0.999}, tick)
	var recent []float64
	dearer := 0
	for i := range 480 {
		u := usage(i)
		if i%37 == 0 {
			u *= 6
		}
		if recent = append(recent, u); len(recent) > 21 {
			recent = recent[1:]
		}
		l.Observe(objective.Sample{At: start.Add(time.Duration(i) * tick), Usage: u, Capacity: 1, Ready: 500, Provisioning: time.Minute})
		r, _ := l.Reading(u)
		most := slices.Max(recent) / (1 - objective.ColdRatio)
		switch {
		case u+r.Free <= most*(1+1e-6):
		case i < 239:
			t.Fatalf("tick %d: %.1f are wanted, at a cold start %.1f: %+v", i, u+r.Free, most, r)
		default:
			dearer++
		}
	}
	if dearer < 100 {
		t.Errorf("after the first hour more is wanted than at a cold start in %d of 240 ticks only: bursts of six times are not learnt", dearer)
	}
}
