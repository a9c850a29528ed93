package ansible

import (
	"crypto/rand"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

// TestConformance scales the hosts of a dynamic inventory. A playbook in place
// of the real one serves as well for what the suite asks: when is it run, with
// which number, and what is told meanwhile and afterwards.
func TestConformance(t *testing.T) {
	t.Parallel()
	at := func(t *testing.T, changes string) target.Target {
		p := build(t, newSite(t, setCount).config(t, standIns+"\n"+changes))
		hasten(p)
		return p
	}
	targettest.Run(t, targettest.Harness{
		New: func(t *testing.T) target.Target { return at(t, "") },
		Slow: func(t *testing.T) target.Target {
			return at(t, "current: { group: web, ready: { command: [./ready.sh] } }")
		},
		Foreign: func(t *testing.T, tgt target.Target, n int) {
			site{tgt.(*playbook).environment.dir}.set(t, n)
		},
		Missing: func(t *testing.T) target.Target { return at(t, "current: { group: nobody }") },
		Unreachable: func(t *testing.T) target.Target {
			return at(t, `current: { group: "", command: [bash, -c, "echo hello >/dev/tcp/127.0.0.1/1"] }`)
		},
		Hanging:     func(t *testing.T) target.Target { return at(t, `current: { group: "", command: [sleep, "1000"] }`) },
		Converge:    time.Minute,
		Poll:        20 * time.Millisecond,
		CallTimeout: time.Minute,
	})
}

// TestAnsibleConformance does it by the real ansible-playbook and
// ansible-inventory.
func TestAnsibleConformance(t *testing.T) {
	t.Parallel()
	realtest.Tool(t, "ansible-playbook")
	at := func(t *testing.T, changes string) target.Target {
		return build(t, newSite(t, setCount).config(t, changes))
	}
	targettest.Run(t, targettest.Harness{
		New: func(t *testing.T) target.Target { return at(t, "") },
		Slow: func(t *testing.T) target.Target {
			return at(t, "current: { group: web, ready: { command: [./ready.sh] } }")
		},
		Converge:    time.Minute,
		Poll:        time.Second,
		CallTimeout: time.Minute,
	}, "ScaleUpAndDown", "RequestedBeforeReady")
}

// TestSwarmConformance scales a Swarm service by a playbook that calls docker
// service scale.
func TestSwarmConformance(t *testing.T) {
	t.Parallel()
	realtest.Tool(t, "ansible-playbook")
	docker := realtest.Tool(t, "docker")
	host := realtest.Swarm(t)
	image := realtest.StaticImage(t, "alertscaler-test-worker", targettest.WorkerPackage)
	run := func(t *testing.T, args ...string) {
		t.Helper()
		if out, err := exec.Command(docker, append([]string{"--host", host}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("docker %q: %v\n%s", args, err, out)
		}
	}
	const inspect = "{{ .Spec.Mode.Replicated.Replicas }}"
	targettest.Run(t, targettest.Harness{
		New: func(t *testing.T) target.Target {
			name := "ansible-" + strings.ToLower(rand.Text()[:8])
			run(t, "service", "create", "--detach", "--name", name, "--label", "alertscaler.test=true", "--stop-grace-period=1s", image)
			t.Cleanup(func() { run(t, "service", "rm", name) })
			s := newSite(t, `
    - name: scale the service
      ansible.builtin.command:
        argv: [docker, service, scale, --detach, "{{ service }}={{ alertscaler_desired_replicas }}"]
`)
			return build(t, s.config(t, fmt.Sprintf(`
current: { group: "", command: [docker, service, inspect, --format, %q, %s] }
extra_vars: { service: %s }
env: { DOCKER_HOST: %q }`, inspect, name, name, host)))
		},
		Foreign: func(t *testing.T, tgt target.Target, n int) {
			run(t, "service", "scale", "--detach", fmt.Sprintf("%s=%d", tgt.(*playbook).cfg.ExtraVars["service"], n))
		},
		Converge:    time.Minute,
		Poll:        time.Second,
		CallTimeout: time.Minute,
		MaxReplicas: 3,
	}, "ScaleUpAndDown", "ForeignChange")
}
