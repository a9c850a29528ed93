package main_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/status"
)

// TestDockerLoop is the whole loop: cAdvisor measures a Swarm service under
// load, Prometheus evaluates the shipped rules and alerts, Alertmanager
// delivers them, and Alertscaler scales the service up and, once the load is
// gone, back to one replica. The rules are hastened.
func TestDockerLoop(t *testing.T) {
	t.Parallel()
	realtest.Swarm(t)
	cadvisor := realtest.StartCadvisor(t)
	service := swarmService(t, "--limit-cpu", "0.2")

	port := realtest.FreePort(t)
	am := realtest.StartAlertmanager(t, realtest.AlertmanagerOptions{Config: example(t, "alertmanager.yml", map[string]string{
		"127.0.0.1:19920":     fmt.Sprintf("127.0.0.1:%d", port),
		"group_interval: 10s": "group_interval: 1s",
	})})
	rules, ruleFiles := hastenedRules(t, "docker.scale.yml", "1m")
	prom := realtest.StartPrometheus(t, realtest.PrometheusOptions{
		Files: rules,
		Config: fmt.Sprintf(`
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [%s]
alerting: { alertmanagers: [ { static_configs: [ { targets: ["%s"] } ] } ] }
scrape_configs:
  - job_name: cadvisor
    track_timestamps_staleness: true
    static_configs: [ { targets: ["%s"] } ]
  - job_name: alertscaler
    static_configs: [ { targets: ["127.0.0.1:%d"] } ]
`, ruleFiles, hostOf(am.URL), hostOf(strings.TrimSuffix(cadvisor, "/metrics")), port),
	})
	s := startServerOn(t, port, fmt.Sprintf(`
global: { evaluation_interval: 1s }
prometheus: { url: %s }
alertmanager: { url: %s, resync_interval: 2s }
policies:
  - name: %s
    min: 1
    max: 4
    resources: [ { name: cpu, reservation: { ratio: 0.3 } } ]
    scale_down: { stabilization: 5s, cooldown: 2s, step: { ratio: 1, per: 1s } }
    targets:
      - name: swarm
        docker_service: { name: %s }
`, prom.URL, am.URL, service, service))
	s.eventually(time.Minute, "one replica at the start", service, replicas(1))

	stop := load(t, service)
	defer stop()
	s.eventually(4*time.Minute, "the load scales up", service, func(st status.Policy) error {
		if requested, ready := counts(st); requested < 2 || ready != requested {
			return fmt.Errorf("%d requested, %d ready, %d up alerts; %s", requested, ready, st.AlertsUp, st.Explanation)
		}
		return nil
	})
	t.Logf("up: %s", s.policy(service).Explanation)
	stop()
	s.eventually(4*time.Minute, "back to one replica once the load is gone", service, replicas(1))

	var decisions []policy.Decision
	s.get("/api/v1/decisions?limit=1000&policy="+service, &decisions)
	for i := range decisions {
		if d := decisions[len(decisions)-1-i]; d.Act {
			t.Logf("%s %s", d.Time.Format(time.TimeOnly), d.Explain())
		}
	}
}

// load keeps every replica of the service busy until the returned function is
// called: together they are asked for about half a core.
func load(t *testing.T, service string) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	client := &http.Client{Timeout: 10 * time.Second}
	var addresses atomic.Pointer[[]string]
	addresses.Store(&[]string{})
	workers.Go(func() {
		for ctx.Err() == nil {
			if found := containerAddresses(ctx, service); len(found) > 0 {
				addresses.Store(&found)
			}
			pause(ctx, time.Second)
		}
	})
	// Twelve requests of 40 ms a second, spread evenly.
	var n atomic.Int64
	for range 4 {
		workers.Go(func() {
			for ctx.Err() == nil {
				if as := *addresses.Load(); len(as) > 0 {
					url := "http://" + as[int(n.Add(1))%len(as)] + ":8080/?ms=40"
					if resp, err := client.Get(url); err == nil {
						resp.Body.Close()
					}
				}
				pause(ctx, 290*time.Millisecond)
			}
		})
	}
	return func() { cancel(); workers.Wait() }
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// containerAddresses are the addresses of the service's containers on the
// Engine's own network, which this host reaches.
func containerAddresses(ctx context.Context, service string) []string {
	ids, err := exec.CommandContext(ctx, "docker", "ps", "--quiet", "--filter", "label=com.docker.swarm.service.name="+service).Output()
	if err != nil || len(ids) == 0 {
		return nil
	}
	args := append([]string{"inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"}, strings.Fields(string(ids))...)
	out, err := exec.CommandContext(ctx, "docker", args...).Output()
	if err != nil {
		return nil
	}
	return strings.Fields(string(out))
}

// example is a file of the demo with addresses replaced.
func example(t *testing.T, name string, replace map[string]string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "examples", "demo", name))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for from, to := range replace {
		if !strings.Contains(text, from) {
			t.Fatalf("%s does not name %s", name, from)
		}
		text = strings.ReplaceAll(text, from, to)
	}
	return text
}

// shippedRules are the rule files as users load them: of what is there in parts
// too, the whole.
func shippedRules(t *testing.T) (files map[string]string, names string) {
	t.Helper()
	paths, err := filepath.Glob("../../rules/*.yml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no shipped rules: %v", err)
	}
	files = make(map[string]string)
	var list []string
	for _, p := range paths {
		name := filepath.Base(p)
		if strings.HasSuffix(name, ".rules.yml") && name != "objective.rules.yml" || name == "scale.alerts.yml" {
			continue
		}
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(p)] = string(b)
		list = append(list, filepath.Base(p))
	}
	return files, strings.Join(list, ", ")
}

// hastenedRules are the shipped rules. Shorter than shipped are how often they
// are evaluated, how long ScaleDown must hold, and how far the rates of the
// platform's file look back: ten seconds of a scrape each second are more samples
// than those have as shipped. What the rules say is unchanged.
func hastenedRules(t *testing.T, platform, lookBack string) (files map[string]string, names string) {
	t.Helper()
	files, names = shippedRules(t)
	hasten := func(name, from, to string) {
		t.Helper()
		if !strings.Contains(files[name], from) {
			t.Fatalf("%s does not say %s", name, from)
		}
		files[name] = strings.ReplaceAll(files[name], from, to)
	}
	for name, text := range files {
		files[name] = strings.NewReplacer("interval: 15s", "interval: 1s", "interval: 5s", "interval: 1s").Replace(text)
	}
	hasten(platform, "for: 2m", "for: 5s")
	hasten(platform, "["+lookBack+"]", "[10s]")
	hasten(platform, "offset "+lookBack, "offset 10s")
	return files, names
}

func hostOf(url string) string { return strings.TrimPrefix(url, "http://") }
