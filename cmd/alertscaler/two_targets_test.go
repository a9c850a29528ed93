package main_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// TestTwoTargets is one policy over a pool of processes and a Swarm service.
// The pool has room for three; what it cannot take the service gets within the
// same evaluation, and gives up first.
func TestTwoTargets(t *testing.T) {
	t.Parallel()
	realtest.Swarm(t)
	service := swarmService(t)
	s := startServer(t, fmt.Sprintf(`
global: { evaluation_interval: 500ms }
policies:
  - name: web
    min: 2
    max: 6
    alert_step: { up: 4, down: 3 }
    scale_up: { cooldown: 1s }
    scale_down: { cooldown: 1s }
    strategy: priority
    targets:
      - name: host
        process: { command: [sleep, "1000"], max_replicas: 3 }
      - name: swarm
        docker_service: { name: %s }
`, service))
	s.eventually(40*time.Second, "the minimum, which the pool fills up", "web", replicas(2))
	s.placed("web", policy.ReasonBelowMin, []policy.Placement{{Target: "host", From: 0, To: 1}, {Target: "swarm", From: 1, To: 1}})

	s.fire("up", "web")
	s.eventually(time.Minute, "four more", "web", replicas(6))
	s.placed("web", policy.ReasonScaledUp, []policy.Placement{{Target: "host", From: 1, To: 3}, {Target: "swarm", From: 1, To: 3}})
	if got := serviceReplicas(t, service); got != "3" {
		t.Errorf("the service has %s replicas, want 3", got)
	}

	s.deliver("resolved", "up", "web")
	s.fire("down", "web")
	s.eventually(time.Minute, "down to the minimum", "web", replicas(2))
	// The last in the order written loses first, and the first only then.
	s.placed("web", policy.ReasonScaledDown, []policy.Placement{{Target: "host", From: 3, To: 3}, {Target: "swarm", From: 3, To: 0}})
	s.placed("web", policy.ReasonAtMin, []policy.Placement{{Target: "host", From: 3, To: 2}, {Target: "swarm", From: 0, To: 0}})
	if got := serviceReplicas(t, service); got != "0" {
		t.Errorf("the service has %s replicas, want none", got)
	}
}

// TestRefusalFailsOver is the other way round: the service is asked first, and
// its Engine refuses. The processes get all of it in the same evaluation, and
// the service is left alone for a while.
func TestRefusalFailsOver(t *testing.T) {
	t.Parallel()
	g := newGate(t, realtest.Swarm(t))
	service := swarmService(t)
	s := startServer(t, fmt.Sprintf(`
global: { evaluation_interval: 500ms }
policies:
  - name: web
    min: 1
    max: 8
    alert_step: { up: 3, down: 3 }
    scale_up: { cooldown: 10m }
    scale_down: { cooldown: 1s }
    targets:
      - name: swarm
        docker_service: { name: %s, host: %s }
      - name: host
        process: { command: [sleep, "1000"] }
`, service, g.host))
	s.eventually(40*time.Second, "one replica", "web", replicas(1))
	g.set("refuse")
	s.fire("up", "web")
	s.eventually(time.Minute, "three more", "web", replicas(4))
	d := s.placed("web", policy.ReasonScaledUp, []policy.Placement{{Target: "swarm", From: 1, To: 1}, {Target: "host", From: 0, To: 3}})
	t.Log(d.Explain())
	if got := s.metric(`alertscaler_action_failures_total{policy="web",reason="unauthorized",target="swarm"}`); got != "1" {
		t.Errorf("%s failures, want 1", got)
	}
	if got := s.metric(`alertscaler_actions_total{direction="up",policy="web",target="host"}`); got != "1" {
		t.Errorf("the processes were asked %s times, want once", got)
	}
	if until := s.policy("web").Targets[0].BackoffUntil; time.Until(until) < 4*time.Minute {
		t.Errorf("the service is left alone until %s, want about five minutes", until)
	}

	// It is the better target still: the processes go first.
	g.set("")
	s.deliver("resolved", "up", "web")
	s.fire("down", "web")
	s.eventually(time.Minute, "down to the minimum", "web", replicas(1))
	s.placed("web", policy.ReasonScaledDown, []policy.Placement{{Target: "swarm", From: 1, To: 1}, {Target: "host", From: 3, To: 0}})
	if got := g.reachedEngine(); got != 0 {
		t.Errorf("%d updates reached the Engine, want none", got)
	}
}

// placed finds the decision for that reason with these placements.
func (s *server) placed(name string, reason policy.Reason, want []policy.Placement) policy.Decision {
	s.t.Helper()
	var decisions []policy.Decision
	s.get("/api/v1/decisions?limit=1000&policy="+name, &decisions)
	var diff string
	for _, d := range decisions {
		if !d.Act || d.Reason != reason {
			continue
		}
		if diff = cmp.Diff(want, d.Placements); diff == "" {
			return d
		}
	}
	s.t.Errorf("no decision has the reason %s and these placements (-want +got):\n%s", reason, diff)
	for i := range decisions {
		s.t.Log(decisions[i].Explain())
	}
	return policy.Decision{}
}
