package export

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/victims"
)

func TestWhatIsCounted(t *testing.T) {
	p := web()
	c := p.Counts
	d := decided()
	d.Requirements[0].Problem = policy.Problems[0]
	c.Decided(d)
	c.Decided(d)
	c.Acted("own", policy.Up)
	c.Acted("own", policy.Down)
	c.Acted("own", policy.Down)
	c.Failed("own", string(target.KindQuota))
	c.Failed("burst", action.NotConverged)
	c.Drained("own", victims.TimedOut)
	c.ForeignChange("burst")
	c.Provisioned("own", 3*time.Second)
	c.Provisioned("own", time.Hour)
	got := values(t, collectorOf(p))
	expect(t, got, map[string]float64{
		"decisions_total{up,web," + string(policy.ReasonBudgetLimited) + "}": 2,
		"usage_problems_total{web," + string(policy.Problems[0]) + ",cpu}":   2,
		"actions_total{up,web,own}":                                          1,
		"actions_total{down,web,own}":                                        2,
		"actions_total{down,web,burst}":                                      0,
		"action_failures_total{web,quota,own}":                               1,
		"action_failures_total{web,not_converged,burst}":                     1,
		"drains_total{web,timed_out,own}":                                    1,
		"drains_total{web,drained,own}":                                      0,
		"foreign_changes_total{web,burst}":                                   1,
		"provisioning_duration_seconds{web,own}":                             2,
		"provisioning_duration_seconds{web,burst}":                           0,
	})
	n, sum, within := c.provisioning["own"].buckets()
	if n != 2 || sum != 3603 || within[2.5] != 0 || within[5] != 1 || within[900] != 1 {
		t.Errorf("%d, %g s, %v, want one within 5 s and one beyond all", n, sum, within)
	}
}

// TestASnapshotIsCountedInNoMore: whoever renders it may take its time.
func TestASnapshotIsCountedInNoMore(t *testing.T) {
	c := NewCounters()
	count := func() {
		c.Decided(decided())
		c.Acted("own", policy.Up)
		c.Failed("own", action.NotConverged)
		c.Drained("own", victims.Drained)
		c.ForeignChange("own")
		c.Provisioned("own", time.Second)
	}
	count()
	s := c.snapshot()
	count()
	if s.actions[actionKey{"own", policy.Up}] != 1 || s.failures[failureKey{"own", action.NotConverged}] != 1 || s.drains[drainKey{"own", victims.Drained}] != 1 ||
		s.foreign["own"] != 1 || s.provisioning["own"].count != 1 || s.provisioning["own"].within[0] != 1 {
		t.Errorf("it has become %+v", s)
	}
	for i := range s.decisions {
		if s.decisions[i] > 1 {
			t.Errorf("the %d-th decision counts %d", i, s.decisions[i])
		}
	}
}

// TestASlowReaderHoldsNobodyUp: while nobody reads what is collected, everything
// is counted.
func TestASlowReaderHoldsNobodyUp(t *testing.T) {
	p := web()
	metrics := make(chan prometheus.Metric)
	go func() {
		collectorOf(p).Collect(metrics)
		close(metrics)
	}()
	n := 0
	for range metrics { // stops reading at each of them
		n++
		done := make(chan struct{})
		go func() {
			p.Counts.ForeignChange("own")
			close(done)
		}()
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Fatal("whoever reads slowly keeps others from counting")
		}
	}
	if n < 100 {
		t.Errorf("%d metrics only", n)
	}
}
