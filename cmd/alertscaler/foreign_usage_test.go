package main_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/status"
)

// Whatever Prometheus answers while a down alert fires, the server lives and
// the replicas stay, until there is a number again.
func TestWhateverPrometheusAnswers(t *testing.T) {
	t.Parallel()
	p := startSlowPrometheus(t)
	s := startServer(t, fmt.Sprintf(`
global: { evaluation_interval: 200ms }
prometheus: { url: %s, timeout: 60s }
policies:
  - name: web
    min: 1
    max: 8
    resources:
      - { name: cpu, capacity_per_replica: 1, min_coverage: 0 }
      - { name: jobs, usage: sum(jobs), capacity_per_replica: 1 }
      - { name: queue, usage: queue, capacity_per_replica: 1 }
    scale_up: { step: { replicas: 8, per: 1s } }
    scale_down: { stabilization: 0s, cooldown: 0s, step: { replicas: 8, per: 1s } }
    targets:
      - name: local
        process: { command: [sleep, "1000"] }
`, p.URL))
	s.fire("up", "web")
	s.eventually(time.Minute, "five replicas", "web", replicas(5))
	answer := func(raw string) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.raw = raw
	}
	answer("null")
	s.deliver("resolved", "up", "web")
	s.fire("down", "web")

	vector := func(value string) string {
		return `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"scale_target":"web","resource":"cpu"}` + value + `}]}}`
	}
	ahead := fmt.Sprintf(`,"value":[%d,"1"]`, time.Now().Add(365*24*time.Hour).Unix())
	for _, raw := range []string{
		"null", "{}", `{"status":"success"}`, `{"status":"success","data":null}`, `{"status":"success","data":{}}`,
		`{"status":"success","data":{"resultType":"vector","result":null}}`, `{"status":"success","data":{"resultType":"scalar","result":null}}`,
		vector(""), vector(`,"value":null`), vector(`,"value":[]`), vector(`,"value":[@]`), vector(`,"value":[@,null]`), vector(`,"value":[@,1]`), vector(`,"value":[@,"1","1"]`),
		vector(ahead), vector(`,"value":[@,"1"]`) + "{}", vector(`,"value":[@,"-1"]`), vector(`,"value":[@,"NaN"]`), vector(`,"value":[@,"1"]`), // of 1970
		"<html>sign in</html>",
	} {
		answer(raw)
		since := time.Now()
		s.eventually(time.Minute, "it is decided by "+raw, "web", func(st status.Policy) error {
			// The shipped series are read once a second at most.
			if st.Last == nil || !st.Last.Time.After(since.Add(1500*time.Millisecond)) {
				return fmt.Errorf("not yet")
			}
			return nil
		})
		st := s.policy("web")
		if requested, _ := counts(st); requested != 5 || st.Last.Reason == policy.ReasonScaledDown {
			t.Fatalf("%d replicas, by %s: %s", requested, raw, st.Explanation)
		}
		// Of the sum nobody knows when it was sampled: its number is clean.
		if !strings.Contains(st.Explanation, "cpu is unknown") || !strings.Contains(st.Explanation, "queue is unknown") {
			t.Errorf("by %s: %s", raw, st.Explanation)
		}
	}
	if got := s.metric("alertscaler_usage_panics_total"); got != "0" {
		t.Errorf("%s panics", got)
	}
	p.set("1.5")
	answer("")
	s.eventually(time.Minute, "two replicas by a number", "web", replicas(2))
}
