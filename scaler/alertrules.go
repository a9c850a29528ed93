package scaler

import (
	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// AlertRules say which alerts speak for which policy of c. A blocking direction
// without matchers has no rule: nothing blocks it.
func AlertRules(c *config.Config) []alerts.Rule {
	rules := make([]alerts.Rule, 0, 2*len(c.Policies))
	for _, p := range c.Policies {
		for _, r := range []alerts.Rule{
			{Policy: p.Name, Direction: policy.Up, Matchers: labels.Matchers(p.Alerts.Up)},
			{Policy: p.Name, Direction: policy.Down, Matchers: labels.Matchers(p.Alerts.Down)},
			{Policy: p.Name, Direction: alerts.BlockUp, Matchers: labels.Matchers(p.Alerts.BlockUp)},
			{Policy: p.Name, Direction: alerts.BlockDown, Matchers: labels.Matchers(p.Alerts.BlockDown)},
		} {
			if len(r.Matchers) > 0 {
				rules = append(rules, r)
			}
		}
	}
	return rules
}
