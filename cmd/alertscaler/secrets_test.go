package main_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/status"
)

// TestSecretsOfURLsAreNotTold: users, passwords and tokens in the URLs of
// Prometheus and Alertmanager are in no answer, no page and no log line, also
// where neither can be reached.
func TestSecretsOfURLsAreNotTold(t *testing.T) {
	t.Parallel()
	s := startServer(t, `
global: { evaluation_interval: 200ms }
prometheus: { url: 'http://S3CRETa:S3CRETb@127.0.0.1:1/?token=S3CRETc' }
alertmanager: { url: 'http://S3CRETd:S3CRETe@127.0.0.1:1/?token=S3CRETf' }
policies:
  - name: web
    max: 9
    resources: [{ name: cpu, reservation: { ratio: 0.3 } }]
    targets: [{ name: local, process: { command: [sleep, "1000"], env: { TOKEN: S3CRETg } } }]
`)
	s.eventually(30*time.Second, "usage is unavailable", "web", func(st status.Policy) error {
		if !strings.Contains(st.Explanation, "unavailable") {
			return errors.New(st.Explanation)
		}
		return nil
	})
	realtest.Eventually(t, 30*time.Second, 100*time.Millisecond, "Alertmanager was asked", func() error {
		if s.metric("alertscaler_reconciliation_failures_total") == "0" {
			return errors.New("no attempt has failed yet")
		}
		return nil
	})
	for _, path := range []string{"/", "/metrics", "/api/v1/policies", "/api/v1/policies/web", "/api/v1/decisions", "/api/v1/alerts", "/api/v1/status/config", "/api/v1/status/runtimeinfo"} {
		if text := s.text(path); strings.Contains(text, "S3CRET") {
			t.Errorf("%s tells a secret:\n%s", path, text)
		}
	}
	if log := s.Log(); strings.Contains(log, "S3CRET") {
		t.Errorf("the log tells a secret:\n%s", log)
	}
}
