package main_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// confirmedBy is the configuration of a policy whose alerts a real
// Alertmanager confirms, and the Alertmanager.
func confirmedBy(t *testing.T, extra string) (port int, am *realtest.Alertmanager, config string) {
	t.Helper()
	port = realtest.FreePort(t)
	am = realtest.StartAlertmanager(t, realtest.AlertmanagerOptions{Config: fmt.Sprintf(`
route: { receiver: alertscaler, group_by: [scale_target, scale], group_wait: 0s, group_interval: 10s, repeat_interval: 5m }
receivers:
  - name: alertscaler
    webhook_configs: [ { url: "http://127.0.0.1:%d/webhook" } ]
`, port)})
	return port, am, sleepers(fmt.Sprintf(`
global: { evaluation_interval: 500ms }
alertmanager: { url: %s, resync_interval: 1m%s }
`, am.URL, extra))
}

// TestAPostDoesNotScale what Alertmanager does not list; the real one's word
// does, long before the next resync.
func TestAPostDoesNotScale(t *testing.T) {
	t.Parallel()
	port, am, config := confirmedBy(t, "")
	s := startServerOn(t, port, config)
	for range 10 {
		s.fire("up", "web")
		time.Sleep(300 * time.Millisecond) // several cooldowns in all
	}
	if n, _ := counts(s.policy("web")); n != 1 {
		t.Fatalf("%d replicas by a POST that Alertmanager knows nothing of, want 1", n)
	}
	if got := s.metric("alertscaler_alerts_unconfirmed"); got != "1" {
		t.Errorf("%s unconfirmed, want 1", got)
	}
	am.PostAlerts(t, realtest.Alert{Labels: map[string]string{"alertname": "ScaleUp", "scale": "up", "scale_target": "web"}})
	s.eventually(20*time.Second, "what Alertmanager lists scales up", "web", atLeast(3))
	if got := s.policy("web").AlertsUp; got != 1 {
		t.Errorf("%d alerts count, want 1", got)
	}
}

// TestConfirmationIsAnOption: without it a notification's word counts.
func TestConfirmationIsAnOption(t *testing.T) {
	t.Parallel()
	port, _, config := confirmedBy(t, ", confirm: false")
	s := startServerOn(t, port, config)
	s.fire("up", "web")
	s.eventually(20*time.Second, "a POST scales", "web", atLeast(2))
}
