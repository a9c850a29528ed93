package scaler

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

const priced = "{ objective: { shortage_price: 25 } }"

// TestAHigherPriceKeepsMoreFree: and so more replicas are asked for.
func TestAHigherPriceKeepsMoreFree(t *testing.T) {
	last := 0
	for _, price := range []string{"2", "25", "1000"} {
		s := newSchool(t, "{ objective: { shortage_price: "+price+" } }", demand(swinging))
		s.steps(300)
		replicas := 0
		for range 200 {
			s.steps(1)
			replicas += s.last().Desired
		}
		if replicas <= last {
			t.Errorf("at a price of %s there are %d replicas in 200 evaluations, at a lower one %d", price, replicas, last)
		}
		last = replicas
	}
}

// TestAPriceSurvivesARestart: every decision is the same with restarts and
// without.
func TestAPriceSurvivesARestart(t *testing.T) {
	run := func(every int) *school {
		s := newSchool(t, priced, demand(swinging))
		for i := range 200 {
			if every > 0 && i%every == every-1 {
				s.restart()
			}
			s.steps(1)
		}
		return s
	}
	want, got := run(0), run(37)
	if r := want.reading(); r.Cold || r.Price != 25 || r.Observations != 200 {
		t.Fatalf("it has not learnt: %+v", r)
	}
	for i := range want.decisions {
		if want.decisions[i] != got.decisions[i] {
			t.Fatalf("evaluation %d (-without +with):\n%s", i, cmp.Diff(want.decisions[i], got.decisions[i]))
		}
	}
}

// TestAPriceInsteadOfAShareKeepsWhatWasLearnt: and the other way round, by a
// reload and while the server is down.
func TestAPriceInsteadOfAShareKeepsWhatWasLearnt(t *testing.T) {
	for name, take := range map[string]func(*school, string){
		"by a reload": (*school).reload,
		"while the server is down": func(s *school, text string) {
			s.text = text
			s.restart()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSchool(t, learns, demand(swinging))
			s.steps(200)
			share := s.reading()
			take(s, "{ objective: { shortage_price: 3 } }")
			s.steps(1)
			s.observed("with a price", 201)
			price := s.reading()
			if price.Cold || price.Price != 3 || !(price.Free < share.Free) {
				t.Errorf("with a price of 3: %+v\nafter a share of 0.99: %+v", price, share)
			}
			take(s, learns)
			s.steps(1)
			s.observed("with a share again", 202)
			if r := s.reading(); r.Cold || r.Price != 0 || !(r.Free > price.Free) {
				t.Errorf("with a share again: %+v", r)
			}
		})
	}
}

func TestMetricsOfAPrice(t *testing.T) {
	s := newSchool(t, priced, demand(swinging))
	s.steps(50)
	// Fewer than are needed, for a while.
	s.most = 3
	s.reload(priced)
	s.steps(20)
	lost := s.reading().Lost
	if !(lost > 0 && lost < 1) {
		t.Errorf("%g of the demand was lost, while there were too few", lost)
	}
	for name, want := range map[string]float64{
		"alertscaler_policy_objective_shortage_price":       25,
		"alertscaler_policy_objective_lost_demand_ratio":    lost,
		"alertscaler_policy_objective_under_capacity_ratio": s.reading().Realised,
		"alertscaler_policy_objective_observations_total":   69, // what corrects the bounds reads no usage
	} {
		if got := metricValue(t, s.reg, name, "policy", "web"); got != want {
			t.Errorf("%s is %g, want %g", name, got, want)
		}
	}
	if got := metricValue(t, s.reg, "alertscaler_policy_reserved", "entry", "objective"); got != s.reading().Free {
		t.Errorf("reserved is %g, want %g", got, s.reading().Free)
	}
	if n, err := testutil.GatherAndCount(s.reg, "alertscaler_policy_objective_ratio"); err != nil || n > 0 {
		t.Errorf("there are %d shares of the time, %v", n, err)
	}
	if problems, err := testutil.GatherAndLint(s.reg); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}
