package main_test

import (
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/status"
	"github.com/alertscaler/alertscaler/webhook"
)

// labelledService creates a service of idle workers with these labels. What is
// left of it at the test's end is removed.
func labelledService(t *testing.T, name string, labels ...string) {
	t.Helper()
	image := workerImage(t)
	args := []string{"service", "create", "--detach", "--no-resolve-image", "--name", name}
	for _, l := range labels {
		args = append(args, "--label", "alertscaler."+l)
	}
	docker(t, append(args, image, "--addr=:8080")...)
	t.Cleanup(func() {
		if out, err := exec.Command("docker", "service", "rm", name).CombinedOutput(); err != nil && !strings.Contains(string(out), "not found") {
			t.Errorf("remove service: %v\n%s", err, out)
		}
	})
}

// hasPolicy waits until there is a policy of that name, or none.
func (s *server) hasPolicy(what, name string, want bool) {
	s.t.Helper()
	realtest.Eventually(s.t, time.Minute, 100*time.Millisecond, what, func() error {
		var all []status.Policy
		s.get("/api/v1/policies", &all)
		if got := slices.ContainsFunc(all, func(p status.Policy) bool { return p.Name == name }); got != want {
			return fmt.Errorf("there is one: %t, of %d", got, len(all))
		}
		return nil
	})
}

// thing returns what became of a discovered thing.
func (s *server) thing(what string) (webhook.Discovered, error) {
	s.t.Helper()
	var all []webhook.DiscoveryStatus
	s.get("/api/v1/status/discovery", &all)
	for _, d := range all {
		for _, t := range d.Things {
			if t.What == what {
				return t, nil
			}
		}
	}
	return webhook.Discovered{}, errors.New("it was not found")
}

// TestDiscovery: a labelled Swarm service is scaled without a line of its own
// in the configuration, until it vanishes; and goes on where it was when it
// comes back.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	realtest.Swarm(t)
	name := fmt.Sprintf("acceptance-discovery-%d", time.Now().UnixNano())
	what := "service " + name
	// Other tests label services too: none but those of this one are touched.
	const config = `
global: { evaluation_interval: 500ms, mode: off }
discovery:
  - { name: swarm, docker_services: {}, refresh_interval: 500ms }
`
	s := startServer(t, config)

	labelledService(t, name, "enable=true", "max=4", "mode=on")
	s.hasPolicy("it appears", name, true)
	s.eventually(time.Minute, "its replica", name, replicas(1))
	if st := s.policy(name); st.Discovery != "swarm" || st.Max != 4 || st.Mode != policy.ModeOn {
		t.Errorf("status %+v", st)
	}
	s.fire("up", name)
	s.eventually(time.Minute, "the alert scales it", name, replicas(2))
	if got := serviceReplicas(t, name); got != "2" {
		t.Errorf("the service has %s replicas, want 2", got)
	}

	docker(t, "service", "update", "--detach", "--no-resolve-image", "--label-add", "alertscaler.ratio=2", name)
	realtest.Eventually(t, time.Minute, 100*time.Millisecond, "a bad label is reported", func() error {
		got, err := s.thing(what)
		if err == nil && (len(got.Problems) != 1 || got.Problems[0].Label != "alertscaler.ratio" || got.Problems[0].Value != "2" || got.Policy != name) {
			err = fmt.Errorf("%+v", got)
		}
		return err
	})
	if got := s.metric(`alertscaler_discovery_problems{discovery="swarm"}`); got == "0" {
		t.Error("the problem is not counted")
	}
	if got := s.metric(`alertscaler_config_last_reload_successful`); got != "1" {
		t.Errorf("the file is blamed for a label: last reload successful %s", got)
	}
	if text := s.text("/api/v1/status/config"); strings.Contains(text, name) {
		t.Errorf("what was discovered is shown as configured: %s", text)
	}
	// The file is read again: what was discovered stays.
	s.configure(config + "policies: [ { name: web, max: 2, targets: [ { name: local, process: { command: [sleep, '1000'] } } ] } ]\n")
	if code, text := s.post("/-/reload", ""); code != http.StatusOK {
		t.Fatalf("reload: %d %s", code, text)
	}
	for _, p := range []string{name, "web"} {
		if st := s.policy(p); st.Name != p {
			t.Errorf("after the reload: %+v", st)
		}
	}

	cooldown := s.policy(name).CooldownUpUntil
	docker(t, "service", "rm", name)
	s.hasPolicy("it vanishes", name, false)
	var decisions []policy.Decision
	s.get("/api/v1/decisions?limit=1000&policy="+name, &decisions)
	if !slices.ContainsFunc(decisions, func(d policy.Decision) bool { return d.Act && d.Reason == policy.ReasonScaledUp }) {
		t.Errorf("the ledger has %d decisions of it, and not the one that scaled it", len(decisions))
	}

	realtest.Eventually(t, time.Minute, 200*time.Millisecond, "it comes back", func() error {
		_, err := exec.Command("docker", "service", "inspect", name).Output()
		if err == nil {
			return errors.New("the old one is there still")
		}
		return nil
	})
	labelledService(t, name, "enable=true", "max=4", "mode=on")
	s.hasPolicy("it is back", name, true)
	if got := s.policy(name).CooldownUpUntil; !got.Equal(cooldown) {
		t.Errorf("it cools down until %s, before it had vanished until %s", got, cooldown)
	}

	// And a restarted server knows it from the start.
	s.restart()
	s.hasPolicy("after a restart", name, true)
	if got := s.policy(name).CooldownUpUntil; !got.Equal(cooldown) {
		t.Errorf("after a restart it cools down until %s, before until %s", got, cooldown)
	}
}
