package docker

import (
	"net/http"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

// slowHealth makes a container take a second and more to be healthy.
var slowHealth = container.HealthConfig{
	Test:     []string{"CMD", "/alertscaler-test-worker", "--check=http://127.0.0.1:8080/healthz"},
	Interval: time.Second, Timeout: 5 * time.Second, Retries: 30,
}

func TestServiceConformance(t *testing.T) {
	t.Parallel()
	host := realtest.Swarm(t)
	api := dockerd(t, host)
	var clients Clients
	at := func(t *testing.T, host, name string) target.Target {
		return build(t, &ServiceConfig{Name: name, HostConfig: HostConfig{Host: host}, clients: &clients})
	}
	targettest.Run(t, targettest.Harness{
		New: func(t *testing.T) target.Target { return at(t, host, createService(t, api, serviceSpec(t))) },
		Slow: func(t *testing.T) target.Target {
			spec := serviceSpec(t, "--start-delay=1s")
			spec.TaskTemplate.ContainerSpec.Healthcheck = &slowHealth
			return at(t, host, createService(t, api, spec))
		},
		Foreign: func(t *testing.T, tgt target.Target, n int) {
			svc, err := api.ServiceInspect(t.Context(), tgt.(*service).name, client.ServiceInspectOptions{})
			if err != nil {
				t.Fatal(err)
			}
			*svc.Service.Spec.Mode.Replicated.Replicas = uint64(n)
			o := client.ServiceUpdateOptions{Version: svc.Service.Version, Spec: svc.Service.Spec}
			if _, err := api.ServiceUpdate(t.Context(), svc.Service.ID, o); err != nil {
				t.Fatal(err)
			}
		},
		Missing: func(t *testing.T) target.Target { return at(t, host, "no-such-service") },
		Forbidden: func(t *testing.T) target.Target {
			return at(t, faulty(t, host, answers(http.StatusForbidden, "denied by policy")), "x")
		},
		Unreachable: func(t *testing.T) target.Target { return at(t, "unix://"+t.TempDir()+"/docker.sock", "x") },
		Hanging:     func(t *testing.T) target.Target { return at(t, faulty(t, host, hangs), "x") },
		Converge:    converge,
		Poll:        100 * time.Millisecond,
		CallTimeout: 30 * time.Second,
	})
}

func TestContainerConformance(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	var clients Clients
	at := func(t *testing.T, host, template string) target.Target {
		return build(t, &ContainerConfig{Template: template, HostConfig: HostConfig{Host: host}, clients: &clients})
	}
	targettest.Run(t, targettest.Harness{
		New: func(t *testing.T) target.Target { return at(t, host, runContainer(t, api, containerOptions(t))) },
		Slow: func(t *testing.T) target.Target {
			o := containerOptions(t, "--start-delay=1s")
			o.Config.Healthcheck = &slowHealth
			return at(t, host, runContainer(t, api, o))
		},
		// Another server with the same configuration.
		Foreign: func(t *testing.T, tgt target.Target, n int) {
			scale(t, open(t, &ContainerConfig{Template: tgt.(*containers).cfg.Template, HostConfig: HostConfig{Host: host}}), n)
		},
		Missing: func(t *testing.T) target.Target { return at(t, host, "no-such-container") },
		Forbidden: func(t *testing.T) target.Target {
			return at(t, faulty(t, host, answers(http.StatusForbidden, "denied by policy")), "x")
		},
		Unreachable: func(t *testing.T) target.Target { return at(t, "unix://"+t.TempDir()+"/docker.sock", "x") },
		Hanging:     func(t *testing.T) target.Target { return at(t, faulty(t, host, hangs), "x") },
		Converge:    converge,
		Poll:        100 * time.Millisecond,
		CallTimeout: 30 * time.Second,
	})
}

func TestComposeConformance(t *testing.T) {
	t.Parallel()
	host := realtest.Docker(t)
	api := dockerd(t, host)
	var clients Clients
	at := func(t *testing.T, project string) target.Target {
		cfg := webOf(host, project)
		cfg.clients = &clients
		return build(t, cfg)
	}
	targettest.Run(t, targettest.Harness{
		New: func(t *testing.T) target.Target { return at(t, composeUp(t, api, 1)) },
		Foreign: func(t *testing.T, tgt target.Target, n int) {
			project := tgt.(*containers).cfg.Compose.Project
			for i := 2; i <= n; i++ {
				composeRun(t, api, composeOptions(t, project, i))
			}
		},
		Missing: func(t *testing.T) target.Target { return at(t, "no-such-project") },
		Forbidden: func(t *testing.T) target.Target {
			return build(t, webOf(faulty(t, host, answers(http.StatusForbidden, "denied by policy")), "x"))
		},
		Unreachable: func(t *testing.T) target.Target { return build(t, webOf("unix://"+t.TempDir()+"/docker.sock", "x")) },
		Hanging:     func(t *testing.T) target.Target { return build(t, webOf(faulty(t, host, hangs), "x")) },
		Converge:    converge,
		Poll:        100 * time.Millisecond,
		CallTimeout: 30 * time.Second,
	})
}
