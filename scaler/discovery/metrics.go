package discovery

import "github.com/prometheus/client_golang/prometheus"

func desc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("alertscaler_discovery_"+name, help, []string{"discovery"}, nil)
}

var (
	descTargets     = desc("targets", "Things found by a discovery that have a policy by it.")
	descProblems    = desc("problems", "Things found by a discovery with a problem: they have no policy, or still that of earlier labels.")
	descRefreshes   = desc("refreshes_total", "Attempts to list what there is to discover, failed ones included.")
	descFailures    = desc("failures_total", "Attempts to list what there is to discover that failed, so that what was found before stays.")
	descLastSuccess = desc("last_success_timestamp_seconds", "When what there is to discover was last listed; 0: never.")
)

// collector renders what a manager knows.
type collector struct{ manager *Manager }

// Describe implements prometheus.Collector.
func (collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descTargets, descProblems, descRefreshes, descFailures, descLastSuccess} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	for _, s := range c.manager.Statuses() {
		targets, problems, success := 0, 0, 0.0
		for _, t := range s.Things {
			if t.Policy != "" {
				targets++
			}
			if len(t.Problems) > 0 {
				problems++
			}
		}
		if !s.LastSuccess.IsZero() {
			success = float64(s.LastSuccess.UnixNano()) / 1e9
		}
		emit := func(d *prometheus.Desc, kind prometheus.ValueType, value float64) {
			ch <- prometheus.MustNewConstMetric(d, kind, value, s.Name)
		}
		emit(descTargets, prometheus.GaugeValue, float64(targets))
		emit(descProblems, prometheus.GaugeValue, float64(problems))
		emit(descRefreshes, prometheus.CounterValue, float64(s.Attempts))
		emit(descFailures, prometheus.CounterValue, float64(s.Failures))
		emit(descLastSuccess, prometheus.GaugeValue, success)
	}
}
