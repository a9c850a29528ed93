package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy/objective"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

func TestObjectives(t *testing.T) {
	c := load(t, "objective.good.yml")
	want := map[string][]objective.Goal{
		"all":    {{Share: 0.99}, {Share: 0.99}},
		"one":    {{Share: 0.5}, {}},
		"beside": {{Share: 0.999}},
		// Of two prices the higher counts.
		"priced": {{ShortagePrice: 25}, {ShortagePrice: 4}},
		"either": {{ShortagePrice: 1e4}, {Share: 0.99}},
	}
	check := func(when string, c *config.Config) {
		t.Helper()
		got := make(map[string][]objective.Goal)
		for _, p := range c.Policies {
			rules := c.Rules(p)
			for i := range rules.Resources {
				got[p.Name] = append(got[p.Name], rules.Objective(&rules.Resources[i]))
			}
			if !p.Learns() {
				t.Errorf("%s: policy %s does not learn", when, p.Name)
			}
			// A price has the defaults of a share: how long to hold is learnt.
			if p.Name == "priced" && (p.ScaleDown.Stabilization.Std() != 0 || p.ScaleDown.Cooldown.Std() != 0 || *p.ScaleDown.Tolerance != 0.1) {
				t.Errorf("%s: scales down by %+v", when, p.ScaleDown)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	check("as written", c)
	text := c.String()
	if !strings.Contains(text, "shortage_price: 25\n") || !strings.Contains(text, "objective: 0.999\n") {
		t.Errorf("printed as\n%s", text)
	}
	again, err := config.Load("printed.yml", []byte(text), install.Registry())
	if err != nil {
		t.Fatalf("what was printed does not load: %s\n%s", err, text)
	}
	check("as printed", again)
}

func TestAPriceIsAnotherConfigurationThanAShare(t *testing.T) {
	c := load(t, "objective.good.yml")
	p := c.Policies[0]
	share := p.Fingerprint()
	p.Reservation.Objective = config.Objective{ShortagePrice: 25}
	price := p.Fingerprint()
	p.Reservation.Objective = config.Objective{ShortagePrice: 26}
	if share == price || price == p.Fingerprint() {
		t.Error("two objectives have one fingerprint")
	}
}
