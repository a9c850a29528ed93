package main_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/status"
)

// TestSilenceStopsScaling: a silence set in Alertmanager while the alert fires
// sends no resolved, and stops the scaling all the same; ending it resumes it.
func TestSilenceStopsScaling(t *testing.T) {
	t.Parallel()
	port := realtest.FreePort(t)
	am := realtest.StartAlertmanager(t, realtest.AlertmanagerOptions{Config: fmt.Sprintf(`
route:
  receiver: alertscaler
  group_by: [scale_target, scale]
  group_wait: 0s
  group_interval: 10s
  repeat_interval: 5m
receivers:
  - name: alertscaler
    webhook_configs:
      - url: http://127.0.0.1:%d/webhook
        send_resolved: true
`, port)})
	const resync = 2 * time.Second
	s := startServerOn(t, port, sleepers(fmt.Sprintf(`
global: { evaluation_interval: 500ms }
alertmanager:
  url: %s
  resync_interval: %s
`, am.URL, resync)))

	am.PostAlerts(t, realtest.Alert{Labels: map[string]string{
		"alertname": "ScaleUp", "scale": "up", "scale_target": "web",
	}})
	s.eventually(30*time.Second, "the alert scales up", "web", atLeast(3))

	silence := am.Silence(t, `scale_target="web"`, time.Hour)
	s.eventually(resync+5*time.Second, "the silence reaches the book", "web", alertsUp(0))
	before, _ := counts(s.policy("web"))
	// Several cooldowns of a second: without the silence each would end in a
	// step.
	time.Sleep(6 * time.Second)
	if after, _ := counts(s.policy("web")); after != before {
		t.Errorf("scaled from %d to %d while silenced", before, after)
	}
	st := s.policy("web")
	if st.Last.Reason != policy.ReasonPaused || !strings.Contains(st.Explanation, "silenced by realtest until ") || !strings.Contains(st.Explanation, t.Name()) {
		t.Errorf("while silenced: %s", st.Explanation)
	}
	if len(st.Silences) != 1 || st.Silences[0].Silence != silence {
		t.Errorf("silences in the status: %+v, want %s", st.Silences, silence)
	}

	am.ExpireSilence(t, silence)
	s.eventually(resync+5*time.Second, "the end of the silence reaches the book", "web", alertsUp(1))
	s.eventually(10*time.Second, "scaling resumes", "web", atLeast(before+2))
}

func atLeast(n int) func(status.Policy) error {
	return func(st status.Policy) error {
		if requested, _ := counts(st); requested < n {
			return fmt.Errorf("%d replicas, want at least %d; %s", requested, n, st.Explanation)
		}
		return nil
	}
}

func alertsUp(n int) func(status.Policy) error {
	return func(st status.Policy) error {
		if st.AlertsUp != n {
			return fmt.Errorf("%d alerts count, want %d", st.AlertsUp, n)
		}
		return nil
	}
}
