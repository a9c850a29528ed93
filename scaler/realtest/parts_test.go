package realtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestPrometheusScrapesAndReloads(t *testing.T) {
	target := StartPrometheus(t, PrometheusOptions{})
	p := StartPrometheus(t, PrometheusOptions{
		Config: `
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [rules.yml]
scrape_configs:
  - job_name: itself
    static_configs: [{ targets: ["` + strings.TrimPrefix(target.URL, "http://") + `"] }]
`,
		Files: map[string]string{
			"rules.yml": `groups: [{ name: g, rules: [{ record: job:up:sum, expr: sum by (job) (up) }] }]`,
		},
	})
	Eventually(t, 30*time.Second, 200*time.Millisecond, "job:up:sum is 1", func() error {
		return one(p, `job:up:sum{job="itself"}`, 1)
	})

	target.Stop(t)
	Eventually(t, 30*time.Second, 200*time.Millisecond, "job:up:sum is 0", func() error {
		return one(p, `job:up:sum{job="itself"}`, 0)
	})
	target.Restart(t)
	target.WaitHTTP(t, target.URL+"/-/ready")

	p.Reload(t, "scrape_configs: []")
	Eventually(t, 30*time.Second, 200*time.Millisecond, "the rule is gone", func() error {
		samples, err := p.Query(`job:up:sum`)
		if err == nil && len(samples) > 0 {
			err = fmt.Errorf("still there: %v", samples)
		}
		return err
	})
}

func TestPrometheusHasTheHistoryGiven(t *testing.T) {
	Tool(t, "promtool")
	start := time.Now().Add(-3 * time.Hour).Truncate(time.Second)
	p := StartPrometheus(t, PrometheusOptions{
		Backfill: Series(`scale_target_resource:usage:sum{scale_target="web",resource="cpu"}`, start, time.Minute, 1, 2.5, 4) +
			Series(`other`, start, time.Minute, 7),
	})
	samples, err := p.QueryAt(`scale_target_resource:usage:sum`, start.Add(90*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if len(samples) != 1 || samples[0].Value != 2.5 || samples[0].Labels["scale_target"] != "web" {
		t.Errorf("got %v, want one sample of web at 2.5", samples)
	}
	if _, err := p.Query(`sum(`); err == nil {
		t.Error("a query that does not parse gave no error")
	}
}

func TestAlertmanagerHoldsAndSilencesAlerts(t *testing.T) {
	a := StartAlertmanager(t, AlertmanagerOptions{Config: "route: { receiver: none }\nreceivers: [{ name: none }]\n"})
	web := map[string]string{"alertname": "ScaleUp", "scale": "up", "scale_target": "web"}
	a.PostAlerts(t, Alert{Labels: web}, Alert{Labels: map[string]string{"alertname": "ScaleUp", "scale_target": "api"}})

	state := func(want string) {
		t.Helper()
		Eventually(t, 30*time.Second, 100*time.Millisecond, "web is "+want, func() error {
			alerts := a.Alerts(t)
			for _, alert := range alerts {
				if alert.Labels["scale_target"] == "web" && alert.Status.State == want {
					return nil
				}
			}
			return fmt.Errorf("alerts are %+v", alerts)
		})
	}
	state("active")
	id := a.Silence(t, `{scale_target=~"we.", scale!="down"}`, time.Hour)
	state("suppressed")
	a.ExpireSilence(t, id)
	state("active")

	a.PostAlerts(t, Alert{Labels: web, EndsAt: time.Now().Add(-time.Second)})
	Eventually(t, 30*time.Second, 100*time.Millisecond, "web is resolved", func() error {
		if alerts := a.Alerts(t); len(alerts) != 1 {
			return fmt.Errorf("alerts are %+v", alerts)
		}
		return nil
	})
	a.Reload(t, "route: { receiver: other }\nreceivers: [{ name: other }]\n")
}

func TestStaticImageRunsInASwarm(t *testing.T) {
	host := Swarm(t)
	image := StaticImage(t, "realtest-hello", "testdata/hello")
	if again := StaticImage(t, "realtest-hello", "testdata/hello"); again != image {
		t.Errorf("the same program became %s and %s", image, again)
	}
	engine, err := newEngine(host)
	if err != nil {
		t.Fatal(err)
	}

	name := fmt.Sprintf("realtest-%d", time.Now().UnixNano())
	spec := map[string]any{
		"Name":         name,
		"TaskTemplate": map[string]any{"ContainerSpec": map[string]any{"Image": image}},
		"Mode":         map[string]any{"Replicated": map[string]any{"Replicas": 2}},
	}
	if err := engine.call(http.MethodPost, "/services/create", spec, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.call(http.MethodDelete, "/services/"+name, nil, nil); err != nil {
			t.Error(err)
		}
	})

	p := StartPrometheus(t, PrometheusOptions{Config: `
scrape_configs:
  - job_name: cadvisor
    scrape_interval: 1s
    static_configs: [{ targets: ["` + hostPort(StartCadvisor(t)) + `"] }]
`})
	Eventually(t, time.Minute, 500*time.Millisecond, "cAdvisor sees both replicas", func() error {
		return one(p, `count(container_memory_working_set_bytes{container_label_com_docker_swarm_service_name="`+name+`"})`, 2)
	})
}

// one is nil if a query gives one sample of the value.
func one(p *Prometheus, expr string, value float64) error {
	samples, err := p.Query(expr)
	if err != nil {
		return err
	}
	if len(samples) != 1 || samples[0].Value != value {
		return fmt.Errorf("%s gives %v, want one sample of %g", expr, samples, value)
	}
	return nil
}

func hostPort(url string) string {
	host, _, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	return host
}
