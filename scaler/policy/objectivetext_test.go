package policy_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/policy/objective"
)

// TestExplainAnObjective: what is aimed at, what is played and what came of it.
func TestExplainAnObjective(t *testing.T) {
	share := policy.Reservation{Objective: policy.Objective{Goal: objective.Goal{Share: 0.99}}}
	price := policy.Reservation{Objective: policy.Objective{Goal: objective.Goal{ShortagePrice: 25}}}
	cheap := policy.Reservation{Objective: policy.Objective{Goal: objective.Goal{ShortagePrice: 4}}}
	loose := policy.Reservation{Objective: policy.Objective{Goal: objective.Goal{Share: 0.9}}}
	// What its least ratio keeps free is more than what was learnt for the other.
	looseButMore := policy.Reservation{Objective: policy.Objective{Goal: objective.Goal{Share: 0.9}, MinRatio: 0.5}}
	played := objective.Reading{
		Free: 4.1, Forecast: "highest of 2m", Expected: 11.9, Margin: "root of the forecast", Added: 3.4,
		Observations: 5760, Counted: true, Realised: 0.008, Lost: 0.003,
	}
	priced := played
	priced.Price = 25
	together := played
	together.Weight = 0.634
	season := together
	season.Forecast, season.Season, season.Added = "season", 24*time.Hour, -0.5
	past, pricedPast := played, priced
	past.Counted, past.Realised, past.Lost = false, 0, 0
	pricedPast.Counted, pricedPast.Realised, pricedPast.Lost = false, 0, 0
	cold := objective.Reading{Free: 4.8, Cold: true, Observations: 7, Price: 25}
	for name, c := range map[string]struct {
		own, policys policy.Reservation
		learnt       *objective.Reading
		want         string
	}{
		"a share":                {share, policy.Reservation{}, &played, "keeps 4.1 free (objective 99 % of the time: highest of 2m 11.9 + 3.4 by root of the forecast, from 5760 observations; under capacity 0.8 % of the time so far)"},
		"several forecasts":      {share, policy.Reservation{}, &together, "(objective 99 % of the time: 11.9 + 3.4 of several forecasts, 63 % by highest of 2m with root of the forecast, from 5760 observations; under capacity 0.8 % of the time so far)"},
		"a season among them":    {share, policy.Reservation{}, &season, "(objective 99 % of the time: 11.9 - 0.5 of several forecasts, 63 % by season (24h0m0s) with root of the forecast, from"},
		"nobody was counted":     {share, policy.Reservation{}, &past, "by root of the forecast, from 5760 observations; how often there was too little is not known yet), which"},
		"nor at a price":         {price, policy.Reservation{}, &pricedPast, "by root of the forecast, from 5760 observations; how much of the demand was lost is not known yet), which"},
		"a price":                {price, policy.Reservation{}, &priced, "keeps 4.1 free (objective: a missing replica costs 25: highest of 2m 11.9 + 3.4 by root of the forecast, from 5760 observations; lost 0.3 % of the demand so far)"},
		"the policy's price":     {policy.Reservation{}, price, &priced, "keeps 4.1 free (objective: a missing replica costs 25: highest of 2m"},
		"two prices":             {cheap, price, &priced, "keeps 4.1 free (objective: a missing replica costs 25: highest of 2m"},
		"two prices at first":    {cheap, price, nil, "(objective: a missing replica costs 25: nothing observed yet"},
		"the policy's share":     {loose, share, &played, "keeps 4.1 free (objective 99 % of the time: highest of 2m"},
		"the resource's share":   {share, loose, &played, "keeps 4.1 free (objective 99 % of the time: highest of 2m"},
		"two shares at first":    {loose, share, nil, "(objective 99 % of the time: nothing observed yet"},
		"two shares and a bound": {looseButMore, share, &played, "keeps 11.2 free (objective 99 % of the time: highest of 2m"},
		"a price at first":       {price, policy.Reservation{}, nil, "(objective: a missing replica costs 25: nothing observed yet, as careful as a ratio of 30 %)"},
		"a price a little later": {price, policy.Reservation{}, &cold, "(objective: a missing replica costs 25: as careful as a ratio of 30 % after 7 observations)"},
	} {
		p := web(needs(policy.Resource{Name: "cpu", Reservation: c.own}), reserves(c.policys))
		u := cpu(11.2)
		u.Learnt = c.learnt
		d := policy.Decide(p, up(6, u), policy.History{}, now)
		if got := d.Explain(); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s\nwant: %s", name, got, c.want)
		}
	}
}

// TestAnObjectiveInJSON: as the API and the ledger have it.
func TestAnObjectiveInJSON(t *testing.T) {
	p := web(reserves(policy.Reservation{Objective: policy.Objective{Goal: objective.Goal{ShortagePrice: 25}}}))
	u := cpu(11)
	u.Learnt = &objective.Reading{Free: 4, Price: 25, Lost: 0.25, Observations: 50}
	d := policy.Decide(p, up(6, u), policy.History{}, now)
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"kind":"objective","setting":25,"amount":4`, `"price":25`, `"lost":0.25`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in %s", want, b)
		}
	}
	var again policy.Decision
	if err := json.Unmarshal(b, &again); err != nil || again.Explain() != d.Explain() {
		t.Errorf("decoded: %v\n%s\nwant\n%s", err, again.Explain(), d.Explain())
	}
}
