package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

var (
	out       = flag.String("samples", "", "measure, and write the samples to this `file`")
	workloads = flag.Int("workloads", 40, "how many steps of the load are measured of each setup")
	only      = flag.String("setups", "", "measure only setups whose name contains this")
)

// setups are what is measured. At each scrape interval the rules are evaluated as
// often as is scraped, and every 5 s.
var setups = []Setup{
	{Name: "5 s", Scrape: 5, Rules: 5},
	{Name: "15 s", Scrape: 15, Rules: 15},
	{Name: "30 s", Scrape: 30, Rules: 30},
	{Name: "15 s, rules every 5 s", Scrape: 15, Rules: 5},
	{Name: "30 s, rules every 5 s", Scrape: 30, Rules: 5},
	{Name: "5 s, rules in parts", Scrape: 5, Rules: 5, Parts: true},
	{Name: "15 s, rules in parts", Scrape: 15, Rules: 15, Parts: true},
	{Name: "30 s, rules in parts", Scrape: 30, Rules: 30, Parts: true},
}

// TestReaction measures all setups, if told where to write to: see make
// bench-reaction. Each setup has a Prometheus, an Alertmanager and an Alertscaler of
// its own; they share the Kubernetes API server and the controller of HPA. As they
// wait most of their time, -parallel of them are measured at once.
//
// Told nothing, it takes two steps of the first setup, too few to measure and enough
// to see that both scalers do their part.
func TestReaction(t *testing.T) {
	realtest.Tool(t, "prometheus")
	realtest.Tool(t, "alertmanager")
	k := realtest.StartKubernetes(t)
	l := &lab{
		k: k, actor: startActor(t, k), hpas: startHPA(t, k),
		alertscaler: realtest.GoBuild(t, "github.com/alertscaler/alertscaler/cmd/alertscaler"),
	}
	if *out == "" {
		l.small(t)
		return
	}
	measured := make([]Measured, len(setups))
	t.Run("setups", func(t *testing.T) {
		for i, s := range setups {
			if !strings.Contains(s.Name, *only) {
				continue
			}
			// A test of its own, so that what it started ends with it.
			t.Run(s.Name, func(t *testing.T) {
				t.Parallel()
				measured[i] = Measured{Setup: s, Samples: l.measure(t, i, s, thorough(s))}
			})
		}
	})
	measured = slices.DeleteFunc(measured, func(m Measured) bool { return len(m.Samples) == 0 })
	b, err := json.MarshalIndent(measured, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(*out, append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// lab is what the setups share.
type lab struct {
	k           *realtest.Kubernetes
	actor       *actor
	hpas        *hpas
	alertscaler string // its program
}

// small says of each step what must be true of it at any speed.
func (l *lab) small(t *testing.T) {
	few := pace{workloads: 2, settle: time.Second, window: 2 * time.Second}
	samples := l.measure(t, 0, setups[0], few)
	if len(samples) != few.workloads {
		t.Errorf("%d samples, want %d", len(samples), few.workloads)
	}
	for _, s := range samples {
		for _, order := range []struct {
			first, then string
			ok          bool
		}{
			{"the step", "the scrape", s.Scraped > 0},
			{"the step", "the alert", s.Alerted > 0},
			{"the scrape", "the evaluation after it", s.Scraped < s.Evaluated},
			{"the scrape", "Alertscaler's last replica", s.Scraped < s.Alertscaler},
			{"the alert", "Alertscaler's last replica", s.Alerted < s.Alertscaler},
			{"the scrape", "HPA's last replica", s.Scraped < s.HPA},
		} {
			if !order.ok {
				t.Errorf("%s must be before %s: %+v", order.first, order.then, s)
			}
		}
	}
}

// pace is how many steps are taken, and in what time.
type pace struct {
	workloads int           // each has one step
	spread    time.Duration // within which the HPAs are made
	settle    time.Duration // from then to the first step, at the least
	window    time.Duration // within which the steps are
}

// thorough is enough for figures. HPAs work at phases of their own, as those of a
// cluster do that were not all made at once.
func thorough(s Setup) pace {
	return pace{
		workloads: *workloads,
		spread:    hpaSync * time.Second,
		settle:    max(seconds(2*s.Scrape), 20*time.Second),
		window:    seconds(2 * max(s.Scrape, hpaSync)),
	}
}

// measure raises the load of workloads, each once and at a moment of its own, and
// waits until all of them have what they need.
func (l *lab) measure(t *testing.T, id int, s Setup, p pace) []Sample {
	all := make([]*workload, p.workloads)
	for i := range all {
		name := fmt.Sprintf("s%d-w%d", id, i)
		all[i] = &workload{name: name, load: before, copies: [2]*scaled{{name: name + "-a"}, {name: name + "-h"}}}
		l.actor.add(all[i])
		all[i].create(t, l.k)
	}
	prom, server := l.start(t, s, all)

	t.Cleanup(func() {
		for _, w := range all {
			_ = l.k.Try("DELETE", "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/"+w.copies[1].name, nil, nil)
			for _, c := range w.copies {
				_ = l.k.Try("DELETE", "/api/v1/namespaces/default/replicationcontrollers/"+c.name, nil, nil)
			}
		}
	})
	realtest.Eventually(t, 4*time.Minute, time.Second, "the usage of every workload is recorded", func() error {
		got, err := prom.Query(`count(scale_target_resource:usage:sum{resource="memory"} > 0)`)
		if err == nil && (len(got) != 1 || int(got[0].Value) != len(all)) {
			err = fmt.Errorf("%v of %d", got, len(all))
		}
		return err
	})
	for _, w := range all {
		l.hpas.scale(t, w.copies[1], usage(prom, w.copies[1].name))
		time.Sleep(p.spread / time.Duration(len(all)))
	}
	time.Sleep(p.settle)
	for _, w := range all {
		for _, c := range w.copies {
			if ready := w.readyOf(c); ready != before {
				t.Fatalf("%s has %d replicas before the step, want %d", c.name, ready, before)
			}
		}
	}

	began := time.Now()
	for i, w := range all {
		// At random, and one in each part of the window, so that few samples tell of
		// all phases.
		time.AfterFunc(time.Duration((float64(i)+rand.Float64())/float64(len(all))*float64(p.window)), w.rise)
	}
	realtest.Eventually(t, p.window+seconds(4*s.Scrape)+2*time.Minute, time.Second, "all workloads have what they need", func() error {
		var left []string
		for _, w := range all {
			left = append(left, w.left()...)
		}
		if len(left) > 0 {
			return fmt.Errorf("not so %s", strings.Join(left, ", "))
		}
		return nil
	})
	t.Logf("%s: all served %s after the first step", s.Name, time.Since(began).Round(time.Second))
	samples := make([]Sample, 0, len(all))
	for _, w := range all {
		one := w.sample(t, prom)
		if one.Alertscaler-one.Alerted > 2 {
			t.Logf("%s: %.1f s after the alert; what was decided:\n%s", w.name, one.Alertscaler-one.Alerted, decisions(t, server, w.copies[0].name))
		}
		samples = append(samples, one)
	}
	return samples
}

// usage is what HPA goes by: what was scraped, in capacities of one replica.
func usage(prom *realtest.Prometheus, name string) func() (float64, error) {
	query := fmt.Sprintf(`sum(container_memory_working_set_bytes{pod=~"%s-[0-9]+"}) / %d`, name, int(capacity))
	return func() (float64, error) {
		got, err := prom.Query(query)
		if err != nil {
			return 0, err
		}
		if len(got) != 1 {
			return 0, fmt.Errorf("%d series", len(got))
		}
		return got[0].Value, nil
	}
}

// interval is how often a group is evaluated.
var interval = regexp.MustCompile(`interval: \d+s`)

// start runs Prometheus, Alertmanager and Alertscaler until the test ends. The last
// is at server.
func (l *lab) start(t *testing.T, s Setup, all []*workload) (_ *realtest.Prometheus, server string) {
	metrics, port := expose(t, all), realtest.FreePort(t)
	am := realtest.StartAlertmanager(t, realtest.AlertmanagerOptions{
		Config: strings.ReplaceAll(read(t, "../../examples/demo/alertmanager.yml"), "127.0.0.1:19920", fmt.Sprintf("127.0.0.1:%d", port)),
	})
	names := []string{"kubernetes.scale.yml"}
	if s.Parts {
		names = []string{"kubernetes.rules.yml", "scale.rules.yml", "scale.alerts.yml"}
	}
	files := make(map[string]string)
	for _, name := range names {
		files[name] = interval.ReplaceAllString(read(t, "../../rules/"+name), "interval: "+seconds(s.Rules).String())
	}
	var targets strings.Builder
	for _, w := range all {
		fmt.Fprintf(&targets, "      - { targets: [%q], labels: { __metrics_path__: /w/%[2]s, metrics_path: /metrics/cadvisor, instance: %[2]s } }\n", metrics, w.name)
	}
	prom := realtest.StartPrometheus(t, realtest.PrometheusOptions{Files: files, Config: fmt.Sprintf(`
global: { scrape_interval: %[1]s, evaluation_interval: %[1]s, scrape_timeout: 5s }
rule_files: [%[2]s]
alerting: { alertmanagers: [ { static_configs: [ { targets: [%[3]q] } ] } ] }
scrape_configs:
  - job_name: alertscaler
    static_configs: [ { targets: ["127.0.0.1:%[4]d"] } ]
  - job_name: kube-state-metrics
    honor_labels: true
    metrics_path: /states
    static_configs: [ { targets: [%[5]q] } ]
  - job_name: kubelet
    honor_labels: true
    static_configs:
%[6]s`, seconds(s.Scrape), strings.Join(names, ", "), strings.TrimPrefix(am.URL, "http://"), port, metrics, targets.String())})

	var policies strings.Builder
	kubeconfig := l.k.Kubeconfig(t, realtest.KubernetesAdmin+"-token")
	for _, w := range all {
		fmt.Fprintf(&policies, `
  - name: %[1]s
    scale_target: default/%[1]s
    min: 1
    max: 20
    resources: [ { name: memory, reservation: { ratio: %[2]g } } ]
    targets: [ { name: cluster, kubernetes: { api_version: v1, kind: ReplicationController, namespace: default, name: %[1]s, kubeconfig: %[3]q } } ]
`, w.copies[0].name, free, kubeconfig)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "alertscaler.yml")
	if err := os.WriteFile(config, []byte(fmt.Sprintf("prometheus: { url: %s }\nalertmanager: { url: %s }\npolicies:%s", prom.URL, am.URL, policies.String())), 0o600); err != nil {
		t.Fatal(err)
	}
	server = fmt.Sprintf("http://127.0.0.1:%d", port)
	realtest.Start(t, l.alertscaler, "--config.file="+config, "--storage.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+strings.TrimPrefix(server, "http://")).WaitHTTP(t, server+"/-/ready")
	return prom, server
}

// decisions are the last of a policy, as the API gives them.
func decisions(t *testing.T, server, policy string) string {
	t.Helper()
	resp, err := http.Get(server + "/api/v1/decisions?limit=4&policy=" + policy)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// sample is what happened after the workload's step.
func (w *workload) sample(t *testing.T, prom *realtest.Prometheus) Sample {
	w.mu.Lock()
	defer w.mu.Unlock()
	since := func(at time.Time) float64 { return at.Sub(w.step).Seconds() }
	target := "default/" + w.copies[0].name
	// The first evaluation after the scrape. Prometheus stores what it scraped with
	// the time at which it began to, in milliseconds.
	usage := first(t, prom, fmt.Sprintf(`scale_target_resource:usage:sum{scale_target=%q,resource="memory"}`, target), w.scraped)
	alert := first(t, prom, fmt.Sprintf(`ALERTS{alertname="ScaleUp",alertstate="firing",scale_target=%q}`, target), w.step)
	return Sample{
		Scraped: since(w.scraped), Evaluated: since(usage), Alerted: since(alert),
		Alertscaler: since(w.copies[0].served), HPA: since(w.copies[1].served),
	}
}

// first is the time of the first sample of a series after a moment.
func first(t *testing.T, prom *realtest.Prometheus, series string, after time.Time) time.Time {
	t.Helper()
	points, err := prom.Points(series, after)
	if err != nil {
		t.Fatal(err)
	}
	if len(points) == 0 {
		t.Fatalf("%s has no sample after %s", series, after)
	}
	return points[0].At
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
