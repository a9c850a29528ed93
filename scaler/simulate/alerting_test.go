package simulate

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/alertscaler/alertscaler/scaler/config"
)

// TestAlerting: the generated alerts hold for what the policy needs and has.
// One replica holds 2, and the policy's min is 2.
func TestAlerting(t *testing.T) {
	none, ratio := config.Reservation{}, config.Reservation{Ratio: 0.25}
	scheduled := config.Reservation{Schedules: []*config.Schedule{{Cron: "0 8 * * *"}}}
	learnt := config.Reservation{Ratio: 0.25, Objective: config.Objective{Share: 0.99}}
	for _, test := range []struct {
		name      string
		reserved  config.Reservation
		usage     float64
		requested float64
		// exported is what each entry keeps free.
		exported map[string]float64
		up, down bool
	}{
		{"as many as needed", none, 8, 4, nil, false, false},
		{"a little more is needed", none, 8.1, 4, nil, true, false},
		{"whole but for rounding", none, 8 * (1 + 1e-12), 4, nil, false, false},
		{"fewer are needed", none, 6, 4, nil, false, true},
		{"fewer are needed at the minimum", none, 0, 2, nil, false, false},
		{"nothing runs, nothing is needed", none, 0, 0, nil, false, false},
		{"nothing runs, something is needed", none, 0.001, 0, nil, true, false},
		{"a ratio keeps a quarter free", ratio, 12, 7, nil, true, false},
		{"a ratio that is kept", ratio, 12, 8, nil, false, false},
		{"a threshold beside a smaller ratio", config.Reservation{Ratio: 0.25, Threshold: 10}, 12, 10, nil, true, false},
		{"whole replicas beside a ratio", config.Reservation{Ratio: 0.25, Replicas: 5}, 12, 10, nil, true, false},
		{"whole replicas that are kept", config.Reservation{Ratio: 0.25, Replicas: 5}, 12, 11, nil, false, false},
		{"a schedule that counts", scheduled, 4, 4, map[string]float64{"policy schedule 0 8 * * * for 1h in UTC": 6}, true, false},
		{"a schedule outside its window", scheduled, 4, 4, map[string]float64{"policy schedule 0 8 * * * for 1h in UTC": 0}, false, true},
		{"a schedule of which nothing is known", scheduled, 4, 4, nil, false, false},
		{"what was learnt is more than the ratio", learnt, 12, 9, map[string]float64{"policy objective": 8}, true, false},
		{"what was learnt is less than the ratio", learnt, 12, 9, map[string]float64{"policy objective": 1}, false, true},
		{"nothing is learnt, and the ratio is not kept", learnt, 12, 7, nil, true, false},
		{"nothing is learnt, and fewer would hold the ratio", learnt, 12, 9, nil, false, false},
		{"usage that is no number", none, math.NaN(), 4, nil, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, err := newAlerting(&config.Policy{Name: `the "web"`, PolicyRules: config.PolicyRules{
				Min: 2, Max: 20, Resources: []*config.Resource{{Name: "cpu"}}, Reservation: test.reserved,
			}}, 2)
			if err != nil {
				t.Fatal(err)
			}
			x := newExported(`the "web"`, "cpu")
			for _, before := range []float64{test.usage, 0, 1000} { // an instant knows nothing of the one before
				a.scrape()
				a.add(before, x.usage)
				if _, _, err := a.evaluate(t.Context(), noDate); err != nil {
					t.Fatal(err)
				}
				a.scrape()
				a.add(test.usage, x.usage)
				a.add(test.requested, x.requested)
				for entry, amount := range test.exported {
					a.add(amount, labels.FromStrings("__name__", "alertscaler_policy_reserved", "policy", `the "web"`, "resource", "cpu", "entry", entry))
				}
				up, down, err := a.evaluate(t.Context(), noDate)
				if err != nil || up != test.up || down != test.down {
					t.Errorf("up %t, down %t; want %t, %t: %v", up, down, test.up, test.down, err)
				}
			}
		})
	}
}

// TestAlertsOfEveryKindAreFormulas, which find what Prometheus' own engine does.
func TestAlertsOfEveryKindAreFormulas(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	pick := func(of ...float64) float64 { return of[random.IntN(len(of))] }
	schedules := []*config.Schedule{{Cron: "0 8 * * *"}}
	ups, downs := 0, 0
	for range 200 {
		of := config.Reservation{Ratio: pick(0, 0, 0.25), Threshold: pick(0, 0, 3), Replicas: int(pick(0, 0, 2))}
		entries := []string{"ratio", "policy threshold"}
		if random.IntN(2) == 0 {
			of.Objective, entries = config.Objective{Share: 0.99}, append(entries, "objective")
		}
		if random.IntN(3) == 0 {
			of.Schedules, entries = schedules, append(entries, "schedule 0 8 * * * for 1h in UTC", "policy schedule 0 9 * * * for 1h in UTC")
		}
		x := newExported("web", "cpu")
		a, err := newAlerting(&config.Policy{Name: "web", PolicyRules: config.PolicyRules{
			Min: random.IntN(3), Max: 20, Resources: []*config.Resource{{Name: "cpu", Reservation: of}},
		}}, 2)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			a.scrape()
			a.add(pick(0, 1, 4, 8, 8*(1+1e-12), 12, 1e9, math.NaN()), x.usage)
			if random.IntN(5) > 0 {
				a.add(float64(random.IntN(12)), x.requested)
			}
			if random.IntN(5) > 0 {
				for _, name := range entries {
					a.add(pick(0, 1, 2, 5, math.NaN()), labels.FromStrings("__name__", "alertscaler_policy_reserved", "policy", "web", "resource", "cpu", "entry", name))
				}
			}
			up, down, err := a.evaluate(t.Context(), noDate)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := a.by.(*byFormulas); !ok {
				t.Fatalf("%+v: evaluated by %T", of, a.by)
			}
			wantUp, wantDown, err := newByPrometheus(a.rules).evaluate(t.Context(), a.scraped, noDate)
			if err != nil || up != wantUp || down != wantDown {
				t.Fatalf("%+v of %v: up %t, down %t; want %t, %t: %v", of, a.scraped, up, down, wantUp, wantDown, err)
			}
			ups, downs = ups+count01(up), downs+count01(down)
		}
	}
	if ups < 100 || downs < 100 {
		t.Errorf("%d times up and %d times down: the cases are one-sided", ups, downs)
	}
}

func count01(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestWhatFormulasDoNotKnowIsStillEvaluated, by Prometheus' own engine.
func TestWhatFormulasDoNotKnowIsStillEvaluated(t *testing.T) {
	a := &alerting{rules: []rule{
		{Record: "twice", Expr: "sum(d)"},
		{Alert: "Up", Expr: "twice > 3", Labels: map[string]string{"scale": "up"}},
		{Alert: "Down", Expr: "twice < 3", Labels: map[string]string{"scale": "down"}},
	}}
	for value, want := range map[float64][2]bool{4: {true, false}, 3: {false, false}, 2: {false, true}} {
		a.scrape()
		a.add(value, labels.FromStrings("__name__", "d"))
		up, down, err := a.evaluate(t.Context(), noDate)
		if err != nil || [2]bool{up, down} != want {
			t.Errorf("of %v: up %t, down %t: %v", value, up, down, err)
		}
	}
	if _, ok := a.by.(*byPrometheus); !ok {
		t.Errorf("evaluated by %T", a.by)
	}
	a.rules[1].Expr = "a +"
	a.by = nil
	if _, _, err := a.evaluate(t.Context(), noDate); err == nil || !strings.Contains(err.Error(), "Up") {
		t.Errorf("an expression that cannot be read: %v", err)
	}
}
