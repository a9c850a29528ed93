package webhook

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

var update = flag.String("update", "", "the `version` of Alertmanager under which to write what it sends into testdata/webhook: v0.31")

// realConfig sends each case to its own receiver, as soon as it can.
const realConfig = `
route:
  receiver: scaler
  group_by: [scale_target]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 1h
  routes:
    - {matchers: ['scale_target="truncated"'], receiver: few}
    - {matchers: ['scale_target="dotted"'], receiver: scaler.up}
receivers:
  - {name: scaler, webhook_configs: [{url: URL}]}
  - {name: few, webhook_configs: [{url: URL, max_alerts: 2}]}
  - {name: scaler.up, webhook_configs: [{url: URL}]}
`

// TestRealAlertmanager has a real Alertmanager post to the handler. With
// -update=VERSION the bodies become fixtures.
func TestRealAlertmanager(t *testing.T) {
	f := new(fake)
	h, _ := serve(t, f, nil)
	var (
		mu     sync.Mutex
		bodies [][]byte
	)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		bodies = append(bodies, body)
		mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		h.ServeHTTP(w, r)
	}))
	defer srv.Close()

	am := realtest.StartAlertmanager(t, realtest.AlertmanagerOptions{
		Config: strings.ReplaceAll(realConfig, "URL", srv.URL+"/webhook"),
		Args:   []string{"--web.external-url=http://alertmanager.example:9093"},
	})
	alert := func(target, resource string) realtest.Alert {
		return realtest.Alert{
			Labels: map[string]string{
				"alertname": "ScaleUp", "scale": "up", "scale_target": target,
				"resource": resource, "instance": "prometheus.example:9090", "job": "prometheus",
			},
			Annotations:  map[string]string{"summary": "Usage and reservation of " + target + " exceed its capacity."},
			StartsAt:     time.Now(), // an older one would be sent before the others are posted
			EndsAt:       time.Now().Add(5 * time.Minute),
			GeneratorURL: "http://prometheus.example:9090/graph?g0.expr=1&g0.tab=1",
		}
	}
	over := func(a realtest.Alert) realtest.Alert {
		a.EndsAt = time.Now()
		return a
	}

	// next posts alerts and returns what Alertmanager makes of them, in short:
	// receiver, what was left out, and each alert's status and resource.
	next := func(name string, as ...realtest.Alert) string {
		t.Helper()
		seen := len(f.taken())
		am.PostAlerts(t, as...)
		realtest.Eventually(t, 15*time.Second, 50*time.Millisecond, "a notification", func() error {
			if len(f.taken()) == seen {
				return fmt.Errorf("%d notifications", seen)
			}
			return nil
		})
		mu.Lock()
		defer mu.Unlock()
		if *update != "" {
			file := filepath.Join(fixtures, name+"_"+*update+".good.json")
			if err := os.WriteFile(file, bodies[seen], 0o644); err != nil {
				t.Fatal(err)
			}
		}
		n := f.taken()[seen]
		short := fmt.Sprintf("%s -%d", n.Receiver, n.Truncated)
		byFingerprint := make(map[string]string)
		for _, a := range am.Alerts(t) {
			byFingerprint[a.Fingerprint] = a.Labels["resource"]
		}
		var parts strings.Builder
		for _, a := range n.Alerts {
			fmt.Fprintf(&parts, " %s:%s", a.Status, a.Labels["resource"])
			if a.Status == "firing" && byFingerprint[a.Fingerprint] != a.Labels["resource"] {
				t.Errorf("%s: fingerprint %s is not the one of Alertmanager's API", name, a.Fingerprint)
			}
			if a.StartsAt.IsZero() || a.EndsAt.IsZero() != (a.Status == "firing") {
				t.Errorf("%s: from %v to %v", name, a.StartsAt, a.EndsAt)
			}
		}
		short += parts.String()
		return short
	}

	cpu, memory := alert("web", "cpu"), alert("web", "memory")
	got := []string{
		next("firing", cpu, memory),
		next("mixed", over(cpu)),
		next("resolved", over(memory)),
		next("truncated", alert("truncated", "cpu"), alert("truncated", "disk"), alert("truncated", "memory")),
		next("receiver_with_a_dot", alert("dotted", "cpu")),
	}
	want := []string{
		`scaler -0 firing:cpu firing:memory`,
		`scaler -0 resolved:cpu firing:memory`,
		`scaler -0 resolved:memory`,
		`few -1 firing:cpu firing:disk`,
		`scaler\.up -0 firing:cpu`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("notifications (-want +got):\n%s", diff)
	}
}
