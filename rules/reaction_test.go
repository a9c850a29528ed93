package rules_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// host is a machine that node_exporter would tell of: half of its memory is used,
// or 90 of 100 bytes after a step.
type host struct {
	mu      sync.Mutex
	stepped bool
	seconds float64   // of CPU
	served  time.Time // when it was first scraped after the step
}

func (h *host) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	available := 50
	if h.stepped {
		available = 10
	}
	h.seconds++
	fmt.Fprintf(w, "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} %g\nnode_memory_MemTotal_bytes 100\nnode_memory_MemAvailable_bytes %d\n",
		h.seconds, available)
	if h.stepped && h.served.IsZero() {
		h.served = time.Now()
	}
}

// TestScaleUpFollowsTheScrape: in a real Prometheus the alert fires at the first
// evaluation after the first scrape after a step of the load, and not at one
// later, and Alertmanager has it as of then.
func TestScaleUpFollowsTheScrape(t *testing.T) {
	t.Parallel()
	const interval = 2 * time.Second
	h := &host{}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	am := realtest.StartAlertmanager(t, realtest.AlertmanagerOptions{Config: "route: { receiver: none }\nreceivers: [ { name: none } ]\n"})
	text, err := os.ReadFile("node.scale.yml")
	if err != nil {
		t.Fatal(err)
	}
	prom := realtest.StartPrometheus(t, realtest.PrometheusOptions{
		Files: map[string]string{"node.scale.yml": strings.ReplaceAll(string(text), "interval: 5s", "interval: "+interval.String())},
		Config: fmt.Sprintf(`
global: { scrape_interval: %[1]s, scrape_timeout: %[1]s }
rule_files: ["*.scale.yml"]
alerting: { alertmanagers: [ { static_configs: [ { targets: [%[2]q] } ] } ] }
scrape_configs: [ { job_name: node, static_configs: [ { targets: [%[3]q], labels: { scale_target: web } } ] } ]
`, interval, strings.TrimPrefix(am.URL, "http://"), strings.TrimPrefix(srv.URL, "http://")),
	})
	const usage = `scale_target_resource:usage:sum{resource="memory"}`
	realtest.Eventually(t, time.Minute, 100*time.Millisecond, "usage is recorded", func() error {
		points, err := prom.Points(usage, time.Now().Add(-time.Minute))
		if err == nil && len(points) < 2 {
			err = fmt.Errorf("%d samples", len(points))
		}
		return err
	})
	h.mu.Lock()
	h.stepped = true
	step := time.Now()
	h.mu.Unlock()

	var alerts []realtest.Point
	realtest.Eventually(t, time.Minute, 100*time.Millisecond, "ScaleUp fires", func() error {
		if alerts, err = prom.Points(`ALERTS{alertname="ScaleUp",alertstate="firing"}`, step); err == nil && len(alerts) == 0 {
			err = fmt.Errorf("no sample of it")
		}
		return err
	})
	points, err := prom.Points(usage, step)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(points, func(p realtest.Point) bool { return p.Value == 90 })
	if i < 0 {
		t.Fatalf("ScaleUp fires and no usage of 90 is recorded: %v", points)
	}
	recorded := points[i].At
	if fired := alerts[0].At; !fired.Equal(recorded) {
		t.Errorf("ScaleUp fired %s after the evaluation that recorded what it is about", fired.Sub(recorded))
	}
	// The evaluation after the scrape sees it. One that began while the scrape was
	// still being stored may not, and how long that takes is up to the machine; the
	// next one must.
	h.mu.Lock()
	served := h.served
	h.mu.Unlock()
	missed := 0
	for _, p := range points[:i] {
		if p.At.After(served) {
			missed++
		}
	}
	if missed > 1 {
		t.Errorf("%d evaluations after the scrape at %s did not see it; the one at %s did", missed, served, recorded)
	}
	realtest.Eventually(t, 10*time.Second, 50*time.Millisecond, "Alertmanager has it", func() error {
		for _, a := range am.Alerts(t) {
			if a.Labels["alertname"] == "ScaleUp" {
				if !a.StartsAt.Equal(recorded) {
					t.Errorf("for Alertmanager it began at %s, want %s", a.StartsAt, recorded)
				}
				return nil
			}
		}
		return fmt.Errorf("it does not")
	})
}
