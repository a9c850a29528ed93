package main_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// testKubernetesLoop is the whole loop: Prometheus evaluates the shipped rules
// and alerts over what monitoring says of a Deployment, Alertmanager delivers,
// and the Deployment is scaled up with its load, and down with it. The rules are
// hastened.
func testKubernetesLoop(t *testing.T, k *realtest.Kubernetes) {
	metrics := k.StartMetrics(t)
	web := deployment(t, k)
	metrics.SetLoad("default", web, 0.1)

	port := realtest.FreePort(t)
	am := realtest.StartAlertmanager(t, realtest.AlertmanagerOptions{Config: example(t, "alertmanager.yml", map[string]string{
		"127.0.0.1:19920":     fmt.Sprintf("127.0.0.1:%d", port),
		"group_interval: 10s": "group_interval: 1s",
	})})
	rules, names := hastenedRules(t, "kubernetes.scale.yml", "2m")
	prom := realtest.StartPrometheus(t, realtest.PrometheusOptions{
		Files: rules,
		Config: fmt.Sprintf(`
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [%s]
alerting: { alertmanagers: [ { static_configs: [ { targets: ["%s"] } ] } ] }
scrape_configs:
  - job_name: kube-state-metrics
    honor_labels: true
    static_configs: [ { targets: ["%[3]s"] } ]
  - job_name: kubelet
    honor_labels: true
    metrics_path: /metrics/cadvisor
    relabel_configs: [ { source_labels: [__metrics_path__], target_label: metrics_path } ]
    static_configs: [ { targets: ["%[3]s"] } ]
  - job_name: alertscaler
    static_configs: [ { targets: ["127.0.0.1:%[4]d"] } ]
`, names, hostOf(am.URL), metrics.Address, port),
	})
	s := startServerOn(t, port, fmt.Sprintf(`
global: { evaluation_interval: 1s }
prometheus: { url: %s }
alertmanager: { url: %s, resync_interval: 2s }
policies:
  - name: web
    scale_target: default/%[3]s
    min: 1
    max: 8
    resources: [ { name: cpu, reservation: { ratio: 0.3 } }, { name: memory } ]
    scale_up: { step: { replicas: 8, per: 1s } }
    scale_down: { stabilization: 5s, cooldown: 2s, step: { replicas: 8, per: 1s } }
    targets:
      - name: cluster
        kubernetes: { namespace: default, name: %[3]s, kubeconfig: %[4]q }
`, prom.URL, am.URL, web, k.Kubeconfig(t, realtest.KubernetesAdmin+"-token")))
	s.eventually(time.Minute, "one replica at the start", "web", replicas(1))
	realtest.Eventually(t, time.Minute, 200*time.Millisecond, "Prometheus has usage of the Deployment", func() error {
		got, err := prom.Query(`scale_target_resource:usage:sum{scale_target="default/` + web + `",resource="cpu"}`)
		if err == nil && len(got) != 1 {
			err = fmt.Errorf("%v", got)
		}
		return err
	})
	time.Sleep(5 * time.Second)
	if n, moves := requested(t, k, "default", web); n != 1 || moves != 0 {
		t.Errorf("a fifth of what it has scaled it to %d, in %d moves", n, moves)
	}

	// With 30 % free 1.2 cores need 1.72, and each pod has half a one.
	metrics.SetLoad("default", web, 1.2)
	s.eventually(4*time.Minute, "the load scales up", "web", replicas(4))
	t.Logf("up: %s", s.policy("web").Explanation)

	// 0.4 need 0.58.
	metrics.SetLoad("default", web, 0.4)
	s.eventually(6*time.Minute, "less of it scales down", "web", replicas(2))
	t.Logf("down: %s", s.policy("web").Explanation)
}
